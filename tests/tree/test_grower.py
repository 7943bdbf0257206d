"""Trees: both engines alike, and what constraints promise."""

import numpy as np
import pytest

from skdl import config_context
from skdl.tree import (
    BinMapper,
    Forest,
    TreeParams,
    add_leaf_values,
    leaf_sums,
    make_grower,
)
from skdl.tree._grower import mix
from skdl.tree._histogram import histogram, quantise
from skdl.tree._packing import make_packing


def problem(n=1500, n_features=8, n_outputs=1, missing=False, categorical=False):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, n_features))
    mask = np.zeros(n_features, dtype=bool)
    if categorical:
        mask[:2] = True
        X[:, 0], X[:, 1] = rng.integers(0, 30, n), rng.integers(0, 5, n)
    if missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    filled = np.nan_to_num(X, nan=2.0)
    y = filled[:, 0] % 3 + filled[:, 1] + 2 * filled[:, 2] * filled[:, 3]
    return X, -(y + 0.5 * rng.normal(size=(n_outputs, n))), mask


def grow(engine, X, g, h, mask, params, n_threads=2, rows=None):
    with config_context(engine=engine, n_threads=n_threads):
        binned = BinMapper(255, mask).fit_transform(X, np.random.default_rng(0))
        grower = make_grower(binned, params, len(g))
        grown = grower.grow(g, h, rows, seed=3)
        grown.rows = grown.rows.copy()
        return grown


def assert_same(one, other):
    for name in vars(one.tree):
        np.testing.assert_array_equal(
            getattr(one.tree, name), getattr(other.tree, name), err_msg=name
        )
    for name in ("bounds", "rows", "leaves", "starts", "ends", "positions"):
        np.testing.assert_array_equal(
            getattr(one, name), getattr(other, name), err_msg=name
        )


