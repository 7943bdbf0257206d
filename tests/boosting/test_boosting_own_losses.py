"""Own losses without a Hessian: leaves go as far as the loss falls, in any unit."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.datasets import make_friedman2
from sklearn.metrics import d2_absolute_error_score, d2_pinball_score, r2_score
from sklearn.tree import DecisionTreeRegressor as Tree

from skdl import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    config_context,
    losses,
)
from skdl.boosting._gradients.leaf_minimum import LeafMinimum, last_fall

X, Y = make_friedman2(300, noise=20.0, random_state=2)
X_TEST, Y_TEST = make_friedman2(600, random_state=3)
SCALES = [1e-6, 0.7, 1e4]


def absolute(y, raw):
    return np.abs(raw - y), np.sign(raw - y)


def pinball(y, raw):
    slope = np.where(raw > y, 0.25, -0.75)
    return slope * (raw - y), slope


def poisson(y, raw):  # raw: the logarithm of the mean
    mean = np.exp(raw)
    return mean - y * raw, mean - y


class LogLink(losses.Loss):
    """The same as an object with a link."""

    out_activation = "exp"

    def evaluate(self, y, raw, empty=np.empty):
        return poisson(y, raw)

    def inverse_link(self, raw):
        return np.exp(raw)

    def link(self, prediction):
        return np.log(prediction)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("scale", SCALES)
def test_absolute_error_in_any_unit(scale, engine):
    y = scale * Y
    with config_context(engine=engine):
        own = GradientBoostingRegressor(loss=absolute).fit(X, y)
    exact = GradientBoostingRegressor(loss="absolute_error").fit(X, y)
    d2 = [
        d2_absolute_error_score(scale * Y_TEST, model.predict(X_TEST))
        for model in (own, exact)
    ]
    assert d2[0] > d2[1] - 0.03
    assert r2_score(scale * Y_TEST, own.predict(X_TEST)) > 0.9


@pytest.mark.parametrize("shift", [1e5, -1e7])
def test_an_offset_does_not_matter(shift):
    y = 300 * (Y + shift)
    model = GradientBoostingRegressor(loss=absolute).fit(X, y)
    assert d2_absolute_error_score(y, model.predict(X)) > 0.85


@pytest.mark.parametrize("scale", SCALES)
def test_a_quantile_in_any_unit(scale):
    model = GradientBoostingRegressor(loss=pinball).fit(X, scale * Y)
    assert np.mean(model.predict(X) >= scale * Y) == pytest.approx(0.75, abs=0.03)
    p = model.predict(X_TEST)
    assert d2_pinball_score(scale * Y_TEST, p, alpha=0.75) > 0.7


@pytest.mark.parametrize("loss", [poisson, LogLink()], ids=["function", "object"])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_logarithms_of_means_in_any_unit(scale, loss):
    y = scale * np.maximum(Y, 1.0)
    model = GradientBoostingRegressor(loss=loss).fit(X, y)
    mean = np.exp(model.ensemble_.raw(X_TEST)[:, 0])
    assert len(model.train_score_) == 100
    assert r2_score(scale * Y_TEST, mean) > 0.85


def test_rows_without_any_event():
    """The best leaf is minus infinity: steps stay within reason."""
    y = np.where(X[:, 0] > np.median(X[:, 0]), np.round(Y / 100), 0.0)
    for loss in (poisson, LogLink()):
        model = GradientBoostingRegressor(loss=loss).fit(X, y)
        mean = np.exp(model.ensemble_.raw(X)[:, 0])
        assert np.isfinite(model.ensemble_.raw(X)).all()
        assert mean[X[:, 0] < np.median(X[:, 0])].mean() < 0.05
        assert r2_score(y, mean) > 0.85


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_monotonic(scale):
    settings = {"loss": absolute, "monotonic_cst": [0, 1, 0, 0]}
    model = GradientBoostingRegressor(**settings).fit(X, scale * Y)
    assert model.score(X, scale * Y) > 0.75
    rows = np.tile(np.median(X, axis=0), (200, 1))
    rows[:, 1] = np.linspace(X[:, 1].min(), X[:, 1].max(), 200)
    assert (np.diff(model.predict(rows)) >= -1e-9 * scale).all()


def test_weights_are_repeated_rows():
    rng = np.random.default_rng(0)
    times = rng.integers(1, 4, len(Y))
    settings = {"loss": pinball, "n_estimators": 15, "min_samples_leaf": 1}
    weighted = GradientBoostingRegressor(**settings)
    weighted.fit(X, 1e3 * Y, sample_weight=times)
    repeated = GradientBoostingRegressor(**settings)
    repeated.fit(np.repeat(X, times, axis=0), np.repeat(1e3 * Y, times))
    ratio = weighted.train_score_[-1] / repeated.train_score_[-1]
    assert ratio == pytest.approx(1.0, rel=0.03)
    scaled = GradientBoostingRegressor(**settings)
    scaled.fit(X, 1e3 * Y, sample_weight=1e20 * times)
    np.testing.assert_allclose(scaled.predict(X), weighted.predict(X), rtol=1e-6)


@pytest.mark.parametrize("shared", [False, True])
def test_several_outputs_have_units_of_their_own(shared):
    both = np.c_[Y, 1e4 * Y, -1e-4 * Y]
    model = GradientBoostingRegressor(loss=absolute, shared_trees=shared).fit(X, both)
    for j in range(3):
        p = model.predict(X)[:, j]
        assert d2_absolute_error_score(both[:, j], p) > (0.6 if shared else 0.8)


def test_some_rows():
    model = GradientBoostingRegressor(loss=absolute, subsample=0.5, random_state=0)
    assert model.fit(X, 1e3 * Y).score(X_TEST, 1e3 * Y_TEST) > 0.7


def hinge(y, raw):
    """Crammer and Singer's, without curvature."""
    rows = np.arange(len(y))
    margin = raw - raw[rows, y][:, None] + 1.0
    margin[rows, y] = 0.0
    worst = margin.argmax(axis=1)
    gradient = np.zeros_like(raw)
    gradient[rows, worst] += 1.0
    gradient[rows, y] -= 1.0
    return margin.max(axis=1), gradient


