"""What makes the learners of a round, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from skdl._typing import Array
from skdl.boosting._gradients.derivatives import Derivatives
from skdl.boosting._gradients.trust_region import TrustRegion
from skdl.boosting._learners.rounds import Round
from skdl.tree import GrownTree, add_leaf_values


class Learners(Protocol):
    """Makes the learners of a round.

    Attributes
    ----------
    trust : TrustRegion
        How far their steps may go.
    shared : bool
        Whether one learner serves all raw predictions.
    one_way : bool
        Whether they cannot take back what an earlier round did.
    """

    trust: TrustRegion
    shared: bool
    one_way: bool

    def fit(
        self, d: Derivatives, raw: Array, rows: Array | None, rng: np.random.Generator
    ) -> Learned:
        """Follow minus the gradient on some rows."""

    def lengths(self, values: Array, raw: Array, rows: Array | None) -> Array:
        """How far to go along the learners, before the learning rate."""


@dataclass
class Learned:
    """A round that has just been fitted.

    Parameters
    ----------
    round : Round
        The learners.
    grown : list of GrownTree or None
        The trees with the leaves of all training rows, where these are known: one for
        each raw prediction, or one for all.
    """

    round: Round
    grown: list[GrownTree] | None

    def values(self, X: Array, n_raw: int) -> Array:
        """Return the learners' values on the training rows.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n, n_features)
            All training rows.
        n_raw : int
            Number of raw predictions.

        Returns
        -------
        values : float64 ndarray of shape (n, n_raw)
            By row.
        """
        if self.grown is None:
            return self.round.values(X)
        values = np.zeros((X.shape[0], n_raw))
        add_round(self.grown, np.ones(n_raw), values)
        return values


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
