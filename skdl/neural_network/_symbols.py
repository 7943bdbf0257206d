"""Symbols of sequences: characters, words or numbers that stand for things."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from skdl._ragged import Ragged
from skdl._typing import Array
from skdl.neural_network._sequences import as_ragged


class Symbols:
    """The symbols of the first call, numbered; all others share one number.

    Parameters
    ----------
    values : ndarray of shape (n_symbols,)
        The symbols, sorted.
    """

    def __init__(self, values: Array) -> None:
        self.values = values

    @classmethod
    def of(cls, X: Any) -> Symbols:
        """Find the symbols.

        Parameters
        ----------
        X : ndarray of shape (n, n_steps, 1) or Ragged
            Sequences.

        Returns
        -------
        symbols : Symbols
            All that occur.
        """
        return cls(np.unique(numbered(X).values))

    def __len__(self) -> int:
        return len(self.values) + 1

    def encode(self, X: Any) -> Ragged:
        """Return the numbers of symbols.

        Parameters
        ----------
        X : ndarray of shape (n, n_steps, 1) or Ragged
            Sequences.

        Returns
        -------
        codes : Ragged
            From 0 to ``len(symbols) - 2``; the last number stands for all symbols that
            are unknown, which a warning counts.

        Raises
        ------
        ValueError
            If there are several symbols at a step, or words where the first call had
            numbers.
        """
        one_each = numbered(X)
        values = one_each.values
        if (values.dtype.kind in "US") != (self.values.dtype.kind in "US"):
            raise ValueError(
                f"X has symbols of type {values.dtype}, the network knows those of "
                f"type {self.values.dtype}."
            )
        found, inverse = np.unique(values, return_inverse=True)
        place = np.searchsorted(self.values, found).clip(max=len(self.values) - 1)
        known = self.values[place] == found
        numbers = np.where(known, place, len(self.values))[inverse]
        if not known.all():
            n = int((numbers == len(self.values)).sum())
            warnings.warn(
                f"{n} of {len(numbers)} symbols were not in the first fit, such as "
                f"{found[~known][0]!s:.20}; they share one vector that stands for "
                "unknown symbols.",
                stacklevel=2,
            )
        return Ragged(numbers, one_each.offsets)


def numbered(X: Any) -> Ragged:
    """Return sequences of one symbol at a step without the axis of features.

    Parameters
    ----------
    X : ndarray of shape (n, n_steps, 1) or Ragged
        Sequences.

    Returns
    -------
    X : Ragged
        The same, of any length.

    Raises
    ------
    ValueError
        If there are several symbols at a step.
    """
    if X.shape[2] != 1:
        raise ValueError(
            f"An embedding takes one symbol at a step, got {X.shape[2]} numbers."
        )
    X = as_ragged(X)
    return Ragged(X.values[:, 0], X.offsets)
