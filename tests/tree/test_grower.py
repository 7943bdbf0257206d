"""Grown trees: the same in both engines, limits, leaves, constraints."""

import itertools

import numpy as np
import pytest
from trees import (
    ENGINES,
    GROUPS,
    SETTINGS,
    SIGNS,
    assert_same,
    data,
    grow,
    paths,
    rows_of,
)

from skdl import config_context
from skdl.tree import BinMapper, Forest, TreeParams, leaf_sums, make_grower
from skdl.tree._grower import Grower
from skdl.tree._growth import mix

# ---- both engines grow the same tree


@pytest.mark.parametrize("newton", [False, True])
@pytest.mark.parametrize("case", SETTINGS)
def test_engines_grow_the_same_tree(case, newton):
    shape, params = SETTINGS[case]
    X, mask, g, h = data(**shape)
    reference, compiled = (
        grow(X, g, h if newton else None, mask, engine=engine, seed=7, **params)
        for engine in ENGINES
    )
    assert reference.tree.n_leaves > 1
    assert_same(reference, compiled)


@pytest.mark.parametrize("newton", [False, True])
def test_engines_grow_the_same_tree_on_some_rows(newton):
    X, mask, g, h = data(missing=0.1)
    rows = np.sort(np.random.default_rng(1).choice(300, 150, replace=False))
    rows = rows.astype(np.uint32)
    trees = [
        grow(X, g, h if newton else None, mask, engine=e, rows=rows, max_depth=4)
        for e in ENGINES
    ]
    assert_same(*trees)
    np.testing.assert_array_equal(np.sort(trees[0].rows), rows)


@pytest.mark.parametrize("case", ["more work than one thread's", "drawn features"])
@pytest.mark.parametrize("engine", ENGINES)
def test_same_bits_on_any_number_of_threads(case, engine):
    shape, params = SETTINGS[case]
    X, mask, g, h = data(**shape)
    trees = []
    for n_threads in (1, 2, 4):
        with config_context(n_threads=n_threads):
            trees.append(grow(X, g, h, mask, engine=engine, **params))
    assert_same(trees[0], trees[1])
    assert_same(trees[0], trees[2])


@pytest.mark.parametrize("some", [False, True])
def test_many_rows_on_any_number_of_threads(some):
    X, mask, g, h = data(20_000, 18, missing=0.1)
    rows = np.arange(0, 20_000, 2, dtype=np.uint32) if some else None
    params = {"rows": rows, "max_leaf_nodes": 15, "min_samples_leaf": 20}
    reference = grow(X, g, h, mask, **params)
    for n_threads in (1, 2, 7):
        with config_context(n_threads=n_threads):
            assert_same(reference, grow(X, g, h, mask, engine="numba", **params))


@pytest.mark.parametrize("n_features", [2, 3, 15, 100, 300])
def test_data_binned_under_the_other_engine(n_features):
    X, _, g, h = data(400, n_features)
    trees = []
    for binning in ENGINES:
        with config_context(engine=binning):
            binned = BinMapper().fit_transform(X, np.random.default_rng(0))
        for growing in ENGINES:
            with config_context(engine=growing):
                grower = make_grower(binned, TreeParams(max_leaf_nodes=10))
                trees.append(grower.grow(g, h))
    for other in trees[1:]:
        assert_same(trees[0], other)


def test_the_engine_follows_the_configuration():
    X, mask, _, _ = data(50)
    kinds = []
    for engine in ENGINES:
        with config_context(engine=engine):
            binned = BinMapper(255, mask).fit_transform(X, np.random.default_rng(0))
            kinds.append(type(make_grower(binned, TreeParams())))
    assert kinds[0] is Grower
    assert kinds[1] is not Grower


# ---- limits


@pytest.mark.parametrize("engine", ENGINES)
def test_limits_are_kept(engine):
    X, _, g, _ = data()
    tree = grow(X, g, engine=engine, max_leaf_nodes=7).tree
    assert tree.n_leaves == 7
    tree = grow(X, g, engine=engine, max_depth=3).tree
    assert tree.depth == 3
    assert tree.n_leaves == 8
    tree = grow(X, g, engine=engine, min_samples_leaf=20).tree
    assert tree.n_node_samples[tree.leaves].min() >= 20
    tree = grow(X, g, engine=engine, min_samples_split=50).tree
    assert tree.n_node_samples[tree.left >= 0].min() >= 50
    assert tree.n_node_samples[tree.leaves].min() < 20
    full = grow(X, g, engine=engine).tree
    some = grow(X, g, engine=engine, min_impurity_decrease=0.02).tree
    assert full.n_leaves > some.n_leaves > 1
    assert some.gain[some.left >= 0].min() >= 0.02 * len(X)


