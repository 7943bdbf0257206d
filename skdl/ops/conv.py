"""Convolution of images, its gradients, and the transposed convolution.

Arrays are (n, h, w, c), channels last; filters (kh, kw, c/groups, k). As everywhere in
deep learning "convolution" does not flip the filters. The NumPy reference stands here;
`skdl.ops._numba.conv` has its compiled twin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from skdl._config import use_numba
from skdl._typing import Array
from skdl.ops.depthwise import (
    depthwise,
    depthwise_backward_input,
    depthwise_backward_weights,
)
from skdl.ops.geometry import Conv
from skdl.ops.window import entries
from skdl.ops.winograd import MOST, MOST_GRADIENTS, fits, pays

Empty = Callable[..., Array]

_COLUMNS = 2**19  # bytes of windows that are laid out at a time: the second-level cache


def _quiet() -> Any:
    """BLAS kernels may flag an invalid operation although a product is finite.

    `matmul` warns of it. What is not finite is found by the loss.
    """
    return np.errstate(invalid="ignore")


@lru_cache(maxsize=2)
def _compiled(name: str) -> Any:
    return import_module(f"skdl.ops._numba.{name}")


def _twin(winograd: bool = False) -> Any:
    if not use_numba():
        return None
    return _compiled("winograd" if winograd else "conv")


def _by_winograd(
    conv: Conv, pictures: Array, kept: bool = False, most: int = MOST
) -> bool:
    return fits(conv, pictures.dtype) and pays(conv, len(pictures), kept, most)


def conv2d(
    conv: Conv,
    x: Array,
    W: Array,
    b: Array | None,
    out: Array,
    floor: float = -np.inf,
    empty: Empty = np.empty,
    winograd: bool = False,
    packed: dict[str, Any] | None = None,
    other: Array | None = None,
    moments: tuple[Array, Array] | None = None,
) -> Array:
    """y[p, q] = max(floor, b + Σ_ij x[window entry (i, j) of (p, q)]·W[i, j] + other).

    Parameters
    ----------
    conv : Conv
        The geometry.
    x : ndarray of shape (n, h, w, channels)
        Images.
    W : ndarray of shape (kh, kw, channels/groups, filters)
        Filters.
    b : ndarray of shape (filters,) or None
        Biases.
    out : ndarray of shape (n, ho, wo, filters)
        Receives y.
    floor : float, default=-inf
        The least value of y: 0 makes it ReLU of the convolution. NaN stays.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.
    winograd : bool, default=False
        Whether compiled code takes Winograd's way where that `fits` and `pays`.
    packed : dict, default=None
        Where compiled code keeps the filters as it wants them, for the next call with
        the same W and b.
    other : ndarray of shape (n, ho, wo, filters), default=None
        What is added.
    moments : tuple of two ndarray of shape (n, filters), default=None
        Receive the mean of each image's channels, and Σ(y − mean)², in the precision of
        y: for pictures of less than 10⁵ numbers.

    Returns
    -------
    out : ndarray of shape (n, ho, wo, filters)
        y.
    """
    if (
        twin := _twin(winograd and _by_winograd(conv, x, packed is not None))
    ) is not None:
        return twin.correlate_images(
            conv, False, x, W, b, out, floor, empty, packed, other, moments
        )
    if conv.depthwise:
        depthwise(conv, x, W, out)
        return _finish(out, b, floor, other, moments)
    with _quiet():
        for images, lines, g, columns in _columns(conv, x, empty):
            k = _channels(conv, g)[1]
            y = out[images, lines, :, k]
            np.matmul(columns, W[..., k].reshape(-1, y.shape[-1]), out=y)
    return _finish(out, b, floor, other, moments)


def conv2d_backward_input(
    conv: Conv,
    dy: Array,
    W: Array,
    out: Array,
    b: Array | None = None,
    floor: float = -np.inf,
    empty: Empty = np.empty,
    winograd: bool = False,
    other: Array | None = None,
) -> Array:
    """∂L/∂x, each pixel of ∂L/∂y spread over its window: the transposed convolution.

    Parameters
    ----------
    conv : Conv
        The geometry.
    dy : ndarray of shape (n, ho, wo, filters)
        ∂L/∂y; the images of a transposed convolution.
    W : ndarray of shape (kh, kw, channels/groups, filters)
        Filters.
    out : ndarray of shape (n, h, w, channels)
        Receives ∂L/∂x.
    b : ndarray of shape (channels,), default=None
        Biases of a transposed convolution.
    floor : float, default=-inf
        The least value of the result.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.
    winograd : bool, default=False
        Whether compiled code takes Winograd's way where that `fits` and `pays`.
    other : ndarray of shape (n, h, w, channels), default=None
        What is added, before the floor.

    Returns
    -------
    out : ndarray of shape (n, h, w, channels)
        ∂L/∂x.
    """
    if (twin := _twin(winograd and _by_winograd(conv, dy))) is not None:
        return twin.correlate_images(
            conv, True, dy, W, b, out, floor, empty, None, other
        )
    if conv.depthwise:
        depthwise_backward_input(conv, dy, W, out)
        return _finish(out, b, floor, other)
    out[...] = 0
    with _quiet():
        for (i, j), windows, pixels in entries(*conv.axes):
            for g in range(conv.groups):
                c, k = _channels(conv, g)
                out[(*pixels, c)] += dy[(*windows, k)] @ W[i, j, :, k].T
    return _finish(out, b, floor, other)


def conv2d_backward_weights(
    conv: Conv,
    x: Array,
    dy: Array,
    dW: Array,
    db: Array | None = None,
    empty: Empty = np.empty,
    winograd: bool = False,
) -> None:
    """∂L/∂W and ∂L/∂b, written in place.

    The gradients of a transposed convolution are ``conv2d_backward_weights(conv, dy, x,
    dW)`` and the sum of dy over all but its channels.

    Parameters
    ----------
    conv : Conv
        The geometry.
    x : ndarray of shape (n, h, w, channels)
        Images.
    dy : ndarray of shape (n, ho, wo, filters)
        ∂L/∂y.
    dW : ndarray of shape (kh, kw, channels/groups, filters)
        Receives ∂L/∂W.
    db : ndarray of shape (filters,), default=None
        Receives ∂L/∂b, unless None.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.
    winograd : bool, default=False
        Whether compiled code takes Winograd's way where that `fits` and `pays`.
    """
    if use_numba():
        wins = winograd and _by_winograd(conv, dy, most=MOST_GRADIENTS)
        twin = _compiled("winograd_weights" if wins else "conv")
        twin.weights_gradient(conv, x, dy, dW, db, empty)
        return
    if conv.depthwise:
        depthwise_backward_weights(conv, x, dy, dW)
    else:
        dW[...] = 0
        with _quiet():
            for images, lines, g, columns in _columns(conv, x, empty):
                k = _channels(conv, g)[1]
                part, d = dW[..., k], dy[images, lines, :, k]
                d = d.reshape(-1, d.shape[-1])
                part += (columns.reshape(len(d), -1).T @ d).reshape(part.shape)
    if db is not None:
        np.sum(dy, axis=(0, 1, 2), out=db)


def _channels(conv: Conv, g: int) -> tuple[slice, slice]:
    """Return the channels and the filters of a group."""
    c, k = conv.channels // conv.groups, conv.filters // conv.groups
    return slice(g * c, (g + 1) * c), slice(g * k, (g + 1) * k)


def _finish(
    out: Array,
    b: Array | None,
    floor: float,
    other: Array | None,
    moments: tuple[Array, Array] | None = None,
) -> Array:
    if b is not None:
        out += b
    if other is not None:
        out += other
    if floor > -np.inf:
        np.maximum(out, floor, out=out)
    if moments is not None:
        mean, square = moments
        out.mean(axis=(1, 2), out=mean)
        np.square(out - mean[:, None, None]).sum(axis=(1, 2), out=square)
    return out


def _columns(
    conv: Conv, x: Array, empty: Empty
) -> Iterator[tuple[slice, slice, int, Array]]:
    """Lay out windows as rows of a matrix, so many at a time as stay in the cache.

    Yields
    ------
    images, lines : slice
        Which windows.
    group : int
        Which channels.
    columns : ndarray of shape (n_images, n_lines, wo, kh·kw·c/groups)
        Their numbers.
    """
    (v, h), n, c = conv.axes, len(x), conv.channels // conv.groups
    per_line = h.out * v.size * h.size * c * x.itemsize
    n_lines = max(1, min(v.out, _COLUMNS // per_line))
    n_images = max(1, min(n, _COLUMNS // (per_line * v.out)))
    shape = (n_images, n_lines, h.out, v.size, h.size, c)
    memory = empty(shape, x.dtype)
    padded = empty(
        (n_images, v.before + v.n + v.reach, h.before + h.n + h.reach, conv.channels),
        x.dtype,
    )
    padded[...] = 0
    windows = np.lib.stride_tricks.sliding_window_view(padded, (v.span, h.span), (1, 2))
    windows = windows[:, :: v.stride, :: h.stride, :, :: v.dilation, :: h.dilation]
    windows = windows.transpose(0, 1, 2, 4, 5, 3)
    for start in range(0, n, n_images):
        images = slice(start, min(n, start + n_images))
        count = images.stop - start
        padded[:count, v.before : v.before + v.n, h.before : h.before + h.n] = x[images]
        for top in range(0, v.out, n_lines):
            lines = slice(top, min(v.out, top + n_lines))
            for g in range(conv.groups):
                columns = memory[:count, : lines.stop - top]
                columns[...] = windows[:count, lines, ..., g * c : (g + 1) * c]
                yield images, lines, g, columns.reshape(*columns.shape[:3], -1)
