"""The best split of a node, over all features (compiled).

The features of a group are searched by one thread; what a group found is written down
apart, and the best group wins. A feature that no cut of which leaves enough rows on
both sides is dead for all nodes below: their histograms leave it out.
"""

from __future__ import annotations

import numpy as np

from skdl.tree._numba._inner import inner
from skdl.tree._numba.histogram import WIDE, form_of
from skdl.tree._numba.memory import (
    BIN,
    CUT,
    C_LEFT,
    FIRST,
    G_LEFT,
    H_LEFT,
    LAST,
    LEFT_COUNT,
    MISSING_LEFT,
    POSITION,
)
from skdl.tree._numba.splitting import (
    best_cut,
    cumulate,
    cumulate_categories,
    order_categories,
    scan_outputs,
)


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
def note(side, group, gain, f, last_bin, missing_left, left_count, w):  # type: ignore[no-untyped-def]
    """Write down the best split found in a group so far."""
    w.found_gain[side, group] = gain
    w.found[side, group, POSITION] = f
    w.found[side, group, BIN] = last_bin
    w.found[side, group, MISSING_LEFT] = missing_left
    w.found[side, group, LEFT_COUNT] = left_count


@inner
def keep_sums(side, group, cut, thread, w):  # type: ignore[no-untyped-def]
    """Write down the left side's sums of the best split; return its count."""
    scan = w.scan[thread]
    w.found_sums[side, group, 0, 0] = scan[G_LEFT, cut]
    w.found_sums[side, group, 1, 0] = scan[H_LEFT, cut]
    return scan[C_LEFT, cut]


@inner
def keep_trial(side, group, thread, w):  # type: ignore[no-untyped-def]
    """The same where there are several outputs."""
    for k in range(w.sums.shape[2]):
        w.found_sums[side, group, 0, k] = w.trial[thread, 0, k]
        w.found_sums[side, group, 1, k] = w.trial[thread, 1, k]


@inner
def search_categorical(side, group, f, node, slot, parent, thread, c, w, p):  # type: ignore[no-untyped-def]
    """The best division of a feature's categories into two sets."""
    count = w.node[node, LAST] - w.node[node, FIRST]
    form = form_of(count, p)
    low, high = c.offsets[f], c.offsets[f + 1]
    n_outputs = w.sums.shape[2]
    keys, codes = w.gains[thread], w.codes[thread]
    h_mean = 0.0
    for k in range(n_outputs):
        h_mean += w.sums[node, 1, k] * p.h_unit / (count * n_outputs)
    a = w.a[slot, :, low:high]
    b = w.b[slot, :, low:high] if form == WIDE else a
    n = order_categories(a, b, form, h_mean, p, keys, codes)
    if n_outputs == 1:
        cumulate_categories(a[0], b[0], form, codes, n - 1, w.scan[thread])
        total = (w.sums[node, 0, 0], w.sums[node, 1, 0], count, parent)
        bounds = (w.bounds[node, 0], w.bounds[node, 1])
        _, cut = best_cut(
            n - 1, form, total, w.scan[thread], keys, p, np.int64(0), bounds
        )
        if cut < 0 or keys[cut] <= w.found_gain[side, group]:
            return
        gain, n_left = keys[cut], cut + 1
        n_rows = keep_sums(side, group, cut, thread, w)
    else:
        gain, n_left, n_rows = scan_outputs(
            a,
            b,
            form,
            codes,
            n,
            0,
            w.sums[node, 0],
            w.sums[node, 1],
            count,
            parent,
            p,
            w.trial[thread],
        )
        if n_left < 0 or gain <= w.found_gain[side, group]:
            return
        keep_trial(side, group, thread, w)
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


@inner
def search_numeric(side, group, f, node, slot, parent, thread, c, w, p):  # type: ignore[no-untyped-def]
    """The best threshold of a feature, and the best side for its missing values.

    Returns whether any threshold leaves enough on both sides.
    """
    count = w.node[node, LAST] - w.node[node, FIRST]
    form = form_of(count, p)
    start, n_bins, has_missing = c.offsets[f], c.n_bins[f], c.has_missing[f]
    total = (w.sums[node, 0, 0], w.sums[node, 1, 0], count, parent)
    bounds = (w.bounds[node, 0], w.bounds[node, 1])
    scan, gains = w.scan[thread], w.gains[thread]
    alive = False
    for from_missing in range(2 if has_missing else 1):
        missing_left = from_missing == 1
        # The last bin may stand on the left only where missing values are on the right.
        end = start + (n_bins if has_missing and not missing_left else n_bins - 1)
        a = w.a[slot, 0, start:end]
        b = w.b[slot, 0, start:end] if form == WIDE else a
        a_sum, b_sum = np.int64(0), np.int64(0)
        if missing_left:
            a_sum = w.a[slot, 0, start + n_bins]
            b_sum = w.b[slot, 0, start + n_bins] if form == WIDE else a_sum
        n = cumulate(a, b, a_sum, b_sum, form, scan, p)
        some, cut = best_cut(n, form, total, scan, gains, p, c.sign[f], bounds)
        alive |= some
        if cut < 0 or gains[cut] <= w.found_gain[side, group]:
            continue
        n_left = keep_sums(side, group, cut, thread, w)
        # Where no value is missing, one met later goes the way of most rows.
        missing_side = missing_left if has_missing else 2 * n_left > count
        note(side, group, gains[cut], f, scan[CUT, cut], missing_side, n_left, w)
    return alive


@inner
def search_outputs(side, group, f, node, slot, parent, thread, c, w, p):  # type: ignore[no-untyped-def]
    """`search_numeric` for leaves of several outputs."""
    count = w.node[node, LAST] - w.node[node, FIRST]
    form = form_of(count, p)
    low, high = c.offsets[f], c.offsets[f + 1]
    n_bins, has_missing = c.n_bins[f], c.has_missing[f]
    a = w.a[slot, :, low:high]
    b = w.b[slot, :, low:high] if form == WIDE else a
    codes = w.codes[thread]
    for from_missing in range(2 if has_missing else 1):
        missing_left = from_missing == 1
        for i in range(n_bins + from_missing):
            codes[i] = i - from_missing
        codes[0 if missing_left else n_bins] = n_bins
        gain, n_codes, n_left = scan_outputs(
            a,
            b,
            form,
            codes,
            n_bins + has_missing,
            from_missing,
            w.sums[node, 0],
            w.sums[node, 1],
            count,
            parent,
            p,
            w.trial[thread],
        )
        if n_codes < 0 or gain <= w.found_gain[side, group]:
            continue
        keep_trial(side, group, thread, w)
        missing_side = missing_left if has_missing else 2 * n_left > count
        note(side, group, gain, f, codes[n_codes - 1], missing_side, n_left, w)


@inner
def search(side, group, node, slot, listed, thread, c, w, p):  # type: ignore[no-untyped-def]
    """The best split of a node on the listed features of a group."""
    w.found_gain[side, group] = 0.0
    parent = score(node, w, p)
    for j in listed:
        f = group * c.width + j
        if not w.allowed[side, f]:
            continue
        if c.categorical[f]:
            search_categorical(side, group, f, node, slot, parent, thread, c, w, p)
        elif w.sums.shape[2] > 1:
            search_outputs(side, group, f, node, slot, parent, thread, c, w, p)
        else:
            w.live[slot, f] = search_numeric(
                side, group, f, node, slot, parent, thread, c, w, p
            )


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
