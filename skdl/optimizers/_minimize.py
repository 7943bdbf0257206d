"""`minimize`: any function with any of the optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult

from skdl._settings import COUNT, NOT_NEGATIVE, checked
from skdl.optimizers._optimizer import Array, Optimizer, get


class _Function:
    """A function of one vector, as a `Problem` whose epoch is one gradient."""

    def __init__(self, fun: Callable[..., Any], jac: bool | Callable[..., Any]) -> None:
        self.fun = fun
        self.jac = jac
        self.n_evaluations = 0
        self.last_value = np.nan
        self.last_gradient: Array = np.empty(0)

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        self.n_evaluations += 1
        if callable(self.jac):
            value, gradient = self.fun(theta.copy()), self.jac(theta.copy())
        else:
            result = self.fun(theta.copy())
            if not (isinstance(result, (tuple, list)) and len(result) == 2):
                raise ValueError(
                    f"fun must return (value, gradient), got {result!r}; or pass the "
                    "gradient as jac=."
                )
            value, gradient = result
        gradient = np.array(gradient, dtype=theta.dtype)
        if gradient.shape != theta.shape:
            raise ValueError(
                f"The gradient must have the shape of x0, {theta.shape}, got "
                f"{gradient.shape}."
            )
        self.last_value, self.last_gradient = float(value), gradient
        return self.last_value, gradient.copy()

    def gradients(self, theta: Array) -> Iterator[Array]:
        yield self.value_and_gradient(theta)[1]


def minimize(
    fun: Callable[..., Any],
    x0: ArrayLike,
    *,
    jac: bool | Callable[..., Any] = True,
    optimizer: str | Optimizer = "adam",
    max_iter: int = 1000,
    gtol: float = 1e-6,
    callback: Callable[[Array], bool | None] | None = None,
) -> OptimizeResult:
    """Minimise a differentiable function with any of skdl's optimizers.

    Parameters
    ----------
    fun : callable
        ``fun(x) -> (value, gradient)``, or ``fun(x) -> value`` with `jac` a callable.
    x0 : array-like of shape (n,)
        The starting point.
    jac : True or callable, default=True
        True: `fun` returns the gradient too. Callable: ``jac(x) -> gradient``.
    optimizer : str or Optimizer, default="adam"
        Name or instance.
    max_iter : int, default=1000
        Most updates (iterations, for L-BFGS).
    gtol : float, default=1e-6
        It stops when no entry of the gradient is larger than this.
    callback : callable, default=None
        Called with a copy of x after each update; True stops.

    Returns
    -------
    result : scipy.optimize.OptimizeResult
        `x`, `fun` and `jac` at x, `nit` (updates), `nfev` (evaluations), `success`
        (whether `gtol` was reached, or the optimizer's own criterion of convergence)
        and `message`.

    Raises
    ------
    ValueError
        If `x0` is not a finite vector, a setting is out of range, the gradient has
        another shape, or the function stops being finite.
    """
    theta = np.array(x0, dtype=np.float64)
    if theta.ndim != 1 or not np.isfinite(theta).all():
        raise ValueError(f"x0 must be a finite vector, got {x0!r}.")
    limits = checked(
        "minimize",
        {"max_iter": COUNT, "gtol": NOT_NEGATIVE},
        {"max_iter": max_iter, "gtol": gtol},
    )
    max_iter, gtol = limits["max_iter"], limits["gtol"]
    if jac is not True and not callable(jac):
        raise ValueError(f"jac must be True or a callable, got {jac!r}.")
    optimizer = get(optimizer).settled()
    optimizer.check(max_iter, 1)
    state = optimizer.init(theta.size, theta.dtype)
    state.plan(1, max_iter)
    problem = _Function(fun, jac)
    n_iterations, stopped = 0, False

    def end_iteration() -> bool:
        nonlocal n_iterations, stopped
        n_iterations += 1
        optimizer.observe(state, problem.last_value)
        if not (np.isfinite(problem.last_value) and np.isfinite(theta).all()):
            raise ValueError(
                f"The function diverged at update {n_iterations}: value "
                f"{problem.last_value}. Try a smaller learning rate or clip_norm."
            )
        stopped = callback is not None and bool(callback(theta.copy()))
        return stopped or small(problem.last_gradient)

    def small(gradient: Array) -> bool:
        return bool(np.abs(gradient).max(initial=0.0) <= gtol)

    optimizer.run(problem, theta, state, max_iter, end_iteration)
    value, gradient = problem.value_and_gradient(theta)
    reached = small(gradient)
    converged = n_iterations < max_iter and not stopped  # by the optimizer's own rule
    messages = {
        reached: "The gradient is small.",
        not reached and converged: "The optimizer has converged.",
        not reached and stopped: "Stopped by the callback.",
        not reached and not converged and not stopped: "Stopped after max_iter.",
    }
    return OptimizeResult(
        x=theta,
        fun=value,
        jac=gradient,
        nit=n_iterations,
        nfev=problem.n_evaluations,
        success=reached or converged,
        message=messages[True],
    )
