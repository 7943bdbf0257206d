"""Histograms: sums of gradients, Hessians and counts over the rows of each bin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdl.tree._binning import BinnedData
from skdl.tree._packing import Packing

Array = NDArray[Any]

_FLAT_ROWS = 4096  # up to so many rows one bincount takes all features


def quantise(g: Array, h: Array | None, packing: Packing) -> tuple[Array, Array | None]:
    """Return gradients and Hessians as integers.

    Parameters
    ----------
    g : ndarray of shape (n_outputs, n)
        Gradients.
    h : ndarray of shape (n_outputs, n) or None
        Hessians; None where all are the same.
    packing : Packing
        The scales.

    Returns
    -------
    a : int64 ndarray of shape (n_outputs, n)
        ``gradient << count_bits | 1``: a row with its count.
    b : int64 ndarray of shape (n_outputs, n) or None
        Hessians.
    """
    a = np.rint(g * packing.g_scale).astype(np.int64) << packing.count_bits
    a += 1
    if h is None:
        return a, None
    return a, np.rint(h * packing.h_scale).astype(np.int64)


def histogram(
    binned: BinnedData, offsets: Array, rows: Array, values: Array, n_all: int
) -> Array:
    """Return the sums of integer values over the rows in each bin.

    Parameters
    ----------
    binned : BinnedData
        The features.
    offsets : int64 ndarray of shape (n_used + 1,)
        Where each feature's bins start.
    rows : ndarray of shape (n_rows,)
        Rows of the node.
    values : int64 ndarray of shape (n,)
        One value a row.
    n_all : int
        Number of values whose sum must not round: sums of up to 53 bits are exact in
        float64; larger ones are summed in two halves.

    Returns
    -------
    sums : int64 ndarray of shape (total_bins,)
        The histogram, feature after feature.
    """
    taken = values[rows]
    largest = int(np.abs(taken).max(initial=0))
    if largest * n_all < 1 << 53:
        return _sums(binned, offsets, rows, taken.astype(np.float64))
    high = taken >> 26
    low = taken - (high << 26)
    return (_sums(binned, offsets, rows, high.astype(np.float64)) << 26) + _sums(
        binned, offsets, rows, low.astype(np.float64)
    )


def _sums(binned: BinnedData, offsets: Array, rows: Array, taken: Array) -> Array:
    n_features = len(binned.n_bins)
    total = int(offsets[-1])
    if len(rows) <= _FLAT_ROWS:
        all_codes = binned.columns[:, rows] + offsets[:-1, None]
        weights = np.broadcast_to(taken, all_codes.shape)
        flat = np.bincount(all_codes.ravel(), weights.ravel(), minlength=total)
        return flat.astype(np.int64)
    sums = np.empty(total)
    for f in range(n_features):
        start, end = offsets[f], offsets[f + 1]
        codes = binned.columns[f].take(rows)
        sums[start:end] = np.bincount(codes, taken, minlength=end - start)
    return sums.astype(np.int64)
