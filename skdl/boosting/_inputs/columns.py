"""The columns of X: from what the user passes to numbers, categories to codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csc_array, hstack, issparse
from sklearn.utils import _safe_indexing, check_array

from skdl._compat import validate_data
from skdl._tables import as_frame, as_table
from skdl._typing import Array
from skdl.boosting._inputs.categories import Categories, is_missing
from skdl.boosting._inputs.constraints import column_number
from skdl.tree import BinMapper, by_columns

FLOATS = (np.float64, np.float32)
_CHECKS: dict[str, Any] = {
    "accept_sparse": "csc",
    "dtype": FLOATS,
    "ensure_all_finite": "allow-nan",
}


class Columns:
    """Turn X into numbers, and remember how.

    Parameters
    ----------
    categorical_features : "from_dtype", None or array-like
        Which columns are categories: those of a categorical dtype of a DataFrame, none,
        a mask, column numbers or column names.
    max_categories : int, default=255
        Most codes of a column; the rarest of more categories share the last one.
    """

    def __init__(
        self, categorical_features: Any, max_categories: int = BinMapper.limit
    ) -> None:
        self.categorical_features = categorical_features
        self.max_categories = max_categories
        self.encoders: dict[int, Categories] = {}
        self.is_categorical: Array | None = None

    @property
    def categories(self) -> dict[int, Array]:
        """The values behind the codes of each categorical column."""
        return {j: encoder.labels for j, encoder in self.encoders.items()}

    def fit_transform(self, estimator: object, X: Any) -> Array:
        """Learn the categories; return X as numbers.

        Parameters
        ----------
        estimator : estimator
            Gets `n_features_in_` and `feature_names_in_`.
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        X : {float ndarray, csc_array} of shape (n, n_features)
            float32 stays, all else is float64. Categories are codes 0, 1, …; missing
            ones are NaN.
        """
        mask = self._mask(X)
        if mask is None or not mask.any():
            return _plain_numbers(estimator, X, reset=True)
        validate_data(estimator, X=X, skip_check_array=True)
        table = Table(X)
        for j in np.flatnonzero(mask).tolist():
            encoder = Categories(table.column(j), table.name(j), self.max_categories)
            self.encoders[j] = encoder
        self.is_categorical = mask
        return self._numbers(table)

    def transform(self, estimator: object, X: Any) -> Array:
        """Return X as numbers; categories not seen in fit are missing.

        Parameters
        ----------
        estimator : estimator
            Checked for the number and names of features.
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        X : {float ndarray, csc_array} of shape (n, n_features)
            Numbers.
        """
        if self.is_categorical is None:
            return _plain_numbers(estimator, X, reset=False)
        _check_table(X)
        validate_data(estimator, X=X, skip_check_array=True, reset=False)
        return self._numbers(Table(X))

    def _mask(self, X: Any) -> Array | None:
        wanted, frame = self.categorical_features, as_frame(X)
        if wanted is None or (isinstance(wanted, str) and frame is None):
            self._check_word(wanted)
            return None
        _check_table(X)
        if isinstance(wanted, str):
            self._check_word(wanted)
            words = ("categorical", "enum")
            dtypes = frame.schema.values() if frame is not None else ()
            return np.array([str(d).lower().startswith(words) for d in dtypes], bool)
        n_features = _n_features(X)
        mask = np.zeros(n_features, dtype=bool)
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

    def _numbers(self, table: Table) -> Array:
        assert self.is_categorical is not None
        n_features = len(self.is_categorical)
        plain = np.flatnonzero(~self.is_categorical)
        dtype: Any = np.float64
        if len(plain):
            rest = table.numbers(plain)
            dtype = rest.dtype
        columns = {j: e.codes(table.column(j)) for j, e in self.encoders.items()}
        if issparse(table.X):
            return _side_by_side(rest if len(plain) else None, plain, columns)
        n = len(next(iter(columns.values())))
        numbers = np.empty((n, n_features), dtype, order="F")
        if len(plain):
            numbers[:, plain] = rest
        for j, codes in columns.items():
            numbers[:, j] = codes
        return numbers if len(plain) else check_array(numbers, **_CHECKS)


class Table:
    """Rows whose columns are read one by one, in the types that they have.

    Parameters
    ----------
    X : DataFrame, ndarray, sparse matrix or list of rows
        The rows. Those of a list are not brought to one type.
    """

    def __init__(self, X: Any) -> None:
        self.frame = as_frame(X)
        self.X = by_columns(X) if issparse(X) else as_table(X)
        if self.frame is None and not hasattr(X, "shape"):
            self.X = np.array([list(row) for row in X], dtype=object)

    def column(self, j: int) -> Any:
        """Return a column.

        Parameters
        ----------
        j : int
            Its number.

        Returns
        -------
        column : ndarray or series of narwhals
            Its values.
        """
        if self.frame is not None:
            return self.frame[:, j]
        if issparse(self.X):
            return self.X[:, [j]].toarray()[:, 0]
        return np.asarray(self.X)[:, j]

    def name(self, j: int) -> Any:
        """Return a column's name, or its number.

        Parameters
        ----------
        j : int
            Its number.

        Returns
        -------
        name : str or int
            For errors.
        """
        return self.frame.columns[j] if self.frame is not None else int(j)

    def numbers(self, plain: Array) -> Array:
        """Return columns as numbers.

        Parameters
        ----------
        plain : int64 ndarray of shape (f,)
            Numbers of the columns.

        Returns
        -------
        numbers : float ndarray of shape (n, f)
            Of type float32 or float64.

        Raises
        ------
        ValueError
            If a column holds no numbers; the error names it.
        """
        self.check_times(plain)
        if issparse(self.X):
            return check_array(self.X[:, plain], **_CHECKS)
        try:
            return check_array(_safe_indexing(self.X, plain, axis=1), **_CHECKS)
        except (TypeError, ValueError):  # columns of objects may hold pandas.NA
            columns = [self.floats(j) for j in plain.tolist()]
            return check_array(np.column_stack(columns), **_CHECKS)

    def floats(self, j: int) -> Array:
        """Return a column as numbers.

        Parameters
        ----------
        j : int
            Its number.

        Returns
        -------
        values : float64 ndarray of shape (n,)
            Missing ones are NaN.

        Raises
        ------
        ValueError
            If it holds no numbers.
        """
        column = self.column(j)
        values = column if isinstance(column, np.ndarray) else column.to_numpy()
        if values.dtype.kind == "O":
            values = np.where(is_missing(values), np.nan, values)
        try:
            return values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise self._no_numbers(j, str(error)) from error

    def check_times(self, columns: Array) -> None:
        """Raise if a column holds points or spans of time.

        Parameters
        ----------
        columns : int64 ndarray of shape (f,)
            Numbers of the columns.

        Raises
        ------
        ValueError
            NumPy would count them in units that the library chose.
        """
        if self.frame is None:
            if getattr(self.X.dtype, "kind", "") in "mM":
                raise self._no_numbers(int(columns[0]), f"{self.X.dtype} is time")
            return
        for j, dtype in enumerate(self.frame.schema.values()):
            if dtype.is_temporal() and j in columns:
                kind = str(dtype).split("(")[0].lower()
                raise self._no_numbers(j, f"{kind} is a point or span of time")

    def _no_numbers(self, j: int, reason: str) -> ValueError:
        return ValueError(
            f"Column {self.name(j)!r} holds no numbers ({reason}). Give it a "
            "categorical dtype, name it in categorical_features, or turn it into "
            "numbers."
        )


def _plain_numbers(estimator: object, X: Any, reset: bool) -> Array:
    """X as numbers, where no column is categorical; an error names the column."""
    frame = as_frame(X)
    if frame is not None:
        Table(X).check_times(np.arange(frame.shape[1]))
    try:
        X = validate_data(estimator, X, reset=reset, **_CHECKS)
        return by_columns(X) if issparse(X) else X
    except (TypeError, ValueError):
        if frame is None:
            raise
        # Name the column at fault; columns of objects may hold pandas.NA.
        columns = [Table(X).floats(j) for j in range(frame.shape[1])]
        validate_data(estimator, X=X, skip_check_array=True, reset=reset)
        return check_array(np.column_stack(columns), **_CHECKS)


def _side_by_side(rest: Any, plain: Array, columns: dict[int, Array]) -> csc_array:
    """A sparse matrix of numbers and codes, each in its column."""
    codes = csc_array(np.column_stack(list(columns.values())))
    parts = codes if rest is None else hstack([codes, rest], format="csc")
    order = np.argsort([*columns, *plain.tolist()])
    return csc_array(parts[:, order])


def _check_table(X: Any) -> None:
    """Raise the error of scikit-learn unless X has rows and columns."""
    if as_frame(X) is None:
        check_array(
            X,
            accept_sparse=True,
            dtype=None,
            ensure_all_finite=False,
            ensure_min_samples=0,
        )


def _n_features(X: Any) -> int:
    return int((X if hasattr(X, "shape") else np.asarray(X)).shape[1])
