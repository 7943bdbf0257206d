"""Grow one tree (compiled): the twin of `skdl.tree._growth`.

Three tasks of a tree are shared by the crew: the two passes of a partition (chunks of
rows), and the histograms of two siblings with the search for their best splits (chunks
of features: a group of columns whose scratch histograms fit the first-level cache).
"""

from __future__ import annotations

import numpy as np

from skdl.ops._numba._inner import entry, few, inner
from skdl.ops._numba.crew import (
    KIND,
    finish_chunk,
    publish,
    take,
    wait_done,
    wait_ticket,
)
from skdl.tree._numba.histogram import fill, subtract
from skdl.tree._numba.memory import (
    DEPTH,
    FIRST,
    IDENTITY,
    KEEP_LEFT,
    LARGE,
    LARGE_SLOT,
    LAST,
    LEFT,
    LEFT_COUNT,
    N_LEFT,
    NODE,
    NODE_END,
    NODE_START,
    PARENT_SLOT,
    POSITION,
    SCAN_LARGE,
    SCAN_SMALL,
    SLOT,
    SMALL,
    SMALL_END,
    SMALL_SLOT,
    SMALL_START,
    open_columns,
    open_plan,
    open_work,
)
from skdl.tree._numba.partition import CHUNK, gather, partition_chunk, scatter_chunk
from skdl.tree._numba.search import choose_features, score, search_feature, take_best

HISTOGRAM, PARTITION, SCATTER = 0, 1, 2


@inner
def histogram_chunk(group, thread, c, w, p):  # type: ignore[no-untyped-def]
    """Histograms of the smaller and the larger child, and their best splits."""
    job = w.job
    slot, large_slot = job[SMALL_SLOT], job[LARGE_SLOT]
    listed = w.listed[thread, : list_live(group, thread, c, w, p)]
    fill(group, listed, thread, c, w, p)
    if large_slot >= 0:
        for j in listed:
            f = group * c.width + j
            for k in range(w.sums.shape[2]):
                few()
                subtract(c.offsets[f], c.offsets[f + 1], k, c, w, p)
    for side in range(2):
        few()
        if job[SCAN_SMALL + side]:
            at = slot if side == 0 else large_slot
            node = job[SMALL + side]
            w.found_gain[group, side] = 0.0
            parent = score(node, w, p)
            for j in listed:
                f = group * c.width + j
                if w.allowed[side, f]:
                    w.live[at, group, j] = search_feature(
                        side, group, f, node, at, parent, thread, c, w, p
                    )


@inner
def list_live(group, thread, c, w, p):  # type: ignore[no-untyped-def]
    """List the features that the parent could still be split on; return how many.

    Where a node counts its draw of features alone, list these.
    """
    slot, parent_slot = w.job[SMALL_SLOT], w.job[PARENT_SLOT]
    listed = w.listed[thread]
    n = 0
    first = group * c.width
    for j in range(min(c.width, len(c.n_bins) - first)):
        few()
        live = parent_slot < 0 or w.live[parent_slot, group, j]
        live &= not p.direct or w.allowed[0, first + j]
        w.live[slot, group, j] = live
        if live:
            listed[n] = j
            n += 1
    return n


@inner
def work_off(kind, n_chunks, thread, shared, c, w, p):  # type: ignore[no-untyped-def]
    """Do the chunks of a task, with the crew if it is shared.

    A thread other than 0 helps with all tasks that come, until it is dismissed.
    """
    if shared:
        publish(w.control, kind, n_chunks)
    done = 0
    while True:
        if thread > 0:
            chunk = wait_ticket(w.control)
            kind = w.control[KIND]
        elif shared:
            chunk = take(w.control)
        else:
            chunk = done if done < n_chunks else -1
        if chunk < 0:
            break
        if kind == HISTOGRAM:
            histogram_chunk(chunk, thread, c, w, p)
        elif kind == PARTITION:
            partition_chunk(chunk, thread, c, w)
        else:
            scatter_chunk(chunk, w)
        if shared or thread > 0:
            finish_chunk(w.control)
        done += 1
    if shared:
        wait_done(w.control, n_chunks)


@entry
def sum_root(packed, rows, fields, sums):  # type: ignore[no-untyped-def]
    """Sums of the quantised gradients and Hessians of the root's rows."""
    g_shift, h_shift, h_bits = fields
    n_outputs = sums.shape[2]
    apart = packed.shape[0] > n_outputs
    h_mask = (np.int64(1) << h_bits) - 1
    for k in range(n_outputs):
        few()
        g, h = np.int64(0), np.int64(0)
        for row in rows:
            value = packed[k, row]
            g += value >> g_shift
            if apart:
                h += packed[n_outputs + k, row]
            else:
                h += (value >> h_shift) & h_mask if h_bits > 0 else 1
        sums[0, 0, k] = g
        sums[0, 1, k] = h


