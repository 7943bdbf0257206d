"""A model of the user's that boosting starts from."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from skdl._typing import Array
from skdl.losses import Loss

EPS = float(np.finfo(np.float32).eps)  # nearest that a probability comes to 0 and 1


class FirstModel:
    """A model whose predictions are turned into raw predictions.

    Where a prediction is out of the range of the loss, such as a negative one for a
    loss with a log link, the nearest of those on the training rows takes its place.

    Parameters
    ----------
    init : estimator
        The user's model; a clone is fitted.
    loss : Loss
        Its link turns predictions into raw predictions.
    n_raw : int
        Number of raw predictions.
    """

    def __init__(self, init: Any, loss: Loss, n_raw: int) -> None:
        self.model = clone(init)
        self.loss = loss
        self.n_raw = n_raw
        self.low: Array | None = None
        self.high: Array | None = None

    def __repr__(self) -> str:
        return repr(self.model)

    def fit(self, X: Array, y: Array, weight: Array | None) -> FirstModel:
        """Fit the model.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Training rows.
        y : ndarray of shape (n,) or (n, k)
            Targets, as the loss wants them.
        weight : float64 ndarray of shape (n,) or None
            Sample weights.

        Returns
        -------
        self : FirstModel
            The fitted model.

        Raises
        ------
        ValueError
            If there are weights and the model takes none, or its predictions are not
            finite, out of the loss's range or of a wrong shape.
        """
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if weight is None:
            self.model.fit(X, y)
        elif has_fit_parameter(self.model, "sample_weight"):
            self.model.fit(X, y, sample_weight=weight)
        else:
            raise ValueError(
                f"init={self._name} takes no sample_weight in fit, but sample weights "
                "or class weights were given."
            )
        prediction = self._predict(X)
        self._linked(prediction)
        self.low, self.high = prediction.min(axis=0), prediction.max(axis=0)
        return self

    def raw(self, X: Array) -> Array:
        """Return the raw predictions.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Rows.

        Returns
        -------
        raw : float64 ndarray of shape (n, n_raw)
            Finite.

        Raises
        ------
        ValueError
            If a prediction is not finite.
        """
        return self._linked(self._predict(X))

    @property
    def _name(self) -> str:
        return type(self.model).__name__

    def _linked(self, prediction: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            raw: Array = self.loss.link(prediction)
        outside = ~np.isfinite(raw)
        if not outside.any():
            return raw
        if self.low is None or not np.isfinite(prediction).all():
            raise ValueError(
                f"init={self._name} gives predictions that are not finite or that the "
                f"loss {type(self.loss).__name__} does not allow, such as negative "
                "ones for a loss with a log link. Choose another init, init=None or "
                'init="zero".'
            )
        nearest = np.clip(prediction, self.low, self.high)
        return np.where(outside, self.loss.link(nearest), raw)

    def _predict(self, X: Array) -> Array:
        if self.loss.task != "regression" and hasattr(self.model, "predict_proba"):
            p = np.clip(self._probabilities(X), EPS, 1.0 - EPS)
            return p[:, 1:] if self.n_raw == 1 else p
        prediction = np.asarray(self.model.predict(X), dtype=np.float64)
        prediction = prediction.reshape(X.shape[0], -1)
        n_columns = prediction.shape[1]
        spreads = n_columns == 1 and self.loss.task == "regression"  # several quantiles
        if n_columns != self.n_raw and not spreads:
            raise self._wrong_shape(prediction, self.n_raw)
        return np.broadcast_to(prediction, (X.shape[0], self.n_raw))

    def _probabilities(self, X: Array) -> Array:
        """Probabilities of all classes; 0 of those that the model has not seen."""
        p = np.asarray(self.model.predict_proba(X), dtype=np.float64)
        n_classes = max(self.n_raw, 2)
        classes = np.asarray(getattr(self.model, "classes_", np.arange(n_classes)))
        if p.shape != (X.shape[0], len(classes)):
            raise self._wrong_shape(p, len(classes))
        aligned = np.zeros((X.shape[0], n_classes))
        aligned[:, classes.astype(np.intp)] = p  # it was fitted to their codes
        return aligned

    def _wrong_shape(self, prediction: Array, n_columns: int) -> ValueError:
        return ValueError(
            f"init={self._name} gives predictions of shape {prediction.shape}; "
            f"{n_columns} columns are needed, of several classes by predict_proba."
        )
