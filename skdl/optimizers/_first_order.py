"""Optimizers that need one gradient at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from inspect import signature
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from skdl import schedules
from skdl._config import use_numba
from skdl._settings import POSITIVE
from skdl._typing import Array
from skdl.optimizers._optimizer import Optimizer, Problem, full_name
from skdl.optimizers._state import OptimizerState, check_slots

_default_rates: dict[type, float] = {}  # looking at a signature takes 50 µs


@lru_cache(maxsize=1)
def _kernels() -> Any:
    return import_module("skdl.ops._numba.update")


def _default_rate(rule: type) -> float:
    if rule not in _default_rates:
        default = signature(rule).parameters["learning_rate"].default
        _default_rates[rule] = float(default)
    return _default_rates[rule]


class FirstOrder(Optimizer):
    """Base of optimizers that need one gradient at a time. A subclass defines `step`.

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.01
        The rate η: a number, a schedule's name (from the optimizer's default rate) or
        a schedule.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm (Pascanu et al. 2013).
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut, before `clip_norm` acts.

    Attributes
    ----------
    slots : tuple of str
        Names of the vectors it remembers.
    twin : str
        Name of the compiled twin of `step` in `skdl.ops._numba.update`, if it has one.
    linear : bool
        Whether every step is a linear combination of the gradients so far, the same for
        all entries: then it can also steer boosting, where a gradient is a tree.
    plain : bool
        Whether the step is −η·g and nothing else.
    second_order : bool
        Whether trees of boosting use Hessians, too.

    Notes
    -----
    `twin`, `linear` and `plain` describe `step`: a subclass with a `step` of its own
    does not inherit them.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import FirstOrder, minimize
    >>> class SignDescent(FirstOrder):
    ...     def step(self, theta, g, s, eta):
    ...         theta -= eta * np.sign(g)
    >>> def bowl(x):
    ...     return 0.5 * x @ x, x
    >>> minimize(bowl, [3.0, -2.0], optimizer=SignDescent(0.5), max_iter=4).x
    array([1., 0.])
    """

    _registries = {"learning_rate": schedules.registry}

    _parameter_constraints: dict[str, Any] = {
        "learning_rate": POSITIVE,
        "clip_norm": [*POSITIVE, None],
        "clip_value": [*POSITIVE, None],
    }

    has_rate = True
    updates_rows = True
    slots: ClassVar[tuple[str, ...]] = ()
    twin: ClassVar[str] = ""
    linear: ClassVar[bool] = False
    plain: ClassVar[bool] = False
    second_order: ClassVar[bool] = False

    learning_rate: float | str | schedules.Schedule = 1e-2
    clip_norm: float | None = None
    clip_value: float | None = None

    def __init__(
        self,
        learning_rate: float | str | schedules.Schedule = 1e-2,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        self.learning_rate = learning_rate
        self.clip_norm = clip_norm
        self.clip_value = clip_value

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_slots(cls.__name__, cls.slots)
        if "step" in vars(cls):
            for name in ("twin", "linear", "plain"):
                if name not in vars(cls):
                    setattr(cls, name, getattr(FirstOrder, name))

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        """Change θ in place by one update.

        It acts element by element: `theta` and its companions are blocks of the whole
        vectors.

        Parameters
        ----------
        theta : ndarray of shape (n,)
            Parameters.
        g : ndarray of shape (n,)
            Gradient; it may be overwritten.
        s : namespace
            The slots by name, `work` (scratch memory of shape (n,)), `t` (the number
            of this update, from 1) and `shared` (what `begin` returned).
        eta : float
            The learning rate of this update.
        """
        raise TypeError(f"{type(self).__name__} must define step(theta, g, s, eta).")

    def begin(self, state: OptimizerState) -> Any:
        """Return numbers of this update that all blocks share, as ``s.shared``.

        Parameters
        ----------
        state : OptimizerState
            The state; its `t` already counts this update.

        Returns
        -------
        shared : object
            None unless a subclass needs some.
        """
        return None

    def twin_numbers(self, shared: Any, eta: float) -> tuple[float, ...]:
        """Return the numbers that the compiled twin takes after the vectors.

        Parameters
        ----------
        shared : object
            What `begin` returned.
        eta : float
            The learning rate of this update.

        Returns
        -------
        numbers : tuple of float
            Empty unless there is a twin.
        """
        return ()

    def init(self, n: int, dtype: DTypeLike = np.float64) -> OptimizerState:
        schedule = self._schedule()
        key = "" if schedule is None else _schedule_key(schedule)
        return OptimizerState(n, dtype, self.slots, self.memory_key(), key)

    def update(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Clip the gradient and change θ, both in place.

        Parameters
        ----------
        theta : ndarray of shape (n,)
            Parameters.
        grad : ndarray of shape (n,)
            Gradient; overwritten.
        state : OptimizerState
            The state.
        """
        eta = self.learning_rate_now(state)
        state.t += 1
        touched = state.touched
        if touched is None:
            self._clip([grad])
            self._change(theta, grad, state, eta, [])
            return
        remembered = {"theta": theta, **state.slots}
        tables = state.gathered.take(touched, state.rates, {**remembered, "g": grad})
        dense = [grad[start:stop] for start, stop, _ in state.dense(len(theta))]
        self._clip([*dense, *(table.g for table in tables)])
        self._change(theta, grad, state, eta, tables)
        state.gathered.put_back(tables, remembered)

    def _clip(self, gradients: list[Array]) -> None:
        """Clip the parts of a gradient, in place."""
        if self.clip_value is not None:
            for g in gradients:
                np.clip(g, -self.clip_value, self.clip_value, out=g)
        if self.clip_norm is not None:
            norm = math.sqrt(sum(float(g @ g) for g in gradients))
            if norm >= self.clip_norm and norm > 0:
                for g in gradients:
                    g *= self.clip_norm / norm

    def _change(
        self, theta: Array, grad: Array, state: OptimizerState, eta: float, tables: Any
    ) -> None:
        """Change θ where it is dense, and the rows that were taken of tables."""
        shared = self.begin(state)
        planned = theta.size * state.steps_per_epoch * state.n_epochs
        if self.twin and use_numba(planned):
            kernels = _kernels()
            kernel, names = getattr(kernels, self.twin), ("theta", "g", *self.slots)
            vectors = [theta, grad, *(state.slots[name] for name in self.slots)]
            jobs: list[tuple[list[Array], float]] = [
                ([vector[start:stop] for vector in vectors], rate)
                for start, stop, rate in state.dense(len(theta))
            ]
            jobs += [([getattr(t, name) for name in names], t.rate) for t in tables]
            for parts, rate in jobs:
                numbers = self.twin_numbers(shared, eta * rate)
                kernels.change(kernel, parts, numbers)
            return
        for block in [*state.blocks(theta, grad), *tables]:
            block.t, block.shared = state.t, shared
            self.step(block.theta, block.g, block, eta * block.rate)

    def _schedule(self) -> schedules.Schedule | None:
        rate = self.learning_rate
        return None if isinstance(rate, Real) else schedules.get(rate)

    def _initial_rate(self, schedule: schedules.Schedule) -> float:
        if schedule.initial is not None:
            return float(schedule.initial)
        return _default_rate(type(self))

    def learning_rate_now(self, state: OptimizerState) -> float:
        rate = self.learning_rate
        if isinstance(rate, Real):
            return float(rate)  # a NumPy number would widen single precision
        schedule = schedules.get(rate)
        t, total = state.epoch, state.n_epochs
        if schedule.unit == "step":
            t, total = state.t, total * state.steps_per_epoch
        multiplier = schedule.multiplier(t, total, state.schedule_memory)
        return self._initial_rate(schedule) * multiplier

    def observe(self, state: OptimizerState, loss: float) -> None:
        super().observe(state, loss)
        schedule = self._schedule()
        if schedule is not None:
            schedule.observe(loss, state.schedule_memory)

    def check(self, n_epochs: int = 0, steps_per_epoch: int = 1) -> None:
        super().check(n_epochs, steps_per_epoch)
        schedule = self._schedule()
        if schedule is not None:
            steps = schedule.unit == "step"
            schedule.check(n_epochs * (steps_per_epoch if steps else 1))

    def run(
        self,
        problem: Problem,
        theta: Array,
        state: OptimizerState,
        n_iterations: int,
        end_iteration: Callable[[], bool],
    ) -> None:
        update = self.update
        for _ in range(n_iterations):
            for gradient in problem.gradients(theta):
                update(theta, gradient, state)
            if end_iteration():
                break


def _schedule_key(schedule: schedules.Schedule) -> str:
    """Return what the memory of a schedule belongs to, those inside it included."""
    inner = [
        _schedule_key(registry.get(getattr(schedule, name)))
        for name, registry in sorted(schedule._registries.items())
    ]
    return f"{full_name(type(schedule))}({', '.join(inner)})"
