"""Histograms of packed integers (compiled).

A row's quantised gradient, Hessian and a one for the count share an int64. The sum over
at most `BLOCK` rows cannot carry from one field into the next; block by block the sums
are unpacked into two wide arrays, ``a = gradient << count_bits | count`` and
``b = Hessian``. Where the Hessian is the same for all rows, the rows are packed as `a`
is and one block takes them all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from skdl.tree._numba._inner import inner

N_SLOTS = 256  # bins of one feature in the scratch memory, missing included
_AHEAD = 24  # rows that a prefetch runs ahead


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
def accumulate(bins, rows, values, start, end, width, identity, scratch):  # type: ignore[no-untyped-def]
    """Add values[start:end], of the rows rows[start:end], to the rows' bins.

    bins : uint8 (n, stride); scratch : int64 (width, N_SLOTS).
    """
    if identity:
        for i in range(start, end):
            value = values[i]
            for j in range(width):
                scratch[j, bins[i, j]] += value
        return
    last = end - 1
    for i in range(start, end):
        row = rows[i]
        value = values[i]
        prefetch(bins, np.intp(rows[min(i + _AHEAD, last)]))
        for j in range(width):
            scratch[j, bins[row, j]] += value


@inner
def flush_constant(scratch, first, width, offsets, a):  # type: ignore[no-untyped-def]
    """Move the scratch memory of constant-Hessian rows to `a`, and clear it."""
    for j in range(width):
        start = offsets[first + j]
        for i in range(offsets[first + j + 1] - start):
            a[start + i] = scratch[j, i]
            scratch[j, i] = 0


@inner
def flush(scratch, first, width, offsets, fresh, p, a, b):  # type: ignore[no-untyped-def]
    """Unpack the scratch memory to `a` and `b`, and clear it.

    fresh : whether it is the first block of the node, which overwrites.
    """
    count_mask = (1 << p.block_bits) - 1
    h_mask = (1 << p.h_bits) - 1
    g_shift = p.h_bits + p.block_bits
    for j in range(width):
        start = offsets[first + j]
        n = offsets[first + j + 1] - start
        if fresh:
            for i in range(n):
                value = scratch[j, i]
                g, count = value >> g_shift, value & count_mask
                a[start + i] = (g << p.count_bits) + count
                b[start + i] = (value >> p.block_bits) & h_mask
                scratch[j, i] = 0
        else:
            for i in range(n):
                value = scratch[j, i]
                g, count = value >> g_shift, value & count_mask
                a[start + i] += (g << p.count_bits) + count
                b[start + i] += (value >> p.block_bits) & h_mask
                scratch[j, i] = 0


@inner
def subtract(a, other, start, end):  # type: ignore[no-untyped-def]
    """a[start:end] −= other[start:end]."""
    for i in range(start, end):
        a[i] -= other[i]
