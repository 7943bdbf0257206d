"""What the kernels for images share (compiled): frames, panels, threads."""

from __future__ import annotations

import numpy as np

from skdl._config import n_threads
from skdl._typing import Array
from skdl.ops._numba._inner import inner
from skdl.ops._numba.team import Direct
from skdl.ops._numba.vector import BYTES, copy_vectors

CHUNK = 400_000  # multiplications of a chunk, at least: some 10 µs


@inner
def copy_run(a, a0, b, b0, n):  # type: ignore[no-untyped-def]
    """``b[b0 : b0 + n] = a[a0 : a0 + n]``."""
    lanes = BYTES // a.itemsize
    whole = n // lanes * lanes
    for i in range(0, whole, lanes):
        copy_vectors(1, a, a0 + i, b, b0 + i)
    for i in range(whole, n):
        b[b0 + i] = a[a0 + i]


@Direct
def fill_panels(W, picks, apart, group_apart, bias, out):  # type: ignore[no-untyped-def]
    """Lay filters out in panels, padded with zeros.

    ``out[g, p, d, j] = W[picks[d] + g·group_apart + (p·nr + j)·apart]``, or the bias
    where picks[d] < 0, or 0 where there are no biases.
    """
    groups, n_panels, depth, nr = out.shape
    flat = out.reshape(out.size)
    for g in range(groups):
        for p in range(n_panels):
            columns = min(nr, bias.shape[1] - p * nr)
            for d in range(depth):
                to = ((g * n_panels + p) * depth + d) * nr
                at = picks[d] + g * group_apart + p * nr * apart
                if picks[d] < 0:
                    for j in range(columns):
                        flat[to + j] = bias[g, p * nr + j]
                elif apart == 1:
                    copy_run(W, at, flat, to, columns)
                else:
                    for j in range(columns):
                        flat[to + j] = W[at + j * apart]
                for j in range(columns, nr):
                    flat[to + j] = 0


@inner
def fill_border(p, value, out):  # type: ignore[no-untyped-def]
    """Set the border of a frame; `put` leaves it alone."""
    end = p.height * p.line
    at = p.top * p.line + p.left
    for i in range(at):
        out[i] = value
    for _ in range(p.h):
        for j in range(at + p.row, min(at + p.line, end)):  # to the next line's first
            out[j] = value
        at += p.line
    for i in range(at, end):
        out[i] = value


@inner
def put(x, x0, p, out):  # type: ignore[no-untyped-def]
    """Copy an image into its frame."""
    at = p.top * p.line + p.left
    for i in range(p.h):
        copy_run(x, x0 + i * p.row, out, at + i * p.line, p.row)


def flat(array: Array) -> Array:
    """Return an array as one row of numbers, in C order."""
    return np.ascontiguousarray(array).reshape(-1)


def chunks_of(n: int, work: int) -> int:
    """Return into how many parts threads cut something.

    Parameters
    ----------
    n : int
        What cannot be cut further, such as images.
    work : int
        Multiplications for each.

    Returns
    -------
    n_chunks : int
        One for a single thread.
    """
    most = min(n, n * work // CHUNK)
    if most < 2 or (threads := n_threads()) < 2:
        return 1
    return min(most, 4 * threads)


@inner
def add_rows(a, a0, n_rows, c, sums):  # type: ignore[no-untyped-def]
    """Add n_rows rows of c numbers to `sums`, four at a time."""
    # Slices: with indices into the whole array the loops are not made of vectors.
    whole = n_rows // 4 * 4
    for i in range(0, whole, 4):
        at = a0 + i * c
        p, q = a[at : at + c], a[at + c : at + 2 * c]
        r, s = a[at + 2 * c : at + 3 * c], a[at + 3 * c : at + 4 * c]
        for z in range(c):
            sums[z] += (p[z] + q[z]) + (r[z] + s[z])
    for i in range(whole, n_rows):
        p = a[a0 + i * c : a0 + (i + 1) * c]
        for z in range(c):
            sums[z] += p[z]
