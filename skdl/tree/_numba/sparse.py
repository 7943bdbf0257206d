"""Histograms and bins of sparse rows (compiled)."""

from __future__ import annotations

import numpy as np
from numba import uint64

from skdl.ops._numba._inner import few, inner


@inner
def accumulate_entries(group, rows, values, part, listed, scratch, c):  # type: ignore[no-untyped-def]
    """Add the values of the rows rows[part[0]:part[1]] to their bins.

    Only stored entries are added up. What the node's sum has beyond that is in the bin
    of zeros: packed sums are integers, whose difference is exact.
    scratch : int64, the bins of the group one after another.
    """
    starts = c.entry_starts[group]
    total = np.int64(0)
    for i in range(part[0], part[1]):
        value, row = values[i], uint64(rows[i])
        total += value
        for at in range(uint64(starts[row]), uint64(starts[row + uint64(1)])):
            scratch[uint64(c.entries[at])] += value
    first = group * c.width
    for j in listed:
        few()
        low, high = c.places[first + j], c.places[first + j] + size_of(first + j, c)
        rest = total
        for place in range(low, high):
            rest -= scratch[place]
        scratch[low + c.zeros[first + j]] += rest


@inner
def clear_entries(group, rows, part, scratch, c):  # type: ignore[no-untyped-def]
    """Clear the bins that rows were added to, of features that nobody wants too."""
    starts = c.entry_starts[group]
    for i in range(part[0], part[1]):
        row = uint64(rows[i])
        for at in range(uint64(starts[row]), uint64(starts[row + uint64(1)])):
            scratch[uint64(c.entries[at])] = 0


@inner
def size_of(f, c):  # type: ignore[no-untyped-def]
    """Number of bins of a feature, with that of missing values."""
    return c.offsets[f + 1] - c.offsets[f]


@inner
def bin_of(row, f, c):  # type: ignore[no-untyped-def]
    """The bin of a sparse row's value: a binary search among the row's entries."""
    group = f // c.width
    starts = c.entry_starts[group]
    low, high = uint64(starts[row]), uint64(starts[row + uint64(1)])
    first, end = uint64(c.places[f]), high
    while low < high:
        middle = (low + high) >> uint64(1)
        if uint64(c.entries[middle]) < first:
            low = middle + uint64(1)
        else:
            high = middle
    if low < end:
        bin_ = uint64(c.entries[low]) - first
        if bin_ < uint64(size_of(f, c)):
            return bin_
    return uint64(c.zeros[f])
