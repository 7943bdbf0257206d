"""Boxes over the pictures they belong to."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from skdl._typing import Array
from skdl.inspection._pictures import (
    as_pictures,
    as_shown,
    grid_of_axes,
    picture_rows,
    show,
)
from skdl.metrics import box_iou


class BoxesDisplay:
    """Pictures with the boxes of their objects, true and predicted.

    Above each picture is the overlap of the two, or what was wrong about presence; a
    legend says which box is which. Use `from_estimator` or `from_predictions` to make
    one.

    Parameters
    ----------
    pictures : ndarray of shape (n, h, w, c)
        Pictures.
    y_pred : ndarray of shape (n, 5)
        Predictions: present, x_c, y_c, width, height, in units of the picture.
    y_true : ndarray of shape (n, 5), default=None
        True targets.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (n_rows, n_columns)
        Where they were drawn.
    figure_ : matplotlib Figure
        Its figure.
    legend_ : matplotlib Legend
        True and predicted.

    See Also
    --------
    SegmentationDisplay : Label maps over pictures.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.inspection import BoxesDisplay
    >>> X = np.random.default_rng(0).random((3, 8, 8))
    >>> y = np.array([[1, 0.5, 0.5, 0.3, 0.3]] * 3)
    >>> BoxesDisplay.from_predictions(X, y, y, n_columns=2).axes_.shape
    (2, 2)
    """

    def __init__(
        self, *, pictures: Array, y_pred: Array, y_true: Array | None = None
    ) -> None:
        self.pictures = pictures
        self.y_pred = y_pred
        self.y_true = y_true

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        axes: Any = None,
        n_columns: int | None = None,
        colors: Any = ("C2", "C1"),
    ) -> Self:
        """Predict boxes and draw them.

        Parameters
        ----------
        estimator : estimator
            A fitted `ObjectLocalizer`, a Pipeline that ends with one, or a search for
            one.
        X : array-like of shape (n, h, w, c)
            Pictures, as its `predict` takes them.
        y : array-like of shape (n, 5), default=None
            True targets.
        axes : array of matplotlib Axes, default=None
            Where to draw, at least as many as pictures; None makes a figure.
        n_columns : int, default=None
            Pictures in a row; None makes about a square.
        colors : pair of color, default=("C2", "C1")
            Of true and of predicted boxes.

        Returns
        -------
        display : BoxesDisplay
            The drawn display.
        """
        display = cls(
            pictures=picture_rows(estimator, X),
            y_pred=np.asarray(estimator.predict(X)),
            y_true=None if y is None else np.asarray(y, dtype=float),
        )
        return display.plot(axes, n_columns=n_columns, colors=colors)

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        y_true: Any,
        y_pred: Any,
        *,
        axes: Any = None,
        n_columns: int | None = None,
        colors: Any = ("C2", "C1"),
    ) -> Self:
        """Draw boxes.

        Parameters
        ----------
        X : array-like of shape (n, h, w, c) or (n, h, w)
            Pictures.
        y_true : array-like of shape (n, 5) or None
            True targets.
        y_pred : array-like of shape (n, 5)
            Predictions.
        axes : array of matplotlib Axes, default=None
            Where to draw, at least as many as pictures; None makes a figure.
        n_columns : int, default=None
            Pictures in a row; None makes about a square.
        colors : pair of color, default=("C2", "C1")
            Of true and of predicted boxes.

        Returns
        -------
        display : BoxesDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If there is not one target for each picture.
        """
        pictures = as_pictures(X)
        targets = [
            np.asarray(y, dtype=float) for y in (y_true, y_pred) if y is not None
        ]
        if any(y.shape != (len(pictures), 5) for y in targets):
            raise ValueError(
                f"{len(pictures)} pictures need targets of shape "
                f"{(len(pictures), 5)}, got {[y.shape for y in targets]}."
            )
        first = targets[0] if len(targets) == 2 else None
        display = cls(pictures=pictures, y_pred=targets[-1], y_true=first)
        return display.plot(axes, n_columns=n_columns, colors=colors)

    def plot(
        self,
        axes: Any = None,
        *,
        n_columns: int | None = None,
        colors: Any = ("C2", "C1"),
    ) -> Self:
        """Draw the pictures beside and below each other.

        Parameters
        ----------
        axes : array of matplotlib Axes, default=None
            Where to draw, at least as many as pictures; None makes a figure.
        n_columns : int, default=None
            Pictures in a row; None makes about a square.
        colors : pair of color, default=("C2", "C1")
            Of true and of predicted boxes.

        Returns
        -------
        display : BoxesDisplay
            This display.
        """
        from matplotlib.lines import Line2D

        shown = as_shown(self.pictures)
        n = len(shown)
        n_columns = n_columns or int(np.ceil(np.sqrt(n)))
        n_rows = -(-n // n_columns)
        self.axes_ = grid_of_axes(axes, n_rows, n_columns, shown.shape[2:0:-1])
        self.figure_ = self.axes_.flat[0].figure
        kinds = [("true", self.y_true, "-"), ("predicted", self.y_pred, "--")]
        for i, ax in enumerate(self.axes_.flat):
            ax.set_axis_off()
            if i >= n:
                continue
            show(ax, shown[i], cmap="gray", vmin=0, vmax=1)
            ax.set_title(self._title(i), fontsize="medium")
            for (_, y, style), color in zip(kinds, colors, strict=True):
                if y is not None and y[i, 0] > 0.5:
                    ax.add_patch(_frame(y[i, 1:], shown.shape[1:3], color, style))
        lines = [
            Line2D([], [], color=color, linestyle=style, label=name)
            for (name, y, style), color in zip(kinds, colors, strict=True)
            if y is not None
        ]
        place = "outside lower center" if axes is None else "lower center"
        self.legend_ = self.figure_.legend(handles=lines, loc=place, ncols=2)
        return self

    def _title(self, i: int) -> str:
        found = self.y_pred[i, 0] > 0.5
        if self.y_true is None:
            return "" if found else "nothing"
        there = self.y_true[i, 0] > 0.5
        if there and found:
            iou = box_iou(self.y_true[i : i + 1, 1:], self.y_pred[i : i + 1, 1:])[0]
            return f"IoU {iou:.2f}"
        if there:
            return "missed"
        return "false alarm" if found else "nothing, rightly"


def _frame(box: Array, sides: Any, color: Any, style: str) -> Any:
    """Return a rectangle in pixels; the first one has its centre at 0."""
    from matplotlib.patches import Rectangle

    x, y, w, h = box * np.array([sides[1], sides[0], sides[1], sides[0]])
    corner = (x - w / 2 - 0.5, y - h / 2 - 0.5)
    return Rectangle(
        corner, w, h, fill=False, edgecolor=color, linestyle=style, linewidth=1.8
    )
