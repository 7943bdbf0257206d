"""What an optimizer is, its state, and the registry.

An optimizer holds hyper-parameters alone; what it remembers between updates is an
`OptimizerState`. Two families share one entry point, `Optimizer.run`:

* `FirstOrder` optimizers get one gradient at a time and define `step`, a few lines on
  one-dimensional arrays;
* the others, L-BFGS for one, call the objective themselves, as often as they like.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import signature
from numbers import Real
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from scipy.optimize import OptimizeResult

from skdl import schedules
from skdl._base import ParameterObject
from skdl._config import use_numba
from skdl._registry import Registry
from skdl._settings import POSITIVE
from skdl._typing import Array
from skdl.optimizers._descend import descend
from skdl.optimizers._state import OptimizerState, check_slots


class Problem(Protocol):
    """What an optimizer minimises.

    A training run and `skdl.optimizers.minimize` each give one. Besides these methods
    it may have: ``value(theta)``, the value alone, for methods without gradients;
    ``hessian_product(theta, v)``, the Hessian times a vector, which is else made of
    gradients; ``rng``, a generator for methods that draw random numbers; ``weights``,
    slices of the entries that may be jogged. A method calls the objective last at the
    point where it ends an iteration.
    """

    def gradients(self, theta: Array) -> Iterator[Array]:
        """Yield one gradient after another: an epoch of them.

        Parameters
        ----------
        theta : ndarray of shape (n,)
            The point, read anew for each.

        Yields
        ------
        gradient : ndarray of shape (n,)
            It may be overwritten.
        """
        ...

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return the whole objective and its gradient.

        Parameters
        ----------
        theta : ndarray of shape (n,)
            The point.

        Returns
        -------
        value : float
            The objective.
        gradient : ndarray of shape (n,)
            It may be overwritten by the next call.
        """
        ...


