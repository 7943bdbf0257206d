"""Ragged: sequences of different lengths as one flat array."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from skdl._typing import Array, Shape


class Ragged:
    """Sequences of different lengths: their elements one after another, and where each
    begins.

    Parameters
    ----------
    values : ndarray of shape (n_elements, ...)
        The elements of all sequences.
    offsets : ndarray of int of shape (n + 1,)
        Sequence i is ``values[offsets[i]:offsets[i + 1]]``.

    Attributes
    ----------
    shape : tuple of int
        ``(n, longest, ...)``: the shape of all sequences, padded.
    dtype : dtype
        Of the elements.
    """

    def __init__(self, values: Array, offsets: Array) -> None:
        self.values = values
        self.offsets = offsets
        self.lengths = np.diff(offsets)
        longest = int(self.lengths.max(initial=0))
        self.shape: Shape = (len(self.lengths), longest, *values.shape[1:])

    @classmethod
    def of(cls, sequences: Sequence[Any], dtype: Any = None) -> Ragged:
        """Join sequences.

        Parameters
        ----------
        sequences : sequence of array-like of shape (length, ...)
            The sequences; all but the length is the same for all.
        dtype : dtype, default=None
            Type of the elements; None takes one that holds them all.

        Returns
        -------
        ragged : Ragged
            A copy of them.

        Raises
        ------
        ValueError
            If there are none, or their elements differ in shape; the message names the
            first that does.
        """
        arrays = [np.asarray(sequence, dtype=dtype) for sequence in sequences]
        if not arrays:
            raise ValueError("At least one sequence is needed, got none.")
        for i, array in enumerate(arrays):
            if array.ndim == 0 or array.shape[1:] != arrays[0].shape[1:]:
                raise ValueError(
                    "All sequences must have elements of one shape: the first has "
                    f"shape {arrays[0].shape}, number {i} has {array.shape}."
                )
        offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])])
        return cls(np.concatenate(arrays), offsets)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.values.dtype

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[Array]:
        for start, stop in zip(self.offsets, self.offsets[1:], strict=False):
            yield self.values[start:stop]

    def __getitem__(self, rows: Any) -> Ragged:
        """Return the sequences of a slice or of an array of numbers or booleans."""
        if isinstance(rows, slice) and (rows.step or 1) == 1:
            first, last, _ = rows.indices(len(self))
            offsets = self.offsets[first : max(first, last) + 1]
            return Ragged(self.values[offsets[0] : offsets[-1]], offsets - offsets[0])
        index = np.arange(len(self))[rows]
        lengths = self.lengths[index]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        # Element j of sequence i stands at its old begin plus j.
        moved = np.repeat(self.offsets[index] - offsets[:-1], lengths)
        return Ragged(self.values[np.arange(offsets[-1]) + moved], offsets)

    def pad(self, empty: Callable[..., Array] = np.empty) -> Array:
        """Return all sequences in one array, zeros behind those that are shorter.

        Parameters
        ----------
        empty : callable, default=numpy.empty
            ``empty(shape, dtype)`` gives memory for the result.

        Returns
        -------
        padded : ndarray of shape (n, longest, ...)
            The sequences.
        """
        out = empty(self.shape, self.dtype)
        out[...] = 0
        out[self.mask] = self.values
        return out

    def any(self) -> bool:
        """Return whether there is an element other than 0.

        Returns
        -------
        any : bool
            As `numpy.ndarray.any` of the padded array.
        """
        return bool(self.values.any())

    @property
    def mask(self) -> Array:
        """Where the padded array holds elements; of shape (n, longest)."""
        return np.arange(self.shape[1]) < self.lengths[:, None]


def pad_rows(X: Any, empty: Callable[..., Array]) -> tuple[Any, Array | None]:
    """Return rows as layers take them.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n, ...) or Ragged
        Rows.
    empty : callable
        ``empty(shape, dtype)`` gives memory.

    Returns
    -------
    x : {ndarray, sparse matrix} of shape (n, ...)
        The same, or sequences padded with zeros.
    lengths : ndarray of shape (n,) or None
        The lengths of sequences, if they were padded.
    """
    return (X.pad(empty), X.lengths) if isinstance(X, Ragged) else (X, None)


def join_steps(parts: Sequence[Array], like: Ragged) -> Ragged:
    """Return the outputs for each step of sequences, without the padding.

    Parameters
    ----------
    parts : sequence of ndarray of shape (n_rows, n_steps, ...)
        Outputs of some sequences after the other, padded.
    like : Ragged
        The sequences.

    Returns
    -------
    outputs : Ragged
        As many steps as they have.
    """
    start, values = 0, []
    for part in parts:
        values.append(part[like[start : start + len(part)].mask])
        start += len(part)
    return Ragged(np.concatenate(values), like.offsets)
