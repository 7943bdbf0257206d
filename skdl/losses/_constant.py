"""The constant prediction of the smallest mean loss, found by search."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar

from skdl._typing import Array
from skdl.losses._checks import NotFiniteError

_STEPS = 2.0 ** np.arange(-10, 11)


def best_constant(
    mean_loss: Callable[[Array], float], center: Array, spread: Array
) -> Array:
    """Return the constants of the smallest mean loss, one column after the other.

    The search begins about the centre. Where that leads to losses that are not finite,
    as a centre of 1000 does with a log link, it begins at the best of points about 0.

    Parameters
    ----------
    mean_loss : callable
        Mean loss of a constant of shape (k,).
    center, spread : float64 ndarray of shape (k,)
        Where to look first, and how far.

    Returns
    -------
    best : float64 ndarray of shape (k,)
        The constants.

    Raises
    ------
    NotFiniteError
        If no loss that is finite is found.
    """
    best = center.copy()
    columns = list(range(len(best)))
    # Twice, since a column far from its best can drown the others in rounding.
    for j in columns if len(columns) == 1 else columns * 2:
        search = _Search(mean_loss, best, j)
        found = search.about(center[j], spread[j])
        if found is None:
            search.constant[j + 1 :] = 0.0
            found = search.about_zero(abs(center[j]) + spread[j])
        best[j] = found
    return best


class _Search:
    """A search along one column; losses that are not finite count as infinite."""

    def __init__(
        self, mean_loss: Callable[[Array], float], constant: Array, j: int
    ) -> None:
        self.mean_loss, self.constant, self.j = mean_loss, constant.copy(), j
        self.finite = True
        self.error: NotFiniteError | None = None

    def __call__(self, value: float) -> float:
        self.constant[self.j] = value
        try:
            with np.errstate(all="ignore"):
                loss = self.mean_loss(self.constant)
        except NotFiniteError as error:
            loss, self.error = np.inf, error
        if np.isfinite(loss):
            return loss
        self.finite = False
        return np.inf

    def about(self, center: float, spread: float) -> float | None:
        """Search from a bracket; None where that is not finite all along.

        In spreads from the centre: Brent's tolerance is relative to the place, which an
        offset of the targets would move far away.
        """
        try:
            with np.errstate(all="ignore"):
                found = minimize_scalar(
                    lambda t: self(center + spread * t), (-1.0, 1.0)
                ).x
        except RuntimeError:  # no bracket, for want of finite losses
            if self.finite:
                raise
        return float(center + spread * found) if self.finite else None

    def about_zero(self, farthest: float) -> float:
        """Search between the neighbours of the best of points about 0."""
        sizes = _STEPS[farthest > _STEPS]
        points = np.r_[-farthest, -sizes[::-1], 0.0, sizes, farthest]
        losses = [self(point) for point in points]
        at = int(np.argmin(losses))
        if not np.isfinite(losses[at]):
            reason = f"{self.error} " if self.error else ""
            raise NotFiniteError(
                f"{reason}The loss must be finite for some constant prediction, to "
                f"start from; it is not for any of the {len(points)} tried."
            ) from self.error
        bounds = points[max(at - 1, 0)], points[min(at + 1, len(points) - 1)]
        with np.errstate(all="ignore"):
            found = minimize_scalar(
                self, bounds=bounds, method="bounded", options={"xatol": 1e-8}
            )
        return float(found.x if found.fun <= losses[at] else points[at])
