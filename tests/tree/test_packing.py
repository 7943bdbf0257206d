"""Numbers as integers whose sums are exact, and their histograms."""

import numpy as np
import pytest
from trees import ENGINES, assert_same, columns, data, grow

import skdl
from skdl.tree import BinMapper, _histogram
from skdl.tree._binning import MAX_ROWS
from skdl.tree._histogram import Values, histogram
from skdl.tree._packing import (
    ENOUGH,
    Extent,
    extent,
    make_packing,
    packings,
    smallest_that_matter,
)
from skdl.tree._space import BinSpace

MANY = [1, 2, 15, 1024, 4096, 5000, 10**6, 2**24, MAX_ROWS]


def halves(extent, scale, n, block=None):
    """Return the largest sum of integers: each value may be rounded up by ½."""
    reach = extent.total if block is None else extent.reach(block)
    return reach * scale + 0.5 * (block or n)


@pytest.mark.parametrize("n", MANY)
@pytest.mark.parametrize("share", [1.0, 0.3, 1e-4, 0.0], ids=str)
@pytest.mark.parametrize("newton", [False, True])
def test_no_sum_overflows(n, share, newton):
    g, h = (Extent(top, max(1.0, n * share) * top) for top in (3.7, 0.25))
    found = list(packings(n, g, h if newton else None))
    assert not found[-1].joined or n < 2**20
    for p in found:
        limit = min(52, 62 - p.count_bits)
        assert halves(g, p.g_scale, n) < 2**limit
        if p.joined:  # float64 is exact below 2**53
            assert halves(g, p.g_scale, n) * 2**p.count_bits + n < 2**53
        if not newton:
            assert (p.block, p.h_scale) == (n, 1.0)
            continue
        assert halves(h, p.h_scale, n) < 2**53
        if p.block:
            assert p.block < 1 << p.block_bits
            assert halves(h, p.h_scale, n, p.block) < 1 << p.h_bits
            assert halves(g, p.g_scale, n, p.block) < 2 ** (63 - p.g_shift)
        else:
            assert p.n_words == 2


@pytest.mark.parametrize("newton", [False, True])
def test_later_packings_are_finer(newton):
    g, h = Extent(1.0, 3e4), Extent(1.0, 3e4)
    found = list(packings(10**5, g, h if newton else None))
    assert len(found) == (6 if newton else 2)
    if newton:
        assert found[0].block > found[2].block > found[4].block == 0
    for one, other in zip(found[:-2], found[2:], strict=True):
        assert other.g_scale >= one.g_scale
        assert other.h_scale > one.h_scale


@pytest.mark.parametrize("newton", [False, True])
def test_the_most_rows_have_bits(newton):
    extent = Extent(1.0, 0.3 * MAX_ROWS)
    *_, finest = packings(MAX_ROWS, extent, extent if newton else None)
    assert finest.g_scale >= 2**5


# ---- what is chosen


def chosen_for(spread, n=100_000):
    rng = np.random.default_rng(0)
    h = np.exp(spread * rng.normal(size=(1, n)))
    g = np.sqrt(h) * rng.normal(size=h.shape)  # each row gains as much as any other
    g_least, h_least = smallest_that_matter(g, h)
    packing = make_packing(g, h)
    assert packing.g_scale * g_least >= 2**ENOUGH
    assert packing.h_scale * h_least >= 2**ENOUGH
    return packing, (h < h_least).mean()


def test_values_that_matter_keep_bits_whatever_their_spread():
    (even, _), (wide, share), (widest, _) = (chosen_for(s) for s in (0.3, 0.5, 4.0))
    assert even.block == 4096
    assert 0.005 < share < 0.05
    assert even.block > wide.block > widest.block == 0


