"""The learning-rate range test."""

from __future__ import annotations

import math
from itertools import islice
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from skdl import schedules
from skdl._compat import Integral, Interval
from skdl._settings import POSITIVE, SHARE, checked
from skdl._typing import Array
from skdl._warn import warn
from skdl.callbacks._callback import TrainingCallback
from skdl.callbacks._jog import Jogged
from skdl.optimizers import FirstOrder
from skdl.training import Trainer

_DEVIATIONS = 3  # what noise alone may do


class RangeTest(NamedTuple):
    """What the finder saw.

    Attributes
    ----------
    learning_rates : ndarray of shape (n_tried,)
        The rates.
    losses : ndarray of shape (n_tried,)
        The smoothed loss at each.
    start : float
        The loss before the first update.
    noise : ndarray of shape (n_tried,)
        Standard deviation of each smoothed loss.
    learning_rate : float
        The suggestion; NaN where the loss does not fall by more than its noise.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.callbacks import RangeTest
    >>> rates, losses = np.array([1e-3, 1e-2, 1e-1]), np.array([1.0, 0.4, 3.0])
    >>> found = RangeTest(rates, losses, 1.0, np.zeros(3), 1e-2)
    >>> found.learning_rate, found.start
    (0.01, 1.0)
    """

    learning_rates: Array
    losses: Array
    start: float
    noise: Array
    learning_rate: float


class LearningRateFinder(TrainingCallback[Trainer]):
    """Try learning rates from small to large before training (Smith 2017, §3.3).

    On a copy of the network, each mini-batch is one update at a rate that grows
    geometrically, until the smoothed loss is far above its best. Batches differ by more
    than a few updates change: so each batch's loss is compared with its own before the
    first update, with the same units dropped.

    The suggestion is the rate at which the loss falls fastest per unit of log-rate, of
    those between the first tenth of the fall and its end, less the average's delay.
    Where it falls nowhere by more than three standard deviations of the noise and a
    hundredth of the loss, there is none: a warning says so, and training keeps
    its own rate. A rate that learns faster also overfits sooner: stop early.

    Weights, optimizer state and random numbers of the training itself are untouched.

    Parameters
    ----------
    low, high : float, default=1e-6, 10.0
        The range of rates; 0 < low < high.
    n_steps : int, default=100
        Number of rates; at least 10.
    smoothing : float, default=0.9
        Share of the old average in the smoothed loss, in [0, 1).
    stop_at : float, default=4.0
        Stop when the smoothed loss is above its best by so many times the loss at the
        start, less one; above 1.
    apply : bool, default=True
        Whether training uses the suggestion, as its rate or as the first rate of its
        schedule. The estimator's own settings are not changed. False only looks.

    Attributes
    ----------
    learning_rates_ : ndarray of shape (n_tried,)
        The rates tried in the latest fit.
    losses_ : ndarray of shape (n_tried,)
        The smoothed loss at each.
    noise_ : ndarray of shape (n_tried,)
        Standard deviation of each smoothed loss.
    learning_rate_ : float
        The suggestion; NaN if there is none.

    Raises
    ------
    ValueError
        If a setting is out of range; in fit, if the optimizer has no learning rate, or
        the estimator is a booster, which has no weights.

    Warns
    -----
    UserWarning
        In fit, if the loss falls at none of the rates.

    See Also
    --------
    skdl.inspection.LearningRateFinderDisplay : The curve.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdl import MLPClassifier
    >>> from skdl.callbacks import LearningRateFinder
    >>> X, y = load_digits(return_X_y=True)
    >>> finder = LearningRateFinder()
    >>> net = MLPClassifier(random_state=0, batch_size=32, early_stopping=True)
    >>> net = net.set_callbacks(finder).fit(X / 16, y)
    >>> 1e-4 < finder.learning_rate_ < 1e-1
    True
    """

    _for_boosters = (
        "Remove it; search learning_rate on a grid, and let n_iter_no_change choose "
        "the number of rounds."
    )

    def __init__(
        self,
        low: float = 1e-6,
        high: float = 10.0,
        n_steps: int = 100,
        smoothing: float = 0.9,
        stop_at: float = 4.0,
        apply: bool = True,
    ) -> None:
        super().__init__()
        settings = checked(
            type(self).__name__,
            {
                "low": POSITIVE,
                "high": POSITIVE,
                "n_steps": [Interval(Integral, 10, None, closed="left")],
                "smoothing": SHARE,
                "stop_at": [Interval(Real, 1, None, closed="neither")],
                "apply": ["boolean"],
            },
            {
                "low": low,
                "high": high,
                "n_steps": n_steps,
                "smoothing": smoothing,
                "stop_at": stop_at,
                "apply": apply,
            },
        )
        if low >= high:
            raise ValueError(f"low must be below high, got {low} and {high}.")
        self.low: float = settings["low"]
        self.high: float = settings["high"]
        self.n_steps: int = settings["n_steps"]
        self.smoothing: float = settings["smoothing"]
        self.stop_at: float = settings["stop_at"]
        self.apply: bool = settings["apply"]

    def on_training_begin(self, estimator: Any, trainer: Trainer) -> None:
        optimizer: Any = trainer.optimizer
        if isinstance(optimizer, Jogged):  # by a callback that came first
            optimizer = optimizer.optimizer
        if not isinstance(optimizer, FirstOrder):
            raise ValueError(
                f"LearningRateFinder needs an optimizer with a learning rate, got "
                f"{type(optimizer).__name__}."
            )
        notes = trainer.state.notes
        if trainer.state.epoch == 0:
            test = self._range_test(trainer, optimizer)
            notes["LearningRateFinder"] = test
            self.learning_rates_, self.losses_ = test.learning_rates, test.losses
            self.noise_, self.learning_rate_ = test.noise, test.learning_rate
            if math.isnan(test.learning_rate):
                self._warn(optimizer)
        # Training that goes on keeps the rate that was found at its start.
        if self.apply and "LearningRateFinder" in notes:
            rate = notes["LearningRateFinder"].learning_rate
            if not math.isnan(rate):
                _set_rate(optimizer, rate)

    def _warn(self, optimizer: FirstOrder) -> None:
        kept = f" Training keeps {optimizer.learning_rate!r}." if self.apply else ""
        warn(
            f"LearningRateFinder: from {self.low:g} to {self.high:g} there is no "
            f"learning rate at which the loss falls by more than its noise.{kept} "
            "Look at LearningRateFinderDisplay; try another range, or more steps."
        )

    def _range_test(self, trainer: Trainer, optimizer: FirstOrder) -> RangeTest:
        """Run the same batches twice: as the network is, and with growing rates."""
        state = trainer.state
        before, rng_before = state.network.snapshot(), state.rng.bit_generator.state
        usual_rate, n_seen = optimizer.learning_rate, state.n_seen

        def go_back() -> None:
            state.network.restore(before)
            state.rng.bit_generator.state = rng_before
            state.n_seen = n_seen

        rates = np.geomspace(self.low, self.high, self.n_steps)
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                batches = islice(trainer.endless_gradients(), self.n_steps)
                own = np.array([loss for loss, _ in batches])
                go_back()
                changes = self._sweep(trainer, optimizer, rates, own)
        finally:
            optimizer.learning_rate = usual_rate
            go_back()
        start = float(own.mean())
        smooth = _debiased_average(changes, self.smoothing)
        tried = rates[: len(changes)]
        noise = _noise(changes, self.smoothing)
        rate = math.nan
        if (smooth + _DEVIATIONS * noise).min(initial=0.0) < -1e-2 * abs(start):
            rate = _steepest(tried, smooth, self.smoothing)
        return RangeTest(tried, start + smooth, start, noise, rate)

    def _sweep(
        self, trainer: Trainer, optimizer: FirstOrder, rates: Array, own: Array
    ) -> list[float]:
        """Return by how much each batch's loss has changed before its update."""
        memory = optimizer.init(trainer.theta.size, trainer.theta.dtype)
        memory.touched = trainer.state.optimizer_state.touched
        highest = (self.stop_at - 1.0) * abs(float(own.mean()))
        changes: list[float] = []
        for rate, before, (loss, gradient) in zip(
            rates, own, trainer.endless_gradients(), strict=False
        ):
            if not math.isfinite(loss - before):
                break
            changes.append(loss - before)
            smooth = _debiased_average(changes, self.smoothing)
            if smooth[-1] - smooth.min() > highest:
                break
            optimizer.learning_rate = float(rate)
            optimizer.update(trainer.theta, gradient, memory)
        return changes


