"""SAMME, round after round."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.boosting._adaboost.reweighting import TINY, Reweighting, normalised
from skdl.boosting._adaboost.voters import Voter
from skdl.boosting._learners.estimators import seeded_clone
from skdl.boosting._learners.stumps import StumpClassifier, codes_of
from skdl.boosting._learners.weighted_trees import WeightedTrees, training_values


class Samme(Reweighting):
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
        self.labels = owner.classes_[y]
        self.bounds: list[float] = []
        self.start_weight = weight.copy()
        self.margin = np.zeros(len(y))
        self.trees: WeightedTrees | None = None
        if owner.estimator is None:
            k = owner.n_classes_
            if k == 2:
                target = np.where(y == 1, 1.0, -1.0)[None]
            else:
                target = (y == np.arange(k)[:, None]).astype(np.float64)
            self.trees = WeightedTrees(
                X, target, owner.max_depth, owner._columns.is_categorical, 0, weight
            )

    def round(self) -> bool:
        voter, codes = self._learn()
        wrong = codes != self.y
        error = float(self.weight[wrong].sum() / self.weight.sum())
        k = self.owner.n_classes_
        if error >= 1.0 - 1.0 / k:
            if not self.rounds:
                raise ValueError(
                    f"The first learner's weighted error {error:.3g} is no better than "
                    f"chance among {k} classes; choose a stronger estimator."
                )
            return True
        self.rounds.append(voter)
        if not wrong.any():
            self.errors.append(0.0)
            self._weigh(1.0, wrong)
            return True
        error = max(error, TINY)  # the weights of the wrong rows may round to 0
        self.errors.append(error)
        self._weigh(
            self.owner.learning_rate
            * float(np.log((1.0 - error) / error) + np.log(k - 1.0)),
            wrong,
        )
        self.log_weight[wrong] += self.alphas[-1]
        self.weight = normalised(self.log_weight)
        return False

    def _weigh(self, alpha: float, wrong: Array) -> None:
        """Give the learner its weight, and bound the training error.

        A row that the sum gets wrong has at least as much weight of learners against it
        as for it: its margin m = ½Σ±α is not positive, and 1 ≤ exp(−m). For two classes
        the mean of exp(−m) is the product of the 2√(ε(1−ε)).
        """
        self.alphas.append(alpha)
        self.margin += np.where(wrong, -0.5 * alpha, 0.5 * alpha)
        # Beyond the largest number, e^709 is a bound as well.
        # Not a dot product, whose last digits depend on BLAS's number of threads.
        bound = (self.start_weight * np.exp(np.minimum(-self.margin, 709.0))).sum()
        self.bounds.append(float(bound))

    def _learn(self) -> tuple[StumpClassifier | Voter, Array]:
        owner = self.owner
        if self.trees is not None:
            n = len(self.y)
            grown = self.trees.grow(self.weight * n)
            codes = codes_of(training_values(grown, n))
            return StumpClassifier(grown.tree, owner.classes_), codes
        learner = seeded_clone(owner.estimator, self.random_state)
        learner.fit(self.X, self.labels, sample_weight=self.weight)
        voter = Voter(learner, owner.classes_)
        return voter, voter.codes(self.X)

    def attributes(self) -> dict[str, Any]:
        own = {"training_error_bound_": np.array(self.bounds), "_vote_forest": None}
        return {**super().attributes(), **own}
