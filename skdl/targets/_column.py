"""Targets of one number a sample, given as a vector or as a column."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import column_or_1d

from skdl._typing import Array
from skdl._warn import warn


def as_vector(y: Any, dtype: DTypeLike | None = None) -> Array:
    """Return a vector; of a column with the warning that scikit-learn's users know.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, 1)
        Targets.
    dtype : dtype, default=None
        Type of the result; None keeps what comes.

    Returns
    -------
    y : ndarray of shape (n,)
        Targets.

    Raises
    ------
    ValueError
        If they have more columns.

    Examples
    --------
    >>> import warnings
    >>> from skdl.targets import as_vector
    >>> as_vector([1, 2, 3], float)
    array([1., 2., 3.])
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # it says that a column came
    ...     as_vector([[1], [2]])
    array([1, 2])
    """
    vector = column_or_1d(y, dtype=dtype)
    if (y.ndim if hasattr(y, "ndim") else np.asarray(y).ndim) == 2:
        warn(
            "A column-vector y was passed when a 1d array was expected. Please change "
            "the shape of y to (n_samples,), for example using ravel().",
            DataConversionWarning,
        )
    return vector
