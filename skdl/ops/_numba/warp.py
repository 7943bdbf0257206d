"""Affine maps of pictures (compiled)."""

from __future__ import annotations

from skdl._typing import Array
from skdl.ops._numba.images import chunks_of
from skdl.ops._numba.team import Kernel

PASS = 16  # multiplications of a convolution that take as long as a number here


@Kernel
def warped(framed, h, w, c, maps, whole, out, ho, wo, first, last, slot):  # type: ignore[no-untyped-def]
    """Draw the pictures first … last − 1; `framed` and `out` are flat."""
    real = maps.dtype.type
    zero, one = real(0), real(1)
    half = real(0.5) if whole else zero
    line, lowest, rightmost = (w + 2) * c, real(h + 1), real(w + 1)
    at = first * ho * wo * c
    for n in range(first, last):
        start = n * (h + 2) * line
        m = maps[n]
        down_i, down_j, right_i, right_j = m[0, 0], m[0, 1], m[1, 0], m[1, 1]
        down_0, right_0 = m[0, 2] + one, m[1, 2] + one
        for i in range(ho):
            down = down_i * real(i) + down_0
            right = right_i * real(i) + right_0
            for j in range(wo):
                y = min(max(down + down_j * real(j), zero), lowest)
                x = min(max(right + right_j * real(j), zero), rightmost)
                row, column = min(int(y), h), min(int(x), w)
                y -= real(row)
                x -= real(column)
                p = start + row * line + column * c
                for _ in range(c):
                    a, b = real(framed[p]), real(framed[p + c])
                    q = p + line
                    d, e = real(framed[q]), real(framed[q + c])
                    top = a + (b - a) * x
                    top += (d + (e - d) * x - top) * y + half
                    out[at] = int(top) if whole else top
                    at += 1
                    p += 1


def warp(framed: Array, maps: Array, out: Array) -> Array:
    """Twin of `skdl.ops.warp.warp`, behind the frame; of whole numbers for bytes."""
    n, height, width, c = framed.shape
    whole, (ho, wo) = out.dtype.kind == "u", out.shape[1:3]
    args = (
        framed.reshape(-1), height - 2, width - 2, c, maps, whole, out.reshape(-1),
        ho, wo,
    )  # fmt: skip
    kinds = framed.dtype, maps.dtype, out.dtype
    warped(kinds, args, n, chunks_of(n, PASS * ho * wo * c))
    return out
