"""Thresholds between the bins of a feature."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.sparse import csc_array

from skdl._typing import Array

MAX_BINS = 255
HEAVY = 64.0  # times the mean of the others' weights, from which a row is heavy
APART = 4  # of so many bins one may go to a heavy row


def heavy_rows(weight: Array | None, max_bins: int = MAX_BINS) -> Array:
    """Return the rows that outweigh the bins of the others.

    Such a row decides alone what becomes of its bin: others that share it with the row
    cannot be told from it. In bins of its own it hides nobody.

    Parameters
    ----------
    weight : float64 ndarray of shape (n,) or None
        Weights; positive. None where all are 1.
    max_bins : int, default=255
        Most bins of a feature.

    Returns
    -------
    rows : int64 ndarray of shape (n_heavy,)
        Ascending: rows that weigh as much as a bin of the lighter ones, and as
        much as `HEAVY` of them; none where weights are of one order.
    """
    most = 0 if weight is None else min(max_bins // APART, len(weight) - 1)
    if weight is None or most < 1:
        return np.empty(0, dtype=np.int64)
    n = len(weight)
    order = np.argpartition(weight, n - most)
    light, top = order[: n - most], order[n - most :]
    top = top[np.argsort(-weight[top], kind="stable")]
    relative = weight[top] / weight[top[0]]
    lighter = float((weight[light] / weight[top[0]]).sum())
    # What is lighter than each of the heaviest, added up from the light end.
    rest = lighter + np.append(np.cumsum(relative[:0:-1])[::-1], 0.0)
    n_rest = n - np.arange(1, most + 1)
    heavy = relative >= rest * np.maximum(1.0 / max_bins, HEAVY / n_rest)
    n_heavy = most if heavy.all() else int(np.argmin(heavy))
    return np.sort(top[:n_heavy])


def find_thresholds(
    values: Array,
    max_bins: int = MAX_BINS,
    n_zeros: int = 0,
    apart: Array | None = None,
) -> Array:
    """Return the thresholds between the bins of a feature.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Values; NaN is missing.
    max_bins : int, default=255
        Most bins.
    n_zeros : int, default=0
        Zeros besides.
    apart : ndarray of shape (n_heavy,), default=None
        Those among the values that get bins of their own.

    Returns
    -------
    thresholds : float64 ndarray of shape (n_bins − 1,)
        Ascending. With at most `max_bins` different values they lie midway between
        neighbours, else at quantiles, and on both sides of those in `apart`.
    """
    apart = np.empty(0) if apart is None else np.unique(apart[~np.isnan(apart)])
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
        # The quantiles k/n_bins by the inverted distribution, as in scikit-learn.
        n_bins = max_bins - 2 * len(apart)
        at = -(-np.arange(1, n_bins) * n // n_bins) - 1
        at[at > zeros_at] -= np.minimum(at[at > zeros_at] - zeros_at, n_zeros - 1)
        below = distinct[np.maximum(np.searchsorted(distinct, apart) - 1, 0)]
        low = np.unique(np.concatenate([values[at], below, apart]))
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
