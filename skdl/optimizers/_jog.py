"""Out of a poor minimum: any optimizer, jogged when the loss stalls."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._settings import NOT_NEGATIVE, POSITIVE
from skdl._typing import Array
from skdl.optimizers._optimizer import (
    Optimizer,
    OptimizerState,
    Problem,
    register,
    registry,
)
from skdl.optimizers._oracle import Oracle

# Times that a jog is halved which leads to where the objective is not finite.
_SHORTER = 20


@register("jog")
class Jog(Optimizer):
    """Run an optimizer, perturb the parameters whenever the loss stalls, keep the best.

    The loss has stalled when it has not improved for a while since the last jog, or
    when the optimizer has converged. Each parameter (of a network: each weight, not the
    biases) then gets normal noise of a share of the parameters' own root mean square,
    now or at the start, and the optimizer goes on from there, to the last iteration; a
    small gradient ends nothing. In the end the best parameters come back, so that a jog
    for the worse costs time alone. One to where the objective is not finite is halved
    until it is.

    Parameters
    ----------
    optimizer : str or Optimizer, default="lbfgs"
        What is jogged: name or instance.
    scale : float, default=0.3
        Standard deviation of the noise, as a share of the root mean square of the
        parameters (of 1 where all are zero at the start); positive.
    patience : int, default=5
        Epochs (iterations) without improvement before a jog.
    tol : float, default=1e-4
        Smallest difference that counts as an improvement; not negative.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import Jog, minimize
    >>> def waves(x):
    ...     value = 0.01 * x @ x - np.cos(x).sum()
    ...     return value, 0.02 * x + np.sin(x)
    >>> start = [12.0, -7.0]
    >>> minimize(waves, start, optimizer="lbfgs").fun > -1
    True
    >>> jogged = minimize(waves, start, optimizer=Jog("lbfgs"), max_iter=300)
    >>> print(round(jogged.fun, 3))
    -2.0
    """

    _registries = {"optimizer": registry}
    _parameter_constraints: dict[str, Any] = {
        "scale": POSITIVE,
        "patience": NOT_NEGATIVE,
        "tol": NOT_NEGATIVE,
    }

    leaves_minima = True

    def __init__(
        self,
        optimizer: str | Optimizer = "lbfgs",
        scale: float = 0.3,
        patience: int = 5,
        tol: float = 1e-4,
    ) -> None:
        self.optimizer = optimizer
        self.scale = scale
        self.patience = patience
        self.tol = tol

    @property
    def full_batch(self) -> bool:  # type: ignore[override]
        """Whether the jogged optimizer is meant for the whole sample."""
        return registry.get(self.optimizer).full_batch

    @property
    def incremental(self) -> bool:  # type: ignore[override]
        """Whether the jogged optimizer can go on one batch at a time."""
        return registry.get(self.optimizer).incremental

    @property
    def has_rate(self) -> bool:  # type: ignore[override]
        """Whether the jogged optimizer has a learning rate."""
        return registry.get(self.optimizer).has_rate

    @property
    def needs_gradient(self) -> bool:  # type: ignore[override]
        """Whether the jogged optimizer asks for gradients."""
        return registry.get(self.optimizer).needs_gradient

    def check(self, n_epochs: int = 0, steps_per_epoch: int = 1) -> None:
        super().check(n_epochs, steps_per_epoch)
        registry.get(self.optimizer).check(n_epochs, steps_per_epoch)

    def init(self, n: int, dtype: DTypeLike = np.float64) -> OptimizerState:
        return registry.get(self.optimizer).init(n, dtype)

    def learning_rate_now(self, state: OptimizerState) -> float:
        return registry.get(self.optimizer).learning_rate_now(state)

    def observe(self, state: OptimizerState, loss: float) -> None:
        registry.get(self.optimizer).observe(state, loss)
        memory = state.memory
        best = memory.get("jog_best", math.inf)
        improved = loss < best and not loss > best - self.tol
        waiting = 0 if improved else memory.get("jog_waiting", 0) + 1
        memory["jog_waiting"], memory["jog_best"] = waiting, min(best, loss)
        memory["jog_watched"] = loss
        memory["jog_due"] = waiting > self.patience

    def run(
        self,
        problem: Problem,
        theta: Array,
        state: OptimizerState,
        n_iterations: int,
        end_iteration: Callable[[], bool],
    ) -> None:
        inner, memory = registry.get(self.optimizer), state.memory
        left, stopped = n_iterations, False
        memory.setdefault("jog_size", _rms(self._weights(problem, theta)) or 1.0)

        def end() -> bool:
            nonlocal left, stopped
            left -= 1
            stopped = end_iteration()
            return stopped or memory.get("jog_due", False)

        while left > 0 and not stopped:
            # Here and not in `end`: a run that was cut off goes on with the jog.
            if memory.get("jog_due", False):
                self._perturb(problem, theta, state)
            before = left
            inner.run(problem, theta, state, left, end)
            left -= left == before  # where the start was a minimum, that was it
            if left > 0 and not stopped:
                memory["jog_due"] = True  # stalled, or converged

    def _perturb(self, problem: Problem, theta: Array, state: OptimizerState) -> None:
        memory = state.memory
        memory["jogs"] = (*memory.get("jogs", ()), state.epoch)
        memory.update(jog_due=False, jog_waiting=0, jog_best=math.inf)
        weights = self._weights(problem, theta)
        rng = getattr(problem, "rng", None) or np.random.default_rng(state.epoch)
        # Around a minimum at 0 the parameters themselves say nothing of their size.
        size = max(_rms(weights), memory["jog_size"])
        noise, start = rng.normal(0.0, self.scale * size, weights.size), theta.copy()
        for _ in range(_SHORTER):
            self._add(noise, problem, theta)
            if self._may_begin(problem, theta):
                return
            theta[:], noise = start, 0.5 * noise

    def _add(self, noise: Array, problem: Problem, theta: Array) -> None:
        for part in self._parts(problem):
            here, noise = noise[: theta[part].size], noise[theta[part].size :]
            theta[part] += here.astype(theta.dtype)

    def _may_begin(self, problem: Problem, theta: Array) -> bool:
        """Whether the objective is finite here, as far as it can be asked."""
        # On mini-batches the objective of the whole sample may be noisy, or dear.
        if self.incremental and not hasattr(problem, "value"):
            return True
        return math.isfinite(Oracle(problem, theta).value(theta))

    def _weights(self, problem: Problem, theta: Array) -> Array:
        return np.concatenate([theta[part] for part in self._parts(problem)])

    def _parts(self, problem: Problem) -> list[slice]:
        return getattr(problem, "weights", [slice(None)]) or [slice(None)]


def _rms(x: Array) -> float:
    return float(np.sqrt(np.mean(x**2))) if x.size else 0.0
