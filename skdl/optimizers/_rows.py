"""Tables of which an update changes the rows alone that its gradient touches."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from skdl._touched import RowGradient, TouchedRows
from skdl._typing import Array
from skdl.ops.embedding import take_rows
from skdl.ops.memory import aligned

Parts = Sequence[tuple[int, int, float]]


def dense_parts(n: int, rates: Parts, touched: TouchedRows | None) -> Parts:
    """Return the parts of the vector in which all numbers change.

    Parameters
    ----------
    n : int
        Length of the vector.
    rates : sequence of (int, int, float)
        Parts and what multiplies their learning rate; empty for one of all.
    touched : TouchedRows or None
        The tables.

    Returns
    -------
    parts : sequence of (int, int, float)
        `rates` without the tables.
    """
    parts = list(rates or [(0, n, 1.0)])
    for table in touched.parts if touched is not None else ():
        cut = []
        for start, stop, rate in parts:
            cut.append((start, min(stop, table.start), rate))
            cut.append((max(start, table.stop), stop, rate))
        parts = [part for part in cut if part[0] < part[1]]
    return parts


class Gathered:
    """The rows of the tables that change, of each vector side by side.

    Its memory is used again from update to update.
    """

    def __init__(self) -> None:
        self._rooms: dict[Any, Array] = {}

    def take(
        self, touched: TouchedRows, rates: Parts, vectors: dict[str, Array]
    ) -> list[SimpleNamespace]:
        """Copy the rows out of the vectors.

        Parameters
        ----------
        touched : TouchedRows
            The tables, and which rows.
        rates : sequence of (int, int, float)
            What multiplies the learning rates of parts.
        vectors : dict of str to ndarray of shape (n,)
            Parameters, gradient and what is remembered.

        Returns
        -------
        tables : list of namespace
            One a table: the `rows` of a flat array each, by the names of the vectors,
            `work` (scratch), `rate` and `part`.
        """
        tables = []
        for k, part in enumerate(touched.parts):
            inside = [rate for start, stop, rate in rates if start <= part.start < stop]
            table = SimpleNamespace(part=part, rate=inside[0] if inside else 1.0)
            size = len(part.rows) * part.array.shape[1]
            for name, vector in vectors.items():
                room = self._room((k, name), size, vector.dtype)
                rows = room.reshape(len(part.rows), -1) if size else part.array[:0]
                take_rows(_table(vector, part), part.rows, rows)
                setattr(table, name, room)
            table.work = self._room((k, "work"), size, part.array.dtype)
            tables.append(table)
        return tables

    def put_back(
        self, tables: list[SimpleNamespace], vectors: dict[str, Array]
    ) -> None:
        """Copy the rows back into the vectors.

        Parameters
        ----------
        tables : list of namespace
            From `take`.
        vectors : dict of str to ndarray of shape (n,)
            Those that have changed.
        """
        for table in tables:
            part = table.part
            for name, vector in vectors.items():
                rows = getattr(table, name).reshape(-1, part.array.shape[1])
                _table(vector, part)[part.rows] = rows

    def _room(self, key: Any, size: int, dtype: Any) -> Array:
        room = self._rooms.get(key)
        if room is None or len(room) < size or room.dtype != dtype:
            room = self._rooms[key] = aligned((size,), dtype)
        return room[:size]


def _table(vector: Array, part: RowGradient) -> Array:
    return vector[part.start : part.stop].reshape(part.array.shape)
