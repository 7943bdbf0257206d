"""The learning-rate range test."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import clone

from skdl import schedules
from skdl.callbacks._callback import TrainingCallback
from skdl.callbacks._jog import Jogged
from skdl.optimizers import FirstOrder
from skdl.training import Trainer


class LearningRateFinder(TrainingCallback):
    """Try learning rates from small to large before training (Smith 2017, §3.3).

    On a copy of the network, each mini-batch is one update at a rate that grows
    geometrically, until the smoothed loss is several times its best. The suggestion is
    the rate at which the loss falls fastest per unit of log-rate. Weights, optimizer
    state and random numbers of the training itself are untouched.

    Parameters
    ----------
    low, high : float, default=1e-6, 10.0
        The range of rates; 0 < low < high.
    n_steps : int, default=100
        Number of rates; at least 10.
    smoothing : float, default=0.9
        Share of the old average in the smoothed loss, in [0, 1).
    stop_at : float, default=4.0
        Stop when the smoothed loss exceeds so many times its best; above 1.
    apply : bool, default=True
        Whether training uses the suggestion, as its rate or as the first rate of its
        schedule. The estimator's own settings are not changed. False only looks.

    Attributes
    ----------
    learning_rates_ : ndarray of shape (n_tried,)
        The rates tried in the latest fit.
    losses_ : ndarray of shape (n_tried,)
        The smoothed loss at each.
    learning_rate_ : float
        The suggestion.

    Raises
    ------
    ValueError
        If a setting is out of range; in fit, if the optimizer has no learning rate, or
        the estimator is a booster, which has no weights.

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
        if not 0 < low < high:
            raise ValueError(f"Needed: 0 < low < high, got {low} and {high}.")
        if n_steps < 10 or not 0 <= smoothing < 1 or not stop_at > 1:
            raise ValueError(
                "Needed: n_steps ≥ 10, 0 ≤ smoothing < 1 and stop_at > 1, got "
                f"{n_steps}, {smoothing} and {stop_at}."
            )
        self.low = low
        self.high = high
        self.n_steps = n_steps
        self.smoothing = smoothing
        self.stop_at = stop_at
        self.apply = apply

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
            rates = np.geomspace(self.low, self.high, self.n_steps)
            losses = self._sweep(trainer, optimizer, rates)
            self.losses_ = _debiased_average(losses, self.smoothing)
            self.learning_rates_ = rates[: len(losses)]
            self.learning_rate_ = _steepest(self.learning_rates_, self.losses_)
            notes["LearningRateFinder"] = self.learning_rate_
        # Training that goes on keeps the rate that was found at its start.
        if self.apply and "LearningRateFinder" in notes:
            _set_rate(optimizer, notes["LearningRateFinder"])

    def _sweep(
        self, trainer: Trainer, optimizer: FirstOrder, rates: np.ndarray
    ) -> list[float]:
        state = trainer.state
        before, rng_before = state.network.snapshot(), state.rng.bit_generator.state
        memory = optimizer.init(trainer.theta.size, trainer.theta.dtype)
        usual_rate, n_seen = optimizer.learning_rate, state.n_seen
        losses: list[float] = []
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                for rate, (loss, gradient) in zip(
                    rates, trainer.endless_gradients(), strict=False
                ):
                    losses.append(loss)
                    average = _debiased_average(losses, self.smoothing)
                    if not math.isfinite(loss) or (
                        average[-1] > self.stop_at * average.min()
                    ):
                        break
                    optimizer.learning_rate = float(rate)
                    optimizer.update(trainer.theta, gradient, memory)
        finally:
            optimizer.learning_rate = usual_rate
            state.network.restore(before)
            state.rng.bit_generator.state = rng_before
            state.n_seen = n_seen
        return [loss for loss in losses if math.isfinite(loss)]


def _set_rate(optimizer: FirstOrder, rate: float) -> None:
    """Make it the rate, or the first one of the schedule (a copy of the user's)."""
    if isinstance(optimizer.learning_rate, Real):
        optimizer.learning_rate = rate
    else:
        schedule = clone(schedules.get(optimizer.learning_rate))
        schedule.initial = rate
        optimizer.learning_rate = schedule


def _debiased_average(values: list[float], beta: float) -> np.ndarray:
    """Exponential moving averages, without the pull towards a start at zero."""
    average, out = 0.0, []
    for i, value in enumerate(values, start=1):
        average = beta * average + (1.0 - beta) * value
        out.append(average / (1.0 - beta**i))
    return np.array(out)


def _steepest(rates: np.ndarray, losses: np.ndarray) -> float:
    """The rate of the steepest fall of the loss against the logarithm of the rate."""
    if len(losses) < 3:
        return float(rates[0])
    last = int(np.argmin(losses)) + 1
    slope = np.gradient(losses, np.log(rates))[: max(last, 2)]
    return float(rates[int(np.argmin(slope))])
