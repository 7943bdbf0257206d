"""An offset, a unit, a weight or one row far out decide nothing about the rest."""

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier as ReferenceAdaBoost
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeClassifier

from skdl import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    config_context,
    losses,
)

ENGINES = ["numpy", "numba"]
LEAVES = {"max_depth": None, "max_leaf_nodes": 31, "min_samples_leaf": 20}


def made(n, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6))
    y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + X[:, 3] ** 2
    return X, y + rng.normal(size=n), 0.1 + rng.random(n)


def booster(n, **settings):
    settings = LEAVES if n > 1000 else {}
    return GradientBoostingRegressor(n_estimators=40, **settings)


# The fit of (factor · y + offset, weights · times), undone, is that of (y, weights).
CHANGES = {
    "offset": (1.0, 1e6, 1.0),
    "small unit": (3.7e-9, 0.0, 1.0),
    "large unit": (2.1e7, 0.0, 1.0),
    "extreme unit": (7e100, 0.0, 1.0),
    "light weights": (1.0, 0.0, 3e-9),
    "heavy weights": (1.0, 0.0, 1.7e6),
    "extreme weights": (1.0, 0.0, 7e100),
    "all": (1.3e5, 1.3e5, 3e12),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("n", [1000, 20_000])
def test_units_and_offsets_change_no_fit(n, change, weighted):
    factor, offset, times = CHANGES[change]
    X, y, weight = made(n)
    if not weighted:  # all of one weight are as good as none
        weight = np.ones(n)
    expected = booster(n).fit(X, y, weight if weighted else None).predict(X)
    found = booster(n).fit(X, factor * y + offset, times * weight).predict(X)
    np.testing.assert_allclose((found - offset) / factor, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("times", [3e-9, 1.7e6, 7e100])
def test_weights_of_classes_are_relative(times, engine):
    X, y, weight = made(2000)
    with config_context(engine=engine):
        one, other = (
            GradientBoostingClassifier(n_estimators=20)
            .fit(X, y > 1, c * weight)
            .decision_function(X)
            for c in (1.0, times)
        )
    np.testing.assert_allclose(other, one, rtol=0, atol=1e-6)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile", "poisson"])
@pytest.mark.parametrize("times", [3e-3, 1.7e6])
def test_weights_of_other_losses_are_relative(loss, times):
    X, y, weight = made(1000)
    one, other = (
        GradientBoostingRegressor(loss=loss, n_estimators=10, min_child_weight=0)
        .fit(X, np.exp(0.3 * y), c * weight)
        .predict(X)
        for c in (1.0, times)
    )
    np.testing.assert_allclose(other, one, rtol=1e-6)


@pytest.mark.parametrize("n", [1000, 140_000])
@pytest.mark.parametrize("far", [1e7, 1e9])
def test_one_target_far_out(n, far):
    X, y, _ = made(n)
    X = X[:, :4]
    y = 300 + 100 * y
    y[n // 3] = far
    others = np.arange(n) != n // 3

    def error(model):
        return np.median(np.abs(model.fit(X, y).predict(X) - y)[others])

    skdl = error(GradientBoostingRegressor(n_estimators=25, **LEAVES))
    peer = error(HistGradientBoostingRegressor(max_iter=25, early_stopping=False))
    assert skdl < 1.02 * peer


@pytest.mark.parametrize("heavy", [1e5, 1e9, 1e12])
def test_one_heavy_row_hides_no_other(heavy):
    X, y, weight = made(20_000)
    X_test, y_test, _ = made(5000, seed=1)
    plain = booster(20_000).fit(X, y, weight).predict(X_test)
    weight[7] = heavy
    beside = booster(20_000).fit(X, y, weight).predict(X_test)
    # Started at that row's target, 40 rounds of rate 0.1 leave e⁻⁴ of the distance.
    assert r2_score(y_test, beside) > r2_score(y_test, plain) - 0.03


# ---- AdaBoost


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("times", [3e-9, 7e100])
def test_adaboost_weights_are_relative(times, n_classes, engine):
    X, y, weight = made(2000)
    y = np.digitize(y, [1.0, 2.0][: n_classes - 1])
    with config_context(engine=engine):
        one, other = (
            AdaBoostClassifier(n_estimators=20, max_depth=2)
            .fit(X, y, c * weight)
            .decision_function(X)
            for c in (1.0, times)
        )
    np.testing.assert_allclose(other, one, rtol=0, atol=1e-9)


@pytest.mark.parametrize("heavy", [1e5, 1e9])
def test_adaboost_beside_a_heavy_row(heavy):
    X, y, weight = made(3000)
    X_test, y_test, _ = made(3000, seed=1)
    # As many values as bins: both learners can set the row apart.
    X, X_test = X.round(1), X_test.round(1)
    y, y_test = y > 1, y_test > 1
    weight[7] = heavy
    skdl = AdaBoostClassifier(n_estimators=60, max_depth=2).fit(X, y, weight)
    peer = ReferenceAdaBoost(DecisionTreeClassifier(max_depth=2), n_estimators=60)
    peer.fit(X, y, weight)
    assert skdl.score(X_test, y_test) > peer.score(X_test, y_test) - 0.02


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("row", [7, 8])
def test_adaboost_tells_a_heavy_row_from_its_neighbours(row, engine):
    X, y, weight = made(3000)  # ten rows a bin
    y = y > 1
    votes = []
    for heavy in (1e9, 1e12):
        weight[row] = heavy
        with config_context(engine=engine):
            model = AdaBoostClassifier(n_estimators=7, max_depth=2).fit(X, y, weight)
        votes.append(model.decision_function(X) > 0)
    # One vote is as heavy as all others: what these say is the same below any weight.
    assert (votes[0] == votes[1]).mean() > 0.99
    peer = ReferenceAdaBoost(DecisionTreeClassifier(max_depth=2), n_estimators=7)
    errors = peer.fit(X, y, weight).estimator_errors_
    np.testing.assert_allclose(model.estimator_errors_[:6], errors[:6], rtol=0.04)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("factor", "offset"), [(1.0, 1e5), (1.0, -1e7), (7e90, 0.0)])
def test_adaboost_follows_offset_and_unit(factor, offset, engine):
    X, y, _ = made(1000)

    def fit(y):
        with config_context(engine=engine):
            return AdaBoostRegressor(random_state=0, n_estimators=20).fit(X, y)

    expected = fit(y).predict(X)
    model = fit(factor * y + offset)
    found = (model.predict(X) - offset) / factor
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    first = model.estimators_[0].tree_  # inner nodes have their means, too
    assert first.value[0, 0] == pytest.approx(factor * y.mean() + offset, rel=0.2)


def log_cosh(y, raw):
    error = raw - y
    value = np.logaddexp(error, -error) - np.log(2)
    return value, np.tanh(error), 1 / np.cosh(np.clip(error, -300, 300)) ** 2


@pytest.mark.parametrize("offset", [3e4, -4e6, 1e9])
@pytest.mark.parametrize("loss", ["huber", log_cosh])
def test_an_offset_does_not_move_the_best_constant(loss, offset):
    rng = np.random.default_rng(3)
    y = rng.gumbel(size=(701, 1)) * 3
    constant = losses.get(loss).init_raw(y)
    moved = losses.get(loss).init_raw(y + offset) - offset
    np.testing.assert_allclose(moved, constant, atol=2e-6)
    g = losses.get(loss).gradient(y, np.full_like(y, constant))
    assert abs(g.mean()) < 1e-6
    X = np.c_[y[:, 0] + rng.normal(size=701), rng.normal(size=701)]
    model = GradientBoostingRegressor(loss=loss, n_estimators=20)
    alone = model.fit(X, y[:, 0]).predict(X)
    there = model.fit(X, y[:, 0] + offset).predict(X) - offset
    np.testing.assert_allclose(there, alone, atol=5e-6)
