"""What the gradient boosting estimators share: from `fit` to the loop and back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdl import losses, schedules
from skdl._base import NestedParams
from skdl._best import Best, round_best
from skdl._compat import (
    CallbackSupportMixin,
    HasMethods,
    Integral,
    Interval,
    Options,
    Real,
    RealNotInt,
    StrOptions,
    kept_run,
    takes_sparse,
    unchanged_if_fails,
)
from skdl._request import Request
from skdl._settings import COUNT, POSITIVE
from skdl._typing import Array
from skdl.boosting._ensemble.ensemble import Ensemble
from skdl.boosting._ensemble.start import continued, first_ensemble
from skdl.boosting._inputs.columns import Columns
from skdl.boosting._inputs.constraints import n_candidates
from skdl.boosting._inputs.data import TrainingData
from skdl.boosting._inputs.inputs import Inputs
from skdl.boosting._learners.make import TreeSettings, make_learners
from skdl.boosting._run.callbacks import SavedRun, check_callbacks
from skdl.boosting._run.recipe import Draws, Recipe
from skdl.boosting._run.run import Run
from skdl.boosting._steps.rates import Steps
from skdl.boosting._steps.step_rule import registry, resolve
from skdl.boosting._threads import on_threads_of, threads_of
from skdl.losses import Loss
from skdl.ops._compiling import compiling_is_said
from skdl.optimizers import Optimizer
from skdl.schedules import Schedule


class BaseGradientBoosting(CallbackSupportMixin, Inputs, TreeSettings, NestedParams):
    """Base of the gradient boosting estimators: fit, and what is fitted.

    What a subclass defines is said in `Inputs`.
    """

    _registries = {
        "optimizer": registry,
        "loss": losses.registry,
        "learning_rate": schedules.registry,
    }

    # ---- settings that the methods here read

    optimizer: str | Optimizer
    learning_rate: float | str | Schedule | None
    n_estimators: int
    subsample: float
    categorical_features: Any
    init: Any
    warm_start: bool
    tol: float
    importance_type: str
    n_jobs: int | None
    random_state: Any
    verbose: int

    # ---- what fit leaves

    ensemble_: Ensemble
    n_estimators_: int
    best_iteration_: int
    max_features_: int
    history_: dict[str, list[float]]
    train_score_: Array
    validation_score_: Array | None
    loss_function_: Loss
    n_features_in_: int
    feature_names_in_: Array
    _best: Best
    _known_raw: tuple[Any, Array] | None = None  # while a run scores its rows
    _measure: tuple[Any, set[str]]

    _parameter_constraints: dict[str, Any] = {
        # An unknown name of a part lists those of its registry.
        "loss": "no_validation",
        "optimizer": "no_validation",
        "learning_rate": [*POSITIVE, None],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "estimator": [HasMethods(["fit", "predict"]), None],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "max_depth": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
            None,
        ],
        "min_samples_split": [Interval(Integral, 2, None, closed="left")],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "min_child_weight": [Interval(Real, 0, None, closed="left")],
        "min_impurity_decrease": [Interval(Real, 0, None, closed="left")],
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "max_features": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
            StrOptions({"sqrt", "log2"}),
            None,
        ],
        "max_bins": [Interval(Integral, 2, 255, closed="both")],
        "categorical_features": "no_validation",
        "monotonic_cst": ["array-like", dict, None],
        "interaction_cst": "no_validation",
        "shared_trees": ["boolean"],
        "init": [StrOptions({"zero"}), HasMethods(["fit", "predict"]), None],
        "warm_start": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [*COUNT, Options(Real, {math.inf}), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "scoring": "no_validation",
        "importance_type": [StrOptions({"gain", "split"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # Routing: a Pipeline with transform_input=["X_val"] hands these on.
    __metadata_request__fit = {
        "X_val": True,
        "y_val": True,
        "sample_weight_val": True,
    }

    # ---- fit

    def _fit(self, request: Request) -> Self:
        with (
            unchanged_if_fails(self),
            threads_of(self),
            compiling_is_said(self.verbose),
        ):
            check_callbacks(self)
            saved = kept_run(self, SavedRun)
            going_on = self.warm_start and hasattr(self, "ensemble_")
            previous = saved.estimator if saved else self if going_on else None
            rule = resolve(self.optimizer, self.learning_rate)
            if saved is not None:
                self._adopt(saved.estimator)
            elif previous is None:
                self._columns = Columns(self.categorical_features, self.max_bins)
                self._seed = int(check_random_state(self.random_state).randint(2**31))
            problem, loss = self._problem(previous is None, request)
            self.loss_function_ = loss
            drawn = n_candidates(self.max_features, self.n_features_in_)
            self.max_features_ = self.n_features_in_ if drawn is None else drawn
            n_raw = self._n_raw(loss)
            if previous is None:
                ensemble = first_ensemble(self.init, loss, rule, problem, n_raw)
            else:
                shared = None if self.estimator is not None else self.shared_trees
                ensemble = continued(previous.ensemble_, loss, rule, n_raw, shared)
            goes_on = saved is None or saved.goes_on
            n_rounds = self._n_rounds(len(ensemble.rates), goes_on)
            run = self._make_run(previous, problem, ensemble, n_rounds)
            if saved is not None:
                run.best, run.notes = saved.best, saved.notes
            root = self._init_callback_context(max_subtasks=n_rounds - run.n_rounds)
            X, y = problem.shown
            root.call_on_fit_task_begin(estimator=self, X=X, y=y)
            if goes_on:
                run.train(n_rounds, root)
            else:
                run.begin(root)  # lets a checkpoint know its data again
            root.call_on_fit_task_end(estimator=self, X=X, y=y)
            for name, value in run.fitted().items():
                setattr(self, name, value if goes_on else getattr(previous, name))
            if self.ensemble_.has_trees:
                self.ensemble_.forest()
        return self

    def _saved(self, run: Run) -> tuple[Any, SavedRun]:
        """The model as far as the run has come, and what it takes to go on."""
        saved = run.saved()
        return saved.estimator, saved

    def _adopt(self, fitted: BaseGradientBoosting) -> None:
        """Know the columns, classes and seed of the run that is gone on with."""
        params = self.get_params(deep=False)
        results = fitted._fitted_attributes(
            fitted.ensemble_, fitted.history_, fitted._best
        )
        for name, value in vars(fitted).items():
            if name not in params and name not in results:
                setattr(self, name, value)

    def _n_rounds(self, n_done: int, goes_on: bool) -> int:
        """Rounds in all, some of which may be done."""
        if not goes_on:
            return n_done
        if n_done > self.n_estimators:
            raise ValueError(
                f"n_estimators={self.n_estimators} is below the {n_done} rounds that "
                "fit goes on from; it must be at least as large."
            )
        return self.n_estimators

    def _make_run(
        self,
        previous: BaseGradientBoosting | None,
        problem: TrainingData,
        ensemble: Ensemble,
        n_rounds: int,
    ) -> Run:
        history: dict[str, list[float]] = {"loss": []}
        if problem.shown_val is not None:
            history["val_loss"] = []
        scorer = None
        if self.scoring != "loss":
            scorer = check_scoring(self, self.scoring)
            if problem.shown_val is not None:
                history["val_score"] = []
        best = round_best(
            self.n_iter_no_change,
            self.tol,
            higher_is_better=scorer is not None,
            keep_weights=self.n_iter_no_change is not None,
        )
        measure = self.scoring, set(history)
        if previous is not None:
            n_done, same = len(ensemble.rates), measure == previous._measure
            for key in history:  # what was not measured then is NaN
                known = same or key == "loss"
                curve = previous.history_[key] if known else [math.nan] * n_done
                history[key] = curve[:n_done]
            if same:
                best.start(previous._best.value, previous._best.epoch)
        seen = history.get("val_loss", history["loss"])
        seen = [value for value in seen if not math.isnan(value)]
        rule = ensemble.rule
        recipe = Recipe(
            make_learners(
                self, problem, ensemble.loss, ensemble.n_raw, rule.second_order
            ),
            Steps(rule, n_rounds, len(ensemble.rates), seen),
            Draws(self._seed, float(self.subsample)),
        )
        return Run(self, problem, ensemble, recipe, history, best, scorer)

    # ---- the fitted model

    def _fitted_attributes(
        self, ensemble: Ensemble, history: dict[str, list[float]], best: Best
    ) -> dict[str, Any]:
        if best.keep_weights and best.epoch:
            ensemble = ensemble.truncated(best.epoch)
        scored = history.get("val_score", history.get("val_loss"))
        return {
            "ensemble_": ensemble,
            "n_estimators_": len(ensemble.rounds),
            "best_iteration_": best.epoch or len(ensemble.rounds),
            "history_": {name: list(curve) for name, curve in history.items()},
            "train_score_": np.array(history["loss"]),
            "validation_score_": None if scored is None else np.array(scored),
            "_best": best,
            "_measure": (self.scoring, set(history)),
        }

    @property
    def estimators_(self) -> list[list[Any]]:
        """The learners of each round: trees, or fitted clones of `estimator`."""
        check_is_fitted(self, "ensemble_")
        return self.ensemble_.learners

    @property
    def feature_importances_(self) -> Array:
        """Share of each feature in the gain, or in the number of splits; sums to 1."""
        check_is_fitted(self, "ensemble_")
        return self.ensemble_.importances(self.n_features_in_, self.importance_type)

    def apply(self, X: Any) -> Array:
        """Return the leaf that each row ends in.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        leaves : int64 ndarray of shape (n, n_estimators) or (n, n_estimators, k)
            Numbers of nodes within each tree; with several outputs or classes a tree
            for each.

        Raises
        ------
        ValueError
            If the learners are no trees of skdl.
        """
        check_is_fitted(self, "ensemble_")
        if not self.ensemble_.has_trees:
            raise ValueError(
                "apply needs skdl's own trees; with estimator= call apply of the "
                "learners in estimators_."
            )
        with threads_of(self):
            leaves = self.ensemble_.forest().apply(self._columns.transform(self, X))
        return self._shape_leaves(leaves)

    def _shape_leaves(self, leaves: Array) -> Array:
        n_each = self.ensemble_.n_each
        if n_each == 1:
            return leaves
        return leaves.reshape(len(leaves), -1, n_each)

    def _raw_prediction(self, X: Any) -> Array:
        check_is_fitted(self, "ensemble_")
        known = self._known_raw
        if known is not None and X is known[0]:
            return known[1].copy()
        with threads_of(self):
            return self.ensemble_.raw(self._columns.transform(self, X))

    def _staged_raw(self, X: Any) -> Iterator[Array]:
        check_is_fitted(self, "ensemble_")
        stages = self.ensemble_.staged_raw(self._columns.transform(self, X))
        return on_threads_of(self, stages)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "ensemble_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.estimator is None and self.init in (
            None,
            "zero",
        )
        tags.input_tags.sparse = takes_sparse(self.estimator, self.init)
        return tags
