"""The affine map Z = XW + b and its derivatives; X may be sparse."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.ops.vector import column_sum


def linear(x: Any, W: Array, b: Array | None, out: Array) -> Array:
    """Z = XW + b.

    Parameters
    ----------
    x : {ndarray, sparse matrix} of shape (n, n_in)
        Rows are samples.
    W : ndarray of shape (n_in, n_out)
        Weights.
    b : ndarray of shape (n_out,) or None
        Biases.
    out : ndarray of shape (n, n_out)
        Receives Z.

    Returns
    -------
    out : ndarray of shape (n, n_out)
        Z.
    """
    if isinstance(x, np.ndarray):
        np.dot(x, W, out=out)
    else:  # sparse: SciPy's product cannot write into given memory
        out[...] = x @ W
    if b is not None:
        out += b
    return out


def linear_backward_weights(
    dz: Array, x: Any, dW: Array, db: Array | None = None
) -> None:
    """∂L/∂W = Xᵀ ∂L/∂Z and ∂L/∂b = column sums of ∂L/∂Z, written in place.

    Parameters
    ----------
    dz : ndarray of shape (n, n_out)
        ∂L/∂Z.
    x : {ndarray, sparse matrix} of shape (n, n_in)
        Input of the forward pass.
    dW : ndarray of shape (n_in, n_out)
        Receives ∂L/∂W.
    db : ndarray of shape (n_out,), default=None
        Receives ∂L/∂b, unless None.
    """
    if isinstance(x, np.ndarray):
        np.dot(x.T, dz, out=dW)
    else:
        dW[...] = x.T @ dz
    if db is not None:
        column_sum(dz, db)


def linear_backward_input(dz: Array, W: Array, out: Array) -> Array:
    """∂L/∂X = ∂L/∂Z Wᵀ.

    Parameters
    ----------
    dz : ndarray of shape (n, n_out)
        ∂L/∂Z.
    W : ndarray of shape (n_in, n_out)
        Weights.
    out : ndarray of shape (n, n_in)
        Receives ∂L/∂X.

    Returns
    -------
    out : ndarray of shape (n, n_in)
        ∂L/∂X.
    """
    return np.dot(dz, W.T, out=out)
