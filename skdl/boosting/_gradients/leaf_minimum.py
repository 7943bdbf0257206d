"""The best step of a leaf, for losses that only know their gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skdl._typing import Array
from skdl.losses import Loss, NotFiniteError

LONGEST = 4.0  # step of log-odds, or of the logarithm of a mean (LogitBoost's bound)
NEAR = 1e-2  # relative width of the bracket at the end
NOTHING = 1e-12  # a step so small beside the first one tried is none
TRIES = 200


class LeafMinimum:
    """Minimises the loss of the rows of leaves over constants added to predictions.

    The mean gradient says which way to go and, its unit being that of the loss per unit
    of the target, nothing about how far. The sum of the gradients of a leaf's rows
    changes its sign at the minimum: that place is bracketed by doubling and found by
    halving. All leaves are searched side by side, so that the loss always sees all
    rows. Raw predictions that share a loss, those of classes, go along minus their
    gradient together.

    Parameters
    ----------
    loss : Loss
        The loss.
    y : ndarray of shape (n,) or (n, k)
        Targets of all rows.
    weight : float64 ndarray of shape (n,) or None
        Sample weights.
    n_raw : int
        Number of raw predictions.
    """

    def __init__(self, loss: Loss, y: Array, weight: Array | None, n_raw: int) -> None:
        self.loss = loss
        self.y = y
        self.weight = weight
        place = np.full((1, n_raw), 2.0)
        linked = not np.array_equal(loss.inverse_link(place), place)
        self.spread: Array | None = None
        if not linked and y.ndim == 2 and y.shape[1] in (1, n_raw):
            self.spread = np.broadcast_to(np.ptp(y, axis=0), (n_raw,))

    def find(self, leaves: list[Array], raw: Array, part: slice) -> Array:
        """Return the best constants.

        Parameters
        ----------
        leaves : list of integer ndarray
            The rows of each leaf.
        raw : float64 ndarray of shape (n, k)
            Raw predictions of all rows.
        part : slice
            The raw predictions that move.

        Returns
        -------
        steps : float64 ndarray of shape (n_leaves, n_moving)
            To the first place along minus the gradient at which the loss was seen to
            fall no more; at most as far as targets lie from each other or from their
            predictions, or `LONGEST` for predictions behind a link.
        """
        n_leaves, moved = len(leaves), raw.copy()
        leaf = np.full(len(raw), n_leaves)  # rows of none stay where they are
        for i, rows in enumerate(leaves):
            leaf[rows] = i

        def fall(steps: Array) -> Array:
            """Minus the sums of the gradients."""
            moved[:, part] = raw[:, part] + np.pad(steps, ((0, 1), (0, 0)))[leaf]
            columns = self._gradient(self.y, moved, self.weight)[:, part].T
            sums = [np.bincount(leaf, column, n_leaves + 1) for column in columns]
            return -np.stack(sums, axis=1)[:n_leaves]

        bounds = [self._lengths(self.y[rows], raw[rows], part) for rows in leaves]
        first, limit = (np.stack(values) for values in zip(*bounds, strict=True))
        way = fall(np.zeros_like(first))
        size = np.abs(way)
        if self.y.ndim == 1:
            size[:] = size.max(axis=1, keepdims=True)
        way = np.divide(way, size, out=np.zeros_like(way), where=size > 0)

        def along(length: Array) -> Array:
            falls = fall(length * way) * way
            if self.y.ndim == 1:
                falls[:] = falls.sum(axis=1, keepdims=True)
            return falls

        return way * last_fall(along, first, limit)

    def along(self, raw: Array, way: Array, rows: Array | None) -> Array:
        """Return how far to go along a learner's values, Friedman's (2001) ρ.

        Parameters
        ----------
        raw : float64 ndarray of shape (n, n_raw)
            Raw predictions.
        way : float64 ndarray of shape (n, n_raw)
            The learner's values.
        rows : integer ndarray or None
            The rows that it was fitted to; None: all.

        Returns
        -------
        length : float64 ndarray of shape (n_raw,)
            Of each output; 1 where the loss does not fall along the way.
        """
        y, weight = self.y, self.weight
        if rows is not None:
            y, raw, way = y[rows], raw[rows], way[rows]
            weight = None if weight is None else weight[rows]
        size = np.abs(way).mean(axis=0)
        unit = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
        first, limit = self._lengths(y, raw, slice(0, raw.shape[1]))

        def fall(length: Array) -> Array:
            gradient = self._gradient(y, raw + length * way, weight)
            return np.asarray(-(gradient * way).sum(axis=0))

        found = last_fall(fall, first * unit, limit * unit)
        return np.where(found > 0, found, 1.0)

    def _gradient(self, y: Array, raw: Array, weight: Array | None) -> Array:
        """The rows' gradients; NaN where they lie beyond what the loss can take."""
        with np.errstate(all="ignore"):
            try:
                gradient = self.loss.evaluate(y, raw)[1].astype(np.float64)
            except NotFiniteError as error:
                if "losses" not in error.parts:
                    raise
                return np.full(raw.shape, np.nan)
        return gradient if weight is None else gradient * weight[:, None]

    def _lengths(self, y: Array, raw: Array, part: slice) -> tuple[Array, Array]:
        """The step to try first and the longest, of each moving prediction."""
        if self.spread is None:
            ones = np.ones(raw[:, part].shape[1])
            return ones, LONGEST * ones
        distance = np.abs(y - raw)[:, part]
        # Not the mean, which one row far out would move.
        first = np.median(distance, axis=0)
        return first, np.maximum(distance.max(axis=0), self.spread[part])


def last_fall(fall: Callable[[Array], Array], first: Array, limit: Array) -> Array:
    """Return how far functions fall, side by side.

    Parameters
    ----------
    fall : callable
        Gives minus the slopes at places ≥ 0; what is not positive is no fall.
    first : float64 ndarray
        Places to try first.
    limit : float64 ndarray of the same shape
        The longest ways.

    Returns
    -------
    length : float64 ndarray of the same shape
        Where the slope is 0 on the line between the ends of a narrow bracket; 0 where
        that is nearer than any place tried, `limit` where it is farther.
    """
    low, high = np.zeros_like(first), np.full_like(first, np.inf)
    at_low, at_high = fall(low), np.zeros_like(first)
    first = np.where(first > 0, first, 0.5 * limit)
    for _ in range(TRIES):
        found = np.isfinite(high) & ((1 - NEAR) * high <= low)
        done = found | (low >= limit) | (high <= NOTHING * first)
        if done.all():
            break
        wider = np.minimum(np.where(low > 0, 2.0 * low, first), limit)
        closer = np.where(low > 0, 0.5 * (low + high), 0.125 * high)
        place = np.where(np.isinf(high), wider, closer)
        place[done] = low[done]
        slope = fall(place)
        further, back = ~done & (slope > 0), ~done & ~(slope > 0)
        low[further], at_low[further] = place[further], slope[further]
        high[back], at_high[back] = place[back], slope[back]
    at_high = np.where(np.isfinite(at_high), at_high, -at_low)
    share = np.divide(
        at_low, at_low - at_high, out=np.zeros_like(low), where=at_low > at_high
    )
    high = np.where(np.isinf(high), low, high)
    return np.where(low > 0, low + share * (high - low), 0.0)
