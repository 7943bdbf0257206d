"""What all boosting estimators check."""

from __future__ import annotations

from typing import Any

from skdl._typing import Array


def check_target_given(estimator: object, y: Any) -> None:
    """Raise if there is no target.

    Parameters
    ----------
    estimator : estimator
        Whose name the error gives.
    y : array-like or None
        What the user passed.

    Raises
    ------
    ValueError
        If `y` is None.
    """
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )


def positive_rows(X: Array, y: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Leave the rows of weight zero out.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Rows.
    y : ndarray of shape (n, ...)
        Their targets.
    weight : ndarray of shape (n,)
        Their weights, not negative.

    Returns
    -------
    X, y, weight : ndarray
        What is left.

    Raises
    ------
    ValueError
        If nothing is left.
    """
    used = weight > 0
    if not used.any():
        raise ValueError(
            "All sample weights are zero; at least one row must have a positive weight."
        )
    if not used.all():
        X, y, weight = X[used], y[used], weight[used]
    return X, y, weight
