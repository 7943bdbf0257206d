"""Batch normalisation of channels, with what often follows it in the same pass.

Arrays are (…, c), such as images (n, h, w, c): the statistics of a channel are those of
all its pixels in the batch. Only the statistics are kept for the backward pass, and an
addition (of a residual branch) and ReLU may follow. The NumPy reference stands here;
`skdl.ops._numba.channel_norm` has its twin.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from skdl._config import use_numba
from skdl._typing import Array

Empty = Callable[..., Array]


@lru_cache(maxsize=2)
def _compiled(name: str) -> Any:
    return import_module(f"skdl.ops._numba.{name}")


def _twin(x: Array) -> Any:
    """Return the compiled twin, of pictures: rows of features take no time."""
    return _compiled("channel_norm") if x.ndim > 2 and use_numba() else None


def _but_channels(x: Array) -> tuple[int, ...]:
    return tuple(range(x.ndim - 1))


def channel_norm(
    x: Array,
    gamma: Array,
    beta: Array,
    epsilon: float,
    out: Array,
    mean: Array,
    variance: Array,
    inv_std: Array,
    other: Array | None = None,
    floor: float = -np.inf,
    parts: tuple[Array, Array] | None = None,
) -> Array:
    """y = max(floor, γ·(x − μ)/√(σ² + ε) + β + other), by channels over the batch.

    Parameters
    ----------
    x : ndarray of shape (…, c)
        Input; at least one row.
    gamma, beta : ndarray of shape (c,)
        Scale and shift.
    epsilon : float
        Keeps the root away from zero.
    out : ndarray of shape (…, c)
        Receives y; not the memory of `x`, which the backward pass needs.
    mean, variance, inv_std : ndarray of shape (c,)
        Receive μ, σ² (the biased one) and 1/√(σ² + ε).
    other : ndarray of shape (…, c), default=None
        What is added, unless None.
    floor : float, default=-inf
        The least value of y: 0 makes it ReLU. NaN stays.
    parts : tuple of two ndarray of shape (n, c), default=None
        Means and Σ(x − mean)² of n equal parts of the rows, for compiled code, which
        then need not work them out.

    Returns
    -------
    out : ndarray of shape (…, c)
        y.
    """
    if (twin := _twin(x)) is not None:
        found = mean, variance, inv_std
        args = x, gamma, beta, epsilon, out, *found, other, floor, parts
        return twin.channel_norm(*args)
    mean[...] = exact = x.mean(axis=_but_channels(x), dtype=np.float64)
    np.subtract(x, exact.astype(x.dtype), out=out)
    np.multiply(out, out, out=out)
    variance[...] = out.mean(axis=_but_channels(x), dtype=np.float64)
    inv_std[...] = 1 / np.sqrt(variance + epsilon)
    scale = gamma * inv_std
    return channel_scale(x, scale, beta - mean * scale, out, other, floor)


def channel_scale(
    x: Array,
    scale: Array,
    shift: Array,
    out: Array,
    other: Array | None = None,
    floor: float = -np.inf,
) -> Array:
    """y = max(floor, scale·x + shift + other), one factor and one summand a channel.

    Parameters
    ----------
    x : ndarray of shape (…, c)
        Input.
    scale, shift : ndarray of shape (c,)
        Factors and summands.
    out : ndarray of shape (…, c)
        Receives y; may be the memory of `x`.
    other : ndarray of shape (…, c), default=None
        What is added, unless None.
    floor : float, default=-inf
        The least value of y. NaN stays.

    Returns
    -------
    out : ndarray of shape (…, c)
        y.
    """
    if (twin := _twin(x)) is not None:
        return twin.channel_scale(x, scale, shift, out, other, floor)
    np.multiply(x, scale, out=out)
    out += shift
    if other is not None:
        out += other
    return np.maximum(out, floor, out=out) if floor > -np.inf else out


def channel_norm_backward(
    x: Array,
    dy: Array,
    gamma: Array,
    beta: Array,
    mean: Array,
    inv_std: Array,
    dgamma: Array,
    dbeta: Array,
    out: Array,
    y: Array | None = None,
    empty: Empty = np.empty,
) -> Array:
    """Backward of `channel_norm`, through μ and σ².

    ∂x = γ/√(σ²+ε) · (∂y − mean(∂y) − x̂·mean(∂y·x̂)), x̂ = (x − μ)/√(σ²+ε).

    Parameters
    ----------
    x : ndarray of shape (…, c)
        Input of the forward pass.
    dy : ndarray of shape (…, c)
        ∂L/∂y.
    gamma, beta : ndarray of shape (c,)
        Scale and shift.
    mean, inv_std : ndarray of shape (c,)
        μ and 1/√(σ²+ε) of the forward pass.
    dgamma, dbeta : ndarray of shape (c,)
        Receive ∂L/∂γ and ∂L/∂β.
    out : ndarray of shape (…, c)
        Receives ∂L/∂x; not the memory of `x` or `dy`.
    y : ndarray of shape (…, c), default=None
        Output of the forward pass, if its floor was 0 and nothing was added. Compiled
        code does not read it: it sees in `x` where y > 0.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.

    Returns
    -------
    out : ndarray of shape (…, c)
        ∂L/∂x.
    """
    if (twin := _twin(x)) is not None:
        args = x, dy, gamma, beta, mean, inv_std, dgamma, dbeta, out
        return twin.channel_norm_backward(*args, y is not None)
    if y is not None:
        kept = empty(dy.shape, dy.dtype)
        kept[...] = dy
        below = np.less_equal(y, 0, out=empty(y.shape, np.bool_))
        np.copyto(kept, kept.dtype.type(0), where=below)
        dy = kept
    dbeta[...] = dy.sum(axis=_but_channels(x), dtype=np.float64)
    work = np.subtract(x, mean, out=empty(x.shape, x.dtype))
    work *= dy
    dgamma[...] = work.sum(axis=_but_channels(x), dtype=np.float64)
    dgamma *= inv_std
    # ∂x = a·∂y + b·x + d
    n = x.size // x.shape[-1]
    a = gamma * inv_std
    b = -a * inv_std * dgamma / n
    d = -a * dbeta / n - b * mean
    np.multiply(dy, a, out=out)
    out += np.multiply(x, b, out=work)
    out += d
    return out


def add(x: Array, other: Array, out: Array, floor: float = -np.inf) -> Array:
    """y = max(floor, x + other).

    Parameters
    ----------
    x, other : ndarray of shape (…, c)
        Summands.
    out : ndarray of shape (…, c)
        Receives y.
    floor : float, default=-inf
        The least value of y. NaN stays.

    Returns
    -------
    out : ndarray of shape (…, c)
        y.
    """
    if x.ndim > 2 and use_numba():
        return _compiled("elementwise").add(x, other, out, floor)
    np.add(x, other, out=out)
    return np.maximum(out, floor, out=out) if floor > -np.inf else out
