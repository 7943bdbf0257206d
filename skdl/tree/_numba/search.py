"""The best split of a node, over all features (compiled).

The features of a group are searched by one thread; what a group found is written down
apart, and the best group wins. A feature that no cut of which leaves enough rows on
both sides is dead for all nodes below: their histograms leave it out.
"""

from __future__ import annotations

import numpy as np

from skdl.ops._numba._inner import few, inner
from skdl.tree._numba.histogram import WIDE, form_of
from skdl.tree._numba.memory import (
    BIN,
    C_LEFT,
    CUT,
    FIRST,
    G_LEFT,
    H_LEFT,
    LAST,
    LEFT_COUNT,
    MISSING_LEFT,
    POSITION,
)
from skdl.tree._numba.splitting import (
    cumulate,
    cumulate_categories,
    evaluate,
    evaluate_bounded,
    first_cut,
    order_categories,
    unpack,
)


@inner
def score(node, w, p):  # type: ignore[no-untyped-def]
    """What the leaf's best values gain over values of zero."""
    total = 0.0
    for k in range(w.sums.shape[2]):
        few()
        g = np.float64(w.sums[node, 0, k])
        h = w.sums[node, 1, k] + p.l2
        if p.bounded:
            value = min(max(-g / h, w.bounds[node, 0]), w.bounds[node, 1])
            total += -(2.0 * g * value + h * value * value)
        else:
            total += g * g / h
    return total


@inner
def note(side, group, gain, f, last_bin, missing_left, left_count, w):  # type: ignore[no-untyped-def]
    """Write down the best split found in a group so far."""
    w.found_gain[group, side] = gain
    w.found[group, side, POSITION] = f
    w.found[group, side, BIN] = last_bin
    w.found[group, side, MISSING_LEFT] = missing_left
    w.found[group, side, LEFT_COUNT] = left_count


@inner
def keep(side, group, cut, scan, w):  # type: ignore[no-untyped-def]
    """Write down the left side's sums of the best cut."""
    for k in range(w.sums.shape[2]):
        few()
        w.found_sums[group, side, 0, k] = scan[G_LEFT + 2 * k, cut]
        w.found_sums[group, side, 1, k] = scan[H_LEFT + 2 * k, cut]


@inner
def keep_set(side, group, f, cut, n, count, thread, c, w):  # type: ignore[no-untyped-def]
    """Write down which categories go left; return whether missing values do."""
    codes = w.codes[thread]
    # A category not seen here goes the way of most rows, and so do missing values.
    many_left = 2 * w.scan[thread, C_LEFT, cut] > count
    for i in range(256):
        w.found_set[group, side, i] = many_left
    for i in range(n):
        w.found_set[group, side, codes[i]] = i <= cut
    return w.found_set[group, side, c.n_bins[f]]


@inner
def sums_of_cuts(f, slot, form, n_sorted, from_missing, thread, c, w, p):  # type: ignore[no-untyped-def]
    """Write down the sums on the left of a feature's cuts; return their number."""
    start, n_bins, n = c.offsets[f], c.n_bins[f], np.int64(0)
    scan = w.scan[thread]
    # The last bin may stand on the left only where missing values are on the right.
    end = start + n_bins - (from_missing or not c.has_missing[f])
    for k in range(w.sums.shape[2]):
        few()
        b = w.b if form == WIDE else w.a
        if n_sorted > 0:
            n = n_sorted - 1
            a, b = w.a[slot, k, start:], b[slot, k, start:]
            cumulate_categories(a, b, form, w.codes[thread], n, k, scan)
        else:
            a_sum = w.a[slot, k, start + n_bins] if from_missing else 0
            b_sum = b[slot, k, start + n_bins] if from_missing else 0
            a, b = w.a[slot, k, start:end], b[slot, k, start:end]
            n = cumulate(a, b, a_sum, b_sum, form, k, scan, p)
        unpack(n, form, k, scan, p)
    return n


@inner
def mean_hessian(node, count, w, p):  # type: ignore[no-untyped-def]
    """Mean Hessian of a node's rows and outputs."""
    mean = 0.0
    for k in range(w.sums.shape[2]):
        few()
        mean += w.sums[node, 1, k] / (count * w.sums.shape[2])
    return mean


