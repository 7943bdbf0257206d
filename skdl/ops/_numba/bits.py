"""Comparing bits in one pass (compiled)."""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.ops._numba.team import Direct


@Direct
def differences(a, b, out):  # type: ignore[no-untyped-def]
    """The bits in which some integers differ, those of all together."""
    bits = a.dtype.type(0)
    for i in range(a.size):
        bits |= a[i] ^ b[i]
    out[0] = bits


def same(a: Array, b: Array) -> bool:
    """Twin of `skdl.ops.bits.same_bits`, of integers."""
    out = np.empty(1, a.dtype)
    differences(a.dtype, a, b, out)
    return not out[0]
