"""How far to go: line searches and the trust region."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from scipy.optimize import line_search

from skdl._base import ParameterObject
from skdl._compat import Interval, Real
from skdl._registry import Registry
from skdl._settings import COUNT, POSITIVE
from skdl._typing import Array
from skdl.optimizers._conjugate import QuadraticModel, Step
from skdl.optimizers._oracle import Oracle, Point

_INSIDE = [Interval(Real, 0, 1, closed="neither")]  # (0, 1)


class StepSearch(ParameterObject):
    """Base of what turns a quadratic model into a step that lowers the function.

    A subclass defines `step`.

    Examples
    --------
    >>> from skdl.optimizers import Newton, StepSearch, minimize
    >>> class WholeStep(StepSearch):
    ...     def step(self, oracle, here, model, memory):
    ...         step = model.minimize()
    ...         return oracle(here.x + step.p), step
    >>> def bowl(x):
    ...     return 0.5 * x @ x + x[0], x + [1, 0]
    >>> result = minimize(bowl, [4.0, 3.0], optimizer=Newton(search=WholeStep()))
    >>> result.x.round(4) + 0.0, result.nit
    (array([-1.,  0.]), 1)
    """

    def step(
        self,
        oracle: Oracle,
        here: Point,
        model: QuadraticModel,
        memory: dict[str, Any],
    ) -> tuple[Point, Step] | None:
        """Return the next point.

        Parameters
        ----------
        oracle : Oracle
            The function.
        here : Point
            Where it stands.
        model : QuadraticModel
            The model there.
        memory : dict
            What the search remembers between steps; empty at the start.

        Returns
        -------
        found : tuple of (Point, Step) or None
            A lower point, the last one that the oracle has seen, and the model's step
            that led there, whole or shortened; None if there is none to be found.
        """
        raise TypeError(f"{type(self).__name__} must define step.")


registry: Registry[StepSearch] = Registry("step search", StepSearch)
register = registry.register


@register("armijo")
class Armijo(StepSearch):
    """Shorten the step until the function falls by a share of what its slope promises.

    f(x + tp) ≤ f(x) + c₁·t·gᵀp (Armijo 1966; Nocedal & Wright 2006, algorithm 3.1). A
    point where the function is not finite is a step too long.

    Parameters
    ----------
    c1 : float, default=1e-4
        The share c₁, in (0, 1): more asks for a deeper fall, and shortens more steps.
    shrink : float, default=0.5
        Factor of the next, shorter step, in (0, 1): less finds a step sooner, which
        may be shorter than need be.
    initial : float, default=1.0
        The first t that is tried; positive.
    max_steps : int, default=40
        Most trials; then there is no step, and the optimizer ends.

    Examples
    --------
    >>> from skdl.optimizers import Armijo, Newton, minimize
    >>> def bowl(x):
    ...     return 0.5 * x @ x, x
    >>> cautious = Newton(search=Armijo(initial=0.5))  # half of each step
    >>> minimize(bowl, [8.0], optimizer=cautious, max_iter=3).path.ravel().round(6)
    array([8., 4., 2., 1.])
    """

    _parameter_constraints: dict[str, Any] = {
        "c1": _INSIDE,
        "shrink": _INSIDE,
        "initial": POSITIVE,
        "max_steps": COUNT,
    }

    def __init__(
        self,
        c1: float = 1e-4,
        shrink: float = 0.5,
        initial: float = 1.0,
        max_steps: int = 40,
    ) -> None:
        self.c1 = c1
        self.shrink = shrink
        self.initial = initial
        self.max_steps = max_steps

    def step(
        self,
        oracle: Oracle,
        here: Point,
        model: QuadraticModel,
        memory: dict[str, Any],
    ) -> tuple[Point, Step] | None:
        step = model.minimize()
        point = self.along(oracle, here, step.p)
        return None if point is None else (point, step)

    def along(self, oracle: Oracle, here: Point, p: Array) -> Point | None:
        """Return a lower point along a direction.

        Parameters
        ----------
        oracle : Oracle
            The function.
        here : Point
            Where it stands.
        p : ndarray of shape (n,)
            The direction, which must lead down.

        Returns
        -------
        point : Point or None
            None if there is none to be found.
        """
        slope, t = float(here.gradient @ p), float(self.initial)
        noise = 10 * oracle.epsilon * abs(here.value)
        for _ in range(self.max_steps):
            point = oracle.trial(here.x + t * p)
            if point.value <= here.value + self.c1 * t * slope + noise:
                return point
            t *= self.shrink
        return None


@register("wolfe")
class Wolfe(StepSearch):
    """A step that also flattens the slope, by SciPy's line search.

    Besides Armijo's condition abs(g(x + tp)ᵀp) ≤ c₂·abs(gᵀp): see
    `scipy.optimize.line_search`, and Nocedal & Wright 2006, algorithm 3.5. Where SciPy
    finds no such step, Armijo's condition alone decides.

    Parameters
    ----------
    c1 : float, default=1e-4
        The share of the promised fall, in (0, c2).
    c2 : float, default=0.9
        The share of the slope that may be left, in (c1, 1).
    max_steps : int, default=20
        Most lengths tried; at least 1.

    Examples
    --------
    >>> from scipy.optimize import rosen, rosen_der
    >>> from skdl.optimizers import Newton, Wolfe, minimize
    >>> newton = Newton(search=Wolfe(c2=0.1))
    >>> minimize(rosen, [-1.2, 1.0], jac=rosen_der, optimizer=newton).x.round(4)
    array([1., 1.])
    """

    _parameter_constraints: dict[str, Any] = {
        "c1": _INSIDE,
        "c2": _INSIDE,
        "max_steps": COUNT,
    }

    def __init__(self, c1: float = 1e-4, c2: float = 0.9, max_steps: int = 20) -> None:
        self.c1 = c1
        self.c2 = c2
        self.max_steps = max_steps

    def check_together(self) -> None:
        if not self.c1 < self.c2:
            raise ValueError(
                f"Wolfe: c1 must be less than c2, got c1={self.c1} and c2={self.c2}."
            )

    def step(
        self,
        oracle: Oracle,
        here: Point,
        model: QuadraticModel,
        memory: dict[str, Any],
    ) -> tuple[Point, Step] | None:
        whole = model.minimize()
        p, seen = whole.p, [here]

        def at(x: Array) -> Point:
            if not np.array_equal(seen[-1].x, x):
                seen.append(oracle.trial(x.copy()))
            return seen[-1]

        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # that it did not converge is in alpha
            alpha = line_search(
                lambda x: at(x).value,
                lambda x: at(x).gradient,
                here.x,
                p,
                here.gradient,
                here.value,
                c1=self.c1,
                c2=self.c2,
                maxiter=self.max_steps,
            )[0]
        if alpha is None:
            point = Armijo(self.c1).along(oracle, here, p)
            return None if point is None else (point, whole)
        x = here.x + alpha * p
        # The last point seen has to be the one that is returned.
        point = seen[-1] if np.array_equal(seen[-1].x, x) else oracle(x)
        return point, whole


@register("trust_region")
class TrustRegion(StepSearch):
    """Trust the model within a radius that grows and shrinks with its success.

    The step minimises the model within the radius; it is taken if the function falls by
    a share of what the model promises (Nocedal & Wright 2006, algorithm 4.1). A point
    where the function is not finite is a failure of the model.

    Parameters
    ----------
    radius : float, default=None
        The first radius; None trusts the first model everywhere, as far as its
        curvature is positive.
    max_radius : float, default=inf
        The largest radius: no step is longer.
    accept : float, default=1e-4
        The share of the promised fall that is enough, in (0, 0.25).

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import rosen, rosen_der
    >>> from skdl.optimizers import Newton, TrustRegion, minimize
    >>> newton = Newton(search=TrustRegion(radius=0.1))
    >>> path = minimize(rosen, [-1.2, 1.0], jac=rosen_der, optimizer=newton).path
    >>> float(np.linalg.norm(path[1] - path[0]).round(4))  # the first step is cut
    0.1
    >>> path[-1].round(4)
    array([1., 1.])
    """

    _parameter_constraints: dict[str, Any] = {
        "radius": [*POSITIVE, None],
        "max_radius": [Interval(Real, 0, None, closed="right")],
        "accept": [Interval(Real, 0, 0.25, closed="neither")],
    }

    def __init__(
        self,
        radius: float | None = None,
        max_radius: float = math.inf,
        accept: float = 1e-4,
    ) -> None:
        self.radius = radius
        self.max_radius = max_radius
        self.accept = accept

    def step(
        self,
        oracle: Oracle,
        here: Point,
        model: QuadraticModel,
        memory: dict[str, Any],
    ) -> tuple[Point, Step] | None:
        first = self.max_radius if self.radius is None else self.radius
        radius = float(memory.get("radius", first))
        smallest = oracle.epsilon * (1.0 + float(np.linalg.norm(here.x)))
        noise = 10 * oracle.epsilon * abs(here.value)
        steepness = float(np.linalg.norm(here.gradient))
        while radius > smallest:
            step = model.minimize(radius)
            if step.curved and not step.edge:  # no edge to go to: there has to be one
                radius = max(1.0, 2.0 * float(np.linalg.norm(step.p)))
                step = model.minimize(radius)
            point = oracle.trial(here.x + step.p)
            change, length = point.value - here.value, float(np.linalg.norm(step.p))
            if max(-step.change, abs(change)) <= noise:  # the values cannot tell
                flatter = float(np.linalg.norm(point.gradient)) < steepness
                ratio = 1.0 if flatter else 0.0
            else:
                ratio = change / step.change if step.change < 0 else -math.inf
            if not ratio >= 0.25:
                slope = float(here.gradient @ step.p)
                radius = length * _shorter(slope, change)
            elif ratio > 0.75 and step.edge:
                radius = min(max(radius, 2.0 * length), self.max_radius)
            memory["radius"] = radius
            if ratio > self.accept:
                return point, step
        return None


def _shorter(slope: float, change: float) -> float:
    """Return the share of a failed step at which a parabola has its minimum."""
    if not (math.isfinite(change) and change > slope):
        return 0.25 if math.isfinite(change) else 0.1
    return min(0.5, max(0.1, -0.5 * slope / (change - slope)))
