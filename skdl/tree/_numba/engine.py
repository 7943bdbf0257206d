"""The compiled engine behind the interface of the reference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from skdl._config import n_threads
from skdl._typing import Array
from skdl.ops._numba.crew import CONTROL_SIZE, STOP
from skdl.ops._threads import Task, release, run_chunks, submit
from skdl.ops.memory import ALIGNMENT, aligned
from skdl.tree._assemble import assemble
from skdl.tree._binning import BinnedData
from skdl.tree._grower import Grower, min_hessian
from skdl.tree._numba import memory
from skdl.tree._numba.grower import run, sum_root
from skdl.tree._numba.partition import CHUNK
from skdl.tree._numba.predictor import pack
from skdl.tree._packing import ROWS, Packing, make_packing
from skdl.tree._sparse import sparse_width
from skdl.tree._tree import LEAF, UNLIMITED, GrownTree, TreeParams

HISTOGRAM_MEMORY = 512 * 2**20  # bytes for the histograms of waiting nodes
CREW_WORK = 20_000  # rows × features below which a helper costs more than it helps


class CompiledGrower(Grower):
    """`Grower` with compiled loops and memory that is kept from tree to tree."""

    one_at_a_time = True  # with all threads on one tree

    def __init__(
        self, binned: BinnedData, params: TreeParams, n_outputs: int = 1
    ) -> None:
        super().__init__(binned, params, n_outputs)
        n = binned.n
        most = n // max(1, params.min_samples_leaf)
        if params.max_leaf_nodes is not None:
            most = min(most, params.max_leaf_nodes)
        if params.max_depth is not None and params.max_depth < 40:
            most = min(most, 2**params.max_depth)
        self.max_leaves = max(1, most)
        layout = layout_of(binned, self.space.starts)
        self.columns = memory.COLUMNS.fill(
            **layout,
            n_bins=binned.n_bins,
            has_missing=binned.has_missing,
            categorical=binned.categorical,
            offsets=self.space.starts,
            sign=self.sign.astype(np.int64),
            sets=self.sets,
        )
        self.n_groups = len(layout["bins"])
        self.n_helpers = 0
        if binned.size >= CREW_WORK:
            self.n_helpers = min(n_threads(), self.n_groups) - 1
        self._helpers: list[Task] = []
        self._work: dict[tuple[bool, int, bool], SimpleNamespace] = {}

    def grow(
        self,
        g: Array,
        h: Array | None,
        rows: Array | None = None,
        *,
        seed: int = 0,
        unit: float | None = None,
    ) -> GrownTree:
        n = self.binned.n
        n_chunks = -(-n // ROWS)
        packing = make_packing(g, h, unit, self.binned.uneven)
        newton = packing.newton
        # Larger nodes have a second array of histograms: see `histogram.py`.
        wide = newton and n > packing.block
        w = self._memory(wide, packing.n_words, rows is None)
        hessians = g if h is None else h  # of no matter where not `newton`

        sums = np.empty((n_chunks, 2, self.n_outputs), np.int64)

        def pack_chunk(chunk: int) -> None:
            start, end = chunk * ROWS, min(n, (chunk + 1) * ROWS)
            w.rows[start:end] = np.arange(start, end, dtype=np.uint32)
            pack(
                g,
                hessians,
                start,
                end,
                packing.g_scale,
                packing.h_scale,
                packing.g_shift,
                packing.h_shift,
                newton,
                w.packed,
                sums[chunk],
            )

        run_chunks(pack_chunk, n_chunks)
        w.sums[0] = sums.sum(axis=0)
        if rows is not None:
            w.rows[: len(rows)] = rows
            sum_root(w.packed, rows, packing_bits(packing), w.sums)
        self._plant(w, n if rows is None else len(rows))
        h_root = int(w.sums[0, 1].sum())
        least = 1 if h is None else min_hessian(self.params, packing)
        plan = self._plan(packing, seed, h_root, least)
        with self._crew(w, plan):
            n_nodes = self._run(0, w, plan, rows is None)
        return self._finish(w, n_nodes, packing)

    def _run(
        self,
        thread: int,
        w: SimpleNamespace,
        plan: SimpleNamespace,
        identity: bool = False,
    ) -> int:
        """Grow the tree as thread 0, or help; keeps what the tables point to alive."""
        tables = self.columns.table, w.table, plan.table
        return int(run(thread, identity, not self.n_helpers, 0, *tables))

    @contextmanager
    def _crew(self, w: SimpleNamespace, plan: SimpleNamespace) -> Iterator[None]:
        """Helpers for one tree.

        The next tree waits until they have left, not this one: it takes them a while.
        """
        for helper in self._helpers:
            release(helper)
        w.control[:] = 0
        self._helpers = [
            submit(self._run, i + 1, w, plan) for i in range(self.n_helpers)
        ]
        try:
            yield
        finally:
            w.control[STOP] = 1

    def _plan(
        self, packing: Packing, seed: int, h_root: int, least: int
    ) -> SimpleNamespace:
        """The numbers that steer a tree."""
        p = self.params
        return memory.PLAN.fill(
            newton=packing.newton,
            count_bits=packing.count_bits,
            block_bits=packing.block_bits,
            h_bits=packing.h_bits,
            block=packing.block,
            l2=packing.l2(p.l2_regularization),
            min_samples_leaf=int(p.min_samples_leaf),
            min_samples_split=int(p.min_samples_split),
            min_hessian=least,
            min_gain=packing.min_gain(p.min_impurity_decrease, h_root),
            max_leaves=self.max_leaves,
            max_depth=UNLIMITED if p.max_depth is None else int(p.max_depth),
            best_first=p.max_leaf_nodes is not None,
            bounded=self.bounded,
            n_candidates=int(self.n_candidates),
            direct=self.direct,
            seed=np.uint64(seed),
        )

    def _memory(self, wide: bool, n_words: int, identity: bool) -> SimpleNamespace:
        """The arrays that a tree works in; the same for every tree.

        wide : whether larger nodes have a second array of histograms.
        n_words : words of a row and output.
        identity : whether the root holds all rows in their order.
        """
        kind = wide, n_words, identity
        if kind in self._work:
            return self._work[kind]
        self._work.clear()  # of trees of another kind
        n, k = self.binned.n, self.n_outputs
        total, n_used = self.space.size, len(self.binned.features)
        n_groups, width = self.n_groups, self.columns.width
        group_bins = 256 * width
        if self.columns.sparse:
            group_bins = max(np.diff(self.space.starts[::width], append=total))
        n_nodes = 2 * self.max_leaves - 1
        size = 8 * k * total * (2 if wide else 1)
        n_slots = min(self.max_leaves + 2, max(4, HISTOGRAM_MEMORY // max(1, size)))
        # Only the smaller of two children is put in order, unless the histogram of a
        # node has to be made again, or is made of its own rows anyway.
        n_ordered = n
        if self.direct:
            n_slots = 1
        elif identity and n_slots == self.max_leaves + 2:
            n_ordered = n // 2 + 1
        padded = width + -width % ALIGNMENT
        any_set = n_nodes if self.binned.categorical.any() else 1
        n_threads = self.n_helpers + 1
        work = memory.WORK.fill(
            control=aligned((CONTROL_SIZE,), np.int64, np.zeros),
            job=np.zeros(memory.N_JOB, np.int64),
            packed=np.empty((n_words * k, n), np.int64),
            ordered=np.empty((n_words * k, n_ordered), np.int64),
            rows=np.empty(n, np.uint32),
            divided=np.empty(n, np.uint32),
            chunk_left=np.zeros(n // CHUNK + 1, np.int64),
            a=np.empty((n_slots, k, total), np.int64),
            b=np.empty((n_slots if wide else 1, k, total if wide else 1), np.int64),
            live=aligned((n_slots, n_groups, padded), np.bool_, np.zeros),
            scratch=aligned((n_threads, group_bins), np.int64, np.zeros),
            listed=aligned((n_threads, width + -width % 8), np.int64, np.zeros),
            scan=aligned((n_threads, 2 + 2 * k, 256), np.int64, np.zeros),
            gains=aligned((n_threads, 256), np.float64, np.zeros),
            codes=aligned((n_threads, 256), np.int64, np.zeros),
            route=np.empty((n_threads, 256), np.bool_),
            allowed=np.ones((2, n_used), np.bool_),
            found_gain=aligned((n_groups, 8), np.float64, np.zeros),
            found=aligned((n_groups, 2, 4), np.int64, np.zeros),
            found_sums=aligned((n_groups, 2, 2, k + -k % 2), np.int64, np.zeros),
            found_set=aligned((n_groups, 2, 256), np.bool_, np.zeros),
            node=np.empty((n_nodes, 5), np.int64),
            gain=np.zeros(n_nodes),
            split=np.zeros((n_nodes, 4), np.int64),
            left_sums=np.zeros((n_nodes, 2, k), np.int64),
            sums=np.zeros((n_nodes, 2, k), np.int64),
            left_set=np.zeros((any_set, 256), np.bool_),
            bounds=np.empty((n_nodes, 2)),
            active=np.ones(
                (n_nodes if len(self.sets) else 1, len(self.sets)), np.bool_
            ),
            draw=np.empty(n_used, np.uint64),
            free=np.empty(n_slots, np.int64),
            open=np.empty(n_nodes, np.int64),
        )
        self._work[kind] = work
        return work

    def _plant(self, w: SimpleNamespace, n_rows: int) -> None:
        """Enter the root in the tables."""
        w.node[0] = 0, n_rows, 0, -1, LEAF
        w.bounds[0] = -np.inf, np.inf
        w.active[0] = True
        w.gain[:] = 0.0

    def _finish(self, w: SimpleNamespace, n_nodes: int, packing: Packing) -> GrownTree:
        """Copy the tables' used part to a tree."""
        node, split = w.node[:n_nodes], w.split[:n_nodes]
        left = node[:, memory.LEFT].copy()
        leaves = np.flatnonzero(left == LEAF)
        leaves = leaves[np.argsort(node[leaves, memory.FIRST])]
        position = split[:, memory.POSITION]
        chosen = np.flatnonzero((left != LEAF) & self.binned.categorical[position])
        tree = assemble(
            self.binned,
            packing,
            self.params.l2_regularization,
            left=left,
            split=split[:, :3].copy(),
            gain=w.gain[:n_nodes].copy(),
            counts=node[:, memory.LAST] - node[:, memory.FIRST],
            g=w.sums[:n_nodes, 0],
            h=w.sums[:n_nodes, 1],
            left_sets=[w.left_set[i].copy() for i in chosen],
        )
        return GrownTree(
            tree=tree,
            rows=w.rows[: int(node[0, memory.LAST])],
            leaves=leaves,
            starts=node[leaves, memory.FIRST],
            ends=node[leaves, memory.LAST],
            bounds=w.bounds[leaves] * packing.value_unit,
            bins=np.where(left == LEAF, -1, split[:, memory.BIN]),
            positions=np.where(left == LEAF, -1, position),
        )


