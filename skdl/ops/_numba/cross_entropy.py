"""Cross-entropy of softmax and of sigmoid, loss and gradient in a pass (compiled)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skdl._typing import Array
from skdl.ops._numba.curves import exp
from skdl.ops._numba.images import chunks_of
from skdl.ops._numba.reduce import largest_of, product_of, sum_of
from skdl.ops._numba.team import Kernel, n_slots

PASS = 50  # multiplications of a convolution that take as long as a number here
_FACTORS = 96  # numbers up to 2 whose product single precision holds


@Kernel
def of_codes(y, raw, weight, scale, smoothing, loss, gradient, first, last, slot):  # type: ignore[no-untyped-def]
    """Losses of the rows first … last − 1, and scale · weight · their gradients."""
    k = raw.shape[1]
    flat, out = raw.reshape(raw.size), gradient.reshape(gradient.size)
    rest, most = smoothing / raw.dtype.type(k), raw.dtype.type(1) - smoothing
    for i in range(first, last):
        at, true = i * k, i * k + y[i]
        row, p = raw[i], gradient[i]
        top = largest_of(flat, at, k)
        for j in range(k):
            p[j] = exp(row[j] - top)
        total = sum_of(out, at, k)
        value = np.log(total) - most * (flat[true] - top)
        if smoothing > 0:
            value -= rest * (sum_of(flat, at, k) - raw.dtype.type(k) * top)
        w = weight[i] if weight.size else raw.dtype.type(1)
        loss[i] = w * value
        w *= scale
        factor, less = w / total, w * rest
        for j in range(k):
            p[j] = p[j] * factor - less
        out[true] -= w * most


def cross_entropy(
    y: Array,
    raw: Array,
    weight: Array | None,
    scale: float,
    smoothing: float,
    empty: Callable[..., Array],
) -> tuple[float, Array]:
    """Return the weighted sum of −ln softmax(raw)[y] and its gradient.

    Parameters
    ----------
    y : ndarray of int of shape (n,)
        Class codes, in range.
    raw : ndarray of shape (n, k)
        Raw predictions.
    weight : ndarray of shape (n,) or None
        Weights.
    scale : float
        A common factor.
    smoothing : float
        Share of the targets that is spread over all classes.
    empty : callable
        ``empty(shape, dtype)`` gives memory.

    Returns
    -------
    total : float
        scale · Σ weight · loss.
    gradient : ndarray of shape (n, k)
        Its derivative.
    """
    y, raw = np.ascontiguousarray(y), np.ascontiguousarray(raw)
    n, dtype = len(raw), raw.dtype
    loss, gradient = empty(n, dtype), empty(raw.shape, dtype)
    weights = np.ascontiguousarray([] if weight is None else weight, dtype)
    factor, share = dtype.type(scale), dtype.type(smoothing)
    args = y, raw, weights, factor, share, loss, gradient
    of_codes((y.dtype, dtype), args, n, chunks_of(n, PASS * raw.shape[1]))
    return scale * float(loss.sum()), gradient


@Kernel
def of_shares(  # type: ignore[no-untyped-def]
    y, raw, weight, scale, smoothing, loss, gradient, rooms, first, last, slot
):
    """The same for numbers of their own, p = sigmoid(raw).

    With e = e^−|z| the loss is max(z, 0) − t·z + ln(1 + e). The logarithms of some
    numbers are one of their product, which at most doubles with each.
    """
    n = raw.shape[1]
    one, half = raw.dtype.type(1), raw.dtype.type(0.5) * smoothing
    most = one - smoothing
    s, v = rooms[slot, 0], rooms[slot, 1]
    for i in range(first, last):
        row, t, g = raw[i], y[i], gradient[i]
        w = weight[i] if weight.size else one
        factor = scale * w
        for j in range(n):
            z = row[j]
            target = most * t[j] + half
            e = exp(-abs(z))
            up = one + e
            s[j] = up
            v[j] = (z if z > 0 else z - z) - target * z  # z − z: NaN stays
            g[j] = factor * ((one if z > 0 else e) / up - target)
        value = sum_of(v, 0, n)
        for start in range(0, n, _FACTORS):
            value += np.log(product_of(s, start, min(_FACTORS, n - start)))
        loss[i] = w * value


def binary_cross_entropy(
    y: Array,
    raw: Array,
    weight: Array | None,
    scale: float,
    smoothing: float,
    empty: Callable[..., Array],
) -> tuple[float, Array]:
    """Return the weighted sum of −y·ln p − (1−y)·ln(1−p) and its gradient.

    Parameters
    ----------
    y : ndarray of shape (n, k)
        Numbers from 0 to 1.
    raw : ndarray of shape (n, k)
        Raw predictions.
    weight : ndarray of shape (n,) or None
        Weights of the rows.
    scale : float
        A common factor.
    smoothing : float
        Targets 0 and 1 become smoothing/2 and 1 − smoothing/2.
    empty : callable
        ``empty(shape, dtype)`` gives memory.

    Returns
    -------
    total : float
        scale · Σ weight · loss.
    gradient : ndarray of shape (n, k)
        Its derivative.
    """
    y, raw = np.ascontiguousarray(y), np.ascontiguousarray(raw)
    (n, k), dtype = raw.shape, raw.dtype
    loss, gradient = empty(n, dtype), empty(raw.shape, dtype)
    weights = np.ascontiguousarray([] if weight is None else weight, dtype)
    n_chunks = chunks_of(n, PASS * k)
    rooms = empty((n_slots(n_chunks), 2, k), dtype)
    factor, share = dtype.type(scale), dtype.type(smoothing)
    args = y, raw, weights, factor, share, loss, gradient, rooms
    of_shares((y.dtype, dtype), args, n, n_chunks)
    return scale * float(loss.sum()), gradient
