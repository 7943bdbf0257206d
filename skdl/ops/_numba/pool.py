"""Maximum pooling, its gradient, and means of images (compiled)."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from skdl._typing import Array
from skdl.ops._numba._inner import inner
from skdl.ops._numba.images import add_rows, chunks_of, fill_border, flat, put
from skdl.ops._numba.plan import (
    CORRELATION,
    END,
    N_OUTER,
    ROWS,
    STEPS,
    fill_tables,
)
from skdl.ops._numba.team import Kernel, n_slots
from skdl.ops._numba.vector import BYTES
from skdl.ops._numba.windows import MR_WINDOWS, gathered, largest
from skdl.ops.correlation import forward_tables, grid, input_gradient_tables
from skdl.ops.geometry import Conv

_open = CORRELATION.opener()
PASS = 16  # multiplications of a convolution that take as long as a number here


class _Plan(NamedTuple):
    """The struct, numbers of scratch memory, and the entries beside the steps."""

    filled: SimpleNamespace
    room_size: int
    entries: Array


@lru_cache(maxsize=512)
def _plan(pool: Conv, backward: bool, masked: bool, dtype: np.dtype) -> _Plan:
    c = pool.channels
    make = input_gradient_tables if backward else forward_tables
    t = make(pool.axes, c, c, c)
    parts = [  # one step for each entry, also where there is one channel
        part._replace(steps=grid(part.steps, np.arange(part.inner)), inner=1)
        for part in t.parts
    ]
    t = t._replace(parts=parts, n_columns=c)
    # Whole vectors are read, but not beyond the user's array.
    bare = t.frame.bare and c * dtype.itemsize % BYTES == 0
    filled, _ = fill_tables(t, MR_WINDOWS, bare)
    entries = np.concatenate([part.picks // c for part in parts])
    size = 1 if bare and not masked else t.frame.size + BYTES // dtype.itemsize
    return _Plan(filled, size, entries)


@Kernel
def maxima(x, table, y, which, rooms, first, last, slot):  # type: ignore[no-untyped-def]
    """Pool the images first … last − 1."""
    plan, room, lanes = _open(table), rooms[slot], BYTES // x.itemsize
    parts, rows, outs, steps = plan.parts, plan.rows, plan.outs, plan.steps
    source, c = x if plan.bare else room, plan.n_columns
    if not plan.bare:
        fill_border(plan, x.dtype.type(-np.inf), room)
    for n in range(first, last):
        x0 = n * plan.x_size if plan.bare else 0
        if not plan.bare:
            put(x, n * plan.x_size, plan, room)
        for part in parts:
            for r in range(part[ROWS], part[END], MR_WINDOWS):
                for z in range(0, c, lanes):
                    largest(source, x0 + z, rows, r, steps, part[STEPS], part[N_OUTER],
                            y, which, n * plan.y_size + z, outs, r, c - z)  # fmt: skip


@inner
def put_masked(dy, y, x0, p, out):  # type: ignore[no-untyped-def]
    """Copy what y > 0 leaves of dy into a frame."""
    zero, at = dy.dtype.type(0), p.top * p.line + p.left
    for i in range(p.h):
        start = x0 + i * p.row
        of_dy, of_y = dy[start : start + p.row], y[start : start + p.row]
        line = out[at + i * p.line : at + i * p.line + p.row]
        for j in range(p.row):
            g = of_dy[j]
            line[j] = g if of_y[j] > zero else zero


@Kernel
def from_maxima(  # type: ignore[no-untyped-def]
    dy, which, y, masked, table, entries, dx, rooms, notes, first, last, slot
):
    """The gradient of the images first … last − 1."""
    room, chosen = rooms[slot], notes[slot]
    plan, lanes = _open(table), BYTES // dy.itemsize
    parts, rows, outs, steps = plan.parts, plan.rows, plan.outs, plan.steps
    c, zero = plan.n_columns, dy.dtype.type(0)
    copied = masked or not plan.bare
    source, found = (room if copied else dy), (which if plan.bare else chosen)
    if not plan.bare:
        fill_border(plan, zero, room)
        fill_border(plan, which.dtype.type(0), chosen)
    for n in range(first, last):
        x0 = n * plan.x_size
        d0, w0 = (0 if copied else x0), (x0 if plan.bare else 0)
        if masked:
            put_masked(dy, y, x0, plan, room)
        elif copied:
            put(dy, x0, plan, room)
        if not plan.bare:
            put(which, x0, plan, chosen)
        for part in parts:
            for r in range(part[ROWS], part[END], MR_WINDOWS):
                for z in range(0, c, lanes):
                    gathered(source, d0 + z, found, w0 + z, rows, r, steps, part[STEPS],
                             entries, part[N_OUTER], dx, n * plan.y_size + z, outs, r,
                             c - z)  # fmt: skip


@Kernel
def at_maxima(x, which, axes, c, out, first, last, slot):  # type: ignore[no-untyped-def]
    """The numbers at the entries of the maxima, of the images first … last − 1."""
    h, n_down, _, stride_v, dilation_v, top = axes[0]
    w, n_across, kw, stride_h, dilation_h, left = axes[1]
    for n in range(first, last):
        for p in range(n_down):
            for q in range(n_across):
                y0 = ((n * n_down + p) * n_across + q) * c
                for z in range(c):
                    entry = np.int64(which[y0 + z])
                    i = p * stride_v + entry // kw * dilation_v - top
                    j = q * stride_h + entry % kw * dilation_h - left
                    if 0 <= i < h and 0 <= j < w:
                        out[y0 + z] = x[((n * h + i) * w + j) * c + z]
                    else:
                        out[y0 + z] = 0


@Kernel
def means(x, n_pixels, c, out, first, last, slot):  # type: ignore[no-untyped-def]
    """The means of the images first … last − 1."""
    for n in range(first, last):
        row = out[n]
        for z in range(c):
            row[z] = 0
        add_rows(x, n * n_pixels * c, n_pixels, c, row)
        for z in range(c):
            row[z] /= x.dtype.type(n_pixels)


def max_pool(pool: Conv, x: Array, out: Array, which: Array) -> Array:
    """Twin of `skdl.ops.pool.max_pool`."""
    plan, n = _plan(pool, False, False, x.dtype), len(x)
    n_chunks = chunks_of(n, PASS * plan.filled.x_size)
    rooms = np.empty((n_slots(n_chunks), plan.room_size), x.dtype)
    args = flat(x), plan.filled.table, out.reshape(-1), which.reshape(-1), rooms
    maxima(x.dtype, args, n, n_chunks)
    return out


def max_pool_backward(
    pool: Conv, which: Array, dy: Array, out: Array, y: Array | None
) -> Array:
    """Twin of `skdl.ops.pool.max_pool_backward`."""
    masked, n = y is not None, len(dy)
    plan = _plan(pool, True, masked, dy.dtype)
    dy1 = flat(dy)
    y1 = dy1 if y is None else flat(y)
    n_chunks = chunks_of(n, PASS * plan.filled.y_size)
    shape = n_slots(n_chunks), plan.room_size
    rooms = np.empty(shape, dy.dtype), np.empty(shape, which.dtype)
    args = (
        dy1, flat(which), y1, masked, plan.filled.table, plan.entries, out.reshape(-1),
        *rooms,
    )  # fmt: skip
    from_maxima(dy.dtype, args, n, n_chunks)
    return out


@lru_cache(maxsize=512)
def _axes(pool: Conv) -> Array:
    return np.array([axis[:6] for axis in pool.axes], np.int64)


def take_maxima(pool: Conv, which: Array, x: Array, out: Array) -> Array:
    """Twin of `skdl.ops.pool.take_maxima`."""
    n = len(x)
    args = flat(x), flat(which), _axes(pool), pool.channels, out.reshape(-1)
    at_maxima(x.dtype, args, n, chunks_of(n, PASS * out[0].size if n else 0))
    return out


def global_average(x: Array, out: Array) -> Array:
    """Twin of `skdl.ops.pool.global_average`."""
    n, h, w, c = x.shape
    means(x.dtype, (flat(x), h * w, c, out), n, chunks_of(n, PASS * h * w * c))
    return out
