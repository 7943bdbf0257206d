"""Minimising along one coordinate after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy.optimize import minimize_scalar

from skdl._compat import Interval, Real, StrOptions
from skdl._settings import COUNT, NOT_NEGATIVE, POSITIVE
from skdl._typing import Array
from skdl.optimizers._optimizer import Optimizer, OptimizerState, Problem, register
from skdl.optimizers._oracle import Oracle


@register("coordinate")
class Coordinate(Optimizer):
    """Minimise along one coordinate at a time, with SciPy's scalar minimiser.

    No gradient is needed, unless the order is "greedy", and the function may have kinks
    (as an L1 penalty has) as long as they lie along the coordinates. An "epoch" is as
    many coordinates as there are; each takes several evaluations of the whole
    objective, so that it is for few parameters. `partial_fit`, mini-batches and layers
    that draw random numbers (dropout) are not for it.

    Parameters
    ----------
    order : {"cyclic", "random", "greedy"}, default="cyclic"
        Which coordinate comes next: one after another, in a new random order each time
        round, or the one with the largest entry of the gradient (Gauss and Southwell;
        Nutini et al. 2015).
    step : float, default=0.1
        The first step along each coordinate, times its size where that is above 1;
        later steps begin with the length of the last one. Positive.
    xtol : float, default=1e-3
        How exactly each step is found, as a share of it, in (0, 1); the next time round
        takes what is left.
    ftol : float, default=1e-12
        It stops when a time round lowers the objective by less than this share (of 1
        where the objective is below that); not negative.
    max_steps : int, default=50
        Most iterations of the scalar minimiser.

    Examples
    --------
    >>> from skdl.optimizers import Coordinate, minimize
    >>> def kink(x):  # no gradient, and kinks along the coordinates
    ...     return abs(x[0] - 1) + abs(x[1] + 2) + x[0] ** 2
    >>> minimize(kink, [5.0, 5.0], optimizer=Coordinate(), max_iter=20).x.round(2)
    array([ 0.5, -2. ])
    """

    full_batch = True
    incremental = False

    _parameter_constraints: dict[str, Any] = {
        "order": [StrOptions({"cyclic", "random", "greedy"})],
        "step": POSITIVE,
        "xtol": [Interval(Real, 0, 1, closed="neither")],
        "ftol": NOT_NEGATIVE,
        "max_steps": COUNT,
    }

    def __init__(
        self,
        order: str = "cyclic",
        step: float = 0.1,
        xtol: float = 1e-3,
        ftol: float = 1e-12,
        max_steps: int = 50,
    ) -> None:
        self.order = order
        self.step = step
        self.xtol = xtol
        self.ftol = ftol
        self.max_steps = max_steps

    @property
    def needs_gradient(self) -> bool:  # type: ignore[override]
        """Whether the gradient says which coordinate comes next."""
        return self.order == "greedy"

    def init(self, n: int, dtype: DTypeLike = np.float64) -> OptimizerState:
        # The last step; 0: none yet.
        return OptimizerState(n, dtype, ("step",), self.memory_key())

    def run(
        self,
        problem: Problem,
        theta: Array,
        state: OptimizerState,
        n_iterations: int,
        end_iteration: Callable[[], bool],
    ) -> None:
        oracle, x = Oracle(problem, theta), theta.astype(np.float64)
        rng = getattr(problem, "rng", None) or np.random.default_rng(0)
        value = oracle.value(x)
        if math.isinf(value):
            oracle(x)  # where training starts the objective has to be finite
        for _ in range(n_iterations):
            before = value
            for i in self._coordinates(oracle, x, rng):
                value = self._along(oracle, x, i, value, state.slots["step"])
            theta[:] = x
            state.t += 1
            value = oracle.value(x)  # the last call is for the point itself
            if end_iteration():
                break
            scale = max(abs(before), abs(value), 1.0)
            if before - value <= self.ftol * scale:
                break

    def _coordinates(
        self, oracle: Oracle, x: Array, rng: np.random.Generator
    ) -> Iterator[int]:
        if self.order != "greedy":
            n = x.size
            yield from rng.permutation(n) if self.order == "random" else range(n)
            return
        for _ in range(x.size):
            yield int(np.argmax(np.abs(oracle(x).gradient)))

    def _along(
        self, oracle: Oracle, x: Array, i: int, value: float, steps: Array
    ) -> float:
        """Go to the lowest point found along a coordinate, in place."""
        start, best = x[i], (value, 0.0)
        size = max(1.0, abs(start))
        step = float(steps[i]) or self.step * size

        def along(t: float) -> Any:
            nonlocal best
            if t == 0:
                return value
            x[i] = start + t
            seen = oracle.value(x)
            best = min(best, (seen, float(t)))
            return seen

        options = {"xtol": self.xtol, "maxiter": self.max_steps}
        try:
            with np.errstate(all="ignore"):  # infinite values beyond a wall
                minimize_scalar(along, bracket=(0.0, step), options=options)
        except RuntimeError as error:
            if type(error).__name__ != "BracketError":  # a private name of SciPy's
                raise
            # It falls without end, or is flat: the lowest point seen is taken.
        value, move = best
        x[i] = start + move
        smallest = math.sqrt(oracle.epsilon) * size
        steps[i] = max(abs(move), 0.1 * step, 0.1 * smallest)
        return value
