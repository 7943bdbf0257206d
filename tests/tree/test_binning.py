"""Features as small integers: every case of a column."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from trees import columns

from skdl import config_context
from skdl.tree import BinMapper
from skdl.tree._binning import bin_columns, check_rows, find_thresholds
from skdl.tree._space import BinSpace
from skdl.tree._thresholds import heavy_rows

ENGINES = ["numpy", "numba"]
NAN = np.nan


def binned(X, max_bins=255, categorical=None, engine="numpy"):
    mask = None if categorical is None else np.array(categorical)
    with config_context(engine=engine):
        return BinMapper(max_bins, mask).fit_transform(
            np.asarray(X), np.random.default_rng(0)
        )


# ---- thresholds

THRESHOLDS = {
    "two values": ([0.0, 1.0, 1.0], 255, [0.5]),
    "one row": ([3.0], 255, []),
    "with missing": ([NAN, 2.0, 0.0, NAN], 255, [1.0]),
    "few distinct": ([5.0, 1.0, 2.0, 2.0, 1.0], 3, [1.5, 3.5]),
    "huge": ([-1.7e308, 1.7e308], 255, [0.0]),
    "quantiles": (np.arange(100.0), 4, [24.5, 49.5, 74.5]),
    "quantiles of repeats": ([0.0] * 97 + [1.0, 2.0, 3.0], 2, [0.5]),
    "constant": ([1.0] * 3, 255, []),
    "all missing": ([NAN] * 3, 255, []),
    "no values": ([], 255, []),
}


@pytest.mark.parametrize("case", THRESHOLDS)
def test_thresholds(case):
    values, max_bins, expected = THRESHOLDS[case]
    assert find_thresholds(np.array(values), max_bins).tolist() == expected


@pytest.mark.parametrize("max_bins", [2, 3, 16, 255])
def test_bins_are_about_equally_full(max_bins):
    data = binned(np.random.default_rng(0).normal(size=(5000, 1)), max_bins)
    counts = np.bincount(columns(data)[0])
    assert len(counts) == data.n_bins[0] == max_bins
    assert counts.max() - counts.min() <= 1


# ---- heavy rows

WEIGHTS = {
    "none": (None, []),
    "even": (np.ones(1000), []),
    "of one order": (0.1 + np.arange(1000) % 13, []),
    "one class in ten": (np.where(np.arange(1000) % 10 == 0, 1e6, 1.0), []),
    "one": (np.where(np.arange(1000) == 7, 1e5, 1.0), [7]),
    "two": (np.r_[1e9, np.ones(998), 1e12], [0, 999]),
    "just as much": (np.r_[np.ones(1000), 64.0], [1000]),
    "not quite": (np.r_[np.ones(1000), 63.9], []),
    "less than a bin": (np.r_[np.ones(51_000), 199.0], []),
    "a bin": (np.r_[np.ones(51_000), 200.0], [51_000]),
    "one of two": (np.array([1.0, 1e9]), [1]),
    "single": (np.array([5.0]), []),
}


@pytest.mark.parametrize("case", WEIGHTS)
@pytest.mark.parametrize("times", [1.0, 3e-9, 7e100])
def test_heavy_rows(case, times):
    weight, expected = WEIGHTS[case]
    weight = None if weight is None else times * weight
    assert heavy_rows(weight).tolist() == expected


def test_no_more_rows_are_heavy_than_bins_allow():
    weight = np.r_[10.0 ** np.arange(3, 303, 3), np.ones(1000)]
    for max_bins in (255, 31, 4, 2):
        assert heavy_rows(weight, max_bins).tolist() == list(
            range(100 - max_bins // 4, 100)
        )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("form", [np.asarray, csr_array])
@pytest.mark.parametrize(("max_bins", "sample"), [(255, 200_000), (16, 1500)])
def test_heavy_rows_have_bins_of_their_own(max_bins, sample, form, engine, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 5))
    X[rng.random(X.shape) < 0.3] = 0.0
    X[:, 4] = X[:, 4].round()  # few values have their bins anyway
    heavy = [5, 70, int(X[:, 0].argmin()), int(X[:, 1].argmax())]
    X[5, 2], X[70, 3] = 0.0, np.nan
    weight = 0.1 + rng.random(3000)
    weight[heavy] = 1e7
    monkeypatch.setattr("skdl.tree._binning.SAMPLE", sample)
    with config_context(engine=engine):
        mapper = BinMapper(max_bins)
        data = mapper.fit_transform(form(X), np.random.default_rng(0), weight)
        even = mapper.fit_transform(
            form(X), np.random.default_rng(0), np.minimum(weight, 2.0)
        )
        plain = mapper.fit_transform(form(X), np.random.default_rng(0))
    assert data.uneven
    assert not even.uneven
    np.testing.assert_array_equal(even.thresholds, plain.thresholds)
    dense = data.entries is None
    bins = columns(data) if dense else np.stack([data.codes(f) for f in range(5)])
    assert len(bins) == 5
    for f, codes in enumerate(bins):
        assert data.n_bins[f] <= max_bins
        for row in heavy:
            others = X[codes == codes[row], f]
            n_strange = np.sum((others != X[row, f]) & ~np.isnan(others))
            assert n_strange <= (0 if sample > 3000 else 10)  # unseen neighbours


def test_neighbouring_floats_are_told_apart():
    low = 1.0
    values = np.array([low, np.nextafter(low, 2.0)])
    (threshold,) = find_thresholds(values)
    assert values[0] <= threshold < values[1]


def test_thresholds_of_many_rows_come_from_a_sample():
    X = np.arange(250_000.0)[:, None]
    data = binned(X)
    counts = np.bincount(columns(data)[0])
    assert len(counts) == 255
    assert counts.max() < 1.5 * counts.min()


# ---- bins


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
    np.testing.assert_array_equal(columns(binned[0]), columns(binned[1]))
    for name in ("features", "n_bins", "has_missing", "thresholds"):
        np.testing.assert_array_equal(
            getattr(binned[0], name), getattr(binned[1], name)
        )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_a_bin_is_the_number_of_thresholds_below(engine, dtype):
    rng = np.random.default_rng(0)
    X = (10 * rng.normal(size=(500, 19))).astype(dtype)  # more than a group
    missing = rng.random(X.shape) < (0.1 if X.dtype.kind == "f" else 0.0)
    X[missing] = np.nan if X.dtype.kind == "f" else 0
    data = binned(X, 31, engine=engine)
    for i, f in enumerate(data.features):
        edges = data.thresholds[i, : data.n_bins[i] - 1]
        expected = (X[:, f, None] > edges).sum(axis=1)
        expected[missing[:, f]] = data.n_bins[i]
        np.testing.assert_array_equal(columns(data)[i], expected)
    np.testing.assert_array_equal(data.has_missing, missing.any(axis=0))


@pytest.mark.parametrize("engine", ENGINES)
def test_few_distinct_values_are_exact(engine):
    X = np.random.default_rng(0).integers(0, 255, size=(2000, 1)) * 0.37
    data = binned(X, engine=engine)
    values, codes = np.unique(X, return_inverse=True)
    assert len(values) == data.n_bins[0]
    np.testing.assert_array_equal(columns(data)[0], codes.ravel())


@pytest.mark.parametrize("engine", ENGINES)
def test_constant_features_are_left_out(engine):
    n = 10
    X = np.column_stack(
        [np.ones(n), np.arange(n), np.full(n, NAN), [NAN, *[1.0] * (n - 1)]]
    )
    data = binned(X, engine=engine)
    assert data.features.tolist() == [1, 3]
    assert data.n_bins.tolist() == [n, 1]
    assert data.has_missing.tolist() == [False, True]
    assert BinSpace(data, np.arange(2)).starts.tolist() == [0, n, n + 2]


@pytest.mark.parametrize("engine", ENGINES)
def test_categories_are_their_own_bins(engine):
    codes = np.array([0.0, 4.0, 2.0, NAN, 2.0])
    data = binned(codes[:, None], 2, [True], engine)
    assert data.categorical.tolist() == [True]
    assert data.n_bins.tolist() == [5]
    assert columns(data).tolist() == [[0, 4, 2, 5, 2]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_categorical_column_of_missing_values_is_constant(engine):
    data = binned([[NAN, 0.0], [NAN, 1.0]], 255, [True, False], engine)
    assert data.features.tolist() == [1]


@pytest.mark.parametrize("engine", ENGINES)
def test_values_not_seen_go_to_the_nearest_bins(engine):
    data = binned(np.arange(10.0)[:, None], engine=engine)
    new = np.array([[-100.0], [3.4], [3.6], [100.0], [NAN]])
    with config_context(engine=engine):
        again = bin_columns(
            new,
            data.features,
            data.n_bins,
            data.has_missing,
            data.categorical,
            data.thresholds,
        )
    assert columns(again).tolist() == [[0, 3, 4, 9, 10]]


# ---- too many rows


@pytest.mark.parametrize("n", [2**28, 2**31 - 1, 2**31, 10**12])
def test_too_many_rows_are_an_error(n):
    check_rows(2**28 - 1)
    with pytest.raises(ValueError, match=f"X has {n} rows.* at most 268435455.*sample"):
        check_rows(n)


def test_too_many_rows_are_refused_before_they_are_touched():
    X = np.broadcast_to(np.zeros(1), (2**28, 1))  # eight bytes
    with pytest.raises(ValueError, match="at most"):
        BinMapper().fit_transform(X, np.random.default_rng(0))


@pytest.mark.parametrize("code", [-1.0, 255.0, 0.5, np.inf])
def test_only_codes_are_categories(code):
    X = np.array([[0.0], [NAN], [code], [254.0]])
    with pytest.raises(ValueError, match="codes 0 to 254"):
        BinMapper(categorical=np.array([True])).fit_transform(
            X, np.random.default_rng(0)
        )


@pytest.mark.parametrize("max_bins", [1, 256])
def test_limits_of_bins(max_bins):
    with pytest.raises(ValueError, match="max_bins must be 2 to 255"):
        BinMapper(max_bins).fit_transform(np.eye(3), np.random.default_rng(0))
