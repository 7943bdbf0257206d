"""Learning rates that change while the model learns.

A schedule is a factor on an initial rate: ``multiplier(t, total, memory)``. Time counts
epochs (``unit="epoch"``: the rate changes between epochs) or updates (``unit="step"``:
it changes with each one), and `total` is the planned length in that unit.
"""

from __future__ import annotations

import math
from typing import Any

from skdl._base import ParameterObject
from skdl._compat import Integral, Interval, Real, StrOptions
from skdl._registry import Registry
from skdl._settings import COUNT, FACTOR, NOT_NEGATIVE, POSITIVE


class Schedule(ParameterObject):
    """Base of schedules. A subclass defines `multiplier`.

    Parameters
    ----------
    initial : float, default=None
        The learning rate that the factor multiplies. None takes the default rate of
        the optimizer.
    unit : {"epoch", "step"}, default="epoch"
        What time counts.

    Examples
    --------
    >>> from skdl.schedules import Schedule
    >>> class Halving(Schedule):
    ...     def multiplier(self, t, total, memory):
    ...         return 0.5**t
    >>> [Halving().multiplier(t, 0, {}) for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    >>> from skdl.optimizers import SGD, minimize
    >>> def parabola(x):
    ...     return 0.5 * x @ x, x
    >>> minimize(parabola, [1.0], optimizer=SGD(Halving(0.5)), max_iter=2).x
    array([0.375])
    """

    _parameter_constraints: dict[str, Any] = {
        "initial": [*POSITIVE, None],
        "unit": [StrOptions({"epoch", "step"})],
    }

    def __init__(self, initial: float | None = None, unit: str = "epoch") -> None:
        self.initial = initial
        self.unit = unit

    def multiplier(self, t: int, total: int, memory: dict[str, Any]) -> float:
        """Return the factor on the initial rate.

        Parameters
        ----------
        t : int
            Epochs or updates done before this one.
        total : int
            Planned number of them; 0 where it is not known.
        memory : dict
            What `observe` has stored; empty at the start.

        Returns
        -------
        factor : float
            Not negative.
        """
        raise TypeError(
            f"{type(self).__name__} must define multiplier(t, total, memory)."
        )

    def observe(self, loss: float, memory: dict[str, Any]) -> None:
        """Take note of the loss at the end of an epoch.

        Parameters
        ----------
        loss : float
            Validation loss where there is validation data, else training loss.
        memory : dict
            Kept with the optimizer's state.
        """

    def check(self, total: int) -> None:
        """Raise if settings, which `settled` has checked, do not suit the plan.

        Parameters
        ----------
        total : int
            Planned number of epochs or updates, 0 where it is not known.

        Raises
        ------
        ValueError
            If the schedule needs a planned length.
        """


registry: Registry[Schedule] = Registry("schedule", Schedule)
register = registry.register
get = registry.get
names = registry.names


@register("constant")
class Constant(Schedule):
    """The same rate all the time.

    Parameters
    ----------
    initial : float, default=None
        The rate; None takes the optimizer's default.

    Examples
    --------
    >>> from skdl.optimizers import SGD, minimize
    >>> from skdl.schedules import Constant
    >>> def parabola(x):
    ...     return 0.5 * x @ x, x
    >>> minimize(parabola, [1.0], optimizer=SGD(Constant(0.5)), max_iter=3).path.ravel()
    array([1.   , 0.5  , 0.25 , 0.125])
    """

    unit = "epoch"

    def __init__(self, initial: float | None = None) -> None:
        self.initial = initial

    def multiplier(self, t: int, total: int, memory: dict[str, Any]) -> float:
        return 1.0


@register("inverse")
class Inverse(Schedule):
    """A rate that falls as one over time: η / (1 + decay·t)^power.

    With the defaults that is η/k, where k = 1, 2, … is the update.

    Parameters
    ----------
    initial : float, default=None
        The first rate; None takes the optimizer's default.
    decay : float, default=1.0
        How fast it falls, per unit of time; positive.
    power : float, default=1.0
        Exponent; positive. Above ½ and up to 1 the Robbins–Monro conditions hold, and
        stochastic descent converges.
    unit : {"epoch", "step"}, default="step"
        What time counts.

    Examples
    --------
    >>> from skdl.schedules import Inverse
    >>> [Inverse().multiplier(t, 0, {}) for t in (0, 1, 3)]
    [1.0, 0.5, 0.25]
    >>> [Inverse(decay=0.5, power=2).multiplier(t, 0, {}) for t in (0, 2, 6)]
    [1.0, 0.25, 0.0625]
    """

    _parameter_constraints: dict[str, Any] = {
        **Schedule._parameter_constraints,
        "decay": POSITIVE,
        "power": POSITIVE,
    }

    def __init__(
        self,
        initial: float | None = None,
        decay: float = 1.0,
        power: float = 1.0,
        unit: str = "step",
    ) -> None:
        super().__init__(initial, unit)
        self.decay = decay
        self.power = power

    def multiplier(self, t: int, total: int, memory: dict[str, Any]) -> float:
        return (1.0 + self.decay * t) ** -self.power


