"""What network estimators for real targets share."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import DTypeLike

from skdl import losses
from skdl._compat import RegressorMixin
from skdl._request import Request
from skdl._settings import fit_context
from skdl._typing import Array
from skdl.losses import Loss
from skdl.neural_network._base import BaseNetwork
from skdl.targets import RealTargets
from skdl.tasks import ValueTask


class NetworkRegressor(RegressorMixin, BaseNetwork):
    """A network for real targets, one answer a sample."""

    _registries = {**BaseNetwork._registries, "loss": losses.for_task("regression")}

    _task: ValueTask

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any,
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
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; not negative.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data; needed with ``early_stopping=True``.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
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
                incremental=True,
            )
        )
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def initialize(self, X: Any, y: Any) -> Self:
        """Draw the starting weights without training.

        The estimator can then predict, and `coefs_` and `intercepts_` can be set in
        place; `partial_fit`, or `fit` with ``warm_start=True``, goes on from there.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data of the kind to come.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets of the kind to come.

        Returns
        -------
        self : estimator
            The estimator.
        """
        self._initialize(Request(X, y))
        return self

    def predict(self, X: Any) -> Array:
        """Predict the targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        """
        prediction = self._prediction(X)
        return self._task.decode(prediction)

    @property
    def out_activation_(self) -> str:
        """What turns the output into predictions."""
        return self.loss_function_.out_activation

    def _new_task(self, y: Any, classes: Any, dtype: DTypeLike) -> ValueTask:
        return ValueTask.of(y, self._loss_of_values(), dtype)

    def _same_task(self, classes: Any) -> ValueTask:
        return ValueTask(self._task.targets, self._loss_of_values())

    def _clean_target(self, y: Any) -> Array:
        return RealTargets.clean(y)

    def _loss_of_values(self) -> Loss:
        loss = self._loss_as_set()
        if loss.n_raw_for_targets(1) != 1:
            raise ValueError(
                f"{type(self).__name__} predicts one number for each target, got "
                f"{loss!r}; fit one network a quantile, or use "
                "GradientBoostingRegressor."
            )
        return loss