class Optimizer(ParameterObject):
    """Base of optimizers.

    Attributes
    ----------
    full_batch : bool
        Whether it is meant for the gradient of the whole sample: ``batch_size="auto"``
        then is the sample's size.
    incremental : bool
        Whether it can go on one batch at a time, as `partial_fit` does.
    needs_gradient : bool
        Whether it asks for gradients, or else for values alone.
    leaves_minima : bool
        Whether it goes on from a minimum: a small gradient then is no reason to stop,
        and the best parameters are kept for the end.
    memory_settings : tuple of str
        Settings that say what the remembered numbers mean: with another value of one
        of them a run that goes on starts with an empty memory.
    has_rate : bool
        Whether it has a learning rate, that parts of a network can multiply.
    """

    full_batch: ClassVar[bool] = False
    incremental: ClassVar[bool] = True
    needs_gradient: ClassVar[bool] = True
    leaves_minima: ClassVar[bool] = False
    memory_settings: ClassVar[tuple[str, ...]] = ()
    has_rate: ClassVar[bool] = False

    def check(self, n_epochs: int = 0, steps_per_epoch: int = 1) -> None:
        """Raise if a setting is out of range, or does not suit the plan.

        Parameters
        ----------
        n_epochs : int, default=0
            Planned epochs; 0 where it is not known.
        steps_per_epoch : int, default=1
            Updates in an epoch.

        Raises
        ------
        ValueError
            If a setting is out of range, or a schedule needs a planned length.
        """
        self.settled()

    def init(self, n: int, dtype: DTypeLike = np.float64) -> OptimizerState:
        """Return the state before the first update.

        Parameters
        ----------
        n : int
            Number of parameters.
        dtype : dtype, default=np.float64
            Type of the parameters.

        Returns
        -------
        state : OptimizerState
            All zero.
        """
        return OptimizerState(n, dtype, (), self.memory_key())

    def memory_key(self) -> str:
        """Return what the memory belongs to: the class and its `memory_settings`.

        Returns
        -------
        key : str
            Equal for optimizers that may go on with each other's memory.
        """
        settings = [f"{name}={getattr(self, name)}" for name in self.memory_settings]
        return f"{_full_name(type(self))}({', '.join(settings)})"

    def resumed(
        self, state: OptimizerState, n: int, dtype: DTypeLike = np.float64
    ) -> OptimizerState:
        """Return the state to go on with after a run that perhaps was another's.

        Vectors of one name mean different things to two optimizers (a sum of squares,
        an average of them): memory belongs to one class, and that of a schedule to one
        class of schedules. What does not belong starts empty.

        Parameters
        ----------
        state : OptimizerState
            At the end of the earlier run; it is not changed.
        n : int
            Number of parameters.
        dtype : dtype, default=np.float64
            Type of the parameters.

        Returns
        -------
        resumed : OptimizerState
            It shares nothing with `state`; the epochs count on.
        """
        new = self.init(n, dtype)
        new.epoch = state.epoch
        new.steps_per_epoch, new.n_epochs = state.steps_per_epoch, state.n_epochs
        same = state.owner == new.owner and state.slots.keys() == new.slots.keys()
        if same and all(slot.shape == (n,) for slot in state.slots.values()):
            new.t = state.t
            new.memory = dict(state.memory)
            for name, slot in state.slots.items():
                new.slots[name][:] = slot
        if state.schedule_owner == new.schedule_owner:
            new.schedule_memory = dict(state.schedule_memory)
        return new

    def learning_rate_now(self, state: OptimizerState) -> float:
        """Return the learning rate of the coming update; NaN where there is none.

        Parameters
        ----------
        state : OptimizerState
            The state.

        Returns
        -------
        learning_rate : float
            The rate.
        """
        return math.nan

    def observe(self, state: OptimizerState, loss: float) -> None:
        """End an epoch: count it and let the schedule see the loss.

        Parameters
        ----------
        state : OptimizerState
            The state.
        loss : float
            Validation loss where there is one, else training loss.
        """
        state.epoch += 1

    def run(
        self,
        problem: Problem,
        theta: Array,
        state: OptimizerState,
        n_iterations: int,
        end_iteration: Callable[[], bool],
    ) -> None:
        """Minimise, in place.

        Parameters
        ----------
        problem : Problem
            The objective.
        theta : ndarray of shape (n,)
            Parameters, changed in place.
        state : OptimizerState
            The state, changed in place.
        n_iterations : int
            At most so many epochs (or iterations of a method that has none).
        end_iteration : callable
            Called after each; True stops.
        """
        raise TypeError(f"{type(self).__name__} must define run.")

    def __call__(
        self,
        fun: Callable[..., Any],
        x0: ArrayLike,
        args: tuple[Any, ...] = (),
        jac: Any = None,
        hess: Callable[..., Any] | None = None,
        hessp: Callable[..., Any] | None = None,
        bounds: Any = None,
        constraints: Any = (),
        callback: Callable[..., Any] | None = None,
        **options: Any,
    ) -> OptimizeResult:
        """Minimise, as ``scipy.optimize.minimize(fun, x0, method=optimizer)`` asks.

        Parameters
        ----------
        fun, x0, args, jac, hess, hessp, callback : object
            As in `scipy.optimize.minimize` and `skdl.optimizers.minimize`.
        bounds, constraints : object
            Not supported: an error unless None or empty.
        **options : dict
            `maxiter`, `gtol` (or SciPy's `tol`), `disp`, and `check_gradient`,
            `keep_path` and `random_state` of `skdl.optimizers.minimize`.

        Returns
        -------
        result : scipy.optimize.OptimizeResult
            See `skdl.optimizers.minimize`.

        Raises
        ------
        ValueError
            If there are bounds or constraints, or an option is unknown.
        """
        given = [name for name, it in (("bounds", bounds), ("constraints", constraints))
                 if it is not None and np.size(it)]  # fmt: skip
        if given:
            raise ValueError(
                f"{type(self).__name__} takes no {' or '.join(given)}; "
                'method="L-BFGS-B" or "trust-constr" of SciPy does.'
            )
        disp = options.pop("disp", False)
        for scipys, ours in (("maxiter", "max_iter"), ("tol", "gtol")):
            if scipys in options:
                options.setdefault(ours, options.pop(scipys))
        options.pop("tol", None)  # where gtol was given, too
        known = ("max_iter", "gtol", "check_gradient", "keep_path", "random_state")
        unknown = sorted(options.keys() - set(known))
        if unknown:
            raise ValueError(
                f"Unknown options {unknown} for {type(self).__name__}; known ones: "
                f"maxiter, disp, {', '.join(known[1:])}."
            )
        result = descend(
            self, fun, x0, args, jac, hess, hessp, callback=callback, **options
        )
        if disp:
            print(f"{result.message} Value {result.fun:.6g} after {result.nit} updates")
        return result


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _schedule_key(schedule: schedules.Schedule) -> str:
    """Return what the memory of a schedule belongs to, those inside it included."""
    inner = [
        _schedule_key(registry.get(getattr(schedule, name)))
        for name, registry in sorted(schedule._registries.items())
    ]
    return f"{_full_name(type(schedule))}({', '.join(inner)})"


registry: Registry[Optimizer] = Registry("optimizer", Optimizer)
register = registry.register
get = registry.get
names = registry.names


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
    """

    _registries = {"learning_rate": schedules.registry}

    _parameter_constraints: dict[str, Any] = {
        "learning_rate": POSITIVE,
        "clip_norm": [*POSITIVE, None],
        "clip_value": [*POSITIVE, None],
    }

    has_rate = True
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
        if self.clip_value is not None:
            np.clip(grad, -self.clip_value, self.clip_value, out=grad)
        if self.clip_norm is not None:
            norm = math.sqrt(float(grad @ grad))
            if norm >= self.clip_norm and norm > 0:
                grad *= self.clip_norm / norm
        state.t += 1
        shared = self.begin(state)
        planned = theta.size * state.steps_per_epoch * state.n_epochs
        if self.twin and use_numba(planned):
            kernels = import_module("skdl.ops._numba.update")
            kernel = getattr(kernels, self.twin)
            vectors = [theta, grad, *(state.slots[name] for name in self.slots)]
            for start, stop, factor in state.rates or [(0, len(theta), 1.0)]:
                numbers = map(theta.dtype.type, self.twin_numbers(shared, eta * factor))
                kernel(*(vector[start:stop] for vector in vectors), *numbers)
            return
        for block in state.blocks(theta, grad):
            block.t, block.shared = state.t, shared
            self.step(block.theta, block.g, block, eta * block.rate)

    def _schedule(self) -> schedules.Schedule | None:
        rate = self.learning_rate
        return None if isinstance(rate, Real) else schedules.get(rate)

    def _initial_rate(self, schedule: schedules.Schedule) -> float:
        if schedule.initial is not None:
            return float(schedule.initial)
        return float(signature(type(self)).parameters["learning_rate"].default)

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
