"""The quadratic model of a function, minimised by conjugate gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skdl._typing import Array

# Numbers that the products of one model may hold: 80 MB.
_CACHED = 10**7


class Step(NamedTuple):
    """A step that lowers the model.

    Attributes
    ----------
    p : ndarray of shape (n,)
        The step.
    change : float
        What the model changes by; negative.
    residual : ndarray of shape (n,)
        g + Hp, the model's gradient at the end of the step.
    edge : bool
        Whether it was the edge of the region that ended it.
    curved : bool
        Whether a direction of negative curvature was met.
    """

    p: Array
    change: float
    residual: Array
    edge: bool
    curved: bool


class QuadraticModel:
    """m(p) = gᵀp + ½pᵀHp within ‖p‖ ≤ radius, by conjugate gradients.

    Steihaug's stops (1983): the first iterate that leaves the region is cut at its
    edge; a direction of negative curvature is followed to the edge; else the equations
    Hp = −g are solved to the tolerance. H is known by its products alone. Another
    radius asks for no product twice.

    Parameters
    ----------
    gradient : ndarray of shape (n,)
        g.
    product : callable
        ``product(v) -> Hv``.
    tol : float
        Length of the residual g + Hp that is small enough. It may be changed between
        steps.
    max_cg : int
        Most products.
    """

    def __init__(
        self,
        gradient: Array,
        product: Callable[[Array], Array],
        tol: float,
        max_cg: int,
    ) -> None:
        self.gradient = gradient
        self.tol = tol
        self.max_cg = max_cg
        self._product = product
        self._products: list[Array] = []

    def _times(self, i: int, d: Array) -> Array:
        """Return H·d for the i-th direction, which is the same for every radius."""
        if i < len(self._products):
            return self._products[i]
        product = self._product(d)
        if i == len(self._products) and (i + 1) * d.size <= _CACHED:
            self._products.append(product)
        return product

    def minimize(self, radius: float = math.inf) -> Step:
        """Return a step within the region.

        Parameters
        ----------
        radius : float, default=inf
            Longest step. Where it is infinite, a direction of negative curvature ends
            the search at the step so far, or at −g.

        Returns
        -------
        step : Step
            The step.
        """
        g = self.gradient
        p, r = np.zeros_like(g), g.copy()
        d, rr = -r, float(r @ r)
        for i in range(self.max_cg):
            Hd = self._times(i, d)
            if not np.isfinite(Hd).all():  # nothing is known but the slope
                Hd = np.zeros_like(d)
            curvature = float(d @ Hd)
            if not curvature > 0:
                if math.isinf(radius):
                    return self._at(p if i else d, r, False, True)
                return self._to_edge(p, r, d, Hd, radius, True)
            alpha = rr / curvature
            ahead = p + alpha * d
            if float(np.linalg.norm(ahead)) >= radius:
                return self._to_edge(p, r, d, Hd, radius, False)
            p = ahead
            r += alpha * Hd
            rr, before = float(r @ r), rr
            if math.sqrt(rr) <= self.tol:
                break
            d *= rr / before
            d -= r
        return self._at(p, r, False, False)

    def _at(self, p: Array, r: Array, edge: bool, curved: bool) -> Step:
        # With r = g + Hp the model is ½(g + r)ᵀp.
        change = 0.5 * float((self.gradient + r) @ p)
        return Step(p, change, r, edge, curved)

    def _to_edge(
        self, p: Array, r: Array, d: Array, Hd: Array, radius: float, curved: bool
    ) -> Step:
        """Go along d from inside to ‖p + τd‖ = radius, τ > 0."""
        dd, pd, pp = float(d @ d), float(p @ d), float(p @ p)
        # The form of the root that does not cancel, for pᵀd ≥ 0 as CG has it.
        gap = max(radius**2 - pp, 0.0)
        tau = gap / (pd + math.sqrt(pd**2 + dd * gap)) if gap else 0.0
        return self._at(p + tau * d, r + tau * Hd, True, curved)
