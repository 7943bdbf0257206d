"""Overlap of boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skdl._typing import Array


def box_iou(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the intersection over union of pairs of boxes.

    Parameters
    ----------
    a, b : array-like of shape (n, 4)
        Boxes: x and y of the centre, width and height, in any unit.

    Returns
    -------
    iou : ndarray of shape (n,)
        From 0 to 1; NaN where a box is.

    Raises
    ------
    ValueError
        If these are no pairs of boxes.

    Examples
    --------
    >>> from skdl.metrics import box_iou
    >>> box_iou([[0.5, 0.5, 0.4, 0.4]], [[0.7, 0.5, 0.4, 0.4]]).round(3)
    array([0.333])
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 2 or a.shape[1] != 4:
        raise ValueError(
            "Boxes must come in pairs (x_c, y_c, width, height), two arrays of shape "
            f"(n, 4), got {a.shape} and {b.shape}."
        )
    low = np.maximum(a[:, :2] - a[:, 2:] / 2, b[:, :2] - b[:, 2:] / 2)
    high = np.minimum(a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2)
    shared = np.maximum(high - low, 0.0).prod(axis=1)
    union = a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - shared
    with np.errstate(invalid="ignore"):  # two boxes without area
        return shared / union


def mean_box_iou(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean overlap of boxes where there is one.

    A picture counts if it has an object or if one is predicted. A missed object and a
    false alarm count 0. The boxes are compared whole, also where they reach over the
    edge of the picture.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n, 5)
        Presence (0 or 1), x and y of the centre, width and height; the last four are
        not looked at where nothing is there.
    sample_weight : array-like of shape (n,), default=None
        Weights of the pictures.

    Returns
    -------
    iou : float
        From 0 to 1; 1 if all pictures are empty, and predicted to be.

    Raises
    ------
    ValueError
        If these are no such targets.

    See Also
    --------
    box_iou : Of pairs of boxes.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.metrics import mean_box_iou
    >>> nothing = [0, np.nan, np.nan, np.nan, np.nan]
    >>> y = np.array([[1, 0.5, 0.5, 0.4, 0.4], nothing, nothing])
    >>> round(mean_box_iou(y, y[[0, 1, 0]]), 6)
    0.5
    """
    true = np.asarray(y_true, dtype=np.float64)
    pred = np.asarray(y_pred, dtype=np.float64)
    if true.shape != pred.shape or true.ndim != 2 or true.shape[1] != 5:
        raise ValueError(
            "Targets must be (present, x_c, y_c, width, height), two arrays of shape "
            f"(n, 5), got {true.shape} and {pred.shape}."
        )
    there, found = true[:, 0] > 0.5, pred[:, 0] > 0.5
    both, counts = there & found, there | found
    iou = np.zeros(len(true))
    iou[both] = box_iou(true[both, 1:], pred[both, 1:])
    weight = np.ones(len(true)) if sample_weight is None else np.asarray(sample_weight)
    total = float(weight[counts].sum())
    return float((weight * iou)[counts].sum()) / total if total else 1.0
