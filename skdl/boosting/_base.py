"""What the gradient boosting estimators share: from `fit` to the loop and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skdl import losses
from skdl._base import NestedParams
from skdl._compat import (
    CallbackSupportMixin,
    HasMethods,
    Integral,
    Interval,
    Real,
    RealNotInt,
    StrOptions,
    check_sample_weight,
    unchanged_if_fails,
)
from skdl.boosting._checks import check_target_given, positive_rows
from skdl.boosting._columns import (
    Columns,
    interaction_sets,
    monotonic_signs,
    n_candidates,
)
from skdl.boosting._ensemble import Ensemble, init_raw
from skdl.boosting._importances import feature_importances
from skdl.boosting._learners import EstimatorLearners, Problem, TreeLearners
from skdl.boosting._run import Run, Watch
from skdl.boosting._step_rule import Steps, registry, resolve
from skdl.losses import Loss
from skdl.tree import TreeParams

Array = NDArray[Any]

MIN_HESSIAN = 1e-3  # in units of the weights, which are taken as numbers of rows


class BaseGradientBoosting(CallbackSupportMixin, NestedParams):
    """Base of the gradient boosting estimators.

    A subclass says how targets are cleaned and encoded (`_clean_target`, `_encode`),
    which form the loss has (`_task_loss`) and how many raw predictions there are.
    """

    _registries = {"optimizer": registry, "loss": losses._loss.registry}

    _parameter_constraints: dict[str, Any] = {
        "loss": "no_validation",
        "optimizer": "no_validation",
        "learning_rate": "no_validation",
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "estimator": [HasMethods(["fit", "predict"]), None],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_split": [Interval(Integral, 2, None, closed="left")],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
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
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "scoring": "no_validation",
        "importance_type": [StrOptions({"gain", "split"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # Routing: a Pipeline with transform_input=["X_val"] hands these on.
    __metadata_request__fit = {
        "X_val": True,
        "y_val": True,
        "sample_weight_val": True,
    }

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

    # ---- fit

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        X_val: Any,
        y_val: Any,
        sample_weight_val: Any,
    ) -> BaseGradientBoosting:
        with unchanged_if_fails(self):
            first = not (self.warm_start and hasattr(self, "ensemble_"))
            rule = resolve(self.optimizer, self.learning_rate)
            if first:
                self._columns = Columns(self.categorical_features, self.max_bins)
                self._seed = int(check_random_state(self.random_state).randint(2**31))
            problem, loss, shown_val = self._problem(
                first, X, y, sample_weight, X_val, y_val, sample_weight_val
            )
            self.loss_function_ = loss
            ensemble = self._starting_ensemble(first, loss, rule, problem)
            n_done = len(ensemble.rates)
            if n_done > self.n_estimators:
                raise ValueError(
                    f"n_estimators={self.n_estimators} is below the {n_done} that "
                    "warm_start goes on from; it must be at least as large."
                )
            run = self._make_run(first, X, problem, loss, ensemble, shown_val)
            root = self._init_callback_context(
                max_subtasks=max(0, self.n_estimators - n_done)
            )
            root.call_on_fit_task_begin(estimator=self, X=X, y=y)
            run.train(self.n_estimators, root)
            root.call_on_fit_task_end(estimator=self, X=X, y=y)
            fitted = self._fitted_attributes(run.ensemble, run.history, run.watch)
            for name, value in fitted.items():
                setattr(self, name, value)
            if self.ensemble_.has_trees:
                self.ensemble_.forest()
        return self

    def _problem(
        self,
        first: bool,
        X: Any,
        y: Any,
        sample_weight: Any,
        X_val: Any,
        y_val: Any,
        sample_weight_val: Any,
    ) -> tuple[Problem, Loss, tuple[Any, Any, Any] | None]:
        """Check all inputs; return the data in the loss's terms."""
        shown = (X, y)
        X = (self._columns.fit_transform if first else self._columns.transform)(self, X)
        check_target_given(self, y)
        y = self._clean_target(y, first)
        check_consistent_length(X, y)
        weight = None
        if sample_weight is not None:
            weight = check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        weight = self._class_weights(y, weight)
        X, y, weight = _weighted_rows(X, y, weight)
        self._check_kept_target(y)
        X_val, y_val, weight_val = self._validation(X_val, y_val, sample_weight_val)
        if X_val is None and self.n_iter_no_change is not None:
            X, X_val, y, y_val, weight, weight_val = self._split(X, y, weight)
        loss = self._task_loss()
        target = self._encode(y, loss)
        loss.check_targets(target)
        problem = Problem(X, target, weight, shown=shown)
        if X_val is None:
            return problem, loss, None
        problem.X_val, problem.y_val = X_val, self._encode(y_val, loss)
        loss.check_targets(problem.y_val)
        problem.weight_val = weight_val
        return problem, loss, (X_val, self._decode(y_val), weight_val)

    def _validation(
        self, X_val: Any, y_val: Any, sample_weight_val: Any
    ) -> tuple[Any, Any, Any]:
        if (X_val is None) != (y_val is None):
            raise ValueError("Pass both X_val and y_val, or neither.")
        if X_val is None:
            return None, None, None
        X_val = self._columns.transform(self, X_val)
        y_val = self._clean_target(y_val, first=False)
        check_consistent_length(X_val, y_val)
        if sample_weight_val is not None:
            sample_weight_val = check_sample_weight(
                sample_weight_val, X_val, dtype=np.float64, ensure_non_negative=True
            )
        return _weighted_rows(X_val, y_val, sample_weight_val)

    def _split(self, X: Array, y: Array, weight: Array | None) -> list[Any]:
        """Hold a part of the rows out for early stopping."""
        if len(X) < 2:
            raise ValueError(
                "Early stopping needs validation data, and one row cannot be split. "
                "Pass X_val and y_val, or set n_iter_no_change=None."
            )
        arrays = [X, y] if weight is None else [X, y, weight]
        parts = train_test_split(
            *arrays,
            test_size=self.validation_fraction,
            stratify=self._stratify(y),
            random_state=self._seed,
        )
        return parts if weight is not None else [*parts, None, None]

    def _starting_ensemble(
        self, first: bool, loss: Loss, rule: Any, problem: Problem
    ) -> Ensemble:
        """The ensemble before the first round, or the fitted one to go on from."""
        n_raw = self._n_raw(loss)
        if not first:
            old: Ensemble = self.ensemble_
            if type(rule) is not type(old.rule) or n_raw != old.n_raw:
                raise ValueError(
                    f"warm_start cannot go on from {type(old.rule).__name__} with "
                    f"{old.n_raw} outputs to {type(rule).__name__} with {n_raw}; set "
                    "warm_start=False to start anew."
                )
            if loss.out_activation != old.loss.out_activation:
                raise ValueError(
                    f"warm_start cannot go on from {type(old.loss).__name__} to "
                    f"{type(loss).__name__}: their raw predictions mean different "
                    "things. Set warm_start=False to start anew."
                )
            learners = [list(row) for row in old.learners]
            return Ensemble(
                loss, old.baseline, old.init, rule, learners, list(old.rates)
            )
        baseline, init = np.zeros(n_raw), None
        if self.init is None:
            baseline = start_constant(loss, problem, n_raw)
        elif self.init != "zero":
            init = clone(self.init)
            self._fit_init(init, problem)
            init_raw(init, loss, problem.X[:1], n_raw)  # wrong shapes fail here
        return Ensemble(loss, baseline, init, rule, [], [])

    def _fit_init(self, init: Any, problem: Problem) -> None:
        y = (
            problem.y[:, 0]
            if problem.y.ndim == 2 and problem.y.shape[1] == 1
            else (problem.y)
        )
        if problem.weight is None:
            init.fit(problem.X, y)
        elif has_fit_parameter(init, "sample_weight"):
            init.fit(problem.X, y, sample_weight=problem.weight)
        else:
            raise ValueError(
                f"init={type(init).__name__} takes no sample_weight in fit, but sample "
                "weights or class weights were given."
            )

    def _make_run(
        self,
        first: bool,
        X: Any,
        problem: Problem,
        loss: Loss,
        ensemble: Ensemble,
        shown_val: tuple[Any, Any, Any] | None,
    ) -> Run:
        watch = Watch(self.n_iter_no_change, self.tol)
        history: dict[str, list[float]] = {"loss": []}
        if shown_val is not None:
            history["val_loss"] = []
        scorer = None
        if self.scoring != "loss":
            scorer = check_scoring(self, self.scoring)
            if shown_val is not None:
                history["val_score"] = []
        if not first and set(history) == set(self.history_):
            n_done = len(ensemble.rates)
            history = {key: curve[:n_done] for key, curve in self.history_.items()}
            watch.best, watch.best_round = self._watch_state
        return Run(
            self,
            problem,
            ensemble,
            self._learners(X, problem, loss, ensemble),
            Steps(ensemble.rule, self.n_estimators, ensemble.rates),
            self._seed,
            history,
            watch,
            scorer,
            float(self.subsample),
            shown_val,
        )

    def _learners(
        self, X: Any, problem: Problem, loss: Loss, ensemble: Ensemble
    ) -> TreeLearners | EstimatorLearners:
        n_raw = ensemble.n_raw
        n_features = problem.X.shape[1]
        signs = monotonic_signs(self.monotonic_cst, X, n_features)
        sets = interaction_sets(self.interaction_cst, X, n_features)
        if self.estimator is not None:
            if signs is not None or sets is not None:
                raise ValueError(
                    "monotonic_cst and interaction_cst steer skdl's own trees; with "
                    "estimator= set the constraints on that estimator."
                )
            takes = has_fit_parameter(self.estimator, "sample_weight")
            return EstimatorLearners(problem, self.estimator, takes)
        if (
            signs is not None
            and n_raw > 1
            and (self.shared_trees or loss.task != "regression")
        ):
            raise ValueError(
                "Monotonic constraints need one tree for each output: they are not "
                "possible with several classes or with shared_trees=True."
            )
        second_order = bool(getattr(ensemble.rule, "second_order", False))
        hessian = second_order and loss.has_hessian and not loss.has_leaf_value
        min_hessian = 0.0
        if hessian and not loss.constant_hessian:
            min_hessian = _min_hessian(problem.weight)
        params = TreeParams(
            max_leaf_nodes=self.max_leaf_nodes,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            min_samples_split=self.min_samples_split,
            min_impurity_decrease=self.min_impurity_decrease,
            min_hessian=min_hessian,
            l2_regularization=float(self.l2_regularization),
            max_features=n_candidates(self.max_features, n_features),
            monotonic_cst=signs,
            interaction_cst=sets,
        )
        return TreeLearners(
            problem,
            loss,
            params,
            n_raw=n_raw,
            shared=self.shared_trees,
            second_order=second_order,
            max_bins=self.max_bins,
            categorical=self._columns.is_categorical,
            seed=self._seed,
        )

    # ---- the fitted model

    def _fitted_attributes(
        self, ensemble: Ensemble, history: dict[str, list[float]], watch: Watch
    ) -> dict[str, Any]:
        if watch.patience is not None and watch.best_round:
            ensemble = ensemble.truncated(watch.best_round)
        scored = history.get("val_score", history.get("val_loss"))
        return {
            "ensemble_": ensemble,
            "n_estimators_": len(ensemble.learners),
            "best_iteration_": watch.best_round or len(ensemble.learners),
            "history_": {name: list(curve) for name, curve in history.items()},
            "train_score_": np.array(history["loss"]),
            "validation_score_": None if scored is None else np.array(scored),
            "_watch_state": (watch.best, watch.best_round),
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
        return feature_importances(
            self.ensemble_.learners, self.n_features_in_, self.importance_type
        )

    def apply(self, X: Any) -> Array:
        """Return the leaf that each row ends in.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
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
        leaves = self.ensemble_.forest().apply(self._columns.transform(self, X))
        return self._shape_leaves(leaves)

    def _shape_leaves(self, leaves: Array) -> Array:
        n_each = max((len(row) for row in self.ensemble_.learners), default=1)
        if n_each == 1:
            return leaves
        return leaves.reshape(len(leaves), -1, n_each)

    def _raw_prediction(self, X: Any) -> Array:
        check_is_fitted(self, "ensemble_")
        known = getattr(self, "_known_raw", None)
        if known is not None and X is known[0]:
            return known[1].copy()
        return self.ensemble_.raw(self._columns.transform(self, X))

    def _staged_raw(self, X: Any) -> Iterator[Array]:
        check_is_fitted(self, "ensemble_")
        return self.ensemble_.staged_raw(self._columns.transform(self, X))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "ensemble_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.estimator is None and self.init in (
            None,
            "zero",
        )
        return tags


def start_constant(loss: Loss, problem: Problem, n_raw: int) -> Array:
    """Return the constant that boosting starts from.

    Parameters
    ----------
    loss : Loss
        The loss.
    problem : Problem
        The data.
    n_raw : int
        Number of raw predictions.

    Returns
    -------
    baseline : float64 ndarray of shape (n_raw,)
        The best constant; zeros for a custom loss of classes.
    """
    if loss.task == "any" and problem.y.ndim == 1:
        return np.zeros(n_raw)
    baseline = np.asarray(loss.init_raw(problem.y, problem.weight), dtype=np.float64)
    if problem.y.ndim == 1 and len(baseline) < n_raw:  # the last classes have no rows
        absent = np.full(n_raw - len(baseline), np.log(np.finfo(np.float64).eps))
        return np.concatenate([baseline, absent])
    return np.broadcast_to(baseline, (n_raw,)).copy()


def _weighted_rows(
    X: Array, y: Array, weight: Array | None
) -> tuple[Array, Array, Array | None]:
    """Leave rows of weight zero out; weights of 1 are none."""
    if weight is None:
        return X, y, None
    X, y, weight = positive_rows(X, y, weight)
    return X, y, None if (weight == 1.0).all() else weight


def _min_hessian(weight: Array | None) -> float:
    """Smallest sum of Hessians of a leaf, also where all weights are tiny."""
    return MIN_HESSIAN * (1.0 if weight is None else min(1.0, float(weight.mean())))
