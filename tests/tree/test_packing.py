"""Numbers as integers whose sums are exact, and their histograms."""

import numpy as np
import pytest
from trees import data

from skdl.tree import BinMapper
from skdl.tree._binning import MAX_ROWS
from skdl.tree._histogram import histogram
from skdl.tree._packing import make_packing, power_of_two


@pytest.mark.parametrize("n", [1, 2, 15, 4096, 5000, 10**6, 2**24, 10**8])
@pytest.mark.parametrize("newton", [False, True])
def test_no_sum_overflows(n, newton):
    p = make_packing(n, 3.7, 0.25, newton)
    top_g, top_h = round(3.7 * p.g_scale), round(0.25 * p.h_scale)
    rows = p.block if newton else n
    assert p.g_scale == 2.0 ** round(np.log2(p.g_scale))
    assert rows * top_g << p.g_shift < 2**63
    assert (n * top_g) << p.count_bits < 2**62
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


@pytest.mark.parametrize("newton", [False, True])
def test_gradients_of_the_most_rows_have_bits(newton):
    packing = make_packing(MAX_ROWS, 1.0, 1.0, newton)
    assert packing.g_scale >= 2**5
    assert MAX_ROWS * round(packing.g_scale) << packing.count_bits < 2**62


@pytest.mark.parametrize("n", [40, 6000])
@pytest.mark.parametrize("bits", [20, 55])
def test_histogram_is_bincount(n, bits):
    X, mask, _, _ = data(n, missing=0.1)
    binned = BinMapper(31, mask).fit_transform(X, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    values = rng.integers(-(1 << bits), 1 << bits, size=n) // n
    rows = np.flatnonzero(rng.random(n) < 0.9)
    counted = np.arange(len(binned.features))[1:]
    (sums,) = histogram(binned, binned.offsets, counted, rows, values[None], n)
    assert not sums[: binned.offsets[1]].any()
    for f, column in enumerate(binned.columns[1:], 1):
        part = sums[binned.offsets[f] : binned.offsets[f + 1]]
        exact = np.zeros(len(part), dtype=np.int64)
        np.add.at(exact, column[rows], values[rows])
        np.testing.assert_array_equal(part, exact)
