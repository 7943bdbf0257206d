"""Products of neighbours: each number of A is loaded once for several rows.

Pixels that follow each other see the same columns of an image through their windows,
one entry further each. `skdl.ops._numba.tile` loads a number once for each product of a
tile one vector wide; here it meets all entries of a line of the filter at once. The
processor's loads, not its multiplications, limit such tiles, all the more where another
thread runs on the same core: these take 0.68 to 0.9 of the time.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.cgutils import ir
from numba.extending import intrinsic

from skdl.ops._numba._inner import emit_barrier
from skdl.ops._numba.tile import FROM_B, MANY, Tile
from skdl.ops._numba.vector import Emitter

SPAN = 3  # entries of a line of the filter
MR_SLIDING = (16, 8, 7)  # rows of a tile: whole tiles fill the lines of common sizes


def fits_registers(mr: int, nv: int) -> bool:
    """Return whether a sliding tile's sums and factors fit into the registers.

    Parameters
    ----------
    mr : int
        Rows of the tile.
    nv : int
        Vectors of columns, or HALF of one.

    Returns
    -------
    fits : bool
        Up to 8 sums with 16 registers, 16 with more. Not those of half vectors, which
        are for the smallest products.
    """
    return nv > 0 and (mr * nv <= 8 or (MANY and mr * nv <= 16))


class _SlidingTile(Tile):
    """Writes the code of a tile whose rows follow each other."""

    def slide(
        self, span: int, counts: tuple[Any, Any], strides: tuple[Any, ...]
    ) -> None:
        """Run both loops of the sum, each number of A for all rows that it is in."""
        builder, size, (n_outer, n_inner) = self.builder, self.size, counts
        a_outer, b_outer, b_inner = strides
        places = [
            builder.gep(self.a_rows[0], [builder.mul(a_outer, size(i))])
            for i in range(self.mr + span - 1)
        ]
        b_apart = builder.mul(n_inner, b_inner)
        with cgutils.for_range(builder, n_outer) as outer:
            a_step = builder.load(builder.gep(self.steps, [outer.index]))
            b_step = builder.mul(outer.index, b_outer)
            with cgutils.for_range(builder, n_inner) as inner:
                emit_barrier(builder)
                a_at = builder.add(a_step, inner.index)
                b_at = builder.add(b_step, builder.mul(inner.index, b_inner))
                b = {}
                for s in range(span):
                    at = builder.add(b_at, builder.mul(b_apart, size(s)))
                    row = builder.gep(self.b, [at])
                    for j in range(self.nv):
                        b[s, j] = self.load(self.at(row, self.column(j)))
                for i, place in enumerate(places):
                    a = self.splat(builder.load(builder.gep(place, [a_at])))
                    for s in range(max(0, i - self.mr + 1), min(span, i + 1)):
                        for j in range(self.nv):
                            old = builder.load(self.sums[i - s, j])
                            new = self.multiply_add(a, b[s, j], old)
                            builder.store(new, self.sums[i - s, j])


@intrinsic(prefer_literal=True)
def sliding_tile(  # type: ignore[no-untyped-def]
    typingctx,
    mr,
    nv,
    span,
    a,
    a0,
    rows,
    r0,
    steps,
    s0,
    b,
    b0,
    c,
    c0,
    c_rows,
    q0,
    n_outer,
    n_inner,
    a_outer,
    b_outer,
    b_inner,
    columns,
    floor,
):
    """Compute a tile whose rows follow each other in A.

        C[out_i + j] ← start_j
            + Σ_o Σ_s Σ_k A[row_0 + step_o + (i + s)·a_outer + k]
                          · B[o·b_outer + (s·n_inner + k)·b_inner + j]

    with s < span, as neighbouring pixels of a convolution have it: each number of A is
    loaded once for up to `span` products, where `tile` loads it for each.
    """
    arrays = (a, rows, steps, b, c, c_rows)
    number = a.dtype
    pairs = [x for array in arrays for x in (array, types.intp)]
    signature = types.void(mr, nv, span, *pairs, *[types.intp] * 6, number)
    form = mr.literal_value, nv.literal_value, FROM_B

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        emitter = Emitter(context, builder, number)
        pointers = [
            emitter.pointer(sig.args[k], args[k], args[k + 1]) for k in range(3, 15, 2)
        ]
        n_outer, n_inner, a_outer, b_outer, b_inner, columns, floor = args[15:]
        tile = _SlidingTile(context, builder, number, form, False, pointers)
        tile.begin(b_inner)
        tile.slide(span.literal_value, (n_outer, n_inner), (a_outer, b_outer, b_inner))
        tile.store_tile(tile.results(floor), columns)
        return context.get_dummy_value()

    return signature, codegen


class _SlidingSums(Emitter):
    """Writes the code of `sliding_sums`: mr channels and the entries of a line."""

    def __init__(self, context: Any, builder: Any, number: Any, mr: int, span: int):
        super().__init__(context, builder, number)
        self.mr, self.span = mr, span
        zero = ir.Constant(self.vector, [0.0] * self.width)
        self.sums = [
            [cgutils.alloca_once_value(builder, zero) for _ in range(mr)]
            for _ in range(span)
        ]
        for line in self.sums:
            for place in line:
                builder.store(zero, place)

    def add_pixel(self, a: Any, factors: dict[int, Any]) -> None:
        """Add the products of a pixel's channels for some entries of the line."""
        builder = self.builder
        for i in range(self.mr):
            place = builder.gep(a, [ir.IntType(64)(i)])
            x = self.splat(builder.load(place))
            for s, factor in factors.items():
                old = builder.load(self.sums[s][i])
                builder.store(self.multiply_add(x, factor, old), self.sums[s][i])

    def add_line(self, a: Any, b: Any, n: Any, a_inner: Any, b_inner: Any) -> None:
        """Add the products of n pixels of a line of B."""
        builder, span, size = self.builder, self.span, n.type

        def pixel(index: Any) -> Any:
            return builder.gep(a, [builder.mul(index, a_inner)])

        # What B had at the last pixels, the latest first.
        last = [cgutils.alloca_once(builder, self.vector) for _ in range(span - 1)]
        before: list[Any] = []
        for q in range(span - 1):
            before.insert(0, self.load(self.at(b, builder.mul(size(q), b_inner))))
            self.add_pixel(pixel(size(q)), dict(enumerate(before)))
        for vector, place in zip(before, last, strict=True):
            builder.store(vector, place)
        with cgutils.for_range(builder, builder.sub(n, size(span - 1))) as loop:
            emit_barrier(builder)
            index = builder.add(loop.index, size(span - 1))
            before = [self.load(self.at(b, builder.mul(index, b_inner)))]
            before += [builder.load(place) for place in last]
            self.add_pixel(pixel(index), dict(enumerate(before)))
            for vector, place in zip(before, last, strict=False):
                builder.store(vector, place)
        for q in range(1, span):  # beyond the line of B
            index = builder.add(n, size(q - 1))
            before = [builder.load(place) for place in last[: span - q]]
            self.add_pixel(pixel(index), dict(enumerate(before, start=q)))

    def add_to(self, c: Any, outs: Any) -> None:
        """Add the sums to C."""
        builder, number = self.builder, 0
        for line in self.sums:
            for place in line:
                out = builder.load(builder.gep(outs, [ir.IntType(64)(number)]))
                target = self.at(c, out)
                value = builder.fadd(self.load(target), builder.load(place))
                self.store(value, target)
                number += 1


