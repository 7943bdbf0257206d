"""Rows of a table, looked up, and added up again.

The NumPy reference stands here; `skdl.ops._numba.embedding` has its compiled twin.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from skdl._config import use_numba
from skdl._typing import Array


def _twin() -> Any:
    return import_module("skdl.ops._numba.embedding") if use_numba() else None


def take_rows(table: Array, which: Array, out: Array) -> Array:
    """y[p] = table[which[p]].

    Parameters
    ----------
    table : ndarray of shape (n_rows, k)
        The table.
    which : ndarray of int of any shape
        Row numbers, in range.
    out : ndarray of the shape of `which` and (k,)
        Receives y.

    Returns
    -------
    out : ndarray of the shape of `which` and (k,)
        y.
    """
    if (twin := _twin()) is not None:
        return twin.take_rows(table, which, out)
    # mode="clip" lets NumPy write into `out` without a buffer.
    return np.take(table, which, axis=0, out=out, mode="clip")


def add_up_rows(dy: Array, which: Array, out: Array) -> Array:
    """∂L/∂table[i] = Σ ∂L/∂y[p] over the p with which[p] = i; 0 where none is.

    Parameters
    ----------
    dy : ndarray of the shape of `which` and (k,)
        ∂L/∂y.
    which : ndarray of int of any shape
        Row numbers, in range.
    out : ndarray of shape (n_rows, k)
        Receives the sums.

    Returns
    -------
    out : ndarray of shape (n_rows, k)
        The sums.
    """
    if (twin := _twin()) is not None:
        return twin.add_up_rows(dy, which, out)
    out[...] = 0
    if which.size:  # those of one row side by side
        flat = which.ravel()
        order = np.argsort(flat, kind="stable")
        numbers, starts = np.unique(flat[order], return_index=True)
        rows = dy.reshape(-1, dy.shape[-1])[order]
        out[numbers] = np.add.reduceat(rows, starts, axis=0)
    return out
