"""The columns of X: categories to codes, and constraints by name or number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_array

from skdl._compat import validate_data
from skdl._typing import Array
from skdl.tree._binning import MAX_BINS

FLOATS = (np.float64, np.float32)


class Columns:
    """Turn X into numbers, and remember how.

    Parameters
    ----------
    categorical_features : "from_dtype", None or array-like
        Which columns are categories: those of a categorical dtype of a DataFrame, none,
        a mask, column numbers or column names.
    max_categories : int, default=255
        Most categories of a column.
    """

    def __init__(
        self, categorical_features: Any, max_categories: int = MAX_BINS
    ) -> None:
        self.categorical_features = categorical_features
        self.max_categories = max_categories
        self.categories: dict[int, Array] = {}
        self.is_categorical: Array | None = None

    def fit_transform(self, estimator: Any, X: Any) -> Array:
        """Learn the categories; return X as numbers.

        Parameters
        ----------
        estimator : estimator
            Gets `n_features_in_` and `feature_names_in_`.
        X : array-like of shape (n, n_features)
            Rows.

        Returns
        -------
        X : float ndarray of shape (n, n_features)
            float32 stays, all else is float64. Categories are codes 0, 1, …; missing
            ones are NaN.
        """
        mask = self._mask(X)
        if mask is None or not mask.any():
            return validate_data(
                estimator, X, dtype=FLOATS, ensure_all_finite="allow-nan"
            )
        self.is_categorical = mask
        validate_data(estimator, X=X, skip_check_array=True)
        for j in np.flatnonzero(mask).tolist():
            values = _column(X, j)
            try:
                found = np.unique(values[~_missing(values)])
            except TypeError as error:
                raise ValueError(
                    f"Categorical column {_name(X, j)!r} mixes types that have no "
                    f"order: {error}. Give all its categories one type."
                ) from error
            if len(found) > self.max_categories:
                raise ValueError(
                    f"Categorical column {_name(X, j)!r} has {len(found)} categories; "
                    f"at most max_bins={self.max_categories} are possible. Merge rare "
                    "ones, or encode the column as numbers."
                )
            self.categories[j] = found
        return self._numbers(X)

    def transform(self, estimator: Any, X: Any) -> Array:
        """Return X as numbers; categories not seen in fit are missing.

        Parameters
        ----------
        estimator : estimator
            Checked for the number and names of features.
        X : array-like of shape (n, n_features)
            Rows.

        Returns
        -------
        X : float ndarray of shape (n, n_features)
            Numbers.
        """
        if not self.categories and self.is_categorical is None:
            return validate_data(
                estimator, X, dtype=FLOATS, ensure_all_finite="allow-nan", reset=False
            )
        _check_table(X)
        validate_data(estimator, X=X, skip_check_array=True, reset=False)
        return self._numbers(X)

    def _mask(self, X: Any) -> Array | None:
        wanted = self.categorical_features
        is_frame = hasattr(X, "columns") and hasattr(X, "dtypes")
        if wanted is None or (isinstance(wanted, str) and not is_frame):
            self._check_word(wanted)
            return None
        _check_table(X)
        n_features = _n_features(X)
        mask = np.zeros(n_features, dtype=bool)
        if isinstance(wanted, str):
            self._check_word(wanted)
            for j, dtype in enumerate(X.dtypes):
                mask[j] = str(dtype).lower().startswith(("categor", "enum"))
            return mask
        entries = np.asarray(wanted)
        if entries.dtype == bool:
            if entries.shape != (n_features,):
                raise ValueError(
                    f"The mask categorical_features must have shape ({n_features},), "
                    f"got {entries.shape}."
                )
            return entries.copy()
        for entry in entries.ravel():
            mask[column_number(entry, X, n_features, "categorical_features")] = True
        return mask

    def _check_word(self, wanted: Any) -> None:
        if wanted is not None and wanted != "from_dtype":
            raise ValueError(
                'categorical_features must be "from_dtype", None, a mask, column '
                f"numbers or names, got {wanted!r}."
            )

    def _numbers(self, X: Any) -> Array:
        assert self.is_categorical is not None
        columns = []
        for j, categorical in enumerate(self.is_categorical):
            values = _column(X, j)
            if categorical:
                columns.append(_codes(values, self.categories[j]))
            else:
                columns.append(_floats(values, _name(X, j)))
        numbers = np.column_stack(columns)
        return check_array(numbers, dtype=FLOATS, ensure_all_finite="allow-nan")


def _check_table(X: Any) -> None:
    """Raise the error of scikit-learn unless X is dense and has rows and columns."""
    if not hasattr(X, "columns"):
        check_array(X, dtype=None, ensure_all_finite=False, ensure_min_samples=0)


def _n_features(X: Any) -> int:
    return int((X if hasattr(X, "shape") else np.asarray(X)).shape[1])


def _column(X: Any, j: int) -> Array:
    if hasattr(X, "columns"):
        return np.asarray(X[X.columns[j]])
    return np.asarray(X)[:, j]


def _name(X: Any, j: int) -> Any:
    return X.columns[j] if hasattr(X, "columns") else int(j)


def _missing(values: Array) -> Array:
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind != "O":
        return np.zeros(len(values), dtype=bool)
    # None, NaN, pandas.NA and NaT: what is not equal to itself, or says so by failing.
    return np.array([_is_missing(value) for value in values], dtype=bool)


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return not bool(value == value)
    except TypeError:
        return True


def _codes(values: Array, categories: Array) -> Array:
    codes = np.full(len(values), np.nan)
    known = ~_missing(values)
    if known.any() and len(categories):
        present = values[known]
        try:
            at = np.searchsorted(categories, present).clip(max=len(categories) - 1)
        except TypeError as error:
            raise TypeError(
                f"A categorical column holds values of type {type(present[0])} where "
                f"fit saw {type(categories[0])}."
            ) from error
        codes[known] = np.where(categories[at] == present, at, np.nan)
    return codes


def _floats(values: Array, name: Any) -> Array:
    if values.dtype.kind == "O":
        missing = _missing(values)
        values = np.where(missing, np.nan, values)
    try:
        if values.dtype.kind in "mM":
            raise TypeError(f"{values.dtype} is a point or span of time")
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Column {name!r} holds no numbers ({error}). Give it a categorical dtype, "
            "name it in categorical_features, or turn it into numbers."
        ) from error


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
        names = [str(name) for name in getattr(X, "columns", [])]
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
