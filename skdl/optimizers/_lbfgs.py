"""L-BFGS over the whole sample, through SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult
from scipy.optimize import minimize as scipy_minimize

from skdl._settings import COUNT, NOT_NEGATIVE
from skdl.optimizers._optimizer import (
    Array,
    Optimizer,
    OptimizerState,
    Problem,
    register,
)


@register("lbfgs")
class LBFGS(Optimizer):
    """Limited-memory BFGS on the whole sample (Liu & Nocedal 1989), by SciPy.

    It calls the objective itself, several times an iteration if its line search wants
    to, so an "epoch" is one of its iterations, and `partial_fit` is not for it. SciPy
    computes in double precision. Each run starts with an empty memory, also under
    `warm_start`. Layers that draw random numbers (dropout) make the objective noisy,
    which its line search does not expect.

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
    """

    full_batch = True
    incremental = False

    _parameter_constraints: dict[str, Any] = {
        "memory": COUNT,
        "gtol": NOT_NEGATIVE,
        "ftol": NOT_NEGATIVE,
        "max_line_search": COUNT,
    }

    def __init__(
        self,
        memory: int = 10,
        gtol: float = 1e-5,
        ftol: float = 1e-9,
        max_line_search: int = 20,
    ) -> None:
        self.memory = memory
        self.gtol = gtol
        self.ftol = ftol
        self.max_line_search = max_line_search

    def run(
        self,
        problem: Problem,
        theta: Array,
        state: OptimizerState,
        n_iterations: int,
        end_iteration: Callable[[], bool],
    ) -> None:
        point = np.empty_like(theta)

        def objective(x: Array) -> tuple[float, Array]:
            point[:] = x  # the network's precision
            value, gradient = problem.value_and_gradient(point)
            return value, gradient.astype(np.float64)

        def after_iteration(intermediate_result: OptimizeResult) -> Any:
            theta[:] = intermediate_result.x
            state.t += 1
            if end_iteration():
                raise StopIteration

        own = self.settled()  # SciPy's compiled code takes no numbers but Python's
        scipy_minimize(
            objective,
            theta.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=after_iteration,
            options={
                "maxcor": own.memory,
                "gtol": own.gtol,
                "ftol": own.ftol,
                "maxiter": n_iterations,
                "maxfun": n_iterations * own.max_line_search,
                "maxls": own.max_line_search,
            },
        )
