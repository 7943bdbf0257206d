"""Memory that starts with a cache line."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Array, Shape

ALIGNMENT = 64  # bytes of a cache line, and of the widest vector register


def aligned(
    shape: Shape, dtype: DTypeLike, make: Callable[..., Array] = np.empty
) -> Array:
    """Return an array that starts with a cache line.

    Vector instructions read it without crossing lines, and what two threads write to
    lies in lines of their own, lest each write takes the line from the other core.

    Parameters
    ----------
    shape : tuple of int
        Shape.
    dtype : dtype
        Type of the entries.
    make : callable, default=numpy.empty
        Gives the bytes: `numpy.empty` or `numpy.zeros`.

    Returns
    -------
    array : ndarray of the given shape
        C-contiguous.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = make(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)
