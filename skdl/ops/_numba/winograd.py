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
from numba.core.cgutils import ir
from numba.extending import intrinsic

from skdl._typing import Array
from skdl.ops._numba._inner import inner
from skdl.ops._numba._struct import Struct
from skdl.ops._numba.images import chunks_of, fill_border, flat, put
from skdl.ops._numba.plan import FRAME, frame_fields
from skdl.ops._numba.prefetch import prefetch
from skdl.ops._numba.team import Kernel, n_slots
from skdl.ops._numba.tile import FROM_B, MR, NV, fill_rows, tile
from skdl.ops._numba.vector import BYTES, Emitter
from skdl.ops.correlation import Frame
from skdl.ops.geometry import Conv
from skdl.ops.winograd import INPUT, OUTPUT, PATCH, TILE, transform_filters

BLOCK = 24  # patches, about
N_PRODUCTS = PATCH * PATCH
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


@intrinsic(prefer_literal=True)
def combine(typingctx, output, a, a0, a_step, b, b0, b_step):  # type: ignore[no-untyped-def]
    """One vector of lanes: b_i = Σ_j M[i, j]·a_j, M = Aᵀ if `output`, else Bᵀ."""
    matrix = OUTPUT if output.literal_value else INPUT
    signature = types.void(output, a, types.intp, types.intp, b, types.intp, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        e = Emitter(context, builder, a.dtype)
        source = e.pointer(sig.args[1], args[1], args[2])
        target = e.pointer(sig.args[4], args[4], args[5])

        def place(base: Any, step: Any, i: int) -> Any:
            return e.at(base, builder.mul(step, ir.Constant(step.type, i)))

        values = [e.load(place(source, args[3], j)) for j in range(PATCH)]
        for i, row in enumerate(matrix):
            total = None
            for number, value in zip(row, values, strict=True):
                if number == 0:
                    continue
                factor = ir.Constant(e.vector, [float(number)] * e.width)
                if total is not None:
                    total = e.multiply_add(factor, value, total)
                else:
                    total = value if number == 1 else builder.fmul(factor, value)
            e.store(total, place(target, args[6], i))
        return context.get_dummy_value()

    return signature, codegen


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


@inner
def take_patch(w, room, base, V, at, step, tmp):  # type: ignore[no-untyped-def]
    """Bᵀ d B of one patch, to 36 planes."""
    lanes = BYTES // room.itemsize
    for z in range(0, w.c, lanes):
        for q in range(PATCH):
            combine(False, room, base + q * w.c + z, w.line, tmp, q * lanes,
                    PATCH * lanes)  # fmt: skip
        for q in range(PATCH):
            combine(False, tmp, q * PATCH * lanes, lanes, V, q * PATCH * step + at + z,
                    step)  # fmt: skip


@inner
def give_patch(w, M, at, step, bias, floor, y, to, down, right, tmp):  # type: ignore[no-untyped-def]
    """max(Aᵀ m A + bias, floor) of one patch: so many pixels down and to the right."""
    lanes = BYTES // y.itemsize
    last = N_PRODUCTS * lanes
    for z in range(0, w.k, lanes):
        for q in range(PATCH):
            combine(True, M, q * step + at + z, PATCH * step, tmp, q * lanes,
                    PATCH * lanes)  # fmt: skip
        for q in range(down):
            combine(True, tmp, q * PATCH * lanes, lanes, tmp, last, lanes)
            for s in range(right):
                finish(tmp, last + s * lanes, bias, z, floor,
                       y, to + (q * w.wo + s) * w.k + z)  # fmt: skip


@Kernel
def correlate(  # type: ignore[no-untyped-def]
    x, n, table, U, bias, y, floor, rooms, many, sums, temporary, first, last, slot
):
    """Convolve some groups of images."""
    w = _open(table)
    room, V, M, tmp = rooms[slot], many[slot], sums[slot], temporary[slot]
    n_panels, depth, nr = U.shape[1:]
    flat_U, none = U.reshape(U.size), x.dtype.type(-np.inf)
    v_step, m_step = w.block * w.c + APART, w.block * w.k + APART
    for i in range(w.at_once):
        fill_border(w, x.dtype.type(0), room[i * w.size : (i + 1) * w.size])
    for start in range(first * w.at_once, min(n, last * w.at_once), w.at_once):
        n_images = min(w.at_once, n - start)
        for i in range(n_images):
            frame = room[i * w.size : (i + 1) * w.size]
            put(x, (start + i) * w.x_size, w, frame)
        total = n_images * w.patches
        for begin in range(0, total, w.block):
            count = min(w.block, total - begin)
            for t in range(count):
                image, place = (begin + t) // w.patches, (begin + t) % w.patches
                p, q = place // w.across, place % w.across
                base = image * w.size + TILE * (p * w.line + q * w.c)
                take_patch(w, room, base, V, t * w.c, v_step, tmp)
            for e in range(N_PRODUCTS):
                for panel in range(n_panels):
                    b0 = ((e * n_panels + panel) * depth + 1) * nr
                    share = -(-depth * nr * MR // (count * 16)) * 16
                    for r in range(0, count, MR):
                        # The next panel comes from the third-level cache.
                        ahead = b0 + depth * nr + r // MR * share
                        for z in range(0, share, 16):
                            prefetch(flat_U, ahead + z)
                        tile(MR, NV, FROM_B, V, e * v_step, w.rows, r, w.step, 0,
                             flat_U, b0, M, e * m_step + panel * nr, w.outs, r,
                             1, w.c, 1, 0, nr, nr, none)  # fmt: skip
            for t in range(count):
                image, place = (begin + t) // w.patches, (begin + t) % w.patches
                p, q = place // w.across, place % w.across
                to = (start + image) * w.y_size + TILE * (p * w.wo + q) * w.k
                give_patch(w, M, t * w.k, m_step, bias, floor, y, to,
                           min(TILE, w.ho - TILE * p), min(TILE, w.wo - TILE * q),
                           tmp)  # fmt: skip


class _Plan(NamedTuple):
    """The struct, scratch numbers of frames, factors and sums; work for an image."""

    filled: SimpleNamespace
    sizes: tuple[int, int, int]
    work: int


@lru_cache(maxsize=512)
def _plan(conv: Conv, transposed: bool) -> _Plan:
    v, h = conv.axes
    c, k = conv.channels, conv.filters
    (hi, wi), (ho, wo), (top, left) = (v.n, h.n), (v.out, h.out), (v.before, h.before)
    if transposed:
        c, k, (hi, wi), (ho, wo) = k, c, (ho, wo), (hi, wi)
        top, left = 2 - top, 2 - left
    down, across = -(-ho // TILE), -(-wo // TILE)
    frame = Frame(
        hi,
        wi,
        c,
        top,
        TILE * down + PATCH - TILE - top - hi,
        left,
        TILE * across + PATCH - TILE - left - wi,
    )
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
) -> Array:
    """Convolve as `skdl.ops._numba.conv.correlate_images` does, with other rounding."""
    plan, dtype, n = _plan(conv, transposed), x.dtype, len(x)
    if transposed:
        W = W[::-1, ::-1].swapaxes(2, 3)
    c, k = W.shape[2:]
    nr = NV * BYTES // dtype.itemsize
    U = transform_filters(W, empty((N_PRODUCTS, c, k), dtype))
    panels = empty((N_PRODUCTS, k // nr, c + 1, nr), dtype)
    panels[:, :, 0] = 0
    panels[:, :, 1:] = U.reshape(N_PRODUCTS, c, k // nr, nr).swapaxes(1, 2)
    if b is None:
        b = np.zeros(k, dtype)
    at_once = plan.filled.at_once
    size = -(-n // at_once)
    n_chunks = chunks_of(size, plan.work * at_once)
    slots = n_slots(n_chunks)
    scratch = [empty((slots, m), dtype) for m in plan.sizes]
    lanes = BYTES // dtype.itemsize
    temporary = empty((slots, (N_PRODUCTS + TILE) * lanes), dtype)
    args = (
        flat(x), n, plan.filled.table, panels, np.ascontiguousarray(b), out.reshape(-1),
        dtype.type(floor), *scratch, temporary,
    )  # fmt: skip
    correlate(dtype, args, size, n_chunks)
    return out
