"""Enlarging images, (n, h, w, c) with channels last: nearest neighbour and linear.

Copying pixels is the transpose of a pooling. Interpolating is one small matrix down and
one across, whose rows hold the shares of the old pixels in a new one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Array
from skdl.ops.conv import Empty, conv2d
from skdl.ops.geometry import Conv, make_conv
from skdl.ops.window import pair


def make_upsampling(input_shape: tuple[int, int, int], factor: Any) -> Conv:
    """Return the geometry of an enlargement: that of the pooling that undoes it.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of an image.
    factor : int or pair of int
        How many times as high and as wide the result is.

    Returns
    -------
    pool : Conv
        The geometry.

    Raises
    ------
    ValueError
        If `factor` is something else.
    """
    h, w, channels = input_shape
    size = pair(factor, "factor")
    large = (h * size[0], w * size[1], channels)
    return make_conv(large, channels, size, size, groups=channels)


def upsample(pool: Conv, x: Array, out: Array) -> Array:
    """Enlarge images: each pixel becomes a block (nearest neighbour).

    Parameters
    ----------
    pool : Conv
        The geometry, of `make_upsampling`.
    x : ndarray of shape (n, h, w, c)
        Images.
    out : ndarray of shape (n, h·factor, w·factor, c)
        Receives the enlarged ones.

    Returns
    -------
    out : ndarray of shape (n, h·factor, w·factor, c)
        The enlarged images.
    """
    n, h, w, c = x.shape
    kh, kw, _, _ = pool.filters_shape
    out.reshape(n, h, kh, w, kw, c)[...] = x[:, :, None, :, None]
    return out


def upsample_backward(
    pool: Conv, dy: Array, out: Array, empty: Empty = np.empty
) -> Array:
    """∂L/∂x of `upsample`: the sums of the blocks.

    Parameters
    ----------
    pool : Conv
        The geometry, of `make_upsampling`.
    dy : ndarray of shape (n, h·factor, w·factor, c)
        ∂L/∂y.
    out : ndarray of shape (n, h, w, c)
        Receives ∂L/∂x.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.

    Returns
    -------
    out : ndarray of shape (n, h, w, c)
        ∂L/∂x.
    """
    ones = np.ones(pool.filters_shape, dy.dtype)
    return conv2d(pool, dy, ones, None, out, empty=empty)


@lru_cache(maxsize=256)
def linear_shares(n: int, factor: int, dtype: DTypeLike) -> Array:
    """Return the share of each of n pixels in each of n·factor new ones.

    Pixels are squares: new pixel i has its centre at (i + ½)/factor − ½ in the old ones
    (PyTorch's ``align_corners=False``). Beyond the first and the last centre there is
    nothing to interpolate, and the last pixel counts alone.

    Parameters
    ----------
    n : int
        Pixels along an axis.
    factor : int
        How many times as many there will be.
    dtype : dtype
        Type.

    Returns
    -------
    shares : ndarray of shape (n·factor, n)
        A row sums up to 1; it is read-only.
    """
    new = np.arange(n * factor)
    at = np.clip((new + 0.5) / factor - 0.5, 0, n - 1)
    low = np.minimum(at.astype(int), max(n - 2, 0))
    shares = np.zeros((n * factor, n))
    shares[new, low] = 1 - (at - low)
    if n > 1:
        shares[new, low + 1] = at - low
    shares = shares.astype(dtype)
    shares.flags.writeable = False
    return shares


def resample(
    x: Array, down: Array, across: Array, out: Array, empty: Empty = np.empty
) -> Array:
    """Mix the rows of pixels, and the pixels of each row.

    ``out[n, p, q] = Σ_ij down[p, i]·across[q, j]·x[n, i, j]``; with both matrices
    transposed it is the gradient.

    Parameters
    ----------
    x : ndarray of shape (n, h, w, c)
        Images.
    down : ndarray of shape (h_new, h)
        Shares of the rows.
    across : ndarray of shape (w_new, w)
        Shares of the columns.
    out : ndarray of shape (n, h_new, w_new, c)
        Receives the result.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.

    Returns
    -------
    out : ndarray of shape (n, h_new, w_new, c)
        The result.
    """
    n, h, w, c = x.shape
    lines = empty((n, len(down), w, c), x.dtype)
    np.matmul(down, x.reshape(n, h, w * c), out=lines.reshape(n, len(down), w * c))
    np.matmul(across, lines, out=out)
    return out
