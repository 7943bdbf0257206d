"""The categories of a column as codes, whichever library holds the column."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Number
from typing import Any

import numpy as np

from skdl._typing import Array

RARE = "(rare)"  # label of the categories that share a code


class Categories:
    """Codes 0, 1, … for the values of one column, in the order of the values.

    Beyond `most` categories the rarest ones share the last code.

    Parameters
    ----------
    column : ndarray or series of narwhals
        The values in fit; None, NaN and the like are missing.
    name : object
        The column's name, for errors.
    most : int
        Most codes.

    Attributes
    ----------
    code_of : dict
        Code of each value seen in fit.
    labels : object ndarray of shape (n_codes,)
        The value behind each code.

    Raises
    ------
    ValueError
        If the values have no order.
    """

    def __init__(self, column: Any, name: Any, most: int) -> None:
        codes, values = factorize(column, name)
        counts = np.bincount(codes[codes >= 0], minlength=len(values))
        try:
            order = sorted(np.flatnonzero(counts).tolist(), key=values.__getitem__)
        except TypeError as error:
            raise ValueError(
                f"Categorical column {name!r} mixes types that have no order: {error}. "
                "Give all its categories one type."
            ) from error
        kept, rare = order, []
        if len(order) > most:
            by_count = sorted(order, key=lambda i: -counts[i])  # stable
            frequent = set(by_count[: most - 1])
            kept = [i for i in order if i in frequent]
            rare = by_count[most - 1 :]
        self.name = name
        self.code_of = {values[i]: code for code, i in enumerate(kept)}
        self.code_of.update((values[i], len(kept)) for i in rare)
        self.labels = np.empty(len(kept) + bool(rare), dtype=object)
        self.labels[:] = [*(values[i] for i in kept), *([RARE] if rare else [])]

    def codes(self, column: Any) -> Array:
        """Return the codes of values.

        Parameters
        ----------
        column : ndarray or series of narwhals
            Values.

        Returns
        -------
        codes : float64 ndarray of shape (n,)
            NaN where a value is missing or was not seen in fit.

        Raises
        ------
        TypeError
            If the values are of a kind that none in fit was of.
        """
        codes, values = factorize(column, self.name)
        known = np.array([self.code_of.get(value, np.nan) for value in values])
        if len(values) and self.code_of and np.isnan(known).all():
            here, there = _kinds(values), _kinds(self.code_of)
            if here.isdisjoint(there):
                raise TypeError(
                    f"The categorical column {self.name!r} holds values of type "
                    f"{_one_name(here)} where fit saw {_one_name(there)}."
                )
        return np.append(known, np.nan)[codes]  # −1, missing, is the last


def factorize(column: Any, name: Any) -> tuple[Array, list[Any]]:
    """Return a column's distinct values, and which of them each row has.

    Values are Python's own, so that whole numbers keep all their digits beside missing
    ones. Each library finds them in compiled code; rows of object arrays are looked up
    in a dictionary.

    Parameters
    ----------
    column : ndarray or series of narwhals
        The values.
    name : object
        The column's name, for errors.

    Returns
    -------
    codes : int64 ndarray of shape (n,)
        Positions in `values`; −1 is missing.
    values : list
        Distinct values; some may occur in no row.

    Raises
    ------
    ValueError
        If values cannot be told apart by their hash.
    """
    try:
        if isinstance(column, np.ndarray):
            codes, values = _of_array(column)
        elif column.implementation.is_pandas_like():
            codes, found = column.to_native().factorize()
            values = found.tolist()
        elif column.implementation.is_polars():
            codes, values = _of_polars(column.to_native())
        elif column.implementation.is_pyarrow():
            codes, values = _of_arrow(column.to_native())
        else:
            codes, values = _of_array(_objects(column.to_list()))
    except TypeError as error:
        raise ValueError(
            f"Categorical column {name!r} holds values that are no categories: {error}."
        ) from error
    missing = np.array([_is_missing(value) for value in values], dtype=bool)
    codes = np.asarray(codes, dtype=np.int64)
    if missing.any():
        codes = np.append(np.where(missing, -1, np.arange(len(values))), -1)[codes]
    return codes, values


def _of_array(column: Array) -> tuple[Array, list[Any]]:
    if column.dtype.kind in "iufb":
        distinct, codes = np.unique(column, return_inverse=True)
        return codes.reshape(-1), distinct.tolist()
    rows = column.tolist()
    position = {value: i for i, value in enumerate(dict.fromkeys(rows))}
    codes = np.fromiter(map(position.__getitem__, rows), np.int64, len(rows))
    return codes, list(position)


def _of_polars(column: Any) -> tuple[Array, list[Any]]:
    distinct = column.drop_nulls().unique()
    values = distinct.to_list()
    if not values:
        return np.full(len(column), -1), values
    if column.dtype == distinct.to_physical().dtype:  # no numbers stand for the values
        numbers = list(range(len(values)))
        return column.replace_strict(values, numbers, default=-1).to_numpy(), values
    numbers = distinct.to_physical().to_numpy().astype(np.int64)
    place = np.full(int(numbers.max()) + 2, -1)
    place[numbers] = np.arange(len(values))
    physical = column.to_physical().cast(int).fill_null(len(place) - 1).to_numpy()
    return place[physical], values


def _of_arrow(column: Any) -> tuple[Array, list[Any]]:
    """Codes and values of a `pyarrow.ChunkedArray`."""
    if hasattr(column.type, "index_type"):  # a dictionary; chunks may have their own
        parts = column.unify_dictionaries().chunks
    else:
        parts = column.dictionary_encode().unify_dictionaries().chunks
    if not parts:
        return np.empty(0, dtype=np.int64), []
    codes = [part.indices.fill_null(-1).to_numpy() for part in parts]
    return np.concatenate(codes).astype(np.int64), parts[0].dictionary.to_pylist()


def _objects(values: list[Any]) -> Array:
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects


def is_missing(values: Array) -> Array:
    """Return which entries are missing.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Numbers, or objects.

    Returns
    -------
    missing : bool ndarray of shape (n,)
        None, NaN, pandas.NA and NaT: what is not equal to itself, or says so by
        failing.
    """
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind != "O":
        return np.zeros(len(values), dtype=bool)
    return np.array([_is_missing(value) for value in values], dtype=bool)


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return not bool(value == value)
    except TypeError:
        return True


def _kinds(values: Iterable[Any]) -> set[type]:
    """The types of values; numbers of all types compare with each other."""
    present = (value for value in values if not _is_missing(value))
    return {Number if isinstance(value, Number) else type(value) for value in present}


def _one_name(types: set[type]) -> str:
    return min(kind.__name__ for kind in types)
