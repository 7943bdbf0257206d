"""Thresholds between the bins of a feature."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.sparse import csc_array

from skdl._typing import Array

MAX_BINS = 255


def find_thresholds(values: Array, max_bins: int = MAX_BINS, n_zeros: int = 0) -> Array:
    """Return the thresholds between the bins of a feature.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Values; NaN is missing.
    max_bins : int, default=255
        Most bins.
    n_zeros : int, default=0
        Zeros besides.

    Returns
    -------
    thresholds : float64 ndarray of shape (n_bins − 1,)
        Ascending. With at most `max_bins` different values they lie midway between
        neighbours, else at quantiles.
    """
    values = np.sort(values)  # NaN last
    n = len(values) - int(np.isnan(values).sum())
    values = values[:n].astype(np.float64, copy=False)
    zeros_at = int(np.searchsorted(values, 0.0)) if n_zeros else n
    if n_zeros:  # one stands for all
        values = np.insert(values, zeros_at, 0.0)
        n += n_zeros
    if n == 0:
        return np.empty(0)
    distinct = values[np.concatenate([[True], values[1:] != values[:-1]])]
    if len(distinct) <= max_bins:
        low, high = distinct[:-1], distinct[1:]
    else:
        # The quantiles k/max_bins by the inverted distribution, as in scikit-learn.
        at = -(-np.arange(1, max_bins) * n // max_bins) - 1
        at[at > zeros_at] -= np.minimum(at[at > zeros_at] - zeros_at, n_zeros - 1)
        low = np.unique(values[at])
        low = low[low < distinct[-1]]
        high = distinct[np.searchsorted(distinct, low, side="right")]
    return _between(low, high)


def thresholds_of_few(X: csc_array, has_zeros: Array) -> list[Array]:
    """Return the thresholds between all values of each column, found side by side.

    Most words are rare: one call for each of their columns costs more than the rest.

    Parameters
    ----------
    X : csc_array of shape (n, n_features)
        Values; NaN is missing.
    has_zeros : bool ndarray of shape (n_features,)
        Whether there are values that are not stored.

    Returns
    -------
    thresholds : list of float64 ndarray
        See `find_thresholds`, for any number of bins.
    """
    values = X.data.astype(np.float64)
    for start, end in itertools.pairwise(X.indptr.tolist()):
        values[start:end].sort()
    column = np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))
    present = ~np.isnan(values)
    values, column = values[present], column[present]
    n_below = np.bincount(column[values < 0.0], minlength=X.shape[1])
    first = np.searchsorted(column, np.arange(X.shape[1]))
    zeros_at = (first + n_below)[has_zeros]
    values = np.insert(values, zeros_at, 0.0)
    column = np.insert(column, zeros_at, np.flatnonzero(has_zeros))
    differs = (values[1:] != values[:-1]) & (column[1:] == column[:-1])
    low, high = values[:-1][differs], values[1:][differs]
    ends = np.searchsorted(column[1:][differs], np.arange(1, X.shape[1]))
    return np.split(_between(low, high), ends)


def _between(low: Array, high: Array) -> Array:
    """A threshold in [low, high) for each pair of neighbours."""
    middle = 0.5 * low + 0.5 * high
    return np.where((middle >= low) & (middle < high), middle, low)
