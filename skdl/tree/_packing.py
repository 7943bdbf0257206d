"""Gradients and Hessians as integers.

Sums of integers are exact in any order: histograms do not depend on the number of
threads, a sibling is an exact difference, and two engines give the same trees. The
scales are powers of two, so that a row of weight 2 counts as two rows do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LOG_BLOCK = 12  # the compiled engine unpacks its sums after 4096 rows


@dataclass
class Packing:
    """How the numbers of a tree are packed.

    Parameters
    ----------
    newton : bool
        Whether rows have Hessians of their own.
    count_bits : int
        Bits of the count in the wide sums ``gradient << count_bits | count``.
    block : int
        Rows that are summed in packed form, where `newton`.
    block_bits, h_bits : int
        Bits of the count and of the Hessian in such a sum.
    g_scale, h_scale : float
        Quantised = round(value · scale).
    """

    newton: bool
    count_bits: int
    block: int
    block_bits: int
    h_bits: int
    g_scale: float
    h_scale: float

    @property
    def g_shift(self) -> int:
        """Position of the gradient in a packed row."""
        return self.h_bits + self.block_bits if self.newton else self.count_bits

    @property
    def h_shift(self) -> int:
        """Position of the Hessian in a packed row."""
        return self.block_bits


def make_packing(
    n: int, g_max: float, h_max: float, newton: bool, h_constant: float = 1.0
) -> Packing:
    """Choose scales such that no sum over n rows overflows.

    Parameters
    ----------
    n : int
        Number of rows.
    g_max, h_max : float
        Largest |gradient| and Hessian.
    newton : bool
        Whether rows have Hessians of their own.
    h_constant : float, default=1.0
        The Hessian of every row, where they have none.

    Returns
    -------
    packing : Packing
        Bits and scales.
    """
    count_bits = n.bit_length()
    # Up to 2**19 rows a packed sum is exact also in a float64, for NumPy's bincount.
    exact = 52 - 2 * count_bits
    g_bits = min(30, exact if exact >= 14 else 62 - 2 * count_bits)
    if not newton:
        scale = power_of_two(g_max, g_bits)
        return Packing(False, count_bits, n, 0, 0, scale, 1.0 / h_constant)
    log_block = min(LOG_BLOCK, (n - 1).bit_length())
    free = 62 - 3 * log_block
    h_bits = min(28, (free - 2) // 2)
    g_bits = min(g_bits, free - h_bits)
    return Packing(
        True,
        count_bits,
        1 << log_block,
        log_block + 1,
        h_bits + log_block,
        power_of_two(g_max, g_bits),
        power_of_two(h_max, h_bits),
    )


def power_of_two(largest: float, bits: int) -> float:
    """Return the greatest power of two with round(largest · scale) < 2**bits.

    Parameters
    ----------
    largest : float
        The largest value; not negative, finite.
    bits : int
        Bits of the integers.

    Returns
    -------
    scale : float
        The scale; 1 where `largest` is 0.
    """
    if largest == 0:
        return 1.0
    exponent = min(bits - math.frexp(largest)[1], 1000)
    if round(math.ldexp(largest, exponent)) >= 1 << bits:
        exponent -= 1
    return math.ldexp(1.0, exponent)