CASES = {
    "leaf-wise": ({"max_leaf_nodes": 31}, {}),
    "depth-wise": ({"max_depth": 4, "min_samples_leaf": 5}, {}),
    "no limit": ({}, {}),
    "min gain": ({"max_depth": 6, "min_impurity_decrease": 0.05}, {}),
    "missing": ({"max_leaf_nodes": 31, "min_samples_split": 30}, {"missing": True}),
    "categorical": (
        {"max_leaf_nodes": 31, "l2_regularization": 1.0},
        {"missing": True, "categorical": True},
    ),
    "drawn features": ({"max_depth": 5, "max_features": 3}, {"missing": True}),
    "several outputs": (
        {"max_leaf_nodes": 20, "min_samples_leaf": 3},
        {"n_outputs": 3, "missing": True, "categorical": True},
    ),
    "monotonic": (
        {"max_leaf_nodes": 31, "monotonic_cst": np.array([0, 0, 1, -1, 0, 0, 0, 0])},
        {"missing": True},
    ),
    "interaction": (
        {"max_depth": 5, "interaction_cst": np.arange(8)[:, None] // 4 == np.arange(2)},
        {},
    ),
}
CASES["interaction"][0]["interaction_cst"] = CASES["interaction"][0][
    "interaction_cst"
].T.copy()


@pytest.mark.parametrize("newton", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_engines_grow_the_same_tree(case, newton):
    params, settings = CASES[case]
    X, g, mask = problem(**settings)
    h = np.random.default_rng(1).random(g.shape) if newton else None
    trees = [
        grow(engine, X, g, h, mask, TreeParams(**params))
        for engine in ("numpy", "numba")
    ]
    assert trees[0].tree.n_leaves > 4
    assert_same(*trees)


def test_engines_agree_on_many_rows_and_on_a_sample():
    X, g, mask = problem(n=20_000, n_features=18, missing=True)
    h = np.random.default_rng(1).random(g.shape)
    rows = np.arange(0, 20_000, 2, dtype=np.uint32)
    for chosen in (None, rows):
        params = TreeParams(max_leaf_nodes=15, min_samples_leaf=20)
        trees = [
            grow(engine, X, g, h, mask, params, rows=chosen)
            for engine in ("numpy", "numba")
        ]
        assert_same(*trees)


def test_threads_change_nothing():
    X, g, mask = problem(n=20_000, n_features=40)
    params = TreeParams(max_leaf_nodes=31)
    one, two, many = (
        grow("numba", X, g, None, mask, params, n_threads=k) for k in (1, 2, 7)
    )
    assert_same(one, two)
    assert_same(one, many)


def test_histogram_is_the_exact_sum():
    X, g, _mask = problem(n=6000)
    binned = BinMapper().fit_transform(X, np.random.default_rng(0))
    packing = make_packing(6000, float(np.abs(g).max()), 0.0, newton=False)
    a, _ = quantise(g, None, packing)
    rows = np.arange(0, 6000, 3)
    for chosen in (rows, np.arange(6000)):
        sums = histogram(binned, binned.offsets, chosen, a[0], 6000)
        for f in (0, 5):
            start, end = binned.offsets[f : f + 2]
            wanted = np.zeros(end - start, dtype=np.int64)
            np.add.at(wanted, binned.columns[f][chosen], a[0][chosen])
            np.testing.assert_array_equal(sums[start:end], wanted)


@pytest.mark.parametrize("n", [1, 2, 100, 4096, 5000, 10**6, 2**24])
def test_packed_sums_do_not_overflow(n):
    p = make_packing(n, 0.7, 0.25, newton=True)
    g, h = round(0.7 * p.g_scale), round(0.25 * p.h_scale)
    block = min(n, p.block)
    assert block * h < 1 << p.h_bits
    assert block < 1 << p.block_bits
    assert (block * g) << p.g_shift < 1 << 63
    assert (n * g) << p.count_bits < 1 << 62
    p = make_packing(n, 0.7, 0.0, newton=False)
    assert (n * round(0.7 * p.g_scale)) << p.count_bits < 1 << 62


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_tree_without_limits_separates_all_rows(engine):
    X, g, mask = problem(n=300)
    grown = grow(engine, X, g, None, mask, TreeParams())
    np.testing.assert_allclose(leaf_sums(grown, g)[:, 0].sum(), g.sum())
    out = np.zeros((300, 1))
    Forest([grown.tree], [0]).add(X, out, np.ones(1))
    np.testing.assert_allclose(out[:, 0], -g[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_prediction_from_raw_values_ends_in_the_leaf_of_the_bins(engine):
    X, g, mask = problem(missing=True, categorical=True)
    grown = grow(engine, X, g, None, mask, TreeParams(max_leaf_nodes=31))
    with config_context(engine=engine):
        added = np.zeros((len(X), 1))
        add_leaf_values(grown, grown.tree.value[grown.leaves], 0, added)
        forest = Forest([grown.tree], [0])
        out = np.zeros_like(added)
        forest.add(X, out, np.ones(1))
        np.testing.assert_array_equal(out, added)
        leaves = forest.apply(X)[:, 0]
        np.testing.assert_array_equal(grown.tree.value[leaves], out)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_limits_hold(engine):
    X, g, mask = problem()
    tree = grow(
        engine, X, g, None, mask, TreeParams(max_depth=3, min_samples_leaf=40)
    ).tree
    assert tree.depth == 3
    assert tree.n_node_samples.min() >= 40
    tree = grow(engine, X, g, None, mask, TreeParams(max_leaf_nodes=6)).tree
    assert tree.n_leaves == 6


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_interaction_sets_meet_on_no_path(engine):
    X, g, mask = problem()
    sets = np.zeros((2, 8), dtype=bool)
    sets[0, :4], sets[1, 4:] = True, True
    params = TreeParams(max_depth=6, interaction_cst=sets)
    tree = grow(engine, X, g, None, mask, params).tree

    def check(node, sides):
        if tree.left[node] < 0:
            assert len(sides) <= 1
            return
        for child in (tree.left[node], tree.left[node] + 1):
            check(child, sides | {int(tree.feature[node]) // 4})

    check(0, set())


def test_weight_two_is_two_rows():
    X, g, mask = problem(n=400)
    X = X.round(1)  # few values: the bins do not depend on the rows
    w = np.random.default_rng(2).integers(1, 4, 400)
    params = TreeParams(max_depth=3, min_hessian=0.0)
    weighted = grow("numpy", X, g * w, w[None].astype(float), mask, params)
    repeated = grow(
        "numpy", np.repeat(X, w, axis=0), np.repeat(g, w, axis=1), None, mask, params
    )
    # The quantised scales differ; the splits and thresholds do not.
    np.testing.assert_array_equal(weighted.tree.feature, repeated.tree.feature)
    np.testing.assert_array_equal(weighted.tree.threshold, repeated.tree.threshold)


def test_mix_spreads_bits():
    hashes = mix(np.arange(1000, dtype=np.uint64))
    assert len(np.unique(hashes)) == 1000
    ones = np.unpackbits(hashes.view(np.uint8)).mean()
    assert 0.48 < ones < 0.52
