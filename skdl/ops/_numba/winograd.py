"""Winograd's 3×3 convolution on the register tile (compiled).

The element-wise products, summed over channels, are 36 ordinary products of (patches ×
channels)·(channels × filters). Blocks of patches stay in the second-level cache from
the first transform to the last.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numba import int64, types
from numba.extending import intrinsic

from skdl._config import n_threads
from skdl._typing import Array
from skdl.ops._numba._inner import inner
from skdl.ops._numba._struct import Struct
from skdl.ops._numba.elementwise import add_run
from skdl.ops._numba.finish import Finish
from skdl.ops._numba.images import chunks_of, fill_border, flat, put
from skdl.ops._numba.moments import Moments, moments_of
from skdl.ops._numba.plan import FRAME, frame_fields
from skdl.ops._numba.prefetch import prefetch, prefetch_write
from skdl.ops._numba.team import Direct, Kernel, n_slots
from skdl.ops._numba.tile import FROM_B, MR, NV, fill_rows, tile
from skdl.ops._numba.transform import TO_FILTER, TO_PATCH, TO_TILE, combine
from skdl.ops._numba.vector import BYTES, Emitter, copy_vectors
from skdl.ops.correlation import Frame
from skdl.ops.geometry import Conv
from skdl.ops.memory import aligned
from skdl.ops.winograd import COLUMNS, PATCH, TILE

BLOCK = 24  # patches, about
N_PRODUCTS = PATCH * PATCH
LINE = 16  # numbers of a line of the cache
WIDE = NV * BYTES // np.dtype(np.float32).itemsize  # columns of a panel
NARROW = WIDE > COLUMNS  # whether some have half of them
APART = 16  # numbers between planes: a cache has few places for one multiple of 2048

WINOGRAD = Struct(
    "Winograd",
    **FRAME,
    size=int64,  # numbers of a frame
    y_size=int64,
    ho=int64,
    wo=int64,
    across=int64,  # patches across, and in all
    patches=int64,
    c=int64,
    k=int64,
    block=int64,
    at_once=int64,  # images that are laid out together
    rows=int64[::1],
    outs=int64[::1],
    step=int64[::1],
)
_open = WINOGRAD.opener()


@intrinsic
def finish(typingctx, a, a0, bias, z, floor, y, y0):  # type: ignore[no-untyped-def]
    """One vector: y = max(a + bias, floor); NaN stays."""
    signature = types.void(a, types.intp, bias, types.intp, a.dtype, y, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        e = Emitter(context, builder, a.dtype)
        zero = context.get_value_type(types.intp)(0)
        places = [
            e.at(e.pointer(sig.args[i], *args[i : i + 2]), zero) for i in (0, 2, 5)
        ]
        value = builder.fadd(e.load(places[0]), e.load(places[1]))
        least = e.splat(args[4])
        low = builder.fcmp_ordered("<", value, least)
        e.store(builder.select(low, least, value), places[2])
        return context.get_dummy_value()

    return signature, codegen


@Direct
def lay_filters(W, c, k, transposed, panels, tmp):  # type: ignore[no-untyped-def]
    """G g Gᵀ of filters, in panels; the sums start from 0."""
    n_panels, depth, nr = panels.shape[1:]
    out, lanes = panels.reshape(panels.size), BYTES // W.itemsize
    plane, half = n_panels * depth * nr, 9 * lanes
    for z in range(c):
        for j in range(0, k, lanes):
            for e in range(9):
                if transposed:  # turned round, channels and filters exchanged
                    for i in range(lanes):
                        tmp[e * lanes + i] = W[((8 - e) * k + j + i) * c + z]
                else:
                    copy_vectors(1, W, (e * c + z) * k + j, tmp, e * lanes)
            for q in range(3):
                combine(TO_FILTER, tmp, q * lanes, 3 * lanes,
                        tmp, half + q * lanes, 3 * lanes)  # fmt: skip
            to = (j // nr * depth + 1 + z) * nr + j % nr
            for q in range(PATCH):
                combine(TO_FILTER, tmp, half + 3 * q * lanes, lanes,
                        out, q * PATCH * plane + to, plane)  # fmt: skip
            if z == 0:
                for e in range(N_PRODUCTS):
                    for i in range(lanes):
                        out[e * plane + to - nr + i] = 0


@inner
def take_patches(w, room, begin, count, V, step, tmp):  # type: ignore[no-untyped-def]
    """Bᵀ d B of some patches of a group of images, to 36 planes."""
    lanes = BYTES // room.itemsize
    for t in range(count):
        image, place = (begin + t) // w.patches, (begin + t) % w.patches
        p, q = place // w.across, place % w.across
        base = image * w.size + TILE * (p * w.line + q * w.c)
        for z in range(0, w.c, lanes):
            for i in range(PATCH):
                combine(TO_PATCH, room, base + i * w.c + z, w.line, tmp, i * lanes,
                        PATCH * lanes)  # fmt: skip
            for i in range(PATCH):
                combine(TO_PATCH, tmp, i * PATCH * lanes, lanes,
                        V, i * PATCH * step + t * w.c + z, step)  # fmt: skip


@inner
def foresee(a, a0, size, patches, begin, count, e):  # type: ignore[no-untyped-def]
    """Ask for what images from a0 on have at `count` patches, a part each product."""
    first = a0 + size * begin // patches
    size = size * count // patches
    for i in range(size * e // N_PRODUCTS, size * (e + 1) // N_PRODUCTS, LINE):
        prefetch(a, first + i)


@inner
def foresee_writing(a, a0, size, patches, begin, count, e):  # type: ignore[no-untyped-def]
    """Do so for numbers that are written to."""
    first = a0 + size * begin // patches
    size = size * count // patches
    for i in range(size * e // N_PRODUCTS, size * (e + 1) // N_PRODUCTS, LINE):
        prefetch_write(a, first + i)


@inner
def give_patches(w, M, step, begin, count, z0, z1, bias, floor, y, y0, tmp):  # type: ignore[no-untyped-def]
    """max(Aᵀ m A + bias, floor) of some patches, for filters z0 … z1 − 1."""
    lanes = BYTES // y.itemsize
    last = N_PRODUCTS * lanes
    for t in range(count):
        image, place = (begin + t) // w.patches, (begin + t) % w.patches
        p, q = place // w.across, place % w.across
        to = y0 + image * w.y_size + TILE * (p * w.wo + q) * w.k
        down, right = min(TILE, w.ho - TILE * p), min(TILE, w.wo - TILE * q)
        for z in range(z0, z1, lanes):
            for i in range(PATCH):
                combine(TO_TILE, M, i * step + t * w.k + z, PATCH * step,
                        tmp, i * lanes, PATCH * lanes)  # fmt: skip
            for i in range(down):
                combine(TO_TILE, tmp, i * PATCH * lanes, lanes, tmp, last, lanes)
                for j in range(right):
                    finish(tmp, last + j * lanes, bias, z, floor,
                           y, to + (i * w.wo + j) * w.k + z)  # fmt: skip


@Kernel
def correlate(  # type: ignore[no-untyped-def]
    x, n, table, U, bias, y, floor, other, least, adds, means, squares, measures, work,
    parts, sides, rooms, many, sums, temporary, first, last, slot
):  # fmt: skip
    """Convolve some groups of images; a piece has a part of the patches and filters."""
    w = _open(table)
    room, V, M, tmp = rooms[slot], many[slot], sums[slot], temporary[slot]
    n_panels, depth, nr = U.shape[1:]
    flat_U, none = U.reshape(U.size), x.dtype.type(-np.inf)
    v_step, m_step = w.block * w.c + APART, w.block * w.k + APART
    for i in range(w.at_once):
        fill_border(w, x.dtype.type(0), room[i * w.size : (i + 1) * w.size])
    for u in range(first, last):
        piece, start = u % (parts * sides), u // (parts * sides) * w.at_once
        part, side = piece // sides, piece % sides
        n_images = min(w.at_once, n - start)
        if piece == 0 or u == first:
            for i in range(n_images):
                frame = room[i * w.size : (i + 1) * w.size]
                put(x, (start + i) * w.x_size, w, frame)
        n_tiles = -(-n_images * w.patches // MR)
        end = min(n_images * w.patches, n_tiles * (part + 1) // parts * MR)
        p0, p1 = n_panels * side // sides, n_panels * (side + 1) // sides
        for begin in range(n_tiles * part // parts * MR, end, w.block):
            count = min(w.block, end - begin)
            take_patches(w, room, begin, count, V, v_step, tmp)
            share = -(-depth * nr * MR // (count * LINE)) * LINE
            x0, y0 = (start + w.at_once) * w.x_size, start * w.y_size
            next_x = w.x_size if x0 < x.size else 0
            for e in range(N_PRODUCTS):
                foresee(x, x0, next_x, w.patches, begin, count, e)
                foresee_writing(y, y0, w.y_size, w.patches, begin, count, e)
                for p in range(p0, p1):
                    b0 = ((e * n_panels + p) * depth + 1) * nr
                    for r in range(0, count, MR):
                        # The next panel comes from the third-level cache.
                        ahead = b0 + depth * nr + r // MR * share
                        for z in range(0, share, LINE):
                            prefetch(flat_U, ahead + z)
                        if nr == WIDE:
                            tile(MR, NV, FROM_B, V, e * v_step, w.rows, r, w.step, 0,
                                 flat_U, b0, M, e * m_step + p * nr, w.outs, r,
                                 1, w.c, 1, 0, nr, nr, none)  # fmt: skip
                        elif NARROW:
                            tile(MR, 1, FROM_B, V, e * v_step, w.rows, r, w.step, 0,
                                 flat_U, b0, M, e * m_step + p * nr, w.outs, r,
                                 1, w.c, 1, 0, nr, nr, none)  # fmt: skip
            give_patches(w, M, m_step, begin, count, p0 * nr, p1 * nr, bias, floor,
                         y, start * w.y_size, tmp)  # fmt: skip
        for i in range(start, start + n_images):
            begin, end = i * w.y_size, (i + 1) * w.y_size
            if adds:
                add_run(y, other, least, y, begin, end)
            if measures:
                moments_of(y, begin, end, means.shape[1], work[slot, 0], work[slot, 1],
                           means[i], squares[i])  # fmt: skip


class _Plan(NamedTuple):
    """The struct; scratch numbers for frames, factors, sums, a patch; work an image."""

    filled: SimpleNamespace
    sizes: tuple[int, int, int, int]
    work: int


def panel_width(k: int) -> int:
    """Return the columns of a panel of k filters, a multiple of 16."""
    return WIDE if k % WIDE == 0 else WIDE // NV


def frame_of(conv: Conv, transposed: bool) -> tuple[Frame, tuple[int, int]]:
    """Return the frame of what is convolved, and how many patches it has each way."""
    v, h = conv.axes
    c, (hi, wi), (ho, wo) = conv.channels, (v.n, h.n), (v.out, h.out)
    top, left = v.before, h.before
    if transposed:
        c, (hi, wi), (ho, wo) = conv.filters, (ho, wo), (hi, wi)
        top, left = 2 - top, 2 - left
    down, across = -(-ho // TILE), -(-wo // TILE)
    bottom = TILE * down + PATCH - TILE - top - hi
    right = TILE * across + PATCH - TILE - left - wi
    return Frame(hi, wi, c, top, bottom, left, right), (down, across)


@lru_cache(maxsize=512)
def _plan(conv: Conv, transposed: bool) -> _Plan:
    c, k = conv.channels, conv.filters
    ho, wo = (axis.out for axis in conv.axes)
    if transposed:
        c, k = k, c
        ho, wo = (axis.n for axis in conv.axes)
    frame, (down, across) = frame_of(conv, transposed)
    block = max(MR, min(60, 3 * BLOCK * 32 // (c + k) // MR * MR, BLOCK) // MR * MR)
    at_once = max(1, block // (down * across))
    rows = fill_rows(np.arange(block), MR)
    filled = WINOGRAD.fill(
        **{**frame_fields(frame), "bare": False},
        size=frame.size,
        y_size=ho * wo * k,
        ho=ho,
        wo=wo,
        across=across,
        patches=down * across,
        c=c,
        k=k,
        block=block,
        at_once=at_once,
        rows=rows * c,
        outs=rows * k,
        step=np.zeros(1, np.int64),
    )
    sizes = (
        at_once * frame.size,
        N_PRODUCTS * (block * c + APART),
        N_PRODUCTS * (block * k + APART),
        (N_PRODUCTS + TILE) * BYTES // np.dtype(np.float32).itemsize,
    )
    return _Plan(filled, sizes, 2 * N_PRODUCTS * down * across * c * k)


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
    """Convolve as `skdl.ops._numba.conv.correlate_images` does, with other rounding."""
    plan, dtype, n = _plan(conv, transposed), x.dtype, len(x)
    kept = None if packed is None else packed.get("winograd")
    if kept is None:
        W = np.ascontiguousarray(W, dtype)
        kept = _panels(W, b, transposed, empty if packed is None else aligned)
        if packed is not None:
            packed["winograd"] = kept
    panels, bias = kept
    at_once = plan.filled.at_once
    groups = -(-n // at_once)
    n_tiles = at_once * plan.filled.patches // MR
    parts, sides = _pieces(groups, n_tiles, panels.shape[1])
    size = groups * parts * sides
    n_chunks = chunks_of(size, plan.work * at_once // (parts * sides))
    slots = n_slots(n_chunks)
    scratch = [empty((slots, m), dtype) for m in plan.sizes]
    then, whole = Finish(other, floor, moments), parts * sides == 1
    args = flat(x), n, plan.filled.table, panels, bias, out.reshape(-1)
    more = then.first_floor(dtype), *then.args(out, whole, slots), parts, sides
    correlate(dtype, (*args, *more, *scratch), size, n_chunks)
    if not whole:
        then.apart(out)
    return out


def _panels(
    W: Array, b: Array | None, transposed: bool, empty: Callable[..., Array]
) -> tuple[Array, Array]:
    """Return transformed filters in panels, and biases."""
    dtype, (c, k) = W.dtype, W.shape[2:]
    if transposed:
        c, k = k, c
    nr = panel_width(k)
    panels = empty((N_PRODUCTS, k // nr, c + 1, nr), dtype)
    tmp = empty((27 * BYTES // dtype.itemsize,), dtype)
    lay_filters(dtype, flat(W), c, k, transposed, panels, tmp)
    biases = np.zeros(k, dtype) if b is None else np.ascontiguousarray(b, dtype)
    return panels, biases


def _pieces(groups: int, n_tiles: int, n_panels: int) -> tuple[int, int]:
    """Return into how many parts and sides threads cut a group of images.

    Not at all where there are many. Of few patches each thread takes some filters, so
    that it need not read the others; of many it takes some, transformed by it alone.
    """
    threads = n_threads()
    if groups >= threads:
        return 1, 1
    sides = 1 if n_tiles >= 4 * threads else min(n_panels, threads)
    return threads // sides, sides
