"""What network estimators for classes share."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from skdl import losses
from skdl._compat import ClassifierMixin, StrOptions
from skdl._request import Request
from skdl._settings import fit_context
from skdl._typing import Array
from skdl.neural_network._base import BaseNetwork
from skdl.targets import ClassTargets
from skdl.tasks import ClassTask

_HINT = " partial_fit takes all of them in its first call, as classes=."


class NetworkClassifier(ClassifierMixin, BaseNetwork):
    """A network for classes, or for several labels, one answer a sample."""

    _registries = {**BaseNetwork._registries, "loss": losses.for_task("classification")}

    _parameter_constraints: dict[str, Any] = {
        **BaseNetwork._parameter_constraints,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    class_weight: Any
    _task: ClassTask

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train for one epoch over the given rows, from where training stands.

        With ``early_stopping=True`` each call is one epoch of waiting. When patience is
        exhausted the best weights come back, and further calls change nothing.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Targets.
        classes : array-like of shape (n_classes,), default=None
            All classes that will come, needed in the first call if `y` lacks some.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; not negative.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data; needed with ``early_stopping=True``.
        y_val : array-like of shape (n_val,) or (n_val, n_labels), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : estimator
            The estimator.

        Raises
        ------
        ValueError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        self._fit(
            Request(
                X,
                y,
                sample_weight,
                X_val,
                y_val,
                sample_weight_val,
                classes=classes,
                incremental=True,
            )
        )
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def initialize(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Draw the starting weights without training.

        The estimator can then predict, and `coefs_` and `intercepts_` can be set in
        place; `partial_fit`, or `fit` with ``warm_start=True``, goes on from there.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data of the kind to come.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Targets of the kind to come.
        classes : array-like of shape (n_classes,), default=None
            All classes that will come, needed in the first call if `y` lacks some.

        Returns
        -------
        self : estimator
            The estimator.
        """
        self._initialize(Request(X, y, classes=classes))
        return self

    def predict(self, X: Any) -> Array:
        """Predict the most probable class, or all labels above one half.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Classes, or 0/1 indicators.
        """
        prediction = self._prediction(X)
        return self._task.decode(prediction)

    def predict_proba(self, X: Any) -> Array:
        """Predict probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`; rows add up to 1, except with
            several labels.
        """
        prediction = self._prediction(X)
        return self._task.probabilities(prediction)

    def predict_log_proba(self, X: Any) -> Array:
        """Predict logarithms of probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Logarithms of `predict_proba`.
        """
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(p, out=p)

    @property
    def classes_(self) -> Array:
        """Class labels; with several labels their numbers."""
        return self._task.targets.classes

    @property
    def out_activation_(self) -> str:
        """What turns the output into probabilities."""
        return self.loss_function_.out_activation

    def _new_task(self, y: Any, classes: Any, dtype: DTypeLike) -> ClassTask:
        return self._task_of(ClassTargets.of(y, classes, _HINT))

    def _same_task(self, classes: Any) -> ClassTask:
        targets = self._task.targets
        if classes is not None:
            targets.check_same(classes)
        return self._task_of(targets)

    def _task_of(self, targets: ClassTargets) -> ClassTask:
        return ClassTask(targets, self._loss_as_set(), self.class_weight)

    def _clean_target(self, y: Any) -> Array:
        return ClassTargets.clean(y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
