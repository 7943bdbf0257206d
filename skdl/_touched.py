"""Which rows of a gradient are not zero.

The gradient of a large table, of which a batch looks up few rows, is zero but for
these. It stands in the one vector of gradients all the same; who knows its rows need
not pass over the others.
"""

from __future__ import annotations

import numpy as np

from skdl._params import ParamVector
from skdl._typing import Array


class RowGradient:
    """The gradient of one table.

    Parameters
    ----------
    array : ndarray of shape (n_rows, width)
        Its memory, which is set to zero.
    start : int
        Where it begins in the vector.

    Attributes
    ----------
    rows : ndarray of int
        Numbers of the rows that are not zero, each of them once.
    """

    def __init__(self, array: Array, start: int) -> None:
        self.array = array
        self.start = start
        self.stop = start + array.size
        array[...] = 0
        self.rows: Array = np.empty(0, np.intp)

    def put(self, rows: Array, values: Array) -> None:
        """Replace the gradient.

        Parameters
        ----------
        rows : ndarray of int of shape (n,)
            The rows that are not zero, each of them once.
        values : ndarray of shape (n, width)
            Their gradients.
        """
        self.forget()
        self.array[rows] = values
        self.rows = rows

    def forget(self) -> None:
        """Set the gradient to zero."""
        self.array[self.rows] = 0
        self.rows = self.rows[:0]


class TouchedRows:
    """The tables in a vector of gradients, and which of their rows are not zero.

    Parameters
    ----------
    gradient : ParamVector
        The memory of all gradients.

    Attributes
    ----------
    parts : list of RowGradient
        One for each array that is marked as sparse and learns, in the order of the
        vector.
    """

    def __init__(self, gradient: ParamVector) -> None:
        self.parts = [
            RowGradient(gradient[name], start)
            for name, start in sorted(
                gradient.sparse_starts().items(), key=lambda item: item[1]
            )
        ]
        self._by_place = {part.array.ctypes.data: part for part in self.parts}

    def of(self, array: Array) -> RowGradient | None:
        """Return the entry of a table.

        Parameters
        ----------
        array : ndarray
            Memory of the gradient of an array.

        Returns
        -------
        part : RowGradient or None
            None if it is not among them.
        """
        return self._by_place.get(array.ctypes.data)

    def forget(self) -> None:
        """Set the gradients to zero."""
        for part in self.parts:
            part.forget()
