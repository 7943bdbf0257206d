"""Values to bins."""

import numpy as np
import pytest

from skdl import config_context
from skdl.tree import BinMapper
from skdl.tree._binning import MAX_ROWS, check_rows, find_thresholds
from skdl.tree._packing import make_packing


def test_few_values_have_thresholds_midway():
    values = np.array([3.0, 1.0, np.nan, 1.0, 2.0])
    assert find_thresholds(values).tolist() == [1.5, 2.5]


def test_many_values_have_bins_of_equal_size():
    values = np.random.default_rng(0).normal(size=10_000)
    counts = np.bincount(np.searchsorted(find_thresholds(values, 100), values))
    assert len(counts) == 100
    assert counts.min() >= 99
    assert counts.max() <= 101


def test_neighbouring_floats_are_told_apart():
    low = 1.0
    values = np.array([low, np.nextafter(low, 2.0)])
    (threshold,) = find_thresholds(values)
    assert values[0] <= threshold < values[1]


@pytest.mark.parametrize("values", [[np.nan] * 3, [1.0] * 3, []])
def test_nothing_to_tell_apart(values):
    assert len(find_thresholds(np.array(values))) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_engines_bin_alike(dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 20)).astype(dtype)
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 3] = 7.0
    X[:, 4] = rng.integers(0, 5, 500)
    binned = []
    for engine in ("numpy", "numba"):
        with config_context(engine=engine):
            binned.append(BinMapper().fit_transform(X, np.random.default_rng(0)))
    assert 3 not in binned[0].features  # constant
    for name in ("columns", "features", "n_bins", "has_missing", "thresholds"):
        np.testing.assert_array_equal(
            getattr(binned[0], name), getattr(binned[1], name)
        )
    used = binned[1]
    for f in range(len(used.features)):
        group, j = divmod(f, used.bins.shape[2])
        np.testing.assert_array_equal(used.bins[group, :, j], used.columns[f])


@pytest.mark.parametrize("n", [2**28, 2**31 - 1, 2**31, 10**12])
def test_too_many_rows_are_an_error(n):
    check_rows(2**28 - 1)
    with pytest.raises(ValueError, match=f"X has {n} rows.* at most 268435455.*sample"):
        check_rows(n)


def test_too_many_rows_are_refused_before_they_are_touched():
    X = np.broadcast_to(np.zeros(1), (2**28, 1))  # eight bytes
    with pytest.raises(ValueError, match="at most"):
        BinMapper().fit_transform(X, np.random.default_rng(0))


@pytest.mark.parametrize("newton", [False, True])
def test_gradients_of_the_most_rows_have_bits(newton):
    packing = make_packing(MAX_ROWS, 1.0, 1.0, newton)
    assert packing.g_scale >= 2**5
    assert MAX_ROWS * round(packing.g_scale) << packing.count_bits < 2**62
