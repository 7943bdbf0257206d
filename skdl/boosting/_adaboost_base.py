"""What the two AdaBoost estimators share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skdl._base import NestedParams
from skdl._compat import (
    CallbackSupportMixin,
    HasMethods,
    Integral,
    Interval,
    Real,
    check_sample_weight,
    takes_sparse,
    unchanged_if_fails,
)
from skdl._typing import Array
from skdl.boosting._adaboost.reweighting import Reweighting
from skdl.boosting._ensemble.ensemble import shares
from skdl.boosting._inputs.checks import check_target_given, positive_rows
from skdl.boosting._inputs.columns import Columns
from skdl.boosting._run.callbacks import check_callbacks
from skdl.boosting._run.report import round_report
from skdl.boosting._threads import threads_of
from skdl.ops._compiling import compiling_is_said


class BaseAdaBoost(CallbackSupportMixin, NestedParams):
    """Base of AdaBoost.

    A subclass cleans its targets (`_clean_target`), sets up (`_begin`) and does a round
    (`_round`, which returns whether to go on); it has `staged_predict`, and the
    `_metric` of its score.
    """

    # ---- settings

    estimator: Any
    n_estimators: int
    learning_rate: float
    max_depth: int
    categorical_features: Any
    n_jobs: int | None
    random_state: Any
    verbose: int

    # ---- what fit leaves

    estimators_: list[Any]
    _rounds: list[Any]  # the same, as rounds
    estimator_weights_: Array
    estimator_errors_: Array
    n_features_in_: int
    feature_names_in_: Array

    _metric: Callable[..., float]
    staged_predict: Callable[..., Iterator[Array]]

    _parameter_constraints: dict[str, Any] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_depth": [Interval(Integral, 1, None, closed="left")],
        "categorical_features": "no_validation",
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def staged_score(
        self, X: Any, y: Any, sample_weight: Any = None
    ) -> Iterator[float]:
        """Return the score after each round: accuracy of a classifier, else R².

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            True labels or targets.
        sample_weight : array-like of shape (n,), default=None
            Weights.

        Yields
        ------
        score : float
            That of the first rounds.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`, or `y` or the weights have
            another length.
        """
        for values in self.staged_predict(X):
            yield float(self._metric(y, values, sample_weight=sample_weight))

    def _clean_target(self, y: Any) -> Array:
        raise TypeError(f"{type(self).__name__} must define _clean_target.")

    def _begin(
        self, X: Array, y: Array, weight: Array, random_state: np.random.RandomState
    ) -> Reweighting:
        raise TypeError(f"{type(self).__name__} must define _begin.")

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        with (
            unchanged_if_fails(self),
            threads_of(self),
            compiling_is_said(self.verbose),
        ):
            check_callbacks(self, follows=False)
            shown = (X, y)
            random_state = check_random_state(self.random_state)
            self._columns = Columns(self.categorical_features)
            X = self._columns.fit_transform(self, X)
            check_target_given(self, y)
            y = self._clean_target(y)
            check_consistent_length(X, y)
            weight = check_sample_weight(
                sample_weight, X, dtype=np.float64, copy=True, ensure_non_negative=True
            )
            X, y, weight = positive_rows(X, y, weight)
            run = self._begin(X, y, weight / weight.sum(), random_state)
            self._train(run, shown)
            for name, value in run.attributes().items():
                setattr(self, name, value)
        return self

    def _train(self, run: Reweighting, shown: tuple[Any, Any]) -> None:
        X, y = shown
        n, n_features = run.X.shape
        title = f"{type(self).__name__}: {n:,} rows, {n_features:,} features"
        report = round_report(title, self.verbose)
        root = self._init_callback_context(max_subtasks=self.n_estimators)
        root.call_on_fit_task_begin(estimator=self, X=X, y=y)
        for t in range(self.n_estimators):
            context = root.subcontext(task_name="tree")
            context.call_on_fit_task_begin(estimator=self, X=X, y=y)
            stop = run.round()
            if len(run.rounds) > t:
                row = {"error": run.errors[-1], "weight": run.alphas[-1]}
                report.epoch(t + 1, row, is_best=False)
            stop |= context.call_on_fit_task_end(
                estimator=self, X=X, y=y, reconstruction_attributes=run.attributes
            )
            if stop:
                break
        n = len(run.rounds)
        report.end(f"Done: {n} round{'s' * (n > 1)}.")
        root.call_on_fit_task_end(estimator=self, X=X, y=y)

    def _check_takes_weights(self) -> None:
        if not has_fit_parameter(self.estimator, "sample_weight"):
            raise ValueError(
                f"{type(self.estimator).__name__} takes no sample_weight in fit, which "
                "AdaBoost needs; choose another estimator."
            )

    def _checked(self, X: Any) -> Array:
        check_is_fitted(self, "estimators_")
        return self._columns.transform(self, X)

    @property
    def feature_importances_(self) -> Array:
        """Share of each feature, over the learners by their weight; sums to 1."""
        check_is_fitted(self, "estimators_")
        parts = [
            shares(importances)
            for row in self._rounds
            for importances in row.importances(self.n_features_in_, "gain")
        ]
        return shares(np.average(parts, axis=0, weights=self.estimator_weights_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.estimator is None
        tags.input_tags.sparse = takes_sparse(self.estimator)
        return tags
