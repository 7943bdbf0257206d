"""From what the user passes to `fit` to what training wants."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, check_consistent_length

from skdl._compat import check_sample_weight
from skdl._request import Request
from skdl._tables import as_table
from skdl._typing import Array
from skdl.boosting._inputs.checks import check_target_given, positive_rows
from skdl.boosting._inputs.columns import Columns
from skdl.boosting._inputs.data import TrainingData
from skdl.losses import Loss


class Inputs:
    """The data of a gradient boosting estimator.

    A subclass says how targets are cleaned and encoded (`_clean_target`, `_encode`),
    which form the loss has (`_task_loss`) and how many raw predictions there are.
    """

    n_iter_no_change: float | None
    scoring: Any
    validation_fraction: float
    _columns: Columns
    _seed: int

    # ---- what a subclass defines

    def _clean_target(self, y: Any, first: bool) -> Array:
        raise TypeError(f"{type(self).__name__} must define _clean_target.")

    def _task_loss(self) -> Loss:
        raise TypeError(f"{type(self).__name__} must define _task_loss.")

    def _encode(self, y: Array, loss: Loss) -> Array:
        raise TypeError(f"{type(self).__name__} must define _encode.")

    def _n_raw(self, loss: Loss) -> int:
        raise TypeError(f"{type(self).__name__} must define _n_raw.")

    def _class_weights(self, y: Array, weight: Array | None) -> Array | None:
        return weight

    def _check_kept_target(self, y: Array) -> None:
        """Raise if the rows of positive weight do not make a problem."""

    def _stratify(self, y: Array) -> Array | None:
        return None

    def _decode(self, y: Array) -> Array:
        return y

    # ---- what training gets

    def _problem(self, first: bool, request: Request) -> tuple[TrainingData, Loss]:
        """Check all inputs; return the data in the loss's terms."""
        request.check()
        shown = X, y = as_table(request.X), request.y
        X = (self._columns.fit_transform if first else self._columns.transform)(self, X)
        check_target_given(self, y)
        y = self._clean_target(y, first)
        check_consistent_length(X, y)
        weight = None
        if request.sample_weight is not None:
            weight = check_sample_weight(
                request.sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        weight = self._class_weights(y, weight)
        X, y, weight, rows = _weighted_rows(X, y, weight)
        self._check_kept_target(y)
        given = as_table(request.X_val)
        request = request._replace(X_val=given)
        X_val, y_val, weight_val, rows_val = self._validation(request)
        if X_val is None and self.n_iter_no_change is not None:
            given = shown[0]
            X, X_val, y, y_val, _, rows_val, weight, weight_val = self._split(
                X, y, rows, weight
            )
        loss = self._task_loss()
        target = self._encode(y, loss)
        loss.check_targets(target)
        problem = TrainingData(X, target, weight, shown=shown)
        if X_val is None:
            return problem, loss
        problem.X_val, problem.y_val = X_val, self._encode(y_val, loss)
        _check_val_targets(loss, target, problem.y_val)
        problem.weight_val = weight_val
        if self.scoring != "loss":
            X_val = _as_given(given, rows_val)
        problem.shown_val = X_val, self._decode(y_val), weight_val
        return problem, loss

    def _validation(self, request: Request) -> tuple[Any, Any, Any, Any]:
        if request.X_val is None:
            return None, None, None, None
        X, weight = self._columns.transform(self, request.X_val), None
        y = self._clean_target(request.y_val, first=False)
        check_consistent_length(X, y)
        if request.sample_weight_val is not None:
            weight = check_sample_weight(
                request.sample_weight_val, X, dtype=np.float64, ensure_non_negative=True
            )
        return _weighted_rows(X, y, weight)

    def _split(
        self, X: Array, y: Array, rows: Array, weight: Array | None
    ) -> list[Any]:
        """Hold a part of the rows out for early stopping."""
        if X.shape[0] < 2:
            raise ValueError(
                "Early stopping needs validation data, and one row cannot be split. "
                "Pass X_val and y_val, or set n_iter_no_change=None."
            )
        arrays = [X, y, rows] if weight is None else [X, y, rows, weight]
        parts = train_test_split(
            *arrays,
            test_size=self.validation_fraction,
            stratify=self._stratify(y),
            random_state=self._seed,
        )
        return parts if weight is not None else [*parts, None, None]


def _check_val_targets(loss: Loss, y: Array, y_val: Array) -> None:
    """Raise if a validation target is out of the loss's range.

    What a loss asks of the targets together, training rows may give.
    """
    try:
        loss.check_targets(np.concatenate([y, y_val]))
    except ValueError as error:
        raise ValueError(f"The validation data are out of range: {error}") from error


def _weighted_rows(
    X: Array, y: Array, weight: Array | None
) -> tuple[Array, Array, Array | None, Array]:
    """Leave rows of weight zero out, and say which stay; weights of 1 are none."""
    rows = np.arange(X.shape[0])
    if weight is None:
        return X, y, None, rows
    rows = rows[weight > 0]
    X, y, weight = positive_rows(X, y, weight)
    return X, y, None if (weight == 1.0).all() else weight, rows


def _as_given(X: Any, rows: Array) -> Any:
    """Rows of X in the form that the user gave: a frame stays a frame."""
    if not hasattr(X, "shape"):
        X = np.asarray(X)
    if len(rows) == X.shape[0]:
        return X
    if issparse(X):  # not all formats have rows
        X = X.tocsr()
    return _safe_indexing(X, rows)
