"""The best split of a node on one feature (compiled)."""

from __future__ import annotations

import numpy as np

from skdl.tree._numba._inner import inner
from skdl.tree._numba.histogram import CONSTANT, PACKED, WIDE, entry_of
from skdl.tree._numba.memory import C_LEFT, CUT, G_LEFT, H_LEFT

CATEGORY_SMOOTHING = 10.0


@inner
def half_score(g, h, l2, value):  # type: ignore[no-untyped-def]
    """−(2·g·v + (h+λ)·v²): twice the fall of the loss when a leaf takes value v."""
    return -(2.0 * g * value + (h + l2) * value * value)


@inner
def split_gain(gl, hl, gr, hr, l2, parent, sign, low, high):  # type: ignore[no-untyped-def]
    """Gain of a split under bounds on the values and a monotonic sign; −1 if barred."""
    left = min(max(-gl / (hl + l2), low), high)
    right = min(max(-gr / (hr + l2), low), high)
    if (sign > 0 and left > right) or (sign < 0 and left < right):
        return -1.0
    return half_score(gl, hl, l2, left) + half_score(gr, hr, l2, right) - parent


@inner
def cumulate(a, b, a_sum, b_sum, form, scan, p):  # type: ignore[no-untyped-def]
    """Sums up to each bin that is not empty; return how many there are.

    Integers are summed packed, as they are. a_sum, b_sum : where the sums start.
    """
    mask = (np.int64(1) << (p.block_bits if form == PACKED else p.count_bits)) - 1
    cuts, a_left, b_left = scan[CUT], scan[G_LEFT], scan[H_LEFT]
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
def unpack(n, form, scan, p):  # type: ignore[no-untyped-def]
    """Turn the sums of `cumulate` into gradients, Hessians and counts."""
    g_left, h_left, c_left = scan[G_LEFT], scan[H_LEFT], scan[C_LEFT]
    if form == PACKED:
        g_shift, h_shift = p.h_bits + p.block_bits, p.block_bits
        h_mask, mask = (1 << p.h_bits) - 1, (1 << p.block_bits) - 1
        for i in range(n):
            value = g_left[i]
            g_left[i] = value >> g_shift
            h_left[i] = (value >> h_shift) & h_mask
            c_left[i] = value & mask
        return
    shift, mask = p.count_bits, (1 << p.count_bits) - 1
    for i in range(n):
        value = g_left[i]
        g_left[i] = value >> shift
        c_left[i] = value & mask
    if form == CONSTANT:
        for i in range(n):
            h_left[i] = c_left[i]


@inner
def evaluate(n, scan, gains, g_all, h_all, parent, p):  # type: ignore[no-untyped-def]
    """Gain of each cut; without a branch, so that the compiler takes many at once."""
    g_left, h_left = scan[G_LEFT], scan[H_LEFT]
    g_unit, h_unit, l2 = p.g_unit, p.h_unit, p.l2
    for i in range(n):
        gl, gr = g_left[i] * g_unit, (g_all - g_left[i]) * g_unit
        hl, hr = h_left[i] * h_unit, (h_all - h_left[i]) * h_unit
        gains[i] = gl * gl / (hl + l2) + gr * gr / (hr + l2) - parent


@inner
def evaluate_bounded(first, last, scan, gains, g_all, h_all, parent, p, sign, bounds):  # type: ignore[no-untyped-def]
    """Gain of the cuts first…last−1 under bounds on the values."""
    low, high = bounds
    for i in range(first, last):
        gl, gr = scan[G_LEFT, i] * p.g_unit, (g_all - scan[G_LEFT, i]) * p.g_unit
        hl, hr = scan[H_LEFT, i] * p.h_unit, (h_all - scan[H_LEFT, i]) * p.h_unit
        gains[i] = split_gain(gl, hl, gr, hr, p.l2, parent, sign, low, high)


