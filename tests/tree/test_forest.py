"""Prediction from raw values."""

import numpy as np
import pytest
from trees import ENGINES, SETTINGS, data, grow, rows_of

from skdl import config_context
from skdl.tree import Forest, add_leaf_values


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", SETTINGS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_raw_rows_end_where_binned_rows_do(case, engine, dtype):
    shape, params = SETTINGS[case]
    X, mask, g, _ = data(**shape)
    X = X.astype(dtype)
    grown = grow(X, g, None, mask, engine=engine, **params)
    tree, n_outputs = grown.tree, len(g)
    with config_context(engine=engine):
        forest = Forest([tree], [-1 if n_outputs > 1 else 0])
        leaves = forest.apply(X)[:, 0]
        raw = np.zeros((len(X), n_outputs))
        forest.add(X, raw, np.array([2.0]))
        binned = np.zeros((len(X), n_outputs))
        add_leaf_values(grown, 2.0 * tree.value[grown.leaves], 0, binned)
    for i, leaf in enumerate(grown.leaves):
        np.testing.assert_array_equal(np.flatnonzero(leaves == leaf), rows_of(grown, i))
        assert tree.n_node_samples[leaf] == grown.ends[i] - grown.starts[i]
    np.testing.assert_array_equal(raw, binned)


def test_engines_predict_alike():
    X, mask, g, _ = data(categories=9, missing=0.2)
    trees = [
        grow(X, g * factor, None, mask, max_depth=depth).tree
        for factor, depth in ((1, 3), (-1, 5), (2, 1), (1, 1))
    ]
    trees[3] = grow(X, np.concatenate([g, 1 - g]), None, mask, max_depth=4).tree
    trees.append(grow(X[:, :1], np.ones(len(X))).tree)  # a lonely leaf
    columns = [0, 1, 0, -1, 1]
    new = data(500, categories=12, missing=0.3, seed=5)[0]  # some codes are unknown
    results = []
    for engine in ENGINES:
        with config_context(engine=engine):
            forest = Forest(trees, columns)
            out = np.zeros((500, 2))
            trees_used = np.array([0, 1, 3, 4])
            forest.add(new, out, np.array([1.0, 0.5, 2.0, 1.0]), trees_used)
            results.append((out, forest.apply(new)))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])
