"""What layers of pictures have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from skdl._typing import Shape
from skdl.layers._layer import TooSmallError
from skdl.ops.window import NoWindowError

T = TypeVar("T")


def image_shape(input_shape: Shape, layer: str) -> tuple[int, int, int]:
    """Return the shape of a picture.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample.
    layer : str
        What the error calls the layer.

    Returns
    -------
    shape : tuple of (int, int, int)
        Height, width and channels.

    Raises
    ------
    ValueError
        If it is no picture.
    """
    if len(input_shape) != 3:
        raise ValueError(
            f"{layer} takes pictures (height, width, channels), got samples of shape "
            f"{input_shape}."
        )
    h, w, c = input_shape
    return h, w, c


@contextmanager
def too_small(shape: Shape) -> Iterator[None]:
    """Turn the error of a window that does not fit into `TooSmallError`.

    Parameters
    ----------
    shape : tuple of (int, int, int)
        The picture.

    Yields
    ------
    None
    """
    try:
        yield
    except NoWindowError as error:
        h, w, _ = shape
        raise TooSmallError(f"it gets {h}×{w} pixels: {error}") from error


def looked_up(function: Callable[..., T], *settings: Any) -> T:
    """Call a function that remembers its results; settings may be lists.

    Parameters
    ----------
    function : callable
        Its arguments must be hashable.
    *settings : object
        Numbers, words, or sequences of such.

    Returns
    -------
    result : object
        What ``function(*settings)`` returns, with tuples in place of lists.
    """
    try:
        return function(*settings)  # as nearly always
    except TypeError:
        return function(*map(hashable, settings))


def hashable(value: Any) -> Any:
    """Return a setting with tuples in place of lists.

    Parameters
    ----------
    value : object
        A number, a word, or sequences of such.

    Returns
    -------
    value : object
        The same, to be looked up.
    """
    if isinstance(value, list | tuple):
        return tuple(hashable(item) for item in value)
    return value