def layout_of(binned: BinnedData, offsets: Array) -> dict[str, Any]:
    """Return where the kernels find the bins of rows.

    Parameters
    ----------
    binned : BinnedData
        The features.
    offsets : int64 ndarray of shape (n_used + 1,)
        Where the bins of each feature start among those of all.

    Returns
    -------
    layout : dict
        Fields of `memory.COLUMNS`.
    """
    entries, n_used = binned.entries, len(binned.features)
    if entries is None:
        width = int(binned.bins.shape[2])
        return {
            "sparse": False,
            "bins": binned.bins.reshape(len(binned.bins), -1),
            "width": width,
            "entry_starts": np.zeros((1, 1), np.int64),
            "entries": np.zeros(1, np.uint32),
            "zeros": np.zeros(1, np.int64),
            "places": 256 * (np.arange(n_used) % width),
        }
    width = sparse_width(entries, int(offsets[-1]))
    starts, places = entries.by_rows(width, offsets)
    first = np.arange(n_used) // width * width  # of each feature's group
    return {
        "sparse": True,
        "bins": np.empty((len(starts), 0), np.uint8),
        "width": width,
        "entry_starts": starts,
        "entries": places,
        "zeros": entries.zeros,
        "places": offsets[:-1] - offsets[first],
    }


def packing_bits(packing: Packing) -> tuple[int, int, int]:
    """Return where the fields of a packed row are, as the kernels want it.

    Parameters
    ----------
    packing : Packing
        The packing.

    Returns
    -------
    g_shift, h_shift, h_bits : int
        Positions; `h_bits` is 0 where rows have no Hessians of their own.
    """
    return packing.g_shift, packing.h_shift, packing.h_bits
