"""Data to grow trees on, trees, and what they must have in common."""

import numpy as np

from skdl import config_context
from skdl.tree import BinMapper, TreeParams, make_grower

ENGINES = ["numpy", "numba"]
SIGNS = np.array([1, -1, 0, 0, 1], dtype=np.int8)
GROUPS = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 1]], dtype=bool)
SETTINGS = {
    "best first": ({}, {"max_leaf_nodes": 12}),
    "depth first": ({}, {"max_depth": 4}),
    "both limits": ({}, {"max_leaf_nodes": 10, "max_depth": 4}),
    "full depth": ({"n": 80}, {}),
    "stump": ({}, {"max_depth": 1}),
    "more features than a group": ({"n_features": 40}, {"max_leaf_nodes": 12}),
    "more work than one thread's": (
        {"n": 3000, "n_features": 33},
        {"max_leaf_nodes": 31},
    ),
    "missing": ({"missing": 0.2}, {"max_leaf_nodes": 12}),
    "categories": ({"categories": 9}, {"max_depth": 5}),
    "many categories": ({"categories": 90}, {"max_leaf_nodes": 12}),
    "categories and missing": ({"categories": 9, "missing": 0.2}, {"max_depth": 5}),
    "samples in leaf": ({}, {"max_depth": 6, "min_samples_leaf": 15}),
    "samples in split": ({}, {"max_depth": 6, "min_samples_split": 40}),
    "impurity decrease": ({}, {"min_impurity_decrease": 0.01}),
    "l2": ({}, {"max_depth": 4, "l2_regularization": 3.0}),
    "hessian in leaf": ({}, {"max_depth": 6, "min_hessian": 20.0}),
    "drawn features": ({}, {"max_depth": 4, "max_features": 2}),
    "few drawn features": (
        {"n_features": 30, "missing": 0.1, "categories": 9},
        {"max_depth": 5, "max_features": 4},
    ),
    "few drawn features, best first": (
        {"n_features": 40, "n_outputs": 2},
        {"max_leaf_nodes": 14, "max_features": 3, "min_samples_leaf": 4},
    ),
    "monotonic": ({}, {"max_depth": 5, "monotonic_cst": SIGNS}),
    "monotonic, missing": (
        {"missing": 0.2},
        {"max_leaf_nodes": 12, "monotonic_cst": SIGNS},
    ),
    "interactions": ({}, {"max_depth": 5, "interaction_cst": GROUPS}),
    "interactions, drawn features": (
        {},
        {"max_depth": 5, "interaction_cst": GROUPS, "max_features": 2},
    ),
    "outputs": ({"n_outputs": 3}, {"max_leaf_nodes": 12}),
    "outputs, categories, missing": (
        {"n_outputs": 3, "categories": 9, "missing": 0.2},
        {"max_depth": 4},
    ),
}


def data(n=300, n_features=5, n_outputs=1, missing=0.0, categories=0, seed=0):
    """Return X with its categorical mask, gradients and Hessians."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features))
    X[:, 1] = np.round(X[:, 1])
    X[rng.random(X.shape) < missing] = np.nan
    if categories:
        X[:, :2] = rng.integers(0, categories, size=(n, 2))
        X[rng.random(n) < missing, 0] = np.nan
    mask = np.arange(n_features) < (2 if categories else 0)
    filled = np.nan_to_num(X, nan=1.5)
    g = np.stack(
        [np.sin(filled @ rng.normal(size=n_features)) for _ in range(n_outputs)]
    )
    return X, mask, g + 0.1 * rng.normal(size=g.shape), rng.random(size=g.shape) + 0.1


def grow(X, g, h=None, mask=None, *, engine="numpy", rows=None, seed=0, **params):
    """Return the grown tree."""
    X, g = np.asarray(X, float), np.atleast_2d(np.asarray(g, float))
    with config_context(engine=engine):
        binned = BinMapper(255, mask).fit_transform(X, np.random.default_rng(0))
        grower = make_grower(binned, TreeParams(**params), len(g))
        grown = grower.grow(g, h, rows, seed=seed)
        grown.rows = grown.rows.copy()
    return grown


def columns(binned):
    """Return the bin numbers, one feature after another."""
    flat = binned.bins.transpose(0, 2, 1).reshape(-1, binned.n)
    return flat[: len(binned.features)]


def rows_of(grown, i):
    """Return the training rows of the i-th leaf."""
    return grown.rows[grown.starts[i] : grown.ends[i]]


def paths(tree):
    """Yield for each leaf its number and the features on the way to it."""
    waiting = [(0, [])]
    while waiting:
        node, above = waiting.pop()
        if tree.left[node] < 0:
            yield node, above
        else:
            below = [*above, int(tree.feature[node])]
            waiting += [(tree.left[node], below), (tree.left[node] + 1, below)]


def assert_same(one, other):
    assert one.rows.dtype == other.rows.dtype == np.uint32
    for name in vars(one.tree):
        a, b = getattr(one.tree, name), getattr(other.tree, name)
        np.testing.assert_array_equal(a, b, err_msg=name)
    for name in ("leaves", "bounds", "positions"):
        a, b = getattr(one, name), getattr(other, name)
        np.testing.assert_array_equal(a, b, err_msg=name)
    for i in range(len(one.leaves)):
        np.testing.assert_array_equal(rows_of(one, i), rows_of(other, i))
