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
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from scipy.optimize import OptimizeResult

from skdl._base import ParameterObject
from skdl._registry import Registry
from skdl._typing import Array
from skdl.optimizers._descend import descend
from skdl.optimizers._state import OptimizerState


class Problem(Protocol):
    """What an optimizer minimises.

    A training run and `skdl.optimizers.minimize` each give one. Besides these methods
    it may have: ``value(theta)``, the value alone, for methods without gradients;
    ``hessian_product(theta, v)``, the Hessian times a vector, which is else made of
    gradients; ``rng``, a generator for methods that draw random numbers; ``weights``,
    slices of the entries that may be jogged. A method calls the objective last at the
    point where it ends an iteration.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import SGD
    >>> from skdl.schedules import Inverse
    >>> class Mean:
    ...     numbers = np.array([1.0, 2.0, 6.0])
    ...     def gradients(self, theta):
    ...         for x in self.numbers:  # one after another
    ...             yield theta - x
    ...     def value_and_gradient(self, theta):
    ...         error = theta - self.numbers
    ...         return 0.5 * np.mean(error**2), np.array([error.mean()])
    >>> theta, optimizer = np.zeros(1), SGD(Inverse(1.0))  # rates 1, 1/2, 1/3
    >>> optimizer.run(Mean(), theta, optimizer.init(1), 1, lambda: False)
    >>> theta.round(6)
    array([3.])
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
    updates_rows : bool
        Whether it changes of large tables the rows alone that a gradient touches.

    Examples
    --------
    >>> from scipy.optimize import minimize, rosen
    >>> from skdl.optimizers import get
    >>> optimizer = get("lbfgs")  # SciPy takes it as a method
    >>> minimize(rosen, [-1.2, 1.0], method=optimizer).x.round(3)
    array([1., 1.])
    """

    full_batch: ClassVar[bool] = False
    incremental: ClassVar[bool] = True
    needs_gradient: ClassVar[bool] = True
    leaves_minima: ClassVar[bool] = False
    memory_settings: ClassVar[tuple[str, ...]] = ()
    has_rate: ClassVar[bool] = False
    updates_rows: ClassVar[bool] = False

    def check(self, n_epochs: int = 0, steps_per_epoch: int = 1) -> None:
        """Raise if settings, which `settled` has checked, do not suit the plan.

        Parameters
        ----------
        n_epochs : int, default=0
            Planned epochs; 0 where it is not known.
        steps_per_epoch : int, default=1
            Updates in an epoch.

        Raises
        ------
        ValueError
            If a schedule needs a planned length.
        """

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
        return f"{full_name(type(self))}({', '.join(settings)})"

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


def full_name(cls: type) -> str:
    """Return the name of a class with that of its module.

    Parameters
    ----------
    cls : type
        The class.

    Returns
    -------
    name : str
        Different for classes of one name.
    """
    return f"{cls.__module__}.{cls.__qualname__}"


registry: Registry[Optimizer] = Registry("optimizer", Optimizer)
register = registry.register
get = registry.get
names = registry.names
