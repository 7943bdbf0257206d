"""Scratch memory of a step, and what a step did in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import is_
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Array, Shape
from skdl.ops.memory import aligned
from skdl.ops.tape import Tape

AnyShape = int | Shape
_NONE: tuple[Any, Any] = None, None
_NEVER = (object(),)  # arrays that do not come
_MISSES = 3  # of a place in a step, after which nothing is noted there any more


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
        self._done: dict[tuple[int, int, str], _Done] = {}
        self._reshaped: dict[int, tuple[Array, Array]] = {}

    def reset(self) -> None:
        """Take all memory back: what was handed out will be overwritten."""
        self._position = 0

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

    def again(
        self,
        what: str,
        n: int,
        arrays: tuple[Any, ...],
        function: Callable[[], Any],
    ) -> Any:
        """Return what a function does with arrays, by the way of the last step.

        Parameters
        ----------
        what : str
            Name of the operation.
        n : int
            Samples of the batch.
        arrays : tuple of object
            All that it depends on. Where the same objects came before, at the same
            place of a step, what was called then is called again.
        function : callable
            ``function()`` does nothing to numbers but call compiled code, on these
            arrays and on memory of the arena.

        Returns
        -------
        result : object
            What it returned.
        """
        key = self._position, n, what
        done = self._done.get(key)
        if done is None:
            done = self._done[key] = _Done()
        elif len(arrays) == len(done.arrays) and all(map(is_, arrays, done.arrays)):
            self._position = done.end
            done.tape.play()
            return done.result
        elif done.misses > _MISSES:
            if done.arrays is not _NEVER:  # a batch should not outlive its step
                done.forget()
            return function()
        done.tape = Tape()
        with done.tape.noted():
            result = function()
        done.misses += 1
        done.arrays = arrays if all(map(_in_order, arrays)) else _NEVER
        done.end, done.result = self._position, result
        return result

    def reshape(self, a: Array, shape: Shape) -> Array:
        """Return an array in another shape, the same object for the same array.

        Parameters
        ----------
        a : ndarray
            The array.
        shape : tuple of int
            The shape; at one place of a step always the same.

        Returns
        -------
        view : ndarray
            Its numbers.
        """
        source, view = self._reshaped.get(self._position, _NONE)
        if source is not a:
            view = a.reshape(shape)
            if _in_order(a):
                self._reshaped[self._position] = a, view
        return view

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


def _in_order(a: Any) -> bool:
    """Return whether compiled code takes an array as it is, not a copy of it."""
    return not isinstance(a, np.ndarray) or a.flags.c_contiguous


class _Done:
    """What a step did at one place: with which arrays, and what was called."""

    __slots__ = ("arrays", "end", "misses", "result", "tape")

    def __init__(self) -> None:
        self.misses = 0
        self.end = 0
        self.forget()

    def forget(self) -> None:
        self.arrays: tuple[Any, ...] = _NEVER
        self.tape = Tape()
        self.result: Any = None
