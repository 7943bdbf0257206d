"""The fitted sum of learners: b₀ + Σ c_t b_t."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.boosting._ensemble.first_model import FirstModel
from skdl.boosting._ensemble.store import packed, unpacked
from skdl.boosting._learners.rounds import Round, TreeRound
from skdl.boosting._steps.path import Correction, coefficients, follow
from skdl.losses import Loss
from skdl.optimizers import FirstOrder
from skdl.tree import Forest


class Ensemble:
    """Learners with the step rule that combines them.

    Parameters
    ----------
    loss : Loss
        The loss, in the form for the targets.
    baseline : float64 ndarray of shape (k,)
        The constant b₀.
    init : FirstModel or None
        A first model instead of it.
    rule : FirstOrder
        The step rule.
    rounds : list of Round
        The learners of each round.
    rates : list of float
        Learning rate of each round.
    corrections : dict of int to Correction, default=None
        Of the rounds whose steps would have raised the loss; None: there are none.
    reach : float64 ndarray of shape (k,), default=None
        Share of the first trust region that is left for the rounds to come; None: all.
    """

    def __init__(
        self,
        loss: Loss,
        baseline: Array,
        init: FirstModel | None,
        rule: FirstOrder,
        rounds: list[Round],
        rates: list[float],
        corrections: dict[int, Correction] | None = None,
        reach: Array | None = None,
    ) -> None:
        self.loss = loss
        self.baseline = baseline
        self.init = init
        self.rule = rule
        self.rounds = rounds
        self.rates = rates
        self.corrections = {} if corrections is None else corrections
        self.reach = np.ones(len(baseline)) if reach is None else reach
        self._forest: Forest | None = None
        self._coefficients = np.empty(0)

    def __repr__(self) -> str:
        every = self._every
        learners = f"{len(every)} learners"
        if every:
            learners = f"{len(every)} × {type(every[0]).__name__}"
        if every and self.has_trees:
            leaves = [tree.n_leaves for tree in every]
            learners += f" of {min(leaves)} to {max(leaves)} leaves"
        start = f"baseline={np.round(self.baseline, 4).tolist()}"
        if self.init is not None:
            start = f"init={self.init!r}"
        return (
            f"Ensemble({len(self.rates)} rounds: {learners}; {start}, "
            f"loss={self.loss!r}, rule={self.rule!r})"
        )

    @property
    def n_raw(self) -> int:
        """Number of raw predictions."""
        return len(self.baseline)

    @property
    def has_trees(self) -> bool:
        """Whether the learners are trees of skdl."""
        return all(row.trees for row in self.rounds)

    @property
    def learners(self) -> list[list[Any]]:
        """The learners of each round."""
        return [list(row.learners) for row in self.rounds]

    @property
    def _every(self) -> list[Any]:
        return [learner for row in self.rounds for learner in row.learners]

    @property
    def n_each(self) -> int:
        """Most learners of a round."""
        return max((len(row.learners) for row in self.rounds), default=1)

    def importances(self, n_features: int, kind: str) -> Array:
        """Return the share of each feature, over all learners.

        Parameters
        ----------
        n_features : int
            Number of columns.
        kind : {"gain", "split"}
            Sums of the splits' gains, or numbers of splits.

        Returns
        -------
        importances : float64 ndarray of shape (n_features,)
            They sum to 1, or are 0 where no tree splits.

        Raises
        ------
        AttributeError
            If the learners are no trees and have no `feature_importances_`.
        """
        total = np.zeros(n_features)
        for row in self.rounds:
            for importances in row.importances(n_features, kind):
                total += importances
        return shares(total)

    def forest(self) -> Forest:
        """Return the trees in flat arrays, made once."""
        forest = self._forest
        trees = self._every
        if forest is None or forest.n_trees != len(trees):
            columns = [j for row in self.rounds for j in row.columns]
            forest = Forest(trees, columns)
            self._forest = forest
        return forest

    def coefficients(self) -> Array:
        """Return the factor of each round, computed once.

        Returns
        -------
        coefficients : float64 ndarray of shape (n_rounds,) or (n_rounds, k)
            c_t; of each output where they differ.
        """
        if len(self._coefficients) != len(self.rates):
            self._coefficients = coefficients(self.rule, self.rates, self.corrections)
        return self._coefficients

    def start(self, X: Array) -> Array:
        """Return the raw predictions before the first round.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Rows.

        Returns
        -------
        raw : float64 ndarray of shape (n, k)
            A new array.
        """
        raw = np.empty((X.shape[0], self.n_raw))
        raw[:] = self.baseline
        if self.init is not None:
            raw += self.init.raw(X)
        return raw

    def raw(self, X: Array) -> Array:
        """Return the raw predictions.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Rows.

        Returns
        -------
        raw : float64 ndarray of shape (n, k)
            After the last round.
        """
        raw = self.start(X)
        if not self.rounds:
            return raw
        c = self.coefficients()
        if self.has_trees:
            if c.ndim == 1:
                c = np.repeat(c, [len(row.trees) for row in self.rounds])
            else:  # a tree for all outputs has a correction for all
                pairs = zip(c, self.rounds, strict=True)
                c = np.concatenate([c_t[: len(row.trees)] for c_t, row in pairs])
            self.forest().add(X, raw, c)
            return raw
        for coefficient, row in zip(c, self.rounds, strict=True):
            raw += coefficient * row.values(X)
        return raw

    def staged_raw(self, X: Array) -> Iterator[Array]:
        """Yield the raw predictions after each round.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Rows.

        Yields
        ------
        raw : float64 ndarray of shape (n, k)
            The same array each time, changed in place.
        """
        values = (row.values(X) for row in self.rounds)
        return follow(self.rule, self.start(X), values, self.rates, self.corrections)

    def truncated(self, n_rounds: int) -> Ensemble:
        """Return the ensemble of the first rounds.

        Parameters
        ----------
        n_rounds : int
            How many.

        Returns
        -------
        ensemble : Ensemble
            Shares the learners.
        """
        return Ensemble(
            self.loss,
            self.baseline,
            self.init,
            self.rule,
            self.rounds[:n_rounds],
            self.rates[:n_rounds],
            {t: c for t, c in self.corrections.items() if t < n_rounds},
            self.reach.copy(),
        )

    def __getstate__(self) -> dict[str, Any]:
        made_when_needed = {"_forest": None, "_coefficients": np.empty(0)}
        state = {**self.__dict__, **made_when_needed}
        if self.has_trees:
            state["rounds"] = [len(row.trees) for row in self.rounds]
            state["_trees"] = packed(self._every)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        store = state.pop("_trees", None)
        if store is not None:
            trees = iter(unpacked(store))
            n_raw = len(state["baseline"])
            state["rounds"] = [
                TreeRound(list(islice(trees, n)), n_raw) for n in state["rounds"]
            ]
        self.__dict__.update(state)


def shares(importances: Array) -> Array:
    """Return parts of their sum, or zeros where it is zero.

    Parameters
    ----------
    importances : float64 ndarray of shape (n_features,)
        Not negative.

    Returns
    -------
    shares : float64 ndarray of shape (n_features,)
        They sum to 1, or to 0.
    """
    whole = importances.sum()
    return importances / whole if whole > 0 else importances
