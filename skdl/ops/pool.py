"""Pooling of images, (n, h, w, c) with channels last.

An average is a depthwise convolution with equal factors: only maxima need loops of
their own.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from skdl._config import use_numba
from skdl._typing import Array
from skdl.ops.conv import Empty, conv2d, conv2d_backward_input
from skdl.ops.geometry import Conv
from skdl.ops.window import Axis, Padding, entries, make_axes

ENTRY = np.uint16  # type of the entries of a window that hold the maxima


def make_pool(
    input_shape: tuple[int, int, int],
    window: Any,
    stride: Any = None,
    padding: Padding = "valid",
    dilation: Any = 1,
    ceil: bool = False,
) -> Conv:
    """Return the geometry of a pooling: that of a depthwise convolution.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of an image.
    window : int or pair of int
        Height and width of a window.
    stride : int or pair of int, default=None
        Distance of the windows; None takes the window's size.
    padding : {"valid", "same"}, int, pair of int or pair of pairs, default="valid"
        See `skdl.ops.window.make_axes`.
    dilation : int or pair of int, default=1
        Distance of the entries of a window.
    ceil : bool, default=False
        Whether a last window that lies only partly on the image counts.

    Returns
    -------
    pool : Conv
        The geometry.

    Raises
    ------
    ValueError
        If a setting is out of range, the image is too small, or a window would have
        nothing but padding.
    """
    h, w, channels = input_shape
    stride = window if stride is None else stride
    axes = make_axes((h, w), window, stride, padding, dilation, ceil)
    for axis in axes:
        if not _covered(axis).all():
            raise ValueError(
                f"a window of the pooling would have nothing but padding: {axis.n} "
                f"pixels with padding {axis.before} + {axis.after}, windows of "
                f"{axis.size} (stride {axis.stride}, dilation {axis.dilation}). Use "
                "less padding."
            )
    return Conv(axes, channels, channels, channels)


def _covered(axis: Axis) -> Array:
    """Return of each window how many of its entries lie on the image."""
    count = np.zeros(axis.out, int)
    for i in range(axis.size):
        count[axis.inside(i)[0]] += 1
    return count


@lru_cache(maxsize=1)
def _compiled() -> Any:
    return import_module("skdl.ops._numba.pool")


def max_pool(pool: Conv, x: Array, out: Array, which: Array | None = None) -> Array:
    """Return the largest number of each window.

    Parameters
    ----------
    pool : Conv
        The geometry.
    x : ndarray of shape (n, h, w, c)
        Images; NaN is larger than any number.
    out : ndarray of shape (n, ho, wo, c)
        Receives the maxima.
    which : uint16 ndarray of shape (n, ho, wo, c), default=None
        Receives the entry i·kw + j of each maximum, the first of several.

    Returns
    -------
    out : ndarray of shape (n, ho, wo, c)
        The maxima.
    """
    if which is None:
        which = np.empty(out.shape, ENTRY)
    if use_numba():
        twin = _compiled()
        return twin.max_pool(pool, x, out, which)
    out[...] = -np.inf
    which[...] = 0
    kw = pool.axes[1].size
    for (i, j), windows, pixels in entries(*pool.axes):
        part, best = x[pixels], out[windows]
        better = (part > best) | (part != part)
        np.copyto(best, part, where=better)
        np.copyto(which[windows], ENTRY(i * kw + j), where=better)
    return out


def max_pool_backward(
    pool: Conv,
    which: Array,
    dy: Array,
    out: Array,
    y: Array | None = None,
) -> Array:
    """∂L/∂x of `max_pool`: each number of ∂L/∂y goes to its maximum.

    It also undoes a pooling: ``max_pool_backward(pool, which, y, out)`` puts the maxima
    back in their places, with zeros around them.

    Parameters
    ----------
    pool : Conv
        The geometry.
    which : uint16 ndarray of shape (n, ho, wo, c)
        Entries of the maxima, from the forward pass.
    dy : ndarray of shape (n, ho, wo, c)
        ∂L/∂y.
    out : ndarray of shape (n, h, w, c)
        Receives ∂L/∂x.
    y : ndarray of shape (n, ho, wo, c), default=None
        The maxima, if x is the output of ReLU: the result is then the gradient before
        ReLU, 0 where the maximum is not positive.

    Returns
    -------
    out : ndarray of shape (n, h, w, c)
        ∂L/∂x.
    """
    if use_numba():
        twin = _compiled()
        return twin.max_pool_backward(pool, which, dy, out, y)
    out[...] = 0
    if y is not None:
        dy = np.where(y > 0, dy, dy.dtype.type(0))
    kw = pool.axes[1].size
    for (i, j), windows, pixels in entries(*pool.axes):
        here = which[windows] == i * kw + j
        target = out[pixels]
        np.add(target, dy[windows], out=target, where=here)
    return out


def take_maxima(pool: Conv, which: Array, x: Array, out: Array) -> Array:
    """Return the number of each window at the entry that held a maximum.

    The transpose of `max_pool_backward`: ∂L/∂y of an image in which the maxima were put
    back in their places, from the gradient of that image.

    Parameters
    ----------
    pool : Conv
        The geometry.
    which : uint16 ndarray of shape (n, ho, wo, c)
        Entries of the maxima, from the forward pass.
    x : ndarray of shape (n, h, w, c)
        Images.
    out : ndarray of shape (n, ho, wo, c)
        Receives the numbers; 0 where the entry lies on the padding.

    Returns
    -------
    out : ndarray of shape (n, ho, wo, c)
        The numbers.
    """
    if use_numba():
        twin = _compiled()
        return twin.take_maxima(pool, which, x, out)
    out[...] = 0
    kw = pool.axes[1].size
    for (i, j), windows, pixels in entries(*pool.axes):
        np.copyto(out[windows], x[pixels], where=which[windows] == i * kw + j)
    return out


def _factors(pool: Conv, dtype: Any) -> Array:
    """Return the filters that give the mean over all entries of a window."""
    kh, kw, _, _ = pool.filters_shape
    return np.full(pool.filters_shape, 1 / (kh * kw), dtype)


def _share(pool: Conv, count_padding: bool) -> Array | None:
    """Return what the mean over all entries is to be multiplied by, if not by 1."""
    counts = []
    for axis in pool.axes:
        if count_padding:  # but not what lies beyond it: PyTorch's ceil_mode
            wide = axis._replace(n=axis.before + axis.n + axis.after, before=0, after=0)
            counts.append(_covered(wide))
        else:
            counts.append(_covered(axis))
    down, across = counts
    sizes = pool.axes[0].size * pool.axes[1].size
    share = sizes / (down[:, None] * across)
    return None if (share == 1).all() else share[:, :, None]


def average_pool(
    pool: Conv,
    x: Array,
    out: Array,
    count_padding: bool = False,
    empty: Empty = np.empty,
) -> Array:
    """Return the mean of each window.

    Parameters
    ----------
    pool : Conv
        The geometry.
    x : ndarray of shape (n, h, w, c)
        Images.
    out : ndarray of shape (n, ho, wo, c)
        Receives the means.
    count_padding : bool, default=False
        Whether padding counts, as zeros (PyTorch's `count_include_pad`, whose default
        is True; TensorFlow does not count it). What a last window of ``ceil=True`` has
        beyond the padding never counts.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.

    Returns
    -------
    out : ndarray of shape (n, ho, wo, c)
        The means.
    """
    conv2d(pool, x, _factors(pool, x.dtype), None, out, empty=empty)
    share = _share(pool, count_padding)
    if share is not None:
        out *= share.astype(out.dtype)
    return out


def average_pool_backward(
    pool: Conv,
    dy: Array,
    out: Array,
    count_padding: bool = False,
    empty: Empty = np.empty,
) -> Array:
    """∂L/∂x of `average_pool`.

    Parameters
    ----------
    pool : Conv
        The geometry.
    dy : ndarray of shape (n, ho, wo, c)
        ∂L/∂y.
    out : ndarray of shape (n, h, w, c)
        Receives ∂L/∂x.
    count_padding : bool, default=False
        As in the forward pass.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.

    Returns
    -------
    out : ndarray of shape (n, h, w, c)
        ∂L/∂x.
    """
    share = _share(pool, count_padding)
    if share is not None:
        scaled = empty(dy.shape, dy.dtype)
        dy = np.multiply(dy, share.astype(dy.dtype), out=scaled)
    return conv2d_backward_input(pool, dy, _factors(pool, dy.dtype), out, empty=empty)


def global_average(x: Array, out: Array) -> Array:
    """Return the mean of each channel over the pixels of an image.

    Parameters
    ----------
    x : ndarray of shape (n, h, w, c)
        Images.
    out : ndarray of shape (n, c)
        Receives the means.

    Returns
    -------
    out : ndarray of shape (n, c)
        The means.
    """
    if use_numba():
        return _compiled().global_average(x, out)
    np.mean(x, axis=(1, 2), out=out)
    return out


def global_average_backward(dy: Array, out: Array) -> Array:
    """∂L/∂x of `global_average`.

    Parameters
    ----------
    dy : ndarray of shape (n, c)
        ∂L/∂y.
    out : ndarray of shape (n, h, w, c)
        Receives ∂L/∂x.

    Returns
    -------
    out : ndarray of shape (n, h, w, c)
        ∂L/∂x.
    """
    out[...] = (dy / dy.dtype.type(out.shape[1] * out.shape[2]))[:, None, None]
    return out
