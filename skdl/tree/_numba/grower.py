"""Grow one tree (compiled): the twin of `skdl.tree._grower.grow`.

Three tasks of a tree are shared by the crew: the two passes of a partition (chunks of
rows), and the histograms of two siblings with the search for their best splits (chunks
of features: a group of columns whose scratch histograms fit the first-level cache).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdl.tree._numba._inner import entry, inner
from skdl.tree._numba.crew import (
    KIND,
    dismiss,
    finish_chunk,
    publish,
    take,
    wait_done,
    wait_ticket,
)
from skdl.tree._numba.histogram import (
    accumulate,
    flush,
    flush_constant,
    subtract,
)
from skdl.tree._numba.splitting import (
    order_categories,
    scan_categorical,
    scan_numeric,
    scan_outputs,
)

HISTOGRAM, PARTITION, SCATTER = 0, 1, 2
CHUNK = 8192  # rows of a partition task

# Columns of `Work.job`: what the current histogram task is about.
SMALL_START, SMALL_END, SMALL_SLOT, LARGE_SLOT, SMALL, LARGE = range(6)
SCAN_SMALL, SCAN_LARGE, IDENTITY = range(6, 9)
# What the current partition task is about.
NODE, NODE_START, NODE_END, N_LEFT, KEEP_LEFT = range(9, 14)
N_JOB = 16

# Columns of the integer tables of splits and of nodes.
POSITION, BIN, MISSING_LEFT, LEFT_COUNT = range(4)
FIRST, LAST, DEPTH, SLOT, LEFT, PARENT = range(6)


class Columns(NamedTuple):
    """The binned features, seen by all threads."""

    bins: NDArray[np.uint8]  # (n_groups, n, stride)
    columns: NDArray[np.uint8]  # (n_features, n)
    width: int  # features in a group; the last one may have fewer
    n_bins: NDArray[np.int64]
    has_missing: NDArray[np.bool_]
    categorical: NDArray[np.bool_]
    offsets: NDArray[np.int64]  # (n_features + 1,)
    sign: NDArray[np.int8]  # monotonic constraints
    sets: NDArray[np.bool_]  # (n_sets, n_features) interaction constraints


class Plan(NamedTuple):
    """The numbers that steer a tree."""

    newton: bool
    count_bits: int
    block_bits: int
    h_bits: int
    block: int
    g_unit: float
    h_unit: float
    l2: float
    min_samples_leaf: int
    min_samples_split: int
    min_hessian: int
    min_gain: float
    max_leaves: int
    max_depth: int
    best_first: bool
    bounded: bool
    n_candidates: int
    seed: np.uint64


class Work(NamedTuple):
    """Memory of one tree, seen by all threads."""

    control: NDArray[np.int64]
    job: NDArray[np.int64]
    packed: NDArray[np.int64]  # (n_outputs, n)
    ordered: NDArray[np.int64]  # (n_outputs, n), by position
    rows: NDArray[np.uint32]
    left_rows: NDArray[np.uint32]
    right_rows: NDArray[np.uint32]
    chunk_left: NDArray[np.int64]
    a: NDArray[np.int64]  # (n_slots, n_outputs, total_bins)
    b: NDArray[np.int64]
    scratch: NDArray[np.int64]  # (n_threads, width, 256)
    allowed: NDArray[np.bool_]  # (2, n_features)
    found_gain: NDArray[np.float64]  # (2, n_groups)
    found: NDArray[np.int64]  # (2, n_groups, 4)
    found_sums: NDArray[np.int64]  # (2, n_groups, 2, n_outputs)
    found_set: NDArray[np.bool_]  # (2, n_groups, 256)
    node: NDArray[np.int64]  # (n_nodes, 6)
    gain: NDArray[np.float64]
    split: NDArray[np.int64]  # (n_nodes, 4)
    left_sums: NDArray[np.int64]  # (n_nodes, 2, n_outputs)
    sums: NDArray[np.int64]  # (n_nodes, 2, n_outputs)
    left_set: NDArray[np.bool_]  # (n_nodes or 1, 256)
    bounds: NDArray[np.float64]  # (n_nodes, 2)
    active: NDArray[np.bool_]  # (n_nodes or 1, n_sets)
    keys: NDArray[np.float64]  # (n_groups, 256)
    codes: NDArray[np.int64]  # (n_groups, 256)
    trial: NDArray[np.int64]  # (n_groups, 4, n_outputs)
    route: NDArray[np.bool_]  # (n_threads, 256)
    draw: NDArray[np.uint64]  # (n_features,)
    free: NDArray[np.int64]  # (n_slots,)
    open: NDArray[np.int64]  # (n_nodes,)


@inner
def score(node, w, p):  # type: ignore[no-untyped-def]
    """What the leaf's best values gain over values of zero."""
    total = 0.0
    for k in range(w.sums.shape[2]):
        g = w.sums[node, 0, k] * p.g_unit
        h = w.sums[node, 1, k] * p.h_unit + p.l2
        if p.bounded:
            value = min(max(-g / h, w.bounds[node, 0]), w.bounds[node, 1])
            total += -(2.0 * g * value + h * value * value)
        else:
            total += g * g / h
    return total


