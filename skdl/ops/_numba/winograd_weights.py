"""Gradients of 3×3 filters in Winograd's way, on the register tile (compiled).

Of Y = Aᵀ[U ⊙ V]A with U = G g Gᵀ and V = Bᵀ d B the gradient to U is
Σ (A dy Aᵀ) ⊙ V over patches: 36 products of (channels × patches)·(patches × filters).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from numba import int64

from skdl._typing import Array
from skdl.ops._numba._inner import inner
from skdl.ops._numba._struct import Struct
from skdl.ops._numba.images import add_rows, chunks_of, fill_border, flat, put
from skdl.ops._numba.plan import FRAME, frame_fields
from skdl.ops._numba.team import Direct, Kernel, n_slots
from skdl.ops._numba.tile import FROM_C, MR, NV, fill_rows, tile
from skdl.ops._numba.transform import FROM_FILTER, FROM_TILE, combine
from skdl.ops._numba.vector import BYTES
from skdl.ops._numba.winograd import (
    APART,
    N_PRODUCTS,
    NARROW,
    WIDE,
    foresee,
    frame_of,
    panel_width,
    take_patches,
)
from skdl.ops.correlation import Frame
from skdl.ops.geometry import Conv
from skdl.ops.winograd import PATCH, TILE

FIT = 96 * 1024  # numbers of patches, and of gradients, that stay in the cache
SLICES = 4  # partial sums, for any number of threads
ONES = PATCH + 1  # the product whose gradients are sums over a tile

PATCHES = Struct(
    "Patches",
    **FRAME,
    size=int64,  # numbers of a frame
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
TILES = Struct(
    "Tiles", **FRAME, size=int64, across=int64, patches=int64, k=int64, block=int64
)
_open_patches, _open_tiles = PATCHES.opener(), TILES.opener()


@inner
def spread(w, a, a0, begin, count, nr, D, step, tmp):  # type: ignore[no-untyped-def]
    """A dy Aᵀ of some tiles of a group of images, to panels of 36 planes."""
    lanes = BYTES // a.itemsize
    for t in range(count):
        image, place = (begin + t) // w.patches, (begin + t) % w.patches
        p, q = place // w.across, place % w.across
        base = a0 + image * w.size + TILE * (p * w.line + q * w.k)
        for z in range(0, w.k, lanes):
            to = (z // nr * w.block + t) * nr + z % nr
            for j in range(TILE):
                combine(FROM_TILE, a, base + j * w.k + z, w.line, tmp, j * lanes,
                        TILE * lanes)  # fmt: skip
            for i in range(PATCH):
                combine(FROM_TILE, tmp, i * TILE * lanes, lanes,
                        D, i * PATCH * step + to, step)  # fmt: skip


@Kernel
def weights(  # type: ignore[no-untyped-def]
    x, n, table, dy, tiles, nr, rooms, frames, many, spreads, temporary, sums,
    first, last, slot
):  # fmt: skip
    """Gradients to U for some slices of n images; the last row is Σ dy.

    There are as many slices as `sums`.
    """
    w, v = _open_patches(table), _open_tiles(tiles)
    room, frame, tmp = rooms[slot], frames[slot], temporary[slot]
    V, D, zero = many[slot], spreads[slot], x.dtype.type(0)
    v_step, d_step, plane = w.block * w.c + APART, w.block * w.k + APART, w.c * w.k
    for i in range(w.at_once):
        fill_border(w, zero, room[i * w.size : (i + 1) * w.size])
        if not v.bare:
            fill_border(v, zero, frame[i * v.size : (i + 1) * v.size])
    for s in range(first, last):
        total = sums[s]
        total[:] = 0
        end = n * (s + 1) // len(sums)
        for start in range(n * s // len(sums), end, w.at_once):
            n_images = min(w.at_once, end - start)
            for i in range(n_images):
                put(x, (start + i) * w.x_size, w, room[i * w.size : (i + 1) * w.size])
                if not v.bare:
                    put(dy, (start + i) * v.x_size, v,
                        frame[i * v.size : (i + 1) * v.size])  # fmt: skip
            then = start + w.at_once
            for begin in range(0, n_images * w.patches, w.block):
                count = min(w.block, n_images * w.patches - begin)
                take_patches(w, room, begin, count, V, v_step, tmp)
                if v.bare:
                    spread(v, dy, start * v.size, begin, count, nr, D, d_step, tmp)
                else:
                    spread(v, frame, 0, begin, count, nr, D, d_step, tmp)
                for e in range(N_PRODUCTS):
                    foresee(x, then * w.x_size, w.x_size, w.patches, begin, count, e)
                    foresee(dy, then * v.x_size, v.x_size, w.patches, begin, count, e)
                    for p in range(0, w.k, nr):
                        d0 = e * d_step + p * w.block
                        for r in range(0, w.c, MR):
                            if nr == WIDE:
                                tile(MR, NV, FROM_C, V, e * v_step, w.rows, r,
                                     w.step, 0, D, d0, total, e * plane + p, w.outs, r,
                                     1, count, w.c, 0, nr, nr, zero)  # fmt: skip
                            elif NARROW:
                                tile(MR, 1, FROM_C, V, e * v_step, w.rows, r,
                                     w.step, 0, D, d0, total, e * plane + p, w.outs, r,
                                     1, count, w.c, 0, nr, nr, zero)  # fmt: skip
                for p in range(0, w.k, nr):
                    at = N_PRODUCTS * plane + p
                    add_rows(D, ONES * d_step + p * w.block, count, nr,
                             total[at : at + nr])  # fmt: skip


@Direct
def gather(sums, c, k, dW, db, tmp):  # type: ignore[no-untyped-def]
    """Add partial sums up, in order: the gradients to U become Gᵀ dU G."""
    lanes = BYTES // sums.itemsize
    slices, size = sums.shape
    total = sums[0]
    for s in range(1, slices):
        more = sums[s]
        for j in range(size):
            total[j] += more[j]
    plane = c * k
    for j in range(0, plane, lanes):
        for i in range(PATCH):
            combine(FROM_FILTER, total, i * plane + j, PATCH * plane,
                    tmp, i * lanes, PATCH * lanes)  # fmt: skip
        for i in range(3):
            combine(FROM_FILTER, tmp, i * PATCH * lanes, lanes,
                    dW, 3 * i * plane + j, plane)  # fmt: skip
    for j in range(db.size):
        db[j] = total[N_PRODUCTS * plane + j]


class _Plan(NamedTuple):
    """Structs of images and of their gradients; scratch numbers; work an image."""

    patches: SimpleNamespace
    tiles: SimpleNamespace
    sizes: tuple[int, int, int, int, int]
    work: int


@lru_cache(maxsize=512)
def _plan(conv: Conv) -> _Plan:
    c, k = conv.channels, conv.filters
    frame, (down, across) = frame_of(conv, False)
    ho, wo = (axis.out for axis in conv.axes)
    outer = Frame(ho, wo, k, 0, TILE * down - ho, 0, TILE * across - wo)
    block = max(8, min(64, FIT // (N_PRODUCTS * (c + k)) // 8 * 8))
    at_once = max(1, block // (down * across))
    block = min(block, at_once * down * across)
    rows = fill_rows(np.arange(c), MR)
    both = {"across": across, "patches": down * across, "k": k, "block": block}
    patches = PATCHES.fill(
        **{**frame_fields(frame), "bare": False},
        size=frame.size,
        c=c,
        at_once=at_once,
        rows=rows,
        outs=rows * k,
        step=np.zeros(1, np.int64),
        **both,
    )
    tiles = TILES.fill(**frame_fields(outer), size=outer.size, **both)
    lanes = BYTES // np.dtype(np.float32).itemsize
    sizes = (
        at_once * frame.size,
        0 if outer.bare else at_once * outer.size,
        N_PRODUCTS * (block * c + APART),
        N_PRODUCTS * (block * k + APART),
        N_PRODUCTS * lanes,
    )
    return _Plan(patches, tiles, sizes, 2 * N_PRODUCTS * down * across * c * k)


def weights_gradient(
    conv: Conv,
    x: Array,
    dy: Array,
    dW: Array,
    db: Array | None,
    empty: Callable[..., Array],
) -> None:
    """Do as `skdl.ops._numba.conv.weights_gradient` does, with other rounding."""
    plan, dtype, n = _plan(conv), x.dtype, len(x)
    c, k = conv.channels, conv.filters
    slices = min(n, SLICES)
    sums = empty((slices, N_PRODUCTS * c * k + k), dtype)
    n_chunks = min(slices, chunks_of(n, plan.work))
    slots = n_slots(n_chunks)
    scratch = [empty((slots, size), dtype) for size in plan.sizes]
    args = flat(x), n, plan.patches.table, flat(dy), plan.tiles.table, panel_width(k)
    weights(dtype, (*args, *scratch, sums), slices, n_chunks)
    biases = np.empty(0, dtype) if db is None else db
    tmp = empty((18 * BYTES // dtype.itemsize,), dtype)
    gather(dtype, sums, c, k, dW.reshape(-1), biases, tmp)