@pytest.mark.parametrize("engine", ENGINES)
def test_best_first_takes_the_largest_gains(engine):
    X, _, g, _ = data()
    tree = grow(X, g, engine=engine, max_leaf_nodes=40).tree
    inner = np.flatnonzero(tree.left >= 0)
    order = inner[tree.left[inner].argsort()]  # nodes are numbered as they are made
    assert len(order) == 39
    for t, node in enumerate(order):
        waiting = np.setdiff1d(np.arange(tree.left[node]), order[:t])
        assert tree.gain[node] == tree.gain[waiting].max()
    few = grow(X, g, engine=engine, max_leaf_nodes=6).tree
    np.testing.assert_array_equal(np.sort(few.gain)[-5:], np.sort(tree.gain[order[:5]]))


# ---- leaves


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("l2", [0.0, 5.0])
def test_leaf_values_are_the_best_steps(engine, l2):
    X, _, g, h = data(200, n_outputs=2)
    grown = grow(X, g, h, engine=engine, max_depth=3, l2_regularization=l2)
    g_sum, h_sum = (leaf_sums(grown, values) for values in (g, h))
    expected = -g_sum / (h_sum + l2)
    np.testing.assert_allclose(
        grown.tree.value[grown.leaves], expected, rtol=1e-4, atol=1e-6
    )
    by_hand = [g[:, rows_of(grown, i)].sum(axis=1) for i in range(len(g_sum))]
    np.testing.assert_allclose(g_sum, by_hand, rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_full_depth_separates_all_rows(engine):
    X, _, g, _ = data(100)
    tree = grow(X, g, engine=engine).tree
    assert tree.n_leaves == 100
    out = np.zeros((100, 1))
    with config_context(engine=engine):
        Forest([tree], [0]).add(X, out, np.ones(1))
    np.testing.assert_allclose(out[:, 0], -g[0], atol=1e-7)


NO_SPLIT = {
    "constant features": (np.ones((6, 2)), np.arange(6.0), {}),
    "constant gradient": (np.arange(6.0)[:, None], np.ones(6), {}),
    "one row": (np.ones((1, 1)), np.ones(1), {}),
    "too few rows": (np.arange(6.0)[:, None], np.arange(6.0), {"min_samples_leaf": 4}),
    "all missing": (np.full((6, 1), np.nan), np.arange(6.0), {}),
    "zero gradient": (np.arange(6.0)[:, None], np.zeros(6), {}),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", NO_SPLIT)
def test_nothing_to_split(case, engine):
    X, g, params = NO_SPLIT[case]
    tree = grow(X, g, engine=engine, **params).tree
    assert tree.n_leaves == len(tree.left) == 1
    assert tree.depth == 0
    assert tree.value[0, 0] == pytest.approx(-g.mean(), abs=1e-6)


def test_a_weight_is_a_number_of_rows():
    X, mask, g, _ = data()
    X = X.round(1)  # few values: the bins do not depend on the rows
    w = np.random.default_rng(2).integers(1, 4, 300)
    params = {"max_depth": 3, "min_hessian": 0.0}
    weighted = grow(X, g * w, w[None].astype(float), mask, **params)
    repeated = grow(
        np.repeat(X, w, axis=0), np.repeat(g, w, axis=1), None, mask, **params
    )
    # The quantised scales differ; the splits and thresholds do not.
    np.testing.assert_array_equal(weighted.tree.feature, repeated.tree.feature)
    np.testing.assert_array_equal(weighted.tree.threshold, repeated.tree.threshold)


# ---- drawn features


def test_drawn_features_follow_the_seed():
    X, _, g, _ = data(n_features=10)
    one, same, other = (
        grow(X, g, seed=seed, max_depth=4, max_features=2) for seed in (1, 1, 2)
    )
    assert_same(one, same)
    assert not np.array_equal(one.tree.feature, other.tree.feature)


def test_mix_spreads_bits():
    hashes = mix(np.arange(1000, dtype=np.uint64))
    assert len(np.unique(hashes)) == 1000
    ones = np.unpackbits(hashes.view(np.uint8)).mean()
    assert 0.48 < ones < 0.52


# ---- constraints


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("growth", [{"max_depth": 6}, {"max_leaf_nodes": 30}])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_monotonic_on_a_grid(engine, growth, missing):
    X, _, g, h = data(missing=missing)
    grown = grow(X, g, h, engine=engine, monotonic_cst=SIGNS, **growth)
    tree = grown.tree
    inner = np.clip(tree.value[grown.leaves], *grown.bounds.T[:, :, None])
    tree.value[grown.leaves] = inner
    forest = Forest([tree], [0])
    grid = np.linspace(-3, 3, 50)
    for start in np.nan_to_num(X[:20]):
        for j in np.flatnonzero(SIGNS):
            rows = np.tile(start, (50, 1))
            rows[:, j] = grid
            out = np.zeros((50, 1))
            forest.add(rows, out, np.ones(1))
            assert (SIGNS[j] * np.diff(out[:, 0]) >= 0).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_constraints_are_felt(engine):
    x = np.arange(50.0)[:, None]
    free = grow(x, x[:, 0], engine=engine, max_depth=2)
    bound = grow(
        x, x[:, 0], engine=engine, max_depth=2, monotonic_cst=np.array([1], np.int8)
    )
    assert free.tree.n_leaves == 4
    assert bound.tree.n_leaves == 1  # the target falls, the tree must not


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("growth", [{"max_depth": 6}, {"max_leaf_nodes": 30}])
def test_no_path_mixes_groups(engine, growth):
    X, _, g, _ = data()
    groups = [set(np.flatnonzero(group)) for group in GROUPS]
    mixed = False
    for _, features in paths(grow(X, g, engine=engine, **growth).tree):
        mixed |= not any(set(features) <= group for group in groups)
    assert mixed
    tree = grow(X, g, engine=engine, interaction_cst=GROUPS, **growth).tree
    used = set()
    for _, features in paths(tree):
        assert any(set(features) <= group for group in groups)
        used |= set(features)
    assert len(used) >= 2


# ---- ties


@pytest.mark.parametrize("newton", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_of_equal_gains_the_node_of_the_lower_number_goes_first(engine, newton):
    # The halves a = 0 and a = 1 mirror each other: their gains
    # are the same to the last bit. In each the box b = 1 gains more than b = 0.
    a, b, c = (np.arange(24) // step % 2 for step in (4, 2, 1))
    X = np.stack([a, b, c], axis=1).astype(float)
    g = (2.0 * a - 1) * (64 + 8 * b + c * (1 + b))
    h = np.ones((1, 24))
    h[0, :8] += newton * 0.1  # a Hessian of its own for each row, the same in both
    trees = [
        grow(X, g, h if newton else None, engine=engine, max_leaf_nodes=n).tree
        for n in range(1, 9)
    ]
    divided = [set(np.flatnonzero(tree.left >= 0)) for tree in trees]
    order = [min(b - a) for a, b in itertools.pairwise(divided)]
    assert order == [0, 1, 2, 4, 6, 3, 5]
    gain = trees[-1].gain
    assert (gain[1], gain[4], gain[3]) == (gain[2], gain[6], gain[5])


@pytest.mark.parametrize("engine", ENGINES)
def test_of_equal_gains_the_lower_feature_and_bin_go_first(engine):
    x = np.repeat([0.0, 1.0, 2.0, 3.0], 5)
    X = np.stack([np.ones(20), x, x, -x], axis=1)
    g = np.where((x == 0) | (x == 3), 1.0, -1.0)  # cuts at 0 and at 2 gain the same
    tree = grow(X, g, engine=engine, max_depth=1).tree
    assert tree.feature[0] == 1
    assert 0 <= tree.threshold[0] < 1


# ---- few drawn features are counted alone


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("growth", [{"max_depth": 5}, {"max_leaf_nodes": 14}])
@pytest.mark.parametrize("some", [False, True])
def test_counting_drawn_features_alone_changes_no_tree(
    monkeypatch, some, growth, engine
):
    X, mask, g, h = data(700, 30, n_outputs=2, missing=0.1, categories=9)
    rows = np.arange(0, 700, 3, dtype=np.uint32) if some else None
    settings = {"engine": engine, "rows": rows, "max_features": 4, **growth}
    trees = []
    for share in (0.0, 1.0):
        monkeypatch.setattr("skdl.tree._grower.FEW_DRAWN", share)
        trees.append(grow(X, g, h, mask, **settings))
    assert trees[0].tree.n_leaves > 8
    assert_same(*trees)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n_drawn", [1, 3, 9])
def test_as_many_features_are_drawn_as_asked(engine, n_drawn):
    # A feature is found in the root if it, and nothing better, is among the drawn.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 10))
    g = X @ 2.0 ** -np.arange(10)
    roots = [
        int(grow(X, g, engine=engine, seed=s, max_depth=1, max_features=n_drawn)
            .tree.feature[0])
        for s in range(200)
    ]  # fmt: skip
    share = np.mean(np.array(roots) == 0)
    assert share == pytest.approx(n_drawn / 10, abs=0.1)
