"""Histograms: sums of gradients, Hessians and counts over the rows of each bin.

Rows and bins make a sparse matrix of zeros and ones; its product with the rows' values
is the histogram. SciPy multiplies all of a row's values in one pass, without the GIL.
For few rows `bincount` does the same. Sums are integers below 2**53, which float64 adds
without rounding in any order.
"""

from __future__ import annotations

from threading import Lock

import numpy as np
from scipy.sparse import csc_array, csr_array

from skdl._typing import Array
from skdl.ops._threads import run_chunks
from skdl.tree._packing import Packing
from skdl.tree._space import BinSpace

_ENTRIES = 2**18  # of a chunk, at least: rows × features
_PER_BIN = 8  # and so many times the number of bins, as each chunk has sums of its own
_FEW = 2**15  # entries up to which the matrix costs more to set up than it saves


class Values:
    """What histograms add up: quantised gradients, ones for the counts, and Hessians.

    Parameters
    ----------
    g : float64 ndarray of shape (n_outputs, n)
        Gradients.
    h : float64 ndarray of shape (n_outputs, n) or None
        Hessians; not looked at where all are the same.
    packing : Packing
        The scales.
    """

    def __init__(self, g: Array, h: Array | None, packing: Packing) -> None:
        self.n_outputs = len(g)
        self.packing = packing
        parts = [np.rint(g * packing.g_scale)]
        if packing.joined:  # gradient and count share a number
            parts[0] *= 1 << packing.count_bits
            parts[0] += 1.0
        else:
            parts.append(np.ones((1, g.shape[1])))
        if h is not None and packing.newton:
            parts.append(np.rint(h * packing.h_scale))
        # A row's numbers stand side by side; shape (n, n_columns).
        self.rows = np.concatenate(parts).T.copy()

    def packed(self, sums: Array) -> Array:
        """Return sums of rows as histograms hold them.

        Parameters
        ----------
        sums : float64 ndarray of shape (m, n_columns)
            Sums.

        Returns
        -------
        packed : int64 ndarray of shape (k, m)
            ``gradient << count_bits | count`` of each output, then the Hessians, if
            rows have their own.
        """
        packed = sums.T.astype(np.int64, order="C")
        if self.packing.joined:
            return packed
        k = self.n_outputs
        packed[:k] <<= self.packing.count_bits
        packed[:k] += packed[k]
        return np.delete(packed, k, axis=0)


def histogram(bins: Array, space: BinSpace, rows: Array, values: Values) -> Array:
    """Return the sums over the rows in each bin.

    Parameters
    ----------
    bins : uint8 ndarray of shape (n, n_used)
        The binned rows.
    space : BinSpace
        The bins.
    rows : int64 ndarray of shape (n_rows,)
        Rows of the node.
    values : Values
        What to sum.

    Returns
    -------
    sums : int64 ndarray of shape (k, space.size)
        See `Values.packed`.
    """
    n_features = len(space.features)
    starts = space.starts[:-1].astype(np.int32)
    entries = max(_ENTRIES, _PER_BIN * space.size)
    n_chunk = max(1, entries // n_features)

    def add_up(part: Array) -> Array:
        codes = bins.take(part, axis=0)
        if not space.whole:
            codes = codes.take(space.features, axis=1)
        indices = np.add(codes, starts, dtype=np.int32).ravel()
        added = values.rows.take(part, axis=0)
        if len(indices) <= _FEW:
            weights = added.repeat(n_features, axis=0).T
            columns = [np.bincount(indices, w, space.size) for w in weights]
            return np.stack(columns, axis=1)
        ends = np.arange(len(part) + 1, dtype=np.int32) * np.int32(n_features)
        members = csc_array(
            (np.ones(len(indices)), indices, ends), shape=(space.size, len(part))
        )
        sums: Array = members @ added
        return sums

    if len(rows) <= n_chunk:
        return values.packed(add_up(rows))
    total = np.zeros((space.size, values.rows.shape[1]))
    lock = Lock()

    def add_chunk(chunk: int) -> None:
        sums = add_up(rows[chunk * n_chunk : (chunk + 1) * n_chunk])
        with lock:
            np.add(total, sums, out=total)

    run_chunks(add_chunk, -(-len(rows) // n_chunk))
    return values.packed(total)


def sparse_histogram(
    entries: csr_array, space: BinSpace, zeros: Array, rows: Array, values: Values
) -> Array:
    """Return the sums over the rows in each bin, of sparse rows.

    Parameters
    ----------
    entries : csr_array of shape (n, n_bins)
        Ones where a row's value is stored, in its bin among those of all features.
    space : BinSpace
        The bins that are wanted.
    zeros : int64 ndarray of shape (n_used,)
        Bin of the values that are not stored, within each feature.
    rows : int64 ndarray of shape (n_rows,)
        Rows of the node.
    values : Values
        What to sum.

    Returns
    -------
    sums : int64 ndarray of shape (k, space.size)
        See `Values.packed`.
    """
    added = values.rows.take(rows, axis=0)
    sums = entries[rows].T @ added
    if not space.whole:
        sums = sums[space.places]
    if len(space.features):
        rest = added.sum(axis=0) - np.add.reduceat(sums, space.starts[:-1], axis=0)
        sums[space.starts[:-1] + zeros[space.features]] += rest
    return values.packed(sums)
