"""Vectors as wide as the CPU's registers, as LLVM code."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.cgutils import ir
from numba.core.registry import cpu_target
from numba.extending import intrinsic


def _vector_bytes() -> int:
    """Return the bytes of the widest vector register that Numba compiles for."""
    features = set(cpu_target.target_context.codegen().magic_tuple()[2].split(","))
    if "+avx512f" in features:
        return 64
    return 32 if features & {"+avx", "+avx2"} else 16


BYTES = _vector_bytes()
HALF = 0  # in place of a number of vectors: half of one


def bytes_of(nv: int) -> int:
    """Return the bytes of so many vectors, or of HALF of one."""
    return nv * BYTES if nv else BYTES // 2


class Emitter:
    """Writes vector instructions for numbers of one type.

    Vectors have `n_bytes` bytes: as many as a register, or half of that.
    """

    def __init__(
        self, context: Any, builder: Any, number: Any, n_bytes: int = BYTES
    ) -> None:
        self.context, self.builder = context, builder
        self.scalar = context.get_value_type(number)
        self.align = context.get_abi_sizeof(self.scalar)
        self.width = n_bytes // self.align
        self.vector = ir.VectorType(self.scalar, self.width)

    def pointer(self, array_type: Any, array: Any, offset: Any) -> Any:
        """Return the address of an entry of a 1-D array."""
        data = self.context.make_array(array_type)(self.context, self.builder, array)
        return self.builder.gep(data.data, [offset])

    def at(self, base: Any, offset: Any, kind: Any = None) -> Any:
        """Return the address of what lies beyond another; a vector if not said."""
        place = self.builder.gep(base, [offset])
        return self.builder.bitcast(place, (kind or self.vector).as_pointer())

    def load(self, place: Any) -> Any:
        return self.builder.load(place, align=self.align)

    def store(self, value: Any, place: Any) -> None:
        self.builder.store(value, place, align=self.align)

    def lanes(self, value: Any, which: list[int]) -> Any:
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(which)), which)
        return self.builder.shuffle_vector(value, value, mask)

    def splat(self, value: Any) -> Any:
        """Return a vector of one number."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(undefined, value, ir.IntType(32)(0))
        return self.lanes(one, [0] * self.width)

    def multiply_add(self, x: Any, y: Any, z: Any) -> Any:
        """Return x·y + z, fused where the CPU can.

        Where it cannot, llvm.fma would be a call for each lane.
        """
        function = cgutils.get_or_insert_function(
            self.builder.module,
            ir.FunctionType(self.vector, [self.vector] * 3),
            f"llvm.fmuladd.v{self.width}f{8 * self.align}",
        )
        return self.builder.call(function, [x, y, z])

    def store_first(self, value: Any, base: Any, count: Any) -> None:
        """Store the first `count` lanes of a vector, fewer than it has.

        In pieces that are powers of two: masked stores are slow on some CPUs.
        """
        builder, size = self.builder, count.type
        align = self.context.get_abi_sizeof(value.type.element)
        keep = cgutils.alloca_once_value(builder, value)
        place = cgutils.alloca_once_value(builder, base)
        piece = self.width // 2
        while piece:
            has = builder.and_(count, size(piece))
            with builder.if_then(builder.icmp_unsigned("!=", has, size(0))):
                value, base = builder.load(keep), builder.load(place)
                kind = ir.VectorType(value.type.element, piece)
                first = self.lanes(value, list(range(piece)))
                place_of_piece = self.at(base, size(0), kind)
                builder.store(first, place_of_piece, align=align)
                turned = [(i + piece) % self.width for i in range(self.width)]
                builder.store(self.lanes(value, turned), keep)
                builder.store(builder.gep(base, [size(piece)]), place)
            piece //= 2

    def store_columns(self, pairs: list[tuple[Any, Any]], columns: Any) -> None:
        """Store vectors at addresses of numbers: so many of their first lanes."""
        builder, size = self.builder, columns.type
        whole = builder.icmp_signed(">=", columns, size(self.width))
        with builder.if_else(whole) as (yes, no):
            with yes:
                for value, base in pairs:
                    place = self.at(base, size(0), value.type)
                    align = self.context.get_abi_sizeof(value.type.element)
                    builder.store(value, place, align=align)
            with no:
                some = builder.icmp_signed(">", columns, size(0))
                with builder.if_then(some):
                    for value, base in pairs:
                        self.store_first(value, base, columns)


def _copies(number: Any, n: int) -> Any:
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        emitter = Emitter(context, builder, number)
        kind = ir.VectorType(emitter.scalar, n)
        zero = context.get_value_type(types.intp)(0)
        source, target = (
            emitter.at(emitter.pointer(sig.args[k], *args[k : k + 2]), zero, kind)
            for k in (1, 3)
        )
        emitter.store(emitter.load(source), target)
        return context.get_dummy_value()

    return codegen


@intrinsic(prefer_literal=True)
def copy(typingctx, n, a, a0, b, b0):  # type: ignore[no-untyped-def]
    """``b[b0 : b0 + n] = a[a0 : a0 + n]`` for a literal n and arrays of one type."""
    signature = types.void(n, a, types.intp, b, types.intp)
    return signature, _copies(a.dtype, n.literal_value)


@intrinsic(prefer_literal=True)
def copy_vectors(typingctx, nv, a, a0, b, b0):  # type: ignore[no-untyped-def]
    """`copy` for as many numbers as nv vectors have, nv a literal; HALF of one: 0."""
    signature = types.void(nv, a, types.intp, b, types.intp)
    n = bytes_of(nv.literal_value) * 8 // a.dtype.bitwidth
    return signature, _copies(a.dtype, n)
