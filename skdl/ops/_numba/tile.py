"""The register tile: the one product that all compiled layers stand on.

    C[out_i + j] ← start_j
                 + Σ_o Σ_k A[row_i + step_o + k·a_inner] · B[o·b_outer + k·b_inner + j]

for MR rows i and NV vectors of columns j (Georganas et al. 2019, *High-performance deep
learning via a single building block*). A's rows, the outer steps of the sum and C's
rows are where three tables of offsets say, so A need not be a matrix: with the output
pixels of an image as rows and the lines of a filter's window as steps it is a
convolution, with window entries as rows and pixels as steps its gradient to the
filters, with a table of one step, 0, a plain product.

How to use it, in a function compiled by `skdl.ops._numba._inner.entry`::

    floor = c.dtype.type(-np.inf)  # 0 for ReLU
    for p in range(n_panels):
        for r in range(0, rows.size, MR):  # rows is filled up by `fill_rows`
            tile(MR, NV, FROM_B, a, 0, rows, r, steps, 0,
                 panels, (p * depth + 1) * nr, c, p * nr, out_rows, r,
                 1, n_k, 1, 0, nr, n_columns - p * nr, floor)

* All arrays are contiguous and 1-D, numbers of one type, tables int64. Offsets are not
  checked.
* B lies in panels of ``nr = NV · BYTES // itemsize`` columns, padded with zeros to
  whole vectors; the row before the first holds what the sums start from (a bias, or
  zeros). With FROM_C instead of FROM_B the sums are added to C, without `floor`.
* mr, nv and start are literals: module-level ints or plain ones. Each use in the
  source is compiled in full; few shapes are enough: (MR, NV) and, for outputs of at
  most one vector of columns, or half of one, (MR_FEW, 1) and (MR_FEW, HALF).
* Rows left over: repeat the last entry of the tables up to a multiple of mr
  (`fill_rows`); it is computed twice, the same both times. Columns left over:
  `columns` says how many are stored.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.cgutils import ir
from numba.extending import intrinsic

from skdl._typing import Array
from skdl.ops._numba._inner import emit_barrier
from skdl.ops._numba.prefetch import emit_prefetch
from skdl.ops._numba.vector import BYTES, HALF, Emitter, bytes_of

MANY = BYTES == 64 or platform.machine().lower() in ("aarch64", "arm64")  # registers
# 6×2 vectors fill 16 registers, 8×2 suit 32; 12 rows would need more integer registers
# for their addresses than there are.
MR = 8 if MANY else 6
NV = 2
MR_FEW = 8  # with one vector of columns
FROM_B, FROM_C = 0, 1


def tile_shape(n_columns: int, dtype: Any) -> tuple[int, int, int]:
    """Return the tile for an output of so many columns.

    Parameters
    ----------
    n_columns : int
        Columns of C.
    dtype : dtype
        Type of the numbers.

    Returns
    -------
    mr, nv, nr : int
        Rows, vectors of columns and columns of the tile. If one vector has all the
        columns it is MR_FEW rows of one; of half of one if that has them and is as wide
        as some processors' arithmetic, which then takes half the time.
    """
    n_bytes = n_columns * np.dtype(dtype).itemsize
    mr, nv = MR_FEW, 1
    if n_bytes > BYTES:
        mr, nv = MR, NV
    elif 2 * n_bytes <= BYTES == 64:
        nv = HALF
    return mr, nv, bytes_of(nv) // np.dtype(dtype).itemsize


def fill_rows(rows: Array, mr: int) -> Array:
    """Repeat the last row of a table until its tiles are full.

    Parameters
    ----------
    rows : int64 ndarray of shape (n,)
        Offsets of rows, at least one.
    mr : int
        Rows of a tile.

    Returns
    -------
    filled : int64 ndarray of shape (a multiple of mr,)
        The offsets.
    """
    return np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % mr)])


class Tile(Emitter):
    """Writes the code of one tile.

    Parameters
    ----------
    context, builder, number : object
        Numba's, and the type of the numbers.
    form : tuple of int
        Rows, vectors of columns (or HALF of one), FROM_B or FROM_C.
    lanewise : bool
        Whether each column has a number of A to itself.
    pointers : list
        Addresses in a, rows, steps, b, c and c_rows.
    """

    def __init__(
        self,
        context: Any,
        builder: Any,
        number: Any,
        form: tuple[int, int, int],
        lanewise: bool,
        pointers: list[Any],
    ) -> None:
        self.mr, nv, self.start = form
        self.nv = max(nv, 1)
        super().__init__(context, builder, number, bytes_of(nv) // self.nv)
        self.lanewise = lanewise
        a, rows, self.steps, self.b, c, outs = pointers
        self.size = size = context.get_value_type(types.intp)

        def entry(table: Any, i: int) -> Any:
            return builder.load(builder.gep(table, [size(i)]))

        self.a_rows = [builder.gep(a, [entry(rows, i)]) for i in range(self.mr)]
        self.c_rows = [builder.gep(c, [entry(outs, i)]) for i in range(self.mr)]
        self.cells = [(i, j) for i in range(self.mr) for j in range(self.nv)]
        # LLVM keeps these in registers.
        self.sums = {
            cell: cgutils.alloca_once(builder, self.vector) for cell in self.cells
        }

    def column(self, j: int) -> Any:
        return self.size(j * self.width)

    def begin(self, b_inner: Any) -> None:
        """Set the sums to the row before B's first, or to 0."""
        builder = self.builder
        for i, j in self.cells:
            if self.start == FROM_B:
                before = builder.sub(self.column(j), b_inner)
                first = self.load(self.at(self.b, before))
            else:  # C is added at the end: it comes from memory meanwhile
                first = ir.Constant(self.vector, [0.0] * self.width)
                emit_prefetch(builder, self.at(self.c_rows[i], self.column(j)), True)
            builder.store(first, self.sums[i, j])

    def add_products(self, counts: tuple[Any, Any], strides: tuple[Any, ...]) -> None:
        """Run both loops of the sum."""
        builder, (n_outer, n_inner) = self.builder, counts
        a_inner, b_outer, b_inner = strides
        with cgutils.for_range(builder, n_outer) as outer:
            a_step = builder.load(builder.gep(self.steps, [outer.index]))
            b_step = builder.mul(outer.index, b_outer)
            with cgutils.for_range(builder, n_inner) as inner:
                # Unrolled loops are slower where there are few passes, and not faster
                # where there are many: nothing waits for the counter.
                emit_barrier(builder)
                a_at = builder.add(a_step, builder.mul(inner.index, a_inner))
                b_at = builder.add(b_step, builder.mul(inner.index, b_inner))
                b = builder.gep(self.b, [b_at])
                row = [self.load(self.at(b, self.column(j))) for j in range(self.nv)]
                for i in range(self.mr):
                    a = builder.gep(self.a_rows[i], [a_at])
                    x = None if self.lanewise else self.splat(builder.load(a))
                    for j in range(self.nv):
                        factor = x or self.load(self.at(a, self.column(j)))
                        old = builder.load(self.sums[i, j])
                        new = self.multiply_add(factor, row[j], old)
                        builder.store(new, self.sums[i, j])

    def results(self, floor: Any) -> dict[tuple[int, int], Any]:
        """Return the vectors to be stored."""
        builder, least, done = self.builder, self.splat(floor), {}
        for i, j in self.cells:
            value = builder.load(self.sums[i, j])
            if self.start == FROM_C:
                old = self.load(self.at(self.c_rows[i], self.column(j)))
                value = builder.fadd(old, value)
            else:  # written so that NaN stays
                low = builder.fcmp_ordered("<", value, least)
                value = builder.select(low, least, value)
            done[i, j] = value
        return done

    def store_tile(self, done: dict[tuple[int, int], Any], columns: Any) -> None:
        """Store the first so many columns."""
        builder = self.builder
        every = builder.icmp_signed(">=", columns, self.column(self.nv))
        with builder.if_else(every) as (then, otherwise):
            with then:
                for i, j in self.cells:
                    self.store(done[i, j], self.at(self.c_rows[i], self.column(j)))
            with otherwise:
                for j in range(self.nv):
                    pairs = [
                        (done[i, j], builder.gep(self.c_rows[i], [self.column(j)]))
                        for i in range(self.mr)
                    ]
                    left = builder.sub(columns, self.column(j))
                    self.store_columns(pairs, left)


