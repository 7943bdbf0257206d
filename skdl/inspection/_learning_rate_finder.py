"""Learning-rate range tests, drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from sklearn.utils.validation import check_is_fitted

from skdl.callbacks import RangeTest
from skdl.inspection._loss_curve import _pyplot
from skdl.inspection._names import fitted_part, named


class LearningRateFinderDisplay:
    """The loss at each learning rate that a `LearningRateFinder` tried.

    Use `from_estimator` to make one.

    Parameters
    ----------
    tests : dict of str to RangeTest
        For each name what the finder saw.

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
    skdl.callbacks.LearningRateFinder : Finds the rate.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdl import MLPClassifier
    >>> from skdl.callbacks import LearningRateFinder
    >>> from skdl.inspection import LearningRateFinderDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier(random_state=0, early_stopping=True)
    >>> net = net.set_callbacks(LearningRateFinder()).fit(X, y)
    >>> display = LearningRateFinderDisplay.from_estimator(net)
    >>> len(display.lines_)
    1
    """

    def __init__(self, *, tests: Mapping[str, RangeTest]) -> None:
        self.tests = tests

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: Any = None,
        name: str | Sequence[str] | None = None,
        **line_kwargs: Any,
    ) -> Self:
        """Draw what the finders of fitted networks saw.

        Parameters
        ----------
        estimator : estimator, sequence or dict of them
            One or several networks that were fitted with a `LearningRateFinder`, or
            Pipelines that end with one, or searches for one; the keys of a dict are
            their names. Networks that share one finder each have their own curve.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str or sequence of str, default=None
            Names for the legend; None takes the classes' names, and those settings
            that tell estimators of one class apart.
        **line_kwargs : dict
            Handed to every ``ax.plot``.

        Returns
        -------
        display : LearningRateFinderDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If an estimator has no range test: it was fitted without the callback, or
            was pickled since (unless `warm_start` is set).
        """
        tests = {}
        for key, item in named(estimator, name).items():
            fitted = fitted_part(item)
            check_is_fitted(fitted)
            state = getattr(fitted, "_training_state", None)
            test = getattr(state, "notes", {}).get("LearningRateFinder")
            if test is None:
                raise ValueError(
                    f"{type(fitted).__name__} has no range test to draw: fit it with "
                    "set_callbacks(LearningRateFinder()). Pickles keep the test only "
                    "with warm_start=True."
                )
            tests[key] = test
        return cls(tests=tests).plot(ax=ax, **line_kwargs)

    def plot(self, ax: Any = None, **line_kwargs: Any) -> Self:
        """Draw; a dot is the suggestion, the band three standard deviations of noise.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **line_kwargs : dict
            Handed to every ``ax.plot``.

        Returns
        -------
        display : LearningRateFinderDisplay
            This display.
        """
        plt = _pyplot()
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, []
        for name, test in self.tests.items():
            rates, losses = test.learning_rates, test.losses
            (line,) = ax.plot(rates, losses, **{"label": name, **line_kwargs})
            self.lines_.append(line)
            color, spread = line.get_color(), 3 * test.noise
            ax.fill_between(
                rates, losses - spread, losses + spread, color=color, alpha=0.1
            )
            if not math.isnan(test.learning_rate):
                at = list(rates).index(test.learning_rate)
                ax.plot(rates[at], losses[at], "o", color=color)
        ax.set(xscale="log", xlabel="learning rate", ylabel="smoothed loss")
        if len(self.tests) > 1:
            ax.legend()
        return self
