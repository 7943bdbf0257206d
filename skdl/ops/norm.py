"""Batch normalisation, forward and backward (Ioffe & Szegedy 2015)."""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.ops.vector import column_sum


def batch_norm(
    x: Array,
    gamma: Array,
    beta: Array,
    epsilon: float,
    xhat: Array,
    out: Array,
    mean: Array,
    variance: Array,
    inv_std: Array,
) -> None:
    """y = γ·x̂ + β with x̂ = (x − μ)/√(σ² + ε) over the batch.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Input.
    gamma, beta : ndarray of shape (d,)
        Scale and shift.
    epsilon : float
        Keeps the root away from zero.
    xhat, out : ndarray of shape (n, d)
        Receive x̂ and y.
    mean, variance, inv_std : ndarray of shape (d,)
        Receive μ, σ² (the biased one) and 1/√(σ² + ε).
    """
    n = x.shape[0]
    column_sum(x, mean)
    mean /= n
    np.subtract(x, mean, out=xhat)
    np.multiply(xhat, xhat, out=out)
    column_sum(out, variance)
    variance /= n
    np.add(variance, epsilon, out=inv_std)
    np.sqrt(inv_std, out=inv_std)
    np.reciprocal(inv_std, out=inv_std)
    xhat *= inv_std
    np.multiply(xhat, gamma, out=out)
    out += beta


def batch_norm_backward(
    dy: Array,
    xhat: Array,
    inv_std: Array,
    gamma: Array,
    dgamma: Array,
    dbeta: Array,
    out: Array,
) -> Array:
    """Backward of `batch_norm`, through μ and σ².

    ∂x = γ/√(σ²+ε) · (∂y − mean(∂y) − x̂·mean(∂y·x̂)).

    Parameters
    ----------
    dy : ndarray of shape (n, d)
        ∂L/∂y.
    xhat : ndarray of shape (n, d)
        x̂ of the forward pass.
    inv_std : ndarray of shape (d,)
        1/√(σ²+ε) of the forward pass.
    gamma : ndarray of shape (d,)
        Scale.
    dgamma, dbeta : ndarray of shape (d,)
        Receive ∂L/∂γ and ∂L/∂β.
    out : ndarray of shape (n, d)
        Receives ∂L/∂x; not the memory of `dy`.

    Returns
    -------
    out : ndarray of shape (n, d)
        ∂L/∂x.
    """
    n = dy.shape[0]
    column_sum(dy, dbeta)
    np.multiply(dy, xhat, out=out)
    column_sum(out, dgamma)
    np.multiply(xhat, dgamma / n, out=out)
    np.subtract(dy, out, out=out)
    out -= dbeta / n
    out *= gamma * inv_std
    return out