@inner
def can_split(node, c, w, p):  # type: ignore[no-untyped-def]
    """Whether a node may be large and shallow enough to split."""
    count = w.node[node, LAST] - w.node[node, FIRST]
    if count < max(2 * p.min_samples_leaf, p.min_samples_split):
        return False
    if w.node[node, DEPTH] >= p.max_depth:
        return False
    heavy = True
    for k in range(w.sums.shape[2]):
        few()
        heavy &= w.sums[node, 1, k] >= 2 * p.min_hessian
    return heavy


@inner
def bound_children(node, left, c, w, p):  # type: ignore[no-untyped-def]
    """Hand the bounds on leaf values down, narrowed by a monotonic split."""
    right = left + 1
    sign = c.sign[w.split[node, POSITION]]
    if sign == 0:
        return
    low, high = w.bounds[node, 0], w.bounds[node, 1]
    total = 0.0
    for i in range(2):
        few()
        h = w.sums[left + i, 1, 0] + p.l2
        total += min(max(-w.sums[left + i, 0, 0] / h, low), high)
    middle = 0.5 * total
    w.bounds[left, 1 if sign > 0 else 0] = middle
    w.bounds[right, 0 if sign > 0 else 1] = middle


@inner
def make_children(node, left, c, w, p):  # type: ignore[no-untyped-def]
    """Enter the two children of a split node in the tables."""
    first = w.node[node, FIRST]
    middle = first + w.split[node, LEFT_COUNT]
    w.node[node, LEFT] = left
    for i in range(2):
        few()
        child = left + i
        w.node[child, FIRST] = first if i == 0 else middle
        w.node[child, LAST] = middle if i == 0 else w.node[node, LAST]
        w.node[child, DEPTH] = w.node[node, DEPTH] + 1
        w.node[child, SLOT] = -1
        w.node[child, LEFT] = -1
    for i in range(2):
        few()
        for k in range(w.sums.shape[2]):
            few()
            w.sums[left, i, k] = w.left_sums[node, i, k]
            w.sums[left + 1, i, k] = w.sums[node, i, k] - w.left_sums[node, i, k]
    for child in range(left, left + 2):
        few()
        w.bounds[child, 0] = w.bounds[node, 0]
        w.bounds[child, 1] = w.bounds[node, 1]
    if p.bounded:
        bound_children(node, left, c, w, p)
    if len(c.sets):
        f = w.split[node, POSITION]
        for s in range(len(c.sets)):
            few()
            keep = w.active[node, s] and c.sets[s, f]
            w.active[left, s] = keep
            w.active[left + 1, s] = keep


@inner
def set_division(node, keep_left, w):  # type: ignore[no-untyped-def]
    """Describe the task to put the rows of a node's left child before the others.

    Returns the number of chunks.
    """
    job = w.job
    job[NODE] = node
    job[NODE_START], job[NODE_END] = w.node[node, FIRST], w.node[node, LAST]
    job[N_LEFT], job[KEEP_LEFT] = w.split[node, LEFT_COUNT], keep_left
    return (job[NODE_END] - job[NODE_START] + CHUNK - 1) // CHUNK


@inner
def set_job(node, slot, parent_slot, small, large, w):  # type: ignore[no-untyped-def]
    """Describe a histogram task: that of the rows of `node`, into `slot`.

    The parent's histogram becomes that of the larger child, if that is to be split.
    small, large : the nodes to search for a split, or −1.
    """
    job = w.job
    job[SMALL_START], job[SMALL_END] = w.node[node, FIRST], w.node[node, LAST]
    job[SMALL_SLOT], job[PARENT_SLOT] = slot, parent_slot
    job[LARGE_SLOT] = parent_slot if large >= 0 else -1
    job[SMALL], job[LARGE] = small, large
    job[SCAN_SMALL], job[SCAN_LARGE] = small >= 0, large >= 0
    job[IDENTITY] = 0


@inner
def pick(is_open, n_open, w, p):  # type: ignore[no-untyped-def]
    """Position in the open list of the node to split next."""
    if not p.best_first:
        return n_open - 1
    best = 0
    for i in range(1, n_open):
        few()
        node, other = is_open[i], is_open[best]
        if w.gain[node] > w.gain[other] or (
            w.gain[node] == w.gain[other] and node < other
        ):
            best = i
    return best


