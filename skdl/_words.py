"""Which column of X holds no numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from skdl._typing import Array


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