@pytest.mark.parametrize("n", [300, 30_000, 10**6])
@pytest.mark.parametrize("largest", [1e4, 1e9])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_value_far_out_leaves_the_others_their_bits(n, largest, weighted):
    rng = np.random.default_rng(0)
    g, h = rng.normal(size=(1, n)), np.ones((1, n))
    g[0, n // 2] = largest
    if weighted:
        g[0, n // 3] = h[0, n // 3] = largest
    packing = make_packing(g, h if weighted else None)
    assert packing.g_scale >= 2**ENOUGH
    assert packing.h_scale >= (2**ENOUGH if weighted else 1)
    assert np.abs(np.rint(g * packing.g_scale)).sum() < 2 ** (62 - n.bit_length())


def test_rows_that_gain_nothing_cost_no_bits():
    p = np.random.default_rng(0).beta(0.1, 0.1, size=(1, 100_000))  # a good classifier
    assert make_packing(p - (p > 0.5), p * (1 - p)).block == 4096


def test_even_values_need_no_sample(monkeypatch):
    monkeypatch.setattr("skdl.tree._packing.smallest_that_matter", None)
    g = np.random.default_rng(0).normal(size=(1, 10_000))
    packing = make_packing(g, None)
    assert packing.joined
    assert packing.g_scale > 2**20
    assert make_packing(np.zeros((1, 9)), None).g_scale == 1.0


def test_the_spread_of_nothing():
    assert smallest_that_matter(np.zeros((1, 9)), np.zeros((1, 9))) == (0.0, 0.0)
    packing = make_packing(np.zeros((1, 9)), np.zeros((1, 9)))
    assert (packing.g_scale, packing.h_scale) == (1.0, 1.0)


@pytest.mark.parametrize("factor", [3e-280, 7e-9, 1.1, 3e120])
def test_integers_do_not_depend_on_the_unit(factor):
    rng = np.random.default_rng(0)
    g, h = rng.normal(size=(1, 7000)), rng.random((1, 7000))
    one, other = make_packing(g, h), make_packing(factor * g, factor * h)
    assert one.block == other.block
    np.testing.assert_allclose(
        [other.g_scale * factor, other.h_scale * factor],
        [one.g_scale, one.h_scale],
        rtol=1e-14,
    )


@pytest.mark.parametrize("factor", [1.0, 0.1, 1e-9 / 3])
def test_multiples_of_the_unit_are_exact(factor):
    w = factor * np.random.default_rng(0).integers(1, 9, size=(1, 5000))
    packing = make_packing(w, w, float(w.min()))
    ints = np.rint(w * packing.h_scale)
    np.testing.assert_array_equal(ints / ints.min(), np.rint(w / w.min()))


def test_where_every_value_matters_the_finest_packing_is_taken():
    rng = np.random.default_rng(0)
    w = 10.0 ** rng.uniform(-9, 0, (1, 3000))
    g = w * rng.choice([-1.0, 1.0], w.shape)
    coarse, fine = make_packing(g, w, w.min()), make_packing(g, w, w.min(), finest=True)
    assert coarse.h_scale * w.min() < 1
    assert fine.h_scale * w.min() >= 2**13
    assert fine.g_scale >= fine.h_scale / 4
    equal = make_packing(g, np.ones((1, 3000)), finest=True)
    assert not equal.newton  # there is nothing finer


def test_equal_hessians_are_counted():
    g = np.random.default_rng(0).normal(size=(1, 500))
    for h in (0.3, 1e7 / 3):
        packing = make_packing(g, np.full((1, 500), h))
        assert not packing.newton
        assert packing.h_scale * h == pytest.approx(1.0, rel=1e-15)
    h = np.ones((1, 500))
    h[0, 7] = 1 - 1e-12
    assert make_packing(g, h).newton


@pytest.mark.parametrize("n", [1, 1000, 70_000, 200_000])
def test_extent(n):
    values = np.random.default_rng(0).normal(size=(3, n))
    found = extent(values)
    assert found.largest == np.abs(values).max()
    assert found.total == pytest.approx(np.abs(values).sum(axis=1).max(), rel=1e-12)
    assert found.reach(1) == found.largest
    assert found.reach(n) == found.total


# ---- trees from values that need two words


@pytest.mark.parametrize("rows", [None, np.arange(1, 6000, 2, dtype=np.uint32)])
@pytest.mark.parametrize(
    ("shape", "params"),
    [
        ({}, {"max_leaf_nodes": 12}),
        ({"n_outputs": 2, "missing": 0.1}, {"max_depth": 4}),
        ({"categories": 30}, {"max_depth": 5, "min_samples_leaf": 3}),
    ],
    ids=["plain", "outputs, missing", "categories"],
)
def test_engines_grow_the_same_tree_from_two_words(shape, params, rows):
    X, mask, g, h = data(6000, **shape)
    h[:, 5] *= 1e9
    g[:, 5] *= 1e9
    assert make_packing(g, h).n_words == 2
    trees = [grow(X, g, h, mask, engine=e, rows=rows, **params) for e in ENGINES]
    assert trees[0].tree.n_leaves > 8
    assert_same(*trees)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("heavy", [1e5, 1e9])
def test_a_heavy_row_hides_no_other(engine, heavy):
    X, mask, g, h = data(6000)
    X[0, 0] = 99.0  # a tree can set the row apart
    plain = grow(X[1:], g[:, 1:], h[:, 1:], mask, engine=engine, max_leaf_nodes=20)
    h[:, 0], g[:, 0] = heavy, 3 * heavy
    beside = grow(X, g, h, mask, engine=engine, max_leaf_nodes=21)
    features = np.bincount(plain.tree.feature[plain.tree.left >= 0], minlength=5)
    others = np.bincount(beside.tree.feature[beside.tree.left >= 0], minlength=5)
    assert beside.tree.n_leaves == 21
    assert np.abs(features - others).sum() <= 4  # one more split, for that row


# ---- histograms


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("few", [0, 10**9], ids=["product", "bincount"])
@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize("newton", [False, True])
def test_histogram_is_the_sum_over_rows(monkeypatch, newton, joined, few, chunked):
    monkeypatch.setattr(_histogram, "_FEW", few)
    if chunked:
        monkeypatch.setattr(_histogram, "_ENTRIES", 500)
        monkeypatch.setattr(_histogram, "_PER_BIN", 0)
    X, mask, _, _ = data(6000, missing=0.1)
    with skdl.config_context(engine="numpy"):
        binned = BinMapper(31, mask).fit_transform(X, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    g, h = rng.normal(size=(1, 6000)), rng.random((1, 6000))
    *_, packing = (
        p
        for p in packings(6000, extent(g), extent(h) if newton else None)
        if p.joined == joined
    )
    rows = np.flatnonzero(rng.random(6000) < 0.9)
    space = BinSpace(binned, np.arange(len(binned.features))[1:])
    values = Values(g, h, packing)
    sums = histogram(binned.bins[0], space, rows, values)
    exact = np.zeros((2, space.size), dtype=np.int64)
    g_int = np.rint(g[0] * packing.g_scale).astype(np.int64)
    h_int = np.rint(h[0] * packing.h_scale).astype(np.int64)
    for i, f in enumerate(space.features):
        codes = columns(binned)[f, rows]
        part = exact[:, space.bins_of(i)]
        np.add.at(part[0], codes, (g_int[rows] << packing.count_bits) + 1)
        np.add.at(part[1], codes, h_int[rows])
    np.testing.assert_array_equal(sums, exact if newton else exact[:1])


def test_narrow_spaces():
    X, mask, _, _ = data(500, missing=0.1)
    binned = BinMapper(31, mask).fit_transform(X, np.random.default_rng(0))
    n_used = len(binned.features)
    space = BinSpace(binned, np.arange(n_used))
    assert space.narrow(np.ones(n_used, bool)) is None
    live = np.arange(n_used) % 2 == 1
    smaller, at = space.narrow(live)
    np.testing.assert_array_equal(smaller.features, np.flatnonzero(live))
    np.testing.assert_array_equal(
        space.features[space.owner[at]], smaller.features[smaller.owner]
    )
    np.testing.assert_array_equal(smaller.size, len(at))
