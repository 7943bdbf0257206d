"""The transforms of Winograd's way, vector by vector (compiled)."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core.cgutils import ir
from numba.extending import intrinsic

from skdl.ops._numba.vector import Emitter
from skdl.ops.winograd import FILTERS, INPUT, OUTPUT

TURNED = [tuple(zip(*matrix, strict=True)) for matrix in (OUTPUT, FILTERS)]
MATRICES = INPUT, OUTPUT, FILTERS, *TURNED
TO_PATCH, TO_TILE, TO_FILTER, FROM_TILE, FROM_FILTER = range(5)


def _pairs(matrix: Any) -> list[tuple[int, int]]:
    """Return pairs of rows p + q and p − q, where p and q have no column in common."""
    pairs: list[tuple[int, int]] = []
    taken: set[int] = set()
    for i, first in enumerate(matrix):
        for j in range(i + 1, len(matrix)):
            second = matrix[j]
            mirrored = all(abs(a) == abs(b) for a, b in zip(first, second, strict=True))
            if mirrored and first != second and not taken & {i, j}:
                pairs.append((i, j))
                taken |= {i, j}
    return pairs


class _Transform(Emitter):
    """Writes b = M·a for vectors of lanes, with few operations.

    Winograd's matrices have pairs of rows p ± q, and their transposes pairs of columns:
    two sums are made of what is one sum of half the terms, and a sum and a difference.
    """

    def product(self, matrix: Any, a: list[Any]) -> list[Any]:
        """Return the vectors b."""
        turned = tuple(zip(*matrix, strict=True))
        if len(matrix) < len(turned):
            matrix, a = self._fold(turned, a)
        pairs = _pairs(matrix)
        done: dict[int, Any] = {}
        for i, j in pairs:
            both = list(zip(matrix[i], matrix[j], strict=True))
            p = self._sum([x if x == y else 0 for x, y in both], a)
            q = self._sum([x if x != y else 0 for x, y in both], a)
            done[i], done[j] = self.builder.fadd(p, q), self.builder.fsub(p, q)
        return [
            done[i] if i in done else self._sum(row, a) for i, row in enumerate(matrix)
        ]

    def _fold(self, columns: Any, a: list[Any]) -> tuple[Any, list[Any]]:
        """Put sums and differences in place of pairs of numbers."""
        columns, a = list(columns), list(a)
        for i, j in _pairs(columns):
            both = list(zip(columns[i], columns[j], strict=True))
            columns[i] = tuple(x if x == y else 0 for x, y in both)
            columns[j] = tuple(x if x != y else 0 for x, y in both)
            a[i], a[j] = self.builder.fadd(a[i], a[j]), self.builder.fsub(a[i], a[j])
        return tuple(zip(*columns, strict=True)), a

    def _sum(self, row: Any, a: list[Any]) -> Any:
        """Return Σ row_i·a_i; a factor of 1, if there is one, comes first."""
        terms = [(x, y) for x, y in zip(row, a, strict=True) if x]
        terms.sort(key=lambda term: term[0] != 1)
        total = None
        for number, value in terms:
            factor = ir.Constant(self.vector, [float(number)] * self.width)
            if total is not None:
                total = self.multiply_add(factor, value, total)
            else:
                total = value if number == 1 else self.builder.fmul(factor, value)
        return total


@intrinsic(prefer_literal=True)
def combine(typingctx, which, a, a0, a_step, b, b0, b_step):  # type: ignore[no-untyped-def]
    """One vector of lanes: b_i = Σ_j M[i, j]·a_j, M the matrix of that number."""
    matrix = MATRICES[which.literal_value]
    signature = types.void(which, a, types.intp, types.intp, b, types.intp, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        e = _Transform(context, builder, a.dtype)
        source = e.pointer(sig.args[1], args[1], args[2])
        target = e.pointer(sig.args[4], args[4], args[5])

        def place(base: Any, step: Any, i: int) -> Any:
            return e.at(base, builder.mul(step, ir.Constant(step.type, i)))

        values = [e.load(place(source, args[3], j)) for j in range(len(matrix[0]))]
        for i, total in enumerate(e.product(matrix, values)):
            e.store(total, place(target, args[6], i))
        return context.get_dummy_value()

    return signature, codegen