@inner
def fill_histogram(group, start, end, slot, identity, thread, c, w, p):  # type: ignore[no-untyped-def]
    """The histogram of the rows at positions start…end−1, for a group of features."""
    first = group * c.width
    width = min(c.width, len(c.n_bins) - first)
    scratch = w.scratch[thread]
    for k in range(w.packed.shape[0]):
        a, b = w.a[slot, k], w.b[slot if p.newton else 0, k]
        values = w.packed[k] if identity else w.ordered[k]
        if not p.newton:
            accumulate(
                c.bins[group], w.rows, values, start, end, width, identity, scratch
            )
            flush_constant(scratch, first, width, c.offsets, a)
            continue
        for block in range(start, end, p.block):
            stop = min(block + p.block, end)
            accumulate(
                c.bins[group], w.rows, values, block, stop, width, identity, scratch
            )
            flush(scratch, first, width, c.offsets, block == start, p, a, b)


@inner
def note(side, group, gain, f, last_bin, missing_left, left_count, w):  # type: ignore[no-untyped-def]
    """Write down the best split found in a group so far."""
    w.found_gain[side, group] = gain
    w.found[side, group, POSITION] = f
    w.found[side, group, BIN] = last_bin
    w.found[side, group, MISSING_LEFT] = missing_left
    w.found[side, group, LEFT_COUNT] = left_count


@inner
def search_categorical(side, group, f, node, slot, count, parent, c, w, p):  # type: ignore[no-untyped-def]
    """The best division of a feature's categories into two sets."""
    start = c.offsets[f]
    n_slots = c.offsets[f + 1] - start
    keys, codes = w.keys[group], w.codes[group]
    h_mean = 0.0
    for k in range(w.sums.shape[2]):
        h_mean += w.sums[node, 1, k] * p.h_unit / (count * w.sums.shape[2])
    a, b = w.a[slot], w.b[slot if p.newton else 0]
    n = order_categories(a, b, start, n_slots, h_mean, p, keys, codes)
    g, h = w.trial[group, 0], w.trial[group, 1]
    if len(g) == 1:
        total = (w.sums[node, 0, 0], w.sums[node, 1, 0], count, parent)
        bounds = (w.bounds[node, 0], w.bounds[node, 1], p.bounded)
        gain, n_left, g[0], h[0], n_rows = scan_categorical(
            a[0], b[0], start, codes, n, total, p, bounds
        )
    else:
        gain, n_left, n_rows = scan_outputs(
            a,
            b,
            start,
            codes,
            n,
            0,
            w.sums[node, 0],
            w.sums[node, 1],
            count,
            parent,
            p,
            w.trial[group],
        )
    if n_left < 0 or gain <= w.found_gain[side, group]:
        return
    # A category not seen here goes the way of most rows, and so do missing values.
    many_left = 2 * n_rows > count
    missing_left = many_left
    for i in range(256):
        w.found_set[side, group, i] = many_left
    for i in range(n):
        w.found_set[side, group, codes[i]] = i < n_left
        if codes[i] == c.n_bins[f]:
            missing_left = i < n_left
    note(side, group, gain, f, -1, missing_left, n_rows, w)
    for k in range(len(g)):
        w.found_sums[side, group, 0, k] = g[k]
        w.found_sums[side, group, 1, k] = h[k]


