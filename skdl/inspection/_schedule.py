"""Learning-rate schedules, drawn before or after training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdl import schedules
from skdl._typing import Array
from skdl.inspection._loss_curve import _pyplot
from skdl.inspection._names import fitted_part, named
from skdl.schedules import Schedule


class ScheduleDisplay:
    """Learning rates against time.

    Use `from_schedule` to see what a schedule would do, `from_estimator` to see what it
    did.

    Parameters
    ----------
    rates : dict of str to ndarray of shape (n_points,)
        For each name the rates.
    times : dict of str to ndarray of shape (n_points,)
        For each name when they begin, in units of `xlabel`.
    xlabel : str, default="epoch"
        What is counted: epochs of networks, trees of boosters.
    ylabel : str, default="learning rate"
        What the rates are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The curves.

    See Also
    --------
    LossCurveDisplay : The losses of the same epochs.

    Examples
    --------
    >>> from skdl.inspection import ScheduleDisplay
    >>> from skdl.schedules import Cosine, WarmUp
    >>> warm = WarmUp(0.1, length=5, after="cosine", unit="epoch")
    >>> display = ScheduleDisplay.from_schedule([Cosine(0.1), warm], n_epochs=30)
    >>> len(display.lines_)
    2
    """

    def __init__(
        self,
        *,
        rates: Mapping[str, Array],
        times: Mapping[str, Array],
        xlabel: str = "epoch",
        ylabel: str = "learning rate",
    ) -> None:
        self.rates = rates
        self.times = times
        self.xlabel = xlabel
        self.ylabel = ylabel

    @classmethod
    def from_schedule(
        cls,
        schedule: Any,
        *,
        n_epochs: int = 100,
        steps_per_epoch: int = 1,
        initial: float | None = None,
        losses: Sequence[float] | None = None,
        ax: Any = None,
        name: str | Sequence[str] | None = None,
        log: bool = False,
        **line_kwargs: Any,
    ) -> Self:
        """Draw what schedules would do.

        Parameters
        ----------
        schedule : str or Schedule, sequence or dict of them
            One or several schedules; the keys of a dict are their names.
        n_epochs : int, default=100
            The planned length: epochs of a network, or rounds of boosting.
        steps_per_epoch : int, default=1
            Updates in an epoch, for schedules that count them; a network of n rows has
            ⌈n / batch_size⌉.
        initial : float, default=None
            The rate for schedules that have none of their own. None draws the factor
            on it.
        losses : sequence of float, default=None
            What schedules that look at the loss see at the end of each epoch; after the
            last it stays the same. None: a loss that never changes.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str or sequence of str, default=None
            Names for the legend; None takes the classes' names, and those settings that
            tell schedules of one class apart.
        log : bool, default=False
            Whether the vertical axis is logarithmic.
        **line_kwargs : dict
            Handed to every ``ax.plot``.

        Returns
        -------
        display : ScheduleDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If a name is unknown, or a setting or a length is out of range.
        """
        if n_epochs < 1 or steps_per_epoch < 1:
            raise ValueError(
                "n_epochs and steps_per_epoch must be at least 1, got "
                f"{n_epochs} and {steps_per_epoch}."
            )
        if isinstance(schedule, Mapping):
            items = {
                key: schedules.get(item).settled() for key, item in schedule.items()
            }
        else:
            single = isinstance(schedule, (str, Schedule))
            given = [schedule] if single else schedule
            items = named([schedules.get(item).settled() for item in given], name)
        rates, times = {}, {}
        for key, item in items.items():
            factor = item.initial if item.initial is not None else initial
            values, times[key] = _followed(item, n_epochs, steps_per_epoch, losses)
            rates[key] = values if factor is None else factor * values
        known = initial is not None or all(
            item.initial is not None for item in items.values()
        )
        ylabel = "learning rate" if known else "factor of the learning rate"
        display = cls(rates=rates, times=times, ylabel=ylabel)
        return display.plot(ax=ax, log=log, **line_kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: Any = None,
        name: str | Sequence[str] | None = None,
        log: bool = False,
        **line_kwargs: Any,
    ) -> Self:
        """Draw the rates that fitted estimators have had.

        Parameters
        ----------
        estimator : estimator, sequence or dict of them
            One or several networks or gradient boosters of skdl, or Pipelines that end
            with one, or searches for one; the keys of a dict are their names.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str or sequence of str, default=None
            Names for the legend; None takes the classes' names, and those settings
            that tell estimators of one class apart.
        log : bool, default=False
            Whether the vertical axis is logarithmic.
        **line_kwargs : dict
            Handed to every ``ax.plot``.

        Returns
        -------
        display : ScheduleDisplay
            The drawn display: the rate at the beginning of each epoch or round.

        Raises
        ------
        ValueError
            If an estimator has no learning rates.
        """
        rates, times, counted = {}, {}, set()
        for key, item in named(estimator, name).items():
            fitted = fitted_part(item)
            check_is_fitted(fitted)
            history = getattr(fitted, "history_", {})
            if "learning_rate" in history:
                values, unit = history["learning_rate"], "epoch"
            elif hasattr(fitted, "ensemble_"):
                values, unit = fitted.ensemble_.rates, "tree"
            else:
                raise ValueError(
                    f"{type(fitted).__name__} has no learning rates to draw; skdl's "
                    "networks and gradient boosters have some."
                )
            counted.add(unit)
            rates[key] = np.asarray(values, dtype=np.float64)
            times[key] = np.arange(1.0, len(values) + 1)
        xlabel = " or ".join(sorted(counted))
        display = cls(rates=rates, times=times, xlabel=xlabel)
        return display.plot(ax=ax, log=log, **line_kwargs)

    def plot(self, ax: Any = None, *, log: bool = False, **line_kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        log : bool, default=False
            Whether the vertical axis is logarithmic.
        **line_kwargs : dict
            Handed to every ``ax.plot``.

        Returns
        -------
        display : ScheduleDisplay
            This display.
        """
        plt = _pyplot()
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, []
        for name, rates in self.rates.items():
            options = {"label": name, **line_kwargs}
            self.lines_ += ax.plot(self.times[name], rates, **options)
        ax.set(xlabel=self.xlabel, ylabel=self.ylabel)
        if log:
            ax.set_yscale("log")
        if len(self.rates) > 1:
            ax.legend()
        return self


def _followed(
    schedule: Schedule,
    n_epochs: int,
    steps_per_epoch: int,
    losses: Sequence[float] | None,
) -> tuple[Array, Array]:
    """The factors of a schedule and when they begin, in epochs from 0."""
    steps = steps_per_epoch if schedule.unit == "step" else 1
    total = n_epochs * steps
    schedule.check(total)
    seen = [0.0] if losses is None or not len(losses) else losses
    memory: dict[str, Any] = {}
    factors = []
    for epoch in range(n_epochs):
        first = epoch * steps
        factors += [
            schedule.multiplier(t, total, memory) for t in range(first, first + steps)
        ]
        schedule.observe(float(seen[min(epoch, len(seen) - 1)]), memory)
    return np.array(factors), np.arange(total) / steps
