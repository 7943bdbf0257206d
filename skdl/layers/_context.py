"""What a layer is told besides its input: mode, randomness and memory."""

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
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._position = 0
        self._views: dict[tuple[int, AnyShape, Any], Array] = {}
        self._buffers: dict[int, Array] = {}

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


class SideOutput:
    """An output besides the main one, that is trained on the same targets.

    A layer appends it to ``ctx.sides`` in its forward pass and keeps it in its cache;
    the objective writes `gradient` before the backward pass begins.

    Parameters
    ----------
    raw : ndarray of shape (n, ..., k)
        Raw predictions, of the shape of the network's.
    weight : float
        What its loss is multiplied by.

    Attributes
    ----------
    gradient : ndarray of the shape of `raw` or None
        Derivative of the objective with respect to `raw`.
    """

    def __init__(self, raw: Array, weight: float) -> None:
        self.raw = raw
        self.weight = weight
        self.gradient: Array | None = None


class Carried:
    """States that go from one window of a sequence to the next.

    Layers are visited in the same order in every window: each takes what it put in the
    window before.
    """

    def __init__(self) -> None:
        self._before: list[Any] = []
        self._now: list[Any] = []
        self._position = 0

    def turn(self) -> None:
        """Begin the next window."""
        self._before, self._now = self._now, []
        self._position = 0

    def take(self) -> Any:
        """Return what the layer at hand put in the last window.

        Returns
        -------
        state : object
            None in the first window.
        """
        if self._position >= len(self._before):
            return None
        state = self._before[self._position]
        self._position += 1
        return state

    def put(self, state: Any) -> None:
        """Keep a state for the next window.

        Parameters
        ----------
        state : object
            Not scratch memory: it must outlive the step.
        """
        self._now.append(state)


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
        first layer that learns need not.
    floor : float
        The least value of the output of the layer at hand, if it `fuses_floor`: 0 where
        the next layer is a ReLU, which then has nothing left to do. In the backward
        pass 0 where the layer `undoes_floor` and the one in front of it is a ReLU.
    lengths : ndarray of int of shape (n,) or None
        How many of the steps along the first axis of each sample are its own; the rest
        is padding. None: all of them.
    carried : Carried or None
        The states that recurrent layers hand from one window of a sequence to the next;
        None: each batch begins anew.
    sides : list of SideOutput
        What layers give to the objective besides the output; collected while training.
    """

    __slots__ = (
        "_arena",
        "carried",
        "dtype",
        "empty",
        "floor",
        "lengths",
        "rng",
        "sides",
        "train",
        "want_dx",
    )

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
        self.floor = -math.inf
        self.lengths: Array | None = None
        self.carried: Carried | None = None
        self.sides: list[SideOutput] = []
        self._arena = arena
        self.empty = self._fresh if arena is None else arena.empty

    def begin(
        self,
        rng: np.random.Generator | None = None,
        lengths: Array | None = None,
        carried: Carried | None = None,
    ) -> None:
        """Begin a batch: what the last one left is forgotten.

        Parameters
        ----------
        rng : numpy.random.Generator, default=None
            The source of randomness.
        lengths : ndarray of int of shape (n,), default=None
            See the attribute.
        carried : Carried, default=None
            See the attribute.
        """
        self.rng = rng
        self.floor = -math.inf
        self.lengths = lengths
        self.carried = carried
        self.sides = []

    def cast(self, x: Any) -> Any:
        """Return the input in the context's type: itself, or in scratch memory.

        Parameters
        ----------
        x : {ndarray, sparse matrix}
            Numbers of any type.

        Returns
        -------
        x : {ndarray, sparse matrix}
            The same numbers.
        """
        if x.dtype == self.dtype:
            return x
        if not isinstance(x, np.ndarray):
            return x.astype(self.dtype)
        out = self.empty(x.shape)
        np.copyto(out, x, casting="unsafe")
        return out

    def _fresh(self, shape: AnyShape, dtype: Any = None) -> Array:
        return np.empty(shape, self.dtype if dtype is None else dtype)

    def uniform(self, shape: AnyShape) -> Array:
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
