"""The best split of a node."""

import itertools

import numpy as np
import pytest
from trees import ENGINES, data, grow

from skdl.tree import Forest


def brute_force(X, g, h, l2=0.0, fewest=1):
    """Return the gain of the best threshold, missing values on either side."""
    best = 0.0
    for j in range(X.shape[1]):
        x = X[:, j]
        values = np.unique(x[~np.isnan(x)])
        for cut, missing_left in itertools.product(values, (False, True)):
            left = (x <= cut) | (np.isnan(x) & missing_left)
            if min(left.sum(), (~left).sum()) < fewest:
                continue
            gain = sum(
                (gk[side].sum() ** 2 / (hk[side].sum() + l2)) * sign
                for gk, hk in zip(g, h, strict=True)
                for side, sign in ((left, 1), (~left, 1), (slice(None), -1))
            )
            best = max(best, gain)
    return best


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("l2", [0.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_best_split(engine, n_outputs, missing, l2, seed):
    X, _, g, h = data(25, 3, n_outputs, missing, seed=seed)
    limits = {"l2_regularization": l2, "min_samples_leaf": 3}
    for hessian in (None, h):
        grown = grow(X, g, hessian, engine=engine, max_depth=1, **limits)
        ones = np.ones_like(g) if hessian is None else hessian
        # Gradients are rounded to 24 or more bits.
        assert grown.tree.gain[0] == pytest.approx(
            brute_force(X, g, ones, l2, 3), rel=1e-5
        )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("low", [-1.0, 1.0])
def test_missing_values_go_the_better_way(engine, low):
    x = np.array([0.0, 1, 2, 3, 4, 5, np.nan, np.nan])
    y = np.array([low, low, low, -low, -low, -low, low, low])
    grown = grow(x[:, None], -y, engine=engine, max_depth=1)
    assert grown.tree.threshold[0] == 2.5
    assert grown.tree.missing_left[0]
    grown = grow(x[:, None], [*-y[:6], *y[6:]], engine=engine, max_depth=1)
    assert not grown.tree.missing_left[0]
    np.testing.assert_allclose(np.abs(grown.tree.value[1:]), 1.0)


@pytest.mark.parametrize("engine", ENGINES)
def test_missing_against_the_rest_is_a_split(engine):
    x = np.array([3.0, 3.0, np.nan, np.nan])
    grown = grow(x[:, None], [-1.0, -1, 1, 1], engine=engine)
    assert grown.tree.n_leaves == 2
    forest = Forest([grown.tree], [0])
    assert len(set(forest.apply(x[:, None])[:, 0])) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_without_missing_values_they_follow_the_larger_child(engine):
    X = np.arange(10.0)[:, None]
    for n_left in (3, 7):
        y = np.where(X[:, 0] < n_left, 0.0, 1.0)
        tree = grow(X, -y, engine=engine, max_depth=1).tree
        assert tree.missing_left[0] == (n_left == 7)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_categorical_split_does_what_thresholds_cannot(engine):
    code = np.repeat(np.arange(12.0), 20)
    y = code % 2  # every second category
    X = code[:, None]
    as_categories = grow(X, -y, None, np.array([True]), engine=engine, max_depth=1)
    as_numbers = grow(X, -y, engine=engine, max_depth=1)
    one_hot = grow(code[:, None] == np.arange(12), -y, engine=engine, max_depth=1)
    np.testing.assert_allclose(as_categories.tree.value[1:, 0], [1.0, 0.0], atol=1e-7)
    exact = as_categories.tree.gain[0]
    assert exact > 2 * max(as_numbers.tree.gain[0], one_hot.tree.gain[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_best_division_of_categories(engine):
    rng = np.random.default_rng(0)
    code = rng.integers(0, 6, size=120).astype(float)
    g = rng.normal(size=120) + np.sin(code)
    counts = np.bincount(code.astype(int))
    assert counts.min() > 5
    total, best = g.sum() ** 2 / 120, 0.0
    for size in range(1, 6):
        for chosen in itertools.combinations(range(6), size):
            left = np.isin(code, chosen)
            sides = (
                g[left].sum() ** 2 / left.sum() + g[~left].sum() ** 2 / (~left).sum()
            )
            best = max(best, sides - total)
    grown = grow(code[:, None], g, None, np.array([True]), engine=engine, max_depth=1)
    # The smoothed order of categories is not always Fisher's.
    assert 0.95 * best <= grown.tree.gain[0] <= best * (1 + 1e-6)
