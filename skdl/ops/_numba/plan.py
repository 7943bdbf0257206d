"""The tables of a product in the form that compiled code takes."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numba import boolean, int64

from skdl._typing import Array
from skdl.ops._numba._struct import Struct
from skdl.ops._numba.sliding import MR_SLIDING, SPAN, fits_registers
from skdl.ops._numba.tile import MANY, MR_FEW, fill_rows, tile_shape
from skdl.ops._numba.vector import BYTES
from skdl.ops.correlation import (
    Correlation,
    Frame,
    Part,
    forward_tables,
    grid,
    input_gradient_tables,
)
from skdl.ops.geometry import Conv
from skdl.ops.window import Axis

MR_ENTRIES = 9  # of the tile of a depthwise gradient: the entries of a 3×3 window
LANEWISE = 3  # products of a tile that take as long as one that has a number to itself
PANEL = 16384  # bytes of ∂L/∂y that a tile sums over: half the first-level cache

FRAME = {  # numbers; a row of the image and a line of its frame have all channels
    "x_size": int64,
    "h": int64,
    "row": int64,
    "top": int64,
    "left": int64,
    "height": int64,
    "line": int64,
    "bare": boolean,
}
# Columns of the table of parts: tiles' rows from … to …, outer steps from …, how many,
# numbers in each, and the row of the panels that their biases are in.
ROWS, END, STEPS, N_OUTER, N_INNER, DEPTH = range(6)

CORRELATION = Struct(
    "Correlation",
    **FRAME,
    y_size=int64,
    x_group=int64,  # channels of a group of the image
    n_columns=int64,  # and of the output
    spills=boolean,  # whether what lies beyond a pixel's outputs is those of the next
    parts=int64[:, ::1],
    rows=int64[::1],
    outs=int64[::1],
    steps=int64[::1],
)

WEIGHTS = Struct(
    "Weights",
    **FRAME,
    y_size=int64,
    channels=int64,
    unit=int64,  # channels of a block
    room=int64,  # numbers of an image in blocks
    ones=int64,  # where the channel of ones begins
    n_pixels=int64,
    n_lines=int64,
    n_across=int64,
    across=int64,  # distance of pixels
    at_once=int64,  # images that are laid out together
    line_skip=int64,  # of an image, one line in so many is used
    pixel_skip=int64,
    block=int64,  # lines that a tile sums over
    lines=int64[::1],
    taps=int64[:, ::1],  # (groups, entries of a window)
    outs=int64[:, ::1],
)


def frame_fields(f: Frame) -> dict[str, Any]:
    """Return the fields FRAME of a struct."""
    return {
        "x_size": f.h * f.w * f.c,
        "h": f.h,
        "row": f.w * f.c,
        "top": f.top,
        "left": f.left * f.c,
        "height": f.height,
        "line": f.width * f.c,
        "bare": f.bare,
    }


class CorrelationPlan(NamedTuple):
    """What compiled code needs to know of a convolution.

    Parameters
    ----------
    filled : namespace
        The struct.
    form : tuple of (int, int, int)
        The tile: its rows, the vectors that it is wide, and for how many neighbours a
        number of the image is loaded at once, 1 or SPAN.
    work : int
        Multiplications for an image, those for columns that are not there among them.
    room_size : int
        Numbers of scratch memory a thread needs for an image.
    picks : int64 ndarray of shape (depth,)
        Where the filters' first column has the panels' rows; −1: biases.
    apart, group_apart : int
        Distances of columns and of groups in the flat filters.
    shape : tuple of (int, int, int, int)
        Groups, panels, depth and columns of the filters in panels.
    """

    filled: SimpleNamespace
    form: tuple[int, int, int]
    work: int
    room_size: int
    picks: Array
    apart: int
    group_apart: int
    shape: tuple[int, int, int, int]


@lru_cache(maxsize=512)
def correlation_plan(conv: Conv, transposed: bool, dtype: np.dtype) -> CorrelationPlan:
    """Return the plan of a convolution, or of its gradient to the input.

    Parameters
    ----------
    conv : Conv
        The geometry.
    transposed : bool
        Whether it is the gradient to the input.
    dtype : dtype
        Type of the numbers.

    Returns
    -------
    plan : CorrelationPlan
        Made once and kept.
    """
    t = _tables(conv, transposed)
    mr, nv, nr = tile_shape(t.n_columns, dtype)
    mr, span = _sliding_form(t, nv) or (mr, 1)
    filled, picks = fill_tables(t, mr, t.frame.bare)
    wide = -(-t.n_columns // nr) * nr
    return CorrelationPlan(
        filled,
        (mr, nv, span),
        _work(t) * t.groups * wide,
        1 if t.frame.bare else t.frame.size,
        picks,
        t.apart,
        t.group_apart,
        (t.groups, wide // nr, len(picks), nr),
    )


def _sliding_form(t: Correlation, nv: int) -> tuple[int, int] | None:
    """Return the rows and the span of a sliding tile that the tables allow."""
    for mr in MR_SLIDING:
        if fits_registers(mr, nv) and all(_slides(part, mr) for part in t.parts):
            return mr, SPAN
    return None


def _slides(part: Part, mr: int) -> bool:
    """Return whether a tile's rows are neighbours, SPAN of which a run has."""
    if len(part.rows) % mr:
        return False
    apart = np.diff(part.rows.reshape(-1, mr))
    return bool((SPAN * apart == part.inner).all())


