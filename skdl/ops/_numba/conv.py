"""Convolutions and their gradients on the register tile (compiled).

A kernel is compiled for each form of the tile when that is first used: the tile is most
of what there is to compile. Neighbouring pixels, and neighbouring entries of a filter,
take a tile of `skdl.ops._numba.sliding`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.ops._numba._inner import inner
from skdl.ops._numba.depthwise import correlate_channels, weights_of_channels
from skdl.ops._numba.elementwise import add_run
from skdl.ops._numba.finish import Finish
from skdl.ops._numba.images import (
    chunks_of,
    copy_run,
    fill_border,
    fill_panels,
    flat,
    put,
)
from skdl.ops._numba.moments import Moments, moments_of
from skdl.ops._numba.plan import (
    CORRELATION,
    DEPTH,
    END,
    N_INNER,
    N_OUTER,
    ROWS,
    STEPS,
    WEIGHTS,
    CorrelationPlan,
    correlation_plan,
    depthwise_plan,
    depthwise_weights_plan,
    weights_plan,
)
from skdl.ops._numba.sliding import sliding_sums, sliding_tile
from skdl.ops._numba.team import Direct, Kernel, n_slots
from skdl.ops._numba.tile import FROM_B, FROM_C, tile
from skdl.ops._numba.vector import BYTES, HALF, bytes_of, copy, copy_vectors
from skdl.ops.geometry import Conv
from skdl.ops.memory import aligned

PIECES = 4  # of each of a few images, which threads share
SLICE = 1_000_000  # multiplications that are worth a partial sum of their own
SLICES = 4  # partial sums of a gradient to the filters, for any number of threads

_correlation, _weights = CORRELATION.opener(), WEIGHTS.opener()


@lru_cache
def _correlate(mr: int, nv: int, span: int) -> Kernel:
    """Return the kernel for tiles of a form."""

    # Of the functions around it only numbers: those of others change from process to
    # process, and what is kept on disk would never be found.
    @Kernel
    def correlate(  # type: ignore[no-untyped-def]
        x, table, panels, y, floor, other, least, adds, means, squares, measures, work,
        pieces, rooms, first, last, slot
    ):  # fmt: skip
        """Evaluate a plan for the pieces first … last − 1, so many an image."""
        plan, room = _correlation(table), rooms[slot]
        groups, n_panels, depth, nr = panels.shape
        spills = plan.spills and n_panels == 1
        flat = panels.reshape(panels.size)
        parts, rows, outs, steps = plan.parts, plan.rows, plan.outs, plan.steps
        source = x if plan.bare else room
        if not plan.bare:
            fill_border(plan, x.dtype.type(0), room)
        for u in range(first, last):
            n, piece = u // pieces, u % pieces
            x0 = n * plan.x_size if plan.bare else 0
            if not plan.bare and (piece == 0 or u == first):
                put(x, n * plan.x_size, plan, room)
            for g in range(groups):
                for p in range(n_panels):
                    b0 = ((g * n_panels + p) * depth + 1) * nr
                    y0 = n * plan.y_size + g * plan.n_columns + p * nr
                    for part in parts:
                        n_inner = part[N_INNER]
                        n_tiles = (part[END] - part[ROWS]) // mr
                        start = part[ROWS] + n_tiles * piece // pieces * mr
                        end = part[ROWS] + n_tiles * (piece + 1) // pieces * mr
                        stop = outs[max(end - 1, 0)] + plan.n_columns
                        for r in range(start, end, mr):
                            left = plan.n_columns - p * nr
                            if spills and outs[r + mr - 1] + nr <= stop:
                                left = nr  # whole vectors: the next tiles mend them
                            a0, d0 = x0 + g * plan.x_group, b0 + part[DEPTH] * nr
                            if span > 1:
                                sliding_tile(mr, nv, span, source, a0, rows, r,
                                             steps, part[STEPS], flat, d0,
                                             y, y0, outs, r, part[N_OUTER],
                                             n_inner // span, rows[r + 1] - rows[r],
                                             n_inner * nr, nr, left, floor)  # fmt: skip
                            else:
                                tile(mr, nv, FROM_B, source, a0, rows, r,
                                     steps, part[STEPS], flat, d0, y, y0, outs, r,
                                     part[N_OUTER], n_inner, 1, n_inner * nr, nr,
                                     left, floor)  # fmt: skip
            begin, end = n * plan.y_size, (n + 1) * plan.y_size
            if adds:
                add_run(y, other, least, y, begin, end)
            if measures:
                moments_of(y, begin, end, means.shape[1], work[slot, 0], work[slot, 1],
                           means[n], squares[n])  # fmt: skip

    return correlate


@inner
def put_blocks(x, x0, p, out, out0):  # type: ignore[no-untyped-def]
    """Copy what is used of an image into its frame, in blocks of channels."""
    c, unit = p.channels, p.unit
    width = p.line // c
    if c == unit:
        at = out0 + p.top * p.line + p.left
        for i in range(0, p.h, p.line_skip):
            copy_run(x, x0 + i * p.row, out, at + i * p.line, p.row)
        return
    plane = p.height * width * unit
    full = c // unit if unit == 6 or unit == 8 else 0
    for i in range(0, p.h, p.line_skip):
        for j in range(0, p.row // c, p.pixel_skip):
            at = x0 + i * p.row + j * c
            to = out0 + ((p.top + i) * width + p.left // c + j) * unit
            for _ in range(full):
                if unit == 6:
                    copy(6, x, at, out, to)
                else:
                    copy(8, x, at, out, to)
                at += unit
                to += plane
            for z in range(c - full * unit):
                out[to + z] = x[at + z]


@inner
def put_panels(dy, base, apart, n_rows, k, nr, out):  # type: ignore[no-untyped-def]
    """Copy k columns of a matrix into panels of nr; what is beyond them is not used."""
    lanes = BYTES // dy.itemsize
    for p in range(-(-k // nr)):
        at, to = base + p * nr, p * n_rows * nr
        # Vectors read nothing past the end.
        safe = min(n_rows, (dy.size - at - nr) // apart + 1)
        for i in range(safe):
            if nr < lanes:
                copy_vectors(HALF, dy, at + i * apart, out, to + i * nr)
            else:
                for j in range(0, nr, lanes):
                    copy_vectors(1, dy, at + i * apart + j, out, to + i * nr + j)
        for i in range(max(safe, 0), n_rows):
            for j in range(min(nr, k - p * nr)):
                out[to + i * nr + j] = dy[at + i * apart + j]


@inner
def put_ones(p, room):  # type: ignore[no-untyped-def]
    """Set the channel whose weight is the bias; `put_blocks` leaves it alone."""
    one = room.dtype.type(1)
    for n in range(p.at_once):
        for i in range(p.ones, p.room, p.unit):
            room[n * p.room + i + p.channels % p.unit] = one


@lru_cache
def _weights_gradient(mr: int, nv: int, span: int) -> Kernel:
    """Return the kernel for tiles of a form."""

    @Kernel
    def weights(x, table, dy, k, n, nr, rooms, many, sums, first, last, slot):  # type: ignore[no-untyped-def]
        """(Window entries)ᵀ · dy for some slices of n images; the last row is Σ dy.

        There are as many slices as `sums`; `k` is the number of columns of a group,
        `nr` that of a tile. A sum runs over lines of a few images at a time: enough to
        be worth loading and storing a tile of it, few enough for both factors to stay
        in the cache.
        """
        plan, room, panels = _weights(table), rooms[slot], many[slot]
        slices, groups, depth, wide = sums.shape
        one = x.dtype.type(1)
        n_taps, size = plan.taps.shape[1], plan.taps.size
        lanes = BYTES // x.itemsize
        taps, outs = plan.taps.reshape(size), plan.outs.reshape(size)
        room[:] = 0
        panels[:] = 0
        put_ones(plan, room)
        for i in range(first, last):
            flat_sum = sums[i].reshape(groups * depth * wide)
            flat_sum[:] = 0
            end = n * (i + 1) // slices
            for start in range(n * i // slices, end, plan.at_once):
                n_images = min(plan.at_once, end - start)
                n_rows, n_lines = n_images * plan.n_pixels, n_images * plan.n_lines
                for z in range(n_images):
                    put_blocks(x, (start + z) * plan.x_size, plan, room, z * plan.room)
                for g in range(groups):
                    base = start * plan.y_size + g * k
                    put_panels(dy, base, groups * k, n_rows, k, nr, panels)
                    for line in range(0, n_lines, plan.block):
                        count = min(plan.block, n_lines - line)
                        for p in range(wide // nr):
                            b0 = (p * n_rows + line * plan.n_across) * nr
                            c0 = g * depth * wide + p * nr
                            first_tap = g * n_taps
                            if span > 1:  # neighbouring entries, then the biases
                                for t in range(0, depth - 1, span * mr):
                                    for j in range(0, nr, lanes):
                                        sliding_sums(
                                            mr, span, room, taps[t], plan.lines, line,
                                            panels, b0 + j, flat_sum, c0 + j, outs, t,
                                            count, plan.n_across, plan.across,
                                            plan.n_across * nr, nr)  # fmt: skip
                                first_tap = depth - 1
                            for t in range(first_tap, (g + 1) * n_taps, mr):
                                tile(mr, nv, FROM_C, room, 0, taps, t, plan.lines, line,
                                     panels, b0, flat_sum, c0, outs, t,
                                     count, plan.n_across, plan.across,
                                     plan.n_across * nr, nr, nr, one)  # fmt: skip

    return weights


@Direct
def add_slices(sums, k, dW, db):  # type: ignore[no-untyped-def]
    """Add partial sums up, in order; the last row of each is the gradient of biases.

    Parameters
    ----------
    sums : ndarray of shape (slices, groups, depth + 1, wide)
        The sums; of `wide` numbers the first k are some.
    k : int
        Filters of a group.
    dW : ndarray of shape (depth, groups · k)
        Receives the gradient of the filters.
    db : ndarray of shape (groups · k,) or (0,)
        Receives that of the biases.
    """
    slices, groups, rows, _ = sums.shape
    for g in range(groups):
        for d in range(rows):
            if d == rows - 1 and not db.size:
                continue
            line = dW[d] if d < rows - 1 else db
            part = line[g * k : (g + 1) * k]
            first = sums[0, g, d]
            for j in range(k):
                part[j] = first[j]
            for i in range(1, slices):
                more = sums[i, g, d]
                for j in range(k):
                    part[j] += more[j]


def correlate_images(
    conv: Conv,
    transposed: bool,
    x: Array,
    W: Array,
    b: Array | None,
    out: Array,
    floor: float,
    empty: Callable[..., Array],
    packed: dict[str, Any] | None = None,
    other: Array | None = None,
    moments: Moments | None = None,
) -> Array:
    """Twin of `skdl.ops.conv.conv2d` and, transposed, of `conv2d_backward_input`."""
    by_channel = conv.depthwise and conv.filters == conv.channels
    if by_channel:
        plan = depthwise_plan(conv, transposed, x.dtype)
    else:
        plan = correlation_plan(conv, transposed, x.dtype)
    dtype = x.dtype
    kept = None if packed is None else packed.get("panels")
    if kept is not None and kept[0] is plan:
        panels = kept[1]
    else:
        W = np.ascontiguousarray(W, dtype)
        panels = _panels(conv, transposed, plan, W, b, packed, empty)
    pieces = PIECES if len(x) < PIECES else 1
    size = pieces * len(x)
    n_chunks = chunks_of(size, plan.work // pieces)
    slots, then = n_slots(n_chunks), Finish(other, floor, moments)
    rooms, whole = empty((slots, plan.room_size), dtype), pieces == 1 and not by_channel
    args = flat(x), plan.filled.table, panels, out.reshape(-1), then.first_floor(dtype)
    if by_channel:
        correlate_channels(dtype, (*args, pieces, rooms), size, n_chunks)
    else:
        more = then.args(out, whole, slots)
        _correlate(*plan.form)(dtype, (*args, *more, pieces, rooms), size, n_chunks)
    if not whole:
        then.apart(out)
    return out


def _panels(
    conv: Conv,
    transposed: bool,
    plan: CorrelationPlan,
    W: Array,
    b: Array | None,
    packed: dict[str, Any] | None,
    empty: Callable[..., Array],
) -> Array:
    """Return filters and biases as the kernels take them."""
    dtype = W.dtype
    if b is None:
        b = np.zeros(conv.channels if transposed else conv.filters, dtype)
    panels = (empty if packed is None else aligned)(plan.shape, dtype)
    parts, biases = (
        plan.picks,
        np.ascontiguousarray(b, dtype).reshape(plan.shape[0], -1),
    )
    places = plan.apart, plan.group_apart
    fill_panels(dtype, W.reshape(-1), parts, *places, biases, panels)
    if packed is not None:
        packed["panels"] = plan, panels
    return panels


def weights_gradient(
    conv: Conv,
    x: Array,
    dy: Array,
    dW: Array,
    db: Array | None,
    empty: Callable[..., Array],
) -> None:
    """Twin of `skdl.ops.conv.conv2d_backward_weights`.

    A number of partial sums that the shapes alone decide is added up in order: the same
    bits for any number of threads.
    """
    n, dtype, k = len(x), x.dtype, conv.filters // conv.groups
    lanewise = conv.depthwise and k == 1
    plan = (depthwise_weights_plan if lanewise else weights_plan)(conv, dtype)
    slices = max(1, min(n, SLICES, n * plan.work // SLICE))
    sums = empty((slices, *plan.shape), dtype)
    n_chunks = min(slices, chunks_of(n, plan.work))
    places = n_slots(n_chunks)
    rooms = empty((places, plan.room_size), dtype)
    panels = empty((places, plan.panels_size), dtype)
    if lanewise:
        k = conv.channels
        args = flat(x), plan.filled.table, flat(dy), k, n, rooms, panels, sums
        weights_of_channels(dtype, args, slices, n_chunks)
    else:
        nr = bytes_of(plan.form[1]) // dtype.itemsize
        more = flat(x), plan.filled.table, flat(dy), k, n, nr, rooms, panels, sums
        _weights_gradient(*plan.form)(dtype, more, slices, n_chunks)
    lines = dW.reshape(-1, dW.shape[-1])
    biases = np.empty(0, dtype) if db is None else db
    add_slices(dtype, sums, k, lines, biases)
