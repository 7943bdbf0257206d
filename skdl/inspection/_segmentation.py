"""Label maps over the pictures they belong to."""

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
from skdl.metrics import mean_iou


class SegmentationDisplay:
    """Pictures, and their label maps in colours over them, true and predicted.

    A row of three drawings for each picture; with a legend of the classes. The first
    class, most often the background, is left without a colour. Use `from_estimator` or
    `from_predictions` to make one.

    Parameters
    ----------
    pictures : ndarray of shape (n, h, w, c)
        Pictures.
    y_pred : ndarray of shape (n, h, w)
        Predicted label maps.
    y_true : ndarray of shape (n, h, w), default=None
        True label maps.
    classes : array-like, default=None
        The classes in the order of the colours; None takes the labels that occur.
    ignored_label : object, default=None
        Label of true maps that is no class; its pixels are grey.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (n, 2) or (n, 3)
        Where they were drawn.
    figure_ : matplotlib Figure
        Its figure.
    legend_ : matplotlib Legend
        The classes and their colours.

    See Also
    --------
    BoxesDisplay : Boxes over pictures.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.inspection import SegmentationDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((2, 8, 8))
    >>> display = SegmentationDisplay.from_predictions(X, X > 0.4, X > 0.5)
    >>> display.axes_.shape
    (2, 3)
    """

    def __init__(
        self,
        *,
        pictures: Array,
        y_pred: Array,
        y_true: Array | None = None,
        classes: Any = None,
        ignored_label: Any = None,
    ) -> None:
        self.pictures = pictures
        self.y_pred = y_pred
        self.y_true = y_true
        self.classes = classes
        self.ignored_label = ignored_label

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        axes: Any = None,
        alpha: float = 0.5,
        colors: Any = None,
    ) -> Self:
        """Predict label maps and draw them.

        Parameters
        ----------
        estimator : estimator
            A fitted `SegmentationClassifier`, a Pipeline that ends with one, or a
            search for one.
        X : array-like of shape (n, h, w, c)
            Pictures, as its `predict` takes them.
        y : array-like of shape (n, h, w), default=None
            True label maps.
        axes : array of matplotlib Axes of shape (n, 2) or (n, 3), default=None
            Where to draw; None makes a figure.
        alpha : float, default=0.5
            How much of the picture the colours cover, from 0 to 1.
        colors : list of color, default=None
            One for each class but the first; None takes matplotlib's.

        Returns
        -------
        display : SegmentationDisplay
            The drawn display.
        """
        model = getattr(estimator, "best_estimator_", estimator)
        model = model[-1] if hasattr(model, "steps") else model
        predicted = estimator.predict(X)
        display = cls(
            pictures=picture_rows(estimator, X),
            y_pred=predicted,
            y_true=None if y is None else np.reshape(y, predicted.shape),
            classes=model.classes_,
            ignored_label=getattr(model, "ignored_label", None),
        )
        return display.plot(axes, alpha=alpha, colors=colors)

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        y_true: Any,
        y_pred: Any,
        *,
        classes: Any = None,
        ignored_label: Any = None,
        axes: Any = None,
        alpha: float = 0.5,
        colors: Any = None,
    ) -> Self:
        """Draw label maps.

        Parameters
        ----------
        X : array-like of shape (n, h, w, c) or (n, h, w)
            Pictures.
        y_true : array-like of shape (n, h, w) or None
            True label maps.
        y_pred : array-like of shape (n, h, w)
            Predicted label maps.
        classes : array-like, default=None
            The classes in the order of the colours; None takes the labels that occur.
        ignored_label : object, default=None
            Label of true maps that is no class; its pixels are grey.
        axes : array of matplotlib Axes of shape (n, 2) or (n, 3), default=None
            Where to draw; None makes a figure.
        alpha : float, default=0.5
            How much of the picture the colours cover, from 0 to 1.
        colors : list of color, default=None
            One for each class but the first; None takes matplotlib's.

        Returns
        -------
        display : SegmentationDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If pictures and maps do not belong together.
        """
        pictures = as_pictures(X)
        maps = [np.asarray(y) for y in (y_true, y_pred) if y is not None]
        if any(y.shape != pictures.shape[:3] for y in maps):
            raise ValueError(
                f"Pictures of shape {pictures.shape} need label maps of shape "
                f"{pictures.shape[:3]}, got {[y.shape for y in maps]}."
            )
        display = cls(
            pictures=pictures,
            y_pred=maps[-1],
            y_true=maps[0] if len(maps) == 2 else None,
            classes=classes,
            ignored_label=ignored_label,
        )
        return display.plot(axes, alpha=alpha, colors=colors)

    def plot(self, axes: Any = None, *, alpha: float = 0.5, colors: Any = None) -> Self:
        """Draw a row for each picture.

        Parameters
        ----------
        axes : array of matplotlib Axes of shape (n, 2) or (n, 3), default=None
            Where to draw; None makes a figure.
        alpha : float, default=0.5
            How much of the picture the colours cover, from 0 to 1.
        colors : list of color, default=None
            One for each class but the first; None takes matplotlib's.

        Returns
        -------
        display : SegmentationDisplay
            This display.
        """
        from matplotlib.colors import to_rgb
        from matplotlib.patches import Patch

        classes = self._shown_classes()
        colors = colors or [f"C{i + 1}" for i in range(len(classes) - 1)]
        rgb = [to_rgb(color) for color in colors]
        maps = {"predicted": self.y_pred}
        if self.y_true is not None:
            maps = {"true": self.y_true, **maps}
        shown = as_shown(self.pictures)
        n = len(shown)
        self.axes_ = grid_of_axes(axes, n, 1 + len(maps), shown.shape[2:0:-1])
        self.figure_ = self.axes_[0, 0].figure
        for row, picture in zip(range(n), shown, strict=True):
            _draw(self.axes_[row, 0], picture, "picture" if row == 0 else "")
            for ax, (name, y) in zip(self.axes_[row, 1:], maps.items(), strict=True):
                title = name
                if name == "predicted" and self.y_true is not None:
                    title = f"{name}, IoU {self._iou(row):.2f}"
                covered = self._covered(picture, y[row], classes, rgb, alpha)
                _draw(ax, covered, title)
        patches = [
            Patch(color=color, label=str(label), alpha=alpha)
            for label, color in zip(classes[1:], colors, strict=False)
        ]
        if self.ignored_label is not None and self.y_true is not None:
            patches.append(Patch(color="0.5", label="does not count"))
        place = "outside lower center" if axes is None else "lower center"
        self.legend_ = self.figure_.legend(
            handles=patches, loc=place, ncols=max(1, min(4, len(patches)))
        )
        return self

    def _shown_classes(self) -> Array:
        if self.classes is not None:
            return np.asarray(self.classes)
        maps = [y for y in (self.y_true, self.y_pred) if y is not None]
        labels = np.unique(np.concatenate([np.ravel(y) for y in maps]))
        return labels[labels != self.ignored_label]

    def _iou(self, row: int) -> float:
        assert self.y_true is not None
        true, predicted = self.y_true[row], self.y_pred[row]
        return mean_iou([true], [predicted], ignored_label=self.ignored_label)

    def _covered(
        self, picture: Array, y: Array, classes: Array, rgb: Any, alpha: float
    ) -> Array:
        """Return a picture under the colours of its labels."""
        grey = picture if picture.ndim == 3 else picture[..., None].repeat(3, axis=2)
        out = grey.copy()
        for label, color in zip(classes[1:], rgb, strict=False):
            out[y == label] = (1 - alpha) * out[y == label] + alpha * np.array(color)
        if self.ignored_label is not None:
            out[y == self.ignored_label] = 0.5
        return out


def _draw(ax: Any, picture: Array, title: str) -> None:
    show(ax, picture, cmap="gray", vmin=0, vmax=1)
    ax.set_title(title, fontsize="medium")
