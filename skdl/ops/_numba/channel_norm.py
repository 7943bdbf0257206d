"""Batch normalisation of channels in few passes over memory (compiled).

Arrays are rows of c channels. Loops over few channels are shorter than a loop of
vectors and would run number by number: so as many rows as make some hundred numbers
are one, with the channels' coefficients repeated, and sums are folded at the end.

Passes over memory take most of the time. So where ReLU follows at once, the backward
pass does not read its output to see where that was 0: it works the sign out anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.ops._numba._inner import inner
from skdl.ops._numba.elementwise import BLOCK, PASS, over_numbers
from skdl.ops._numba.images import chunks_of, flat
from skdl.ops._numba.moments import (
    Moments,
    fold,
    join_moments,
    moments_of_blocks,
    repeat,
    wide_row,
)
from skdl.ops._numba.team import Direct, Kernel, n_slots


@Direct
def norm_factors(gamma, beta, mean, inv_std, out):  # type: ignore[no-untyped-def]
    """Repeated: scale and shift of a norm, and μ."""
    c = mean.size
    scale, shift, middle = out[0], out[1], out[2]
    for z in range(c):
        scale[z] = gamma[z] * inv_std[z]
        shift[z] = beta[z] - mean[z] * scale[z]
        middle[z] = mean[z]
    for row in (scale, shift, middle):
        repeat(row, c)


@Kernel
def scale_rows(x, scale, shift, other, add, floor, y, block, first, last, slot):  # type: ignore[no-untyped-def]
    """y = max(floor, scale·x + shift (+ other)) for the blocks first … last − 1."""
    wide, stop = scale.size, min(x.size, last * block)
    for start in range(first * block, stop, wide):
        end = min(start + wide, stop)
        p, q, out = x[start:end], other[start:end], y[start:end]
        if add:
            for j in range(end - start):
                v = p[j] * scale[j] + shift[j] + q[j]
                out[j] = floor if v < floor else v
        else:
            for j in range(end - start):
                v = p[j] * scale[j] + shift[j]
                out[j] = floor if v < floor else v


# Loops of few arrays each: LLVM makes no vectors where it would have to compare many of
# them for overlaps.


@inner
def pass_again(x, dy, start, stop, factors, out):  # type: ignore[no-untyped-def]
    """out = dy where scale·x + shift > 0, else 0; NaN passes."""
    zero, scale, shift = dy.dtype.type(0), factors[0], factors[1]
    p, q = dy[start:stop], x[start:stop]
    for j in range(stop - start):
        v = p[j]
        out[j] = zero if q[j] * scale[j] + shift[j] <= zero else v


@inner
def add_gradients(g, g0, x, start, stop, middle, a, b):  # type: ignore[no-untyped-def]
    """Add g to a and g·(x − μ) to b, for a repeated row."""
    p, q = g[g0 : g0 + stop - start], x[start:stop]
    for j in range(stop - start):
        a[j] += p[j]
        b[j] += p[j] * (q[j] - middle[j])


@Kernel
def block_gradients(x, dy, floored, factors, c, block, s, t, work, first, last, slot):  # type: ignore[no-untyped-def]
    """Σ dy and Σ dy·(x − μ) of the blocks; of dy what ReLU leaves, if one followed."""
    middle, wide = factors[2], factors.shape[1]
    a, b, room = work[slot, 0], work[slot, 1], work[slot, 2]
    for k in range(first, last):
        a[:] = 0
        b[:] = 0
        end = min(x.size, (k + 1) * block)
        for start in range(k * block, end, wide):
            stop = min(start + wide, end)
            if floored:
                pass_again(x, dy, start, stop, factors, room)
                add_gradients(room, 0, x, start, stop, middle, a, b)
            else:
                add_gradients(dy, start, x, start, stop, middle, a, b)
        fold(a, c, s[k])
        fold(b, c, t[k])


@Direct
def gradient_factors(s, t, n, gamma, mean, inv_std, dgamma, dbeta, out, work):  # type: ignore[no-untyped-def]
    """∂γ and ∂β, and the coefficients of ∂x = a·∂y + b·x + d, repeated; `work` is 0."""
    n_blocks, c = s.shape
    one, two = work[0], work[1]
    for k in range(n_blocks):
        for z in range(c):
            one[z] += s[k, z]
            two[z] += t[k, z]
    a, b, d = out[0], out[1], out[2]
    for z in range(c):
        dbeta[z], dgamma[z] = one[z], two[z] * inv_std[z]
        a[z] = gamma[z] * inv_std[z]
        b[z] = -a[z] * inv_std[z] * dgamma[z] / n
        d[z] = -a[z] * dbeta[z] / n - b[z] * mean[z]
    for row in (a, b, d):
        repeat(row, c)


@Kernel
def combine_rows(  # type: ignore[no-untyped-def]
    dy, x, combined, factors, floored, out, block, first, last, slot
):
    """out = a·dy + b·x + d for the blocks first … last − 1.

    Of dy what ReLU leaves, if one followed.
    """
    a, b, d = combined[0], combined[1], combined[2]
    scale, shift, zero = factors[0], factors[1], dy.dtype.type(0)
    wide, stop = a.size, min(x.size, last * block)
    for start in range(first * block, stop, wide):
        end = min(start + wide, stop)
        p, q, r = dy[start:end], x[start:end], out[start:end]
        if floored:
            for j in range(end - start):
                v = p[j]
                g = zero if q[j] * scale[j] + shift[j] <= zero else v
                r[j] = a[j] * g + (b[j] * q[j] + d[j])
        else:
            for j in range(end - start):
                r[j] = a[j] * p[j] + (b[j] * q[j] + d[j])


def _repeated(values: Array, dtype: Any) -> Array:
    """Return the coefficients of a repeated row."""
    c = len(values)
    rows = np.empty((wide_row(c) // c, c), dtype)
    rows[...] = values  # np.tile takes ten times as long
    return rows.reshape(-1)


def _block(c: int) -> int:
    """Return the numbers of a block: an even number of repeated rows."""
    return max(1, BLOCK // (2 * wide_row(c))) * 2 * wide_row(c)


def channel_norm(
    x: Array,
    gamma: Array,
    beta: Array,
    epsilon: float,
    out: Array,
    mean: Array,
    variance: Array,
    inv_std: Array,
    other: Array | None,
    floor: float,
    moments: Moments | None,
) -> Array:
    """Twin of `skdl.ops.channel_norm.channel_norm`.

    Blocks are cut by the shape alone.
    """
    c, dtype, x1 = x.shape[-1], x.dtype, flat(x)
    block, n = _block(c), x.size // c
    rows = block // c
    if moments is None:
        moments = moments_of_blocks(x1, c, block)
    else:
        rows = n // len(moments[0])
    join_moments(dtype, *moments, rows, n, mean, variance, np.zeros((2, c)))
    inv_std[...] = 1 / np.sqrt(variance + epsilon)
    factors = _norm_factors(gamma, beta, mean, inv_std)
    _scale(x1, factors[0], factors[1], other, floor, out, block)
    return out


def _norm_factors(gamma: Array, beta: Array, mean: Array, inv_std: Array) -> Array:
    out = np.empty((3, wide_row(len(mean))), mean.dtype)
    norm_factors(mean.dtype, gamma, beta, mean, inv_std, out)
    return out


def _scale(
    x1: Array,
    scale: Array,
    shift: Array,
    other: Array | None,
    floor: float,
    out: Array,
    block: int,
) -> None:
    summand = x1 if other is None else flat(other)
    least = x1.dtype.type(floor)
    args = x1, scale, shift, summand, other is not None, least, out.reshape(-1)
    over_numbers(scale_rows, args, block)


def channel_scale(
    x: Array,
    scale: Array,
    shift: Array,
    out: Array,
    other: Array | None,
    floor: float,
) -> Array:
    """Twin of `skdl.ops.channel_norm.channel_scale`."""
    c, dtype = x.shape[-1], x.dtype
    rows = _repeated(scale, dtype), _repeated(shift, dtype)
    _scale(flat(x), *rows, other, floor, out, _block(c))
    return out


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
    floored: bool,
) -> Array:
    """Twin of `skdl.ops.channel_norm.channel_norm_backward`.

    If `floored`, ReLU followed in the forward pass.
    """
    c, dtype, x1, dy1 = x.shape[-1], x.dtype, flat(x), flat(dy)
    block, n = _block(c), x.size // c
    n_blocks = -(-x.size // block)
    factors = _norm_factors(gamma, beta, mean, inv_std)
    s, t = (np.empty((n_blocks, c), dtype) for _ in range(2))
    n_chunks = chunks_of(n_blocks, PASS * block)
    work = np.empty((n_slots(n_chunks), 3, wide_row(c)), dtype)
    args = x1, dy1, floored, factors, c, block, s, t, work
    block_gradients(dtype, args, n_blocks, n_chunks)
    combined = np.empty_like(factors)
    parts = s, t, n, gamma, mean, inv_std, dgamma, dbeta, combined
    gradient_factors(dtype, *parts, np.zeros((2, c)))
    numbers = dy1, x1, combined, factors, floored, out.reshape(-1)
    over_numbers(combine_rows, numbers, block)
    return out
