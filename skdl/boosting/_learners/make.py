"""What makes the learners of a round, from an estimator's settings."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import has_fit_parameter

from skdl.boosting._inputs.columns import Columns
from skdl.boosting._inputs.constraints import (
    interaction_sets,
    monotonic_signs,
    n_candidates,
)
from skdl.boosting._inputs.data import TrainingData
from skdl.boosting._learners.estimators import EstimatorLearners
from skdl.boosting._learners.learned import Learners
from skdl.boosting._learners.tree_size import rows_that_count, tree_size
from skdl.boosting._learners.trees import TreeLearners
from skdl.losses import Loss
from skdl.tree import TreeParams


class TreeSettings:
    """What decides on the learners of an estimator: settings, columns and seed."""

    estimator: Any
    max_leaf_nodes: int | None
    max_depth: int | str | None
    min_samples_split: int
    min_samples_leaf: int
    min_child_weight: float
    min_impurity_decrease: float
    l2_regularization: float
    max_features: int | float | str | None
    max_bins: int
    monotonic_cst: Any
    interaction_cst: Any
    shared_trees: bool
    _columns: Columns
    _seed: int


def make_learners(
    estimator: TreeSettings,
    problem: TrainingData,
    loss: Loss,
    n_raw: int,
    second_order: bool,
) -> Learners:
    """Return what makes the learners of a round.

    Parameters
    ----------
    estimator : TreeSettings
        Whose parameters count.
    problem : TrainingData
        The data.
    loss : Loss
        The loss.
    n_raw : int
        Number of raw predictions.
    second_order : bool
        Whether the step rule wants trees that use Hessians.

    Returns
    -------
    learners : Learners
        Trees, or clones of the user's estimator.

    Raises
    ------
    ValueError
        If constraints are wrong, or cannot be kept.
    """
    X, n_features = problem.shown[0], problem.X.shape[1]  # its columns may have names
    signs = monotonic_signs(estimator.monotonic_cst, X, n_features)
    sets = interaction_sets(estimator.interaction_cst, X, n_features)
    if estimator.estimator is not None:
        if signs is not None or sets is not None:
            raise ValueError(
                "monotonic_cst and interaction_cst steer skdl's own trees; with "
                "estimator= set the constraints on that estimator."
            )
        takes = has_fit_parameter(estimator.estimator, "sample_weight")
        return EstimatorLearners(
            problem, loss, n_raw, estimator.estimator, takes, second_order
        )
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
