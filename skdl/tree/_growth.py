"""One tree in the making: its nodes, their histograms and their best splits."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from skdl._typing import Array
from skdl.tree._assemble import Node, assemble, leaves_in_order
from skdl.tree._histogram import Values, histogram, sparse_histogram
from skdl.tree._packing import Packing
from skdl.tree._search import search_numeric
from skdl.tree._space import BinSpace
from skdl.tree._splitting import (
    NodeSums,
    Split,
    SplitRules,
    best_categorical,
    score,
    unpack,
)
from skdl.tree._tree import LEAF, UNLIMITED, GrownTree

if TYPE_CHECKING:
    from skdl.tree._grower import Grower


class Growth:
    """One tree in the making.

    Parameters
    ----------
    grower : Grower
        Its features and limits.
    packing : Packing
        The scale of the quantised gradients.
    values : Values
        Gradients and Hessians of all rows, packed.
    seed : int
        Seed of the draws of features.
    least : int
        Smallest quantised sum of Hessians of a leaf.
    """

    def __init__(
        self,
        grower: Grower,
        packing: Packing,
        values: Values,
        seed: int,
        least: int,
    ) -> None:
        self.grower = grower
        self.binned = grower.binned
        self.packing = packing
        self.values = values
        self.seed = seed
        p = grower.params
        self.max_leaves = UNLIMITED if p.max_leaf_nodes is None else p.max_leaf_nodes
        self.max_depth = UNLIMITED if p.max_depth is None else p.max_depth
        self.rules = SplitRules(
            packing.count_bits,
            packing.l2(p.l2_regularization),
            p.min_samples_leaf,
            least,
            grower.sign,
        )
        self.min_gain = 0.0

    def run(self, rows: Array) -> list[Node]:
        """Divide nodes until none is worth it.

        Parameters
        ----------
        rows : int64 ndarray of shape (n_rows,)
            The rows to learn from, in ascending order.

        Returns
        -------
        nodes : list of Node
            The root first; children stand beside each other.
        """
        root = Node(
            0,
            rows,
            self._sums(rows),
            0,
            np.ones(len(self.grower.sets), dtype=bool),
            np.ones(len(self.binned.features), dtype=bool),
            self.grower.space,
        )
        decrease = self.grower.params.min_impurity_decrease
        self.min_gain = self.packing.min_gain(decrease, int(root.sums.h.sum()))
        nodes = [root]
        waiting: list[Node] = []
        divisible = self.max_leaves > 1 and len(self.binned.features) > 0
        if divisible and self._can_split(root):
            if self.grower.direct:
                waiting += self._search_drawn(root)
            else:
                root.histogram = self._count(root, self.grower.space)
                waiting += self._search([root], root.histogram[None])
        n_leaves = 1
        while waiting and n_leaves < self.max_leaves:
            node = self._pick(waiting)
            n_leaves += 1
            children = self._divide(node, len(nodes))
            nodes.extend(children)
            more = n_leaves < self.max_leaves
            splits = [more and self._can_split(child) for child in children]
            # The larger child stands first in line: its histogram came second.
            if len(children[0].rows) <= len(children[1].rows):
                children, splits = children[::-1], splits[::-1]
            if self.grower.direct:
                for child in itertools.compress(children, splits):
                    waiting += self._search_drawn(child)
            elif any(splits):
                both = self._histograms(node, *children)
                if all(splits):
                    waiting += self._search(children, both)
                else:
                    i = splits.index(True)
                    children[1 - i].histogram = None
                    waiting += self._search([children[i]], both[i : i + 1])
            node.rows, node.histogram = node.rows[:0].copy(), None
        return nodes

    def _sums(self, rows: Array) -> NodeSums:
        sums = self.values.rows.take(rows, axis=0).sum(axis=0)
        packed = self.values.packed(sums[None])
        g, h, count = unpack(packed, self.values.n_outputs, self.packing.count_bits)
        return NodeSums(g[:, 0], h[:, 0], int(count[0]))

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

    def _count(self, node: Node, space: BinSpace) -> Array:
        entries = self.binned.entries
        if entries is None:
            return histogram(self.binned.bins[0], space, node.rows, self.values)
        table = self.grower.table_of_bins()
        return sparse_histogram(table, space, entries.zeros, node.rows, self.values)

    def _histograms(self, node: Node, large: Node, small: Node) -> Array:
        """The smaller child's histogram by counting, its sibling's by subtraction.

        They stand in one array, the larger child first.
        """
        assert node.space is not None
        assert node.histogram is not None
        space, whole = node.space, node.histogram
        narrowed = space.narrow(node.live)
        if narrowed is not None:
            space, at = narrowed
            whole = whole.take(at, axis=1)
        both = np.empty((2, *whole.shape), np.int64)
        both[1] = self._count(small, space)
        np.subtract(whole, both[1], out=both[0])
        for child, part in zip((large, small), both, strict=True):
            child.space, child.histogram = space, part
        return both

    def _search_drawn(self, node: Node) -> list[Node]:
        """Find the best split on the node's draw of features, and count these alone."""
        drawn = self._choose_features(node)
        node.space = BinSpace(self.binned, np.flatnonzero(drawn))
        if not len(node.space.features):
            return []
        node.histogram = self._count(node, node.space)
        worth_it = self._search([node], node.histogram[None], [drawn])
        node.histogram = None
        return worth_it

    def _search(
        self,
        nodes: list[Node],
        histograms: Array,
        allowed: list[Array] | None = None,
    ) -> list[Node]:
        """Find the best splits of nodes with one space; return those worth it."""
        space = nodes[0].space
        assert space is not None
        if allowed is None:
            allowed = [self._choose_features(node) for node in nodes]
        scores = [score(node.sums, self.rules) for node in nodes]
        found = search_numeric(
            histograms,
            space,
            [node.sums for node in nodes],
            scores,
            allowed,
            self.rules,
        )
        worth_it = []
        for i, node in enumerate(nodes):
            node.live &= ~allowed[i] | self.binned.categorical
            node.live[found[i].alive] = True
            best = found[i].split
            node.split = self._search_categories(node, allowed[i], scores[i], best)
            if node.gain >= self.min_gain and node.gain > 1e-12 * abs(scores[i]):
                worth_it.append(node)
            else:
                node.histogram = None
        return worth_it

    def _search_categories(
        self, node: Node, allowed: Array, parent: float, best: Split | None
    ) -> Split | None:
        """Return the best split of all, given the best numeric one."""
        space = node.space
        assert space is not None
        assert node.histogram is not None
        for f in np.flatnonzero(allowed & self.binned.categorical):
            part = space.bins_of(int(np.searchsorted(space.features, f)))
            sums = node.histogram[:, part]
            split = best_categorical(
                *unpack(sums, self.grower.n_outputs, self.packing.count_bits),
                int(f),
                int(self.binned.n_bins[f]),
                node.sums,
                parent,
                self.rules,
            )
            if split is not None and (best is None or split.precedes(best)):
                best = split
        return best

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
        codes = self.binned.codes(split.position)[node.rows]
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
        bounds = sums.low, sums.high
        left_sums = NodeSums(split.g, split.h, split.count, *bounds)
        right_sums = NodeSums(
            sums.g - split.g, sums.h - split.h, sums.count - split.count, *bounds
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
            value = -sums.g[0] / (sums.h[0] + self.rules.l2)
            values.append(min(max(value, sums.low), sums.high))
        middle = 0.5 * (values[0] + values[1])
        if sign > 0:
            left.high = right.low = middle
        else:
            left.low = right.high = middle

    def finish(self, nodes: list[Node]) -> GrownTree:
        """Write the nodes to flat arrays.

        Parameters
        ----------
        nodes : list of Node
            From `run`.

        Returns
        -------
        grown : GrownTree
            The tree.
        """
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
            self.packing,
            self.grower.params.l2_regularization,
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
            rows=np.concatenate([node.rows for node in leaves]).astype(np.uint32),
            leaves=np.array([node.number for node in leaves]),
            starts=starts,
            ends=ends,
            bounds=np.array([(n.sums.low, n.sums.high) for n in leaves])
            * self.packing.value_unit,
            bins=np.where(tree.left == LEAF, -1, split[:, 1]),
            positions=np.where(tree.left == LEAF, -1, split[:, 0]),
        )


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
