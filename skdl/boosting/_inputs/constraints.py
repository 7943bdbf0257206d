"""What a user says of columns by name or number: constraints, and how many to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from skdl._tables import as_frame
from skdl._typing import Array


def column_names(X: Any) -> list[str]:
    """Return the names of the columns of a DataFrame.

    Parameters
    ----------
    X : object
        Rows.

    Returns
    -------
    names : list of str
        Empty where columns have no names.
    """
    frame = as_frame(X)
    return [] if frame is None else [str(name) for name in frame.columns]


def column_number(entry: Any, X: Any, n_features: int, what: str) -> int:
    """Return the number of a column given by number or name.

    Parameters
    ----------
    entry : int or str
        What the user passed.
    X : array-like or None
        Where names come from.
    n_features : int
        Number of columns.
    what : str
        The parameter, for the error.

    Returns
    -------
    number : int
        From 0.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    if isinstance(entry, str):
        names = column_names(X)
        if entry not in names:
            raise ValueError(
                f"{what} names the column {str(entry)!r}, which X does not have. "
                f"Its columns: {names if names else 'X has no names'}."
            )
        return names.index(entry)
    number = int(entry)
    if number != entry or not 0 <= number < n_features:
        raise ValueError(
            f"{what} holds the column number {entry}; X has {n_features} columns, "
            "numbered from 0."
        )
    return number


def monotonic_signs(constraints: Any, X: Any, n_features: int) -> Array | None:
    """Return the monotonic constraints as numbers.

    Parameters
    ----------
    constraints : None, array-like of shape (n_features,) or dict
        −1, 0 or 1 for each column, or for named columns.
    X : array-like
        Where names come from.
    n_features : int
        Number of columns.

    Returns
    -------
    signs : int8 ndarray of shape (n_features,) or None
        None where nothing is constrained.

    Raises
    ------
    ValueError
        If the shape, a name or a value is wrong.
    """
    if constraints is None:
        return None
    if isinstance(constraints, Mapping):
        signs = np.zeros(n_features)
        for name, sign in constraints.items():
            signs[column_number(name, X, n_features, "monotonic_cst")] = sign
    else:
        signs = np.asarray(constraints)
        if signs.shape != (n_features,):
            raise ValueError(
                f"monotonic_cst must have shape ({n_features},), got {signs.shape}."
            )
    if not np.isin(signs, (-1, 0, 1)).all():
        raise ValueError(
            f"monotonic_cst must hold −1, 0 and 1 alone, got {np.unique(signs)}."
        )
    return signs.astype(np.int8) if signs.any() else None


def interaction_sets(constraints: Any, X: Any, n_features: int) -> Array | None:
    """Return the interaction constraints as masks.

    Parameters
    ----------
    constraints : None, "pairwise", "no_interactions" or iterable of iterables
        Sets of columns that may meet on a path; columns in none make a set.
    X : array-like
        Where names come from.
    n_features : int
        Number of columns.

    Returns
    -------
    sets : bool ndarray of shape (n_sets, n_features) or None
        The masks.

    Raises
    ------
    ValueError
        If a column does not exist, or the string is unknown.
    """
    if constraints is None:
        return None
    if isinstance(constraints, str):
        if constraints == "no_interactions":
            return np.eye(n_features, dtype=bool)
        if constraints == "pairwise":
            i, j = np.triu_indices(n_features, 1)
            if not len(i):
                return np.eye(n_features, dtype=bool)
            sets = np.zeros((len(i), n_features), dtype=bool)
            sets[np.arange(len(i)), i] = sets[np.arange(len(i)), j] = True
            return sets
        raise ValueError(
            'interaction_cst must be None, "pairwise", "no_interactions" or sets of '
            f"columns, got {constraints!r}."
        )
    if not isinstance(constraints, Iterable):
        raise ValueError(
            f"interaction_cst must hold sets of columns, got {constraints!r}."
        )
    masks = []
    for group in constraints:
        if isinstance(group, str) or not isinstance(group, Iterable):
            raise ValueError(
                f"interaction_cst must hold sets of columns, got {group!r} in it."
            )
        mask = np.zeros(n_features, dtype=bool)
        for entry in group:
            mask[column_number(entry, X, n_features, "interaction_cst")] = True
        masks.append(mask)
    rest = ~np.any(masks, axis=0) if masks else np.ones(n_features, dtype=bool)
    if rest.any():
        masks.append(rest)
    return np.stack(masks)


def n_candidates(max_features: Any, n_features: int) -> int | None:
    """Return how many features are drawn for a split.

    Parameters
    ----------
    max_features : None, "sqrt", "log2", int or float
        As in scikit-learn.
    n_features : int
        Number of columns.

    Returns
    -------
    n : int or None
        At least 1; None for all.
    """
    if max_features is None:
        return None
    if max_features == "sqrt":
        return max(1, int(np.sqrt(n_features)))
    if max_features == "log2":
        return max(1, int(np.log2(n_features)))
    if isinstance(max_features, (int, np.integer)):
        return min(int(max_features), n_features)
    return max(1, int(max_features * n_features))
