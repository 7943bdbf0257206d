"""Convolutions and their gradients as tables of offsets.

For images whose channels are the last axis, each output pixel p of one image is

    y[out_p + j] = b_j + Σ_o Σ_k x[row_p + step_o + k] · filters[pick(o, k) + j·apart]

where x is the flat image in a frame of zeros. Stride, padding, dilation and groups live
in the tables, so that one product serves all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdl._typing import Array
from skdl.ops.window import Axis


class Frame(NamedTuple):
    """An image of (h, w, c) numbers inside a border of zeros.

    Parameters
    ----------
    h, w, c : int
        Pixels down and across, and channels.
    top, bottom, left, right : int
        Pixels of the border.
    """

    h: int
    w: int
    c: int
    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    @property
    def height(self) -> int:
        """Pixels down, with the border."""
        return self.top + self.h + self.bottom

    @property
    def width(self) -> int:
        """Pixels across, with the border."""
        return self.left + self.w + self.right

    @property
    def size(self) -> int:
        """Numbers in all."""
        return self.height * self.width * self.c

    @property
    def bare(self) -> bool:
        """Whether there is no border."""
        return self.size == self.h * self.w * self.c


class Part(NamedTuple):
    """The output pixels that share the entries of the filter they need.

    Parameters
    ----------
    rows, outs : int64 ndarray of shape (n_pixels,)
        Where the pixel's window begins in the frame, and where its outputs begin.
    steps : int64 ndarray of shape (n_steps,)
        Where runs of numbers begin within the window.
    inner : int
        Numbers in a run.
    picks : int64 ndarray of shape (n_steps · inner,)
        Where the filters' first column has the factors of these numbers.
    """

    rows: Array
    outs: Array
    steps: Array
    inner: int
    picks: Array


class Correlation(NamedTuple):
    """The tables of one product.

    Parameters
    ----------
    frame : Frame
        Of the image.
    parts : list of Part
        The output pixels.
    out_size : int
        Numbers of an output image.
    groups : int
        Groups of channels; group g begins g·c/groups numbers further in the frame,
        g·n_columns further in the output and g·group_apart further in the filters.
    n_columns : int
        Output channels of a group.
    apart : int
        Distance of the columns in the flat filters.
    group_apart : int
        Distance of the groups there.
    """

    frame: Frame
    parts: list[Part]
    out_size: int
    groups: int
    n_columns: int
    apart: int
    group_apart: int


def grid(down: Array, across: Array) -> Array:
    """Return the sums of all pairs of two tables, row by row."""
    return (down[:, None] + across).ravel()


def forward_tables(
    axes: tuple[Axis, Axis], channels: int, filters: int, groups: int
) -> Correlation:
    """Return the tables of a convolution.

    Parameters
    ----------
    axes : tuple of Axis
        The windows.
    channels, filters, groups : int
        Channels in and out, and their groups. Filters are (kh, kw, channels/groups,
        filters).

    Returns
    -------
    correlation : Correlation
        The tables.
    """
    v, h = axes
    frame = Frame(v.n, h.n, channels, v.before, v.reach, h.before, h.reach)
    line, c, k = frame.width * channels, channels // groups, filters
    down, across = np.arange(v.size), np.arange(h.size)
    if groups == 1 and h.dilation == 1:
        steps, inner = down * v.dilation * line, h.size * c
    else:
        steps = grid(down * v.dilation * line, across * h.dilation * channels)
        inner = c
    part = Part(
        grid(
            np.arange(v.out) * v.stride * line,
            np.arange(h.out) * h.stride * channels,
        ),
        np.arange(v.out * h.out) * k,
        steps,
        inner,
        np.arange(v.size * h.size * c) * k,
    )
    n_columns = k // groups
    return Correlation(
        frame, [part], v.out * h.out * k, groups, n_columns, 1, n_columns
    )


def input_gradient_tables(
    axes: tuple[Axis, Axis], channels: int, filters: int, groups: int
) -> Correlation:
    """Return the tables of the gradient to the input (of the transposed convolution).

    The pixels a + s·u of each remainder a of the stride s are a correlation of their
    own, over those entries of the filter that reach them.

    Parameters
    ----------
    axes : tuple of Axis
        The windows of the convolution.
    channels, filters, groups : int
        As in `forward_tables`.

    Returns
    -------
    correlation : Correlation
        The tables; its image is ∂L/∂y and its output ∂L/∂x.
    """
    v, h = axes
    c, k = channels // groups, filters // groups
    ways_v, ways_h = _ways(v), _ways(h)
    frame = Frame(v.out, h.out, filters, *_border(ways_v, v), *_border(ways_h, h))
    line = frame.width * filters
    parts = []
    for a, (i, at_i) in enumerate(ways_v):
        for b, (j, at_j) in enumerate(ways_h):
            low_i, low_j = _least(at_i), _least(at_j)
            u, w = np.arange(a, v.n, v.stride), np.arange(b, h.n, h.stride)
            rows = grid(
                (np.arange(len(u)) + low_i + frame.top) * line,
                (np.arange(len(w)) + low_j + frame.left) * filters,
            )
            down, across = (at_i - low_i) * line, (at_j - low_j) * filters
            entries = grid(i * h.size, j)  # of the flat filter
            inner = k
            if groups == 1 and len(j) and np.all(np.diff(at_j) == 1):
                across, inner = across[:1], len(j) * k  # one run of pixels
            picks = grid(entries * c * filters, np.arange(k))
            outs = grid(u * h.n * channels, w * channels)
            parts.append(Part(rows, outs, grid(down, across), inner, picks))
    return Correlation(frame, parts, v.n * h.n * channels, groups, c, filters, k)


def _ways(axis: Axis) -> list[tuple[Array, Array]]:
    """Return for each remainder the filter's entries that reach it, and from where.

    Entry i takes pixel a + s·u to window u + (a + before − i·dilation)/s.
    """
    ways = []
    for a in range(min(axis.stride, axis.n)):
        shift = a + axis.before - np.arange(axis.size) * axis.dilation
        entries = np.flatnonzero(shift % axis.stride == 0)[::-1]
        ways.append((entries, shift[entries] // axis.stride))
    return ways


def _least(at: Array) -> int:
    return int(at[0]) if len(at) else 0


def _border(ways: list[tuple[Array, Array]], axis: Axis) -> tuple[int, int]:
    """Return how far all remainders together reach beyond the windows."""
    before = after = 0
    for a, (_, at) in enumerate(ways):
        if len(at):
            n_pixels = -(-(axis.n - a) // axis.stride)
            before = max(before, -int(at[0]))
            after = max(after, int(at[-1]) + n_pixels - axis.out)
    return before, after
