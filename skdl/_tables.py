"""Tables: DataFrames of any library, and which of their columns hold no numbers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import narwhals.stable.v2 as nw  # scikit-learn's own way to read DataFrames
import numpy as np
from scipy import sparse

from skdl._typing import Array


def as_frame(X: Any) -> Any:
    """Return a DataFrame of any library behind one interface, that of narwhals.

    Parameters
    ----------
    X : object
        A DataFrame or table, or something else.

    Returns
    -------
    frame : narwhals DataFrame or None
        None where X is no DataFrame.

    Raises
    ------
    TypeError
        If X is a query whose rows are not there yet.
    """
    if isinstance(X, np.ndarray) or sparse.issparse(X):
        return None
    X = as_table(X)
    if nw.dependencies.is_into_dataframe(X):
        return nw.from_native(X, eager_only=True)
    if isinstance(nw.from_native(X, pass_through=True), nw.LazyFrame):
        raise TypeError(
            f"X is a {type(X).__module__.split('.')[0]} {type(X).__name__}, a query "
            "that has not been run: pass its rows, as X.collect() returns them."
        )
    return None


def as_table(X: Any) -> Any:
    """Return a batch of Arrow's records as a table, anything else as it is.

    Parameters
    ----------
    X : object
        Rows.

    Returns
    -------
    X : object
        What narwhals and scikit-learn can read.
    """
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(X, arrow.RecordBatch):
        return arrow.Table.from_batches([X])
    return X


def check_no_times(X: Any, frame: Any) -> None:
    """Raise if rows hold points or spans of time.

    Parameters
    ----------
    X : array-like
        Rows.
    frame : narwhals DataFrame or None
        The same, where it is a DataFrame.

    Raises
    ------
    ValueError
        NumPy would count them in units that the library chose.
    """
    if getattr(getattr(X, "dtype", None), "kind", "") in ("m", "M"):
        raise ValueError(f"X holds no numbers ({X.dtype} is time). {_TURN_TIMES}")
    for name, dtype in ({} if frame is None else frame.schema).items():
        if dtype.is_temporal():
            kind = str(dtype).split("(")[0].lower()
            raise ValueError(
                f"Column {name!r} holds no numbers ({kind} is a point or span of time)."
                f" {_TURN_TIMES}"
            )


_TURN_TIMES = "Turn it into numbers, such as days since a date."


@contextmanager
def column_named(X: Any, names: Any = None) -> Iterator[None]:
    """Let NumPy's "could not convert string to float" name the column.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n, n_features)
        Rows that the block turns into numbers.
    names : array-like of shape (n_features,), default=None
        Names of the columns; None: those of X, or else their numbers.

    Yields
    ------
    None

    Raises
    ------
    ValueError
        If a column holds words.
    """
    try:
        yield
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        names = getattr(X, "columns", None) if names is None else names
        rows = np.asarray(X, dtype=object)
        j = _of_words(rows) if rows.ndim == 2 else None
        if j is None:
            raise
        named = names is not None and len(names) == rows.shape[1]
        name = str(names[j]) if named and isinstance(names[j], str) else j
        raise ValueError(
            f"Column {name!r} holds no numbers ({error}). Turn it into numbers, as "
            "sklearn.preprocessing's OneHotEncoder and OrdinalEncoder do; boosting "
            "takes columns of categories, too, see categorical_features."
        ) from error


def _of_words(rows: Array) -> int | None:
    for j in range(rows.shape[1]):
        try:
            rows[:, j].astype(np.float64)
        except ValueError:
            return j
        except TypeError:  # None, pandas.NA: not what the error is about
            continue
    return None
