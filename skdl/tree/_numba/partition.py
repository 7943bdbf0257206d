"""Divide the rows of a node between its children (compiled).

In two passes over chunks of rows: each chunk is divided by itself, then its two parts
are moved to their places, which depend on the chunks before it.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from skdl.ops._numba._inner import inner
from skdl.ops._numba.prefetch import AHEAD, prefetch
from skdl.tree._numba.memory import (
    BIN,
    KEEP_LEFT,
    MISSING_LEFT,
    N_LEFT,
    NODE,
    NODE_END,
    NODE_START,
    POSITION,
)
from skdl.tree._numba.sparse import bin_of

CHUNK = 4096  # rows


@inner
def partition_chunk(chunk, thread, c, w):  # type: ignore[no-untyped-def]
    """Divide a chunk of a node's rows.

    The left ones are written from the start of `divided` on, the right ones from its
    end backwards. Each row is written to both places, as a branch would cost more: the
    wrong one is overwritten.
    """
    node = w.job[NODE]
    start = w.job[NODE_START] + chunk * CHUNK
    end = min(start + CHUNK, w.job[NODE_END])
    f = w.split[node, POSITION]
    bins, width, j = c.bins[f // c.width], uint64(c.width), uint64(f % c.width)
    goes_left, last = w.route[thread], w.split[node, BIN]
    plain = not c.categorical[f] and not c.has_missing[f]
    if not plain:
        for i in range(256):
            goes_left[i] = w.left_set[node, i] if c.categorical[f] else i <= last
        if not c.categorical[f]:
            goes_left[c.n_bins[f]] = w.split[node, MISSING_LEFT] == 1
    left, right = uint64(start), uint64(end - 1)
    for i in range(left, uint64(end)):
        ahead = uint64(w.rows[min(i + uint64(AHEAD), uint64(end - 1))])
        prefetch(bins, ahead * width + j)
        row = w.rows[i]
        if c.sparse:
            bin_ = bin_of(uint64(row), f, c)
        else:
            bin_ = uint64(bins[uint64(row) * width + j])
        goes = uint64(bin_ <= last) if plain else uint64(goes_left[bin_])
        w.divided[left] = row
        w.divided[right] = row
        left += goes
        right -= uint64(1) - goes
    n_left = np.int64(left) - start
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
    divided, rows = w.divided[start:end], w.rows[left : left + n_left]
    for i in range(n_left):
        rows[i] = divided[i]
    rows, last = w.rows[right : right + n_right], uint64(end - start - 1)
    for i in range(uint64(n_right)):
        rows[i] = divided[last - i]
    if w.job[KEEP_LEFT] == 1:
        gather(node_start, left, left + n_left, w)
    elif w.job[KEEP_LEFT] == 0:
        gather(node_start + w.job[N_LEFT], right, right + n_right, w)


@inner
def gather(first, start, end, w):  # type: ignore[no-untyped-def]
    """Bring the packed values of a node's rows start…end−1 into their order.

    first : the node's first position, whose value is ordered[:, 0].
    """
    rows = w.rows[start:end]
    last = uint64(len(rows) - 1)
    for k in range(w.packed.shape[0]):
        values, ordered = w.packed[k], w.ordered[k, start - first : end - first]
        for i in range(uint64(len(rows))):
            prefetch(values, uint64(rows[min(i + uint64(AHEAD), last)]))
            ordered[i] = values[rows[i]]
