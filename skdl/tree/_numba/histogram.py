"""Histograms of packed integers (compiled).

A row's quantised gradient, Hessian and a one for the count share an int64. A histogram
has one of three forms:

- CONSTANT, where the Hessian is the same for all rows: ``a = gradient << count_bits |
  count``, for any number of rows.
- PACKED, of nodes of at most `block` rows: ``a = gradient | Hessian | count`` as in the
  rows; no sum of so many rows carries from one field into the next.
- WIDE, of larger nodes: block by block the packed sums are unpacked and added to two
  arrays, ``a = gradient << count_bits | count`` and ``b = Hessian``.

Where the values spread too far for that, a row has two words, like the two arrays of a
WIDE histogram, which all nodes then have: the number of words is twice the outputs.
"""

from __future__ import annotations

from numba import uint64

from skdl.ops._numba._inner import inner
from skdl.ops._numba.prefetch import AHEAD, prefetch
from skdl.tree._numba.memory import (
    FIRST,
    IDENTITY,
    LARGE,
    LARGE_SLOT,
    LAST,
    SMALL_END,
    SMALL_SLOT,
    SMALL_START,
)
from skdl.tree._numba.sparse import accumulate_entries, clear_entries

CONSTANT, PACKED, WIDE = range(3)


@inner
def form_of(n_rows, p):  # type: ignore[no-untyped-def]
    """Form of the histogram of a node."""
    if not p.newton:
        return CONSTANT
    return PACKED if n_rows <= p.block else WIDE


@inner
def entry_of(a, b, i, form, p):  # type: ignore[no-untyped-def]
    """Gradient, Hessian and count of one bin."""
    value = a[i]
    if form == PACKED:
        g = value >> (p.h_bits + p.block_bits)
        h = (value >> p.block_bits) & ((1 << p.h_bits) - 1)
        return g, h, value & ((1 << p.block_bits) - 1)
    count = value & ((1 << p.count_bits) - 1)
    return value >> p.count_bits, b[i] if form == WIDE else count, count


@inner
def accumulate(bins, rows, values, part, listed, whole, scratch, c):  # type: ignore[no-untyped-def]
    """Add the values of the rows rows[part[0]:part[1]] to their bins.

    bins : uint8 (n · width,); listed : the wanted features of the group; whole :
    whether these are its first ones; scratch : int64 (width · 256,). Indices are
    unsigned, as signed ones cost a look whether they are negative.
    """
    start, end = uint64(part[0]), uint64(part[1])
    n_listed, width, last = uint64(len(listed)), uint64(c.width), end - uint64(1)
    for i in range(start, end):
        value = values[i]
        at = uint64(rows[i]) * width
        ahead = uint64(rows[min(i + uint64(AHEAD), last)]) * width
        prefetch(bins, ahead)
        prefetch(bins, ahead + width - uint64(1))  # may lie in the next line
        if whole:
            base = uint64(0)
            # Eight features at a time, as then their places differ by constants.
            for _ in range(n_listed // uint64(8)):
                for j in range(8):
                    bin_ = uint64(bins[at + uint64(j)])
                    scratch[base + uint64(256 * j) + bin_] += value
                base += uint64(2048)
                at += uint64(8)
            for j in range(n_listed % uint64(8)):
                scratch[base + uint64(256) * j + uint64(bins[at + j])] += value
        else:
            for i_listed in range(n_listed):
                j = uint64(listed[i_listed])
                scratch[uint64(256) * j + uint64(bins[at + j])] += value


@inner
def flush(scratch, a, b, mixed, fresh, p):  # type: ignore[no-untyped-def]
    """Move a feature's scratch memory to `a`, and clear it.

    mixed : whether it is to be unpacked to `a` and `b`.
    fresh : whether it is the first block of the node, which overwrites.
    """
    if not mixed:
        for i in range(len(a)):
            a[i] = scratch[i]
            scratch[i] = 0
        return
    count_mask = (1 << p.block_bits) - 1
    h_mask = (1 << p.h_bits) - 1
    g_shift = p.h_bits + p.block_bits
    kept = 0 if fresh else -1
    for i in range(len(a)):
        value = scratch[i]
        wide = ((value >> g_shift) << p.count_bits) + (value & count_mask)
        h = (value >> p.block_bits) & h_mask
        a[i] = (a[i] & kept) + wide
        b[i] = (b[i] & kept) + h
        scratch[i] = 0


@inner
def fill(group, listed, thread, c, w, p):  # type: ignore[no-untyped-def]
    """The histogram of the smaller child, for the listed features of a group."""
    start, end, slot = w.job[SMALL_START], w.job[SMALL_END], w.job[SMALL_SLOT]
    identity = w.job[IDENTITY] == 1
    form = form_of(end - start, p)
    n_outputs, n_words = w.sums.shape[2], w.packed.shape[0]
    apart = n_words > n_outputs
    block = p.block if form == WIDE and not apart else end - start
    scratch = w.scratch[thread]
    bins = c.bins[group]
    whole = len(listed) == min(c.width, len(c.n_bins) - group * c.width)
    rows = w.rows[start:end]
    for word in range(n_words):
        values = w.packed[word] if identity else w.ordered[word]
        k = word % n_outputs
        for first in range(0, end - start, block):
            part = first, min(first + block, end - start)
            if c.sparse:
                accumulate_entries(group, rows, values, part, listed, scratch, c)
            else:
                accumulate(bins, rows, values, part, listed, whole, scratch, c)
            for j in listed:
                f = group * c.width + j
                low, high = c.offsets[f], c.offsets[f + 1]
                a = w.a[slot, k, low:high]
                b = w.b[slot, k, low:high] if form == WIDE else a
                a = b if word >= n_outputs else a
                place = c.places[f]
                sums = scratch[place : place + high - low]
                mixed = form == WIDE and not apart
                flush(sums, a, b, mixed, first == 0, p)
            if c.sparse and not whole:
                clear_entries(group, rows, part, scratch, c)


@inner
def subtract(low, high, k, c, w, p):  # type: ignore[no-untyped-def]
    """Turn the parent's histogram into the larger child's: take the smaller one off."""
    small, large = w.job[SMALL_SLOT], w.job[LARGE_SLOT]
    n_small = w.job[SMALL_END] - w.job[SMALL_START]
    node = w.job[LARGE]
    n_large = w.node[node, LAST] - w.node[node, FIRST]
    a, other_a = w.a[large, k, low:high], w.a[small, k, low:high]
    if form_of(n_small + n_large, p) != WIDE:
        for i in range(high - low):
            a[i] -= other_a[i]
        return
    # One loop for all forms: shifts and masks pick the fields, 0 for what is not there.
    b, other_b = w.b[large, k, low:high], w.b[small, k, low:high]
    wide = form_of(n_small, p) == WIDE
    g_shift = p.count_bits if wide else p.h_bits + p.block_bits
    count_mask = (1 << (p.count_bits if wide else p.block_bits)) - 1
    h_mask = 0 if wide else (1 << p.h_bits) - 1
    b_mask = -1 if wide else 0
    packs = form_of(n_large, p) == PACKED
    for i in range(high - low):
        value = other_a[i]
        rest = a[i] - (((value >> g_shift) << p.count_bits) + (value & count_mask))
        h = b[i] - (((value >> p.block_bits) & h_mask) + (other_b[i] & b_mask))
        if packs:
            count = rest & ((1 << p.count_bits) - 1)
            g = rest >> p.count_bits
            rest = (((g << p.h_bits) + h) << p.block_bits) + count
        a[i] = rest
        b[i] = h
