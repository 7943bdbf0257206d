"""Newton's method without a Hessian: only its products with vectors are needed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from skdl._compat import StrOptions
from skdl._settings import COUNT, NOT_NEGATIVE
from skdl._typing import Array
from skdl.optimizers import _search
from skdl.optimizers._conjugate import QuadraticModel, Step
from skdl.optimizers._optimizer import Optimizer, OptimizerState, Problem, register
from skdl.optimizers._oracle import DIFFERENCES, NO_LOWER_POINT, Oracle, Point

# The equations are first solved to this share of the gradient. Where the gradient at
# the new point then is what the model expected, up to a share of what is left of it,
# the model deserves better: they are solved on, as exactly as it was right.
_LOOSE, _GOOD, _EXACT = 0.5, 0.1, 1e-10


@register("newton")
class Newton(Optimizer):
    """Damped Newton steps on the whole sample, by conjugate gradients.

    θ ← θ − η(∇²f + λI)⁻¹∇f.

    The equations are solved by conjugate gradients, which ask for products of the
    Hessian with a vector: those of the problem, if it has them (`hess` or `hessp` of
    `minimize`), else differences of gradients. How far to go along the solution is for
    `search` to say: a trust region cuts the conjugate gradients short, with Steihaug's
    stops (1983), and is at home where the curvature is negative; a line search shortens
    the step (η). Each system is solved as exactly as the model deserves: as the one
    before it did (Eisenstat & Walker 1996, choice 1), and further where the gradient at
    the end of the step is the expected one, so that a quadratic function takes one
    step.

    It is for smooth functions: kinks (of "relu", or an L1 penalty) make the model wrong
    within a short way, and the steps short, those of a trust region most.

    An "epoch" is one step; it costs about `max_cg` gradients at most. `partial_fit`,
    mini-batches and layers that draw random numbers (dropout) are not for it.

    Parameters
    ----------
    search : str or StepSearch, default="trust_region"
        "trust_region", "armijo" or "wolfe" (the line searches), or an instance.
    damping : float, default=0.0
        λ, added to the diagonal of the Hessian; not negative. It shortens the steps,
        most along flat directions.
    max_cg : int, default=None
        Most products a step; None is twice the number of parameters, at most 100.
    differences : {"central", "forward"}, default="central"
        How a product is made of gradients, where the problem has none of its own:
        "central" costs two gradients, "forward" one, for fewer exact digits (10 and 7
        or so in double precision, 4 and 3 in single).
    gtol : float, default=1e-8
        It stops when no entry of the gradient is larger; not negative.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import minimize
    >>> A = np.array([[3.0, 1.0], [1.0, 2.0]])
    >>> def bowl(x):
    ...     return 0.5 * x @ A @ x, A @ x
    >>> minimize(bowl, [4, -7], optimizer="newton").nit
    1
    """

    _registries = {"search": _search.registry}
    _parameter_constraints: dict[str, Any] = {
        "damping": NOT_NEGATIVE,
        "max_cg": [*COUNT, None],
        "differences": [StrOptions(set(DIFFERENCES))],
        "gtol": NOT_NEGATIVE,
    }

    full_batch = True
    incremental = False

    def __init__(
        self,
        search: str | _search.StepSearch = "trust_region",
        damping: float = 0.0,
        max_cg: int | None = None,
        differences: str = "central",
        gtol: float = 1e-8,
    ) -> None:
        self.search = search
        self.damping = damping
        self.max_cg = max_cg
        self.differences = differences
        self.gtol = gtol

    def run(
        self,
        problem: Problem,
        theta: Array,
        state: OptimizerState,
        n_iterations: int,
        end_iteration: Callable[[], bool],
    ) -> None:
        oracle = Oracle(problem, theta, self.differences)
        find = _search.registry.get(self.search).step
        memory: dict[str, Any] = {}
        here, forcing = oracle(theta.astype(np.float64)), _LOOSE
        for _ in range(n_iterations):
            if np.abs(here.gradient).max(initial=0.0) <= self.gtol:
                break
            steepness = float(np.linalg.norm(here.gradient))
            model = self._model(oracle, here, forcing * steepness)
            found = find(oracle, here, model, memory)
            error = self._error(here, found)
            if found is not None and error < _GOOD * np.linalg.norm(found[1].residual):
                model.tol = max(error, _EXACT * steepness, 0.5 * self.gtol)
                found = find(oracle, here, model, memory)
                error = self._error(here, found)
            if found is None or _no_better(found[0], here):
                state.memory["failed"] = NO_LOWER_POINT
                break
            forcing = min(_LOOSE, error / steepness)
            here = found[0]
            theta[:] = here.x
            state.t += 1
            state.memory["failed"] = ""
            if end_iteration():
                break

    def _error(self, here: Point, found: tuple[Point, Step] | None) -> float:
        """Return how far the gradient is from the one that the model expected."""
        if found is None or found[1].edge or found[1].curved:
            return math.inf
        point, step = found
        expected = step.residual - self.damping * step.p
        shortened = not np.array_equal(point.x, here.x + step.p)
        gap = math.inf if shortened else np.linalg.norm(point.gradient - expected)
        return float(gap)

    def _model(self, oracle: Oracle, here: Point, tol: float) -> QuadraticModel:
        n, damping = here.x.size, self.damping

        def product(v: Array) -> Array:
            Hv = oracle.product(here, v)
            return Hv + damping * v if damping else Hv

        max_cg = min(2 * n, 100) if self.max_cg is None else self.max_cg
        return QuadraticModel(here.gradient, product, max(tol, 0.5 * self.gtol), max_cg)


def _no_better(point: Point, here: Point) -> bool:
    """Whether neither value nor gradient have fallen: the end of the precision."""
    norms = np.linalg.norm(point.gradient), np.linalg.norm(here.gradient)
    return point.value >= here.value and bool(norms[0] >= norms[1])
