"""Optimizers in function space.

A fitted learner b_t stands for minus the gradient at step t. Every optimizer whose step
is a linear combination of the gradients so far therefore makes an ensemble
a(x) = b₀ + Σ c_t b_t(x): run on the vector of coefficients, with minus the t-th unit
vector as the t-th gradient, it gives the c_t; run on predictions, with −b_t(x) as
gradient, it gives a(x) at each stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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

    Friedman, Hastie & Tibshirani 2000; with λ, Chen & Guestrin 2016. Where curvature
    vanishes, steps are bounded: a round moves no log-odds, nor the logarithm of a mean,
    by more than 4, and predictions of an own loss by no more than η times the range of
    the targets.
    Where the loss has no Hessian, or says what is best for a leaf (absolute error,
    quantile, Huber), trees follow the gradients and leaf values minimise the loss; of
    an own loss they are found by the sign of the sum of its gradients.

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
    """The learning rates of an ensemble as it grows.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    n_rounds : int
        Planned rounds.
    n_done : int, default=0
        Rounds already done.
    losses : sequence of float, default=()
        What the schedule saw of them.
    """

    def __init__(
        self,
        rule: FirstOrder,
        n_rounds: int,
        n_done: int = 0,
        losses: Iterable[float] = (),
    ) -> None:
        rule.check(n_rounds, 1)
        self.rule = rule
        self.state = rule.init(1)
        for loss in losses:
            rule.observe(self.state, loss)
        self.state.t = self.state.epoch = n_done
        self.state.plan(1, n_rounds - n_done)

    @property
    def plain(self) -> bool:
        """Whether a round adds η times its learner and nothing else."""
        return self.rule.plain

    @property
    def rate(self) -> float:
        """The learning rate of the coming round."""
        return float(self.rule.learning_rate_now(self.state))

    def next(self) -> None:
        """Go on to the next round."""
        self.state.t += 1

    def observe(self, loss: float) -> None:
        """Let the schedule see a round's loss.

        Parameters
        ----------
        loss : float
            Validation loss where there is one, else training loss.
        """
        self.rule.observe(self.state, loss)


@dataclass
class Correction:
    """What kept the loss from rising in a round.

    Parameters
    ----------
    scale : float64 ndarray of shape (k,)
        Factor of the learner of each output, in [0, 1].
    anew : bool ndarray of shape (k,)
        Whether the rule forgot its earlier steps.
    """

    scale: Array
    anew: Array


class Path:
    """Predictions that follow a step rule with given rates.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    start : float64 ndarray of shape (n, k)
        Where they start; changed in place.

    Attributes
    ----------
    values : float64 ndarray of shape (n, k)
        The predictions now.
    before : float64 ndarray of shape (n, k)
        What they were at the mark.
    """

    def __init__(self, rule: FirstOrder, start: Array) -> None:
        self.rule = clone(rule)
        self.values = start
        self.flat = start.reshape(-1)
        self.state: OptimizerState = self.rule.init(self.flat.size)
        self.before = start
        self._slots: dict[str, Array] = {}

    def mark(self) -> None:
        """Remember the place, to come back to it."""
        self.before = self.values.copy()
        self._slots = {name: slot.copy() for name, slot in self.state.slots.items()}

    def back(self) -> None:
        """Come back to the mark, one step later."""
        np.copyto(self.values, self.before)
        self.state.t -= 1
        for name, slot in self._slots.items():
            np.copyto(self.state.slots[name], slot)

    def step(
        self, learner: Array, rate: float, correction: Correction | None = None
    ) -> None:
        """Take a step.

        Parameters
        ----------
        learner : float64 ndarray of the shape of `start`
            The learner's values, minus the gradient.
        rate : float
            The learning rate.
        correction : Correction, default=None
            What differs in this round.
        """
        gradient = np.negative(learner)
        if correction is not None:
            gradient *= correction.scale
            for slot in self.state.slots.values():
                slot.reshape(self.values.shape)[:, correction.anew] = 0.0
        self.rule.learning_rate = rate
        gradient = gradient.reshape(-1)
        self.rule.update(self.flat, gradient, self.state)


def coefficients(
    rule: FirstOrder, rates: list[float], corrections: Mapping[int, Correction]
) -> Array:
    """Return the coefficient of each learner after the last round.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    rates : list of float
        The learning rate of each round.
    corrections : mapping of int to Correction
        Of the rounds that needed one.

    Returns
    -------
    coefficients : float64 ndarray of shape (n_rounds,) or (n_rounds, k)
        c_t; of each output where they differ.
    """
    n, k = len(rates), max((len(c.scale) for c in corrections.values()), default=1)
    learners = (np.eye(1, n, t).T.repeat(k, axis=1) for t in range(n))
    path = np.zeros((n, k))
    for _ in follow(rule, path, learners, rates, corrections):
        pass
    return path[:, 0] if k == 1 else path


def follow(
    rule: FirstOrder,
    start: Array,
    learners: Iterable[Array],
    rates: Iterable[float],
    corrections: Mapping[int, Correction],
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
    corrections : mapping of int to Correction
        Of the rounds that needed one.

    Yields
    ------
    raw : float64 ndarray of shape (n, k)
        The same array each time, changed in place.
    """
    path = Path(rule, start)
    for t, (learner, rate) in enumerate(zip(learners, rates, strict=True)):
        path.step(learner, rate, corrections.get(t))
        yield path.values
