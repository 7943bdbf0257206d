"""Optimizers in function space.

A fitted learner b_t stands for minus the gradient at step t. Every optimizer whose step
is a linear combination of the gradients so far therefore makes an ensemble
a(x) = b₀ + Σ c_t b_t(x): run on the vector of coefficients, with minus the t-th unit
vector as the t-th gradient, it gives the c_t; run on predictions, with −b_t(x) as
gradient, it gives a(x) at each stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sklearn.base import clone

from skdl import optimizers, schedules
from skdl._registry import Registry
from skdl._typing import Array
from skdl.optimizers import GD, FirstOrder, Optimizer, OptimizerState
from skdl.schedules import Schedule

DEFAULT_RATE = 0.1


class StepRules(Registry[Optimizer]):
    """Step rules of boosting: those of this registry, and all linear optimizers."""

    def class_of(self, name: str) -> type[Optimizer]:
        if not super().__contains__(name) and name in optimizers.registry:
            return optimizers.registry.class_of(name)
        return super().class_of(name)

    def names(self) -> list[str]:
        """Return the names of step rules, sorted."""
        linear = {
            name
            for name in optimizers.registry
            if getattr(optimizers.registry.class_of(name), "linear", False)
        }
        return sorted({*super().names(), *linear})

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in optimizers.registry


registry: StepRules = StepRules("step rule", Optimizer)


@registry.register("newton")
class NewtonStep(GD):
    """Second-order boosting: trees on gradients and Hessians, leaves −Σg/(Σh+λ).

    Friedman, Hastie & Tibshirani 2000; with λ, Chen & Guestrin 2016.
    Losses without Hessian get the leaf values that minimise the loss (absolute error,
    quantile, Huber) or the mean of the negative gradient.

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.01
        The rate η, or a schedule for it.
    clip_norm : float, default=None
        Not used in boosting; must be None.
    clip_value : float, default=None
        Not used in boosting; must be None.

    Raises
    ------
    ValueError
        In fit, if a setting is out of range, or the estimator has a learning rate, too.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdl import GradientBoostingRegressor
    >>> from skdl.boosting import NewtonStep
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = GradientBoostingRegressor(
    ...     optimizer=NewtonStep(learning_rate=0.3), learning_rate=None, n_estimators=2
    ... )
    >>> model.fit(X, y).ensemble_.rates
    [0.3, 0.3]
    """

    second_order = True


def resolve(optimizer: Any, learning_rate: Any) -> FirstOrder:
    """Return the step rule with its learning rate.

    Parameters
    ----------
    optimizer : str or Optimizer
        What the user passed.
    learning_rate : float, str, Schedule or None
        What the user passed; None takes the optimizer's own.

    Returns
    -------
    rule : FirstOrder
        A copy, with the rate in place.

    Raises
    ------
    ValueError
        If the name is unknown, the step is no linear combination of gradients, or two
        rates are given.
    """
    rule = registry.get(optimizer).settled()
    if not isinstance(rule, FirstOrder) or not rule.linear:
        raise ValueError(
            f"optimizer={optimizer!r} cannot steer boosting: its step is no linear "
            "combination of the gradients so far, and so of the fitted learners (it "
            "divides by, or takes the sign of, each row's own gradient, which exists "
            f"for training rows alone). Choose one of {registry.listed()}."
        )
    if rule.clip_norm is not None or rule.clip_value is not None:
        raise ValueError(
            f"{type(rule).__name__} with clip_norm or clip_value cannot steer "
            "boosting: clipping is not linear in the gradients. Leave both None."
        )
    if learning_rate is None:
        return rule
    own = rule.learning_rate
    default = type(rule)().learning_rate
    if own != default:
        raise ValueError(
            f"Two learning rates: learning_rate={learning_rate!r} and "
            f"{type(rule).__name__}(learning_rate={own!r}). Pass learning_rate=None to "
            "use the optimizer's own."
        )
    if isinstance(learning_rate, (str, Schedule)):
        schedule = schedules.get(learning_rate).settled()
        if schedule.initial is None:
            schedule.initial = DEFAULT_RATE
        learning_rate = schedule
    rule.learning_rate = learning_rate
    return rule


class Steps:
    """The coefficients of an ensemble as it grows.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    n_rounds : int
        Planned rounds.
    rates : sequence of float, default=()
        Learning rates of the rounds already done.
    losses : sequence of float, default=()
        What the schedule saw of them.

    Attributes
    ----------
    rates : list of float
        Learning rate of each round.
    """

    def __init__(
        self,
        rule: FirstOrder,
        n_rounds: int,
        rates: Iterable[float] = (),
        losses: Iterable[float] = (),
    ) -> None:
        rule.check(n_rounds, 1)
        self.rule = rule
        self.state = rule.init(1)
        self.rates = list(rates)
        for loss in losses:
            rule.observe(self.state, loss)
        self.state.t = self.state.epoch = len(self.rates)
        self.state.plan(1, n_rounds - len(self.rates))

    @property
    def plain(self) -> bool:
        """Whether a round adds η times its learner and nothing else."""
        return self.rule.plain

    def next_rate(self) -> float:
        """Return the learning rate of the coming round, and note it."""
        rate = float(self.rule.learning_rate_now(self.state))
        self.rates.append(rate)
        self.state.t += 1
        return rate

    def observe(self, loss: float) -> None:
        """Let the schedule see a round's loss.

        Parameters
        ----------
        loss : float
            Validation loss where there is one, else training loss.
        """
        self.rule.observe(self.state, loss)


class Path:
    """A vector that follows a step rule with given rates.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    start : float64 ndarray
        Where it starts; changed in place.
    """

    def __init__(self, rule: FirstOrder, start: Array) -> None:
        self.rule = clone(rule)
        self.values = start
        self.flat = start.reshape(-1)
        self.state: OptimizerState = self.rule.init(self.flat.size)

    def step(self, learner: Array, rate: float) -> None:
        """Take a step.

        Parameters
        ----------
        learner : float64 ndarray of the shape of `start`
            The learner's values, minus the gradient.
        rate : float
            The learning rate.
        """
        self.rule.learning_rate = rate
        gradient = np.negative(learner).reshape(-1)
        self.rule.update(self.flat, gradient, self.state)


def coefficients(rule: FirstOrder, rates: list[float]) -> Array:
    """Return the coefficient of each learner after the last round.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    rates : list of float
        The learning rate of each round.

    Returns
    -------
    coefficients : float64 ndarray of shape (n_rounds,)
        c_t.
    """
    path = Path(rule, np.zeros(len(rates)))
    for t, rate in enumerate(rates):
        learner = np.zeros(len(rates))
        learner[t] = 1.0
        path.step(learner, rate)
    return path.values


def follow(
    rule: FirstOrder, start: Array, learners: Iterable[Array], rates: Iterable[float]
) -> Iterator[Array]:
    """Yield the raw predictions after each round.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    start : float64 ndarray of shape (n, k)
        The raw predictions before the first.
    learners : iterable of float64 ndarray of shape (n, k)
        Each round's learner.
    rates : iterable of float
        Each round's rate.

    Yields
    ------
    raw : float64 ndarray of shape (n, k)
        The same array each time, changed in place.
    """
    path = Path(rule, start)
    for learner, rate in zip(learners, rates, strict=True):
        path.step(learner, rate)
        yield path.values
