"""Learning curves of one or several fitted estimators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdl.inspection._names import fitted_part, named

_LABELS = {
    "loss": "training loss",
    "val_loss": "validation loss",
    "val_score": "validation score",
    "learning_rate": "learning rate",
}


class LossCurveDisplay:
    """What `history_` holds, drawn against the epochs.

    Use `from_estimator` to make one.

    Parameters
    ----------
    histories : dict of str to dict of str to list of float
        For each estimator's name its history.
    best_epochs : dict of str to int, default=None
        For each name the epoch whose weights were kept, marked with a dot.
    xlabel : str, default="epoch"
        What is counted: epochs of networks, trees of boosters.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The curves.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdl import MLPClassifier
    >>> from skdl.inspection import LossCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier(early_stopping=True, max_iter=500, random_state=0).fit(X, y)
    >>> display = LossCurveDisplay.from_estimator(net)
    >>> len(display.lines_)
    2
    """

    def __init__(
        self,
        *,
        histories: Mapping[str, Mapping[str, Sequence[float]]],
        best_epochs: Mapping[str, int] | None = None,
        xlabel: str = "epoch",
    ) -> None:
        self.histories = histories
        self.best_epochs = best_epochs
        self.xlabel = xlabel

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        curves: str | Sequence[str] = ("loss", "val_loss"),
        ax: Any = None,
        name: str | Sequence[str] | None = None,
        log: bool = False,
        **line_kwargs: Any,
    ) -> Self:
        """Draw the curves of fitted estimators.

        Parameters
        ----------
        estimator : estimator, sequence or dict of them
            One or several fitted estimators with a `history_`, or Pipelines that end
            with one, or searches for one; the keys of a dict are their names.
        curves : str or sequence of str, default=("loss", "val_loss")
            Which entries of the history; those that an estimator lacks are left out.
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
        display : LossCurveDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If an estimator has no history, or none of the curves.
        """
        histories, best_epochs = {}, {}
        for key, item in named(estimator, name).items():
            fitted = fitted_part(item)
            check_is_fitted(fitted)
            if not hasattr(fitted, "history_"):
                raise ValueError(
                    f"{type(fitted).__name__} has no history_ to draw; skdl's networks "
                    "and boosters have one."
                )
            histories[key] = fitted.history_
            best = getattr(fitted, "best_iteration_", None)
            if getattr(fitted, "early_stopping", False):  # else the last ones are kept
                best = best or getattr(fitted, "best_epoch_", None)
            if best:
                best_epochs[key] = best
        xlabel = "epoch" if hasattr(fitted, "network_") else "trees"
        display = cls(histories=histories, best_epochs=best_epochs, xlabel=xlabel)
        return display.plot(ax=ax, curves=curves, log=log, **line_kwargs)

    def _label(self, name: str, curve: str, n_curves: int) -> str:
        text = _LABELS.get(curve, curve)
        if len(self.histories) == 1:
            return text
        return name if n_curves == 1 else f"{name}: {text}"

    def plot(
        self,
        ax: Any = None,
        *,
        curves: str | Sequence[str] = ("loss", "val_loss"),
        log: bool = False,
        **line_kwargs: Any,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        curves : str or sequence of str, default=("loss", "val_loss")
            Which entries of the histories.
        log : bool, default=False
            Whether the vertical axis is logarithmic.
        **line_kwargs : dict
            Handed to every ``ax.plot``.

        Returns
        -------
        display : LossCurveDisplay
            This display.

        Raises
        ------
        ValueError
            If no history has any of the curves.
        """
        plt = _pyplot()
        if ax is None:
            _, ax = plt.subplots()
        curves = [curves] if isinstance(curves, str) else curves
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, []
        styles = ["-", "--", ":", "-."]
        for i, (name, history) in enumerate(self.histories.items()):
            for curve, style in zip(curves, styles, strict=False):
                if curve not in history:
                    continue
                values = np.asarray(history[curve])
                epochs = np.arange(1, len(values) + 1)
                options = {"linestyle": style, "color": f"C{i}", **line_kwargs}
                options.setdefault("label", self._label(name, curve, len(curves)))
                (line,) = ax.plot(epochs, values, **options)
                self.lines_.append(line)
                best = (self.best_epochs or {}).get(name)
                if best and curve.startswith("val"):
                    ax.plot(best, values[best - 1], "o", color=line.get_color())
        if not self.lines_:
            known = sorted({name for h in self.histories.values() for name in h})
            raise ValueError(
                f"None of the histories has any of {list(curves)}, only {known}."
            )
        words = {_LABELS.get(curve, curve).split()[-1] for curve in curves}
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set(xlabel=self.xlabel, ylabel=" / ".join(sorted(words)))
        if log:
            ax.set_yscale("log")
        ax.legend()
        return self


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'Drawing needs matplotlib: pip install "skdl[plot]".'
        ) from error
    return plt
