"""The affine map Z = XW + b and its derivatives; X may be sparse.

Of arrays with more axes each vector along the last one is a row.
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.ops import _blas
from skdl.ops._threads import run_chunks
from skdl.ops.vector import column_sum

SHARED = 2**23  # multiplications, 0.1 to 0.2 ms: what is worth a second thread
_BLOCK = 2**25  # what is worth one more: each packs all of the other matrix anew
_NARROWEST = 48  # a block packs all of the other matrix: few rows do not pay for that
_NARROW = 192  # nor do these for more than two blocks
_MOST = 16  # blocks


@lru_cache(maxsize=1)
def _compiled() -> Any:
    return import_module("skdl.ops._numba.linear")


def product(a: Array, b: Array, out: Array) -> Array:
    """C = AB, large ones in blocks that threads share.

    The blocks depend on the shapes alone, and each is one thread's work: inside of
    `one_blas_thread` the bits of C do not depend on the number of threads.

    Parameters
    ----------
    a : ndarray of shape (m, k)
        A.
    b : ndarray of shape (k, n)
        B.
    out : ndarray of shape (m, n)
        Receives C.

    Returns
    -------
    out : ndarray of shape (m, n)
        C.
    """
    if out.size * a.shape[1] < SHARED or not (n_threads := _blas.n_threads()):
        return a.dot(b, out)  # np.dot looks for overrides first
    (m, k), n = a.shape, b.shape[1]
    bounds = _cuts(m, n, k)

    def block(i: int) -> None:
        _blas.helping()
        part = slice(bounds[i], bounds[i + 1])
        with np.errstate(invalid="ignore"):  # BLAS may say so of finite numbers
            if m >= n:
                np.matmul(a[part], b, out=out[part])
            else:
                np.matmul(a, b[:, part], out=out[:, part])

    run_chunks(block, len(bounds) - 1, n_threads)
    return out


def _cuts(m: int, n: int, k: int) -> list[int]:
    """Return where the longer side of C is cut: a power of two of equal parts."""
    length = max(m, n)
    wide = max(min(2, length // _NARROWEST), length // _NARROW)
    most = min(max(2, m * n * k // _BLOCK), wide, _MOST)
    n_parts = 1 << max(most, 1).bit_length() - 1
    # Whole vector registers and kernel tiles in all parts but the last.
    return [16 * round(length * i / n_parts / 16) for i in range(n_parts)] + [length]


def linear(
    x: Any,
    W: Array,
    b: Array | None,
    out: Array,
    floor: float = -math.inf,
    compiled: bool = False,
) -> Array:
    """Z = max(floor, XW + b).

    Parameters
    ----------
    x : {ndarray, sparse matrix} of shape (..., n_in)
        Rows are samples.
    W : ndarray of shape (n_in, n_out)
        Weights.
    b : ndarray of shape (n_out,) or None
        Biases.
    out : ndarray of shape (..., n_out)
        Receives Z.
    floor : float, default=-inf
        The least value of Z: 0 makes it ReLU of the affine map. NaN stays.
    compiled : bool, default=False
        Whether a single row goes to compiled code.

    Returns
    -------
    out : ndarray of shape (..., n_out)
        Z.
    """
    if compiled and isinstance(x, np.ndarray) and len(x) == 1 and x.ndim == 2:
        return _compiled().linear_row(x, W, b, out, floor)
    if isinstance(x, np.ndarray):
        if x.ndim == 2:
            product(x, W, out)
        else:
            product(_rows(x), W, _rows(out))
    else:  # sparse: SciPy's product cannot write into given memory
        out[...] = x @ W
    if b is not None:
        out += b
    return np.maximum(out, floor, out=out) if floor > -math.inf else out


def linear_backward_weights(
    dz: Array, x: Any, dW: Array, db: Array | None = None
) -> None:
    """∂L/∂W = Xᵀ ∂L/∂Z and ∂L/∂b = column sums of ∂L/∂Z, written in place.

    Parameters
    ----------
    dz : ndarray of shape (..., n_out)
        ∂L/∂Z.
    x : {ndarray, sparse matrix} of shape (..., n_in)
        Input of the forward pass.
    dW : ndarray of shape (n_in, n_out)
        Receives ∂L/∂W.
    db : ndarray of shape (n_out,), default=None
        Receives ∂L/∂b, unless None.
    """
    if dz.ndim != 2:
        dz = _rows(dz)
    if isinstance(x, np.ndarray):
        product(x.T if x.ndim == 2 else _rows(x).T, dz, dW)
    else:
        dW[...] = x.T @ dz
    if db is not None:
        column_sum(dz, db)


def linear_backward_input(dz: Array, W: Array, out: Array) -> Array:
    """∂L/∂X = ∂L/∂Z Wᵀ.

    Parameters
    ----------
    dz : ndarray of shape (..., n_out)
        ∂L/∂Z.
    W : ndarray of shape (n_in, n_out)
        Weights.
    out : ndarray of shape (..., n_in)
        Receives ∂L/∂X.

    Returns
    -------
    out : ndarray of shape (..., n_in)
        ∂L/∂X.
    """
    if dz.ndim == 2:
        return product(dz, W.T, out)
    product(_rows(dz), W.T, _rows(out))
    return out


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])