@inner
def search_numeric(side, group, f, node, slot, count, parent, c, w, p):  # type: ignore[no-untyped-def]
    """The best threshold of a feature, and the best side for its missing values."""
    start, n_bins, has_missing = c.offsets[f], c.n_bins[f], c.has_missing[f]
    n_outputs = w.sums.shape[2]
    a, b = w.a[slot], w.b[slot if p.newton else 0]
    total = (w.sums[node, 0, 0], w.sums[node, 1, 0], count, parent)
    bounds = (w.bounds[node, 0], w.bounds[node, 1], p.bounded)
    for from_missing in range(2 if has_missing else 1):
        missing_left = from_missing == 1
        if n_outputs == 1:
            gain, last, g, h, n_left = scan_numeric(
                a[0],
                b[0],
                start,
                n_bins,
                has_missing,
                total,
                p,
                c.sign[f],
                bounds,
                missing_left,
            )
            if last < 0 or gain <= w.found_gain[side, group]:
                continue
            w.found_sums[side, group, 0, 0] = g
            w.found_sums[side, group, 1, 0] = h
        else:
            codes = w.codes[group]
            for i in range(n_bins + from_missing):
                codes[i] = i - from_missing
            codes[0 if missing_left else n_bins] = n_bins
            gain, n_codes, n_left = scan_outputs(
                a,
                b,
                start,
                codes,
                n_bins + has_missing,
                from_missing,
                w.sums[node, 0],
                w.sums[node, 1],
                count,
                parent,
                p,
                w.trial[group],
            )
            if n_codes < 0 or gain <= w.found_gain[side, group]:
                continue
            last = codes[n_codes - 1]
            for k in range(n_outputs):
                w.found_sums[side, group, 0, k] = w.trial[group, 0, k]
                w.found_sums[side, group, 1, k] = w.trial[group, 1, k]
        # Where no value is missing, one met later goes the way of most rows.
        missing_side = missing_left if has_missing else 2 * n_left > count
        note(side, group, gain, f, last, missing_side, n_left, w)


@inner
def search(side, group, node, slot, c, w, p):  # type: ignore[no-untyped-def]
    """The best split of a node on a group of features."""
    w.found_gain[side, group] = 0.0
    count = w.node[node, LAST] - w.node[node, FIRST]
    parent = score(node, w, p)
    first = group * c.width
    for f in range(first, min(first + c.width, len(c.n_bins))):
        if not w.allowed[side, f]:
            continue
        if c.categorical[f]:
            search_categorical(side, group, f, node, slot, count, parent, c, w, p)
        else:
            search_numeric(side, group, f, node, slot, count, parent, c, w, p)


@inner
def histogram_chunk(group, thread, c, w, p):  # type: ignore[no-untyped-def]
    """Histograms of the smaller and the larger child, and their best splits."""
    job = w.job
    slot, large_slot = job[SMALL_SLOT], job[LARGE_SLOT]
    identity = job[IDENTITY] == 1
    fill_histogram(
        group, job[SMALL_START], job[SMALL_END], slot, identity, thread, c, w, p
    )
    if large_slot >= 0:
        first = group * c.width
        low = c.offsets[first]
        high = c.offsets[min(first + c.width, len(c.n_bins))]
        for k in range(w.packed.shape[0]):
            subtract(w.a[large_slot, k], w.a[slot, k], low, high)
            if p.newton:
                subtract(w.b[large_slot, k], w.b[slot, k], low, high)
    for side in range(2):
        if job[SCAN_SMALL + side]:
            at = slot if side == 0 else large_slot
            search(side, group, job[SMALL + side], at, c, w, p)


