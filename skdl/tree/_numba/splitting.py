"""The best split of a node on one feature (compiled).

The cuts of a feature lie behind its bins that are not empty, or behind its categories
in their order of mean gradient. The sums on the left of all cuts are written to scratch
memory; then all cuts are evaluated side by side, without branches.

scan : int64 (2 + 2 · n_outputs, 256); its rows are the bin before each cut, the left
side's count, and for each output the left side's gradient and Hessian.
"""

from __future__ import annotations

import numpy as np

from skdl.ops._numba._inner import few, inner
from skdl.tree._numba.histogram import CONSTANT, PACKED, WIDE, entry_of
from skdl.tree._numba.memory import C_LEFT, CUT, G_LEFT, H_LEFT

CATEGORY_SMOOTHING = 10.0


@inner
def half_score(g, h, l2, value):  # type: ignore[no-untyped-def]
    """−(2·g·v + (h+λ)·v²): twice the fall of the loss when a leaf takes value v."""
    return -(2.0 * g * value + (h + l2) * value * value)


@inner
def cumulate(a, b, a_sum, b_sum, form, k, scan, p):  # type: ignore[no-untyped-def]
    """Sums of output k up to each bin that is not empty; return how many there are.

    Integers are summed packed, as they are. a_sum, b_sum : where the sums start.
    """
    mask = (np.int64(1) << (p.block_bits if form == PACKED else p.count_bits)) - 1
    cuts, a_left, b_left = scan[CUT], scan[G_LEFT + 2 * k], scan[H_LEFT + 2 * k]
    n = np.uint64(0)
    if form == WIDE:
        for i in range(len(a)):
            value = a[i]
            a_sum += value
            b_sum += b[i]
            cuts[n] = i
            a_left[n] = a_sum
            b_left[n] = b_sum
            n += np.uint64((value & mask) != 0)
    else:
        for i in range(len(a)):
            value = a[i]
            a_sum += value
            cuts[n] = i
            a_left[n] = a_sum
            n += np.uint64((value & mask) != 0)
    return np.int64(n)


@inner
def cumulate_categories(a, b, form, codes, n, k, scan):  # type: ignore[no-untyped-def]
    """Sums of output k up to each of the first n sorted categories."""
    a_sum, b_sum = np.int64(0), np.int64(0)
    for i in range(n):
        a_sum += a[codes[i]]
        scan[G_LEFT + 2 * k, i] = a_sum
        if form == WIDE:
            b_sum += b[codes[i]]
            scan[H_LEFT + 2 * k, i] = b_sum


@inner
def unpack(n, form, k, scan, p):  # type: ignore[no-untyped-def]
    """Turn packed sums of output k into gradients, Hessians and counts."""
    g_left, h_left, c_left = scan[G_LEFT + 2 * k], scan[H_LEFT + 2 * k], scan[C_LEFT]
    if form == PACKED:
        g_shift, h_shift = p.h_bits + p.block_bits, p.block_bits
        h_mask, mask = (1 << p.h_bits) - 1, (1 << p.block_bits) - 1
        for i in range(n):
            value = g_left[i]
            g_left[i] = value >> g_shift
            h_left[i] = (value >> h_shift) & h_mask
            c_left[i] = value & mask
    else:
        shift, mask = p.count_bits, (1 << p.count_bits) - 1
        for i in range(n):
            value = g_left[i]
            g_left[i] = value >> shift
            c_left[i] = value & mask
        if form == CONSTANT:
            for i in range(n):
                h_left[i] = c_left[i]


@inner
def enough(i, right, node, count, scan, w, p):  # type: ignore[no-untyped-def]
    """Whether the left (right) side of a cut has enough rows and Hessian."""
    rows = scan[C_LEFT, i]
    fits = (count - rows if right else rows) >= p.min_samples_leaf
    for k in range(w.sums.shape[2]):
        few()
        h = scan[H_LEFT + 2 * k, i]
        fits &= (w.sums[node, 1, k] - h if right else h) >= p.min_hessian
    return fits


@inner
def first_cut(first, last, right, node, count, scan, w, p):  # type: ignore[no-untyped-def]
    """The first cut with enough on the left, or (right) with too little on the right.

    The left side grows from cut to cut: a binary search.
    """
    while first < last:
        middle = (first + last) // 2
        if enough(middle, right, node, count, scan, w, p) == right:
            first = middle + 1
        else:
            last = middle
    return first


@inner
def evaluate(n, k, g_all, h_all, scan, gains, p):  # type: ignore[no-untyped-def]
    """Add what output k gains to the gains of n cuts."""
    g_left, h_left = scan[G_LEFT + 2 * k], scan[H_LEFT + 2 * k]
    if k == 0:
        for i in range(n):
            gains[i] = 0.0
    for i in range(n):
        gl, gr = np.float64(g_left[i]), np.float64(g_all - g_left[i])
        hl, hr = h_left[i] + p.l2, (h_all - h_left[i]) + p.l2
        gains[i] += (gl * gl * hr + gr * gr * hl) / (hl * hr)  # one division, not two


@inner
def evaluate_bounded(first, last, node, sign, scan, gains, w, p):  # type: ignore[no-untyped-def]
    """Gains of the cuts first…last−1 under bounds on the values and a sign."""
    low, high = w.bounds[node, 0], w.bounds[node, 1]
    for i in range(first, last):
        g, h = scan[G_LEFT, i], scan[H_LEFT, i]
        gl, gr = np.float64(g), np.float64(w.sums[node, 0, 0] - g)
        hl, hr = np.float64(h), np.float64(w.sums[node, 1, 0] - h)
        left = min(max(-gl / (hl + p.l2), low), high)
        right = min(max(-gr / (hr + p.l2), low), high)
        gains[i] = half_score(gl, hl, p.l2, left) + half_score(gr, hr, p.l2, right)
        if (sign > 0 and left > right) or (sign < 0 and left < right):
            gains[i] = -np.inf


@inner
def sort_categories(keys, codes, n):  # type: ignore[no-untyped-def]
    """Sort by key, then by code; insertion sort, for at most 256 entries."""
    for i in range(1, n):
        key, code = keys[i], codes[i]
        j = i - 1
        while j >= 0 and (keys[j] > key or (keys[j] == key and codes[j] > code)):
            keys[j + 1] = keys[j]
            codes[j + 1] = codes[j]
            j -= 1
        keys[j + 1] = key
        codes[j + 1] = code


@inner
def order_categories(a, b, form, h_mean, p, keys, codes):  # type: ignore[no-untyped-def]
    """Sort the categories that occur by gradient over (smoothed) Hessian."""
    n_outputs, n_slots = a.shape
    n = 0
    for i in range(n_slots):
        count = np.int64(0)
        keys[n] = 0.0
        for k in range(n_outputs):
            few()
            g, h, count = entry_of(a[k], b[k], i, form, p)
            if count > 0:
                keys[n] += g / (h + CATEGORY_SMOOTHING * h_mean)
        if count > 0:
            codes[n] = i
            n += 1
    sort_categories(keys, codes, n)
    return n
