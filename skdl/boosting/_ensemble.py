"""The fitted sum of learners: b₀ + Σ c_t b_t."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.boosting._first_model import FirstModel
from skdl.boosting._step_rule import Correction, coefficients, follow
from skdl.boosting._store import packed, unpacked
from skdl.losses import Loss
from skdl.optimizers import FirstOrder
from skdl.tree import Forest, Tree


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
    learners : list of list
        For each round a learner for each raw prediction, or one for all: a `Tree`, or a
        fitted regressor.
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
        learners: list[list[Any]],
        rates: list[float],
        corrections: dict[int, Correction] | None = None,
        reach: Array | None = None,
    ) -> None:
        self.loss = loss
        self.baseline = baseline
        self.init = init
        self.rule = rule
        self.learners = learners
        self.rates = rates
        self.corrections = {} if corrections is None else corrections
        self.reach = np.ones(len(baseline)) if reach is None else reach
        self._forest: Forest | None = None
        self._coefficients = np.empty(0)

    def __repr__(self) -> str:
        n_learners = sum(map(len, self.learners))
        learners = f"{n_learners} learners"
        if self.learners:
            learners = f"{n_learners} × {type(self.learners[0][0]).__name__}"
        if self.learners and self.has_trees:
            leaves = [tree.n_leaves for row in self.learners for tree in row]
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
        return all(isinstance(row[0], Tree) for row in self.learners)

    def forest(self) -> Forest:
        """Return the trees in flat arrays, made once."""
        forest = self._forest
        if forest is None or forest.n_trees != sum(map(len, self.learners)):
            trees = [tree for row in self.learners for tree in row]
            columns = [
                -1 if len(row) < self.n_raw else j
                for row in self.learners
                for j in range(len(row))
            ]
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
        if not self.learners:
            return raw
        c = self.coefficients()
        if self.has_trees:
            if c.ndim == 1:
                c = np.repeat(c, [len(row) for row in self.learners])
            else:  # a tree for all outputs has a correction for all
                pairs = zip(c, self.learners, strict=True)
                c = np.concatenate([c_t[: len(row)] for c_t, row in pairs])
            self.forest().add(X, raw, c)
            return raw
        for coefficient, row in zip(c, self.learners, strict=True):
            raw += coefficient * learner_values(row, X, self.n_raw)
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
        values = (self.round_values(t, X) for t in range(len(self.learners)))
        return follow(self.rule, self.start(X), values, self.rates, self.corrections)

    def round_values(self, t: int, X: Array) -> Array:
        """Return the values of the learners of round t.

        Parameters
        ----------
        t : int
            The round.
        X : ndarray of shape (n, n_features)
            Rows.

        Returns
        -------
        values : float64 ndarray of shape (n, k)
            Not yet multiplied by a coefficient.
        """
        row = self.learners[t]
        return learner_values(row, X, self.n_raw)

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
            self.learners[:n_rounds],
            self.rates[:n_rounds],
            {t: c for t, c in self.corrections.items() if t < n_rounds},
            self.reach.copy(),
        )

    def __getstate__(self) -> dict[str, Any]:
        made_when_needed = {"_forest": None, "_coefficients": np.empty(0)}
        state = {**self.__dict__, **made_when_needed}
        if self.has_trees:
            state["learners"] = [len(row) for row in self.learners]
            state["_trees"] = packed(tree for row in self.learners for tree in row)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        store = state.pop("_trees", None)
        if store is not None:
            trees = iter(unpacked(store))
            state["learners"] = [list(islice(trees, n)) for n in state["learners"]]
        self.__dict__.update(state)


def learner_values(row: list[Any], X: Array, n_raw: int) -> Array:
    """Return the values of one round's learners.

    Parameters
    ----------
    row : list of Tree or of regressors
        One for each raw prediction, or one tree for all.
    X : ndarray of shape (n, n_features)
        Rows.
    n_raw : int
        Number of raw predictions.

    Returns
    -------
    values : float64 ndarray of shape (n, n_raw)
        Their values.
    """
    values = np.zeros((X.shape[0], n_raw))
    if isinstance(row[0], Tree):
        columns = [-1] if len(row) < n_raw else list(range(n_raw))
        Forest(row, columns).add(X, values, np.ones(len(row)))
        return values
    for j, learner in enumerate(row):
        values[:, j] = predicted(learner, X)
    return values


def predicted(learner: Any, X: Array) -> Array:
    """Return what a regressor predicts, as one number a row.

    Parameters
    ----------
    learner : regressor
        Fitted; it may return a column.
    X : {ndarray, sparse matrix} of shape (n, n_features)
        Rows.

    Returns
    -------
    y : float64 ndarray of shape (n,)
        Predictions.

    Raises
    ------
    ValueError
        If there are more or fewer numbers than rows.
    """
    values = np.asarray(learner.predict(X), dtype=np.float64)
    if values.shape not in ((X.shape[0],), (X.shape[0], 1)):
        raise ValueError(
            f"{type(learner).__name__}.predict returned an array of shape "
            f"{values.shape} for {X.shape[0]} rows; boosting needs one number a row."
        )
    return values.reshape(-1)
