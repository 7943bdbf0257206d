"""Derivatives against finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdl._typing import Array
from skdl.testing._assert import close, equal, finite, same


def check_gradient(
    function: Callable[[Array], Any],
    theta: ArrayLike,
    gradient: ArrayLike | Callable[[Array], Any] | None = None,
    *,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    n_directions: int = 3,
    seed: int = 0,
    name: str = "The gradient",
) -> None:
    """Check a gradient against finite differences along random directions.

    Central differences with ever smaller steps are extrapolated to step zero (Ridders
    1982) in double precision, which reaches ten digits of a smooth function and is
    exact between the kinks of a piecewise linear one.

    Parameters
    ----------
    function : callable
        ``function(theta) -> value``, or ``(value, gradient)`` with `gradient` None.
        It must give the same value twice: seed what is random in it at each call.
    theta : array-like
        The point, of any shape; away from kinks.
    gradient : array-like or callable, default=None
        The gradient at `theta`, of its shape, or a function that computes it. None
        takes it from `function`.
    rtol : float, default=1e-6
        Allowed error, relative to the derivative along the direction.
    atol : float, default=1e-9
        Allowed error beyond that.
    n_directions : int, default=3
        How many random directions.
    seed : int, default=0
        Draws the directions.
    name : str, default="The gradient"
        Opens the error message.

    Raises
    ------
    AssertionError
        If the gradient is wrong, of another shape or not finite, or if `function`
        changes its argument or gives two values at one point.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.testing import check_gradient
    >>> check_gradient(lambda x: np.sum(x**3), [1.0, 2.0], lambda x: 3 * x**2)
    """
    theta = np.array(theta, dtype=np.float64)
    given = theta.copy()

    def value(at: Array) -> float:
        result = function(at)
        return float(result[0] if gradient is None else result)

    first, second = value(theta), value(theta)
    same(theta, given, f"{name}: the function changed its argument")
    same(second, first, f"{name}: the function is not deterministic; its values")
    if gradient is None:
        got = np.array(function(theta.copy())[1], dtype=np.float64)
    elif callable(gradient):
        got = np.array(gradient(theta.copy()), dtype=np.float64)
    else:
        got = np.array(gradient, dtype=np.float64)
    equal(got.shape, theta.shape, f"{name}: shape")
    finite(got, name)

    rng = np.random.default_rng(seed)
    for i in range(n_directions):
        direction = rng.normal(size=theta.shape)
        direction /= max(float(np.linalg.norm(direction)), 1e-300)

        def along(h: float, direction: Array = direction) -> float:
            return value(theta + h * direction)

        close(
            float(np.sum(got * direction)),
            derivative(along),
            f"{name} along random direction {i}",
            rtol,
            atol,
        )


def derivative(f: Callable[[float], float]) -> float:
    """Return f'(0) by Ridders' extrapolation of central differences."""
    best, best_error = math.nan, math.inf
    previous: list[float] = []
    for level in range(4, 16):
        h = 0.5**level
        row = [(f(h) - f(-h)) / (2.0 * h)]
        for order, coarse in enumerate(previous, start=1):
            finer = row[-1] + (row[-1] - coarse) / (4.0**order - 1.0)
            error = max(abs(finer - row[-1]), abs(finer - coarse))
            row.append(finer)
            if error < best_error:
                best, best_error = finer, error
        previous = row
    return best
