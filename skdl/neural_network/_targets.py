"""Targets as users give them, and as losses take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse
from sklearn.utils.multiclass import (
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import column_or_1d

from skdl._typing import Array
from skdl.losses import Loss


class ClassTargets:
    """Class labels, or indicators of several labels.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The classes, sorted; with several labels their numbers.
    multilabel : bool
        Whether a sample may have several labels.
    """

    def __init__(self, classes: Array, multilabel: bool) -> None:
        self.classes = classes
        self.multilabel = multilabel

    @classmethod
    def of(cls, y: Any, classes: Any = None) -> ClassTargets:
        """Find the kind of targets and the classes.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, n_labels)
            Targets.
        classes : array-like, default=None
            All classes, where `y` may lack some.

        Returns
        -------
        targets : ClassTargets
            How to encode them.

        Raises
        ------
        ValueError
            If these are no class labels, or of a kind that is not supported.
        """
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multilabel-indicator":
            return cls(np.arange(y.shape[1]), multilabel=True)
        if kind == "multiclass-multioutput":
            raise ValueError(
                "Several outputs of several classes each are not supported: give one "
                "column of classes, or 0/1 indicators of several labels."
            )
        known = unique_labels(y) if classes is None else np.unique(classes)
        return cls(known, multilabel=False)

    @staticmethod
    def clean(y: Any) -> Array:
        """Return `y` as an array of one row (or one number) a sample.

        Parameters
        ----------
        y : array-like of shape (n,), (n, 1) or (n, n_labels)
            Targets.

        Returns
        -------
        y : ndarray of shape (n,) or (n, n_labels)
            Targets.
        """
        if sparse.issparse(y):
            return y.toarray()
        y = np.asarray(y)
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def encode(self, y: Array, loss: Loss, dtype: DTypeLike) -> Array:
        """Return targets as the loss takes them.

        Parameters
        ----------
        y : ndarray of shape (n,) or (n, n_labels)
            Targets.
        loss : Loss
            The loss.
        dtype : dtype
            Type of 0/1 targets.

        Returns
        -------
        encoded : ndarray of shape (n,) or (n, k)
            Class codes, or zeros and ones.

        Raises
        ------
        ValueError
            If there are unknown classes, another number of labels, or indicators other
            than 0 and 1.
        """
        if self.multilabel:
            if y.ndim != 2 or y.shape[1] != len(self.classes):
                raise ValueError(
                    f"y must have {len(self.classes)} labels, got shape {y.shape}."
                )
            if not np.isin(y, (0, 1)).all():
                raise ValueError(
                    "Indicators of several labels must be 0 or 1, got "
                    f"{np.unique(y).tolist()}."
                )
            return y.astype(dtype)
        if y.ndim != 1:
            raise ValueError(f"y must have one column, got shape {y.shape}.")
        unknown = np.setdiff1d(y, self.classes)
        if len(unknown):
            raise ValueError(
                f"y has labels {unknown.tolist()} that are not among the classes "
                f"{self.classes.tolist()}; partial_fit takes all of them in its first "
                "call, as classes=."
            )
        codes = np.searchsorted(self.classes, y)
        if loss.n_raw(len(self.classes)) == 1:
            return codes.astype(dtype)[:, None]
        return codes.astype(np.intp)

    def probabilities(self, prediction: Array) -> Array:
        """Return one column a class, from what the inverse link gives.

        Parameters
        ----------
        prediction : ndarray of shape (n, k)
            Probabilities of the network's outputs.

        Returns
        -------
        p : ndarray of shape (n, n_classes)
            Probabilities.
        """
        if self.multilabel or prediction.shape[1] > 1:
            return prediction
        if len(self.classes) == 1:
            return np.ones_like(prediction)
        return np.hstack([1.0 - prediction, prediction])

    def decode(self, prediction: Array) -> Array:
        """Return the most probable class, or the labels above one half.

        Parameters
        ----------
        prediction : ndarray of shape (n, k)
            Probabilities of the network's outputs.

        Returns
        -------
        y : ndarray of shape (n,) or (n, n_labels)
            Targets.
        """
        if self.multilabel:
            return (prediction > 0.5).astype(int)
        if prediction.shape[1] > 1:
            return self.classes[prediction.argmax(axis=1)]
        code = (prediction[:, 0] > 0.5) & (len(self.classes) > 1)
        return self.classes[code.astype(np.intp)]
