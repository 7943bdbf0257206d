"""What displays of networks for pictures have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdl._typing import Array
from skdl.inspection._loss_curve import _pyplot
from skdl.inspection._names import fitted_part
from skdl.neural_network import is_network


def picture_network(estimator: Any, display: str) -> Any:
    """Return the fitted model that has a network for pictures.

    Parameters
    ----------
    estimator : estimator
        A fitted network, a Pipeline that ends with one, or a search for one.
    display : str
        What the error calls the caller.

    Returns
    -------
    model : network estimator
        The model.

    Raises
    ------
    TypeError
        If there is no such network.
    """
    model = fitted_part(estimator)
    if not is_network(model):
        raise TypeError(
            f"{display} takes a fitted network for pictures, such as CNNClassifier, "
            f"got {type(model).__name__}."
        )
    check_is_fitted(model, "network_")
    if len(model.network_.input_shape) != 3:
        raise TypeError(
            f"{display} takes a network for pictures; this one takes samples of shape "
            f"{model.network_.input_shape}."
        )
    return model


def picture_rows(estimator: Any, X: Any) -> Array:
    """Return pictures as the network gets them.

    Parameters
    ----------
    estimator : estimator
        A fitted network, a Pipeline that ends with one, or a search for one.
    X : array-like of shape (n, ...)
        Pictures, as the estimator's `predict` takes them.

    Returns
    -------
    rows : ndarray of shape (n, h, w, c)
        The pictures.
    """
    best = getattr(estimator, "best_estimator_", estimator)
    if hasattr(best, "steps") and len(best.steps) > 1:
        X = best[:-1].transform(X)
    return fitted_part(best)._rows_to_predict(X)


def montage(pictures: Array, n_columns: int | None = None, gap: int = 1) -> Array:
    """Return pictures beside and below each other.

    Parameters
    ----------
    pictures : ndarray of shape (n, h, w) or (n, h, w, 3)
        The pictures.
    n_columns : int, default=None
        Pictures in a row; None makes about a square.
    gap : int, default=1
        Pixels between them, which are NaN.

    Returns
    -------
    sheet : ndarray of shape (rows, columns) or (rows, columns, 3)
        One picture of all.
    """
    n, h, w, *rest = pictures.shape
    n_columns = n_columns or math.ceil(math.sqrt(n * h / w))
    n_columns = max(1, min(n, n_columns))
    n_rows = math.ceil(n / n_columns)
    size = (n_rows * (h + gap) - gap, n_columns * (w + gap) - gap, *rest)
    sheet = np.full(size, np.nan)
    for i, picture in enumerate(pictures):
        row, column = divmod(i, n_columns)
        top, left = row * (h + gap), column * (w + gap)
        sheet[top : top + h, left : left + w] = picture
    return sheet


def as_pictures(X: Any) -> Array:
    """Return pictures with an axis of channels.

    Parameters
    ----------
    X : array-like of shape (n, h, w, c) or (n, h, w)
        Pictures.

    Returns
    -------
    pictures : ndarray of shape (n, h, w, c)
        The pictures.

    Raises
    ------
    ValueError
        If these are none.
    """
    X = np.asarray(X)
    if X.ndim == 3:
        X = X[..., None]
    if X.ndim != 4 or len(X) == 0:
        raise ValueError(
            "X must be pictures of shape (n, height, width, channels) or (n, height, "
            f"width), got {X.shape}."
        )
    return X


def grid_of_axes(axes: Any, n_rows: int, n_columns: int, sides: Any) -> Any:
    """Return axes for pictures beside and below each other.

    Parameters
    ----------
    axes : array of matplotlib Axes or None
        Those that the user gave.
    n_rows, n_columns : int
        How many are needed.
    sides : (int, int)
        Width and height of a picture.

    Returns
    -------
    axes : ndarray of matplotlib Axes of shape (n_rows, n_columns)
        The given ones, or those of a new figure.

    Raises
    ------
    ValueError
        If there are not as many as needed.
    """
    if axes is None:
        width = 2.2
        size = (n_columns * width, n_rows * (width * sides[1] / sides[0] + 0.3) + 0.4)
        return _pyplot().subplots(
            n_rows, n_columns, figsize=size, squeeze=False, layout="constrained"
        )[1]
    axes = np.asarray(axes, dtype=object)
    if axes.size != n_rows * n_columns:
        raise ValueError(
            f"axes must be {n_rows}×{n_columns} matplotlib Axes, got {axes.size}."
        )
    return axes.reshape(n_rows, n_columns)


def as_shown(pictures: Array) -> Array:
    """Return pictures in [0, 1]: grey, or three colours.

    Parameters
    ----------
    pictures : ndarray of shape (n, h, w, c)
        Pictures of any numbers; of other than three channels their mean is shown.

    Returns
    -------
    shown : ndarray of shape (n, h, w) or (n, h, w, 3)
        Scaled from the smallest number to the largest.
    """
    x = np.asarray(pictures, np.float64)
    x = x if x.shape[-1] == 3 else x.mean(axis=-1)
    low, high = x.min(), x.max()
    return (x - low) / (high - low or 1.0)


def show(ax: Any, sheet: Array, **image_kwargs: Any) -> tuple[Any, Any]:
    """Draw a sheet of pictures without axes.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Where to draw; None makes a figure.
    sheet : ndarray of shape (h, w) or (h, w, 3)
        The picture; NaN is not drawn.
    **image_kwargs : dict
        Handed to ``ax.imshow``.

    Returns
    -------
    ax : matplotlib Axes
        Where it was drawn.
    image : matplotlib AxesImage
        What was drawn.
    """
    if ax is None:
        _, ax = _pyplot().subplots(layout="constrained")
    if sheet.ndim == 3:  # white between coloured pictures
        sheet = np.where(np.isnan(sheet), 1.0, sheet)
    image = ax.imshow(sheet, **image_kwargs)
    ax.set_axis_off()
    return ax, image


def layer_index(network: Any, layer: int | None, fitting: Sequence[int]) -> int:
    """Return the index of a layer from what the user asked for.

    Parameters
    ----------
    network : Network
        The network.
    layer : int or None
        Index among its layers, negative from the end; None takes the first that fits.
    fitting : sequence of int
        Those that fit.

    Returns
    -------
    index : int
        The index.

    Raises
    ------
    ValueError
        If it is none of those that fit.
    """
    n = len(network.layers)
    index = (fitting[0] if fitting else None) if layer is None else layer
    if index is not None and -n <= index < n and index % n in fitting:
        return index % n
    raise ValueError(
        f"Layers {list(fitting)} of this network can be shown, got layer={layer}; "
        "network_.describe() lists them."
    )
