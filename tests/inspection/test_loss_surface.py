"""The loss around a network, and the path that is projected on it."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import (
    Autoencoder,
    GradientBoostingClassifier,
    MLPClassifier,
    MLPRegressor,
)
from skdl.callbacks import Checkpoint, RecordPath
from skdl.inspection import LossSurfaceDisplay

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)
SETTINGS = {"max_iter": 30, "random_state": 0, "n_iter_no_change": "never"}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted(iris):
    record = RecordPath()
    net = MLPClassifier((6,), optimizer="lbfgs", alpha=0.5, **SETTINGS)
    return net.set_callbacks(record).fit(*iris), record.path_


def surface(net, data, **arguments):
    return LossSurfaceDisplay.from_estimator(net, *data, **{"n_points": 5, **arguments})


# ---- the path


def test_the_path_of_the_weights(iris, fitted):
    net, path = fitted
    assert path.shape == (net.n_iter_ + 1, net.network_.params.size)
    np.testing.assert_array_equal(path[-1], net.network_.params.vector)
    start = MLPClassifier((6,), optimizer="lbfgs", **SETTINGS).initialize(*iris)
    np.testing.assert_array_equal(path[0], start.network_.params.vector)


def test_every_so_many_epochs_and_the_end(iris):
    record = RecordPath(every=7)
    net = MLPClassifier((6,), optimizer="sgd", **SETTINGS).set_callbacks(record)
    net.fit(*iris)
    assert len(record.path_) == 1 + 4 + 1
    np.testing.assert_array_equal(record.path_[-1], net.network_.params.vector)


def test_a_run_that_was_cut_off_has_its_whole_path(iris, tmp_path):
    whole, first, second = RecordPath(), RecordPath(), RecordPath()
    net = MLPClassifier((4,), optimizer="sgd", **SETTINGS)
    net.set_callbacks(whole).fit(*iris)
    keep = Checkpoint(tmp_path / "net")
    net.set_callbacks(first, keep).set_params(max_iter=12).fit(*iris)
    net.set_callbacks(second, keep).set_params(max_iter=30).fit(*iris)
    assert len(first.path_) == 13
    np.testing.assert_array_equal(second.path_[-1], whole.path_[-1])


@pytest.mark.parametrize("every", [0, -1])
def test_bad_settings_of_the_record(every):
    with pytest.raises(ValueError, match="every must be at least 1"):
        RecordPath(every)


def test_boosting_has_no_weights(iris):
    net = GradientBoostingClassifier().set_callbacks(RecordPath())
    with pytest.raises(ValueError, match="RecordPath acts on the weights"):
        net.fit(*iris)


# ---- the surface


@pytest.mark.parametrize("directions", ["random", "path"])
def test_the_middle_is_the_loss_of_the_network(iris, fitted, directions):
    net, path = fitted
    arguments = {"path": path} if directions == "path" else {}
    display = surface(net, iris, directions=directions, n_points=41, **arguments)
    assert display.values.shape == (41, 41)
    i, j = np.argmin(np.abs(display.ys)), np.argmin(np.abs(display.xs))
    assert display.values[i, j] == pytest.approx(net.loss_, rel=0.05)
    if directions == "random":
        assert display.values[20, 20] == pytest.approx(net.loss_, rel=1e-9)


@pytest.mark.parametrize("kind", ["weights", "classes", "l1", "regression"])
def test_it_is_the_loss_that_is_minimised(iris, curve, kind):
    X, y = iris
    weight = np.linspace(0.1, 2, len(y))
    data, fit, more = (X, y), {}, {}
    net = MLPClassifier((6,), optimizer="lbfgs", alpha=0.5, **SETTINGS)
    if kind == "weights":
        fit = more = {"sample_weight": weight}
    elif kind == "classes":
        net.set_params(class_weight={0: 3.0, 1: 1.0, 2: 0.5})
    elif kind == "l1":
        net.set_params(l1=0.3)
    else:
        net, data = MLPRegressor((6,), optimizer="lbfgs", **SETTINGS), curve
    net.fit(*data, **fit)
    display = surface(net, data, n_points=3, **more)
    assert display.values[1, 1] == pytest.approx(net.loss_, rel=1e-9)


def test_values_are_those_of_moved_networks(iris, fitted):
    net, _ = fitted
    n = net.network_.params.size
    plane = np.random.default_rng(0).normal(size=(2, n))
    display = surface(net, iris, directions=plane, span=0.5, n_points=3)
    moved = MLPClassifier((6,), optimizer="lbfgs", alpha=0.5, **SETTINGS).fit(*iris)
    moved.network_.params.vector += 0.5 * plane[0] - 0.5 * plane[1]
    at = surface(moved, iris, n_points=3).values[1, 1]
    assert display.values[0, 2] == pytest.approx(at, rel=1e-9)
    np.testing.assert_allclose(display.xs, [-0.5, 0, 0.5])


def test_directions_are_as_long_as_the_weights_of_each_unit(iris):
    # Far out the penalty, which grows with the square, says how long a step is.
    net = MLPClassifier((6,), "tanh", optimizer="lbfgs", alpha=0.5, **SETTINGS)
    net.fit(*iris)
    seen = []
    for seed in (0, 1):
        display = surface(net, iris, random_state=seed, span=1e7, n_points=3)
        squares = display.values[1, 2] / (0.25 * 1e14 / 150)
        seen.append(squares)
    weights = sum(float((W**2).sum()) for W in net.coefs_)
    np.testing.assert_allclose(seen, weights, rtol=1e-3)


def test_scaling_units_does_not_change_the_picture(iris):
    X, y = iris
    net = MLPClassifier((6,), "relu", alpha=0.0, optimizer="lbfgs", **SETTINGS)
    net.fit(X, y)
    before = surface(net, iris, random_state=3).values
    W, V = net.coefs_
    b = net.intercepts_[0]
    W *= 2.0  # of all units alike: exact in binary
    b *= 2.0
    V /= 2.0
    np.testing.assert_allclose(surface(net, iris, random_state=3).values, before)


def test_the_path_is_projected(iris, fitted):
    net, path = fitted
    display = surface(net, iris, path=path, directions="path")
    np.testing.assert_allclose(display.path[-1], 0, atol=1e-9)
    assert 0.7 < display.explained <= 1
    steps = path - path[-1]
    lengths = np.linalg.norm(display.path, axis=1)
    assert (lengths <= np.linalg.norm(steps, axis=1) + 1e-9).all()
    np.testing.assert_array_equal(display.line_.get_xydata(), display.path)
    assert display.xs[0] < display.path[:, 0].min() < display.path[:, 0].max()
    assert display.path[:, 0].max() < display.xs[-1]
    by_chance = surface(net, iris, path=path)
    assert by_chance.explained < display.explained
    inside = np.random.default_rng(0).normal(size=(3, 2)) @ np.array([path[0], path[3]])
    plane = np.array([path[0], path[3]])
    flat = surface(net, iris, path=inside + path[-1], directions=plane)
    assert flat.explained == pytest.approx(1.0)


def test_nothing_is_changed(iris, fitted):
    net, path = fitted
    before = net.network_.params.vector.copy()
    surface(net, iris, path=path)
    np.testing.assert_array_equal(net.network_.params.vector, before)


def test_pipelines_and_searches(iris):
    X, y = iris
    net = MLPClassifier((4,), optimizer="lbfgs", alpha=0.5, **SETTINGS)
    pipeline = make_pipeline(StandardScaler(), net).fit(5 * X + 3, y)
    display = surface(pipeline, (5 * X + 3, y), n_points=3)
    assert display.values[1, 1] == pytest.approx(pipeline[-1].loss_)
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.1]}, cv=2).fit(X, y)
    assert surface(search, iris, n_points=3).values[1, 1] > 0


def test_batch_norm_dropout_and_single_precision(iris):
    X, y = iris
    net = MLPClassifier((8,), batch_norm=True, dropout=0.2, **SETTINGS)
    net.fit(X.astype(np.float32), y)
    one, two = (surface(net, (X.astype(np.float32), y)).values for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_axes_and_style(iris, fitted):
    net, path = fitted
    _, ax = plt.subplots()
    display = surface(net, iris, path=path, ax=ax, color="r", levels=[0.5, 1])
    assert display.ax_ is ax
    assert display.line_.get_color() == "r"
    assert display.contours_.levels.tolist() == [0.5, 1]
    assert surface(net, iris).line_ is None


BAD = {
    "span": ({"span": 0}, "span must be positive"),
    "points": ({"n_points": 1}, "n_points at least 2"),
    "path": ({"path": np.ones((3, 2))}, r"shape \(n, 51\).* got \(3, 2\)"),
    "no path": ({"directions": "path"}, "needs a path of at least 3 points"),
    "word": ({"directions": "pca"}, '"random", "path" or two vectors, got .pca.'),
    "vectors": ({"directions": (np.ones(3), np.ones(3))}, r"shape \(2, 51\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(iris, fitted, case):
    arguments, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        surface(fitted[0], iris, **arguments)


def test_other_estimators(iris):
    with pytest.raises(ValueError, match="LogisticRegression is no fitted network"):
        surface(LogisticRegression().fit(*iris), iris)
    with pytest.raises(NotFittedError):
        surface(MLPClassifier(), iris)


def test_samples_of_whole_numbers_that_are_their_own_targets():
    X = np.random.default_rng(0).integers(0, 256, (30, 4, 4), dtype=np.uint8)
    net = Autoencoder(3, alpha=0.0, **SETTINGS | {"max_iter": 2}).fit(X, X_val=X)
    values = surface(net, (X, X), n_points=3).values
    assert values[1, 1] == pytest.approx(net.history_["val_loss"][-1], rel=1e-5)
