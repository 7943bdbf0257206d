"""Checks of what a user's loss returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdl._typing import Array


class NotFiniteError(ValueError):
    """A loss gave NaN or infinite values.

    Parameters
    ----------
    message : str
        What the user reads.
    parts : sequence of str, default=("losses",)
        Which of "losses", "gradients" and "Hessians" are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import FunctionLoss, NotFiniteError
    >>> def log_error(y, raw):
    ...     with np.errstate(all="ignore"):
    ...         return np.log(y / raw) ** 2, -2 * np.log(y / raw) / raw
    >>> y, raw = np.ones((2, 1)), np.array([[0.5], [0.0]])
    >>> try:
    ...     FunctionLoss(log_error)(y, raw)
    ... except NotFiniteError as error:
    ...     print(error.parts)
    ('losses', 'gradients')
    """

    def __init__(self, message: str, parts: Sequence[str] = ("losses",)) -> None:
        super().__init__(message)
        self.parts = tuple(parts)


def check_pair(name: str, result: Any) -> tuple[Array, Array]:
    """Return what `evaluate` of a loss gave, if that is a loss and a gradient.

    Parameters
    ----------
    name : str
        What the error calls the loss.
    result : object
        What came.

    Returns
    -------
    loss, gradient : ndarray
        The two.

    Raises
    ------
    TypeError
        If it is no pair.
    """
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"The custom loss {name} must return from evaluate a tuple of the rows' "
            f"losses and their gradient, got {type(result).__name__}"
            f"{f' of {len(result)}' if isinstance(result, (tuple, list)) else ''}."
        )
    return result


def check_shapes(name: str, arrays: Sequence[Array], raw: Array) -> None:
    """Raise unless a loss and its derivatives have the shapes that they must have.

    Parameters
    ----------
    name : str
        What the error calls the loss.
    arrays : sequence of ndarray
        Losses, gradients and perhaps Hessians.
    raw : ndarray of shape (n, ..., k)
        The raw predictions.

    Raises
    ------
    ValueError
        If a shape is another.
    """
    shapes = [np.shape(part) for part in arrays]
    allowed = [raw.shape[:-1], raw.shape]
    if shapes[0] not in allowed or any(s != raw.shape for s in shapes[1:]):
        raise ValueError(
            f"The custom loss {name} must return a loss of shape {allowed[0]} or "
            f"{allowed[1]} and derivatives of shape {raw.shape}, got {shapes}."
        )


def check_finite(name: str, arrays: Sequence[Array], raw: Array) -> None:
    """Raise if a loss or a derivative is not finite where the predictions are.

    Parameters
    ----------
    name : str
        What the error calls the loss.
    arrays : sequence of ndarray
        Losses, gradients and perhaps Hessians.
    raw : ndarray of shape (n, k)
        The raw predictions.

    Raises
    ------
    NotFiniteError
        If there is a value that is NaN or infinite.
    """
    bad = [
        part
        for part, array in zip(
            ("losses", "gradients", "Hessians"), arrays, strict=False
        )
        if not np.isfinite(array).all()
    ]
    if bad and np.isfinite(raw).all():
        raise NotFiniteError(
            f"The custom loss {name} returned NaN or infinite values for finite "
            f"predictions, in its {' and '.join(bad)}; they must be finite.",
            bad,
        )