@inner
def partition_chunk(chunk, thread, c, w):  # type: ignore[no-untyped-def]
    """Divide a chunk of a node's rows, each side in its order."""
    node = w.job[NODE]
    start = w.job[NODE_START] + chunk * CHUNK
    end = min(start + CHUNK, w.job[NODE_END])
    f = w.split[node, POSITION]
    column = c.columns[f]
    n_left = 0
    n_right = 0
    goes_left = w.route[thread]
    for i in range(256):
        if c.categorical[f]:
            goes_left[i] = w.left_set[node, i]
        else:
            goes_left[i] = i <= w.split[node, BIN]
    if not c.categorical[f]:
        goes_left[c.n_bins[f]] = w.split[node, MISSING_LEFT] == 1
    if not c.categorical[f] and not c.has_missing[f]:
        last = w.split[node, BIN]
        for i in range(start, end):
            row = w.rows[i]
            left = int(column[row] <= last)
            w.left_rows[start + n_left] = row
            w.right_rows[start + n_right] = row
            n_left += left
            n_right += 1 - left
    else:
        for i in range(start, end):
            row = w.rows[i]
            left = int(goes_left[column[row]])
            w.left_rows[start + n_left] = row
            w.right_rows[start + n_right] = row
            n_left += left
            n_right += 1 - left
    w.chunk_left[chunk] = n_left


@inner
def scatter_chunk(chunk, w):  # type: ignore[no-untyped-def]
    """Move a divided chunk to its place; gather the values of the smaller side."""
    node_start = w.job[NODE_START]
    start = node_start + chunk * CHUNK
    end = min(start + CHUNK, w.job[NODE_END])
    before = 0
    for i in range(chunk):
        before += w.chunk_left[i]
    n_left = w.chunk_left[chunk]
    left = node_start + before
    right = node_start + w.job[N_LEFT] + chunk * CHUNK - before
    n_right = end - start - n_left
    for i in range(n_left):
        w.rows[left + i] = w.left_rows[start + i]
    for i in range(n_right):
        w.rows[right + i] = w.right_rows[start + i]
    keep = w.job[KEEP_LEFT]
    if keep < 0:
        return
    first, n = (left, n_left) if keep == 1 else (right, n_right)
    for k in range(w.packed.shape[0]):
        for i in range(first, first + n):
            w.ordered[k, i] = w.packed[k, w.rows[i]]


@inner
def run_chunk(kind, chunk, thread, c, w, p):  # type: ignore[no-untyped-def]
    """Do one chunk of a task."""
    if kind == HISTOGRAM:
        histogram_chunk(chunk, thread, c, w, p)
    elif kind == PARTITION:
        partition_chunk(chunk, thread, c, w)
    else:
        scatter_chunk(chunk, w)


@inner
def run_task(kind, n_chunks, alone, c, w, p):  # type: ignore[no-untyped-def]
    """Do a task, with the crew where it has more than one chunk."""
    if n_chunks == 1 or alone:
        for chunk in range(n_chunks):
            run_chunk(kind, chunk, n_chunks - n_chunks, c, w, p)
        return
    publish(w.control, kind, n_chunks)
    while True:
        chunk = take(w.control)
        if chunk < 0:
            break
        run_chunk(kind, chunk, n_chunks - n_chunks, c, w, p)
        finish_chunk(w.control)
    wait_done(w.control, n_chunks)


@inner
def help_grow(thread, c, w, p):  # type: ignore[no-untyped-def]
    """What a helper does while a tree grows."""
    while True:
        chunk = wait_ticket(w.control)
        if chunk < 0:
            return
        run_chunk(w.control[KIND], chunk, thread, c, w, p)
        finish_chunk(w.control)