@register("step")
class Step(Schedule):
    """A rate that falls in steps: η·γ^⌊t/every⌋.

    Parameters
    ----------
    initial : float, default=None
        The first rate; None takes the optimizer's default.
    every : int, default=10
        Units of time between two falls; at least 1.
    gamma : float, default=0.1
        Factor of each fall, in (0, 1].
    unit : {"epoch", "step"}, default="epoch"
        What time counts.

    Examples
    --------
    >>> from skdl.schedules import Step
    >>> [Step(every=2, gamma=0.5).multiplier(t, 0, {}) for t in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    _parameter_constraints: dict[str, Any] = {
        **Schedule._parameter_constraints,
        "every": COUNT,
        "gamma": FACTOR,
    }

    def __init__(
        self,
        initial: float | None = None,
        every: int = 10,
        gamma: float = 0.1,
        unit: str = "epoch",
    ) -> None:
        super().__init__(initial, unit)
        self.every = every
        self.gamma = gamma

    def multiplier(self, t: int, total: int, memory: dict[str, Any]) -> float:
        return self.gamma ** (t // self.every)


@register("exponential")
class Exponential(Schedule):
    """A rate that falls by the same share each time: η·γᵗ.

    Parameters
    ----------
    initial : float, default=None
        The first rate; None takes the optimizer's default.
    gamma : float, default=0.95
        Factor per unit of time, in (0, 1].
    unit : {"epoch", "step"}, default="epoch"
        What time counts.

    Examples
    --------
    >>> from skdl.schedules import Exponential
    >>> [Exponential(gamma=0.5).multiplier(t, 0, {}) for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    _parameter_constraints: dict[str, Any] = {
        **Schedule._parameter_constraints,
        "gamma": FACTOR,
    }

    def __init__(
        self, initial: float | None = None, gamma: float = 0.95, unit: str = "epoch"
    ) -> None:
        super().__init__(initial, unit)
        self.gamma = gamma

    def multiplier(self, t: int, total: int, memory: dict[str, Any]) -> float:
        return self.gamma**t


class _Planned(Schedule):
    """A schedule over a known length; beyond it the last value holds."""

    def check(self, total: int) -> None:
        super().check(total)
        if total < 1:
            raise ValueError(
                f"{type(self).__name__} needs a planned length (max_iter); with "
                'partial_fit choose "constant", "inverse", "step", "exponential" or '
                '"reduce_on_plateau".'
            )


@register("cosine")
class Cosine(_Planned):
    """A rate that falls along half a cosine (Loshchilov & Hutter 2017).

    From η down to final·η.

    The end is reached behind the last unit of time, as in PyTorch: of n updates the
    last one stands at the share 1 − 1/n of the way.

    Parameters
    ----------
    initial : float, default=None
        The first rate; None takes the optimizer's default.
    final : float, default=0.0
        Last factor, in [0, 1].
    unit : {"epoch", "step"}, default="step"
        What time counts.

    Examples
    --------
    >>> from skdl.schedules import Cosine
    >>> # Of four updates, and of what would come behind them:
    >>> [round(Cosine().multiplier(t, 4, {}), 2) for t in range(5)]
    [1.0, 0.85, 0.5, 0.15, 0.0]
    >>> [round(Cosine(final=0.5).multiplier(t, 4, {}), 2) for t in range(5)]
    [1.0, 0.93, 0.75, 0.57, 0.5]
    """

    _parameter_constraints: dict[str, Any] = {
        **Schedule._parameter_constraints,
        "final": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self, initial: float | None = None, final: float = 0.0, unit: str = "step"
    ) -> None:
        super().__init__(initial, unit)
        self.final = final

    def multiplier(self, t: int, total: int, memory: dict[str, Any]) -> float:
        return _cosine(1.0, self.final, t / total)


@register("one_cycle")
class OneCycle(_Planned):
    """A rate that rises and falls along cosines (Smith & Topin 2018).

    Parameters
    ----------
    initial : float, default=None
        The highest rate; None takes the optimizer's default.
    rise : float, default=0.3
        Share of the time spent rising, in (0, 1).
    start : float, default=0.04
        First factor, in (0, 1].
    final : float, default=1e-4
        Last factor *relative to* `start`, in (0, 1].
    unit : {"epoch", "step"}, default="step"
        What time counts.

    Examples
    --------
    >>> from skdl.schedules import OneCycle
    >>> cycle = OneCycle(rise=0.5, start=0.1)
    >>> [round(cycle.multiplier(t, 10, {}), 2) for t in range(10)]
    [0.1, 0.23, 0.55, 0.87, 1.0, 0.9, 0.65, 0.35, 0.1, 0.0]
    """

    _parameter_constraints: dict[str, Any] = {
        **Schedule._parameter_constraints,
        "rise": [Interval(Real, 0, 1, closed="neither")],
        "start": FACTOR,
        "final": FACTOR,
    }

    def __init__(
        self,
        initial: float | None = None,
        rise: float = 0.3,
        start: float = 0.04,
        final: float = 1e-4,
        unit: str = "step",
    ) -> None:
        super().__init__(initial, unit)
        self.rise = rise
        self.start = start
        self.final = final

    def multiplier(self, t: int, total: int, memory: dict[str, Any]) -> float:
        # The peak is at rise·total − 1 and the end at total − 1, the last update.
        peak, end = self.rise * total - 1, total - 1
        if t <= peak:
            return _cosine(self.start, 1.0, t / max(peak, 1e-12))
        return _cosine(1.0, self.start * self.final, (t - peak) / (end - peak))


@register("warm_up")
class WarmUp(Schedule):
    """A linear rise to η, then another schedule (Goyal et al. 2017).

    Parameters
    ----------
    initial : float, default=None
        The rate at the end of the rise; None takes the optimizer's default.
    length : int, default=100
        Units of time that the rise lasts; the first factor is 1/length.
    after : str or Schedule, default="constant"
        The schedule that follows, its time starting at the end of the rise. Its own
        `initial` and `unit` are not used.
    unit : {"epoch", "step"}, default="step"
        What time counts.

    Examples
    --------
    >>> from skdl.schedules import WarmUp
    >>> rise = WarmUp(length=4, after="cosine")
    >>> [round(rise.multiplier(t, 8, {}), 2) for t in range(8)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.85, 0.5, 0.15]
    """

    _registries = {"after": registry}

    _parameter_constraints: dict[str, Any] = {
        **Schedule._parameter_constraints,
        "length": COUNT,
    }

    def __init__(
        self,
        initial: float | None = None,
        length: int = 100,
        after: str | Schedule = "constant",
        unit: str = "step",
    ) -> None:
        super().__init__(initial, unit)
        self.length = length
        self.after = after

    def multiplier(self, t: int, total: int, memory: dict[str, Any]) -> float:
        if t < self.length:
            return (t + 1) / self.length
        rest = max(0, total - self.length)
        return get(self.after).multiplier(t - self.length, rest, memory)

    def observe(self, loss: float, memory: dict[str, Any]) -> None:
        get(self.after).observe(loss, memory)

    def check(self, total: int) -> None:
        super().check(total)
        get(self.after).check(max(0, total - self.length))


@register("reduce_on_plateau")
class ReduceOnPlateau(Schedule):
    """A rate that falls whenever the loss has stopped falling.

    Parameters
    ----------
    initial : float, default=None
        The first rate; None takes the optimizer's default.
    factor : float, default=0.1
        Factor of each fall, in (0, 1].
    patience : int, default=10
        Epochs without improvement after which the rate falls.
    threshold : float, default=1e-4
        An improvement is a loss below best·(1 − threshold).
    minimum : float, default=0.0
        The factor never falls below this share of the initial rate.

    Examples
    --------
    >>> from skdl.schedules import ReduceOnPlateau
    >>> plateau, memory = ReduceOnPlateau(factor=0.5, patience=1), {}
    >>> for loss in (3.0, 2.0, 2.0, 2.0, 1.0):
    ...     plateau.observe(loss, memory)
    ...     print(loss, plateau.multiplier(0, 0, memory))
    3.0 1.0
    2.0 1.0
    2.0 1.0
    2.0 0.5
    1.0 0.5
    """

    unit = "epoch"

    _parameter_constraints: dict[str, Any] = {
        **Schedule._parameter_constraints,
        "factor": FACTOR,
        "patience": [Interval(Integral, 0, None, closed="left")],
        "threshold": NOT_NEGATIVE,
        "minimum": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        initial: float | None = None,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        minimum: float = 0.0,
    ) -> None:
        self.initial = initial
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.minimum = minimum

    def multiplier(self, t: int, total: int, memory: dict[str, Any]) -> float:
        return float(memory.get("factor", 1.0))

    def observe(self, loss: float, memory: dict[str, Any]) -> None:
        best = memory.get("best", math.inf)
        # A relative margin, on the side of smaller for losses of either sign.
        if loss < best - self.threshold * abs(best) or math.isinf(best):
            memory["best"], memory["bad"] = loss, 0
            return
        memory["bad"] += 1
        if memory["bad"] > self.patience:
            lower = memory.get("factor", 1.0) * self.factor
            memory["factor"], memory["bad"] = max(lower, self.minimum), 0


def _cosine(start: float, end: float, share: float) -> float:
    """From start (share 0) to end (share ≥ 1) along half a cosine."""
    share = min(1.0, max(0.0, share))
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * share))
