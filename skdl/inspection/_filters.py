"""The filters of a convolution, drawn."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from skdl._typing import Array
from skdl.inspection._pictures import layer_index, montage, picture_network, show
from skdl.layers import Conv2D


class FiltersDisplay:
    """The filters of a convolution as small pictures.

    Those of a first layer show what a network has learned to look for: edges, spots and
    colours. Use `from_estimator` to make one.

    Parameters
    ----------
    filters : ndarray of shape (n_filters, height, width, channels)
        The filters.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        Its figure.
    image_ : matplotlib AxesImage
        The picture of all filters.

    See Also
    --------
    FeatureMapsDisplay : What the filters make of a picture.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdl import CNNClassifier
    >>> from skdl.inspection import FiltersDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> net = CNNClassifier("lenet", input_shape=(16, 16), max_iter=1, random_state=0,
    ...                     n_iter_no_change="never")
    >>> net = net.fit(X.repeat(2, axis=1).reshape(-1, 8, 16).repeat(2, axis=1), y)
    >>> FiltersDisplay.from_estimator(net).filters.shape
    (6, 5, 5, 1)
    """

    def __init__(self, *, filters: Array) -> None:
        self.filters = filters

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        layer: int | None = None,
        ax: Any = None,
        n_columns: int | None = None,
        **image_kwargs: Any,
    ) -> Self:
        """Draw the filters of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network for pictures, a Pipeline that ends with one, or a search
            for one.
        layer : int, default=None
            Index of a convolution among the network's layers, see
            ``network_.describe()``; negative from the end. None takes the first one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        n_columns : int, default=None
            Filters in a row, see `plot`.
        **image_kwargs : dict
            Handed to ``ax.imshow``.

        Returns
        -------
        display : FiltersDisplay
            The drawn display.

        Raises
        ------
        TypeError
            If the estimator is no network for pictures.
        ValueError
            If the layer is no convolution.
        """
        network = picture_network(estimator, cls.__name__).network_
        fitting = [i for i, x in enumerate(network.layers) if isinstance(x, Conv2D)]
        index = layer_index(network, layer, fitting)
        filters = network.params[f"{index}.W"].transpose(3, 0, 1, 2).copy()
        display = cls(filters=filters)
        return display.plot(ax=ax, n_columns=n_columns, **image_kwargs)

    def plot(
        self, ax: Any = None, *, n_columns: int | None = None, **image_kwargs: Any
    ) -> Self:
        """Draw, on one scale for all filters, with zero in its middle.

        Filters of three channels are shown in colours, grey where they are zero. Of
        other numbers of channels each filter is a row of pictures, one a channel.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        n_columns : int, default=None
            Pictures in a row; None makes about a square, or a row a filter.
        **image_kwargs : dict
            Handed to ``ax.imshow``.

        Returns
        -------
        display : FiltersDisplay
            This display.
        """
        n, h, w, c = self.filters.shape
        largest = float(np.abs(self.filters).max()) or 1.0
        options: dict[str, Any]
        if c == 3:
            pictures, options = 0.5 + self.filters / (2 * largest), {}
        else:
            pictures = self.filters.transpose(0, 3, 1, 2).reshape(n * c, h, w)
            n_columns = c if n_columns is None and c > 1 else n_columns
            options = {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest}
        sheet = montage(pictures, n_columns)
        self.ax_, self.image_ = show(ax, sheet, **{**options, **image_kwargs})
        self.figure_ = self.ax_.figure
        return self
