"""L-BFGS over the whole sample, through SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult
from scipy.optimize import minimize as scipy_minimize

from skdl._settings import COUNT, NOT_NEGATIVE
from skdl._typing import Array
from skdl.optimizers._optimizer import Optimizer, OptimizerState, Problem, register
from skdl.optimizers._oracle import NO_LOWER_POINT, Oracle, Point


@register("lbfgs")
class LBFGS(Optimizer):
    """Limited-memory BFGS on the whole sample (Liu & Nocedal 1989), by SciPy.

    It calls the objective itself, several times an iteration if its line search wants
    to, so an "epoch" is one of its iterations, and `partial_fit` is not for it. SciPy
    computes in double precision. Each run starts with an empty memory, also under
    `warm_start`. Where a line search fails though the gradient is not small, it begins
    anew from there, with an empty memory. A trial step to where the objective is not
    finite is too long a step, and shortened. Layers that draw random numbers (dropout)
    are not for it.

    Parameters
    ----------
    memory : int, default=10
        Number of past gradient differences that model the curvature; at least 1.
    gtol : float, default=1e-5
        It stops when no entry of the gradient is larger; not negative.
    ftol : float, default=1e-9
        It stops when an iteration lowers the objective by less than this share;
        not negative.
    max_line_search : int, default=20
        Most evaluations in one line search; at least 1.
    max_evaluations : int, default=None
        Most evaluations in all, checked after each iteration; None is
        `max_line_search` times the number of iterations.

    Examples
    --------
    >>> from scipy.optimize import rosen, rosen_der
    >>> from skdl.optimizers import LBFGS, minimize
    >>> result = minimize(rosen, [-1.2, 1.0], jac=rosen_der, optimizer=LBFGS(gtol=1e-8))
    >>> result.x.round(4), result.nit < 100
    (array([1., 1.]), True)
    >>> from skdl import MLPRegressor
    >>> model = MLPRegressor(optimizer="lbfgs")  # the whole sample at once
    """

    full_batch = True
    incremental = False

    _parameter_constraints: dict[str, Any] = {
        "memory": COUNT,
        "gtol": NOT_NEGATIVE,
        "ftol": NOT_NEGATIVE,
        "max_line_search": COUNT,
        "max_evaluations": [*COUNT, None],
    }

    def __init__(
        self,
        memory: int = 10,
        gtol: float = 1e-5,
        ftol: float = 1e-9,
        max_line_search: int = 20,
        max_evaluations: int | None = None,
    ) -> None:
        self.memory = memory
        self.gtol = gtol
        self.ftol = ftol
        self.max_line_search = max_line_search
        self.max_evaluations = max_evaluations

    def run(
        self,
        problem: Problem,
        theta: Array,
        state: OptimizerState,
        n_iterations: int,
        end_iteration: Callable[[], bool],
    ) -> None:
        own = self.settled()  # SciPy's compiled code takes no numbers but Python's
        talk = _Talk(problem, theta, state, n_iterations, end_iteration)
        talk.budget = own.max_evaluations or n_iterations * own.max_line_search
        failed = ""
        while talk.left > 0 and talk.budget > 0 and not talk.stopped:
            before, talk.here = talk.left, None
            result = scipy_minimize(
                talk.objective,
                talk.last.x,
                method="L-BFGS-B",
                jac=True,
                callback=talk.end_iteration,
                options={
                    "maxcor": own.memory,
                    "gtol": own.gtol,
                    "ftol": own.ftol,
                    "maxiter": talk.left,
                    "maxfun": talk.budget,
                    "maxls": own.max_line_search,
                },
            )
            # 2: the line search failed. From an empty memory it may succeed.
            failed = NO_LOWER_POINT if result.status == 2 else ""
            if not failed or talk.left == before:
                break
            talk.last = Point(talk.theta.astype(np.float64), np.nan, talk.last.gradient)
        state.memory["failed"] = failed


class _Talk:
    """What SciPy asks the problem, and tells it after each iteration."""

    def __init__(
        self,
        problem: Problem,
        theta: Array,
        state: OptimizerState,
        n_iterations: int,
        end: Callable[[], bool],
    ) -> None:
        self.oracle = Oracle(problem, theta)
        self.theta = theta
        self.state = state
        self.end = end
        self.left = n_iterations
        self.budget = 0
        self.stopped = False
        x = theta.astype(np.float64)
        self.last = Point(x, np.nan, x)
        self.here: Point | None = None

    def objective(self, x: Array) -> tuple[float, Array]:
        self.budget -= 1
        if self.here is None:  # where it starts the objective has to be finite
            self.here = self.last = self.oracle(x.copy())
            return self.last.value, self.last.gradient
        self.last = self.oracle.trial(x.copy())
        if not np.isfinite(self.last.value):
            return _wall(self.here, x)
        return self.last.value, self.last.gradient

    def end_iteration(self, intermediate_result: OptimizeResult) -> Any:
        x = intermediate_result.x
        # The last point that the problem has seen has to be this one, and finite.
        seen = np.array_equal(self.last.x, x) and np.isfinite(self.last.value)
        self.here = self.last if seen else self.oracle(x.copy())
        self.theta[:] = x
        self.state.t += 1
        self.left -= 1
        self.stopped = self.end()
        if self.stopped:
            raise StopIteration


def _wall(here: Point, x: Array) -> tuple[float, Array]:
    """Return what to show SciPy where the objective is not finite.

    A steep parabola along the step, by which the line search goes to a tenth of it or
    less: with infinite numbers its interpolation would break down.
    """
    step = x - here.x
    length = max(float(step @ step), np.finfo(np.float64).tiny)
    rise = 10.0 * abs(float(here.gradient @ step)) or 1.0
    return here.value + rise, (2.0 * rise / length) * step