@inner
def best_cut(n, form, total, scan, gains, p, sign, bounds):  # type: ignore[no-untyped-def]
    """The best of n cuts, whose packed sums are in `scan`.

    total : (gradient, Hessian, count, parent score). Returns whether a cut leaves
    enough on both sides, and the best one (−1: none gains).
    """
    g_all, h_all, c_all, parent = total
    unpack(n, form, scan, p)
    h_left, c_left = scan[H_LEFT], scan[C_LEFT]
    first, last = 0, n
    while first < n and (c_left[first] < p.min_samples_leaf or h_left[first] < p.min_hessian):
        first += 1
    while last > first and (
        c_all - c_left[last - 1] < p.min_samples_leaf
        or h_all - h_left[last - 1] < p.min_hessian
    ):
        last -= 1
    best = -1
    if first < last:
        if p.bounded:
            evaluate_bounded(
                first, last, scan, gains, g_all, h_all, parent, p, sign, bounds
            )
        else:
            evaluate(n, scan, gains, g_all, h_all, parent, p)
        top = 0.0
        for i in range(first, last):
            if gains[i] > top:
                top = gains[i]
                best = i
    return first < last, best


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
        _, _, count = entry_of(a[0], b[0], i, form, p)
        if count == 0:
            continue
        key = 0.0
        for k in range(n_outputs):
            g, h, _ = entry_of(a[k], b[k], i, form, p)
            key += g * p.g_unit / (h * p.h_unit + CATEGORY_SMOOTHING * h_mean)
        keys[n] = key
        codes[n] = i
        n += 1
    sort_categories(keys, codes, n)
    return n


@inner
def cumulate_categories(a, b, form, codes, n, scan):  # type: ignore[no-untyped-def]
    """Sums up to each of the first n sorted categories."""
    a_sum, b_sum = np.int64(0), np.int64(0)
    for i in range(n):
        a_sum += a[codes[i]]
        scan[G_LEFT, i] = a_sum
        if form == WIDE:
            b_sum += b[codes[i]]
            scan[H_LEFT, i] = b_sum


@inner
def scan_outputs(  # type: ignore[no-untyped-def]
    a, b, form, codes, n, first, g_all, h_all, c_all, parent, p, trial
):
    """Try every prefix of `codes` on the sum of the outputs' gains.

    a, b : (n_outputs, n_slots). `first` is how many leading codes stand on the left
    from the outset (the missing values, or none). The left side's sums are written to
    trial[0] and trial[1]; trial[2] and trial[3] are scratch.
    """
    n_outputs = a.shape[0]
    out_g, out_h, gl, hl = trial[0], trial[1], trial[2], trial[3]
    for k in range(n_outputs):
        gl[k] = hl[k] = 0
    cl = np.int64(0)
    best, best_n, best_cl = 0.0, -1, np.int64(0)
    for i in range(n - 1):
        _, _, count = entry_of(a[0], b[0], codes[i], form, p)
        if count == 0:
            continue
        cl += count
        for k in range(n_outputs):
            g, h, _ = entry_of(a[k], b[k], codes[i], form, p)
            gl[k] += g
            hl[k] += h
        if i < first or cl < p.min_samples_leaf:
            continue
        if c_all - cl < p.min_samples_leaf:
            break
        gain = 0.0
        heavy = True
        for k in range(n_outputs):
            heavy &= hl[k] >= p.min_hessian and h_all[k] - hl[k] >= p.min_hessian
            g_left, g_right = gl[k] * p.g_unit, (g_all[k] - gl[k]) * p.g_unit
            h_left, h_right = hl[k] * p.h_unit, (h_all[k] - hl[k]) * p.h_unit
            if heavy:
                gain += g_left * g_left / (h_left + p.l2) + g_right * g_right / (
                    h_right + p.l2
                )
        gain -= parent
        if heavy and gain > best:
            best, best_n, best_cl = gain, i + 1, cl
            for k in range(n_outputs):
                out_g[k] = gl[k]
                out_h[k] = hl[k]
    return best, best_n, best_cl
