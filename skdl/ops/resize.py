"""Pictures enlarged and shrunk by whole factors, with the centres of pixels aligned.

Pixel i of n lies at (i + ½)/n of the side. Bicubic is the kernel of Keys (1981) with
a = −½, over four old pixels each way; where pictures are shrunk it is as many times as
wide, so that nothing is aliased. Beyond the edge the last pixel repeats.
"""

from __future__ import annotations

import math

import numpy as np

from skdl._typing import Array


def cubic(t: Array) -> Array:
    """Return the kernel of Keys with a = −½.

    Parameters
    ----------
    t : ndarray
        Distances in pixels.

    Returns
    -------
    weight : ndarray
        Of a pixel at that distance; 1 at 0, and 0 at all other whole numbers.
    """
    t = np.abs(t)
    near = (1.5 * t - 2.5) * t * t + 1.0
    far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))


def enlarge(x: Array, factor: int) -> Array:
    """Return pictures a whole number of times as large, bicubic.

    Parameters
    ----------
    x : float ndarray of shape (n, h, w, c)
        Pictures.
    factor : int
        How many times as high and as wide.

    Returns
    -------
    y : ndarray of shape (n, h·factor, w·factor, c)
        Larger pictures.
    """
    return _enlarged(_enlarged(x, 1, factor), 2, factor)


def shrink(x: Array, factor: int, method: str = "area") -> Array:
    """Return pictures a whole number of times as small.

    Parameters
    ----------
    x : float ndarray of shape (n, h, w, c)
        Pictures; `factor` divides both sides.
    factor : int
        How many times as high and as wide the pictures are.
    method : {"area", "bicubic"}, default="area"
        Mean of factor×factor pixels, or bicubic.

    Returns
    -------
    y : ndarray of shape (n, h / factor, w / factor, c)
        Smaller pictures.
    """
    n, h, w, c = x.shape
    if method == "area":
        return x.reshape(n, h // factor, factor, w // factor, factor, c).mean((2, 4))
    return _shrunk(_shrunk(x, 1, factor), 2, factor)


def padded_to(x: Array, multiple: int) -> Array:
    """Return pictures whose sides are multiples; the last pixels are repeated.

    Parameters
    ----------
    x : ndarray of shape (n, h, w, c)
        Pictures.
    multiple : int
        What is to divide the sides.

    Returns
    -------
    x : ndarray of shape (n, h + …, w + …, c)
        The pictures themselves if there is nothing to do.
    """
    down, right = (-n % multiple for n in x.shape[1:3])
    if not down and not right:
        return x
    return np.pad(x, [(0, 0), (0, down), (0, right), (0, 0)], mode="edge")


def _enlarged(x: Array, axis: int, factor: int) -> Array:
    n = x.shape[axis]
    framed = np.moveaxis(_edged(x, axis, 2, 2), axis, 0)
    out = np.empty((*x.shape[:axis], n * factor, *x.shape[axis + 1 :]), x.dtype)
    moved = np.moveaxis(out, axis, 0)
    for phase in range(factor):
        at = (phase + 0.5) / factor - 0.5  # where the first new pixel lies
        base = math.floor(at)
        target = moved[phase::factor]
        target[...] = 0
        for tap in range(base - 1, base + 3):
            weight = float(cubic(np.array(at - tap)))
            if weight:
                target += weight * framed[tap + 2 : tap + 2 + n]
    return out


def _shrunk(x: Array, axis: int, factor: int) -> Array:
    n = x.shape[axis] // factor
    at = (factor - 1) / 2  # where the first new pixel lies
    taps = np.arange(math.ceil(at - 2 * factor), math.floor(at + 2 * factor) + 1)
    weights = cubic((taps - at) / factor)
    weights /= weights.sum()
    before = int(-taps[0])
    framed = np.moveaxis(_edged(x, axis, before, int(taps[-1])), axis, 0)
    out = np.zeros((*x.shape[:axis], n, *x.shape[axis + 1 :]), x.dtype)
    moved = np.moveaxis(out, axis, 0)
    for tap, weight in zip(taps.tolist(), weights.tolist(), strict=True):
        first = before + tap
        moved += weight * framed[first : first + (n - 1) * factor + 1 : factor]
    return out


def _edged(x: Array, axis: int, before: int, after: int) -> Array:
    widths = [(0, 0)] * x.ndim
    widths[axis] = (before, after)
    return np.pad(x, widths, mode="edge")