@entry
def sum_root(packed, rows, n_rows, fields, sums):  # type: ignore[no-untyped-def]
    """Sums of the quantised gradients and Hessians of the root's rows."""
    g_shift, h_shift, h_bits = fields
    h_mask = (np.int64(1) << h_bits) - 1
    for k in range(packed.shape[0]):
        g, h = np.int64(0), np.int64(0)
        for i in range(n_rows):
            value = packed[k, rows[i]]
            g += value >> g_shift
            h += (value >> h_shift) & h_mask if h_bits > 0 else 1
        sums[0, 0, k] = g
        sums[0, 1, k] = h


@inner
def mix(value):  # type: ignore[no-untyped-def]
    """A hash of 64 bits (splitmix64, Steele et al. 2014)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@inner
def choose_features(side, node, c, w, p):  # type: ignore[no-untyped-def]
    """Which features a node may be split on: the interaction sets, then a draw."""
    n_features = len(c.n_bins)
    n_allowed = 0
    for f in range(n_features):
        allowed = len(c.sets) == 0
        for s in range(len(c.sets)):
            allowed |= w.active[node, s] and c.sets[s, f]
        w.allowed[side, f] = allowed
        n_allowed += allowed
    if p.n_candidates >= n_allowed:
        return
    for f in range(n_features):
        w.draw[f] = mix(p.seed ^ np.uint64(node * n_features + f))
    for _ in range(n_allowed - p.n_candidates):  # drop those of the largest keys
        worst = -1
        for f in range(n_features):
            if w.allowed[side, f] and (worst < 0 or w.draw[f] >= w.draw[worst]):
                worst = f
        w.allowed[side, worst] = False


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
        heavy &= w.sums[node, 1, k] >= 2 * p.min_hessian
    return heavy


@inner
def take_best(side, node, c, w, p):  # type: ignore[no-untyped-def]
    """Keep the best split of all groups as the node's own; say if it is worth it."""
    best = 0
    for group in range(w.found_gain.shape[1]):
        if w.found_gain[side, group] > w.found_gain[side, best]:
            best = group
    gain = w.found_gain[side, best]
    w.gain[node] = gain
    if gain < p.min_gain or gain <= 1e-12 * abs(score(node, w, p)):
        return False
    for i in range(4):
        w.split[node, i] = w.found[side, best, i]
    for k in range(w.sums.shape[2]):
        w.left_sums[node, 0, k] = w.found_sums[side, best, 0, k]
        w.left_sums[node, 1, k] = w.found_sums[side, best, 1, k]
    if c.categorical[w.split[node, POSITION]]:
        for i in range(256):
            w.left_set[node, i] = w.found_set[side, best, i]
    return True


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
        g = w.sums[left + i, 0, 0] * p.g_unit
        h = w.sums[left + i, 1, 0] * p.h_unit + p.l2
        total += min(max(-g / h, low), high)
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
        child = left + i
        w.node[child, FIRST] = first if i == 0 else middle
        w.node[child, LAST] = middle if i == 0 else w.node[node, LAST]
        w.node[child, DEPTH] = w.node[node, DEPTH] + 1
        w.node[child, SLOT] = -1
        w.node[child, LEFT] = -1
        w.node[child, PARENT] = node
    for i in range(2):
        for k in range(w.sums.shape[2]):
            w.sums[left, i, k] = w.left_sums[node, i, k]
            w.sums[left + 1, i, k] = w.sums[node, i, k] - w.left_sums[node, i, k]
    for child in range(left, left + 2):
        w.bounds[child, 0] = w.bounds[node, 0]
        w.bounds[child, 1] = w.bounds[node, 1]
    if p.bounded:
        bound_children(node, left, c, w, p)
    if len(c.sets):
        f = w.split[node, POSITION]
        for s in range(len(c.sets)):
            keep = w.active[node, s] and c.sets[s, f]
            w.active[left, s] = keep
            w.active[left + 1, s] = keep


