"""Quantiles of the rows of leaves (compiled)."""

from __future__ import annotations

import math

import numpy as np

from skdl.ops._numba._inner import entry, inner


@inner
def select(a, first, last, k):  # type: ignore[no-untyped-def]
    """Bring the k-th smallest of a[first…last−1] to its place (Hoare 1961)."""
    low, high = first, last - 1
    while low < high:
        pivot = a[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while a[i] < pivot:
                i += 1
            while pivot < a[j]:
                j -= 1
            if i <= j:
                a[i], a[j] = a[j], a[i]
                i += 1
                j -= 1
        if j < k:
            low = i
        if k < i:
            high = j
    return a[k]


@entry
def leaf_quantiles(rows, starts, ends, y, raw, q, out):  # type: ignore[no-untyped-def]
    """Twin of `skdl.losses._regression.weighted_quantile`, of y − raw in each leaf.

    `rows` are those of all leaves; y and raw of shape (n,) are of all rows.
    """
    residual = np.empty(len(rows))
    for i in range(len(rows)):
        residual[i] = y[rows[i]] - raw[rows[i]]
    for leaf in range(len(starts)):
        first, last = starts[leaf], ends[leaf]
        count = last - first
        at = min(max(math.ceil(count * q - 1.0), 0), count - 1)
        out[leaf] = select(residual, first, last, first + at)
