"""Gradients and Hessians as integers.

Sums of integers are exact in any order: histograms do not depend on the number of
threads, a sibling is an exact difference, and two engines give the same trees. The
scales are powers of two, so that a row of weight 2 counts as two rows do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from skdl._typing import Array

# The compiled engine unpacks its sums after so many rows (as a power of two): seldom,
# or often, so that more bits are left for values that spread over magnitudes.
LOG_BLOCKS = (12, 10, 8, 6)
LEAST_BITS = 14  # of a gradient whose sum shares a float64 with the count
SAMPLE = 1024  # rows that the spread is estimated from
ENOUGH = 6  # bits of the smallest value that matters
NEGLIGIBLE = 0.02  # share of the gain of values that may be lost


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
    def joined(self) -> bool:
        """Whether float64 adds up ``gradient << count_bits | count`` exactly."""
        return 52 - 2 * self.count_bits >= LEAST_BITS

    @property
    def g_shift(self) -> int:
        """Position of the gradient in a packed row."""
        return self.h_bits + self.block_bits if self.newton else self.count_bits

    @property
    def h_shift(self) -> int:
        """Position of the Hessian in a packed row."""
        return self.block_bits


def smallest_that_matter(g: Array, h: Array) -> tuple[float, float]:
    """Return the least |gradient| and Hessian whose rounding would be felt.

    A row can gain about g²/h. Ordered by size, the values below the returned ones stand
    for a share of `NEGLIGIBLE` of what all rows of a sample gain.

    Parameters
    ----------
    g, h : ndarray of shape (n_outputs, n)
        Gradients and Hessians.

    Returns
    -------
    g_least, h_least : float
        Not negative; 0 where no row gains.
    """
    step = max(1, g.shape[1] // SAMPLE)
    g, h = np.abs(g[:, ::step]).ravel(), h[:, ::step].ravel()
    gain = np.zeros(len(g))
    # Next to the largest Hessian, smaller ones than these are 0 in any packing.
    np.divide(g / (g.max() or 1.0), h, out=gain, where=h > 1e-12 * h.max())
    gain *= g
    least = []
    for values in (g, h):
        order = np.argsort(values)
        share = np.cumsum(gain[order])
        at = np.searchsorted(share, NEGLIGIBLE * share[-1], side="right")
        least.append(float(values[order[min(at, len(order) - 1)]]))
    return least[0], least[1]


def make_packing(
    n: int,
    g_max: float,
    h_max: float,
    newton: bool,
    h_constant: float = 1.0,
    g_least: float = 0.0,
    h_least: float = 0.0,
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
    g_least, h_least : float, default=0.0
        The smallest values that should keep `ENOUGH` bits, where `newton`; 0: any.

    Returns
    -------
    packing : Packing
        Bits and scales.
    """
    count_bits = n.bit_length()
    # Below 2**19 rows such a sum is exact also in a float64, for the NumPy engine.
    exact = 52 - 2 * count_bits
    exact_bits = min(30, exact if exact >= LEAST_BITS else 62 - 2 * count_bits)
    if not newton:
        scale = power_of_two(g_max, exact_bits)
        return Packing(False, count_bits, n, 0, 0, scale, 1.0 / h_constant)
    for log_block in LOG_BLOCKS:
        log_block = min(log_block, (n - 1).bit_length())
        free = 62 - 3 * log_block
        h_bits = min(28, (free - 2) // 2)
        g_bits = min(exact_bits, free - h_bits)
        g_short = bits_of(g_max, g_least) + ENOUGH - g_bits
        h_short = bits_of(h_max, h_least) + ENOUGH - h_bits
        # Gradients have no more bits than `exact_bits` however short the blocks.
        if h_short <= 0 and (g_short <= 0 or g_bits == exact_bits):
            break
    return Packing(
        True,
        count_bits,
        1 << log_block,
        log_block + 1,
        h_bits + log_block,
        power_of_two(g_max, g_bits),
        power_of_two(h_max, h_bits),
    )


def bits_of(largest: float, least: float) -> float:
    """Return how many bits lie between two values; 0 where one of them is 0."""
    if not 0 < least < largest:
        return 0.0
    return math.log2(largest) - math.log2(least)


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
