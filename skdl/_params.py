"""ParamVector: all the numbers of a network in one contiguous vector.

An optimizer then is a few lines on one-dimensional arrays, clipping is one dot
product, "keep the best weights" is one copy and L-BFGS needs no packing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Shapes = Mapping[str, tuple[int, ...]]


class ParamVector:
    """Named arrays that are views into one contiguous vector.

    Arrays of two and more dimensions (weights) come first in the vector, the others
    (biases, scales, shifts) behind them, so that a penalty on the weights acts on one
    slice: ``vector[:n_weights]``.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Names (dots nest: ``"0.W"``) and shapes of the arrays.
    dtype : dtype
        Type of all the numbers.
    vector : ndarray of shape (size,), default=None
        The memory to view. None makes a vector of zeros.

    Attributes
    ----------
    vector : ndarray of shape (size,)
        All the numbers.
    tree : dict
        The views, nested by the dots of their names.
    n_weights : int
        Length of the leading part that holds the arrays of two and more dimensions.
    """

    def __init__(
        self,
        shapes: Shapes,
        dtype: DTypeLike = np.float64,
        vector: NDArray[Any] | None = None,
    ) -> None:
        self.shapes = dict(shapes)
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
        self._views: dict[str, NDArray[Any]] = {}
        self.tree: dict[str, Any] = {}
        self.n_weights = 0
        start = 0
        for name in sorted(self.shapes, key=lambda name: len(self.shapes[name]) < 2):
            shape, size = self.shapes[name], sizes[name]
            view = vector[start : start + size].reshape(shape)
            start += size
            if len(shape) >= 2:
                self.n_weights = start
            self._views[name] = view
            *path, leaf = name.split(".")
            node = self.tree
            for part in path:
                node = node.setdefault(part, {})
            node[leaf] = view

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def size(self) -> int:
        """Number of scalars."""
        return self.vector.size

    def like(self, vector: NDArray[Any] | None = None) -> ParamVector:
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
        return ParamVector(self.shapes, self.vector.dtype, vector)

    # NumPy pickles and deep-copies a view as an array of its own, so that the views
    # would come loose from the vector: only the vector is stored, the views are remade.
    def __getstate__(self) -> dict[str, Any]:
        return {"shapes": self.shapes, "vector": self.vector}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["shapes"], vector=state["vector"])  # type: ignore[misc]
