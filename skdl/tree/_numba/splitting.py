"""The best split of a node on one feature (compiled)."""

from __future__ import annotations

import numpy as np

from skdl.tree._numba._inner import inner

# What a scan returns: gain, last bin on the left (−1: none found; for a categorical
# feature the number of categories on the left), whether missing values go left, and the
# left side's sums. The sums of a node with several outputs are written to arrays.

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
def scan_numeric(  # type: ignore[no-untyped-def]
    a, b, start, n_bins, has_missing, total, p, sign, bounds, from_missing
):
    """Try every threshold, with missing values on the left or on the right.

    a, b : the node's histogram; total : (gradient, Hessian, count, parent score).
    """
    g_all, h_all, c_all, parent = total
    low, high, bounded = bounds
    mask = (np.int64(1) << p.count_bits) - 1
    best = 0.0
    best_bin, best_gl, best_hl, best_cl = -1, np.int64(0), np.int64(0), np.int64(0)
    gl, hl, cl = np.int64(0), np.int64(0), np.int64(0)
    if from_missing:
        value = a[start + n_bins]
        cl = value & mask
        gl = value >> p.count_bits
        hl = b[start + n_bins] if p.newton else cl
    # The last bin may stand on the left only where missing values are on the right.
    end = n_bins if has_missing and not from_missing else n_bins - 1
    for i in range(end):
        value = a[start + i]
        count = value & mask
        if count == 0:
            continue
        cl += count
        gl += value >> p.count_bits
        hl += b[start + i] if p.newton else count
        if cl < p.min_samples_leaf or hl < p.min_hessian:
            continue
        if c_all - cl < p.min_samples_leaf or h_all - hl < p.min_hessian:
            break
        g_left, g_right = gl * p.g_unit, (g_all - gl) * p.g_unit
        h_left, h_right = hl * p.h_unit, (h_all - hl) * p.h_unit
        if bounded:
            gain = split_gain(
                g_left, h_left, g_right, h_right, p.l2, parent, sign, low, high
            )
        else:
            gain = (
                g_left * g_left / (h_left + p.l2)
                + g_right * g_right / (h_right + p.l2)
                - parent
            )
        if gain > best:
            best, best_bin = gain, i
            best_gl, best_hl, best_cl = gl, hl, cl
    return best, best_bin, best_gl, best_hl, best_cl


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
def order_categories(a, b, start, n_slots, h_mean, p, keys, codes):  # type: ignore[no-untyped-def]
    """Sort the categories that occur by gradient over (smoothed) Hessian."""
    mask = (np.int64(1) << p.count_bits) - 1
    n_outputs = a.shape[0]
    n = 0
    for i in range(n_slots):
        count = a[0, start + i] & mask
        if count == 0:
            continue
        key = 0.0
        for k in range(n_outputs):
            g = (a[k, start + i] >> p.count_bits) * p.g_unit
            h = (b[k, start + i] if p.newton else count) * p.h_unit
            key += g / (h + CATEGORY_SMOOTHING * h_mean)
        keys[n] = key
        codes[n] = i
        n += 1
    sort_categories(keys, codes, n)
    return n


@inner
def scan_categorical(a, b, start, codes, n, total, p, bounds):  # type: ignore[no-untyped-def]
    """Try every prefix of the sorted categories (Fisher 1958) as the left side."""
    g_all, h_all, c_all, parent = total
    low, high, bounded = bounds
    mask = (np.int64(1) << p.count_bits) - 1
    best = 0.0
    best_n, best_gl, best_hl, best_cl = -1, np.int64(0), np.int64(0), np.int64(0)
    gl, hl, cl = np.int64(0), np.int64(0), np.int64(0)
    for i in range(n - 1):
        value = a[start + codes[i]]
        count = value & mask
        cl += count
        gl += value >> p.count_bits
        hl += b[start + codes[i]] if p.newton else count
        if cl < p.min_samples_leaf or hl < p.min_hessian:
            continue
        if c_all - cl < p.min_samples_leaf or h_all - hl < p.min_hessian:
            break
        g_left, g_right = gl * p.g_unit, (g_all - gl) * p.g_unit
        h_left, h_right = hl * p.h_unit, (h_all - hl) * p.h_unit
        if bounded:
            gain = split_gain(
                g_left, h_left, g_right, h_right, p.l2, parent, 0, low, high
            )
        else:
            gain = (
                g_left * g_left / (h_left + p.l2)
                + g_right * g_right / (h_right + p.l2)
                - parent
            )
        if gain > best:
            best, best_n = gain, i + 1
            best_gl, best_hl, best_cl = gl, hl, cl
    return best, best_n, best_gl, best_hl, best_cl


@inner
def scan_outputs(  # type: ignore[no-untyped-def]
    a, b, start, codes, n, first, g_all, h_all, c_all, parent, p, trial
):
    """Try every prefix of `codes` on the sum of the outputs' gains.

    a, b : (n_outputs, n_slots). `first` is how many leading codes stand on the left
    from the outset (the missing values, or none). The left side's sums are written to
    trial[0] and trial[1]; trial[2] and trial[3] are scratch.
    """
    mask = (np.int64(1) << p.count_bits) - 1
    n_outputs = a.shape[0]
    out_g, out_h, gl, hl = trial[0], trial[1], trial[2], trial[3]
    for k in range(n_outputs):
        gl[k] = hl[k] = 0
    cl = np.int64(0)
    best, best_n, best_cl = 0.0, -1, np.int64(0)
    for i in range(n - 1):
        count = a[0, start + codes[i]] & mask
        if count == 0:
            continue
        cl += count
        for k in range(n_outputs):
            gl[k] += a[k, start + codes[i]] >> p.count_bits
            hl[k] += b[k, start + codes[i]] if p.newton else count
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
