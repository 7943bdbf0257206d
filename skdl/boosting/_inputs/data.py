"""Data in the form that training wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skdl._typing import Array


@dataclass
class TrainingData:
    """Data in the form that training wants.

    Parameters
    ----------
    X : float ndarray of shape (n, n_features)
        Rows of positive weight.
    y : ndarray of shape (n,) or (n, k)
        Targets, as the loss wants them.
    weight : float64 ndarray of shape (n,) or None
        Sample weights; None where all are 1.
    X_val, y_val, weight_val : ndarray or None
        The same for validation.
    shown : tuple
        X and y as the user gave them, for callbacks.
    shown_val : tuple or None
        Validation rows, labels and weights for a scorer.
    """

    X: Array
    y: Array
    weight: Array | None
    X_val: Array | None = None
    y_val: Array | None = None
    weight_val: Array | None = None
    shown: tuple[Any, Any] = (None, None)
    shown_val: tuple[Any, Any, Any] | None = None
