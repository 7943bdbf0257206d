"""One round of boosting: the learners that follow minus the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import RandomState
from sklearn.base import clone, is_classifier
from sklearn.utils.validation import has_fit_parameter

from skdl._typing import Array
from skdl.boosting._constraints import (
    interaction_sets,
    monotonic_signs,
    n_candidates,
)
from skdl.boosting._derivatives import Derivatives
from skdl.boosting._ensemble import Ensemble
from skdl.boosting._leaf_values import LeafSearch, newton_values
from skdl.boosting._tree_size import rows_that_count, tree_size
from skdl.boosting._trust_region import TrustRegion
from skdl.losses import Loss
from skdl.ops._threads import run_chunks
from skdl.tree import (
    BinMapper,
    GrownTree,
    Tree,
    TreeParams,
    add_leaf_values,
    make_grower,
)


@dataclass
class Problem:
    """Data in the form that training wants.

    Parameters
    ----------
    X : float ndarray of shape (n, n_features)
        Rows of positive weight.
    y : ndarray of shape (n,) or (n, k)
        Targets, as the loss wants them.
    weight : float64 ndarray of shape (n,) or None
        Sample weights; None where all are 1.
    X_val, y_val, weight_val : ndarray or None
        The same for validation.
    shown : tuple
        X and y as the user gave them, for callbacks.
    """

    X: Array
    y: Array
    weight: Array | None
    X_val: Array | None = None
    y_val: Array | None = None
    weight_val: Array | None = None
    shown: tuple[Any, Any] = (None, None)


class TreeLearners:
    """Histogram trees as learners.

    Parameters
    ----------
    problem : Problem
        The data.
    loss : Loss
        The loss.
    params : TreeParams
        What limits the trees.
    n_raw : int
        Number of raw predictions.
    shared : bool
        Whether one tree serves all raw predictions.
    second_order : bool
        Whether the trees use Hessians.
    max_bins : int
        Most bins.
    categorical : bool ndarray or None
        Which columns are category codes.
    seed : int
        Seed of the draws.
    """

    def __init__(
        self,
        problem: Problem,
        loss: Loss,
        params: TreeParams,
        *,
        n_raw: int,
        shared: bool,
        second_order: bool,
        max_bins: int,
        categorical: Array | None,
        seed: int,
    ) -> None:
        self.problem = problem
        self.loss = loss
        self.params = params
        self.n_raw = n_raw
        self.shared = shared and n_raw > 1
        self.search = LeafSearch(
            loss, problem.y, problem.weight, n_raw, params.monotonic_cst
        )
        self.second_order = second_order
        self.one_way = params.monotonic_cst is not None
        self.uses_hessian = second_order and not loss.has_leaf_value
        self.trust = TrustRegion(loss, problem.y, n_raw, self.uses_hessian)
        self.min_hessian = params.min_hessian
        self.unit: float | None = None  # the smallest Hessian, where these are weights
        curved = self.uses_hessian and loss.has_hessian and not loss.constant_hessian
        if problem.weight is not None and not curved:
            self.unit = float(problem.weight.min())
        rng = np.random.default_rng([seed, 1])
        mapper = BinMapper(max_bins, categorical)
        binned = mapper.fit_transform(problem.X, rng)
        self.grower = make_grower(binned, params, n_raw if self.shared else 1)
        self.n_features = problem.X.shape[1]

    def fit(
        self, d: Derivatives, raw: Array, rows: Array | None, rng: np.random.Generator
    ) -> tuple[list[Tree], list[GrownTree]]:
        """Grow one round's trees, with their leaf values.

        Parameters
        ----------
        d : Derivatives
            Of all rows.
        raw : float64 ndarray of shape (n, n_raw)
            Raw predictions so far.
        rows : uint32 ndarray or None
            The rows to learn from.
        rng : numpy Generator
            Gives the seeds of the draws of features.

        Returns
        -------
        trees : list of Tree
            One for each raw prediction, or one for all.
        grown : list of GrownTree
            The same with what their training rows need.
        """
        h = self._hessians(d)
        self.params.min_hessian = self.min_hessian * self._unit(h)
        parts = [slice(0, self.n_raw)] if self.shared else _singles(self.n_raw)
        seeds = [int(rng.integers(2**62)) for _ in parts]
        grown_trees: list[Any] = [None] * len(parts)

        def grow(i: int) -> None:
            h_part = None if h is None else h[parts[i]]
            grown_trees[i] = self.grower.grow(
                d.g[parts[i]], h_part, rows, seed=seeds[i], unit=self.unit
            )

        if self.grower.one_at_a_time:
            for i in range(len(parts)):
                grow(i)
                if len(parts) > 1:  # the next tree overwrites the grower's memory
                    grown_trees[i].rows = grown_trees[i].rows.copy()
        else:
            run_chunks(grow, len(parts))

        def fill_leaves(i: int) -> None:
            part, grown = parts[i], grown_trees[i]
            g_part, h_part = d.g[part], None if h is None else h[part]
            if self._searches(d):
                values = self.search.values(grown, part, raw)
            else:
                values = newton_values(
                    grown, g_part, h_part, self.params.l2_regularization
                )
            grown.tree.value[grown.leaves] = values

        if self.search is not None and self.loss.verified:
            run_chunks(fill_leaves, len(parts))
        else:  # a user's own loss is asked on one thread; sums of leaves have theirs
            for i in range(len(parts)):
                fill_leaves(i)
        return [grown.tree for grown in grown_trees], grown_trees

    def _searches(self, d: Derivatives) -> bool:
        """Whether leaves are searched: where there is no curvature to go by."""
        flat = d.h is None and not self.loss.constant_hessian
        return self.second_order and (self.loss.has_leaf_value or flat)

    def _hessians(self, d: Derivatives) -> Array | None:
        if self.uses_hessian and d.h is not None:
            return d.h
        if self.problem.weight is None:
            return None
        weights = np.broadcast_to(self.problem.weight, d.g.shape)
        return np.ascontiguousarray(weights)

    def _unit(self, h: Array | None) -> float:
        """The unit of the least Hessian: own losses of real targets have their own."""
        if h is None or self.trust.spread is None:
            return 1.0
        weight = self.problem.weight
        mean = h.mean(axis=1) / (1.0 if weight is None else weight.mean())
        return min(1.0, float(mean.min()))


def _singles(n: int) -> list[slice]:
    return [slice(k, k + 1) for k in range(n)]


def add_round(grown_trees: list[GrownTree], factors: Array, out: Array) -> None:
    """Add the values of a round's trees to their training rows.

    Parameters
    ----------
    grown_trees : list of GrownTree
        One for each column of `out`, or one for all.
    factors : float64 ndarray of shape (n_raw,)
        Factors of the trees; of a tree for all, the first.
    out : float64 ndarray of shape (n, n_raw)
        Changed in place.
    """
    for column, grown in enumerate(grown_trees):
        if factors[column] != 0.0:
            values = factors[column] * grown.tree.value[grown.leaves]
            add_leaf_values(grown, values, column, out)


class EstimatorLearners:
    """Any regressor as learner, fitted to minus the gradient.

    Parameters
    ----------
    problem : Problem
        The data.
    estimator : regressor
        Cloned for each fit.
    takes_weights : bool
        Whether its `fit` takes sample weights.

    Raises
    ------
    ValueError
        If the data have weights and the estimator takes none.
    """

    def __init__(self, problem: Problem, estimator: Any, takes_weights: bool) -> None:
        if problem.weight is not None and not takes_weights:
            raise ValueError(
                f"{type(estimator).__name__} takes no sample_weight in fit, but sample "
                "weights or class weights were given."
            )
        self.problem = problem
        self.estimator = estimator

    def fit(
        self, d: Derivatives, rows: Array | None, rng: np.random.Generator
    ) -> list[Any]:
        """Fit one learner for each raw prediction.

        Parameters
        ----------
        d : Derivatives
            Of all rows; weights included.
        rows : uint32 ndarray or None
            The rows to learn from.
        rng : numpy Generator
            Gives the learners' random states.

        Returns
        -------
        learners : list
            Fitted clones.
        """
        X, weight = self.problem.X, self.problem.weight
        learners = []
        for g in d.g:
            target = -g if weight is None else -g / weight
            learner = seeded_clone(self.estimator, rng)
            part: Any = slice(None) if rows is None else rows
            if weight is None:
                learner.fit(X[part], target[part])
            else:
                learner.fit(X[part], target[part], sample_weight=weight[part])
            learners.append(learner)
        return learners


def seeded_clone(estimator: Any, rng: np.random.Generator | RandomState) -> Any:
    """Return a clone with random states of its own.

    As in scikit-learn's ensembles every `random_state` gets a number, also one that is
    set: learners that draw alike in every round would see the same part of the data.

    Parameters
    ----------
    estimator : estimator
        The learner that was asked for.
    rng : Generator or RandomState
        Gives the numbers.

    Returns
    -------
    learner : estimator
        Not fitted.
    """
    learner = clone(estimator)
    draw = rng.integers if isinstance(rng, np.random.Generator) else rng.randint
    states = {
        name: int(draw(np.iinfo(np.int32).max))
        for name in sorted(learner.get_params(deep=True))
        if name == "random_state" or name.endswith("__random_state")
    }
    return learner.set_params(**states) if states else learner


def make_learners(
    estimator: Any, X: Any, problem: Problem, ensemble: Ensemble
) -> TreeLearners | EstimatorLearners:
    """Return what makes the learners of a round.

    Parameters
    ----------
    estimator : BaseGradientBoosting
        Whose parameters count.
    X : array-like of shape (n, n_features)
        Rows as the user gave them: constraints may name their columns.
    problem : Problem
        The data.
    ensemble : Ensemble
        Its loss and its step rule.

    Returns
    -------
    learners : TreeLearners or EstimatorLearners
        Trees, or clones of the user's estimator.

    Raises
    ------
    ValueError
        If constraints are wrong, or cannot be kept.
    """
    loss, n_raw = ensemble.loss, ensemble.n_raw
    n_features = problem.X.shape[1]
    signs = monotonic_signs(estimator.monotonic_cst, X, n_features)
    sets = interaction_sets(estimator.interaction_cst, X, n_features)
    if estimator.estimator is not None:
        if signs is not None or sets is not None:
            raise ValueError(
                "monotonic_cst and interaction_cst steer skdl's own trees; with "
                "estimator= set the constraints on that estimator."
            )
        takes = has_fit_parameter(estimator.estimator, "sample_weight")
        return EstimatorLearners(problem, estimator.estimator, takes)
    if (
        signs is not None
        and n_raw > 1
        and (estimator.shared_trees or loss.task != "regression")
    ):
        raise ValueError(
            "Monotonic constraints need one tree for each output: they are not "
            "possible with several classes or with shared_trees=True."
        )
    categorical = estimator._columns.is_categorical
    if signs is not None and categorical is not None and signs[categorical].any():
        raise ValueError(
            "Categories have no order that a monotonic constraint could keep: set "
            "monotonic_cst to 0 for the columns "
            f"{np.flatnonzero(categorical & (signs != 0)).tolist()}."
        )
    second_order = ensemble.rule.second_order
    hessian = second_order and loss.has_hessian and not loss.has_leaf_value
    min_hessian = 0.0
    if hessian and not loss.constant_hessian:
        min_hessian = float(estimator.min_child_weight)
        if problem.weight is not None:  # also where all weights are tiny
            min_hessian *= min(1.0, float(problem.weight.mean()))
    classes = problem.y if is_classifier(estimator) else None
    max_depth, max_leaf_nodes = tree_size(
        estimator.max_depth,
        estimator.max_leaf_nodes,
        rows_that_count(classes, len(problem.y)),
    )
    params = TreeParams(
        max_leaf_nodes=max_leaf_nodes,
        max_depth=max_depth,
        min_samples_leaf=estimator.min_samples_leaf,
        min_samples_split=estimator.min_samples_split,
        min_impurity_decrease=estimator.min_impurity_decrease,
        min_hessian=min_hessian,
        l2_regularization=float(estimator.l2_regularization),
        max_features=n_candidates(estimator.max_features, n_features),
        monotonic_cst=signs,
        interaction_cst=sets,
    )
    return TreeLearners(
        problem,
        loss,
        params,
        n_raw=n_raw,
        shared=estimator.shared_trees,
        second_order=second_order,
        max_bins=estimator.max_bins,
        categorical=categorical,
        seed=estimator._seed,
    )
