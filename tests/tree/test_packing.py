"""Numbers as integers whose sums are exact, and their histograms."""

import numpy as np
import pytest
from trees import columns, data

import skdl
from skdl.tree import BinMapper, _histogram
from skdl.tree._binning import MAX_ROWS
from skdl.tree._histogram import Values, histogram
from skdl.tree._packing import make_packing, power_of_two, smallest_that_matter
from skdl.tree._space import BinSpace


@pytest.mark.parametrize("n", [1, 2, 15, 4096, 5000, 10**6, 2**24, 10**8])
@pytest.mark.parametrize(("newton", "least"), [(False, 0), (True, 0), (True, 1e-6)])
def test_no_sum_overflows(n, newton, least):
    p = make_packing(n, 3.7, 0.25, newton, 1.0, least, least)
    top_g, top_h = round(3.7 * p.g_scale), round(0.25 * p.h_scale)
    rows = p.block if newton else n
    assert p.g_scale == 2.0 ** round(np.log2(p.g_scale))
    assert rows * top_g << p.g_shift < 2**63
    assert (n * top_g) << p.count_bits < 2**62
    if newton:
        assert rows < 1 << p.block_bits
        assert rows * top_h < 1 << p.h_bits


def test_small_values_that_matter_keep_bits():
    rng = np.random.default_rng(0)
    h = np.exp(3 * rng.normal(size=(1, 100_000)))
    g = np.sqrt(h) * rng.normal(size=h.shape)  # each row gains as much as any other
    g_least, h_least = smallest_that_matter(g, h)
    assert 0.005 < (h < h_least).mean() < 0.05
    packing = make_packing(h.size, np.abs(g).max(), h.max(), True, 1, g_least, h_least)
    plain = make_packing(h.size, np.abs(g).max(), h.max(), True)
    assert packing.block < plain.block
    assert packing.h_scale > 100 * plain.h_scale
    assert packing.g_scale >= plain.g_scale


def test_rows_that_gain_nothing_cost_no_bits():
    p = np.random.default_rng(0).beta(0.1, 0.1, size=(1, 100_000))  # a good classifier
    g, h = p - (p > 0.5), p * (1 - p)
    least = smallest_that_matter(g, h)
    assert make_packing(h.size, 1.0, 0.25, True, 1.0, *least).block == 4096


def test_the_spread_of_nothing():
    assert smallest_that_matter(np.zeros((1, 9)), np.zeros((1, 9))) == (0.0, 0.0)


@pytest.mark.parametrize("largest", [1e-300, 1e-9, 0.5, 1.0, 1 - 1e-16, 3e200])
def test_scales_are_the_greatest_powers_of_two(largest):
    scale = power_of_two(largest, 20)
    assert round(largest * scale) < 2**20
    assert scale == 2.0**1000 or round(largest * scale * 2) >= 2**20


def test_the_scale_of_nothing():
    assert power_of_two(0.0, 20) == 1.0


@pytest.mark.parametrize("newton", [False, True])
def test_gradients_of_the_most_rows_have_bits(newton):
    packing = make_packing(MAX_ROWS, 1.0, 1.0, newton)
    assert packing.g_scale >= 2**5
    assert MAX_ROWS * round(packing.g_scale) << packing.count_bits < 2**62


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("few", [0, 10**9], ids=["product", "bincount"])
@pytest.mark.parametrize("n_all", [6000, 2**19 - 1, 2**19, 2**20])
def test_histogram_is_the_sum_over_rows(monkeypatch, n_all, few, chunked):
    monkeypatch.setattr(_histogram, "_FEW", few)
    if chunked:
        monkeypatch.setattr(_histogram, "_ENTRIES", 500)
        monkeypatch.setattr(_histogram, "_PER_BIN", 0)
    X, mask, _, _ = data(6000, missing=0.1)
    with skdl.config_context(engine="numpy"):
        binned = BinMapper(31, mask).fit_transform(X, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    g, h = rng.normal(size=(1, 6000)), rng.random((1, 6000))
    packing = make_packing(n_all, 5.0, 1.0, True)
    assert packing.joined == (n_all < 2**19)
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
    np.testing.assert_array_equal(sums, exact)


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
