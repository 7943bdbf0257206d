"""Overlap of label maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdl._typing import Array


def class_iou(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    ignored_label: Any = None,
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the intersection over union (Jaccard 1901) of each class.

    Pixels of all maps are counted together: ∣A ∩ B∣ / ∣A ∪ B∣, A the pixels of the
    class, B those predicted as such.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n, ...)
        Label maps, true and predicted, with the same number of pixels.
    labels : array-like of shape (n_classes,), default=None
        The classes, sorted; None takes all labels that occur.
    ignored_label : object, default=None
        Pixels with this true label do not count; it is no class.
    sample_weight : array-like of shape (n,) or (n, ...), default=None
        Weights of the maps, or of each pixel.

    Returns
    -------
    iou : ndarray of shape (n_classes,)
        From 0 to 1, in the order of the labels; NaN for a class without a pixel in
        either.

    Raises
    ------
    ValueError
        If sizes differ.

    Examples
    --------
    >>> from skdl.metrics import class_iou
    >>> class_iou([[0, 1, 1, 1]], [[0, 0, 1, 1]])
    array([0.5       , 0.66666667])
    """
    true, pred, weight = _flat(y_true, y_pred, ignored_label, sample_weight)
    known = np.union1d(true, pred) if labels is None else np.asarray(labels)
    if ignored_label is not None:
        known = known[known != ignored_label]
    union, shared = np.empty(len(known)), np.empty(len(known))
    for i, label in enumerate(known):
        a, b = true == label, pred == label
        union[i] = _count(a | b, weight)
        shared[i] = _count(a & b, weight)
    iou = np.full(len(known), np.nan)
    return np.divide(shared, union, out=iou, where=union > 0)


def mean_iou(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    ignored_label: Any = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean of `class_iou` over the classes that occur.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n, ...)
        Label maps, true and predicted, with the same number of pixels.
    labels : array-like of shape (n_classes,), default=None
        The classes; None takes all labels that occur.
    ignored_label : object, default=None
        Pixels with this true label do not count; it is no class.
    sample_weight : array-like of shape (n,) or (n, ...), default=None
        Weights of the maps, or of each pixel.

    Returns
    -------
    iou : float
        From 0 to 1; NaN if no pixel counts.

    Raises
    ------
    ValueError
        If sizes differ.

    See Also
    --------
    sklearn.metrics.jaccard_score : The same of flat labels, with ``average="macro"``.

    Examples
    --------
    >>> from skdl.metrics import mean_iou
    >>> round(mean_iou([[0, 1, 1, 1]], [[0, 0, 1, 1]]), 3)
    0.583
    """
    iou = class_iou(
        y_true,
        y_pred,
        labels=labels,
        ignored_label=ignored_label,
        sample_weight=sample_weight,
    )
    occurs = iou[~np.isnan(iou)]
    return float(occurs.mean()) if len(occurs) else float("nan")


def pixel_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    ignored_label: Any = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the share of pixels whose label is right.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n, ...)
        Label maps, true and predicted, with the same number of pixels.
    ignored_label : object, default=None
        Pixels with this true label do not count.
    sample_weight : array-like of shape (n,) or (n, ...), default=None
        Weights of the maps, or of each pixel.

    Returns
    -------
    accuracy : float
        From 0 to 1; NaN if no pixel counts.

    Raises
    ------
    ValueError
        If sizes differ.

    Examples
    --------
    >>> from skdl.metrics import pixel_accuracy
    >>> pixel_accuracy([[0, 1, 1, 1]], [[0, 0, 1, 1]])
    0.75
    """
    true, pred, weight = _flat(y_true, y_pred, ignored_label, sample_weight)
    total = float(len(true) if weight is None else weight.sum())
    return _count(true == pred, weight) / total if total else float("nan")


def _flat(
    y_true: ArrayLike, y_pred: ArrayLike, ignored: Any, sample_weight: Any
) -> tuple[Array, Array, Array | None]:
    """Return the pixels that count, one after another, and their weights."""
    true, pred = np.asarray(y_true), np.asarray(y_pred)
    if true.shape[:1] != pred.shape[:1] or true.size != pred.size:
        raise ValueError(
            "Label maps must come in pairs of the same size, got shapes "
            f"{true.shape} and {pred.shape}."
        )
    weight = None
    if sample_weight is not None:
        weight = np.asarray(sample_weight, dtype=np.float64)
        if weight.size != true.size:
            if weight.shape != true.shape[:1]:
                raise ValueError(
                    f"sample_weight must have one number for each of {len(true)} maps, "
                    f"or for each pixel of {true.shape}, got shape {weight.shape}."
                )
            weight = np.repeat(weight, true.size // max(len(true), 1))
        weight = weight.ravel()
    true, pred = true.ravel(), pred.ravel()
    if ignored is None:
        return true, pred, weight
    counts = true != ignored
    return true[counts], pred[counts], None if weight is None else weight[counts]


def _count(which: Array, weight: Array | None) -> float:
    return float(np.count_nonzero(which) if weight is None else weight[which].sum())
