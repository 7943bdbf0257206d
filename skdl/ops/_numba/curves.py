"""exp, tanh and the sigmoid as a few multiplications that LLVM makes vectors of.

All rest on eˣ − 1 = 2ᵏ·q(r) + (2ᵏ − 1) with x = k·ln 2 + r, |r| ≤ ½·ln 2, and q the
beginning of the series of eʳ − 1. That is exact near 0, so with m = e²ˣ − 1 the
*relative* error of tanh x = m/(m + 2) is small everywhere. Adding 1½ times two to the
number of mantissa bits rounds to integers, and leaves k in the lowest bits, of which 2ᵏ
is made. Errors: three units in the last place. NaN stays.

Library functions for single numbers would cost ten times as much.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from numba import types
from numba.core import cgutils
from numba.core.cgutils import ir
from numba.extending import intrinsic


class _Format(NamedTuple):
    """Bits of a kind of numbers, terms of the series, and where x is cut."""

    bits: int
    mantissa: int
    bias: int
    terms: int
    low: float
    high: float
    ln2_high: float  # of few bits: its product with k is exact


_FORMATS = {
    types.float32: _Format(32, 23, 127, 6, -87.0, 88.0, 0.693359375),
    types.float64: _Format(64, 52, 1023, 12, -708.0, 709.0, 0.693147180369123816490),
}
_LN2 = math.log(2.0)
_LN2_LOW = {  # ln 2 − ln2_high, to the last digit
    types.float32: _LN2 - 0.693359375,
    types.float64: 1.90821492927058770002e-10,
}


class _Writer:
    """Writes the instructions for one number."""

    def __init__(self, builder: Any, number: Any, kind: Any) -> None:
        self.builder, self.kind = builder, kind
        self.format, self.low_part = _FORMATS[number], _LN2_LOW[number]

    def constant(self, value: float) -> Any:
        return ir.Constant(self.kind, value)

    def multiply_add(self, x: Any, y: Any, z: Any) -> Any:
        function = cgutils.get_or_insert_function(
            self.builder.module,
            ir.FunctionType(self.kind, [self.kind] * 3),
            f"llvm.fmuladd.f{self.format.bits}",
        )
        return self.builder.call(function, [x, y, z])

    def cut(self, x: Any) -> Any:
        """Return x within the range where 2ᵏ is finite; written so that NaN stays."""
        builder = self.builder
        for sign, bound in (("<", self.format.low), (">", self.format.high)):
            beyond = builder.fcmp_ordered(sign, x, self.constant(bound))
            x = builder.select(beyond, self.constant(bound), x)
        return x

    def parts(self, x: Any) -> tuple[Any, Any]:
        """Return 2ᵏ and q(r)."""
        builder, f = self.builder, self.format
        x = self.cut(x)
        shift = self.constant(1.5 * 2.0**f.mantissa)
        shifted = self.multiply_add(x, self.constant(1.0 / _LN2), shift)
        k = builder.fsub(self.constant(0.0), builder.fsub(shifted, shift))  # −k
        r = self.multiply_add(k, self.constant(f.ln2_high), x)
        r = self.multiply_add(k, self.constant(self.low_part), r)
        series = [1.0 / math.factorial(i + 2) for i in range(f.terms)]
        p = self.constant(series[-1])
        for coefficient in series[-2::-1]:
            p = self.multiply_add(p, r, self.constant(coefficient))
        q = self.multiply_add(builder.fmul(p, r), r, r)
        whole = ir.IntType(f.bits)
        bits = builder.shl(builder.bitcast(shifted, whole), whole(f.mantissa))
        bits = builder.add(bits, whole(f.bias << f.mantissa))
        return builder.bitcast(bits, self.kind), q

    def expm1(self, x: Any) -> Any:
        s, q = self.parts(x)
        return self.multiply_add(s, q, self.builder.fsub(s, self.constant(1.0)))

    def exp(self, x: Any) -> Any:
        s, q = self.parts(x)
        return self.multiply_add(s, q, s)

    def sigmoid(self, x: Any) -> Any:
        m = self.expm1(self.builder.fsub(self.constant(0.0), x))
        below = self.builder.fadd(self.constant(2.0), m)
        return self.builder.fdiv(self.constant(1.0), below)

    def tanh(self, x: Any) -> Any:
        m = self.expm1(self.builder.fadd(x, x))
        return self.builder.fdiv(m, self.builder.fadd(m, self.constant(2.0)))


def _curve(write: Callable[[_Writer, Any], Any]) -> Any:
    @intrinsic
    def curve(typingctx: Any, x: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return write(_Writer(builder, x, args[0].type), args[0])

        return x(x), codegen

    return curve


exp = _curve(_Writer.exp)  # 0 below the range is the smallest normal number here
sigmoid = _curve(_Writer.sigmoid)
tanh = _curve(_Writer.tanh)
