"""Rows of a table in place of an array of them."""

from __future__ import annotations

from typing import NamedTuple

from skdl._typing import Array, Shape


class Rows(NamedTuple):
    """``table[which]``, not yet looked up.

    A layer that multiplies each row by a matrix then multiplies the table, which is
    shorter where symbols come again and again; its ``backward`` returns ∂L/∂table.

    Attributes
    ----------
    table : ndarray of shape (n_rows, k)
        The rows.
    which : ndarray of int of shape (n, ...)
        Their numbers.
    """

    table: Array
    which: Array

    @property
    def shape(self) -> Shape:
        """Shape of the array that it stands for."""
        return (*self.which.shape, self.table.shape[1])
