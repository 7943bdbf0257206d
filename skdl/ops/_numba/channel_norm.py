"""Batch normalisation of channels in few passes over memory (compiled).

Arrays are rows of c channels. Loops over few channels are shorter than a loop of
vectors and would run number by number: so as many rows as make some hundred numbers
are one, with the channels' coefficients repeated, and sums are folded at the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.ops._numba._inner import inner
from skdl.ops._numba.images import chunks_of, flat
from skdl.ops._numba.team import Kernel

WIDE = 128  # numbers of a repeated row, at least
BLOCK = 65536  # numbers of a partial sum, about: they stay in the second-level cache
PASS = 16  # multiplications of a convolution that take as long as a number here


@inner
def fold(sums, c, out):  # type: ignore[no-untyped-def]
    """Add up the repetitions of each channel."""
    for z in range(c):
        out[z] = sums[z]
    for j in range(c, sums.size):
        out[j % c] += sums[j]


@Kernel
def block_moments(x, c, wide, block, mean, square, first, last, slot):  # type: ignore[no-untyped-def]
    """Mean and Σ(x − mean)² of the blocks first … last − 1."""
    sums, middle = np.empty(wide, x.dtype), np.empty(wide, x.dtype)
    zero = x.dtype.type(0)
    for k in range(first, last):
        start, end = k * block, min(x.size, (k + 1) * block)
        whole = start + (end - start) // (2 * wide) * (2 * wide)
        n = x.dtype.type((end - start) // c)
        sums[:] = zero
        for i in range(start, whole, 2 * wide):
            p, q = x[i : i + wide], x[i + wide : i + 2 * wide]
            for j in range(wide):
                sums[j] += p[j] + q[j]
        for i in range(whole, end):
            sums[(i - whole) % wide] += x[i]
        m, s = mean[k], square[k]
        fold(sums, c, m)
        for z in range(c):
            m[z] /= n
        for j in range(wide):
            middle[j] = m[j % c]
        sums[:] = zero
        for i in range(start, whole, 2 * wide):
            p, q = x[i : i + wide], x[i + wide : i + 2 * wide]
            for j in range(wide):
                a, b = p[j] - middle[j], q[j] - middle[j]
                sums[j] += a * a + b * b
        for i in range(whole, end):
            j = (i - whole) % wide
            a = x[i] - middle[j]
            sums[j] += a * a
        fold(sums, c, s)


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


@Kernel
def block_gradients(x, dy, y, masked, kept, middle, c, block, s, t, first, last, slot):  # type: ignore[no-untyped-def]
    """Σ dy and Σ dy·(x − μ) of the blocks; of dy what y > 0 leaves, put into `kept`."""
    wide, zero = middle.size, x.dtype.type(0)
    a, b = np.empty(wide, x.dtype), np.empty(wide, x.dtype)
    for k in range(first, last):
        a[:] = zero
        b[:] = zero
        end = min(x.size, (k + 1) * block)
        for start in range(k * block, end, wide):
            stop = min(start + wide, end)
            p, q, r = dy[start:stop], x[start:stop], y[start:stop]
            if masked:
                out = kept[start:stop]
                for j in range(stop - start):
                    g = zero if r[j] <= zero else p[j]
                    out[j] = g
                    a[j] += g
                    b[j] += g * (q[j] - middle[j])
            else:
                for j in range(stop - start):
                    g = p[j]
                    a[j] += g
                    b[j] += g * (q[j] - middle[j])
        fold(a, c, s[k])
        fold(b, c, t[k])


@Kernel
def combine_rows(dy, x, a, b, d, out, in_place, block, first, last, slot):  # type: ignore[no-untyped-def]
    """out = a·dy + b·x + d for the blocks first … last − 1; in place: dy is `out`."""
    wide, stop = a.size, min(x.size, last * block)
    for start in range(first * block, stop, wide):
        end = min(start + wide, stop)
        p, q, r = dy[start:end], x[start:end], out[start:end]
        # Apart: a loop over memory that may overlap is not made of vectors.
        if in_place:
            for j in range(end - start):
                r[j] = a[j] * r[j] + (b[j] * q[j] + d[j])
        else:
            for j in range(end - start):
                r[j] = a[j] * p[j] + (b[j] * q[j] + d[j])


@Kernel
def mask_numbers(dy, y, slope, out, block, first, last, slot):  # type: ignore[no-untyped-def]
    """out = dy where y > 0, else slope · dy, for the blocks first … last − 1."""
    zero, start, end = dy.dtype.type(0), first * block, min(dy.size, last * block)
    p, q, r = dy[start:end], y[start:end], out[start:end]
    for i in range(end - start):
        r[i] = p[i] if q[i] > zero else slope * p[i]


@Kernel
def bend_numbers(x, slope, y, block, first, last, slot):  # type: ignore[no-untyped-def]
    """y = x where x > 0, else slope · x, for the blocks first … last − 1."""
    zero, start, end = x.dtype.type(0), first * block, min(x.size, last * block)
    p, q = x[start:end], y[start:end]
    for i in range(end - start):
        q[i] = p[i] if p[i] > zero else slope * p[i]


@Kernel
def add_numbers(x, other, floor, y, block, first, last, slot):  # type: ignore[no-untyped-def]
    """y = max(floor, x + other) for the blocks first … last − 1."""
    start, end = first * block, min(x.size, last * block)
    p, q, out = x[start:end], other[start:end], y[start:end]
    for i in range(end - start):
        v = p[i] + q[i]
        out[i] = floor if v < floor else v


def _wide(c: int) -> int:
    """Return the numbers of a repeated row: whole rows, at least WIDE."""
    return -(-WIDE // c) * c


def _repeated(values: Array, dtype: Any) -> Array:
    """Return the coefficients of a repeated row."""
    c = len(values)
    rows = np.empty((_wide(c) // c, c), dtype)
    rows[...] = values  # np.tile takes ten times as long
    return rows.reshape(-1)


def _block(c: int) -> int:
    """Return the numbers of a block: an even number of repeated rows."""
    return max(1, BLOCK // (2 * _wide(c))) * 2 * _wide(c)


def _over_numbers(kernel: Kernel, c: int, *args: Any) -> None:
    """Call an element-wise kernel for ranges of whole blocks of numbers."""
    block, size = _block(c), args[0].size
    n_blocks = -(-size // block)
    n_chunks = chunks_of(n_blocks, PASS * block)
    kernel(args[0].dtype, (*args, block), n_blocks, n_chunks)


def moments(x: Array, mean: Array, variance: Array) -> None:
    """Mean and biased variance of each channel: those of blocks, then of all.

    Blocks are cut by the shape alone and put together in double precision (Chan, Golub
    & LeVeque 1979).
    """
    c, x1 = x.shape[-1], flat(x)
    block, n = _block(c), x.size // c
    n_blocks = -(-x.size // block)
    m, s = (np.empty((n_blocks, c), x.dtype) for _ in range(2))
    args = x1, c, _wide(c), block, m, s
    block_moments(x.dtype, args, n_blocks, chunks_of(n_blocks, PASS * block))
    counts = np.full((n_blocks, 1), block // c, np.float64)
    counts[-1] = n - (n_blocks - 1) * (block // c)
    middle = (m * counts).sum(axis=0) / n
    spread = s.sum(axis=0, dtype=np.float64) + (counts * (m - middle) ** 2).sum(axis=0)
    mean[...], variance[...] = middle, spread / n


def channel_scale(
    x: Array,
    scale: Array,
    shift: Array,
    out: Array,
    other: Array | None,
    floor: float,
) -> Array:
    """Twin of `skdl.ops.channel_norm.channel_scale`."""
    c, dtype, x1 = x.shape[-1], x.dtype, flat(x)
    _over_numbers(
        scale_rows, c, x1, _repeated(scale, dtype), _repeated(shift, dtype),
        x1 if other is None else flat(other), other is not None, dtype.type(floor),
        out.reshape(-1),
    )  # fmt: skip
    return out


def gradient_sums(
    x: Array,
    dy: Array,
    y: Array | None,
    kept: Array,
    mean: Array,
    s: Array,
    t: Array,
) -> None:
    """Write Σ dy and Σ dy·(x − μ), and into `kept` what y > 0 leaves of dy."""
    c, x1, dy1 = x.shape[-1], flat(x), flat(dy)
    y1 = dy1 if y is None else flat(y)
    kept1 = dy1 if y is None else kept.reshape(-1)
    block, middle = _block(c), _repeated(mean, x.dtype)
    n_blocks = -(-x.size // block)
    a, b = (np.empty((n_blocks, c), x.dtype) for _ in range(2))
    args = x1, dy1, y1, y is not None, kept1, middle, c, block, a, b
    block_gradients(x.dtype, args, n_blocks, chunks_of(n_blocks, PASS * block))
    s[...], t[...] = a.sum(axis=0, dtype=np.float64), b.sum(axis=0, dtype=np.float64)


def combine(dy: Array, x: Array, a: Array, b: Array, d: Array, out: Array) -> Array:
    """Return a·dy + b·x + d, by channels."""
    c, dtype = x.shape[-1], x.dtype
    repeated = (_repeated(part, dtype) for part in (a, b, d))
    _over_numbers(
        combine_rows, c, flat(dy), flat(x), *repeated, out.reshape(-1), dy is out
    )
    return out


def add(x: Array, other: Array, out: Array, floor: float) -> Array:
    """Twin of `skdl.ops.channel_norm.add`."""
    least = x.dtype.type(floor)
    _over_numbers(add_numbers, 1, flat(x), flat(other), least, out.reshape(-1))
    return out


def relu_backward(dy: Array, y: Array, out: Array, slope: float = 0.0) -> Array:
    """Twin of `skdl.ops.activation.relu_backward`, and of that of a leaky one."""
    of_negative = dy.dtype.type(slope)
    _over_numbers(mask_numbers, 1, flat(dy), flat(y), of_negative, out.reshape(-1))
    return out


def leaky_relu(x: Array, slope: float, out: Array) -> Array:
    """Twin of `skdl.ops.activation.leaky_relu`."""
    _over_numbers(bend_numbers, 1, flat(x), x.dtype.type(slope), out.reshape(-1))
    return out
