"""Affine maps of pictures, (n, h, w, c), pixels interpolated linearly."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from skdl._config import use_numba
from skdl._typing import Array


def warp(
    x: Array,
    maps: Array,
    out: Array,
    fill: float | None = 0.0,
    empty: Any = np.empty,
) -> Array:
    """Draw each picture as seen through an affine map.

    ``out[n, i, j]`` is the picture n at row and column ``maps[n] @ (i, j, 1)``, between
    pixels interpolated linearly along both axes.

    Parameters
    ----------
    x : ndarray of shape (n, h, w, c)
        Pictures of any type.
    maps : ndarray of shape (n, 2, 3)
        The maps.
    out : ndarray of shape (n, ho, wo, c)
        Receives the result, of the type of `x`; whole numbers are rounded.
    fill : float or None, default=0.0
        What lies around the pictures; None repeats their border.
    empty : callable, default=numpy.empty
        Gives memory for intermediate results.

    Returns
    -------
    out : ndarray of shape (n, ho, wo, c)
        The result.
    """
    n, h, w, c = x.shape
    _, ho, wo, _ = out.shape
    dtype = x.dtype if x.dtype == np.float64 else np.dtype(np.float32)
    # A border of one pixel stands for all that lies outside.
    framed = empty((n, h + 2, w + 2, c), x.dtype)
    _frame(x, framed, fill)
    maps = np.ascontiguousarray(maps, dtype)
    if use_numba() and x.dtype in (np.uint8, np.float32, np.float64):
        return import_module("skdl.ops._numba.warp").warp(framed, maps, out)
    i, j = np.arange(ho, dtype=dtype)[:, None], np.arange(wo, dtype=dtype)
    corner = empty((n, ho, wo), np.intp)
    corner[...] = ((h + 2) * (w + 2) * np.arange(n))[:, None, None]
    parts = []
    for axis, (length, step) in enumerate(((h, w + 2), (w, 1))):
        a, b, d = (maps[:, axis, k, None, None] for k in range(3))
        place = empty((n, ho, wo), dtype)
        np.add(a * i, b * j, out=place)
        place += d
        place += 1
        np.clip(place, 0, length + 1, out=place)
        first = empty((n, ho, wo), dtype)
        np.minimum(np.floor(place, out=first), length, out=first)
        place -= first
        parts.append(place)
        first *= step
        corner += first.astype(np.intp)
    return _interpolated(framed.reshape(-1, c), corner, w + 2, parts, out)


def _frame(x: Array, framed: Array, fill: float | None) -> None:
    framed[:, 1:-1, 1:-1] = x
    if fill is None:
        framed[:, 0, 1:-1], framed[:, -1, 1:-1] = x[:, 0], x[:, -1]
        framed[:, :, 0], framed[:, :, -1] = framed[:, :, 1], framed[:, :, -2]
        return
    for border in (framed[:, 0], framed[:, -1], framed[:, :, 0], framed[:, :, -1]):
        border[...] = fill


def _interpolated(
    pixels: Array, corner: Array, line: int, parts: list[Array], out: Array
) -> Array:
    """Mix each pixel with those to the right of it and below."""
    down, right = (part[..., None] for part in parts)
    dtype = down.dtype

    def mixed(offset: int) -> Array:
        a = pixels.take(corner + offset, axis=0).astype(dtype, copy=False)
        b = pixels.take(corner + (offset + 1), axis=0).astype(dtype, copy=False)
        return a + (b - a) * right

    top, bottom = mixed(0), mixed(line)
    bottom -= top
    bottom *= down
    top += bottom
    if out.dtype.kind in "iu":
        np.floor(np.add(top, 0.5, out=top), out=top)
    elif out.dtype.kind == "b":
        return np.greater(top, 0.5, out=out)
    np.copyto(out, top, casting="unsafe")
    return out
