"""What splits gain, which are allowed, and the best prefix of sorted categories.

With G and H the sums of gradients and Hessians on a side, the gain of a split is
G_l²/(H_l+λ) + G_r²/(H_r+λ) − G²/(H+λ), summed over outputs: twice the fall of the
second-order Taylor polynomial of the loss when both sides take their best values (Chen
& Guestrin 2016, eq. 7). Under monotonic constraints the values are cut to their bounds
first, and a split whose values stand the wrong way round is barred. All is in units of
the integer sums, see `Packing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdl._typing import Array

CATEGORY_SMOOTHING = 10.0


@dataclass
class NodeSums:
    """A node's sums and its bounds.

    Parameters
    ----------
    g, h : int64 ndarray of shape (n_outputs,)
        Sums of gradients and Hessians.
    count : int
        Number of rows.
    low, high : float
        Bounds on the values.
    """

    g: Array
    h: Array
    count: int
    low: float = -np.inf
    high: float = np.inf


@dataclass
class Split:
    """A split of a node.

    Parameters
    ----------
    gain : float
        What it gains.
    position : int
        The used feature.
    last_bin : int
        Last bin on the left; −1 for a categorical feature.
    missing_left : bool
        Whether missing values go left.
    count : int
        Rows on the left.
    g, h : int64 ndarray of shape (n_outputs,)
        Sums on the left.
    left_set : bool ndarray of shape (256,) or None
        Which categories go left.
    """

    gain: float
    position: int
    last_bin: int
    missing_left: bool
    count: int
    g: Array
    h: Array
    left_set: Array | None = None

    def precedes(self, other: Split) -> bool:
        """Return whether this split is the better one; the lower feature settles ties.

        Parameters
        ----------
        other : Split
            Another split of the node, found before.

        Returns
        -------
        better : bool
            False also for two equal splits of one feature.
        """
        return (self.gain, -self.position) > (other.gain, -other.position)


@dataclass
class SplitRules:
    """Units and limits of a search, which is in integers.

    Parameters
    ----------
    count_bits : int
        Bits of the count beside a gradient, see `unpack`.
    l2 : float
        λ beside the integer Hessians.
    min_samples_leaf : int
        Fewest rows of a side.
    min_hessian : int
        Smallest sum of quantised Hessians of a side.
    sign : int8 ndarray of shape (n_used,)
        Monotonic constraints.
    """

    count_bits: int
    l2: float
    min_samples_leaf: int
    min_hessian: int
    sign: Array

    @cached_property
    def bounded(self) -> bool:
        """Whether there are monotonic constraints."""
        return bool(self.sign.any())


def score(sums: NodeSums, rules: SplitRules) -> float:
    """Return what a leaf's best values gain over values of zero.

    Parameters
    ----------
    sums : NodeSums
        The node.
    rules : SplitRules
        Units.

    Returns
    -------
    score : float
        Σ over outputs of G²/(H+λ), or its bounded form.
    """
    total = 0.0
    for g_sum, h_sum in zip(sums.g, sums.h, strict=True):
        g, h = float(g_sum), float(h_sum) + rules.l2
        if rules.bounded:
            value = min(max(-g / h, sums.low), sums.high)
            total += -(2.0 * g * value + h * value * value)
        else:
            total += g * g / h
    return total


def gains(
    g: Array,
    h: Array,
    sums: NodeSums,
    parent: float,
    sign: Array | int,
    rules: SplitRules,
) -> Array:
    """Return the gains of splits with these sums on the left.

    Parameters
    ----------
    g, h : int64 ndarray of shape (n_outputs, m)
        Sums on the left.
    sums : NodeSums
        The node.
    parent : float
        The node's score.
    sign : int8 ndarray of shape (m,) or int
        Monotonic constraint of each split's feature.
    rules : SplitRules
        Units.

    Returns
    -------
    gains : ndarray of shape (m,)
        −1 where a split is barred.
    """
    gl, gr = g.astype(np.float64), (sums.g[:, None] - g).astype(np.float64)
    hl, hr = h.astype(np.float64), (sums.h[:, None] - h).astype(np.float64)
    hl += rules.l2
    hr += rules.l2
    if not rules.bounded:
        gl *= gl
        gl *= hr
        gr *= gr
        gr *= hl
        gl += gr
        hl *= hr
        gl /= hl
        total: Array = gl[0]
        for side in gl[1:]:
            total += side
        total -= parent
        return total
    gl, gr, hl, hr = gl[0], gr[0], hl[0], hr[0]
    left = np.minimum(np.maximum(-gl / hl, sums.low), sums.high)
    right = np.minimum(np.maximum(-gr / hr, sums.low), sums.high)
    gain: Array = (
        -(2.0 * gl * left + hl * left * left)
        + -(2.0 * gr * right + hr * right * right)
        - parent
    )
    barred = (sign > 0) & (left > right) | (sign < 0) & (left < right)
    gain[barred] = -1.0
    return gain


def heavy_enough(h: Array, sums: NodeSums, rules: SplitRules) -> Array:
    """Return where both sides have enough Hessian.

    Parameters
    ----------
    h : int64 ndarray of shape (n_outputs, m)
        Sums on the left.
    sums : NodeSums
        The node.
    rules : SplitRules
        Limits.

    Returns
    -------
    enough : bool ndarray of shape (m,)
        Mask of the splits.
    """
    least = rules.min_hessian
    enough = (h >= least) & (h <= sums.h[:, None] - least)
    return np.asarray(enough.all(axis=0))


def unpack(
    packed: Array, n_outputs: int, count_bits: int
) -> tuple[Array, Array, Array]:
    """Return gradients, Hessians and counts of sums as histograms hold them.

    Parameters
    ----------
    packed : int64 ndarray of shape (k, m)
        ``gradient << count_bits | count`` of each output, then the Hessians, if rows
        have their own.
    n_outputs : int
        Number of outputs.
    count_bits : int
        Bits of the count.

    Returns
    -------
    g, h : int64 ndarray of shape (n_outputs, m)
        Gradients and Hessians; these are the counts where all are the same.
    count : int64 ndarray of shape (m,)
        Counts.
    """
    a, b = packed[:n_outputs], packed[n_outputs:]
    count = a[0] & ((1 << count_bits) - 1)
    if not len(b):
        b = count[None] if n_outputs == 1 else np.broadcast_to(count, a.shape)
    return a >> count_bits, b, count


def best_categorical(
    g: Array,
    h: Array,
    count: Array,
    position: int,
    missing_code: int,
    sums: NodeSums,
    parent: float,
    rules: SplitRules,
) -> Split | None:
    """Return the best division of a feature's categories into two sets.

    Sorted by mean gradient, the best of all divisions is a prefix (Fisher 1958). A
    smoothing term in the mean keeps rare categories from the ends of the order.

    Parameters
    ----------
    g, h : int64 ndarray of shape (n_outputs, n_codes)
        The feature's part of the node's histogram.
    count : int64 ndarray of shape (n_codes,)
        Its counts.
    position : int
        The feature.
    missing_code : int
        The code of missing values.
    sums : NodeSums
        The node.
    parent : float
        The node's score.
    rules : SplitRules
        Units and limits.

    Returns
    -------
    split : Split or None
        The best; None where none gains.
    """
    present = np.flatnonzero(count)
    h_mean = 0.0
    for h_sum in sums.h:
        h_mean += h_sum / (sums.count * len(sums.h))
    keys = np.zeros(len(present))
    for g_row, h_row in zip(g[:, present], h[:, present], strict=True):
        keys += g_row / (h_row + CATEGORY_SMOOTHING * h_mean)
    codes = present[np.lexsort((present, keys))]
    gl, hl = (np.cumsum(x[:, codes], axis=1)[:, :-1] for x in (g, h))
    cl = np.cumsum(count[codes])[:-1]
    fewest = rules.min_samples_leaf
    allowed = (cl >= fewest) & (cl <= sums.count - fewest)
    at = np.flatnonzero(allowed & heavy_enough(hl, sums, rules))
    if not len(at):
        return None
    gain = gains(gl[:, at], hl[:, at], sums, parent, 0, rules)
    i = int(gain.argmax())
    if not gain[i] > 0:
        return None
    n_left = int(at[i]) + 1
    left = codes[:n_left]
    many_left = bool(2 * cl[at[i]] > sums.count)
    left_set = np.full(256, many_left)
    left_set[codes] = False
    left_set[left] = True
    return Split(
        float(gain[i]),
        position,
        -1,
        bool(left_set[missing_code]),
        int(cl[at[i]]),
        gl[:, at[i]],
        hl[:, at[i]],
        left_set,
    )