@intrinsic(prefer_literal=True)
def sliding_sums(  # type: ignore[no-untyped-def]
    typingctx,
    mr,
    span,
    a,
    a0,
    steps,
    s0,
    b,
    b0,
    c,
    c0,
    c_rows,
    q0,
    n_outer,
    n_inner,
    a_inner,
    b_outer,
    b_inner,
):
    """Add a tile of one vector of columns, each number of A for several rows, to C.

        C[out_(s·mr + i) + j] += Σ_o Σ_q A[step_o + (q + s)·a_inner + i]
                                       · B[o·b_outer + q·b_inner + j]

    for i < mr and s < span: the gradient to `span` neighbouring entries of a filter, mr
    channels of each. Of q there are at least span − 1.
    """
    arrays = (a, steps, b, c, c_rows)
    number = a.dtype
    pairs = [x for array in arrays for x in (array, types.intp)]
    signature = types.void(mr, span, *pairs, *[types.intp] * 5)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        emitter = _SlidingSums(
            context, builder, number, mr.literal_value, span.literal_value
        )
        a, steps, b, c, outs = (
            emitter.pointer(sig.args[k], args[k], args[k + 1]) for k in range(2, 12, 2)
        )
        n_outer, n_inner, a_inner, b_outer, b_inner = args[12:]
        with cgutils.for_range(builder, n_outer) as outer:
            step = builder.load(builder.gep(steps, [outer.index]))
            line = builder.gep(b, [builder.mul(outer.index, b_outer)])
            emitter.add_line(builder.gep(a, [step]), line, n_inner, a_inner, b_inner)
        emitter.add_to(c, outs)
        return context.get_dummy_value()

    return signature, codegen
