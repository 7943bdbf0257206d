"""Which pixels matter for a prediction, drawn."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from skdl._compat import StrOptions
from skdl._settings import COUNT, checked
from skdl._typing import Array
from skdl.inspection._pictures import (
    as_shown,
    montage,
    picture_network,
    picture_rows,
    show,
)
from skdl.layers import Context
from skdl.networks import Network


class SaliencyDisplay:
    """Which pixels of pictures matter for their predictions.

    "gradient": how much the raw score of a class (or a predicted number) moves with
    each pixel, abs(∂score/∂x), the largest of the channels (Simonyan, Vedaldi &
    Zisserman 2014). "occlusion": how much the probability of a class falls (or the
    number, which then may also rise) when a square around the pixel is covered, on the
    average of the squares that cover it (Zeiler & Fergus 2014). Use `from_estimator` to
    make one.

    Parameters
    ----------
    pictures : ndarray of shape (n, height, width, channels)
        The pictures.
    maps : ndarray of shape (n, height, width)
        A number for each pixel.
    targets : ndarray of shape (n,)
        The classes, or the indices of the outputs, that the maps are about.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    images_ : tuple of (matplotlib AxesImage, matplotlib AxesImage)
        The row of pictures and the row of maps.

    See Also
    --------
    FeatureMapsDisplay : What the layers make of a picture.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdl import CNNClassifier
    >>> from skdl.inspection import SaliencyDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> net = CNNClassifier(max_iter=2, n_iter_no_change="never", random_state=0)
    >>> display = SaliencyDisplay.from_estimator(net.fit(X, y), X[:5], target=y[:5])
    >>> display.maps.shape
    (5, 8, 8)
    """

    def __init__(self, *, pictures: Array, maps: Array, targets: Array) -> None:
        self.pictures = pictures
        self.maps = maps
        self.targets = targets

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        method: str = "gradient",
        target: Any = None,
        size: int | None = None,
        stride: int | None = None,
        ax: Any = None,
        **image_kwargs: Any,
    ) -> Self:
        """Compute and draw.

        Parameters
        ----------
        estimator : estimator
            A fitted network for pictures, a Pipeline that ends with one, or a search
            for one. It is not changed.
        X : array-like of shape (n, ...)
            Pictures, as the estimator's `predict` takes them.
        method : {"gradient", "occlusion"}, default="gradient"
            See the class.
        target : label, int or array-like of shape (n,), default=None
            A class for all pictures or one for each; of regressors, and of several
            labels, the index of an output. None takes the most probable class, and the
            first output of regressors.
        size : int, default=None
            Pixels along a side of the square that covers; None is a quarter of the
            shorter side of a picture.
        stride : int, default=None
            Distance of squares; None is half their size.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **image_kwargs : dict
            Handed to ``ax.imshow`` of the maps.

        Returns
        -------
        display : SaliencyDisplay
            The drawn display.

        Raises
        ------
        TypeError
            If the estimator is no network for pictures.
        ValueError
            If a setting is out of range or a class is unknown.
        """
        declared = {
            "method": [StrOptions({"gradient", "occlusion"})],
            "size": [*COUNT, None],
            "stride": [*COUNT, None],
        }
        settings = {"method": method, "size": size, "stride": stride}
        checked(cls.__name__, declared, settings)
        model = picture_network(estimator, cls.__name__)
        rows = picture_rows(estimator, X)
        columns, targets = _targets(model, rows, target)
        if method == "gradient":
            maps = _gradients(model, rows, columns)
        else:
            maps = _occlusions(model, rows, columns, size, stride)
        display = cls(pictures=rows, maps=maps, targets=targets)
        return display.plot(ax=ax, **image_kwargs)

    def plot(self, ax: Any = None, **image_kwargs: Any) -> Self:
        """Draw the pictures, and the map of each below it, on a scale of its own.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **image_kwargs : dict
            Handed to ``ax.imshow`` of the maps.

        Returns
        -------
        display : SaliencyDisplay
            This display.
        """
        n, h, w = self.maps.shape
        gap = 1 + max(h, w) // 16
        largest = np.abs(self.maps).max(axis=(1, 2), keepdims=True)
        maps = self.maps / np.where(largest > 0, largest, 1.0)
        options = {"cmap": "RdBu_r", "vmin": -1.0, "vmax": 1.0}
        if self.maps.min() >= 0:
            options = {"cmap": "inferno", "vmin": 0.0, "vmax": 1.0}
        above, below = (
            montage(sheet, n, gap) for sheet in (as_shown(self.pictures), maps)
        )
        width = above.shape[1]
        ax, first = show(ax, above, cmap="gray", extent=(0, width, h, 0))
        place = {"extent": (0, width, 2 * h + gap, h + gap)}
        _, second = show(ax, below, **{**options, **place, **image_kwargs})
        ax.set(xlim=(0, width), ylim=(2 * h + gap, 0))
        for i, target in enumerate(self.targets):
            x = i * (w + gap) + w / 2
            ax.text(x, -0.5, str(target), ha="center", va="bottom")
        self.ax_, self.figure_, self.images_ = ax, ax.figure, (first, second)
        return self


def _targets(model: Any, rows: Array, target: Any) -> tuple[Array, Array]:
    """Return which columns of the prediction are meant, and their names."""
    n = len(rows)
    one_class = hasattr(model, "classes_") and not _several_labels(model)
    if target is None and one_class:
        columns = np.argmax(_predictions(model, rows), axis=1)
        return columns, model.classes_[columns]
    target = np.asarray(0 if target is None else target)
    if target.shape not in ((), (n,)):
        raise ValueError(
            f"target must be one value or one for each of the {n} pictures, got shape "
            f"{target.shape}."
        )
    targets = np.broadcast_to(target, n)
    known = model.classes_ if one_class else np.arange(model.n_outputs_)
    places = [np.flatnonzero(known == value) for value in targets]
    if any(len(place) != 1 for place in places):
        raise ValueError(f"target must be of {known.tolist()}, got {target.tolist()}.")
    return np.array([place[0] for place in places]), targets


def _several_labels(model: Any) -> bool:
    return bool(model._task.targets.multilabel)


def _predictions(model: Any, rows: Array) -> Array:
    """Return probabilities, or the numbers of a regressor, as columns."""
    predicted = model.loss_function_.inverse_link(model.network_.predict(rows))
    if hasattr(model, "classes_") and not _several_labels(model):
        predicted = model._task.probabilities(predicted)
    return np.asarray(predicted).reshape(len(rows), -1)


def _gradients(model: Any, rows: Array, columns: Array) -> Array:
    n_raw = model.network_.output_shape[-1]
    direction = np.zeros((len(rows), n_raw), model.network_.dtype)
    # Of two classes there is the score of the second alone; signs do not matter.
    direction[range(len(rows)), columns if n_raw > 1 else 0] = 1.0
    return np.abs(input_gradient(model.network_, rows, direction)).max(axis=-1)


def input_gradient(network: Network, x: Array, direction: Array) -> Array:
    """Return the gradient of raw predictions with respect to the input.

    Parameters
    ----------
    network : Network
        The network; not changed.
    x : ndarray of shape (n,) + input_shape
        Input.
    direction : ndarray of shape (n,) + output_shape
        What raw predictions are multiplied by before they are added up.

    Returns
    -------
    gradient : ndarray of the shape of `x`
        Of each row's sum.
    """
    network = network.at(x.shape[1:]).predicting()
    tree, grads = network.tree(network.params), network.params.like().tree
    parts = []
    for start in range(0, len(x), 32):
        rows = slice(start, start + 32)
        ctx = Context(train=True, dtype=network.dtype)
        _, caches = network.forward(tree, x[rows], ctx)
        parts.append(network.backward(tree, grads, caches, direction[rows], ctx))
    return np.concatenate(parts)


def _occlusions(
    model: Any, rows: Array, columns: Array, size: int | None, stride: int | None
) -> Array:
    h, w = rows.shape[1:3]
    size = min(h, w, size or max(1, min(h, w) // 4))
    stride = stride or max(1, size // 2)
    if stride > size:
        raise ValueError(
            f"Squares of {size} pixels, {stride} apart, leave pixels between them "
            "uncovered: stride must not exceed size."
        )
    corners = [(top, left) for top in _steps(h, size, stride)
               for left in _steps(w, size, stride)]  # fmt: skip
    whole = _predictions(model, rows)[range(len(rows)), columns]
    maps = np.zeros((len(rows), h, w))
    times = np.zeros((h, w))
    for top, left in corners:
        times[top : top + size, left : left + size] += 1
    for picture, column, value, drops in zip(rows, columns, whole, maps, strict=True):
        covered = np.repeat(picture[None], len(corners), axis=0)
        mean = picture.mean(axis=(0, 1))
        for one, (top, left) in zip(covered, corners, strict=True):
            one[top : top + size, left : left + size] = mean
        fallen = value - _predictions(model, covered)[:, column]
        for drop, (top, left) in zip(fallen, corners, strict=True):
            drops[top : top + size, left : left + size] += drop
    return maps / times


def _steps(n: int, size: int, stride: int) -> list[int]:
    """Return where squares begin, so that they cover all pixels."""
    return sorted({*range(0, n - size + 1, stride), n - size})