@inner
def divide_rows(node, keep_left, alone, c, w, p):  # type: ignore[no-untyped-def]
    """Put the rows of a node's left child before those of its right child."""
    job = w.job
    job[NODE] = node
    job[NODE_START], job[NODE_END] = w.node[node, FIRST], w.node[node, LAST]
    job[N_LEFT], job[KEEP_LEFT] = w.split[node, LEFT_COUNT], keep_left
    n_chunks = (job[NODE_END] - job[NODE_START] + CHUNK - 1) // CHUNK
    run_task(node - node + PARTITION, n_chunks, alone, c, w, p)
    run_task(node - node + SCATTER, n_chunks, alone, c, w, p)


@inner
def gather(start, end, w):  # type: ignore[no-untyped-def]
    """Bring the packed values into the order of the positions start…end−1."""
    for k in range(w.packed.shape[0]):
        for i in range(start, end):
            w.ordered[k, i] = w.packed[k, w.rows[i]]


@inner
def set_job(start, end, slot, large_slot, small, large, w):  # type: ignore[no-untyped-def]
    """Describe a histogram task."""
    job = w.job
    job[SMALL_START], job[SMALL_END] = start, end
    job[SMALL_SLOT], job[LARGE_SLOT] = slot, large_slot
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
        node, other = is_open[i], is_open[best]
        if w.gain[node] > w.gain[other] or (
            w.gain[node] == w.gain[other] and node < other
        ):
            best = i
    return best


@inner
def grow(identity, alone, zero, c, w, p):  # type: ignore[no-untyped-def]
    """Grow the tree into the tables of `w`; return the number of nodes.

    The root's rows, sums and bounds are in the tables. `identity` says that the root
    holds all rows in their order. `zero` is 0: a number that the compiler takes for no
    constant, lest it compile the functions called with it once more.
    """
    n_groups = c.bins.shape[0]
    n_slots = w.a.shape[0]
    free, is_open = w.free, w.open
    for i in range(n_slots):
        free[i] = i
    n_free = n_slots
    n_open = 0
    n_nodes, n_leaves = zero + 1, zero + 1
    if p.max_leaves > 1 and can_split(zero, c, w, p):
        n_free -= 1
        if not identity:
            gather(w.node[0, FIRST], w.node[0, LAST], w)
        none = zero - 1
        set_job(w.node[0, FIRST], w.node[0, LAST], free[n_free], none, zero, none, w)
        w.job[IDENTITY] = identity
        choose_features(zero, zero, c, w, p)
        run_task(zero + HISTOGRAM, n_groups, alone, c, w, p)
        w.node[0, SLOT] = free[n_free]
        if take_best(zero, zero, c, w, p):
            is_open[0] = 0
            n_open = 1
    while n_open > 0 and n_leaves < p.max_leaves:
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
        if slot < 0 and split_large:  # its histogram was dropped: make it again
            n_free -= 1
            slot = free[n_free]
            gather(w.node[node, FIRST], w.node[node, LAST], w)
            set_job(
                w.node[node, FIRST],
                w.node[node, LAST],
                slot,
                zero - 1,
                zero - 1,
                zero - 1,
                w,
            )
            run_task(zero + HISTOGRAM, n_groups, alone, c, w, p)
        keep_left = np.int64(small == left) if split_small or split_large else -1
        divide_rows(node, keep_left, alone, c, w, p)
        if not (split_small or split_large):
            if slot >= 0:
                free[n_free] = slot
                n_free += 1
            continue
        n_free -= 1
        set_job(
            w.node[small, FIRST],
            w.node[small, LAST],
            free[n_free],
            slot if split_large else -1,
            small if split_small else -1,
            large if split_large else -1,
            w,
        )
        if split_small:
            choose_features(zero, small, c, w, p)
        if split_large:
            choose_features(zero + 1, large, c, w, p)
        run_task(zero + HISTOGRAM, n_groups, alone, c, w, p)
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
    dismiss(w.control)
    return n_nodes


@entry
def run(thread, identity, alone, zero, c, w, p):  # type: ignore[no-untyped-def]
    """Grow a tree as thread 0, or help as another; return the number of nodes.

    One way in for both: the compiler then sees what they share once.
    """
    if thread > 0:
        help_grow(thread, c, w, p)
        return zero
    return grow(identity, alone, zero, c, w, p)
