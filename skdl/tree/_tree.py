"""One grown tree as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from skdl._settings import plain
from skdl._typing import Array

LEAF = -1
UNLIMITED = 2**31 - 1  # leaves, or splits on a path
_SHOWN = 8  # columns in a repr


@dataclass
class TreeParams:
    """What limits the growth of a tree.

    Attributes
    ----------
    max_leaf_nodes : int, default=None
        Most leaves; the tree then grows best leaf first. None: no limit, and it grows
        depth first.
    max_depth : int, default=None
        Most splits between root and leaf. None: no limit.
    min_samples_leaf : int, default=1
        Fewest rows of a leaf.
    min_samples_split : int, default=2
        Fewest rows of a node that is split.
    min_impurity_decrease : float, default=0.0
        Smallest gain of a split, divided by the sum of the root's Hessians.
    min_hessian : float, default=1e-3
        Smallest sum of Hessians of a leaf.
    l2_regularization : float, default=0.0
        λ in the leaf value −Σg/(Σh+λ).
    max_features : int, default=None
        Features drawn for each split. None: all.
    monotonic_cst : int8 ndarray of shape (n_features,), default=None
        1, −1 or 0: predictions must not fall, not rise, or may do either.
    interaction_cst : bool ndarray of shape (n_sets, n_features), default=None
        Sets of features that may meet on a path.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.tree import BinMapper, TreeParams, make_grower
    >>> X = np.arange(8.0).reshape(-1, 1)
    >>> binned = BinMapper().fit_transform(X, np.random.default_rng(0))
    >>> for limits in ({}, {"max_depth": 1}, {"min_samples_leaf": 3}):
    ...     grower = make_grower(binned, TreeParams(**limits))
    ...     print(grower.grow(-X.T.copy(), None).tree.n_leaves)
    8
    2
    2
    """

    max_leaf_nodes: int | None = None
    max_depth: int | None = None
    min_samples_leaf: int = 1
    min_samples_split: int = 2
    min_impurity_decrease: float = 0.0
    min_hessian: float = 1e-3
    l2_regularization: float = 0.0
    max_features: int | None = None
    monotonic_cst: Array | None = None
    interaction_cst: Array | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            setattr(self, field.name, plain(getattr(self, field.name)))


@dataclass(eq=False)  # arrays have no single truth
class Tree:
    """A binary tree; the right child of a node stands just behind the left one.

    Attributes
    ----------
    feature : int32 ndarray of shape (n_nodes,)
        Column of X that a node asks for; −1 in a leaf.
    threshold : float64 ndarray of shape (n_nodes,)
        Values up to it go left; NaN in a leaf and in a categorical node.
    left : int32 ndarray of shape (n_nodes,)
        The left child; −1 in a leaf.
    missing_left : bool ndarray of shape (n_nodes,)
        Whether missing values go left.
    had_missing : bool ndarray of shape (n_nodes,)
        Whether the column that a node asks for had missing values in training. Where it
        had none, they follow most of the rows.
    gain : float64 ndarray of shape (n_nodes,)
        Gain of the split; 0 in a leaf.
    n_node_samples : int64 ndarray of shape (n_nodes,)
        Training rows in the node.
    value : float64 ndarray of shape (n_nodes, n_outputs)
        What a row that ends there gets.
    set_of : int32 ndarray of shape (n_nodes,)
        Row of `sets` of a categorical node; −1 in the others.
    sets : bool ndarray of shape (n_sets, 256)
        Which category codes go left.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.tree import BinMapper, TreeParams, make_grower
    >>> X, y = np.arange(8.0).reshape(-1, 1), np.array([0.0, 0, 0, 1, 1, 1, 5, 5])
    >>> binned = BinMapper().fit_transform(X, np.random.default_rng(0))
    >>> grower = make_grower(binned, TreeParams(max_leaf_nodes=3))
    >>> grown = grower.grow(-y[None], None)
    >>> grown.tree.n_leaves
    3
    >>> np.sort(grown.tree.threshold[grown.tree.feature >= 0])
    array([2.5, 5.5])
    """

    feature: Array
    threshold: Array
    left: Array
    missing_left: Array
    had_missing: Array
    gain: Array
    n_node_samples: Array
    value: Array
    set_of: Array
    sets: Array

    def __repr__(self) -> str:
        columns = np.unique(self.feature[self.feature >= 0]).tolist()
        shown = ", ".join(map(str, columns[:_SHOWN]))
        shown += ", …" if len(columns) > _SHOWN else ""
        return (
            f"Tree(n_leaves={self.n_leaves}, depth={self.depth}, "
            f"columns=[{shown}], n_samples={int(self.n_node_samples[0])})"
        )

    @property
    def leaves(self) -> Array:
        """Numbers of the leaves."""
        return np.flatnonzero(self.left == LEAF)

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return int((self.left == LEAF).sum())

    @property
    def depth(self) -> int:
        """Most splits between the root and a leaf."""
        depths = [0] * len(self.left)
        for node, left in enumerate(self.left.tolist()):  # parents come first
            if left != LEAF:
                depths[left] = depths[left + 1] = depths[node] + 1
        return max(depths)


@dataclass
class GrownTree:
    """A tree with what only its training needs.

    Attributes
    ----------
    tree : Tree
        The tree; the values of its inner nodes are those they had as leaves.
    rows : uint32 ndarray of shape (n_rows,)
        The training rows, leaf after leaf; in ascending order within each.
    leaves : int64 ndarray of shape (n_leaves,)
        Nodes that are leaves, from left to right.
    starts : int64 ndarray of shape (n_leaves,)
        Where the part of `rows` starts that belongs to each leaf.
    ends : int64 ndarray of shape (n_leaves,)
        Where it ends.
    bounds : float64 ndarray of shape (n_leaves, 2)
        What monotonic constraints leave for the values.
    bins : int64 ndarray of shape (n_nodes,)
        Last bin that goes left; −1 in a leaf and in a categorical node.
    positions : int64 ndarray of shape (n_nodes,)
        Used feature that a node asks for; −1 in a leaf.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.tree import BinMapper, TreeParams, make_grower
    >>> X, y = np.arange(8.0).reshape(-1, 1), np.array([0.0, 0, 0, 1, 1, 1, 5, 5])
    >>> binned = BinMapper().fit_transform(X, np.random.default_rng(0))
    >>> grower = make_grower(binned, TreeParams(max_leaf_nodes=3))
    >>> grown = grower.grow(-y[None], None)
    >>> grown.starts, grown.ends
    (array([0, 3, 6]), array([3, 6, 8]))
    >>> [sorted(grown.rows[a:b].tolist()) for a, b in zip(grown.starts, grown.ends)]
    [[0, 1, 2], [3, 4, 5], [6, 7]]
    """

    tree: Tree
    rows: Array
    leaves: Array
    starts: Array
    ends: Array
    bounds: Array
    bins: Array
    positions: Array
