"""AdaBoost.R2, round after round."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.boosting._adaboost.reweighting import TINY, Reweighting, normalised
from skdl.boosting._adaboost.voters import Single
from skdl.boosting._learners.estimators import seeded_clone
from skdl.boosting._learners.stumps import StumpRegressor
from skdl.boosting._learners.weighted_trees import WeightedTrees


class R2(Reweighting):
    """The state of a fit: see `Reweighting`."""

    def __init__(
        self,
        owner: Any,
        X: Array,
        y: Array,
        weight: Array,
        random_state: np.random.RandomState,
    ) -> None:
        super().__init__(owner, X, y, weight, random_state)
        self.trees: WeightedTrees | None = None
        if owner.estimator is None:
            self.trees = WeightedTrees(
                X,
                y[None],
                owner.max_depth,
                owner._columns.is_categorical,
                0,
                weight,
                centred=True,
            )

    def round(self) -> bool:
        learned = self._learn()
        errors = np.abs(learned.values(self.X)[:, 0] - self.y)
        largest = errors.max()
        if largest > 0:
            errors /= largest
        if self.owner.loss == "square":
            errors **= 2
        elif self.owner.loss == "exponential":
            errors = 1.0 - np.exp(-errors)
        error = float((self.weight * errors).sum())
        if error >= 0.5 and self.rounds:
            return True
        if errors.any():
            error = max(error, TINY)  # the weights of the rows may round to 0
        self.rounds.append(learned)
        self.errors.append(error)
        if error <= 0 or error >= 0.5:  # perfect, or a first one that must do
            self.alphas.append(1.0)
            return True
        alpha = self.owner.learning_rate * float(np.log((1.0 - error) / error))
        self.alphas.append(alpha)
        self.log_weight -= alpha * (1.0 - errors)
        self.weight = normalised(self.log_weight)
        return False

    def _learn(self) -> StumpRegressor | Single:
        n = len(self.y)
        learner: Any = None
        if self.trees is None:
            learner = seeded_clone(self.owner.estimator, self.random_state)
        drawn = self.random_state.choice(n, size=n, p=self.weight)
        if self.trees is not None:
            counts = np.bincount(drawn, minlength=n).astype(np.float64)
            rows = np.flatnonzero(counts).astype(np.uint32)
            return StumpRegressor(self.trees.grow(counts, rows).tree)
        learner.fit(self.X[drawn], self.y[drawn])
        return Single(learner)
