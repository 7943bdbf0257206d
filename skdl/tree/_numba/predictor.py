"""Follow rows down the trees (compiled)."""

from __future__ import annotations

import numpy as np

from skdl.ops._numba._inner import entry, inner

BLOCK = 64  # rows that go down a tree side by side


@inner
def code_of(x):  # type: ignore[no-untyped-def]
    """The place of a value in a set: its code, 256 for no code, 257 for missing."""
    if x != x:
        return np.uint16(257)
    return np.uint16(x if (x >= 0.0) & (x < 256.0) else 256.0)


@entry
def sum_trees(  # type: ignore[no-untyped-def]
    X,
    start,
    end,
    trees,
    roots,
    depths,
    has_sets,
    outputs,
    coefficients,
    feature,
    threshold,
    left,
    missing_left,
    set_at,
    sets,
    asked,
    values,
    out,
):
    """Add coefficient · value of each tree's leaf to `out`, for rows start…end−1.

    The rows of a block go down a tree side by side, one level after another: without a
    branch to guess wrong, and with many loads under way at once. A leaf sends every row
    to itself: its `left` is its own number and its threshold is +∞.
    has_sets : whether a tree asks for categories, whose codes are found once for all
    trees; asked : the features whose codes are wanted. See `Forest` for the sets.
    """
    nodes = np.empty(BLOCK, np.int32)
    codes = np.empty((BLOCK, X.shape[1] if len(asked) else 1), np.uint16)
    n_outputs = out.shape[1]
    for first in range(start, end, BLOCK):
        n = min(BLOCK, end - first)
        for i in range(n):
            for f in asked:
                codes[i, f] = code_of(X[first + i, f])
        for t in range(len(trees)):
            root = roots[trees[t]]
            for i in range(n):
                nodes[i] = root
            for _ in range(depths[trees[t]]):
                if has_sets[trees[t]]:
                    for i in range(n):
                        node = np.uint32(nodes[i])
                        f = np.uint32(feature[node])
                        at = np.uint32(set_at[node]) + np.uint32(codes[np.uint32(i), f])
                        beyond = X[first + i, f] > threshold[node]
                        right = beyond | (not sets[np.uint32(at)])
                        nodes[i] = left[node] + np.int32(right)
                else:
                    for i in range(n):
                        node = np.uint32(nodes[i])
                        x = X[first + i, np.uint32(feature[node])]
                        right = (x > threshold[node]) | (
                            (x != x) & (not missing_left[node])
                        )
                        nodes[i] = left[node] + np.int32(right)
            column = outputs[trees[t]]
            coefficient = coefficients[t]
            for i in range(n):
                if column >= 0:
                    out[first + i, column] += coefficient * values[nodes[i], 0]
                else:
                    for k in range(n_outputs):
                        out[first + i, k] += coefficient * values[nodes[i], k]


@entry
def find_leaves(  # type: ignore[no-untyped-def]
    X, start, end, roots, feature, threshold, left, set_at, sets, out
):
    """Write the leaf's number within its tree, for rows start…end−1 and all trees."""
    for t in range(len(roots)):
        for i in range(start, end):
            node = roots[t]
            child = left[node]
            while child != node:
                x = X[i, feature[node]]
                beyond = x > threshold[node]
                node = child + (beyond | (not sets[set_at[node] + code_of(x)]))
                child = left[node]
            out[i, t] = node - roots[t]


@entry
def add_leaves(rows, starts, ends, values, first, last, column, out):  # type: ignore[no-untyped-def]
    """Add the values of the leaves first…last−1 to their rows of a tree just grown."""
    for leaf in range(first, last):
        for i in range(starts[leaf], ends[leaf]):
            for k in range(values.shape[1]):
                out[rows[i], column + k] += values[leaf, k]


@entry
def sum_leaves(rows, starts, ends, g, first, last, out):  # type: ignore[no-untyped-def]
    """Sums of g (n_outputs, n) over the rows of the leaves first…last−1, in order."""
    for leaf in range(first, last):
        for k in range(g.shape[0]):
            total = 0.0
            for i in range(starts[leaf], ends[leaf]):
                total += g[k, rows[i]]
            out[leaf, k] = total


@entry
def pack(g, h, start, end, g_scale, h_scale, g_shift, h_shift, newton, out, sums):  # type: ignore[no-untyped-def]
    """Quantise and pack rows start…end−1 of g, h (n_outputs, n); sum them up.

    out : int64 (n_outputs, n), or twice as many: then the Hessians come apart.
    sums : int64 (2, n_outputs), gradients and Hessians.
    """
    n_outputs = g.shape[0]
    apart = newton and len(out) > n_outputs
    for k in range(g.shape[0]):
        g_sum, h_sum = np.int64(0), np.int64(0)
        for i in range(start, end):
            g_int = np.int64(np.rint(g[k, i] * g_scale))
            packed = (g_int << g_shift) + np.int64(1)
            g_sum += g_int
            if newton:
                h_int = np.int64(np.rint(h[k, i] * h_scale))
                if apart:
                    out[n_outputs + k, i] = h_int
                else:
                    packed += h_int << h_shift
                h_sum += h_int
            else:
                h_sum += 1
            out[k, i] = packed
        sums[0, k] = g_sum
        sums[1, k] = h_sum