@inner
def search_feature(side, group, f, node, slot, parent, thread, c, w, p):  # type: ignore[no-untyped-def]
    """The best cut of a feature, and the best side for its missing values.

    Returns whether the feature may be split on in the nodes below.
    """
    count = w.node[node, LAST] - w.node[node, FIRST]
    form = form_of(count, p)
    scan, gains = w.scan[thread], w.gains[thread]
    categorical, n_sorted = c.categorical[f], 0
    if categorical:
        a = w.a[slot, :, c.offsets[f] : c.offsets[f + 1]]
        b = w.b[slot, :, c.offsets[f] : c.offsets[f + 1]] if form == WIDE else a
        h_mean = mean_hessian(node, count, w, p)
        n_sorted = order_categories(a, b, form, h_mean, p, gains, w.codes[thread])
    alive = categorical
    for from_missing in range(2 if c.has_missing[f] and not categorical else 1):
        n = sums_of_cuts(f, slot, form, n_sorted, from_missing, thread, c, w, p)
        first = first_cut(0, n, False, node, count, scan, w, p)
        last = first_cut(first, n, True, node, count, scan, w, p)
        if first == last:
            continue
        alive = True
        if p.bounded:
            sign = 0 if categorical else c.sign[f]
            evaluate_bounded(first, last, node, sign, scan, gains, w, p)
        else:
            for k in range(w.sums.shape[2]):
                few()
                g_all, h_all = w.sums[node, 0, k], w.sums[node, 1, k]
                evaluate(n, k, g_all, h_all, scan, gains, p)
        cut, best = -1, w.found_gain[group, side]
        for i in range(first, last):
            if gains[i] - parent > best:
                cut, best = i, gains[i] - parent
        if cut < 0:
            continue
        keep(side, group, cut, scan, w)
        n_left = scan[C_LEFT, cut]
        # Where no value is missing, one met later goes the way of most rows.
        missing_left = from_missing == 1 if c.has_missing[f] else 2 * n_left > count
        last_bin = scan[CUT, cut]
        if categorical:
            missing_left = keep_set(side, group, f, cut, n_sorted, count, thread, c, w)
            last_bin = np.int64(-1)
        note(side, group, best, f, last_bin, missing_left, n_left, w)
    return alive


@inner
def mix(value):  # type: ignore[no-untyped-def]
    """A hash of 64 bits (splitmix64, Steele et al. 2014)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@inner
def kth_smallest(keys, n, k):  # type: ignore[no-untyped-def]
    """The k-th smallest, from 0, of n keys, which it reorders (Hoare 1961)."""
    first, last = 0, n - 1
    while first < last:
        pivot = keys[(first + last) // 2]
        i, j = first, last
        while i <= j:
            while keys[i] < pivot:
                i += 1
            while keys[j] > pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                i += 1
                j -= 1
        if k <= j:
            last = j
        elif k >= i:
            first = i
        else:
            break
    return keys[k]


@inner
def choose_features(side, node, c, w, p):  # type: ignore[no-untyped-def]
    """Which features a node may be split on: the interaction sets, then a draw."""
    n_features = len(c.n_bins)
    n_allowed = 0
    for f in range(n_features):
        few()
        allowed = len(c.sets) == 0
        for s in range(len(c.sets)):
            few()
            allowed |= w.active[node, s] and c.sets[s, f]
        w.allowed[side, f] = allowed
        n_allowed += allowed
    if p.n_candidates >= n_allowed:
        return
    n = 0
    for f in range(n_features):
        few()
        if w.allowed[side, f]:
            w.draw[n] = mix(p.seed ^ np.uint64(node * n_features + f))
            n += 1
    last = kth_smallest(w.draw, n, p.n_candidates - 1)
    for f in range(n_features):  # no two features have one key: `mix` is one to one
        few()
        w.allowed[side, f] &= mix(p.seed ^ np.uint64(node * n_features + f)) <= last


@inner
def take_best(side, node, c, w, p):  # type: ignore[no-untyped-def]
    """Keep the best split of all groups as the node's own; say if it is worth it."""
    best = 0
    for group in range(w.found_gain.shape[0]):
        few()
        if w.found_gain[group, side] > w.found_gain[best, side]:
            best = group
    gain = w.found_gain[best, side]
    w.gain[node] = gain
    if gain < p.min_gain or gain <= 1e-12 * abs(score(node, w, p)):
        return False
    for i in range(4):
        few()
        w.split[node, i] = w.found[best, side, i]
    for k in range(w.sums.shape[2]):
        few()
        w.left_sums[node, 0, k] = w.found_sums[best, side, 0, k]
        w.left_sums[node, 1, k] = w.found_sums[best, side, 1, k]
    if c.categorical[w.split[node, POSITION]]:
        for i in range(256):
            w.left_set[node, i] = w.found_set[best, side, i]
    return True
