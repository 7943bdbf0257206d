"""ParamVector: all the numbers of a network in one contiguous vector.

An optimizer then is a few lines on one-dimensional arrays, clipping is one dot
product, "keep the best weights" is one copy and L-BFGS needs no packing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Array, Shape


class ParamGroup(NamedTuple):
    """A part of the vector whose arrays learn at the same pace.

    Attributes
    ----------
    start, stop : int
        The part: ``vector[start:stop]``.
    rate : float
        What the learning rate is multiplied by.
    n_penalised : int
        So many numbers at its start belong to arrays that penalties act on.
    """

    start: int
    stop: int
    rate: float
    n_penalised: int


class ParamVector:
    """Named arrays that are views into one contiguous vector.

    Arrays that learn at the same pace lie side by side, those that penalties act on
    first among them, and frozen ones (pace 0) behind all others: an optimizer, a
    penalty or a norm then is a pass over a few slices.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Names (dots nest: ``"0.W"``) and shapes of the arrays.
    dtype : dtype
        Type of all the numbers.
    vector : ndarray of shape (size,), default=None
        The memory to view. None makes a vector of zeros.
    penalised : collection of str, default=()
        Names of the arrays that penalties act on.
    rates : mapping of str to float, default=None
        Multipliers of the learning rate, of the arrays where it is not 1; 0 is frozen.
    sparse : collection of str, default=()
        Names of the tables whose gradients are mostly rows of zeros.

    Attributes
    ----------
    vector : ndarray of shape (size,)
        All the numbers.
    tree : dict
        The views, nested by the dots of their names.
    groups : tuple of ParamGroup
        The parts that learn.
    n_active : int
        Length of the leading part that learns.
    penalised : list of slice
        Where the numbers stand that learn and that penalties act on.
    starts : list of int
        Where each array begins, in the order of `shapes`.
    """

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        dtype: DTypeLike = np.float64,
        vector: Array | None = None,
        penalised: Collection[str] = (),
        rates: Mapping[str, float] | None = None,
        sparse: Collection[str] = (),
    ) -> None:
        self.shapes = dict(shapes)
        self._penalised, self._rates = frozenset(penalised), dict(rates or {})
        self._sparse = frozenset(sparse)
        sizes = {name: math.prod(shape) for name, shape in self.shapes.items()}
        total = sum(sizes.values())
        if vector is None:
            vector = np.zeros(total, dtype=dtype)
        elif vector.shape != (total,):
            raise ValueError(
                f"The vector must have shape ({total},) to hold {list(self.shapes)}, "
                f"got {vector.shape}."
            )
        self.vector = vector
        self._views: dict[str, Array] = {}
        self.tree: dict[str, Any] = {}
        groups: list[ParamGroup] = []
        starts = {}
        start = 0
        for name in self._order():
            stop, rate = start + sizes[name], self._rates.get(name, 1.0)
            starts[name] = start
            self._place(name, vector[start:stop].reshape(self.shapes[name]))
            if not groups or groups[-1].rate != rate:
                groups.append(ParamGroup(start, stop, rate, 0))
            n_penalised = groups[-1].n_penalised
            if name in self._penalised:
                n_penalised += sizes[name]
            groups[-1] = groups[-1]._replace(stop=stop, n_penalised=n_penalised)
            start = stop
        self.groups = tuple(group for group in groups if group.rate > 0)
        self.n_active = self.groups[-1].stop if self.groups else 0
        self.penalised = [
            slice(group.start, group.start + group.n_penalised)
            for group in self.groups
            if group.n_penalised
        ]
        self.starts = [starts[name] for name in self.shapes]

    def _order(self) -> list[str]:
        """Names by pace, frozen last, penalised ones first among equals."""
        rates = [self._rates.get(name, 1.0) for name in self.shapes]
        paces = sorted(set(rates), key=lambda rate: (rate == 0, rates.index(rate)))
        return sorted(
            self.shapes,
            key=lambda name: (
                paces.index(self._rates.get(name, 1.0)),
                name not in self._penalised,
            ),
        )

    def _place(self, name: str, view: Array) -> None:
        self._views[name] = view
        *path, leaf = name.split(".")
        node = self.tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = view

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def size(self) -> int:
        """Number of scalars."""
        return self.vector.size

    @property
    def active(self) -> Array:
        """The leading part of the vector, which learns; all of it if nothing is frozen.

        It is the vector itself then, not a view of it.
        """
        n = self.n_active
        return self.vector if n == self.size else self.vector[:n]

    def learns(self, name: str) -> bool:
        """Return whether an array is not frozen.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        learns : bool
            False where its multiplier is 0.
        """
        return self._rates.get(name, 1.0) > 0

    def sparse_starts(self) -> dict[str, int]:
        """Return where the tables begin that learn and whose gradients are sparse.

        Returns
        -------
        starts : dict of str to int
            Their names, and places in the vector.
        """
        starts = zip(self.shapes, self.starts, strict=True)
        return {
            name: start
            for name, start in starts
            if name in self._sparse and self.learns(name)
        }

    def like(self, vector: Array | None = None) -> ParamVector:
        """Return a ParamVector of the same layout over other memory.

        Parameters
        ----------
        vector : ndarray of shape (size,), default=None
            The memory to view; None makes zeros.

        Returns
        -------
        other : ParamVector
            Same names and shapes.
        """
        return ParamVector(
            self.shapes,
            self.vector.dtype,
            vector,
            self._penalised,
            self._rates,
            self._sparse,
        )

    def like_some(self, names: Iterable[str]) -> ParamVector:
        """Return a ParamVector of some of the arrays over memory of its own.

        Parameters
        ----------
        names : iterable of str
            Their names.

        Returns
        -------
        other : ParamVector
            Zeros, in the order of these arrays.
        """
        chosen = set(names)
        return ParamVector(
            {name: shape for name, shape in self.shapes.items() if name in chosen},
            self.vector.dtype,
            None,
            self._penalised,
            self._rates,
            self._sparse,
        )

    # NumPy pickles and deep-copies a view as an array of its own, so that the views
    # would come loose from the vector: only the vector is stored, the views are remade.
    def __getstate__(self) -> dict[str, Any]:
        return {
            "shapes": self.shapes,
            "vector": self.vector,
            "penalised": self._penalised,
            "rates": self._rates,
            "sparse": self._sparse,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]
