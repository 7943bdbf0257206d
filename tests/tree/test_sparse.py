"""Sparse rows: the bins and the trees of the dense matrix."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csc_array
from trees import ENGINES, SETTINGS, assert_same, columns, data

from skdl import config_context
from skdl.tree import BinMapper, Forest, TreeParams, make_grower
from skdl.tree._binning import SAMPLE, find_thresholds
from skdl.tree._sparse import SparseBins, bin_entries

NAN = np.nan
FORMATS = {
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "csr matrix": sparse.csr_matrix,
    "coo": sparse.coo_array,
}


def thinned(n=300, zeros=0.7, **settings):
    """Return data most of which are 0: X, mask of categories, gradients, Hessians."""
    X, mask, g, h = data(n=n, **settings)
    rng = np.random.default_rng(3)
    X[rng.random(X.shape) < zeros] = 0.0
    return X, mask, g, h


def binned(X, mask=None, max_bins=255):
    return BinMapper(max_bins, mask).fit_transform(X, np.random.default_rng(0))


# ---- bins


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("max_bins", [255, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", FORMATS)
def test_bins_of_the_dense_matrix(kind, dtype, max_bins, engine):
    X, mask, *_ = thinned(n_features=20, categories=6, missing=0.1)
    X[:, 5] = 0.0  # constant
    X[:, 6] = NAN
    X[:, 7] = np.abs(X[:, 7]) + 1.0  # no zeros
    X[:, 8] = -np.abs(X[:, 8])
    X = X.astype(dtype)
    with config_context(engine=engine):
        dense = binned(X, mask, max_bins)
        thin = binned(FORMATS[kind](X), mask, max_bins)
    for name in ("features", "n_bins", "has_missing", "categorical"):
        np.testing.assert_array_equal(getattr(dense, name), getattr(thin, name))
    most = thin.thresholds.shape[1]
    np.testing.assert_array_equal(dense.thresholds[:, :most], thin.thresholds)
    assert np.isinf(dense.thresholds[:, most:]).all()
    codes = [thin.entries.codes(i) for i in range(len(thin.features))]
    np.testing.assert_array_equal(columns(dense), codes)
    assert thin.n == dense.n
    assert thin.size == (X[:, thin.features] != 0).sum()  # NaN too


@pytest.mark.parametrize("n_zeros", [1, 3, 50, 1000])
@pytest.mark.parametrize("max_bins", [2, 5, 16, 255])
@pytest.mark.parametrize("side", [-3.0, 0.0, 3.0])
def test_thresholds_with_zeros_that_are_not_stored(side, max_bins, n_zeros):
    values = np.random.default_rng(0).normal(side, size=200).round(1)
    values[:5] = NAN
    everything = np.concatenate([values, np.zeros(n_zeros)])
    np.testing.assert_array_equal(
        find_thresholds(values, max_bins, n_zeros),
        find_thresholds(everything, max_bins),
    )


def test_thresholds_of_many_rows_come_from_the_same_sample():
    rng = np.random.default_rng(0)
    X = sparse.random_array((SAMPLE + 1000, 2), density=0.5, rng=rng, format="csr")
    dense, thin = binned(X.toarray(), max_bins=16), binned(X, max_bins=16)
    most = thin.thresholds.shape[1]
    assert 8 <= most <= 11  # half of the quantiles are 0
    np.testing.assert_array_equal(dense.thresholds[:, :most], thin.thresholds)


def test_stored_zeros_and_entries_in_parts():
    rows, cols = [0, 1, 1, 2, 3, 3], [0, 0, 0, 1, 1, 0]
    X = sparse.coo_array(([1.0, 2.0, 3.0, 0.0, 7.0, 0.0], (rows, cols)), shape=(4, 2))
    for kind in ("csr", "csc"):
        given = X.asformat(kind)
        before = [array.copy() for array in (given.data, given.indices, given.indptr)]
        thin, dense = binned(given), binned(X.toarray())
        np.testing.assert_array_equal(
            [thin.entries.codes(i) for i in range(2)], columns(dense)
        )
        for array, kept in zip(
            (given.data, given.indices, given.indptr), before, strict=True
        ):
            np.testing.assert_array_equal(array, kept)  # not changed on the way


@pytest.mark.parametrize("width", [1, 3, 7, 20])
def test_entries_by_rows(width):
    X, *_ = thinned(n_features=20, n=50)
    thin = binned(sparse.csc_array(X))
    sizes = thin.n_bins + thin.has_missing
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    starts, places = thin.entries.by_rows(width, offsets)
    assert starts.shape == (-(-len(sizes) // width), 51)
    for group in range(len(starts)):
        members = range(group * width, min((group + 1) * width, len(sizes)))
        for row in range(50):
            expected = [
                offsets[i] - offsets[members[0]] + thin.entries.codes(i)[row]
                for i in members
                if X[row, thin.features[i]] != 0
            ]
            part = places[starts[group, row] : starts[group, row + 1]]
            assert part.tolist() == expected


# ---- trees


def grow(X, mask, g, h, engine, seed=0, rows=None, **params):
    with config_context(engine=engine):
        grower = make_grower(binned(X, mask), TreeParams(**params), len(g))
        grown = grower.grow(g, h, rows, seed=seed)
        grown.rows = grown.rows.copy()
    return grown


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("newton", [True, False])
@pytest.mark.parametrize("case", SETTINGS)
def test_trees_of_the_dense_matrix(case, newton, engine):
    what, params = SETTINGS[case]
    X, mask, g, h = thinned(**what)
    h = h if newton else None
    dense = grow(X, mask, g, h, engine, seed=5, **params)
    thin = grow(sparse.csr_array(X), mask, g, h, engine, seed=5, **params)
    assert_same(dense, thin)
    np.testing.assert_array_equal(dense.bins, thin.bins)


@pytest.mark.parametrize("engine", ENGINES)
def test_trees_of_some_rows_and_many_features(engine):
    X, mask, g, h = thinned(n=2000, n_features=150, zeros=0.95)
    rows = np.flatnonzero(np.random.default_rng(0).random(2000) < 0.6)
    rows = rows.astype(np.uint32)
    for settings in ({"max_leaf_nodes": 40}, {"max_depth": 12}):
        trees = [
            grow(made, mask, g, h, engine, rows=rows, **settings)
            for made in (X, sparse.csc_array(X))
        ]
        assert_same(*trees)


def test_wide_histograms_of_sparse_rows():
    n = 20_000  # more rows than are summed in packed form
    X, mask, g, h = thinned(n=n, n_features=12, zeros=0.9)
    h[:, ::7] *= 1e-4  # spread: short blocks
    trees = [
        grow(made, mask, g, h, engine, max_leaf_nodes=31)
        for made in (X, sparse.csr_array(X))
        for engine in ENGINES
    ]
    for other in trees[1:]:
        assert_same(trees[0], other)


def test_histograms_that_are_made_again(monkeypatch):
    from skdl.tree._numba import engine

    X, mask, g, h = thinned(n=1500, n_features=30, zeros=0.8)
    whole = grow(sparse.csr_array(X), mask, g, h, "numba", max_leaf_nodes=60)
    monkeypatch.setattr(engine, "HISTOGRAM_MEMORY", 1)
    assert_same(
        whole, grow(sparse.csr_array(X), mask, g, h, "numba", max_leaf_nodes=60)
    )


@pytest.mark.parametrize("n_groups", [1, 5, 30])
def test_groups_do_not_matter(monkeypatch, n_groups):
    from skdl.tree._numba import engine

    X, mask, g, h = thinned(n=1500, n_features=30, zeros=0.8, missing=0.1)
    usual = grow(sparse.csr_array(X), mask, g, h, "numba", max_leaf_nodes=20)
    monkeypatch.setattr(engine, "sparse_width", lambda *_: -(-30 // n_groups))
    assert_same(
        usual, grow(sparse.csr_array(X), mask, g, h, "numba", max_leaf_nodes=20)
    )


@pytest.mark.parametrize("made", ENGINES)
@pytest.mark.parametrize("used", ENGINES)
def test_bins_of_one_engine_serve_the_other(made, used):
    X, mask, g, h = thinned(n_features=20, missing=0.1)
    with config_context(engine=made):
        data = binned(sparse.csr_array(X), mask)
    with config_context(engine=used):
        grown = make_grower(data, TreeParams(max_depth=4), 1).grow(g, h)
        grown.rows = grown.rows.copy()
    assert_same(grown, grow(X, mask, g, h, used, max_depth=4))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(0, 5), (40, 0), (40, 5)])
def test_nothing_to_split_on(shape, engine):
    g = np.ones((1, shape[0]))
    if shape[0]:
        grown = grow(sparse.csr_array(shape), None, g, None, engine, max_depth=3)
        assert len(grown.tree.left) == 1
    assert isinstance(binned(sparse.csr_array((40, 5))).entries, SparseBins)


# ---- prediction


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("case", ["missing", "outputs, categories, missing"])
def test_predictions_of_the_dense_matrix(case, kind, engine, monkeypatch):
    monkeypatch.setattr("skdl.tree._forest.DENSE", 100)  # several parts
    what, params = SETTINGS[case]
    X, mask, g, h = thinned(**what)
    trees = [grow(X, mask, s * g, h, "numpy", **params).tree for s in (1.0, -2.0)]
    forest = Forest(trees, [-1, -1])
    with config_context(engine=engine):
        expected = np.zeros((len(X), len(g)))
        forest.add(X, expected, np.array([1.0, 0.5]))
        out = np.zeros((len(X), len(g)))
        forest.add(FORMATS[kind](X), out, np.array([1.0, 0.5]))
        np.testing.assert_array_equal(out, expected)
        np.testing.assert_array_equal(forest.apply(FORMATS[kind](X)), forest.apply(X))
        some = np.zeros((len(X), len(g)))
        forest.add(FORMATS[kind](X), some, np.ones(1), np.array([1]))
        dense = np.zeros((len(X), len(g)))
        forest.add(X, dense, np.ones(1), np.array([1]))
        np.testing.assert_array_equal(some, dense)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_a_threshold_at_zero_has_zeros_below_it(engine):
    """As a value at the upper end of its bin belongs to that bin."""
    X = csc_array(np.array([[-3.0, 0.0], [0.0, 2.0], [4.0, 0.0], [np.nan, -1.0]]))
    edges = np.array([[-1.0, 0.0, 3.0], [0.0, 1.0, np.inf]])
    with config_context(engine=engine):
        bins = bin_entries(X, np.array([0, 1]), np.array([4, 3]), edges)
    assert bins.zeros.tolist() == [1, 0]
    assert bins.bins.tolist() == [0, 3, 4, 2, 0]