@entry
def run(thread, identity, alone, zero, columns, work, plan):  # type: ignore[no-untyped-def]
    """Grow a tree into the tables of `work`, as thread 0; return the number of nodes.

    The root's rows, sums and bounds are in the tables. `identity` says that the root
    holds all rows in their order. `zero` is 0: a number that the compiler takes for no
    constant, lest it compile the functions called with it once more. Another thread
    helps: one way in for all, so that the compiler sees what they share once.

    A `direct` tree draws few features for each node: only these are counted, from the
    node's own rows. No histogram is kept, and children are searched as the root is.
    """
    c, w, p = open_columns(columns), open_work(work), open_plan(plan)
    if thread > 0:
        work_off(zero, zero, thread, alone, c, w, p)
        return zero
    n_groups = c.bins.shape[0]
    crewed = n_groups > 1 and not alone
    n_slots = w.a.shape[0]
    free, is_open = w.free, w.open
    for i in range(n_slots):
        free[i] = i
    n_free = n_slots
    n_open = 0
    n_nodes, n_leaves = zero + 1, zero + 1
    # Up to two nodes that are to be counted from all their rows, and searched.
    fresh, next_fresh = zero - 1, zero - 1
    if p.max_leaves > 1 and can_split(zero, c, w, p):
        fresh = zero
    while True:
        while fresh >= 0:
            first, slot = w.node[fresh, FIRST], free[n_free - 1]
            if not (identity and fresh == 0):
                gather(first, first, w.node[fresh, LAST], w)
            set_job(fresh, slot, zero - 1, fresh, zero - 1, w)
            w.job[IDENTITY] = identity and fresh == 0
            choose_features(zero, fresh, c, w, p)
            work_off(zero + HISTOGRAM, n_groups, zero, crewed, c, w, p)
            if not p.direct:
                w.node[fresh, SLOT] = slot
                n_free -= 1
            if take_best(zero, fresh, c, w, p):
                is_open[n_open] = fresh
                n_open += 1
            fresh, next_fresh = next_fresh, zero - 1
        if n_open == 0 or n_leaves >= p.max_leaves:
            break
        at = pick(is_open, n_open, w, p)
        node = is_open[at]
        is_open[at] = is_open[n_open - 1]
        n_open -= 1
        left = n_nodes
        n_nodes += 2
        n_leaves += 1
        make_children(node, left, c, w, p)
        n_left = w.split[node, LEFT_COUNT]
        n_right = w.node[node, LAST] - w.node[node, FIRST] - n_left
        small = left if n_left <= n_right else left + 1
        large = 2 * left + 1 - small
        more = n_leaves < p.max_leaves
        split_small = more and can_split(small, c, w, p)
        split_large = more and can_split(large, c, w, p)
        slot = w.node[node, SLOT]
        if (
            slot < 0 and split_large and not p.direct
        ):  # its histogram was dropped: make it again
            n_free -= 1
            slot = free[n_free]
            first = w.node[node, FIRST]
            gather(first, first, w.node[node, LAST], w)
            set_job(node, slot, zero - 1, zero - 1, zero - 1, w)
            work_off(zero + HISTOGRAM, n_groups, zero, crewed, c, w, p)
        keeps = (split_small or split_large) and not p.direct
        keep_left = np.int64(small == left) if keeps else -1
        n_chunks = set_division(node, keep_left, w)
        for kind in range(PARTITION, SCATTER + 1):
            work_off(kind, n_chunks, zero, n_chunks > 1 and not alone, c, w, p)
        if p.direct:
            fresh = small if split_small else zero - 1
            if split_large:
                fresh, next_fresh = large, fresh
            continue
        if not (split_small or split_large):
            if slot >= 0:
                free[n_free] = slot
                n_free += 1
            continue
        n_free -= 1
        set_job(
            small,
            free[n_free],
            slot,
            small if split_small else -1,
            large if split_large else -1,
            w,
        )
        if split_small:
            choose_features(zero, small, c, w, p)
        if split_large:
            choose_features(zero + 1, large, c, w, p)
        work_off(zero + HISTOGRAM, n_groups, zero, crewed, c, w, p)
        w.node[small, SLOT] = free[n_free]
        w.node[large, SLOT] = slot
        for side in range(1, -1, -1):
            child = small if side == 0 else large
            splits = split_small if side == 0 else split_large
            if splits and take_best(side, child, c, w, p):
                is_open[n_open] = child
                n_open += 1
                if n_free >= 2:
                    continue
            if w.node[child, SLOT] >= 0:
                free[n_free] = w.node[child, SLOT]
                n_free += 1
                w.node[child, SLOT] = -1
    return n_nodes