def _code(literals: Any, arrays: Any, lanewise: bool) -> tuple[Any, Any]:
    """Return the signature and the code of a tile."""
    number = arrays[0].dtype
    form = tuple(literal.literal_value for literal in literals)
    pairs = [x for array in arrays for x in (array, types.intp)]
    signature = types.void(*literals, *pairs, *[types.intp] * 6, number)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        emitter = Emitter(context, builder, number)
        pointers = [
            emitter.pointer(sig.args[k], args[k], args[k + 1]) for k in range(3, 15, 2)
        ]
        n_outer, n_inner, a_inner, b_outer, b_inner, columns, floor = args[15:]
        tile = Tile(context, builder, number, form, lanewise, pointers)
        tile.begin(b_inner)
        tile.add_products((n_outer, n_inner), (a_inner, b_outer, b_inner))
        tile.store_tile(tile.results(floor), columns)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic(prefer_literal=True)
def tile(  # type: ignore[no-untyped-def]
    typingctx,
    mr,
    nv,
    start,
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
    a_inner,
    b_outer,
    b_inner,
    columns,
    floor,
):
    """Compute one tile of C; see the module's text for the formula.

    Parameters
    ----------
    mr, nv, start : literal int
        Rows, vectors of columns (or HALF of one), FROM_B or FROM_C.
    a, b, c : float ndarray of shape (any,)
        Numbers.
    a0, b0, c0 : int
        Where the tile begins in them; offsets are counted from there.
    rows, c_rows : int64 ndarray of shape (any,)
        Offsets of rows in a and c.
    r0, q0 : int
        Where the tile's mr entries begin in them.
    steps : int64 ndarray of shape (any,)
        Offsets in a of the outer steps of the sum.
    s0 : int
        Where its n_outer entries begin.
    n_outer, n_inner : int
        Number of outer steps, and of terms in each.
    a_inner, b_outer, b_inner : int
        Distances in a and b: of terms in a; of outer steps and of terms in b.
    columns : int
        Columns that are stored, if fewer than the tile has.
    floor : float
        Results below it become it: 0 for ReLU, −∞ for nothing. Unused with FROM_C.
    """
    return _code((mr, nv, start), (a, rows, steps, b, c, c_rows), False)


@intrinsic(prefer_literal=True)
def lanewise_tile(  # type: ignore[no-untyped-def]
    typingctx,
    mr,
    nv,
    start,
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
    a_inner,
    b_outer,
    b_inner,
    columns,
    floor,
):
    """Compute a tile whose columns have numbers of A of their own.

        C[out_i + j] ← start_j + Σ A[row_i + step_o + k·a_inner + j] · B[… + j]

    as a depthwise convolution wants it, whose columns are channels. A is read in whole
    vectors, also past the last column.
    """
    return _code((mr, nv, start), (a, rows, steps, b, c, c_rows), True)
