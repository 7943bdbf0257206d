"""Grow trees with NumPy: the reference of the compiled engine.

Both engines read the same binned columns and the same integer gradients, number nodes
in the same order and settle ties alike (the lower feature, then missing values on the
right, then the lower bin), so that their trees are the same.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from skdl._typing import Array
from skdl.tree._binning import BinnedData
from skdl.tree._growth import Growth
from skdl.tree._histogram import Values
from skdl.tree._packing import Packing, make_packing
from skdl.tree._space import BinSpace
from skdl.tree._tree import GrownTree, TreeParams

FEW_DRAWN = 0.25  # share of the features below which nodes count only those drawn
NEVER = 2**61  # above every sum of quantised Hessians; its double is an int64 too


class Grower:
    """Grow trees on one binned data set.

    Parameters
    ----------
    binned : BinnedData
        The features.
    params : TreeParams
        What limits growth; constraints count the columns of X.
    n_outputs : int, default=1
        Values in a leaf.

    Attributes
    ----------
    one_at_a_time : bool
        Whether the trees of a round have to wait for each other.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.tree import BinMapper, Grower, TreeParams
    >>> X, y = np.arange(8.0).reshape(-1, 1), np.array([0.0, 0, 0, 1, 1, 1, 5, 5])
    >>> binned = BinMapper().fit_transform(X, np.random.default_rng(0))
    >>> grown = Grower(binned, TreeParams(max_leaf_nodes=2)).grow(-y[None], None)
    >>> print(grown.tree.threshold[0])  # apart from the fives
    5.5
    """

    one_at_a_time = False

    def __init__(
        self, binned: BinnedData, params: TreeParams, n_outputs: int = 1
    ) -> None:
        self.binned = binned
        self.params = params
        self.n_outputs = n_outputs
        n_used = len(binned.features)
        self.sign = np.zeros(n_used, dtype=np.int8)
        if params.monotonic_cst is not None:
            self.sign[:] = params.monotonic_cst[binned.features]
        self.sets = np.zeros((0, n_used), dtype=bool)
        if params.interaction_cst is not None:
            self.sets = np.ascontiguousarray(params.interaction_cst[:, binned.features])
        self.n_candidates = n_used
        if params.max_features is not None:
            self.n_candidates = params.max_features
        self.space = BinSpace(binned, np.arange(n_used))
        # Few drawn features: each node counts its own, as a difference needs them all.
        sparse = binned.entries is not None
        self.direct = self.n_candidates <= FEW_DRAWN * n_used and not sparse
        self.table: csr_array | None = None

    def table_of_bins(self) -> csr_array:
        """Return ones where a sparse row has a stored value, made once.

        Returns
        -------
        table : csr_array of shape (n, n_bins)
            By row and bin.
        """
        if self.table is None:
            entries = self.binned.entries
            assert entries is not None
            (starts,), places = entries.by_rows(len(self.sign), self.space.starts)
            parts = np.ones(len(places)), places.astype(np.int32), starts
            self.table = csr_array(parts, shape=(self.binned.n, self.space.size))
        return self.table

    @property
    def bounded(self) -> bool:
        """Whether a used feature has a monotonic constraint."""
        return bool(self.sign.any())

    def grow(
        self,
        g: Array,
        h: Array | None,
        rows: Array | None = None,
        *,
        seed: int = 0,
        unit: float | None = None,
    ) -> GrownTree:
        """Grow a tree.

        Parameters
        ----------
        g : float64 ndarray of shape (n_outputs, n)
            Gradients; a leaf's best value is −Σg/(Σh+λ).
        h : float64 ndarray of shape (n_outputs, n) or None
            Hessians, not negative. None: 1 for all.
        rows : ndarray of shape (n_rows,), default=None
            The rows to learn from, in ascending order. None: all.
        seed : int, default=0
            Seed of the draws of features.
        unit : float, default=None
            A Hessian that counts exactly, and so do its multiples, see `make_packing`.

        Returns
        -------
        grown : GrownTree
            The tree.
        """
        if rows is None:
            rows = np.arange(self.binned.n)
        packing = make_packing(g, h, unit, self.binned.uneven)
        least = 1 if h is None else min_hessian(self.params, packing)
        growth = Growth(self, packing, Values(g, h, packing), seed, least)
        nodes = growth.run(rows.astype(np.int64, copy=False))
        return growth.finish(nodes)


def min_hessian(params: TreeParams, packing: Packing) -> int:
    """Return the smallest quantised sum of Hessians of a leaf; at least 1.

    Parameters
    ----------
    params : TreeParams
        Limits.
    packing : Packing
        The scale.

    Returns
    -------
    smallest : int
        At least 1, so that no leaf divides by zero; at most `NEVER`.
    """
    wanted = min(params.min_hessian * packing.h_scale, float(NEVER))
    return max(1, int(np.ceil(wanted)))
