"""Small trees on weighted class labels: AdaBoost's default learners.

With one-hot targets the gain of a split in squared error is its gain in Gini impurity,
so that the histogram trees of gradient boosting serve; two classes need one output, the
sign. The data are binned once for all rounds.
"""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.tree import BinMapper, GrownTree, TreeParams, leaf_sums, make_grower


class WeightedTrees:
    """Grow trees on one data set under changing weights.

    Parameters
    ----------
    X : float ndarray of shape (n, n_features)
        Rows.
    target : float64 ndarray of shape (n_outputs, n)
        What leaves average: signs, one-hot columns or real targets.
    max_depth : int
        Most splits between root and leaf.
    categorical : bool ndarray or None
        Which columns are category codes.
    seed : int
        Seed of the draws.
    weight : float64 ndarray of shape (n,)
        Weights at the start: heavy rows get bins of their own.
    centred : bool, default=False
        Whether trees see the target about its mean.
    """

    def __init__(
        self,
        X: Array,
        target: Array,
        max_depth: int,
        categorical: Array | None,
        seed: int,
        weight: Array,
        centred: bool = False,
    ) -> None:
        # About its mean: an offset would take the bits that tell targets apart.
        self.centre = target.mean(axis=1, keepdims=True) if centred else 0.0
        self.target = target - self.centre
        binned = BinMapper(categorical=categorical).fit_transform(
            X, np.random.default_rng([seed, 1]), weight
        )
        params = TreeParams(max_depth=max_depth, min_hessian=0.0)
        self.grower = make_grower(binned, params, len(target))

    def grow(self, weight: Array, rows: Array | None = None) -> GrownTree:
        """Grow a tree.

        Parameters
        ----------
        weight : float64 ndarray of shape (n,)
            Weights.
        rows : uint32 ndarray, default=None
            The rows to learn from; None: all.

        Returns
        -------
        grown : GrownTree
            Its leaves hold weighted means of the target.
        """
        g = -weight * self.target
        h = np.ascontiguousarray(np.broadcast_to(weight, self.target.shape))
        unit = float(weight.min(where=weight > 0, initial=np.inf))
        grown = self.grower.grow(g, h, rows, unit=unit)
        total = leaf_sums(grown, h)
        mean = np.zeros_like(total)
        np.divide(leaf_sums(grown, -g), total, out=mean, where=total > 0)
        grown.tree.value[grown.leaves] = mean
        grown.tree.value += np.ravel(self.centre)
        return grown


def training_values(grown: GrownTree, n: int) -> Array:
    """Return the leaf values of the training rows.

    Parameters
    ----------
    grown : GrownTree
        A tree grown on all rows.
    n : int
        Number of rows.

    Returns
    -------
    values : float64 ndarray of shape (n, n_outputs)
        By row.
    """
    values = np.empty((n, grown.tree.value.shape[1]))
    leaves = np.repeat(grown.leaves, grown.ends - grown.starts)
    values[grown.rows] = grown.tree.value[leaves]
    return values