def logistic(y, raw):
    p = np.exp(raw - raw.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    true = np.arange(raw.shape[1]) == y[:, None]
    return -np.log(np.maximum((p * true).sum(axis=1), 1e-300)), p - true


@pytest.mark.parametrize("factor", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("loss", [hinge, logistic])
def test_losses_of_classes_in_any_unit(loss, shared, factor):
    def scaled(y, raw):
        value, gradient = loss(y, raw)
        return factor * value, factor * gradient

    codes = np.digitize(Y, np.quantile(Y, [0.3, 0.6]))
    test = np.digitize(Y_TEST, np.quantile(Y, [0.3, 0.6]))
    model = GradientBoostingClassifier(
        loss=scaled, shared_trees=shared, n_estimators=25
    ).fit(X, codes)
    assert model.score(X_TEST, test) > 0.8
    assert np.abs(np.diff(model.ensemble_.raw(X), axis=1)).max() < 2 * 4 * 0.1 * 25


def test_an_error_of_the_loss_is_seen():
    calls = []

    def late(y, raw):
        calls.append(len(y))
        if len(calls) > 200:
            raise ValueError("my own trouble")
        return absolute(y, raw)

    with pytest.raises(ValueError, match="my own trouble"):
        GradientBoostingRegressor(loss=late).fit(X, Y)


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e3])
def test_smooth_leaves_are_exact(factor):
    """A loss whose gradient is a line has the leaves of the squared error."""

    def squared(y, raw):
        return factor * (raw - y) ** 2 / 2, factor * (raw - y)

    settings = {"n_estimators": 20, "monotonic_cst": [0, 1, 0, 0]}
    own = GradientBoostingRegressor(loss=squared, **settings).fit(X, Y)
    assert own.score(X, Y) > 0.85
    del settings["monotonic_cst"]
    own = GradientBoostingRegressor(loss=squared, **settings).fit(X, Y)
    exact = GradientBoostingRegressor(**settings).fit(X, Y)
    np.testing.assert_allclose(own.predict(X), exact.predict(X), rtol=1e-6)


def test_the_loss_sees_all_rows():
    """A function may hold something of each row, such as its exposure."""
    exposure = np.random.default_rng(2).uniform(0.5, 2.0, (len(Y), 1))
    counts = np.round(exposure[:, 0] * Y / 100)

    def rate(y, raw):
        mean = exposure * np.exp(raw)
        return mean - y * raw, mean - y

    model = GradientBoostingRegressor(loss=rate).fit(X, counts)
    expected = np.exp(model.ensemble_.raw(X)) * exposure
    assert r2_score(counts, expected[:, 0]) > 0.9


# ---- any regressor as learner


