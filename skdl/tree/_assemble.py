"""From nodes in the making to a tree as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdl._typing import Array
from skdl.tree._binning import BinnedData
from skdl.tree._packing import Packing
from skdl.tree._space import BinSpace
from skdl.tree._splitting import NodeSums, Split
from skdl.tree._tree import LEAF, Tree


@dataclass
class Node:
    """A node of a tree in the making.

    Attributes
    ----------
    number : int
        Position in the flat arrays.
    rows : ndarray of shape (n_rows,)
        Its training rows, in ascending order; none once it is divided.
    sums : NodeSums
        What they add up to.
    depth : int
        Splits above it.
    active : bool ndarray of shape (n_sets,)
        Interaction sets that are still open.
    live : bool ndarray of shape (n_used,)
        Features that may still divide it.
    space : BinSpace or None
        The bins of `histogram`.
    histogram : int64 ndarray of shape (k, space.size) or None
        Sums by bin, while they are needed.
    split : Split or None
        The best split found.
    left : int
        The left child; −1 in a leaf.
    """

    number: int
    rows: Array
    sums: NodeSums
    depth: int
    active: Array
    live: Array
    space: BinSpace | None = None
    histogram: Array | None = None
    split: Split | None = None
    left: int = LEAF

    @property
    def gain(self) -> float:
        """Gain of the best split; 0 without one."""
        return 0.0 if self.split is None else self.split.gain


def leaves_in_order(nodes: list[Node]) -> list[Node]:
    """Return the leaves from left to right, which is the order of their rows.

    Parameters
    ----------
    nodes : list of Node
        All nodes, by number.

    Returns
    -------
    leaves : list of Node
        Those that were not divided.
    """
    leaves, stack = [], [nodes[0]]
    while stack:
        node = stack.pop()
        if node.left == LEAF:
            leaves.append(node)
        else:
            stack += [nodes[node.left + 1], nodes[node.left]]
    return leaves


def assemble(
    binned: BinnedData,
    packing: Packing,
    l2: float,
    *,
    left: Array,
    split: Array,
    gain: Array,
    counts: Array,
    g: Array,
    h: Array,
    left_sets: list[Array],
) -> Tree:
    """Return a tree in terms of the columns of X.

    Parameters
    ----------
    binned : BinnedData
        The features.
    packing : Packing
        Units.
    l2 : float
        λ.
    left : int64 ndarray of shape (n_nodes,)
        Left children; −1 in leaves.
    split : int64 ndarray of shape (n_nodes, 3)
        Position, last bin and missing-left of each inner node.
    gain : ndarray of shape (n_nodes,)
        Gains, in integers.
    counts : int64 ndarray of shape (n_nodes,)
        Rows.
    g, h : int64 ndarray of shape (n_nodes, n_outputs)
        Sums.
    left_sets : list of bool ndarray of shape (256,)
        Sets of the categorical inner nodes, in the order of nodes.

    Returns
    -------
    tree : Tree
        The tree.
    """
    inner = left != LEAF
    position, last_bin = split[:, 0], split[:, 1]
    feature = np.full(len(left), -1, dtype=np.int32)
    threshold = np.full(len(left), np.nan)
    set_of = np.full(len(left), -1, dtype=np.int32)
    had_missing = np.zeros(len(left), dtype=bool)
    if len(binned.features):
        np.copyto(had_missing, binned.has_missing[position], where=inner)
        np.copyto(feature, binned.features[position], where=inner, casting="same_kind")
        np.copyto(threshold, binned.thresholds[position, last_bin], where=inner)
    if left_sets:
        categorical = inner & binned.categorical[position]
        threshold[categorical] = np.nan
        set_of[categorical] = np.arange(len(left_sets))
    sets = np.stack(left_sets) if left_sets else np.zeros((0, 256), dtype=bool)
    denominator = h / packing.h_scale + l2
    value = np.zeros(g.shape)
    np.divide(-(g / packing.g_scale), denominator, out=value, where=denominator > 0)
    return Tree(
        feature=feature,
        threshold=threshold,
        left=left.astype(np.int32),
        missing_left=(split[:, 2] == 1) & inner,
        had_missing=had_missing,
        gain=np.where(inner, gain * packing.gain_unit, 0.0),
        n_node_samples=counts.astype(np.int64),
        value=value,
        set_of=set_of,
        sets=sets,
    )
