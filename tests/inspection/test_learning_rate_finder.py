"""Learning-rate range tests, drawn."""

import pickle

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPClassifier
from skdl.callbacks import LearningRateFinder
from skdl.inspection import LearningRateFinderDisplay

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def fitted(iris, finder, **settings):
    net = MLPClassifier((5,), max_iter=2, random_state=0, **settings)
    return net.set_callbacks(finder).fit(*iris)


def test_one(iris):
    finder = LearningRateFinder()
    display = LearningRateFinderDisplay.from_estimator(fitted(iris, finder), lw=3)
    (line,) = display.lines_
    np.testing.assert_array_equal(line.get_xdata(), finder.learning_rates_)
    np.testing.assert_array_equal(line.get_ydata(), finder.losses_)
    assert line.get_linewidth() == 3
    (dot,) = [item for item in display.ax_.lines if item.get_marker() == "o"]
    at = np.flatnonzero(finder.learning_rates_ == finder.learning_rate_)
    assert dot.get_xdata() == [finder.learning_rate_]
    assert dot.get_ydata() == finder.losses_[at]
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_legend() is None
    (band,) = display.ax_.collections
    low, high = band.get_datalim(display.ax_.transData).intervaly
    assert low == (finder.losses_ - 3 * finder.noise_).min()
    assert high == (finder.losses_ + 3 * finder.noise_).max()


def test_several_with_one_finder_have_their_own_curves(iris):
    finder, (_, ax) = LearningRateFinder(), plt.subplots()
    nets = [fitted(iris, finder, optimizer=name) for name in ("sgd", "adam")]
    display = LearningRateFinderDisplay.from_estimator(nets, name=["a", "b"], ax=ax)
    first, second = display.lines_
    assert display.ax_ is ax
    assert first.get_ydata()[-1] != finder.losses_[-1]
    np.testing.assert_array_equal(second.get_ydata(), finder.losses_)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b"]


def test_without_a_suggestion_there_is_no_dot(iris):
    finder = LearningRateFinder(low=1e-12, high=1e-9)
    with pytest.warns(UserWarning, match="no learning rate"):
        net = fitted(iris, finder)
    display = LearningRateFinderDisplay.from_estimator(net)
    assert len(display.ax_.lines) == len(display.lines_) == 1


def test_inside_a_search_for_a_pipeline(iris):
    net = MLPClassifier((5,), max_iter=2, random_state=0)
    model = make_pipeline(StandardScaler(), net.set_callbacks(LearningRateFinder()))
    search = GridSearchCV(model, {"mlpclassifier__alpha": [0, 1]}, cv=2).fit(*iris)
    assert LearningRateFinderDisplay.from_estimator({"best": search}).lines_


def test_without_a_test_there_is_nothing_to_draw(iris):
    plain = MLPClassifier((5,), max_iter=2, random_state=0).fit(*iris)
    pickled = pickle.loads(pickle.dumps(fitted(iris, LearningRateFinder())))
    for net in (plain, pickled):
        with pytest.raises(ValueError, match="no range test to draw"):
            LearningRateFinderDisplay.from_estimator(net)
