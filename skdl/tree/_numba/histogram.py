"""Histograms of packed integers (compiled).

A row's quantised gradient, Hessian and a one for the count share an int64. A histogram
has one of three forms:

- CONSTANT, where the Hessian is the same for all rows: ``a = gradient << count_bits |
  count``, for any number of rows.
- PACKED, of nodes of at most `block` rows: ``a = gradient | Hessian | count`` as in the
  rows; no sum of so many rows carries from one field into the next.
- WIDE, of larger nodes: block by block the packed sums are unpacked and added to two
  arrays, ``a = gradient << count_bits | count`` and ``b = Hessian``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from skdl.tree._numba._inner import inner
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

CONSTANT, PACKED, WIDE = range(3)
AHEAD = 24  # rows that a prefetch runs ahead


@intrinsic
def prefetch(typingctx: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]`` (first axis) before it is needed."""
    signature = types.void(array, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        struct = context.make_array(sig.args[0])(context, builder, args[0])
        stride = cgutils.unpack_tuple(builder, struct.strides)[0]
        ir = cgutils.ir
        i8, i32, i64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
        address = builder.ptrtoint(struct.data, i64)
        address = builder.add(address, builder.mul(args[1], stride))
        kind = ir.FunctionType(ir.VoidType(), [i8.as_pointer(), i32, i32, i32])
        function = cgutils.get_or_insert_function(
            builder.module, kind, "llvm.prefetch.p0"
        )
        hints = [ir.Constant(i32, value) for value in (0, 3, 1)]
        builder.call(function, [builder.inttoptr(address, i8.as_pointer()), *hints])
        return context.get_dummy_value()

    return signature, codegen


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
def accumulate(bins, rows, values, start, end, listed, width, identity, scratch):  # type: ignore[no-untyped-def]
    """Add values[start:end], of the rows rows[start:end], to the rows' bins.

    bins : uint8 (n, stride); scratch : int64 (stride, 256); listed : the features among
    the group's first `width` ones.
    """
    last = end - 1
    if len(listed) < width:
        for i in range(start, end):
            row = rows[i]
            value = values[i]
            prefetch(bins, np.intp(rows[min(i + AHEAD, last)]))
            for j in listed:
                scratch[j, bins[row, j]] += value
    elif identity:
        for i in range(start, end):
            value = values[i]
            for j in range(width):
                scratch[j, bins[i, j]] += value
    else:
        for i in range(start, end):
            row = rows[i]
            value = values[i]
            prefetch(bins, np.intp(rows[min(i + AHEAD, last)]))
            for j in range(width):
                scratch[j, bins[row, j]] += value


@inner
def flush(scratch, a, b, form, fresh, p):  # type: ignore[no-untyped-def]
    """Move a feature's scratch memory to `a` and `b`, and clear it.

    fresh : whether it is the first block of the node, which overwrites.
    """
    if form != WIDE:
        for i in range(len(a)):
            a[i] = scratch[i]
            scratch[i] = 0
        return
    count_mask = (1 << p.block_bits) - 1
    h_mask = (1 << p.h_bits) - 1
    g_shift = p.h_bits + p.block_bits
    for i in range(len(a)):
        value = scratch[i]
        wide = ((value >> g_shift) << p.count_bits) + (value & count_mask)
        h = (value >> p.block_bits) & h_mask
        a[i] = wide if fresh else a[i] + wide
        b[i] = h if fresh else b[i] + h
        scratch[i] = 0


@inner
def fill(group, listed, thread, c, w, p):  # type: ignore[no-untyped-def]
    """The histogram of the smaller child, for the listed features of a group."""
    start, end, slot = w.job[SMALL_START], w.job[SMALL_END], w.job[SMALL_SLOT]
    identity = w.job[IDENTITY] == 1
    form = form_of(end - start, p)
    block = p.block if form == WIDE else end - start
    scratch = w.scratch[thread]
    bins = c.bins[group]
    width = min(c.width, len(c.n_bins) - group * c.width)
    for k in range(w.packed.shape[0]):
        values = w.packed[k] if identity else w.ordered[k]
        rows = w.rows[start:end]
        for first in range(0, end - start, block):
            stop = min(first + block, end - start)
            accumulate(
                bins, rows, values, first, stop, listed, width, identity, scratch
            )
            for j in listed:
                f = group * c.width + j
                low, high = c.offsets[f], c.offsets[f + 1]
                a = w.a[slot, k, low:high]
                b = w.b[slot, k, low:high] if form == WIDE else a
                flush(scratch[j], a, b, form, first == 0, p)


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
    b = w.b[large, k, low:high]
    small_form, large_form = form_of(n_small, p), form_of(n_large, p)
    if small_form == WIDE:
        other_b = w.b[small, k, low:high]
        for i in range(high - low):
            a[i] -= other_a[i]
            b[i] -= other_b[i]
        return
    for i in range(high - low):
        g, h, count = entry_of(other_a, other_a, i, small_form, p)
        rest = a[i] - ((g << p.count_bits) + count)
        rest_h = b[i] - h
        if large_form == PACKED:
            g = rest >> p.count_bits
            count = rest & ((1 << p.count_bits) - 1)
            rest = (((g << p.h_bits) + rest_h) << p.block_bits) + count
        a[i] = rest
        b[i] = rest_h
