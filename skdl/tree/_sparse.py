"""Bins of a sparse matrix: only entries that are stored cost time and memory.

The values that are not stored are zeros, all in one bin of their feature. Its sums are
what the other bins leave of the node's, so that a histogram costs as much as there are
entries in the node's rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from scipy.sparse import csc_array

from skdl._config import use_numba
from skdl._typing import Array
from skdl.ops._threads import run_chunks

GROUP_BINS = 2**15  # bins of a group, whose sums fit the second-level cache
_FEATURES = 256  # of a chunk


@dataclass
class SparseBins:
    """The bins of the entries of used features, column by column.

    Attributes
    ----------
    n : int
        Number of rows.
    starts : int64 ndarray of shape (n_used + 1,)
        Where the entries of each feature start.
    rows : int32 ndarray of shape (n_entries,)
        Row of each entry; ascending within a feature.
    bins : uint8 ndarray of shape (n_entries,)
        Bin of each entry.
    zeros : int64 ndarray of shape (n_used,)
        Bin of the values that are not stored.
    """

    n: int
    starts: Array
    rows: Array
    bins: Array
    zeros: Array

    @property
    def n_entries(self) -> int:
        """Number of entries."""
        return len(self.rows)

    def codes(self, i: int) -> Array:
        """Return the bins of one feature.

        Parameters
        ----------
        i : int
            The used feature.

        Returns
        -------
        codes : uint8 ndarray of shape (n,)
            Of all rows.
        """
        codes = np.full(self.n, self.zeros[i], dtype=np.uint8)
        part = slice(self.starts[i], self.starts[i + 1])
        codes[self.rows[part]] = self.bins[part]
        return codes

    def by_rows(self, width: int, offsets: Array) -> tuple[Array, Array]:
        """Return the entries row by row, for groups of features.

        Parameters
        ----------
        width : int
            Features in a group.
        offsets : int64 ndarray of shape (n_used + 1,)
            Where the bins of each feature start among those of all.

        Returns
        -------
        starts : int64 ndarray of shape (n_groups, n + 1)
            Where the entries of each row start.
        places : uint32 ndarray of shape (n_entries,)
            Bin of each entry among those of its group, ascending in a row.
        """
        n_used = len(self.zeros)
        n_groups = -(-n_used // width)
        starts = np.zeros((n_groups, self.n + 1), dtype=np.int64)
        places = np.empty(self.n_entries, dtype=np.uint32)

        def turn(group: int) -> None:
            features = slice(group * width, min((group + 1) * width, n_used))
            ends = self.starts[features.start : features.stop + 1]
            part = slice(ends[0], ends[-1])
            shift = offsets[features] - offsets[features.start]
            place = np.repeat(shift, np.diff(ends)) + self.bins[part]
            shape = self.n, features.stop - features.start
            columns = (place, self.rows[part], ends - ends[0])
            turned = csc_array(columns, shape=shape).tocsr()
            places[part] = turned.data
            starts[group] = turned.indptr + ends[0]

        run_chunks(turn, n_groups)
        return starts, places


def by_columns(X: Any) -> csc_array:
    """Return a sparse matrix column by column, with one entry in a place.

    Parameters
    ----------
    X : sparse matrix of shape (n, n_features)
        Values; it is not changed.

    Returns
    -------
    columns : csc_array of shape (n, n_features)
        May share the memory of X.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from skdl.tree import by_columns
    >>> X = by_columns(sparse.csr_array([[0.0, 2.0], [3.0, 0.0]]))
    >>> X.format, X[:, [1]].toarray().ravel()
    ('csc', array([2., 0.]))
    """
    columns = X if isinstance(X, csc_array) else csc_array(X)  # which knows its form
    if not columns.has_canonical_format:
        if X.format == "csc":
            columns = columns.copy()
        columns.sum_duplicates()
    return columns


def sparse_width(entries: SparseBins, n_bins: int) -> int:
    """Return how many features share a group for the compiled engine.

    Parameters
    ----------
    entries : SparseBins
        The entries.
    n_bins : int
        Number of bins of all features.

    Returns
    -------
    width : int
        Few enough for their sums to fit the cache; yet no more groups than a row has
        entries, as each group looks at each row.
    """
    n_used = len(entries.zeros)
    most = max(2, entries.n_entries // max(1, entries.n))
    n_groups = min(max(2, -(-n_bins // GROUP_BINS)), most)
    return max(1, -(-n_used // n_groups))


def bin_entries(
    X: Any, features: Array, n_bins: Array, thresholds: Array
) -> SparseBins:
    """Put the entries of a sparse matrix into known bins.

    Parameters
    ----------
    X : csc_array of shape (n, n_features)
        Values; NaN is missing.
    features : int64 ndarray of shape (n_used,)
        The columns to bin.
    n_bins : int64 ndarray of shape (n_used,)
        Their bins without that of missing values.
    thresholds : float64 ndarray of shape (n_used, m)
        Upper ends of the bins.

    Returns
    -------
    entries : SparseBins
        The binned entries.
    """
    first, last = X.indptr[features], X.indptr[features + 1]
    starts = np.concatenate([[0], np.cumsum(last - first, dtype=np.int64)])
    rows = np.empty(starts[-1], dtype=np.int32)
    bins = np.empty(starts[-1], dtype=np.uint8)
    zeros = np.empty(len(features), dtype=np.int64)
    if use_numba():
        kernel = import_module("skdl.tree._numba.binning").bin_entries

        def bin_chunk(chunk: int) -> None:
            begin = chunk * _FEATURES
            end = min(begin + _FEATURES, len(features))
            entries = X.data, X.indices, first, last
            kernel(*entries, starts, thresholds, n_bins, begin, end, rows, bins, zeros)

        run_chunks(bin_chunk, -(-len(features) // _FEATURES))
    else:

        def bin_feature(i: int) -> None:
            part = slice(starts[i], starts[i + 1])
            values = X.data[first[i] : last[i]]
            edges = thresholds[i, : n_bins[i] - 1]
            zeros[i] = np.searchsorted(edges, 0.0, side="left")
            codes = np.searchsorted(edges, values, side="left")
            codes[np.isnan(values)] = n_bins[i]
            rows[part], bins[part] = X.indices[first[i] : last[i]], codes

        run_chunks(bin_feature, len(features))
    return SparseBins(X.shape[0], starts, rows, bins, zeros)
