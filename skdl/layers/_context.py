"""What a layer is told besides its input: mode, randomness and memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Array
from skdl.ops.memory import aligned

Shape = int | tuple[int, ...]


class Arena:
    """Scratch memory that is handed out again after `reset`.

    A training step asks for the same arrays in the same order every time. The arena
    remembers the order, so that a warmed-up step allocates nothing: fresh megabytes
    cost as much in page faults as the arithmetic on them.

    Parameters
    ----------
    dtype : dtype
        Type of arrays that are asked for without one.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._position = 0
        self._views: dict[tuple[int, Shape, Any], Array] = {}
        self._buffers: dict[int, Array] = {}

    def reset(self) -> None:
        """Take all memory back: what was handed out will be overwritten."""
        self._position = 0

    def empty(self, shape: Shape, dtype: Any = None) -> Array:
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

    def _make(self, key: tuple[int, Shape, Any]) -> Array:
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


class Context:
    """What a layer is told besides its input.

    Parameters
    ----------
    train : bool
        Training: layers keep what their backward pass needs, drop units and update
        running statistics. Otherwise they change nothing and keep nothing, so that
        many threads can predict with one network.
    rng : numpy.random.Generator, default=None
        The source of randomness; needed by layers that draw while training.
    dtype : dtype, default=np.float64
        Type of the activations.
    arena : Arena, default=None
        Scratch memory; None gives fresh arrays.

    Attributes
    ----------
    want_dx : bool
        Whether `backward` is to compute the gradient with respect to its input. The
        first layer with parameters need not.
    """

    __slots__ = ("_arena", "dtype", "empty", "rng", "train", "want_dx")

    def __init__(
        self,
        train: bool,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float64,
        arena: Arena | None = None,
    ) -> None:
        self.train = train
        self.rng = rng
        self.dtype = np.dtype(dtype)
        self.want_dx = True
        self._arena = arena
        self.empty = self._fresh if arena is None else arena.empty

    def _fresh(self, shape: Shape, dtype: Any = None) -> Array:
        return np.empty(shape, self.dtype if dtype is None else dtype)

    def uniform(self, shape: Shape) -> Array:
        """Return uniform random numbers in [0, 1) of the context's type.

        Parameters
        ----------
        shape : int or tuple of int
            Shape.

        Returns
        -------
        u : ndarray
            Random numbers, in scratch memory.

        Raises
        ------
        ValueError
            If the context has no `rng`.
        """
        if self.rng is None:
            raise ValueError(
                "This layer draws random numbers while training: give the context "
                "(or loss_and_gradient) an rng."
            )
        out = self.empty(shape)
        self.rng.random(dtype=out.dtype.type, out=out)
        return out
