"""Any regressor as learner."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState
from sklearn.base import clone

from skdl._typing import Array
from skdl.boosting._gradients.derivatives import Derivatives
from skdl.boosting._gradients.leaf_minimum import LeafMinimum
from skdl.boosting._gradients.trust_region import TrustRegion
from skdl.boosting._inputs.data import TrainingData
from skdl.boosting._learners.learned import Learned
from skdl.boosting._learners.rounds import EstimatorRound
from skdl.losses import Loss


class EstimatorLearners:
    """Any regressor as learner, fitted to minus the gradient.

    Parameters
    ----------
    problem : TrainingData
        The data.
    loss : Loss
        The loss.
    n_raw : int
        Number of raw predictions.
    estimator : regressor
        Cloned for each fit.
    takes_weights : bool
        Whether its `fit` takes sample weights.
    second_order : bool
        Whether the rule asks for more than the gradient: of real targets, whose unit a
        gradient need not have, the loss then says how far to go along a learner.

    Raises
    ------
    ValueError
        If the data have weights and the estimator takes none.
    """

    shared = False  # of raw predictions: each has a learner of its own
    one_way = False

    def __init__(
        self,
        problem: TrainingData,
        loss: Loss,
        n_raw: int,
        estimator: Any,
        takes_weights: bool,
        second_order: bool,
    ) -> None:
        if problem.weight is not None and not takes_weights:
            raise ValueError(
                f"{type(estimator).__name__} takes no sample_weight in fit, but sample "
                "weights or class weights were given."
            )
        self.problem = problem
        self.estimator = estimator
        self.trust = TrustRegion(loss, problem.y, n_raw, used=False)
        self.search: LeafMinimum | None = None
        real = problem.y.ndim == 2 and loss.task != "classification"
        if second_order and real and not loss.constant_hessian:
            self.search = LeafMinimum(loss, problem.y, problem.weight, n_raw)

    def fit(
        self, d: Derivatives, raw: Array, rows: Array | None, rng: np.random.Generator
    ) -> Learned:
        """Fit one learner for each raw prediction.

        Parameters
        ----------
        d : Derivatives
            Of all rows; weights included.
        raw : float64 ndarray of shape (n, n_raw)
            Raw predictions so far; they have no part in it.
        rows : uint32 ndarray or None
            The rows to learn from.
        rng : numpy Generator
            Gives the learners' random states.

        Returns
        -------
        learned : Learned
            Fitted clones, one for each raw prediction.
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
        return Learned(EstimatorRound(learners), None)

    def lengths(self, values: Array, raw: Array, rows: Array | None) -> Array:
        """Return how far to go along the learners, before the learning rate.

        Parameters
        ----------
        values : float64 ndarray of shape (n, n_raw)
            Their values.
        raw : float64 ndarray of shape (n, n_raw)
            Raw predictions so far.
        rows : uint32 ndarray or None
            The rows that they were fitted to.

        Returns
        -------
        lengths : float64 ndarray of shape (n_raw,)
            Factors; 1 where the gradient says it.
        """
        if self.search is None:
            return np.ones(values.shape[1])
        return self.search.along(raw, values, rows)


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
