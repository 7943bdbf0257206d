"""From a function and an optimizer to SciPy's result."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult

from skdl._settings import COUNT, NOT_NEGATIVE, checked
from skdl._typing import Array
from skdl.optimizers._function import Function


class _Descent:
    """What is known after each update, and why it stopped."""

    def __init__(
        self,
        optimizer: Any,
        problem: Function,
        theta: Array,
        gtol: float,
        callback: Callable[..., Any] | None,
        keep_path: bool,
    ) -> None:
        self.optimizer = optimizer
        self.problem = problem
        self.theta = theta
        self.gtol = gtol
        self.callback = callback
        self.state = optimizer.init(theta.size, theta.dtype)
        self.n_iterations = 0
        self.stopped = False
        self.value, self.gradient = self._look("at x0")
        self.path = [theta.copy()] if keep_path else None
        self.path_fun = [self.value]
        self.best = (self.value, theta.copy()) if optimizer.leaves_minima else None

    def _look(self, where: str) -> tuple[float, Array | None]:
        """Return value and gradient here, and raise if they are not finite."""
        problem, theta = self.problem, self.theta
        what, hint = "is not finite", "Start where it is finite."
        if self.n_iterations:
            what, hint = "diverged", "Start elsewhere."
            if self.optimizer.has_rate:
                hint = "Try a smaller learning rate or clip_norm."
        if not np.isfinite(theta).all():
            raise ValueError(f"The function {what} {where}: x is {theta}. {hint}")
        value = problem.value(theta)
        if not np.isfinite(value):
            raise ValueError(f"The function {what} {where}: value {value}. {hint}")
        gradient = problem.known_gradient(theta)
        if gradient is None and self.optimizer.needs_gradient:
            gradient = problem.value_and_gradient(theta)[1]
        if gradient is not None and not np.isfinite(gradient).all():
            i = int(np.flatnonzero(~np.isfinite(gradient))[0])
            raise ValueError(
                f"The function {what} {where}: entry {i} of the gradient is "
                f"{gradient[i]}. {hint}"
            )
        return value, gradient

    @property
    def flat(self) -> bool:
        """Whether no entry of the gradient is larger than `gtol`."""
        if self.gradient is None:
            return False
        return bool(np.abs(self.gradient).max(initial=0.0) <= self.gtol)

    def end_iteration(self) -> bool:
        self.n_iterations += 1
        self.value, self.gradient = self._look(f"at update {self.n_iterations}")
        self.optimizer.observe(self.state, self.value)
        if self.path is not None:
            self.path.append(self.theta.copy())
        self.path_fun.append(self.value)
        if self.best is not None and self.value < self.best[0]:
            self.best = self.value, self.theta.copy()
        self.stopped = self._call_back()
        return self.stopped or (self.flat and not self.optimizer.leaves_minima)

    def _call_back(self) -> bool:
        if self.callback is None:
            return False
        x = self.theta.copy()
        try:
            if _wants_a_result(self.callback):
                result = OptimizeResult(x=x, fun=self.value)
                return bool(self.callback(intermediate_result=result))
            return bool(self.callback(x))
        except StopIteration:
            return True

    def result(self, max_iter: int) -> OptimizeResult:
        if self.best is not None:
            self.theta[:] = self.best[1]
        self.value, self.gradient = self._look("at the end")
        by_itself = self.n_iterations < max_iter and not self.stopped
        failed = self.state.memory.get("failed")
        message, status = "Stopped after max_iter.", 1
        if self.flat:
            message, status = "The gradient is small.", 0
        elif by_itself and failed:
            message, status = failed, 3
        elif by_itself:
            message, status = "The optimizer has converged.", 0
        elif self.stopped:
            message, status = "Stopped by the callback.", 2
        result = OptimizeResult(
            x=self.theta,
            fun=self.value,
            nit=self.n_iterations,
            nfev=self.problem.nfev,
            njev=self.problem.njev,
            nhev=self.problem.nhev,
            success=status == 0,
            status=status,
            message=message,
            path_fun=np.array(self.path_fun),
        )
        if self.gradient is not None:
            result.jac = self.gradient
        if self.path is not None:
            result.path = np.array(self.path)
        return result


def _wants_a_result(callback: Callable[..., Any]) -> bool:
    """Return whether it is a callback of SciPy's newer kind."""
    try:
        return set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except ValueError:  # a builtin without a signature, such as list.append
        return False


def starting_point(x0: ArrayLike) -> Array:
    """Return x0 as a vector of its own, in double precision.

    Parameters
    ----------
    x0 : array-like of shape (n,)
        What the user passed.

    Returns
    -------
    theta : ndarray of shape (n,)
        A copy.

    Raises
    ------
    ValueError
        If it is not one-dimensional, real and finite.
    """
    given = np.asarray(x0)
    if given.ndim != 1 or given.dtype.kind not in "biuf":
        raise ValueError(
            "x0 must be a finite vector: a one-dimensional array of real numbers, got "
            f"an array of shape {given.shape} and type {given.dtype}."
        )
    theta = given.astype(np.float64)
    if not np.isfinite(theta).all():
        i = int(np.flatnonzero(~np.isfinite(theta))[0])
        raise ValueError(f"x0 must be a finite vector, got x0[{i}] = {theta[i]}.")
    return theta


def descend(
    optimizer: Any,
    fun: Callable[..., Any],
    x0: ArrayLike,
    args: tuple[Any, ...] = (),
    jac: Any = None,
    hess: Callable[..., Any] | None = None,
    hessp: Callable[..., Any] | None = None,
    callback: Callable[..., Any] | None = None,
    max_iter: int = 1000,
    gtol: float = 1e-6,
    check_gradient: bool = False,
    keep_path: bool = True,
    random_state: Any = 0,
) -> OptimizeResult:
    """Minimise with an optimizer; see `skdl.optimizers.minimize`."""
    theta = starting_point(x0)
    limits = checked(
        "minimize",
        {"max_iter": COUNT, "gtol": NOT_NEGATIVE},
        {"max_iter": max_iter, "gtol": gtol},
    )
    max_iter, gtol = limits["max_iter"], limits["gtol"]
    if callback is not None and not callable(callback):
        raise ValueError(f"callback must be a callable, got {callback!r}.")
    optimizer = optimizer.settled()
    optimizer.check(max_iter, 1)
    args = args if isinstance(args, tuple) else (args,)
    rng = np.random.default_rng(random_state)
    problem = Function(fun, theta.size, args, jac, hess, hessp, rng)
    if check_gradient:
        problem.check_derivatives(theta)
    descent = _Descent(optimizer, problem, theta, gtol, callback, keep_path)
    state = descent.state
    state.plan(1, max_iter)
    if not descent.flat or optimizer.leaves_minima:
        optimizer.run(problem, theta, state, max_iter, descent.end_iteration)
    return descent.result(max_iter)
