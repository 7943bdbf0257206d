"""What a grown tree is: splits, limits, leaves, and the same in both engines."""

import itertools

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
from skdl.tree._grower import Grower
from skdl.tree._histogram import histogram
from skdl.tree._packing import make_packing, power_of_two

ENGINES = ["numpy", "numba"]


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


# ---- both engines grow the same tree

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


def assert_same(one, other):
    for name in vars(one.tree):
        a, b = getattr(one.tree, name), getattr(other.tree, name)
        np.testing.assert_array_equal(a, b, err_msg=name)
    for name in ("leaves", "bounds", "positions"):
        a, b = getattr(one, name), getattr(other, name)
        np.testing.assert_array_equal(a, b, err_msg=name)
    for i in range(len(one.leaves)):
        np.testing.assert_array_equal(rows_of(one, i), rows_of(other, i))


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


def test_the_engine_follows_the_configuration():
    X, mask, _, _ = data(50)
    kinds = []
    for engine in ENGINES:
        with config_context(engine=engine):
            binned = BinMapper(255, mask).fit_transform(X, np.random.default_rng(0))
            kinds.append(type(make_grower(binned, TreeParams())))
    assert kinds[0] is Grower
    assert kinds[1] is not Grower


# ---- packing and histograms


@pytest.mark.parametrize("n", [1, 2, 15, 4096, 10**6, 10**8])
@pytest.mark.parametrize("newton", [False, True])
def test_no_sum_overflows(n, newton):
    p = make_packing(n, 3.7, 0.25, newton)
    top_g, top_h = round(3.7 * p.g_scale), round(0.25 * p.h_scale)
    rows = p.block if newton else n
    assert p.g_scale == 2.0 ** round(np.log2(p.g_scale))
    assert rows * top_g << p.g_shift < 2**63
    assert n * top_g < 2**63
    if newton:
        assert rows < 1 << p.block_bits
        assert rows * top_h < 1 << p.h_bits


@pytest.mark.parametrize("largest", [1e-300, 1e-9, 0.5, 1.0, 1 - 1e-16, 3e200])
def test_scales_are_the_greatest_powers_of_two(largest):
    scale = power_of_two(largest, 20)
    assert round(largest * scale) < 2**20
    assert scale == 2.0**1000 or round(largest * scale * 2) >= 2**20


def test_the_scale_of_nothing():
    assert power_of_two(0.0, 20) == 1.0


@pytest.mark.parametrize("n", [40, 6000])
@pytest.mark.parametrize("bits", [20, 55])
def test_histogram_is_bincount(n, bits):
    X, mask, _, _ = data(n, missing=0.1)
    binned = BinMapper(31, mask).fit_transform(X, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    values = rng.integers(-(1 << bits), 1 << bits, size=n) // n
    rows = np.flatnonzero(rng.random(n) < 0.9)
    sums = histogram(binned, binned.offsets, rows, values, n)
    for f, column in enumerate(binned.columns):
        part = sums[binned.offsets[f] : binned.offsets[f + 1]]
        exact = np.zeros(len(part), dtype=np.int64)
        np.add.at(exact, column[rows], values[rows])
        np.testing.assert_array_equal(part, exact)


# ---- the best split


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


def test_drawn_features_follow_the_seed():
    X, _, g, _ = data(n_features=10)
    one, same, other = (
        grow(X, g, seed=seed, max_depth=4, max_features=2) for seed in (1, 1, 2)
    )
    assert_same(one, same)
    assert not np.array_equal(one.tree.feature, other.tree.feature)


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


# ---- prediction


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
