"""Monotonic and interaction constraints in the ensemble."""

import numpy as np
import pytest
from boosters import XB, YB

from skdl import GradientBoostingClassifier, GradientBoostingRegressor, losses

N = 240


def model(**settings):
    return GradientBoostingRegressor(
        **{"n_estimators": 30, "learning_rate": 0.3, "max_depth": 2, **settings}
    )


LOSSES = [
    "squared_error",
    "absolute_error",
    losses.Quantile([0.2, 0.8]),
    "poisson",
    losses.Huber(0.5),
]


@pytest.mark.parametrize("rule", ["newton", "gd", "nesterov"])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_monotonic_constraints(loss, rule):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, 3))
    y = X[:, 0] + np.sin(5 * X[:, 0]) - X[:, 1] + rng.normal(size=N)
    y = np.exp(y / 3) if loss == "poisson" else y
    fitted = model(
        loss=loss, optimizer=rule, learning_rate=0.05, monotonic_cst=[1, -1, 0]
    ).fit(X, y)
    for j, sign in ((0, 1), (1, -1)):
        rows = np.repeat(X[:15], 40, axis=0)
        rows[:, j] = np.tile(np.linspace(-3, 3, 40), 15)
        values = fitted.predict(rows).reshape(15, 40, -1)
        assert (sign * np.diff(values, axis=1) >= -1e-12).all()
    assert np.ptp(values) > 0


def test_monotonic_probability_of_two_classes():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, 2))
    y = X[:, 0] + np.sin(5 * X[:, 0]) + rng.normal(size=N) > 0
    fitted = GradientBoostingClassifier(n_estimators=30, monotonic_cst=[1, 0]).fit(X, y)
    grid = np.c_[np.linspace(-3, 3, 100), np.zeros(100)]
    p = fitted.predict_proba(grid)[:, 1]
    assert (np.diff(p) >= 0).all()
    assert np.ptp(p) > 0.5


SETS = {
    "no_interactions": [{0}, {1}, {2}, {3}],
    "pairwise": [{a, b} for a in range(4) for b in range(a)],
    ((0, 1),): [{0, 1}, {2, 3}],
    ((0, 1), (1, 2, 3)): [{0, 1}, {1, 2, 3}],
}


@pytest.mark.parametrize("sets", SETS, ids=str)
def test_interaction_constraints(sets):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, 4))
    y = X[:, 0] * X[:, 1] * X[:, 2] + X[:, 3] * X[:, 0]
    fitted = model(max_depth=5, interaction_cst=sets).fit(X, y)
    n_mixed = 0
    for (tree,) in fitted.estimators_:
        waiting = [(0, frozenset())]
        while waiting:
            node, above = waiting.pop()
            if tree.left[node] < 0:
                assert any(above <= allowed for allowed in SETS[sets])
                n_mixed += len(above) > 1
            else:
                below = above | {int(tree.feature[node])}
                waiting += [(tree.left[node], below), (tree.left[node] + 1, below)]
    assert (n_mixed == 0) == (sets == "no_interactions")


@pytest.mark.parametrize("weight", [None, 0.5])
@pytest.mark.parametrize("least", [0.0, 2.0])
def test_least_hessian_of_a_leaf(least, weight):
    weights = None if weight is None else np.full(len(XB), weight)
    fitted = GradientBoostingClassifier(
        n_estimators=8, max_depth=None, min_child_weight=least, learning_rate=0.5
    ).fit(XB, YB, sample_weight=weights)
    p = np.full(len(XB), YB.mean())
    smallest = np.inf
    stages = fitted.staged_predict_proba(XB)
    for leaves, after in zip(fitted.apply(XB)[:, :, 0].T, stages, strict=True):
        hessians = np.bincount(leaves, p * (1 - p) * (weight or 1.0))
        smallest = min(smallest, hessians[hessians > 0].min())
        p = after[:, 1]
    assert smallest >= 0.999 * least * (weight or 1.0)
    assert (smallest < 1) == (least == 0)
