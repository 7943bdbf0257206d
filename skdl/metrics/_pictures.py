"""Distance between pictures."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def psnr(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    data_range: float,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the peak signal-to-noise ratio, 10·log₁₀(range² / mean squared error).

    The error is pooled: the mean over all pixels of all pictures.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n, ...)
        Pictures, true and predicted.
    data_range : float
        Distance from black to white, such as 255 of bytes; positive.
    sample_weight : array-like of shape (n,), default=None
        Weights of the pictures.

    Returns
    -------
    psnr : float
        In decibels; infinite for equal pictures.

    Raises
    ------
    ValueError
        If shapes differ or the range is not positive.

    Examples
    --------
    >>> from skdl.metrics import psnr
    >>> round(psnr([[0.0, 1.0]], [[0.1, 0.9]], data_range=1.0), 6)
    20.0
    """
    true, pred = np.asarray(y_true), np.asarray(y_pred)
    if true.shape != pred.shape:
        raise ValueError(
            f"Pictures must have the same shape, got {true.shape} and {pred.shape}."
        )
    if not data_range > 0:
        raise ValueError(f"data_range must be positive, got {data_range!r}.")
    errors = np.array(
        [
            np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)
            for a, b in zip(true, pred, strict=True)
        ]
    )
    weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    mse = float(np.average(errors, weights=weight))
    return 10.0 * math.log10(data_range**2 / mse) if mse > 0 else math.inf
