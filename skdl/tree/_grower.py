"""Grow one tree with NumPy: the reference of the compiled engine.

Both engines read the same binned columns and the same integer gradients, number nodes
in the same order and settle ties alike (the lower feature, then missing values on the
right, then the lower bin), so that their trees are the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdl.tree._assemble import Node, assemble, leaves_in_order
from skdl.tree._binning import BinnedData
from skdl.tree._histogram import histogram, quantise
from skdl.tree._packing import Packing, make_packing, smallest_that_matter
from skdl.tree._splitting import (
    NodeSums,
    SplitRules,
    best_categorical,
    best_numeric,
    score,
    sums_by_feature,
    unpack,
)
from skdl.tree._tree import LEAF, GrownTree, TreeParams

Array = NDArray[Any]

UNLIMITED = 2**31 - 1
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
    """

    def __init__(
        self, binned: BinnedData, params: TreeParams, n_outputs: int = 1
    ) -> None:
        self.binned = binned
        self.params = params
        self.n_outputs = n_outputs
        self.offsets = binned.offsets
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
        self._layout = _layout(binned, self.offsets, self.sign)

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
        h_constant: float = 1.0,
    ) -> GrownTree:
        """Grow a tree.

        Parameters
        ----------
        g : float64 ndarray of shape (n_outputs, n)
            Gradients; a leaf's best value is −Σg/(Σh+λ).
        h : float64 ndarray of shape (n_outputs, n) or None
            Hessians, not negative. None: `h_constant` for all.
        rows : ndarray of shape (n_rows,), default=None
            The rows to learn from, in ascending order. None: all.
        seed : int, default=0
            Seed of the draws of features.
        h_constant : float, default=1.0
            See `h`.

        Returns
        -------
        grown : GrownTree
            The tree.
        """
        if rows is None:
            rows = np.arange(self.binned.n, dtype=np.uint32)
        packing = make_packing(
            self.binned.n,
            float(np.abs(g).max()),
            0.0 if h is None else float(h.max()),
            h is not None,
            h_constant,
            *((0.0, 0.0) if h is None else smallest_that_matter(g, h)),
        )
        a, b = quantise(g, h, packing)
        growth = _Growth(self, packing, a, b, len(rows), seed)
        nodes = growth.run(rows)
        return growth.finish(nodes)


