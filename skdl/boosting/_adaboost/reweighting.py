"""A fit of AdaBoost: learners so far, and the weights of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array

TINY = float(np.finfo(np.float64).tiny)


class Reweighting:
    """The state of a fit; a subclass does a round.

    Parameters
    ----------
    owner : estimator
        Whose parameters count.
    X : {float ndarray, csc_array} of shape (n, n_features)
        Rows.
    y : ndarray of shape (n,)
        Class codes, or real targets.
    weight : float64 ndarray of shape (n,)
        Weights that sum to 1.
    random_state : RandomState
        Of all draws.

    Attributes
    ----------
    rounds : list
        A `Stump`, `Single` or `Voter` each.
    alphas, errors : list of float
        Weight of each, and its weighted error.
    """

    def __init__(
        self,
        owner: Any,
        X: Array,
        y: Array,
        weight: Array,
        random_state: np.random.RandomState,
    ) -> None:
        self.owner, self.X, self.y, self.weight = owner, X, y, weight
        self.log_weight = np.log(weight)
        self.random_state = random_state
        self.rounds: list[Any] = []
        self.alphas: list[float] = []
        self.errors: list[float] = []

    def round(self) -> bool:
        """Fit a learner, weigh it, weigh the rows; return whether to stop."""
        raise TypeError(f"{type(self).__name__} must define round.")

    def attributes(self) -> dict[str, Any]:
        """Return what the estimator keeps.

        Returns
        -------
        attributes : dict
            By name.
        """
        return {
            "estimators_": [row.learner for row in self.rounds],
            "_rounds": list(self.rounds),
            "estimator_weights_": np.array(self.alphas),
            "estimator_errors_": np.array(self.errors),
        }


def normalised(log_weight: Array) -> Array:
    """Return weights that sum to 1, from their logarithms.

    Long steps make weights whose ratios no float holds: the smallest of them are 0 for
    a round, and their logarithms let them come back.

    Parameters
    ----------
    log_weight : float64 ndarray of shape (n,)
        Logarithms, up to a constant; changed in place, so that the largest is 0.

    Returns
    -------
    weight : float64 ndarray of shape (n,)
        The weights.
    """
    log_weight -= log_weight.max()
    weight = np.exp(log_weight)
    return weight / weight.sum()
