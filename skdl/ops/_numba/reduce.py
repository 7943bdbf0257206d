"""The sum, the product and the maximum of a row, several vectors wide.

LLVM may not change the order of a sum of floating-point numbers, and so adds them one
by one; here the order is one of vectors from the beginning.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.cgutils import ir
from numba.extending import intrinsic

from skdl.ops._numba.vector import Emitter

_SUMS = 4  # vectors that are added to side by side


def _add(builder: Any, a: Any, b: Any) -> Any:
    return builder.fadd(a, b)


def _multiply(builder: Any, a: Any, b: Any) -> Any:
    return builder.fmul(a, b)


def _larger(builder: Any, a: Any, b: Any) -> Any:
    """Return the larger one; a NaN of a stays."""
    return builder.select(builder.fcmp_ordered("<", a, b), b, a)


def _reduction(join: Any, start: float) -> Any:
    @intrinsic
    def reduction(typingctx: Any, a: Any, a0: Any, n: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            emitter = Emitter(context, builder, sig.args[0].dtype)
            base = emitter.pointer(sig.args[0], args[0], args[1])
            size, width = context.get_value_type(types.intp), emitter.width
            first = ir.Constant(emitter.vector, [start] * width)
            sums = [
                cgutils.alloca_once_value(builder, first, name="sum")
                for _ in range(_SUMS)
            ]
            for variable in sums:
                builder.store(first, variable)
            whole = builder.sdiv(args[2], size(_SUMS * width))
            with cgutils.for_range(builder, whole) as loop:
                at = builder.mul(loop.index, size(_SUMS * width))
                for k, variable in enumerate(sums):
                    place = emitter.at(base, builder.add(at, size(k * width)))
                    value = emitter.load(place)
                    builder.store(
                        join(builder, builder.load(variable), value), variable
                    )
            values = [builder.load(variable) for variable in sums]
            value = values[0]
            for other in values[1:]:
                value = join(builder, value, other)
            result = builder.extract_element(value, ir.IntType(32)(0))
            for i in range(1, width):
                lane = builder.extract_element(value, ir.IntType(32)(i))
                result = join(builder, result, lane)
            total = cgutils.alloca_once_value(builder, result)
            builder.store(result, total)
            begin = builder.mul(whole, size(_SUMS * width))
            with cgutils.for_range(builder, builder.sub(args[2], begin)) as loop:
                place = builder.gep(base, [builder.add(begin, loop.index)])
                value = builder.load(place)
                builder.store(join(builder, builder.load(total), value), total)
            return builder.load(total)

        return sig_of(a)(a, types.intp, types.intp), codegen

    def sig_of(a: Any) -> Any:
        return a.dtype

    return reduction


sum_of = _reduction(_add, 0.0)
product_of = _reduction(_multiply, 1.0)
largest_of = _reduction(_larger, float("-inf"))
