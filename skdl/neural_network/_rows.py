"""Rows: whether targets come with them, and in which precision a network has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils.validation import check_array

from skdl._ragged import Ragged
from skdl.training import Corpus

NO_TARGETS = "no_validation"  # scikit-learn's word for it


def are_given(y: Any) -> bool:
    """Return whether there are targets to be read.

    Parameters
    ----------
    y : object
        Targets, which may be None, or `NO_TARGETS`.

    Returns
    -------
    given : bool
        False for `NO_TARGETS`.
    """
    return not (isinstance(y, str) and y == NO_TARGETS)


def rows_for(dtype: np.dtype[Any], X: Any) -> Any:
    """Return rows that a network of a precision can hold.

    Parameters
    ----------
    dtype : dtype
        The network's.
    X : {ndarray, sparse matrix} of shape (n, ...), Ragged or Corpus
        Rows.

    Returns
    -------
    X : {ndarray, sparse matrix} of shape (n, ...), Ragged or Corpus
        Numbers of a higher precision are rounded; others are cast batch by batch.

    Raises
    ------
    ValueError
        If a number is too large.
    """
    if isinstance(X, Corpus):
        return X  # symbols
    if X.dtype.kind == "f" and X.dtype.itemsize > dtype.itemsize:
        return rounded(X, dtype)
    return X


def rounded(X: Any, dtype: DTypeLike) -> Any:
    """Return rows in another precision.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n, ...) or Ragged
        Rows.
    dtype : dtype
        The precision.

    Returns
    -------
    X : {ndarray, sparse matrix} of shape (n, ...) or Ragged
        The same numbers, rounded.

    Raises
    ------
    ValueError
        If a number is too large for it.
    """
    if X.dtype == dtype:
        return X
    if isinstance(X, Ragged):
        return Ragged(rounded(X.values, dtype), X.offsets)
    with np.errstate(over="ignore"):  # the error says it better
        return check_array(
            X, dtype=dtype, accept_sparse="csr", allow_nd=True, input_name="X"
        )
