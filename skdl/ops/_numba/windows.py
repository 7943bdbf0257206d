"""Vectors of channels over the entries of windows: maxima and their gradients."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.cgutils import ir
from numba.extending import intrinsic

from skdl.ops._numba.vector import Emitter

MR_WINDOWS = 4  # windows or pixels at a time
_ENTRY = ir.IntType(16)


class _Entries(Emitter):
    """Writes loops over the entries of a few windows, one vector of channels wide."""

    def __init__(self, context: Any, builder: Any, number: Any) -> None:
        super().__init__(context, builder, number)
        self.size = context.get_value_type(types.intp)
        # Entries are compared in lanes as wide as the numbers.
        self.whole = ir.IntType(8 * self.align)
        self.indices = ir.VectorType(self.whole, self.width)
        self.stored = ir.VectorType(_ENTRY, self.width)

    def places(self, base: Any, table: Any) -> list[Any]:
        """Return the addresses that a table of offsets names."""
        builder = self.builder
        return [
            builder.gep(base, [builder.load(builder.gep(table, [self.size(i)]))])
            for i in range(MR_WINDOWS)
        ]

    def variables(self, kind: Any, value: Any) -> list[Any]:
        """Return one variable for each window."""
        found = [cgutils.alloca_once(self.builder, kind) for _ in range(MR_WINDOWS)]
        for variable in found:
            self.builder.store(value, variable)
        return found

    def spread(self, index: Any) -> Any:
        """Return a vector of one index."""
        index = self.builder.trunc(index, self.whole) if self.align < 8 else index
        undefined = ir.Constant(self.indices, ir.Undefined)
        one = self.builder.insert_element(undefined, index, ir.IntType(32)(0))
        return self.lanes(one, [0] * self.width)

    def number(self, value: float) -> Any:
        return ir.Constant(self.vector, [value] * self.width)


@intrinsic
def largest(  # type: ignore[no-untyped-def]
    typingctx, x, x0, rows, r0, steps, s0, n, y, which, y0, outs, q0, columns
):
    """The largest number of MR_WINDOWS windows, and which entry it is.

    Parameters
    ----------
    x, y : float ndarray of shape (any,)
        Images and maxima; x is read in whole vectors.
    which : uint16 ndarray of shape (any,)
        Receives the entries.
    rows, outs, steps : int64 ndarray of shape (any,)
        Offsets of windows in x and in y, and of entries within a window.
    x0, y0, r0, q0, s0 : int
        Where all of them begin.
    n : int
        Number of entries.
    columns : int
        Channels that are stored, if fewer than a vector has.
    """
    signature = types.void(
        x, types.intp, rows, types.intp, steps, types.intp, types.intp,
        y, which, types.intp, outs, types.intp, types.intp,
    )  # fmt: skip

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        e = _Entries(context, builder, x.dtype)
        at = {k: e.pointer(sig.args[k], args[k], args[k + 1]) for k in (0, 2, 4, 8, 10)}
        y_at = e.pointer(sig.args[7], args[7], args[9])
        windows = e.places(at[0], at[2])
        best = e.variables(e.vector, e.number(float("-inf")))
        chosen = e.variables(e.indices, ir.Constant(e.indices, [0] * e.width))
        with cgutils.for_range(builder, args[6]) as loop:
            step = builder.load(builder.gep(at[4], [loop.index]))
            index = e.spread(loop.index)
            for i in range(MR_WINDOWS):
                value = e.load(e.at(windows[i], step))
                old = builder.load(best[i])
                more = builder.fcmp_ordered(">", value, old)
                better = builder.or_(more, builder.fcmp_unordered("uno", value, value))
                builder.store(builder.select(better, value, old), best[i])
                kept = builder.select(better, index, builder.load(chosen[i]))
                builder.store(kept, chosen[i])
        numbers, entries = e.places(y_at, at[10]), e.places(at[8], at[10])
        pairs = []
        for i in range(MR_WINDOWS):
            pairs.append((builder.load(best[i]), numbers[i]))
            pairs.append((builder.trunc(builder.load(chosen[i]), e.stored), entries[i]))
        e.store_columns(pairs, args[12])
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def gathered(  # type: ignore[no-untyped-def]
    typingctx,
    dy,
    d0,
    which,
    w0,
    rows,
    r0,
    steps,
    s0,
    entries,
    n,
    dx,
    x0,
    outs,
    q0,
    columns,
):
    """The gradient of MR_WINDOWS pixels: from those windows whose maximum they are.

    Parameters
    ----------
    dy : float ndarray of shape (any,)
        Gradients of the maxima; read in whole vectors, as `which` is.
    which : uint16 ndarray of shape (any,)
        Entries of the maxima.
    rows, outs, steps : int64 ndarray of shape (any,)
        Offsets of pixels in dy and in dx, and of the windows that have them.
    entries : int64 ndarray of shape (any,)
        As which entry each of these windows has a pixel; in step with `steps`.
    d0, w0, x0, r0, q0, s0 : int
        Where all of them begin.
    n : int
        Number of windows that have a pixel.
    dx : float ndarray of shape (any,)
        Receives the gradients.
    columns : int
        Channels that are stored, if fewer than a vector has.
    """
    signature = types.void(
        dy, types.intp, which, types.intp, rows, types.intp, steps, types.intp,
        entries, types.intp, dx, types.intp, outs, types.intp, types.intp,
    )  # fmt: skip

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        e = _Entries(context, builder, dy.dtype)

        def pointer(array: int, offset: int) -> Any:
            return e.pointer(sig.args[array], args[array], args[offset])

        rows_at, steps_at, names = pointer(4, 5), pointer(6, 7), pointer(8, 7)
        windows = e.places(pointer(0, 1), rows_at)
        maxima = e.places(pointer(2, 3), rows_at)
        sums = e.variables(e.vector, e.number(0.0))
        with cgutils.for_range(builder, args[9]) as loop:
            step = builder.load(builder.gep(steps_at, [loop.index]))
            name = e.spread(builder.load(builder.gep(names, [loop.index])))
            for i in range(MR_WINDOWS):
                value = e.load(e.at(windows[i], step))
                found = builder.load(e.at(maxima[i], step, e.stored), align=2)
                here = builder.icmp_unsigned("==", builder.zext(found, e.indices), name)
                share = builder.select(here, value, e.number(0.0))
                total = builder.fadd(builder.load(sums[i]), share)
                builder.store(total, sums[i])
        pixels = e.places(pointer(10, 11), pointer(12, 13))
        pairs = [(builder.load(sums[i]), pixels[i]) for i in range(MR_WINDOWS)]
        e.store_columns(pairs, args[14])
        return context.get_dummy_value()

    return signature, codegen
