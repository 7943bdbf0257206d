"""How far a Newton step may go."""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.boosting._gradients.derivatives import Derivatives
from skdl.losses import Loss

LONGEST = 4.0  # what a round may add to log-odds or to the logarithm of a mean

GROWTH = 1.1  # of the radius by a step that needed no shortening
SMALLEST = 1e-3  # factor of the radius by a step that could not be taken at all


class TrustRegion:
    """Bounds for leaf values where the curvature of the loss vanishes.

    Far from its minimum a loss such as log_loss is nearly a straight line: −Σg/Σh then
    says nothing about where the minimum is. With h of every row at least abs(g)/r, the
    radius, no leaf value is larger than r, splits are compared by steps that are taken,
    and rows far from their targets keep the weight to be split by. LogitBoost bounds
    −g/h itself (Friedman, Hastie & Tibshirani 2000, §4.4).

    For log-odds and logarithms of means, where Hessians change by a factor of e over
    one unit at most, r is such that a round goes no further than `LONGEST`; for own
    losses of real targets it is the range of the targets at first. Steps that had to be
    shortened reduce it.

    Parameters
    ----------
    loss : Loss
        The loss.
    y : ndarray of shape (n,) or (n, k)
        Targets.
    n_raw : int
        Number of raw predictions.
    used : bool
        Whether leaves are Newton steps at all.

    Attributes
    ----------
    spread : float64 ndarray of shape (n_raw,) or None
        Range of the targets, where it is the first radius.
    """

    def __init__(self, loss: Loss, y: Array, n_raw: int, used: bool) -> None:
        self.used = used and loss.has_hessian and not loss.constant_hessian
        self.spread: Array | None = None
        has_unit = loss.task == "classification" or loss.out_activation != "identity"
        if self.used and y.ndim == 2 and not has_unit:
            spread = np.ptp(y, axis=0)
            spread = np.where(spread > 0, spread, 1.0)
            self.spread = np.broadcast_to(spread, (n_raw,)).astype(np.float64)
        self.n_raw = n_raw

    def least(self, rate: float) -> Array:
        """Return the smallest Hessians for a gradient of 1, at the first radius.

        Parameters
        ----------
        rate : float
            Learning rate of the coming round.

        Returns
        -------
        least : float64 ndarray of shape (n_raw,)
            1/r for each raw prediction; 0 where there is no bound.
        """
        if not self.used:
            return np.zeros(self.n_raw)
        if self.spread is not None:
            return 1.0 / self.spread
        return np.full(self.n_raw, rate / LONGEST)

    def narrow(self, d: Derivatives, rate: float, reach: Array) -> None:
        """Raise Hessians to those of a smaller radius.

        Parameters
        ----------
        d : Derivatives
            Of all rows; changed in place.
        rate : float
            Learning rate of the coming round.
        reach : float64 ndarray of shape (n_raw,)
            Share of the first radius that is left, in (0, 1].
        """
        if self.used and (reach < 1.0).any() and d.h is not None:
            least = self.least(rate) / reach
            np.maximum(d.h, least[:, None] * np.abs(d.g), out=d.h)

    def adapted(self, reach: Array, scale: Array, worse: Array) -> Array:
        """Return the share of the first radius for the next round.

        Parameters
        ----------
        reach : float64 ndarray of shape (n_raw,)
            The share in this round.
        scale : float64 ndarray of shape (n_raw,)
            Factors by which the step had to be shortened.
        worse : bool ndarray of shape (n_raw,) or (1,)
            Whether the loss of all rows rose.

        Returns
        -------
        reach : float64 ndarray of shape (n_raw,)
            In (0, 1].
        """
        growth = np.full(len(reach), GROWTH)
        if self.spread is not None:
            growth[worse | np.zeros(len(reach), dtype=bool)] = 0.5
        growth = np.where(scale < 1.0, np.maximum(scale, SMALLEST), growth)
        return np.minimum(1.0, growth * reach)
