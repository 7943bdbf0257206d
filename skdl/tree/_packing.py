"""Gradients and Hessians as integers.

Sums of integers are exact in any order: histograms do not depend on the number of
threads, a sibling is an exact difference, and two engines give the same trees.

What bounds a sum of absolute values is what all rows add up to, not the number of rows
times the largest: one row far out costs the others no more bits than its share of the
sum. Scales are proportional to that bound, so that a change of units changes none of
the integers. Splits are searched in the integers themselves, where no unit overflows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skdl._typing import Array
from skdl.ops._threads import run_chunks

# The compiled engine unpacks its sums after so many rows (as a power of two). Blocks
# that are shorter yet cost more than a word for the gradient and one for the Hessian.
LOG_BLOCKS = (12, 10)
EXACT = 52  # bits of a sum that float64 holds, with one to spare
WIDE = 62  # bits of a sum that int64 holds, with one to spare
SAMPLE = 1024  # rows that the spread is estimated from
ENOUGH = 6  # bits of the smallest value that matters
NEGLIGIBLE = 0.02  # share of the gain of values that may be lost
OUTLIERS = 0.01  # share of the rows whose gain does not make that of others negligible
PEAK = 64.0  # largest over mean, up to which there are no outliers
ROWS = 65536  # rows of a chunk; the sums of chunks are added in their order
LARGEST_SCALE = 1e308


@dataclass
class Packing:
    """How the numbers of a tree are packed.

    Parameters
    ----------
    newton : bool
        Whether rows have Hessians of their own; else each counts as 1.
    count_bits : int
        Bits of the count in the wide sums ``gradient << count_bits | count``.
    block : int
        Rows that are summed in packed form, where `newton`; 0: none, a row has a word
        for gradient and count and another one for the Hessian.
    block_bits, h_bits : int
        Bits of the count and of the Hessian in such a sum.
    g_scale, h_scale : float
        Quantised = round(value · scale).
    joined : bool
        Whether float64 adds up ``gradient << count_bits | count`` exactly.
    """

    newton: bool
    count_bits: int
    block: int
    block_bits: int
    h_bits: int
    g_scale: float
    h_scale: float
    joined: bool

    @property
    def n_words(self) -> int:
        """Words of a row and output."""
        return 2 if self.newton and self.block == 0 else 1

    @property
    def g_shift(self) -> int:
        """Position of the gradient in a packed row."""
        if self.newton and self.block:
            return self.h_bits + self.block_bits
        return self.count_bits

    @property
    def h_shift(self) -> int:
        """Position of the Hessian in a packed row."""
        return self.block_bits

    @property
    def value_unit(self) -> float:
        """The leaf value that is 1 in integers."""
        return self.h_scale / self.g_scale

    @property
    def gain_unit(self) -> float:
        """The gain that is 1 in integers."""
        return self.value_unit / self.g_scale

    def l2(self, l2: float) -> float:
        """Return λ beside integer Hessians; finite.

        Parameters
        ----------
        l2 : float
            λ beside Hessians.

        Returns
        -------
        l2 : float
            λ in integers.
        """
        return min(l2 * self.h_scale, 1e100)  # beside sums of at most 2**62

    def min_gain(self, decrease: float, h_root: int) -> float:
        """Return the smallest gain of a split that is worth it, in integers.

        Parameters
        ----------
        decrease : float
            Smallest gain, divided by the root's Hessians.
        h_root : int
            The root's integer Hessians.

        Returns
        -------
        gain : float
            0 where any gain will do.
        """
        if decrease == 0:
            return 0.0
        return decrease * h_root / self.value_unit / self.value_unit


@dataclass
class Extent:
    """How far the values of an array reach.

    Parameters
    ----------
    largest : float
        The largest absolute value.
    total : float
        Sum of absolute values; the greatest of the outputs.
    """

    largest: float
    total: float

    def reach(self, n: int) -> float:
        """Return a bound on the sum of n absolute values."""
        return min(self.total, n * self.largest)


def extent(values: Array) -> Extent:
    """Measure an array; the bits of the result do not depend on engine and threads.

    Parameters
    ----------
    values : float64 ndarray of shape (n_outputs, n)
        Finite numbers.

    Returns
    -------
    extent : Extent
        Largest and total.
    """
    n = values.shape[1]
    n_chunks = -(-n // ROWS)
    largest, total = np.zeros(n_chunks), np.zeros((n_chunks, len(values)))

    def measure(chunk: int) -> None:
        part = np.abs(values[:, chunk * ROWS : (chunk + 1) * ROWS])
        largest[chunk] = part.max()
        part.sum(axis=1, out=total[chunk])

    run_chunks(measure, n_chunks)
    return Extent(float(largest.max()), float(total.sum(axis=0).max()))


def smallest_that_matter(g: Array, h: Array | None) -> tuple[float, float]:
    """Return the least |gradient| and Hessian whose rounding would be felt.

    A row can gain about g²/h. Ordered by size, the values below the returned ones stand
    for a share of `NEGLIGIBLE` of what the rows of a sample gain, without the few that
    gain most: once trees have set these apart, it is the others that are left.

    Parameters
    ----------
    g, h : ndarray of shape (n_outputs, n)
        Gradients and Hessians; h is None where each is 1.

    Returns
    -------
    g_least, h_least : float
        Not negative; 0 where no row gains.
    """
    step = max(1, g.shape[1] // SAMPLE)
    g = np.abs(g[:, ::step]).ravel()
    gain = g / (g.max() or 1.0)
    if h is None:
        h = np.ones(len(g))
    else:
        h = h[:, ::step].ravel()
        # Next to the largest Hessian, smaller ones than these are 0 in any packing.
        seen = h > 1e-15 * h.max()
        gain = np.divide(gain, h, out=np.zeros(len(g)), where=seen)
    gain *= g
    n_kept = len(gain) - math.ceil(OUTLIERS * len(gain))
    gain[gain.argpartition(n_kept)[n_kept:]] = 0.0
    least = []
    for values in (g, h):
        order = np.argsort(values)
        share = np.cumsum(gain[order])
        at = np.searchsorted(share, NEGLIGIBLE * share[-1], side="right")
        least.append(float(values[order[min(at, len(order) - 1)]]))
    return least[0], least[1]


def make_packing(
    g: Array, h: Array | None, unit: float | None = None, finest: bool = False
) -> Packing:
    """Choose scales such that no sum over the rows overflows.

    Parameters
    ----------
    g : float64 ndarray of shape (n_outputs, n)
        Gradients.
    h : float64 ndarray of shape (n_outputs, n) or None
        Hessians, not negative. None: 1 for all rows.
    unit : float, default=None
        A Hessian that is exact, and so are its multiples: where Hessians are weights, a
        row of weight 2 then counts as two rows do. None: the largest.
    finest : bool, default=False
        Whether every value matters: what gains little beside the largest is all that
        is left in nodes without them.

    Returns
    -------
    packing : Packing
        Of all that there are, in the order of what they cost, the first that is fine
        enough for the values that matter; else the last, which is the finest.
    """
    n = g.shape[1]
    extents = [extent(values) for values in (g, h) if values is not None]
    constant = 1.0
    if h is not None and _all_are(h, extents[1]):
        constant, h = extents.pop().largest, None
    least: tuple[float, float] | None = None
    for packing in packings(n, *extents, unit=unit, constant=constant):
        if finest:
            continue
        scales = (packing.g_scale, packing.h_scale)[: len(extents)]
        if all(map(_even_and_fine, extents, scales, [n] * len(extents))):
            break  # seen without a sample
        least = least or smallest_that_matter(g, h)
        if all(
            value == 0 or value * scale >= 1 << ENOUGH
            for value, scale in zip(least, scales, strict=False)
        ):
            break
    return packing


def packings(
    n: int,
    g: Extent,
    h: Extent | None = None,
    *,
    unit: float | None = None,
    constant: float = 1.0,
) -> Iterator[Packing]:
    """Yield all ways to pack rows, from the fastest to the finest.

    Parameters
    ----------
    n : int
        Number of rows.
    g : Extent
        Of the gradients.
    h : Extent, default=None
        Of the Hessians; None: `constant` for all rows.
    unit : float, default=None
        See `make_packing`.
    constant : float, default=1.0
        See `h`; positive.

    Yields
    ------
    packing : Packing
        Bits and scales.
    """
    count_bits = n.bit_length()
    # Where float64 cannot hold gradient and count, the NumPy engine adds them up apart.
    sums = {True: EXACT - count_bits, False: min(EXACT, WIDE - count_bits)}
    whole = {joined: scale_to(g.total, bits, n) for joined, bits in sums.items()}
    ways = [joined for joined, scale in whole.items() if scale > 0]
    if h is None:
        for joined in ways:
            scale = whole[joined]
            yield Packing(False, count_bits, n, 0, 0, scale, 1.0 / constant, joined)
        return
    unit = unit or h.largest
    for log_block in dict.fromkeys(min(b, (n - 1).bit_length()) for b in LOG_BLOCKS):
        block = 1 << log_block
        bits = 62 - log_block  # beside the count and a sign
        h_bits = min(28 + log_block, bits // 2 - 1)
        g_scale = scale_to(g.reach(block), bits - h_bits, block)
        h_scale = scale_to(h.reach(block), h_bits, block, unit)
        for joined in ways:
            scale = min(g_scale, whole[joined])
            yield Packing(
                True, count_bits, block, log_block + 1, h_bits, scale, h_scale, joined
            )
    h_scale = scale_to(h.total, EXACT, n, unit)
    for joined in ways:
        yield Packing(True, count_bits, 0, 0, 0, whole[joined], h_scale, joined)


def scale_to(reach: float, bits: int, n: int, unit: float | None = None) -> float:
    """Return the scale at which sums of n integers stay below 2**bits.

    Parameters
    ----------
    reach : float
        The greatest sum of absolute values; not negative, finite.
    bits : int
        Bits of the integers' sums.
    n : int
        How many are summed; each may be rounded up by ½.
    unit : float, default=None
        A value that becomes a power of two, if there is room for it.

    Returns
    -------
    scale : float
        The scale; 1 where all values are 0, and 0 where n integers have no room.
    """
    room = 2.0**bits - 2.0 - 0.5 * n
    if room <= 0:
        return 0.0
    if reach == 0:
        return 1.0
    if unit is not None and room * (unit / reach) >= 1.0:
        room, reach = 2.0 ** math.floor(math.log2(room * (unit / reach))), unit
    return min(room / reach, LARGEST_SCALE)


def _all_are(values: Array, extent: Extent) -> bool:
    """Whether all values are the largest one, which is positive."""
    full = extent.largest * values.shape[1]
    likely = extent.largest > 0 and full <= extent.total * (1.0 + 1e-9)
    return likely and bool((values == extent.largest).all())


def _even_and_fine(extent: Extent, scale: float, n: int) -> bool:
    """Whether no value is far out, so that all but tiny ones keep their bits."""
    mean = extent.total / n
    even = extent.largest <= PEAK * mean and mean * scale >= PEAK * (1 << ENOUGH)
    return even or extent.largest == 0