@pytest.mark.parametrize("loss", ["absolute_error", absolute, "quantile"])
@pytest.mark.parametrize("subsample", [1.0, 0.7])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e5])
def test_own_learners_in_any_unit(scale, subsample, loss):
    settings = {"subsample": subsample, "random_state": 0, "n_estimators": 60}
    model = GradientBoostingRegressor(
        loss=loss, estimator=Tree(max_depth=3), **settings
    )
    weight = np.random.default_rng(0).uniform(1, 2, len(Y))
    model.fit(X, scale * Y, sample_weight=weight)
    p = model.predict(X_TEST)
    assert d2_absolute_error_score(scale * Y_TEST, p) > 0.7
    *_, last = model.staged_predict(X_TEST)
    np.testing.assert_allclose(last, p, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("loss", ["poisson", "gamma", LogLink()])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_own_learners_of_logarithms_in_any_unit(scale, loss):
    y = scale * np.maximum(Y, 1.0)
    model = GradientBoostingRegressor(loss=loss, estimator=Tree(max_depth=3)).fit(X, y)
    mean = np.exp(model.ensemble_.raw(X_TEST)[:, 0])
    assert len(model.train_score_) == 100
    assert r2_score(scale * Y_TEST, mean) > 0.8


def test_how_far_to_go_along_a_learner():
    rng = np.random.default_rng(5)
    y, way = rng.normal(size=(2, 400, 2))
    weight = rng.uniform(0, 1, 400)
    search = LeafMinimum(losses.get(absolute), y, weight, 2)
    raw = np.zeros_like(y)
    way += 2 * y
    found = search.along(raw, 1e-6 * way, None)
    for j in range(2):
        best = minimize_scalar(
            lambda t, j=j: (weight * np.abs(t * way[:, j] - y[:, j])).sum(), (0, 1)
        )
        assert found[j] == pytest.approx(1e6 * best.x, rel=0.02)
    np.testing.assert_array_equal(search.along(raw, -way, None), 1.0)


def test_with_gd_learners_go_as_far_as_the_gradient():
    settings = {"loss": "absolute_error", "estimator": Tree(max_depth=2)}
    model = GradientBoostingRegressor(optimizer="gd", n_estimators=5, **settings)
    assert model.fit(X, Y).ensemble_.corrections == {}


# ---- the search by itself


def found_in_two(y, raw, weight):
    search = LeafMinimum(losses.get(pinball), y, weight, 2)
    return search.find([np.arange(180), np.arange(180, 301)], raw, slice(0, 2))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_step_is_the_best_constant(weighted, scale):
    rng = np.random.default_rng(4)
    y, raw = scale * rng.standard_t(2, size=(2, 301, 2))
    weight = rng.uniform(0.1, 3.0, 301) if weighted else None
    found = found_in_two(y, raw, weight)
    for leaf, rows in zip(found, (slice(0, 180), slice(180, 301)), strict=True):
        part = None if weight is None else weight[rows]
        best = losses.Quantile(0.75).leaf_value(y[rows], raw[rows], part)
        np.testing.assert_allclose(leaf, best, rtol=0.03, atol=0.02 * scale)


def test_at_the_minimum_there_is_no_step():
    y = np.r_[np.zeros(60), np.ones(25), -np.ones(15)][:, None]
    search, raw = LeafMinimum(losses.get(absolute), y, None, 1), np.zeros((100, 1))
    leaves = [np.arange(100), np.arange(1), np.arange(60, 100)]
    steps = search.find(leaves[:1], raw, slice(0, 1))
    assert steps == [[0.0]]
    steps = search.find(leaves[1:], raw, slice(0, 1))
    assert steps[0] == 0.0
    assert steps[1] == pytest.approx(1.0, rel=0.02)


def test_the_end_of_a_fall():
    ends = np.array([3e-4, 1.0, 7.0, 1e5, 1e12])
    limit = np.array([10.0, 10.0, 10.0, 1e6, 50.0])
    found = last_fall(
        lambda place: np.where(place < ends, 1.0, -1.0), np.ones(5), limit
    )
    np.testing.assert_allclose(found[:4], ends[:4], rtol=0.011)
    assert found[4] == 50.0
    nothing = last_fall(lambda place: -1.0 - place, np.zeros(2), np.array([0.0, 1.0]))
    np.testing.assert_array_equal(nothing, 0.0)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("loss", ["squared_error", "poisson", "huber", absolute])
def test_the_loss_of_a_round_is_weighted(loss, engine):
    weight = np.random.default_rng(1).exponential(size=len(Y)) ** 2
    y = np.maximum(Y / 100, 0.1)
    model = GradientBoostingRegressor(loss=loss, n_estimators=3)
    with config_context(engine=engine):
        model.fit(X, y, sample_weight=weight)
    expected = losses.get(loss)(y[:, None], model.ensemble_.raw(X), weight)
    assert model.train_score_[-1] == pytest.approx(expected, rel=1e-9)
