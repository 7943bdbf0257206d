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
    """Minimises the loss of a leaf's rows over a constant added to their predictions.

    The mean gradient says which way to go and, its unit being that of the loss per unit
    of the target, nothing about how far. The sum of the rows' gradients changes its
    sign at the minimum: that place is bracketed by doubling and found by halving.
    Raw predictions that share a loss, those of classes, go along minus their gradient
    together.

    Parameters
    ----------
    loss : Loss
        The loss.
    y : ndarray of shape (n,) or (n, k)
        Targets of all rows.
    n_raw : int
        Number of raw predictions.
    """

    def __init__(self, loss: Loss, y: Array, n_raw: int) -> None:
        self.loss = loss
        place = np.full((1, n_raw), 2.0)
        linked = not np.array_equal(loss.inverse_link(place), place)
        self.spread: Array | None = None
        if not linked and y.ndim == 2 and y.shape[1] in (1, n_raw):
            self.spread = np.broadcast_to(np.ptp(y, axis=0), (n_raw,))

    def find(self, y: Array, raw: Array, weight: Array | None, part: slice) -> Array:
        """Return the best constant.

        Parameters
        ----------
        y : ndarray of shape (n,) or (n, k)
            Targets of the rows in the leaf.
        raw : float64 ndarray of shape (n, k)
            Their raw predictions.
        weight : float64 ndarray of shape (n,) or None
            Sample weights.
        part : slice
            The raw predictions that move.

        Returns
        -------
        step : float64 ndarray of shape (n_moving,)
            To the first place along minus the gradient at which the loss was seen to
            fall no more; at most as far as targets lie from each other or from their
            predictions, or `LONGEST` for predictions behind a link.
        """
        moved = raw.copy()
        separate = y.ndim == 2

        def fall(step: Array) -> Array:
            """Minus the sum of gradients; NaN beyond what the loss can take."""
            moved[:, part] = raw[:, part] + step
            with np.errstate(all="ignore"):
                try:
                    gradient = self.loss.evaluate(y, moved)[1][:, part]
                except NotFiniteError as error:
                    if "losses" not in error.parts:
                        raise
                    return np.full(step.shape, np.nan)
            if weight is not None:
                gradient = gradient * weight[:, None]
            return np.asarray(-gradient.sum(axis=0, dtype=np.float64))

        first, limit = self._lengths(y, raw, part)
        way = fall(np.zeros_like(first))
        size = np.abs(way) if separate else np.full_like(way, np.abs(way).max())
        way = np.divide(way, size, out=np.zeros_like(way), where=size > 0)

        def falls(length: Array) -> Array:
            along = fall(length * way) * way
            if not separate:
                along[:] = along.sum()
            return np.asarray(along > 0)

        return way * last_fall(falls, first, limit)

    def _lengths(self, y: Array, raw: Array, part: slice) -> tuple[Array, Array]:
        """The step to try first and the longest, of each moving prediction."""
        if self.spread is None:
            ones = np.ones(raw[:, part].shape[1])
            return ones, LONGEST * ones
        distance = np.abs(y - raw)[:, part]
        # Not the mean, which one row far out would move.
        first = np.median(distance, axis=0)
        return first, np.maximum(distance.max(axis=0), self.spread[part])


def last_fall(falls: Callable[[Array], Array], first: Array, limit: Array) -> Array:
    """Return how far a function falls, of several side by side.

    Parameters
    ----------
    falls : callable
        Says of places ≥ 0 whether the functions fall there.
    first : float64 ndarray of shape (k,)
        Places to try first.
    limit : float64 ndarray of shape (k,)
        The longest ways.

    Returns
    -------
    length : float64 ndarray of shape (k,)
        Middle of the bracket of a place after which there is no fall; 0 where that is
        nearer than any place tried, `limit` where it is farther.
    """
    low, high = np.zeros_like(first), np.full_like(first, np.inf)
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
        further = falls(place)
        low = np.where(~done & further, place, low)
        high = np.where(~done & ~further, place, high)
    high = np.where(np.isinf(high), low, high)
    return np.where(low > 0, 0.5 * (low + high), 0.0)
