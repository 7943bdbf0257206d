"""What the layers make of a picture, drawn."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from skdl._typing import Array
from skdl.inspection._pictures import (
    layer_index,
    montage,
    picture_network,
    picture_rows,
    show,
)


class FeatureMapsDisplay:
    """What a layer makes of a picture: a map for each channel of its output.

    Use `from_estimator` to make one.

    Parameters
    ----------
    maps : ndarray of shape (n_channels, height, width)
        The maps.
    name : str
        What the layer is called.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        Its figure.
    image_ : matplotlib AxesImage
        The picture of all maps.

    See Also
    --------
    FiltersDisplay : The filters behind the maps.
    SaliencyDisplay : Which pixels matter for a prediction.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdl import CNNClassifier
    >>> from skdl.inspection import FeatureMapsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> net = CNNClassifier(max_iter=1, n_iter_no_change="never", random_state=0)
    >>> display = FeatureMapsDisplay.from_estimator(net.fit(X, y), X[:1])
    >>> display.name, display.maps.shape
    ('layer 0', (16, 8, 8))
    """

    def __init__(self, *, maps: Array, name: str) -> None:
        self.maps = maps
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        layer: int | None = None,
        ax: Any = None,
        n_columns: int | None = None,
        each: bool = False,
        **image_kwargs: Any,
    ) -> Self:
        """Send a picture through a fitted network and draw what a layer gives.

        Parameters
        ----------
        estimator : estimator
            A fitted network for pictures, a Pipeline that ends with one, or a search
            for one.
        X : array-like of shape (1, ...)
            One picture, as the estimator's `predict` takes it.
        layer : int, default=None
            Index among the network's layers, see ``network_.describe()``; negative from
            the end. None takes the first one with weights.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        n_columns : int, default=None
            Maps in a row; None makes about a square.
        each : bool, default=False
            Whether each map has a scale of its own, see `plot`.
        **image_kwargs : dict
            Handed to ``ax.imshow``.

        Returns
        -------
        display : FeatureMapsDisplay
            The drawn display.

        Raises
        ------
        TypeError
            If the estimator is no network for pictures.
        ValueError
            If `X` is not one picture, or the layer's output is none.
        """
        network = picture_network(estimator, cls.__name__).network_
        rows = picture_rows(estimator, X)
        if len(rows) != 1:
            raise ValueError(
                f"{cls.__name__} takes one picture, such as X[:1], got {len(rows)}."
            )
        shapes = network.shapes[1:]
        fitting = [i for i, shape in enumerate(shapes) if len(shape) == 3]
        if layer is None:
            heavy = {int(name.partition(".")[0]) for name in network.params}
            fitting.sort(key=lambda i: i not in heavy)
        index = layer_index(network, layer, fitting)
        maps = network.predict(rows, index + 1)[0].transpose(2, 0, 1)
        display = cls(maps=maps, name=f"layer {index}")
        return display.plot(ax=ax, n_columns=n_columns, each=each, **image_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        n_columns: int | None = None,
        each: bool = False,
        **image_kwargs: Any,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        n_columns : int, default=None
            Maps in a row; None makes about a square.
        each : bool, default=False
            Whether each map is scaled from its smallest number to its largest; else all
            are on one scale.
        **image_kwargs : dict
            Handed to ``ax.imshow``.

        Returns
        -------
        display : FeatureMapsDisplay
            This display.
        """
        maps = np.asarray(self.maps, np.float64)
        if each:
            low = maps.min(axis=(1, 2), keepdims=True)
            span = maps.max(axis=(1, 2), keepdims=True) - low
            maps = (maps - low) / np.where(span > 0, span, 1.0)
        gap = 1 + max(maps.shape[1:]) // 16
        sheet = montage(maps, n_columns, gap)
        options = {"cmap": "viridis", **image_kwargs}
        self.ax_, self.image_ = show(ax, sheet, **options)
        self.ax_.set_title(self.name)
        self.figure_ = self.ax_.figure
        return self
