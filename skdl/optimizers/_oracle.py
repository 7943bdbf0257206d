"""A problem as the methods see it that call it as often as they like."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from skdl._typing import Array
from skdl.optimizers._optimizer import Problem

DIFFERENCES = ("central", "forward")

# What a run notes in `state.memory["failed"]` where it had to give up.
NO_LOWER_POINT = (
    "No lower point was found: the gradient is wrong, or the precision exhausted."
)


class Point(NamedTuple):
    """Where the method stands.

    Attributes
    ----------
    x : ndarray of shape (n,)
        The point, in double precision.
    value : float
        The objective there; infinite where it is not finite.
    gradient : ndarray of shape (n,)
        Its gradient.
    """

    x: Array
    value: float
    gradient: Array


class Oracle:
    """Value, gradient and Hessian-vector products of a problem, in double precision.

    The problem itself gets points in its own precision, always in the same memory.
    What a problem may offer besides the two methods that it must have is listed with
    `Problem`; what it lacks is made from those.

    Parameters
    ----------
    problem : Problem
        The objective.
    theta : ndarray of shape (n,)
        Parameters, for their precision.
    differences : {"central", "forward"}, default="central"
        How Hessian-vector products are made of gradients.
    """

    def __init__(
        self, problem: Problem, theta: Array, differences: str = "central"
    ) -> None:
        self.problem: Any = problem
        self.differences = differences
        self.epsilon = float(np.finfo(theta.dtype).eps)
        self._point = np.empty_like(theta)

    def _at(self, x: Array) -> Array:
        self._point[:] = x
        return self._point

    def __call__(self, x: Array) -> Point:
        """Return the point with its value and gradient.

        Parameters
        ----------
        x : ndarray of shape (n,)
            The point.

        Returns
        -------
        point : Point
            The evaluated point.
        """
        value, gradient = self.problem.value_and_gradient(self._at(x))
        return Point(x, float(value), np.array(gradient, dtype=np.float64))

    def trial(self, x: Array) -> Point:
        """Return a point that may lie where the objective is not finite.

        Parameters
        ----------
        x : ndarray of shape (n,)
            The point.

        Returns
        -------
        point : Point
            Its value is infinite where value or gradient are not finite.
        """
        try:
            with np.errstate(all="ignore"):
                point = self(x)
        except ArithmeticError:  # a loss that diverges, math.exp that overflows
            return Point(x, math.inf, np.full(x.shape, math.nan))
        finite = math.isfinite(point.value) and bool(np.isfinite(point.gradient).all())
        return point if finite else point._replace(value=math.inf)

    def value(self, x: Array) -> float:
        """Return the value alone, infinite where it is not finite.

        Parameters
        ----------
        x : ndarray of shape (n,)
            The point.

        Returns
        -------
        value : float
            The objective.
        """
        if not hasattr(self.problem, "value"):
            return self.trial(x).value
        try:
            with np.errstate(all="ignore"):
                value = float(self.problem.value(self._at(x)))
        except ArithmeticError:
            return math.inf
        return value if math.isfinite(value) else math.inf

    def product(self, here: Point, v: Array) -> Array:
        """Return H·v, the Hessian at a point times a vector.

        The problem's own `hessian_product` is asked if it has one. Else it is a
        difference of gradients: [g(x + hv) − g(x)]/h, or [g(x + hv) − g(x − hv)]/2h,
        exact up to rounding where the objective is quadratic.

        Parameters
        ----------
        here : Point
            The point and its gradient.
        v : ndarray of shape (n,)
            The vector.

        Returns
        -------
        product : ndarray of shape (n,)
            H·v; not finite where a gradient is not.
        """
        if getattr(self.problem, "hessian_product", None) is not None:
            product = self.problem.hessian_product(self._at(here.x), v)
            return np.array(product, dtype=np.float64)
        length = float(np.linalg.norm(v))
        if length == 0:
            return np.zeros_like(v)
        scale = (1.0 + float(np.linalg.norm(here.x))) / length
        if self.differences == "forward":
            h = math.sqrt(self.epsilon) * scale
            return (self.trial(here.x + h * v).gradient - here.gradient) / h
        h = self.epsilon ** (1 / 3) * scale
        ahead = self.trial(here.x + h * v).gradient
        return (ahead - self.trial(here.x - h * v).gradient) / (2 * h)
