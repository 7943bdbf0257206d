"""Histogram trees as learners."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.boosting._gradients.derivatives import Derivatives
from skdl.boosting._gradients.leaf_values import LeafSearch, newton_values
from skdl.boosting._gradients.trust_region import TrustRegion
from skdl.boosting._inputs.data import TrainingData
from skdl.boosting._learners.learned import Learned
from skdl.boosting._learners.rounds import TreeRound
from skdl.losses import Loss
from skdl.ops._threads import run_chunks
from skdl.tree import BinMapper, GrownTree, TreeParams, make_grower

FEW = 30_000  # rows of all trees below which a second thread costs more than it helps


class TreeLearners:
    """Histogram trees as learners.

    Parameters
    ----------
    problem : TrainingData
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
        problem: TrainingData,
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
        binned = mapper.fit_transform(problem.X, rng, problem.weight)
        self.grower = make_grower(binned, params, n_raw if self.shared else 1)
        self.n_features = problem.X.shape[1]

    def fit(
        self, d: Derivatives, raw: Array, rows: Array | None, rng: np.random.Generator
    ) -> Learned:
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
        learned : Learned
            A tree for each raw prediction, or one for all. Rows that were left out
            follow the trees, too.
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

        if self._searches(d):
            self._search_leaves(grown_trees, parts, raw)
        else:
            for part, grown in zip(parts, grown_trees, strict=True):
                h_part = None if h is None else h[part]
                grown.tree.value[grown.leaves] = newton_values(
                    grown, d.g[part], h_part, self.params.l2_regularization
                )
        trees = [grown.tree for grown in grown_trees]
        return Learned(
            TreeRound(trees, self.n_raw), grown_trees if rows is None else None
        )

    def _search_leaves(
        self, grown_trees: list[GrownTree], parts: list[slice], raw: Array
    ) -> None:
        """Give the leaves of all trees the values that minimise the loss."""
        raw = np.asfortranarray(raw)  # each tree gathers rows of its column
        pieces = [
            (grown, part, leaves)
            for grown, part in zip(grown_trees, parts, strict=True)
            for leaves in self.search.pieces(grown)
        ]

        def fill(i: int) -> None:
            grown, part, leaves = pieces[i]
            grown.tree.value[grown.leaves[leaves]] = self.search.values(
                grown, part, raw, leaves
            )

        # A user's own loss is asked on one thread, and so are few rows.
        n_rows = sum(len(grown.rows) for grown in grown_trees)
        alone = not self.loss.verified or n_rows < FEW
        run_chunks(fill, len(pieces), 1 if alone else None)

    def lengths(self, values: Array, raw: Array, rows: Array | None) -> Array:
        """Return the factors of the trees: leaf values are steps already.

        Parameters
        ----------
        values, raw : float64 ndarray of shape (n, n_raw)
            The trees' values, and raw predictions so far.
        rows : uint32 ndarray or None
            The rows that they were grown on.

        Returns
        -------
        lengths : float64 ndarray of shape (n_raw,)
            Ones.
        """
        return np.ones(self.n_raw)

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
