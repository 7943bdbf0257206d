"""Passes over long vectors."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

import numpy as np
from numpy.typing import DTypeLike

from skdl._config import use_numba
from skdl._typing import Array

# Long vectors are worked on in blocks: a block of each vector that takes part stays in
# the second-level cache, where whole vectors would not.
BLOCK = 32768


@lru_cache(maxsize=32)
def ones(n: int, dtype: DTypeLike) -> Array:
    """Return a read-only vector of ones.

    A product with it adds up rows or columns several times faster than NumPy's
    reduction of a short axis does.

    Parameters
    ----------
    n : int
        Length.
    dtype : dtype
        Type.

    Returns
    -------
    ones : ndarray of shape (n,)
        The vector.
    """
    vector = np.ones(n, dtype=dtype)
    vector.flags.writeable = False
    return vector


def add_scaled(out: Array, x: Array, factor: float, work: Array) -> float:
    """out ← out + factor·x, in place; also gives ‖x‖², while x is in the cache.

    Parameters
    ----------
    out, x : ndarray of shape (n,)
        Vectors.
    factor : float
        The factor.
    work : ndarray of shape (min(n, BLOCK),)
        Scratch memory.

    Returns
    -------
    squared_norm : float
        ‖x‖².
    """
    n, squared_norm, kernel = out.size, 0.0, None
    if n > BLOCK and use_numba(n):
        kernel = import_module("skdl.ops._numba.update").add_scaled
    for start in range(0, n, BLOCK):
        part, target = x[start : start + BLOCK], out[start : start + BLOCK]
        if kernel is None:
            target += np.multiply(part, factor, out=work[: part.size])
        else:
            kernel(target, part, out.dtype.type(factor))
        squared_norm += float(part @ part)
    return squared_norm


def row_max(x: Array, out: Array) -> Array:
    """Return the maximum of each row.

    Parameters
    ----------
    x : ndarray of shape (n, k)
        Matrix.
    out : ndarray of shape (n,)
        Receives the maxima.

    Returns
    -------
    out : ndarray of shape (n,)
        The maxima.
    """
    n, k = x.shape
    if n < 16 * k:
        return np.maximum.reduce(x, axis=1, out=out)
    # Column by column: NumPy's reduction of a short axis costs more on many rows.
    np.copyto(out, x[:, 0])
    for j in range(1, k):
        np.maximum(out, x[:, j], out=out)
    return out


def row_sum(x: Array, out: Array) -> Array:
    """Return the sum of each row.

    Parameters
    ----------
    x : ndarray of shape (n, k)
        Matrix.
    out : ndarray of shape (n,)
        Receives the sums.

    Returns
    -------
    out : ndarray of shape (n,)
        The sums.
    """
    return np.dot(x, ones(x.shape[1], x.dtype), out=out)


def column_sum(x: Array, out: Array) -> Array:
    """Return the sum of each column.

    Parameters
    ----------
    x : ndarray of shape (n, k)
        Matrix.
    out : ndarray of shape (k,)
        Receives the sums.

    Returns
    -------
    out : ndarray of shape (k,)
        The sums.
    """
    return np.dot(ones(x.shape[0], x.dtype), x, out=out)