class _Growth:
    """One tree in the making."""

    def __init__(
        self,
        grower: Grower,
        packing: Packing,
        a: Array,
        b: Array | None,
        n_rows: int,
        seed: int,
    ) -> None:
        self.grower = grower
        self.binned = grower.binned
        self.packing = packing
        self.a, self.b = a, b
        self.values = a if b is None else np.concatenate([a, b])
        self.seed = seed
        p = grower.params
        self.max_leaves = UNLIMITED if p.max_leaf_nodes is None else p.max_leaf_nodes
        self.max_depth = UNLIMITED if p.max_depth is None else p.max_depth
        self.rules = SplitRules(
            1.0 / packing.g_scale,
            1.0 / packing.h_scale,
            p.l2_regularization,
            p.min_samples_leaf,
            min_hessian(p, packing),
            grower.bounded,
        )
        self.min_gain = 0.0

    def run(self, rows: Array) -> list[Node]:
        root = Node(
            0,
            rows,
            self._sums(rows),
            0,
            np.ones(len(self.grower.sets), dtype=bool),
            np.ones(len(self.binned.features), dtype=bool),
        )
        p = self.grower.params
        total = float(root.sums.h.sum() * self.rules.h_unit)
        self.min_gain = p.min_impurity_decrease * total
        nodes = [root]
        waiting: list[Node] = []
        if self.max_leaves > 1 and self._can_split(root):
            root.histogram = self._histogram(root)
            if self._search(root):
                waiting.append(root)
        n_leaves = 1
        while waiting and n_leaves < self.max_leaves:
            node = self._pick(waiting)
            n_leaves += 1
            children = self._divide(node, len(nodes))
            nodes.extend(children)
            more = n_leaves < self.max_leaves
            splits = [more and self._can_split(child) for child in children]
            if any(splits):
                self._histograms(node, children)
            node.histogram = None
            # The larger child stands first in line, as its histogram came second.
            order = (1, 0) if len(children[0].rows) <= len(children[1].rows) else (0, 1)
            waiting += [
                children[i] for i in order if splits[i] and self._search(children[i])
            ]
        return nodes

    def _sums(self, rows: Array) -> NodeSums:
        g = (self.a[:, rows] >> self.packing.count_bits).sum(axis=1)
        if self.b is None:
            h = np.full(self.a.shape[0], len(rows), dtype=np.int64)
        else:
            h = self.b[:, rows].sum(axis=1)
        return NodeSums(g, h, len(rows))

    def _can_split(self, node: Node) -> bool:
        p = self.grower.params
        return (
            node.sums.count >= max(2 * p.min_samples_leaf, p.min_samples_split)
            and node.depth < self.max_depth
            and bool((node.sums.h >= 2 * self.rules.min_hessian).all())
        )

    def _pick(self, waiting: list[Node]) -> Node:
        if self.grower.params.max_leaf_nodes is None:
            return waiting.pop()
        best = max(waiting, key=lambda node: (node.gain, -node.number))
        waiting.remove(best)
        return best

    def _histogram(self, node: Node) -> Array:
        """Of gradients with counts and, where rows have their own, of Hessians."""
        features = np.flatnonzero(node.live)
        offsets, n = self.grower.offsets, self.binned.n
        return histogram(self.binned, offsets, features, node.rows, self.values, n)

    def _histograms(self, node: Node, children: list[Node]) -> None:
        """The smaller child's histogram by counting, its sibling's by subtraction."""
        small, large = sorted(children, key=lambda child: len(child.rows))
        assert node.histogram is not None
        small.histogram = self._histogram(small)
        large.histogram = node.histogram - small.histogram

    def _search(self, node: Node) -> bool:
        """Find the node's best split; say whether it is worth it."""
        assert node.histogram is not None
        parent = score(node.sums, self.rules)
        layout, binned = self.grower._layout, self.binned
        bits = self.packing.count_bits
        allowed = self._choose_features(node)
        numeric = allowed & node.live & ~binned.categorical
        filled = node.histogram[0] != 0  # each row counts
        at = np.flatnonzero(filled & layout["present"])
        if not numeric.all():
            at = at[numeric[layout["position"][at]]]
        position = layout["position"][at]
        packed = sums_by_feature(node.histogram[:, at], position)
        missing = packed[:, :0]
        if binned.has_missing.any():
            missing = node.histogram[:, layout["missing_at"][position]]
        best, alive = best_numeric(
            at, packed, missing, bits, layout, node.sums, parent, self.rules
        )
        node.live &= ~numeric
        node.live[alive] = True
        for f in np.flatnonzero(allowed & binned.categorical):
            part = slice(self.grower.offsets[f], self.grower.offsets[f + 1])
            split = best_categorical(
                *unpack(node.histogram[:, part], self.grower.n_outputs, bits),
                int(f),
                int(binned.n_bins[f]),
                node.sums,
                parent,
                self.rules,
            )
            if split is not None and (
                best is None
                or (split.gain, -split.position) > (best.gain, -best.position)
            ):
                best = split
        node.split = best
        if best is None or best.gain < self.min_gain:
            return False
        return best.gain > 1e-12 * abs(parent)

    def _choose_features(self, node: Node) -> Array:
        n_features = len(self.binned.features)
        allowed: Array = np.ones(n_features, dtype=bool)
        if len(self.grower.sets):
            allowed = np.any(self.grower.sets[node.active], axis=0)
        n_dropped = int(allowed.sum()) - self.grower.n_candidates
        if n_dropped <= 0:
            return allowed
        first = np.uint64(node.number * n_features)
        keys = mix(
            np.uint64(self.seed) ^ (first + np.arange(n_features, dtype=np.uint64))
        )
        keys[~allowed] = 0
        allowed[np.argsort(keys, kind="stable")[::-1][:n_dropped]] = False
        return allowed

    def _divide(self, node: Node, left: int) -> list[Node]:
        split = node.split
        assert split is not None
        codes = self.binned.columns[split.position][node.rows]
        goes_left: Array
        if split.left_set is not None:
            goes_left = split.left_set[codes]
        else:
            goes_left = codes <= split.last_bin
            if split.missing_left:
                goes_left |= codes == self.binned.n_bins[split.position]
        node.left = left
        active = node.active
        if len(self.grower.sets):
            active = active & self.grower.sets[:, split.position]
        sums = node.sums
        left_sums = replace(sums, g=split.g, h=split.h, count=split.count)
        right_sums = replace(
            sums, g=sums.g - split.g, h=sums.h - split.h, count=sums.count - split.count
        )
        self._narrow(left_sums, right_sums, int(self.grower.sign[split.position]))
        return [
            Node(number, rows, sums, node.depth + 1, active, node.live.copy())
            for number, rows, sums in (
                (left, node.rows[goes_left], left_sums),
                (left + 1, node.rows[~goes_left], right_sums),
            )
        ]

    def _narrow(self, left: NodeSums, right: NodeSums, sign: int) -> None:
        """Bound the values of the sides of a monotonic split by their middle."""
        if sign == 0:
            return
        values = []
        for sums in (left, right):
            g, h = sums.g[0] * self.rules.g_unit, sums.h[0] * self.rules.h_unit
            value = -g / (h + self.rules.l2)
            values.append(min(max(value, sums.low), sums.high))
        middle = 0.5 * (values[0] + values[1])
        if sign > 0:
            left.high = right.low = middle
        else:
            left.low = right.high = middle

    def finish(self, nodes: list[Node]) -> GrownTree:
        """Write the nodes to flat arrays."""
        split = np.zeros((len(nodes), 3), dtype=np.int64)
        left_sets = []
        for i, node in enumerate(nodes):
            if node.left != LEAF and node.split is not None:
                s = node.split
                split[i] = s.position, s.last_bin, s.missing_left
                if s.left_set is not None:
                    left_sets.append(s.left_set)
        leaves = leaves_in_order(nodes)
        ends = np.cumsum([len(node.rows) for node in leaves])
        starts = ends - [len(node.rows) for node in leaves]
        tree = assemble(
            self.binned,
            self.rules,
            left=np.array([node.left for node in nodes]),
            split=split,
            gain=np.array([node.gain for node in nodes]),
            counts=np.array([node.sums.count for node in nodes]),
            g=np.stack([node.sums.g for node in nodes]),
            h=np.stack([node.sums.h for node in nodes]),
            left_sets=left_sets,
        )
        return GrownTree(
            tree=tree,
            rows=np.concatenate([node.rows for node in leaves]),
            leaves=np.array([node.number for node in leaves]),
            starts=starts,
            ends=ends,
            bounds=np.array([(n.sums.low, n.sums.high) for n in leaves]),
            bins=np.where(tree.left == LEAF, -1, split[:, 1]),
            positions=np.where(tree.left == LEAF, -1, split[:, 0]),
        )


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
    if not packing.newton:
        return 1
    wanted = min(params.min_hessian * packing.h_scale, float(NEVER))
    return max(1, int(np.ceil(wanted)))


def mix(value: Array) -> Array:
    """Return a hash of 64-bit integers (splitmix64, Steele et al. 2014).

    Parameters
    ----------
    value : uint64 ndarray
        The integers.

    Returns
    -------
    hashed : uint64 ndarray
        The hashes.
    """
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _layout(binned: BinnedData, offsets: Array, sign: Array) -> dict[str, Array]:
    """What `best_numeric` needs to know of each entry of a flat histogram."""
    sizes = np.diff(offsets)
    position = np.repeat(np.arange(len(sizes)), sizes)
    start = offsets[:-1][position]
    code = np.arange(offsets[-1]) - start
    n_bins = binned.n_bins[position]
    return {
        "position": position.astype(np.int32),
        "code": code,
        "present": code < n_bins,  # not that of missing values
        "has_missing": binned.has_missing[position],
        "last": code == n_bins - 1,
        "sign": sign[position],
        "missing_at": np.where(binned.has_missing, offsets[1:] - 1, 0),
    }
