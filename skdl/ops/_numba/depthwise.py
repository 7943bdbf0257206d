"""Depthwise convolution with one filter a channel (compiled).

The columns of the tile are channels, each with numbers of the image of its own.
"""

from __future__ import annotations

from skdl.ops._numba._inner import inner
from skdl.ops._numba.images import add_rows, fill_border, put
from skdl.ops._numba.plan import (
    CORRELATION,
    DEPTH,
    END,
    MR_ENTRIES,
    N_OUTER,
    ROWS,
    STEPS,
    WEIGHTS,
)
from skdl.ops._numba.team import Kernel
from skdl.ops._numba.tile import FROM_B, FROM_C, MR_FEW, lanewise_tile
from skdl.ops._numba.vector import BYTES

_correlation, _weights = CORRELATION.opener(), WEIGHTS.opener()


@Kernel
def correlate_channels(x, table, panels, y, floor, pieces, rooms, first, last, slot):  # type: ignore[no-untyped-def]
    """Evaluate a `depthwise_plan` for the pieces first … last − 1, so many an image."""
    plan, room = _correlation(table), rooms[slot]
    wide, lanes = panels.shape[3], BYTES // x.itemsize
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
        for part in parts:
            b0 = (part[DEPTH] + 1) * wide
            n_tiles = (part[END] - part[ROWS]) // MR_FEW
            start = part[ROWS] + n_tiles * piece // pieces * MR_FEW
            end = part[ROWS] + n_tiles * (piece + 1) // pieces * MR_FEW
            for r in range(start, end, MR_FEW):
                for z in range(0, wide, lanes):
                    lanewise_tile(MR_FEW, 1, FROM_B, source, x0 + z, rows, r,
                                  steps, part[STEPS], flat, b0 + z,
                                  y, n * plan.y_size + z, outs, r,
                                  part[N_OUTER], 1, 0, wide, wide,
                                  plan.n_columns - z, floor)  # fmt: skip


@inner
def _weights_of_some(x, plan, dy, k, first, last, room, panels, out):  # type: ignore[no-untyped-def]
    """Σ over the images first … last − 1."""
    wide, lanes = out.shape[2], BYTES // x.itemsize
    flat, one = out.reshape(out.size), x.dtype.type(1)
    taps, outs = plan.taps.reshape(plan.taps.size), plan.outs.reshape(plan.outs.size)
    fill_border(plan, x.dtype.type(0), room)
    panels[:] = 0
    flat[:] = 0
    source, ends = (dy, False) if wide == k else (panels, True)
    for n in range(first, last):
        put(x, n * plan.x_size, plan, room)
        start = n * plan.y_size
        if ends:
            for i in range(plan.y_size):
                panels[i] = dy[start + i]
            start = 0
        for line in range(0, plan.n_lines, plan.block):
            count = min(plan.block, plan.n_lines - line)
            at = start + line * plan.n_across * k
            for z in range(0, wide, lanes):
                for t in range(0, taps.size, MR_ENTRIES):
                    lanewise_tile(MR_ENTRIES, 1, FROM_C, room, z, taps, t,
                                  plan.lines, line, source, at + z, flat, z, outs, t,
                                  count, plan.n_across, plan.across,
                                  plan.n_across * k, k, lanes, one)  # fmt: skip
        add_rows(source, start, plan.n_pixels, k, out[0, -1])


@Kernel
def weights_of_channels(x, table, dy, k, n, rooms, panels, out, first, last, slot):  # type: ignore[no-untyped-def]
    """Σ over images and pixels of x·dy for each entry; the last row of a sum is Σ dy.

    The images are cut into as many slices as `out` has sums. `panels` is not used
    unless the channels end within a vector: then ∂L/∂y of an image is copied there, so
    that nothing is read past its end.
    """
    plan, slices = _weights(table), len(out)
    for i in range(first, last):
        _weights_of_some(x, plan, dy, k, n * i // slices, n * (i + 1) // slices,
                         rooms[slot], panels[slot], out[i])  # fmt: skip
