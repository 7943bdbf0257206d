"""Scratch memory that is handed out again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Array, Shape
from skdl.ops.memory import aligned

AnyShape = int | Shape


class Arena:
    """Scratch memory that is handed out again after `reset`.

    A training step asks for the same arrays in the same order every time. The arena
    remembers the order, so that a warmed-up step allocates nothing: fresh megabytes
    cost as much in page faults as the arithmetic on them.

    Parameters
    ----------
    dtype : dtype
        Type of arrays that are asked for without one.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Arena
    >>> arena = Arena(np.float32)
    >>> first, second = arena.empty((2, 3)), arena.empty(5, np.intp)
    >>> first.dtype, second.dtype.kind
    (dtype('float32'), 'i')
    >>> arena.reset()
    >>> arena.empty((2, 3)) is first  # the same memory in the next step
    True
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._position = 0
        self._views: dict[tuple[int, AnyShape, Any], Array] = {}
        self._buffers: dict[int, Array] = {}
        self._parts: list[Arena] = []
        self._n_parts = 0

    def reset(self) -> None:
        """Take all memory back: what was handed out will be overwritten."""
        self._position = self._n_parts = 0

    def part(self) -> Arena:
        """Return an arena that may be reset by itself, until this one is.

        Returns
        -------
        part : Arena
            Another one with each call; the same ones again after `reset`.
        """
        if self._n_parts == len(self._parts):
            self._parts.append(Arena(self.dtype))
        part = self._parts[self._n_parts]
        self._n_parts += 1
        part.reset()
        return part

    def holds(self, array: Array) -> bool:
        """Return whether the memory of an array is this arena's, or a part's.

        Parameters
        ----------
        array : ndarray
            The array, or a view of it.

        Returns
        -------
        holds : bool
            Whether `reset` would take it back.
        """
        owner = array.base
        return any(buffer.base is owner for buffer in self._buffers.values()) or any(
            part.holds(array) for part in self._parts
        )

    def empty(self, shape: AnyShape, dtype: Any = None) -> Array:
        """Return an uninitialised array that is valid until `reset`.

        Parameters
        ----------
        shape : int or tuple of int
            Shape.
        dtype : dtype, default=None
            Type; None takes the arena's.

        Returns
        -------
        array : ndarray
            The memory.
        """
        key = (self._position, shape, dtype)
        self._position += 1
        view = self._views.get(key)
        return self._make(key) if view is None else view

    def _make(self, key: tuple[int, AnyShape, Any]) -> Array:
        position, shape, dtype = key
        dtype = self.dtype if dtype is None else np.dtype(dtype)
        shape = (shape,) if isinstance(shape, int) else shape
        size = math.prod(shape) * dtype.itemsize
        buffer = self._buffers.get(position)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[position] = aligned((size,), np.uint8)
            self._views = {k: v for k, v in self._views.items() if k[0] != position}
        view = self._views[key] = buffer[:size].view(dtype).reshape(shape)
        return view
