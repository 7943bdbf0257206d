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
    binned: BinnedData,
    offsets: Array,
    features: Array,
    rows: Array,
    values: Array,
    n_all: int,
) -> Array:
    """Return the sums of integer values over the rows in each bin.

    Parameters
    ----------
    binned : BinnedData
        The features.
    offsets : int64 ndarray of shape (n_used + 1,)
        Where each feature's bins start.
    features : int64 ndarray
        The features to count; the bins of others are 0.
    rows : ndarray of shape (n_rows,)
        Rows of the node.
    values : int64 ndarray of shape (k, n)
        What to sum.
    n_all : int
        Number of values whose sum must not round: sums of up to 53 bits are exact in
        float64; larger ones are summed in two halves.

    Returns
    -------
    sums : int64 ndarray of shape (k, total_bins)
        The histograms, feature after feature.
    """
    flat = None
    if len(rows) <= _FLAT_ROWS:
        codes = binned.columns.take(rows, axis=1)
        codes = codes if len(features) == len(codes) else codes[features]
        flat = (codes + offsets[features, None]).ravel()

    def add_sums(taken: Array, out: Array) -> None:
        """Add the sums of integers that float64 holds exactly."""
        weights = taken.astype(np.float64)
        if flat is not None:
            weights = np.tile(weights, len(features))
            out += np.bincount(flat, weights, len(out)).astype(np.int64)
            return
        for f in features:
            code, part = binned.columns[f].take(rows), out[offsets[f] : offsets[f + 1]]
            part += np.bincount(code, weights, len(part)).astype(np.int64)

    sums = np.zeros((len(values), int(offsets[-1])), dtype=np.int64)
    for out, value in zip(sums, values, strict=True):
        taken = value.take(rows)
        if int(np.abs(taken).max(initial=0)) * n_all < 1 << 53:
            add_sums(taken, out)
        else:
            high = taken >> 26
            add_sums(high, out)
            out <<= 26
            add_sums(taken - (high << 26), out)
    return sums
