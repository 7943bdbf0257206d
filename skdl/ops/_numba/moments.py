"""Mean and variance of channels, block by block (compiled).

Loops over few channels are shorter than a loop of vectors and would run number by
number: so as many rows as make some hundred numbers are one, and sums are folded at the
end.
"""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.ops._numba._inner import inner
from skdl.ops._numba.elementwise import PASS
from skdl.ops._numba.images import chunks_of
from skdl.ops._numba.team import Direct, Kernel, n_slots

WIDE = 512  # numbers of a repeated row, at least

Moments = tuple[Array, Array]  # of each block: means, and sums of squared deviations


@inner
def fold(sums, c, out):  # type: ignore[no-untyped-def]
    """Add up the repetitions of each channel, half of them to the others each time."""
    n = sums.size // c
    while n > 1:
        half = n // 2
        p, q = sums[: half * c], sums[(n - half) * c : n * c]
        for j in range(half * c):
            p[j] += q[j]
        n -= half
    for z in range(c):
        out[z] = sums[z]


@inner
def repeat(row, c):  # type: ignore[no-untyped-def]
    """Repeat the first c numbers of a row."""
    for j in range(c, row.size):
        row[j] = row[j - c]


@inner
def moments_of(x, start, end, c, sums, middle, m, s):  # type: ignore[no-untyped-def]
    """Mean and Σ(x − mean)² of the channels of the numbers start … end − 1."""
    wide, n = sums.size, x.dtype.type((end - start) // c)
    sums[:] = 0
    for i in range(start, end, wide):
        p = x[i : min(i + wide, end)]
        for j in range(p.size):
            sums[j] += p[j]
    fold(sums, c, m)
    for z in range(c):
        m[z] /= n
        middle[z] = m[z]
    repeat(middle, c)
    sums[:] = 0
    for i in range(start, end, wide):
        p = x[i : min(i + wide, end)]
        for j in range(p.size):
            off = p[j] - middle[j]
            sums[j] += off * off
    fold(sums, c, s)


@Kernel
def block_moments(x, c, block, means, squares, work, first, last, slot):  # type: ignore[no-untyped-def]
    """Mean and Σ(x − mean)² of the blocks first … last − 1."""
    sums, middle = work[slot, 0], work[slot, 1]
    for k in range(first, last):
        end = min(x.size, (k + 1) * block)
        moments_of(x, k * block, end, c, sums, middle, means[k], squares[k])


@Direct
def join_moments(means, squares, rows, n, mean, variance, work):  # type: ignore[no-untyped-def]
    """Mean and variance of all n rows, from those of blocks of so many.

    In double precision, that of `work`, which is 0 (Chan, Golub & LeVeque 1979).
    """
    n_blocks, c = means.shape
    middle, spread = work[0], work[1]
    for k in range(n_blocks):
        count = float(min(rows, n - k * rows))
        for z in range(c):
            middle[z] += count * means[k, z]
    for z in range(c):
        middle[z] /= n
    for k in range(n_blocks):
        count = float(min(rows, n - k * rows))
        for z in range(c):
            off = means[k, z] - middle[z]
            spread[z] += squares[k, z] + count * (off * off)
    for z in range(c):
        mean[z], variance[z] = middle[z], spread[z] / n


def wide_row(c: int) -> int:
    """Return the numbers of a repeated row: whole rows, at least WIDE."""
    return -(-WIDE // c) * c


def moments_of_blocks(
    x1: Array, c: int, block: int, out: Moments | None = None
) -> Moments:
    """Return the moments of blocks of so many of the numbers, c channels.

    Parameters
    ----------
    x1 : ndarray of shape (n · c,)
        Rows of channels.
    c, block : int
        Channels, and numbers of a block.
    out : tuple of two ndarray of shape (n_blocks, c), default=None
        Receives them; None makes new arrays.

    Returns
    -------
    moments : tuple of two ndarray of shape (n_blocks, c)
        Means, and sums of squared deviations.
    """
    dtype, n_blocks = x1.dtype, -(-x1.size // block)
    if out is None:
        out = np.empty((n_blocks, c), dtype), np.empty((n_blocks, c), dtype)
    n_chunks = chunks_of(n_blocks, PASS * block)
    work = np.empty((n_slots(n_chunks), 2, wide_row(c)), dtype)
    block_moments(dtype, (x1, c, block, *out, work), n_blocks, n_chunks)
    return out