def _work(t: Correlation) -> int:
    """Return the multiplications for a column of an image."""
    return sum(len(part.rows) * len(part.steps) * part.inner for part in t.parts)


@lru_cache(maxsize=512)
def depthwise_plan(conv: Conv, transposed: bool, dtype: np.dtype) -> CorrelationPlan:
    """Return the plan of a depthwise convolution, or of its gradient to the input.

    The tile takes MR_FEW pixels and a vector of channels; of the filters there is one
    panel with all channels.

    Parameters
    ----------
    conv : Conv
        The geometry.
    transposed : bool
        Whether it is the gradient to the input.
    dtype : dtype
        Type of the numbers.

    Returns
    -------
    plan : CorrelationPlan
        Made once and kept.
    """
    t, lanes = _tables(conv, transposed), BYTES // dtype.itemsize
    wide = -(-conv.channels // lanes) * lanes
    # The last vector reads beyond the last channel: not beyond the user's array.
    bare = t.frame.bare and wide == conv.channels
    filled, picks = fill_tables(t._replace(n_columns=conv.channels), MR_FEW, bare)
    size = 1 if bare else t.frame.size + lanes
    # Each number of the image is loaded for one product alone.
    work = LANEWISE * wide * _work(t)
    return CorrelationPlan(
        filled, (MR_FEW, 1, 1), work, size, picks, 1, 0, (1, 1, len(picks), wide)
    )


def _tables(conv: Conv, transposed: bool) -> Correlation:
    make = input_gradient_tables if transposed else forward_tables
    return make(conv.axes, conv.channels, conv.filters, conv.groups)


def _is_in_order(t: Correlation) -> bool:
    """Return whether the output pixels follow each other in memory, whole ones."""
    if t.groups > 1 or len(t.parts) > 1:
        return False
    return bool((np.diff(t.parts[0].outs) == t.n_columns).all())


def fill_tables(t: Correlation, mr: int, bare: bool) -> tuple[SimpleNamespace, Array]:
    """Return the struct of tables, and where the filters have the rows of panels."""
    rows = [fill_rows(part.rows, mr) for part in t.parts]
    steps = [part.steps for part in t.parts]
    picks = [np.append(-1, part.picks) for part in t.parts]
    parts = np.zeros((len(t.parts), 6), np.int64)
    parts[:, END] = np.cumsum([len(r) for r in rows])
    parts[1:, ROWS] = parts[:-1, END]
    parts[:, N_OUTER] = [len(s) for s in steps]
    parts[1:, STEPS] = np.cumsum(parts[:-1, N_OUTER])
    parts[:, N_INNER] = [part.inner for part in t.parts]
    parts[1:, DEPTH] = np.cumsum([len(p) for p in picks])[:-1]
    filled = CORRELATION.fill(
        **{**frame_fields(t.frame), "bare": bare},
        y_size=t.out_size,
        x_group=t.frame.c // t.groups,
        n_columns=t.n_columns,
        spills=_is_in_order(t),
        parts=parts,
        rows=np.concatenate(rows),
        outs=np.concatenate([fill_rows(part.outs, mr) for part in t.parts]),
        steps=np.concatenate(steps),
    )
    return filled, np.concatenate(picks)


class WeightsPlan(NamedTuple):
    """What compiled code needs to know of a gradient to the filters.

    Parameters
    ----------
    filled : namespace
        The struct.
    form : tuple of (int, int, int)
        The tile, as of a `CorrelationPlan`.
    work : int
        Multiplications for an image, those for columns that are not there among them.
    room_size, panels_size : int
        Numbers of scratch memory a thread needs for images, and for ∂L/∂y.
    shape : tuple of (int, int, int)
        Groups, entries of a window and one for the biases, and columns of ∂L/∂W.
    """

    filled: SimpleNamespace
    form: tuple[int, int, int]
    work: int
    room_size: int
    panels_size: int
    shape: tuple[int, int, int]


@lru_cache(maxsize=512)
def weights_plan(conv: Conv, dtype: np.dtype) -> WeightsPlan:
    """Return the plan of a gradient to the filters.

    The rows of its tiles are the entries (i, j, channel) of a window, and the sum runs
    over pixels. Images are laid out in blocks of `unit` channels, as many as a tile has
    rows, so that it reads on and on. The bias is the weight of one more channel, of
    ones.

    Parameters
    ----------
    conv : Conv
        The geometry.
    dtype : dtype
        Type of the numbers.

    Returns
    -------
    plan : WeightsPlan
        Made once and kept.
    """
    (v, h), groups, channels = conv.axes, conv.groups, conv.channels
    c, k = channels // groups, conv.filters // groups
    mr, nv, nr = tile_shape(k, dtype)
    frame = Frame(v.n, h.n, channels, v.before, v.reach, h.before, h.reach)
    unit = min(mr, channels + 1) if channels > 1 else 1  # single ones are copied whole
    plane = frame.height * frame.width * unit
    room = plane * -(-(channels + 1) // unit)
    wide = -(-k // nr) * nr
    i, j, z = np.indices((v.size, h.size, c)).reshape(3, -1)
    taps, outs = [], []
    for g in range(groups):
        block, lane = np.divmod(z + g * c, unit)
        order = np.lexsort((lane, j, i, block))
        shifts = (i * v.dilation * frame.width + j * h.dilation) * unit
        at = (block * plane + shifts + lane)[order]
        ones = channels // unit * plane + channels % unit
        taps.append(fill_rows(np.append(at, ones), mr))
        outs.append(fill_rows(np.append(order, len(order)), mr) * wide)
    pixels = v.out * h.out
    summed = max(1, PANEL // (nr * dtype.itemsize))
    at_once = max(1, summed // pixels)
    lines = np.arange(v.out) * v.stride * frame.width * unit
    filled = WEIGHTS.fill(
        **frame_fields(frame),
        y_size=pixels * conv.filters,
        channels=channels,
        unit=unit,
        room=room,
        ones=channels // unit * plane,
        n_pixels=pixels,
        n_lines=v.out,
        n_across=h.out,
        across=h.stride * unit,
        at_once=at_once,
        line_skip=_used(v),
        pixel_skip=_used(h),
        block=max(1, summed // h.out),
        lines=grid(np.arange(at_once) * room, lines),
        taps=np.stack(taps),
        outs=np.stack(outs),
    )
    slides = groups == 1 and unit == mr and channels % unit == 0 and _slides_along(h)
    return WeightsPlan(
        filled,
        (mr, nv, SPAN if slides and MANY and fits_registers(mr, nv) else 1),
        pixels * sum(map(len, taps)) * wide,
        at_once * room,
        at_once * pixels * wide,
        (groups, v.size * h.size * c + 1, wide),
    )


def _used(axis: Axis) -> int:
    """Return of how many pixels windows of one entry see one, the first of them."""
    return axis.stride if axis.size == 1 and axis.before == 0 else 1


def _slides_along(axis: Axis) -> bool:
    """Return whether the entries of a window are SPAN neighbours, and windows too."""
    steps = axis.size, axis.stride, axis.dilation
    return steps == (SPAN, 1, 1) and axis.out >= SPAN - 1


@lru_cache(maxsize=512)
def depthwise_weights_plan(conv: Conv, dtype: np.dtype) -> WeightsPlan:
    """Return the plan of a gradient to depthwise filters.

    The rows of a tile are entries of the window, its columns a vector of channels, and
    the sum runs over some lines of an image.

    Parameters
    ----------
    conv : Conv
        The geometry.
    dtype : dtype
        Type of the numbers.

    Returns
    -------
    plan : WeightsPlan
        Made once and kept.
    """
    (v, h), c, lanes = conv.axes, conv.channels, BYTES // dtype.itemsize
    frame = Frame(v.n, h.n, c, v.before, v.reach, h.before, h.reach)
    line, wide = frame.width * c, -(-c // lanes) * lanes
    taps = grid(
        np.arange(v.size) * v.dilation * line, np.arange(h.size) * h.dilation * c
    )
    outs, pixels = np.arange(len(taps)) * wide, v.out * h.out
    filled = WEIGHTS.fill(
        **frame_fields(frame),
        y_size=pixels * c,
        channels=c,
        unit=c,
        room=frame.size,
        ones=0,
        n_pixels=pixels,
        n_lines=v.out,
        n_across=h.out,
        across=h.stride * c,
        at_once=1,
        line_skip=1,
        pixel_skip=1,
        block=max(1, PANEL // (h.out * c * dtype.itemsize)),
        lines=np.arange(v.out) * v.stride * line,
        taps=fill_rows(taps, MR_ENTRIES)[None],
        outs=fill_rows(outs, MR_ENTRIES)[None],
    )
    panels = pixels * c + lanes if wide > c else 1
    work = LANEWISE * pixels * len(taps) * wide
    return WeightsPlan(
        filled,
        (MR_ENTRIES, 1, 1),
        work,
        frame.size + lanes,
        panels,
        (1, len(taps) + 1, wide),
    )
