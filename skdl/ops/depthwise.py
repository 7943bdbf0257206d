"""Depthwise convolution: each channel has filters of its own (NumPy reference).

Entry by entry of the window, element by element: a product with one channel at a time
would be many times slower.
"""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.ops.geometry import Conv
from skdl.ops.window import entries


def _by_channel(conv: Conv, array: Array) -> Array:
    """Split the last axis: filters (channels · m) into (channels, m)."""
    return array.reshape(*array.shape[:-1], conv.channels, -1)


def depthwise(conv: Conv, x: Array, W: Array, out: Array) -> Array:
    """Return the convolution, without biases.

    Parameters
    ----------
    conv : Conv
        The geometry, with as many groups as channels.
    x : ndarray of shape (n, h, w, channels)
        Images.
    W : ndarray of shape (kh, kw, 1, filters)
        Filters.
    out : ndarray of shape (n, ho, wo, filters)
        Receives the result.

    Returns
    -------
    out : ndarray of shape (n, ho, wo, filters)
        The result.
    """
    out[...] = 0
    y, W = _by_channel(conv, out), _by_channel(conv, W[:, :, 0])
    for entry, windows, pixels in entries(*conv.axes):
        y[windows] += x[pixels][..., None] * W[entry]
    return out


def depthwise_backward_input(conv: Conv, dy: Array, W: Array, out: Array) -> Array:
    """∂L/∂x.

    Parameters
    ----------
    conv : Conv
        The geometry.
    dy : ndarray of shape (n, ho, wo, filters)
        ∂L/∂y.
    W : ndarray of shape (kh, kw, 1, filters)
        Filters.
    out : ndarray of shape (n, h, w, channels)
        Receives ∂L/∂x.

    Returns
    -------
    out : ndarray of shape (n, h, w, channels)
        ∂L/∂x.
    """
    out[...] = 0
    dy, W = _by_channel(conv, dy), _by_channel(conv, W[:, :, 0])
    for entry, windows, pixels in entries(*conv.axes):
        out[pixels] += np.einsum("npqcm,cm->npqc", dy[windows], W[entry])
    return out


def depthwise_backward_weights(conv: Conv, x: Array, dy: Array, dW: Array) -> None:
    """∂L/∂W, written in place.

    Parameters
    ----------
    conv : Conv
        The geometry.
    x : ndarray of shape (n, h, w, channels)
        Images.
    dy : ndarray of shape (n, ho, wo, filters)
        ∂L/∂y.
    dW : ndarray of shape (kh, kw, 1, filters)
        Receives ∂L/∂W.
    """
    dy, dW = _by_channel(conv, dy), _by_channel(conv, dW[:, :, 0])
    for entry, windows, pixels in entries(*conv.axes):
        dW[entry] = np.einsum("npqc,npqcm->cm", x[pixels], dy[windows])
