"""Features as small integers: at most 255 bins, and one for missing values.

A value's bin is the number of thresholds below it; a missing value gets the number
after the last bin. Constant features carry no information and are left out of the
binned data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
from scipy.sparse import csc_array, issparse

from skdl._config import use_numba
from skdl._settings import plain
from skdl._typing import Array
from skdl.ops._threads import run_chunks
from skdl.tree._sparse import SparseBins, bin_entries, by_columns
from skdl.tree._thresholds import (
    MAX_BINS,
    find_thresholds,
    heavy_rows,
    thresholds_of_few,
)

# Quantised gradients must keep some bits in sums over all rows, see `make_packing`.
MAX_ROWS = 2**28 - 1
GROUP_WIDTH = 16  # features whose scratch histograms fit the first-level cache
SAMPLE = 200_000  # rows that the thresholds are taken from
_ROWS = 16384  # rows of a chunk


@dataclass
class BinnedData:
    """Binned features.

    Attributes
    ----------
    bins : uint8 ndarray of shape (n_groups, n, width)
        Bin numbers, `width` features of a row side by side: all for NumPy, some that
        share a cache line for the compiled engine.
    features : int64 ndarray of shape (n_used,)
        Column of X that each used feature comes from.
    n_bins : int64 ndarray of shape (n_used,)
        Bins of each feature without that of missing values.
    has_missing : bool ndarray of shape (n_used,)
        Whether the feature has missing values.
    categorical : bool ndarray of shape (n_used,)
        Whether bins are categories.
    thresholds : float64 ndarray of shape (n_used, 256) or (n_used, most bins)
        Upper ends of the bins, padded with +∞.
    entries : SparseBins or None
        The bins of a sparse matrix, whose `bins` are empty.
    uneven : bool
        Whether some rows have bins of their own for their weight. Beside their sums
        those of other rows are small, and need all bits that there are.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.tree import BinMapper
    >>> X = np.array([[0.0, np.nan], [1.0, 5.0], [2.0, 6.0]])
    >>> binned = BinMapper().fit_transform(X, np.random.default_rng(0))
    >>> binned.n, binned.n_bins, binned.has_missing
    (3, array([3, 2]), array([False,  True]))
    """

    bins: Array
    features: Array
    n_bins: Array
    has_missing: Array
    categorical: Array
    thresholds: Array
    entries: SparseBins | None = None
    uneven: bool = False

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.bins.shape[1])

    @property
    def size(self) -> int:
        """Number of bins that are stored."""
        return self.bins.size if self.entries is None else self.entries.n_entries

    def codes(self, i: int) -> Array:
        """Return the bins of one feature; for NumPy.

        Parameters
        ----------
        i : int
            The used feature.

        Returns
        -------
        codes : uint8 ndarray of shape (n,)
            Of all rows.
        """
        return self.bins[0][:, i] if self.entries is None else self.entries.codes(i)

    def laid_out(self) -> BinnedData:
        """Return these data as the engine in use wants them.

        Returns
        -------
        binned : BinnedData
            The same object where the layout is right.
        """
        n_used = len(self.features)
        width = layout_width(n_used)
        if self.entries is not None or width == self.bins.shape[2]:
            return self
        n_groups = -(-n_used // width)
        flat = np.zeros((self.n, n_groups * width), dtype=np.uint8)
        flat[:, :n_used] = self.bins.transpose(1, 0, 2).reshape(self.n, -1)[:, :n_used]
        bins = flat.reshape(self.n, n_groups, width).transpose(1, 0, 2)
        return replace(self, bins=np.ascontiguousarray(bins))


def group_width(n_used: int) -> int:
    """Return how many features share a group: an even share, at most GROUP_WIDTH.

    Parameters
    ----------
    n_used : int
        Number of used features.

    Returns
    -------
    width : int
        Features in a group.
    """
    n_groups = -(-n_used // GROUP_WIDTH)
    n_groups += n_groups % 2  # two cores share an even number evenly
    return max(1, -(-n_used // max(1, n_groups)))


def layout_width(n_used: int) -> int:
    """Return how many features stand side by side for the engine in use.

    Parameters
    ----------
    n_used : int
        Number of used features.

    Returns
    -------
    width : int
        All for NumPy, those of a group for the compiled engine; at least 1.
    """
    return group_width(n_used) if use_numba() else max(1, n_used)


def check_rows(n: int) -> None:
    """Raise if there are more rows than trees can be grown from.

    Parameters
    ----------
    n : int
        Number of rows.

    Raises
    ------
    ValueError
        If there are too many.
    """
    if n > MAX_ROWS:
        raise ValueError(
            f"X has {n} rows; histogram trees take at most {MAX_ROWS}, as 64-bit sums "
            "over more leave no bits for gradients. Fit on a sample of the rows, or on "
            "parts of them with warm_start=True."
        )


def check_codes(codes: Array) -> None:
    """Raise if there are values that are no codes of categories.

    Parameters
    ----------
    codes : ndarray of shape (n, n_categorical)
        Whole numbers from 0 to 254; NaN is missing.

    Raises
    ------
    ValueError
        If another number is among them.
    """
    wrong = (codes < 0) | (codes >= MAX_BINS) | (codes != np.floor(codes))
    wrong &= ~np.isnan(codes)
    if wrong.any():
        raise ValueError(
            f"Categories must be the codes 0 to {MAX_BINS - 1}, got "
            f"{codes[wrong][0].item()!r}. Encode them, e.g. with an OrdinalEncoder."
        )


class BinMapper:
    """Find the bins of each feature and put values into them.

    Parameters
    ----------
    max_bins : int, default=255
        Most bins of a feature, without that of missing values; 2 to 255.
    categorical : bool ndarray of shape (n_features,), default=None
        Which columns hold category codes 0, 1, … (NaN: missing).

    Attributes
    ----------
    limit : int
        The most that `max_bins` may be: a code is a byte, and one of them means
        that a value is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.tree import BinMapper
    >>> rng = np.random.default_rng(0)
    >>> binned = BinMapper(max_bins=4).fit_transform(np.arange(8.0).reshape(-1, 1), rng)
    >>> binned.codes(0)
    array([0, 0, 1, 1, 2, 2, 3, 3], dtype=uint8)
    """

    limit = MAX_BINS

    def __init__(
        self, max_bins: int = MAX_BINS, categorical: Array | None = None
    ) -> None:
        self.max_bins = plain(max_bins)
        self.categorical = categorical

    def fit_transform(
        self, X: Any, rng: np.random.Generator, weight: Array | None = None
    ) -> BinnedData:
        """Bin the columns of X.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n, n_features)
            Values; NaN is missing.
        rng : numpy Generator
            Draws the rows that the thresholds are taken from, where there are many.
        weight : float64 ndarray of shape (n,), default=None
            Weights of the rows, positive: heavy ones get bins of their own.

        Returns
        -------
        binned : BinnedData
            The binned features. A sparse matrix gives the bins of the dense one.

        Raises
        ------
        ValueError
            If there are more than 2²⁸ − 1 rows, `max_bins` is out of range, or a
            category is not one of the codes 0 to 254.
        """
        check_rows(X.shape[0])
        if not 2 <= self.max_bins <= MAX_BINS:
            raise ValueError(f"max_bins must be 2 to {MAX_BINS}, got {self.max_bins}.")
        categorical = np.zeros(X.shape[1], dtype=bool)
        if self.categorical is not None:
            categorical |= self.categorical
        sparse = issparse(X)
        if sparse:
            X = by_columns(X)
        if categorical.any():
            coded = X[:, np.flatnonzero(categorical)]
            check_codes(coded.data if sparse else coded)
        find = self._find_sparse_edges if sparse else self._find_edges
        heavy = heavy_rows(weight, self.max_bins)
        rows = None
        if X.shape[0] > SAMPLE:
            sample = rng.integers(0, X.shape[0], SAMPLE)
            rows = np.sort(np.concatenate([sample, heavy]))
        edges, has_missing = find(X, categorical, rows, heavy)
        n_bins = np.array([len(e) + 1 for e in edges], dtype=np.int64)
        used = np.flatnonzero(n_bins + has_missing > 1)
        most = max(n_bins[used], default=1) if sparse else 256
        thresholds = np.full((len(used), int(most)), np.inf)
        for row, f in zip(thresholds, used.tolist(), strict=True):
            row[: len(edges[f])] = edges[f]
        parts = n_bins[used], has_missing[used], categorical[used], thresholds
        if sparse:
            entries = bin_entries(X, used, n_bins[used], thresholds)
            none = np.empty((1, X.shape[0], 0), dtype=np.uint8)
            binned = BinnedData(none, used, *parts, entries)
        else:
            binned = bin_columns(X, used, *parts)
        binned.uneven = len(heavy) > 0
        return binned

    def _find_edges(
        self, X: Array, categorical: Array, rows: Array | None, heavy: Array
    ) -> tuple[list[Array], Array]:
        """Thresholds of all columns, and whether each has missing values.

        rows : those that the thresholds are taken from; None: all.
        heavy : those that get bins of their own.
        """
        n_features = X.shape[1]
        apart = X[heavy]
        edges: list[Array] = [np.empty(0)] * n_features
        has_missing = np.zeros(n_features, dtype=bool)
        width = 8  # columns that share a cache line

        def find(chunk: int) -> None:
            part = slice(chunk * width, min((chunk + 1) * width, n_features))
            sample = X[:, part] if rows is None else X[rows, part]
            sample = np.ascontiguousarray(sample.T)
            for f, values in enumerate(sample, part.start):
                if categorical[f]:
                    edges[f] = _between_codes(X[:, f])
                else:
                    edges[f] = find_thresholds(values, self.max_bins, apart=apart[:, f])
            found = np.isnan(X[:, part].min(axis=0))
            for j in np.flatnonzero(found):  # all missing: constant
                found[j] = not np.isnan(X[:, part.start + j]).all()
            has_missing[part] = found

        run_chunks(find, -(-n_features // width))
        return edges, has_missing

    def _find_sparse_edges(
        self, X: csc_array, categorical: Array, rows: Array | None, heavy: Array
    ) -> tuple[list[Array], Array]:
        """The same of a sparse matrix by columns."""
        n, n_features = X.shape
        sample = X if rows is None else csc_array(X.tocsr()[rows])
        apart = csc_array(X.tocsr()[heavy]) if len(heavy) else None
        stored = np.diff(sample.indptr)
        n_zeros = sample.shape[0] - stored
        edges = thresholds_of_few(sample, n_zeros > 0)
        many = np.flatnonzero((stored >= self.max_bins) | categorical)

        def find(i: int) -> None:
            f = many[i]
            if categorical[f]:
                edges[f] = _between_codes(X.data[X.indptr[f] : X.indptr[f + 1]])
                return
            values = sample.data[sample.indptr[f] : sample.indptr[f + 1]]
            own = None if apart is None else apart[:, [f]].toarray()[:, 0]
            edges[f] = find_thresholds(values, self.max_bins, int(n_zeros[f]), own)

        run_chunks(find, len(many))
        missing = np.flatnonzero(np.isnan(X.data))
        columns = np.searchsorted(X.indptr, missing, side="right") - 1
        n_missing = np.bincount(columns, minlength=n_features)
        return edges, (n_missing > 0) & (n_missing < n)


def _between_codes(codes: Array) -> Array:
    """Thresholds between the codes 0, 1, … up to the largest one."""
    return np.arange(int(np.nanmax(codes, initial=0))) + 0.5


def bin_columns(
    X: Array,
    features: Array,
    n_bins: Array,
    has_missing: Array,
    categorical: Array,
    thresholds: Array,
) -> BinnedData:
    """Put the values of X into known bins.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Values.
    features, n_bins, has_missing, categorical, thresholds : ndarray
        See `BinnedData`.

    Returns
    -------
    binned : BinnedData
        The binned features.
    """
    n, n_used = len(X), len(features)
    width = layout_width(n_used)
    bins = np.empty((-(-n_used // width), n, width), dtype=np.uint8)
    if use_numba():
        kernel = import_module("skdl.tree._numba.binning").bin_rows
        X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)

        def bin_chunk(chunk: int) -> None:
            start = chunk * _ROWS
            end = min(n, start + _ROWS)
            kernel(X, start, end, features, thresholds, n_bins, width, bins)

        run_chunks(bin_chunk, -(-n // _ROWS))
    else:

        def bin_feature(i: int) -> None:
            values = X[:, features[i]]
            edges = thresholds[i, : n_bins[i] - 1]
            codes = np.searchsorted(edges, values, side="left")
            codes[np.isnan(values)] = n_bins[i]
            bins[0, :, i] = codes

        run_chunks(bin_feature, n_used)
    return BinnedData(bins, features, n_bins, has_missing, categorical, thresholds)
