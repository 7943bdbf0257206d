"""Learning curves, drawn."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPClassifier, MLPRegressor
from skdl.inspection import LossCurveDisplay

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def nets(iris, curve):
    X, y = iris
    settings = {"max_iter": 8, "random_state": 0}
    return {
        "plain": MLPClassifier((5,), **settings).fit(X, y),
        "stopped": MLPClassifier((5,), early_stopping=True, **settings).fit(X, y),
        "regression": MLPRegressor((5,), **settings).fit(*curve),
    }


def labels(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_one_estimator(nets):
    display = LossCurveDisplay.from_estimator(nets["stopped"])
    training, validation = display.lines_
    np.testing.assert_array_equal(training.get_xdata(), np.arange(1, 9))
    np.testing.assert_array_equal(training.get_ydata(), nets["stopped"].loss_curve_)
    np.testing.assert_array_equal(
        validation.get_ydata(), nets["stopped"].history_["val_loss"]
    )
    assert labels(display) == ["training loss", "validation loss"]
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "loss"
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_yscale() == "linear"


def test_the_best_epoch_is_marked(nets):
    net = nets["stopped"]
    display = LossCurveDisplay.from_estimator(net)
    (dot,) = [line for line in display.ax_.lines if line.get_marker() == "o"]
    best = net.best_epoch_
    assert dot.get_xydata().tolist() == [[best, net.history_["val_loss"][best - 1]]]


def test_no_mark_where_the_last_weights_were_kept(iris):
    X, y = iris
    net = MLPClassifier((5,), max_iter=3).fit(X, y, X_val=X, y_val=y)
    display = LossCurveDisplay.from_estimator(net)
    assert len(display.ax_.lines) == len(display.lines_) == 2


def test_without_validation_there_is_one_curve(nets):
    display = LossCurveDisplay.from_estimator(nets["plain"])
    assert labels(display) == ["training loss"]
    assert len(display.ax_.lines) == 1


@pytest.mark.parametrize(
    ("curves", "label", "y_label"),
    [
        (["val_score"], ["validation score"], "score"),
        (["learning_rate"], ["learning rate"], "rate"),
        (
            ["loss", "val_score"],
            ["training loss", "validation score"],
            "loss / score",
        ),
    ],
)
def test_other_curves(nets, curves, label, y_label):
    display = LossCurveDisplay.from_estimator(nets["stopped"], curves=curves)
    assert labels(display) == label
    assert display.ax_.get_ylabel() == y_label


def test_several_estimators_on_one_axis(nets):
    display = LossCurveDisplay.from_estimator(list(nets.values()))
    assert labels(display) == [
        "MLPClassifier(early_stopping=False): training loss",
        "MLPClassifier(early_stopping=True): training loss",
        "MLPClassifier(early_stopping=True): validation loss",
        "MLPRegressor: training loss",
    ]
    colors = [line.get_color() for line in display.lines_]
    assert colors[1] == colors[2]
    assert len(set(colors)) == 3
    styles = [line.get_linestyle() for line in display.lines_]
    assert styles == ["-", "-", "--", "-"]


@pytest.mark.parametrize("how", ["dict", "names"])
def test_names(nets, how):
    chosen = {"one": nets["plain"], "two": nets["regression"]}
    if how == "dict":
        display = LossCurveDisplay.from_estimator(chosen)
    else:
        display = LossCurveDisplay.from_estimator(
            tuple(chosen.values()), name=["one", "two"]
        )
    assert labels(display) == ["one: training loss", "two: training loss"]
    assert set(display.histories) == {"one", "two"}


def test_different_classes_need_no_numbers(nets):
    display = LossCurveDisplay.from_estimator([nets["plain"], nets["regression"]])
    assert set(display.histories) == {"MLPClassifier", "MLPRegressor"}


def test_a_pipeline(iris, nets):
    X, y = iris
    net = MLPClassifier((5,), max_iter=8, random_state=0)
    model = make_pipeline(StandardScaler(), net).fit(X, y)
    display = LossCurveDisplay.from_estimator([model, nets["plain"]])
    assert list(display.histories) == ["Pipeline", "MLPClassifier"]
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), model[-1].loss_curve_)


def test_an_axis_of_ones_own_and_options(nets):
    figure, ax = plt.subplots()
    display = LossCurveDisplay.from_estimator(
        nets["plain"], ax=ax, log=True, color="k", linewidth=5, label="mine"
    )
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert ax.get_yscale() == "log"
    (line,) = display.lines_
    assert (line.get_color(), line.get_linewidth()) == ("k", 5)
    assert labels(display) == ["mine"]
    again = display.plot(ax=ax, curves=["learning_rate"])
    assert again is display
    assert len(ax.lines) == 2


def test_the_constructor_only_stores(nets):
    history = {"loss": [3.0, 2.0]}
    display = LossCurveDisplay(histories={"mine": history})
    assert not hasattr(display, "ax_")
    assert display.histories["mine"] is history
    assert display.plot().lines_[0].get_ydata().tolist() == [3.0, 2.0]


WRONG = {
    "not fitted": (MLPClassifier(), NotFittedError, "not fitted"),
    "no history": (
        LogisticRegression().fit([[0], [1]], [0, 1]),
        ValueError,
        "LogisticRegression has no history_ to draw",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_drawn(case):
    estimator, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        LossCurveDisplay.from_estimator(estimator)


def test_curves_that_are_not_there(nets):
    with pytest.raises(ValueError, match=r"None of the histories has any of \['val_lo"):
        LossCurveDisplay.from_estimator(nets["plain"], curves=["val_loss"])
    with pytest.raises(ValueError, match=r"only \['learning_rate', 'loss'\]"):
        LossCurveDisplay.from_estimator(nets["plain"], curves="val_loss")
    with pytest.raises(ValueError, match=r"Names must differ, got \['a', 'a'\]"):
        LossCurveDisplay.from_estimator([nets["plain"]] * 2, name=["a", "a"])
    with pytest.raises(ValueError, match="1 names for 2 estimators"):
        LossCurveDisplay.from_estimator([nets["plain"]] * 2, name="one")
    started = MLPClassifier().initialize([[0], [1]], [0, 1])
    with pytest.raises(ValueError, match="None of the histories"):
        LossCurveDisplay.from_estimator(started)


def test_without_matplotlib_the_error_names_the_extra(nets, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "skdl\[plot\]"'):
        LossCurveDisplay.from_estimator(nets["plain"])
