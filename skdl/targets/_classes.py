"""Class labels, and indicators of several labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import (
    check_classification_targets,
    type_of_target,
)

from skdl._typing import Array
from skdl.losses import Loss
from skdl.targets._column import as_vector


class ClassTargets:
    """Class labels, or indicators of several labels.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The classes, sorted; with several labels their numbers.
    multilabel : bool
        Whether a sample may have several labels.
    hint : str, default=""
        What to do about labels that are none of the classes, for the error.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import BinaryCrossEntropy, CrossEntropy
    >>> from skdl.targets import ClassTargets
    >>> y = np.array(["dog", "cat", "cow", "cat"])
    >>> targets = ClassTargets.of(y)
    >>> targets.encode(y, CrossEntropy(), float)
    array([2, 0, 1, 0])
    >>> targets.decode(np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]]))
    array(['dog', 'cow'], dtype='<U3')
    >>> two = ClassTargets.of(y[:2])
    >>> two.encode(y[:2], BinaryCrossEntropy(), float).ravel()
    array([1., 0.])
    >>> two.probabilities(np.array([[0.75]]))
    array([[0.25, 0.75]])
    """

    def __init__(self, classes: Array, multilabel: bool, hint: str = "") -> None:
        self.classes = classes
        self.multilabel = multilabel
        self.hint = hint

    @classmethod
    def of(cls, y: Any, classes: Any = None, hint: str = "") -> ClassTargets:
        """Find the kind of targets and the classes.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, n_labels)
            Targets.
        classes : array-like, default=None
            All classes, where `y` may lack some.
        hint : str, default=""
            What to do about labels that are none of them.

        Returns
        -------
        targets : ClassTargets
            How to encode them.

        Raises
        ------
        ValueError
            If these are no class labels, or of a kind that is not supported.
        """
        kind = type_of_target(y, input_name="y")
        if kind not in ("binary", "multiclass"):
            check_classification_targets(y)
        if kind == "multilabel-indicator":
            return cls(np.arange(y.shape[1]), multilabel=True)
        if kind == "multiclass-multioutput":
            raise ValueError(
                "Several outputs of several classes each are not supported: give one "
                "column of classes, or 0/1 indicators of several labels."
            )
        known = np.unique(y if classes is None else classes)
        return cls(known, False, hint)

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
        return as_vector(y) if y.ndim == 2 and y.shape[1] == 1 else y

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
        return self.encode_codes(self.codes(y), loss, dtype)

    def encode_codes(self, codes: Array, loss: Loss, dtype: DTypeLike) -> Array:
        """Return class codes as the loss takes them.

        Parameters
        ----------
        codes : ndarray of int of shape (n,)
            From 0 to ``len(classes) - 1``.
        loss : Loss
            The loss.
        dtype : dtype
            Type of 0/1 targets.

        Returns
        -------
        encoded : ndarray of shape (n,) or (n, 1)
            The codes, or zeros and ones.
        """
        if loss.n_raw(len(self.classes)) == 1:
            return codes.astype(dtype)[:, None]
        return codes.astype(np.intp)

    def codes(self, y: Array) -> Array:
        """Return the position of each label among the classes.

        Parameters
        ----------
        y : ndarray of shape (n,)
            Labels.

        Returns
        -------
        codes : ndarray of int of shape (n,)
            From 0 to ``len(classes) - 1``.

        Raises
        ------
        ValueError
            If there are unknown labels.
        """
        if y.ndim != 1:
            raise ValueError(f"y must have one column, got shape {y.shape}.")
        labels, inverse = np.unique(y, return_inverse=True)
        unknown = np.setdiff1d(labels, self.classes)
        if len(unknown):
            raise ValueError(
                f"y has labels {unknown.tolist()} that are not among the classes "
                f"{self.classes.tolist()} of the first fit.{self.hint}"
            )
        return np.searchsorted(self.classes, labels)[inverse]

    def check_same(self, classes: Any) -> None:
        """Raise unless these are the classes.

        Parameters
        ----------
        classes : array-like of shape (n_classes,)
            Classes that the user named again.

        Raises
        ------
        ValueError
            If they are others.
        """
        named = np.unique(classes)
        if not (self.multilabel or np.array_equal(named, self.classes)):
            raise ValueError(
                f"classes={named.tolist()} are not those of the first call, "
                f"{self.classes.tolist()}."
            )

    def weights(
        self, class_weight: Any, y: Array, sample_weight: Array | None = None
    ) -> Array:
        """Return the weight of each row, that of its class included.

        Parameters
        ----------
        class_weight : dict, list of dict, "balanced" or None
            Weights of the classes, as scikit-learn takes them.
        y : ndarray of shape (n,) or (n, n_labels)
            Targets.
        sample_weight : ndarray of shape (n,), default=None
            What they multiply.

        Returns
        -------
        weights : ndarray of shape (n,)
            Weights of the rows.

        Raises
        ------
        ValueError
            If there are negative weights, or none but zeros.
        """
        if isinstance(class_weight, dict) and y.ndim == 1:
            known = {*self.classes.tolist()}
            absent = known.difference(y.tolist())  # from this part of the rows
            class_weight = {k: v for k, v in class_weight.items() if k not in absent}
        weights = compute_sample_weight(class_weight, y)
        if sample_weight is not None:
            weights = weights.astype(sample_weight.dtype)
            weights *= sample_weight
        if (weights < 0).any() or not weights.any():
            raise ValueError(
                f"class_weight={class_weight!r} gives negative weights, or none but "
                "zeros."
            )
        return weights

    def score(self, y: Array, predicted: Array, weight: Array | None = None) -> float:
        """Return the accuracy.

        Parameters
        ----------
        y, predicted : ndarray of shape (n,) or (n, n_labels)
            Targets, true and predicted.
        weight : ndarray of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        accuracy : float
            The share of rows that are right (in all labels).
        """
        return float(accuracy_score(y, predicted, sample_weight=weight))

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