def _set_rate(optimizer: FirstOrder, rate: float) -> None:
    """Make it the rate, or the first one of the schedule (a copy of the user's)."""
    if isinstance(optimizer.learning_rate, Real):
        optimizer.learning_rate = rate
    else:
        schedule = clone(schedules.get(optimizer.learning_rate))
        schedule.initial = rate
        optimizer.learning_rate = schedule


def _debiased_average(values: list[float], beta: float) -> Array:
    """Exponential moving averages, without the pull towards a start at zero."""
    average, out = 0.0, []
    for i, value in enumerate(values, start=1):
        average = beta * average + (1.0 - beta) * value
        out.append(average / (1.0 - beta**i))
    return np.array(out)


def _noise(changes: list[float], beta: float) -> Array:
    """The standard deviation of each average, from how neighbours differ.

    It grows with the rate, so it is a moving average, too. An average of t independent
    values has (1 − β)/(1 + β) · (1 + βᵗ)/(1 − βᵗ) of their variance.
    """
    if len(changes) < 2:
        return np.zeros(len(changes))
    squares = 0.5 * np.diff(changes) ** 2
    variance = _debiased_average([squares[0], *squares], beta)
    seen = beta ** np.arange(1, len(changes) + 1)
    share = (1.0 - beta) / (1.0 + beta) * (1.0 + seen) / (1.0 - seen)
    return np.sqrt(variance * share)


def _steepest(rates: Array, falls: Array, beta: float) -> float:
    """The rate of the steepest fall of the loss against the logarithm of the rate.

    An average is β/(1 − β) steps behind what it averages.
    """
    last = int(np.argmin(falls))
    first = int(np.argmax(falls <= 0.1 * falls[last]))
    slope = np.gradient(falls, np.log(rates))[first : last + 1]
    steepest = first + int(np.argmin(slope))
    return float(rates[max(0, steepest - round(beta / (1.0 - beta)))])
