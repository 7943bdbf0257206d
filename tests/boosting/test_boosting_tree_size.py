"""The size of trees by default, which follows the number of rows."""

import numpy as np
import pytest

from skdl import GradientBoostingClassifier, GradientBoostingRegressor
from skdl.boosting._learners.tree_size import rows_that_count, tree_size


def made(n, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    return X, X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.3 * rng.normal(size=n)


def largest(model):
    trees = [tree for row in model.estimators_ for tree in row]
    return max(t.depth for t in trees), max(t.n_leaves for t in trees)


@pytest.mark.parametrize(
    ("n", "limits"),
    [
        (1, (3, None)),
        (100, (3, None)),
        (1199, (3, None)),
        (1200, (None, 8)),
        (3000, (None, 20)),
        (4649, (None, 30)),
        (4650, (None, 31)),
        (10**6, (None, 31)),
    ],
)
def test_size_follows_the_rows(n, limits):
    assert tree_size("auto", None, n) == limits


@pytest.mark.parametrize("n", [50, 10**5])
def test_what_is_said_counts(n):
    assert tree_size(3, None, n) == (3, None)
    assert tree_size(None, None, n) == (None, None)
    assert tree_size(None, 31, n) == (None, 31)
    assert tree_size(4, 12, n) == (4, 12)
    assert tree_size("auto", 12, n) == (None, 12)


@pytest.mark.parametrize(
    ("n", "limits"), [(600, (3, 8)), (2400, (None, 16)), (6000, (None, 31))]
)
def test_the_default_of_fit(n, limits):
    X, y = made(n)
    depth, n_leaves = largest(GradientBoostingRegressor(n_estimators=5).fit(X, y))
    assert n_leaves == limits[1]
    assert depth == 3 if limits[0] == 3 else depth > 3


def test_the_default_is_what_its_limits_give():
    X, y = made(3000)
    y = y > np.median(y)
    model = GradientBoostingClassifier(n_estimators=5)
    default = model.fit(X, y).decision_function(X)
    model.set_params(max_depth=None, max_leaf_nodes=20)
    np.testing.assert_array_equal(model.fit(X, y).decision_function(X), default)
    model.set_params(max_depth=3, max_leaf_nodes=None)
    assert largest(model.fit(X, y)) == (3, 8)


def test_rows_of_weight_zero_are_none():
    X, y = made(3000)
    weight = np.arange(3000) < 600
    model = GradientBoostingRegressor(n_estimators=3)
    assert largest(model.fit(X, y, weight)) == (3, 8)


def test_rows_of_a_common_class_count_no_more_than_the_others():
    codes = np.repeat([2, 0, 1], [900, 60, 40])
    assert rows_that_count(None, 1000) == 1000
    assert rows_that_count(codes, 1000) == 200
    assert rows_that_count(codes[:, None] > 0, 1000) == 120
    assert rows_that_count(np.arange(1000) % 3, 1000) == 1000
    X, y = made(6000)
    rare = y > np.quantile(y, 0.95)
    model = GradientBoostingClassifier(n_estimators=3)
    assert largest(model.fit(X, rare)) == (3, 8)
    assert largest(model.fit(X, y > np.median(y)))[1] == 31


@pytest.mark.parametrize("value", ["Auto", "deep", 0, 2.5, -1])
def test_other_depths_are_an_error(value):
    X, y = made(30)
    with pytest.raises(ValueError, match="max_depth"):
        GradientBoostingRegressor(max_depth=value).fit(X, y)


@pytest.mark.parametrize(("n", "noise"), [(300, 1.0), (8000, 0.0)])
def test_the_default_is_near_the_better_of_two(n, noise):
    def more(n, seed):
        X, y = made(n, seed)
        shift = np.random.default_rng(seed + 9).normal(size=n)
        return X, y + noise * (3 * X[:, 3] - 2 * X[:, 4] + 2 * shift)

    (X, y), (X_test, y_test) = more(n, 0), more(4000, 1)
    scores = [
        GradientBoostingRegressor(n_estimators=60, **size)
        .fit(X, y)
        .score(X_test, y_test)
        for size in ({}, {"max_depth": 3}, {"max_depth": None, "max_leaf_nodes": 31})
    ]
    assert scores[0] > max(scores[1:]) - 0.005
    assert max(scores[1:]) - min(scores[1:]) > 0.01
