"""Which optimizers steer boosting, and with which learning rate."""

from __future__ import annotations

from typing import Any

from skdl import optimizers, schedules
from skdl._registry import Registry
from skdl.optimizers import GD, FirstOrder, Optimizer
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
    an own loss they are found by the sign of the sum of its gradients. With
    ``estimator=``, losses of real targets say how far to go along each learner.

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
