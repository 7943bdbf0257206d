"""Architectures of networks for pictures: names mapped to builders of layer lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from skdl._registry import did_you_mean
from skdl._settings import POSITIVE, checked
from skdl._typing import Shape
from skdl.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, resolve_chain


class Architecture(Protocol):
    """A function that makes the layers in front of the output layer.

    Examples
    --------
    >>> from skdl.layers import Conv2D, GlobalAvgPool
    >>> from skdl.networks import scaled
    >>> def tiny(input_shape, width=1.0):  # such a function is an architecture
    ...     return [Conv2D(scaled(8, width), 3), "relu", GlobalAvgPool()]
    >>> tiny((28, 28, 1), width=2.0)
    [Conv2D(filters=16), 'relu', GlobalAvgPool()]
    """

    def __call__(
        self, input_shape: Shape, width: float = 1.0
    ) -> list[Layer | str] | list[Layer]:
        """Return the layers.

        Parameters
        ----------
        input_shape : tuple of (int, int, int)
            Height, width and channels of a picture.
        width : float, default=1.0
            What numbers of channels and units are multiplied by, see `scaled`.

        Returns
        -------
        layers : list of Layer or str
            New objects, without the output layer: that is the task's.
        """
        ...


A = TypeVar("A", bound=Callable[..., object])

_ARCHITECTURES: dict[str, Architecture] = {}


def register(name: str, replace: bool = False) -> Callable[[A], A]:
    """Return a decorator that registers an architecture under a name.

    Parameters
    ----------
    name : str
        The name that users pass as ``layers``.
    replace : bool, default=False
        Whether a name that exists already gets a new meaning for the whole process.

    Returns
    -------
    decorator : callable
        Registers ``f(input_shape, width=1.0) -> layers`` and returns it unchanged.

    Raises
    ------
    ValueError
        If the name exists already.

    Examples
    --------
    A name of one's own is free, one that is taken is not:

    >>> from skdl.networks import lenet, register
    >>> @register("lenet")  # doctest: +ELLIPSIS
    ... def narrow_lenet(input_shape, width=1.0):
    ...     return lenet(input_shape, 0.25 * width)
    Traceback (most recent call last):
        ...
    ValueError: There is an architecture named 'lenet', in the whole process. ...
    """

    def decorator(function: A) -> A:
        if name in _ARCHITECTURES and not replace:
            raise ValueError(
                f"There is an architecture named {name!r}, in the whole process. "
                "Choose another name, or pass replace=True."
            )
        _ARCHITECTURES[name] = function  # type: ignore[assignment]
        return function

    return decorator


def names() -> list[str]:
    """Return the names of the architectures.

    Returns
    -------
    names : list of str
        Sorted.

    Examples
    --------
    >>> from skdl.networks import names
    >>> [name for name in names() if name.startswith("unet")]
    ['unet', 'unet4', 'unet5']
    """
    return sorted(_ARCHITECTURES)


def get(name: str) -> Architecture:
    """Return the architecture of a name.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    architecture : callable
        ``f(input_shape, width=1.0) -> layers``.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the known ones.

    Examples
    --------
    >>> from skdl.networks import get
    >>> layers = get("lenet")((28, 28, 1))
    >>> layers[0]
    Conv2D(filters=6, kernel_size=5, padding=2)
    """
    try:
        return _ARCHITECTURES[name]
    except KeyError:
        raise ValueError(
            f"Unknown architecture {name!r}. Known names: {', '.join(names())}. A list "
            f"of layers works too.{did_you_mean(name, names())}"
        ) from None


def named_layers(name: str, input_shape: Shape, width: float = 1.0) -> list[Layer]:
    """Return the layers of an architecture.

    Parameters
    ----------
    name : str
        One of `names`.
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture.
    width : float, default=1.0
        What numbers of channels and units are multiplied by; positive.

    Returns
    -------
    layers : list of Layer
        Ready for use, without the output layer.

    Raises
    ------
    ValueError
        If the name is unknown or the width is not positive.

    Examples
    --------
    >>> from skdl.networks import named_layers
    >>> layers = named_layers("lenet", (28, 28, 1), width=2.0)
    >>> layers[0], layers[-2]
    (Conv2D(filters=12, kernel_size=5, padding=2), Dense(units=168))
    """
    build = get(name)
    width = checked(f"The architecture {name}", {"width": POSITIVE}, {"width": width})[
        "width"
    ]
    return resolve_chain(build(tuple(input_shape), width=width))


def scaled(channels: int, width: float, multiple: int = 1) -> int:
    """Return a number of channels or units, times the width of a network.

    Parameters
    ----------
    channels : int
        The number at width 1.
    width : float
        The factor.
    multiple : int, default=1
        What the result is a multiple of: the groups of a convolution.

    Returns
    -------
    channels : int
        The nearest multiple, at least one.

    Examples
    --------
    >>> from skdl.networks import scaled
    >>> scaled(64, 0.25), scaled(3, 0.1)
    (16, 1)
    >>> scaled(100, 1.0, multiple=32)
    96
    """
    return multiple * max(1, round(channels * width / multiple))


@register("lenet")
def lenet(input_shape: Shape, width: float = 1.0) -> list[Layer | str]:
    """Return LeNet-5: two convolutions, then dense layers (LeCun et al. 1998).

    As it is taught today: with ReLU, the largest number of each 2×2 window, and all
    maps of the first stage seen by all filters of the second. The padding of the first
    convolution makes 28×28 pixels what 32×32 are without it. With 10 classes and
    28×28×1 it has 61,706 parameters.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture; at least 12×12 pixels.
    width : float, default=1.0
        What 6 and 16 filters, 120 and 84 units are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer, which is the third dense one.

    Examples
    --------
    >>> from skdl import CNNClassifier
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, lenet
    >>> model = CNNClassifier(layers="lenet", width=0.5)  # half as many filters
    >>> for width in (0.5, 1.0):
    ...     layers = [*lenet((28, 28, 1), width), Dense(10)]
    ...     print(describe(layers, (28, 28, 1)).split("total")[1].split()[1])
    15,738
    61,706
    """
    return [
        Conv2D(scaled(6, width), 5, padding=2),
        "relu",
        MaxPool2D(2),
        Conv2D(scaled(16, width), 5),
        "relu",
        MaxPool2D(2),
        Flatten(),
        Dense(scaled(120, width)),
        "relu",
        Dense(scaled(84, width)),
        "relu",
    ]


@register("small")
def small(input_shape: Shape, width: float = 1.0) -> list[Layer | str]:
    """Return a small network that learns well on small pictures of any size.

    Two convolutions of 3×3 with 16 filters each, two with 32, two with 64, a pooling
    behind each pair that halves the sides of 4 pixels or more; it ends where both
    sides have less than 4. Then comes one dense layer. There is no smallest picture.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture.
    width : float, default=1.0
        What 16, 32 and 64 filters and 128 units are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl import CNNClassifier
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, small
    >>> model = CNNClassifier(layers="small", width=0.5)  # half as many filters
    >>> for width in (0.5, 1.0):
    ...     layers = [*small((28, 28, 1), width), Dense(10)]
    ...     print(describe(layers, (28, 28, 1)).split("total")[1].split()[1])
    37,186
    146,938
    """
    h, w, _ = input_shape
    layers: list[Layer | str] = []
    for filters in (16, 32, 64):
        for _ in range(2):
            layers += [Conv2D(scaled(filters, width), 3, padding="same"), "relu"]
        pool = tuple(2 if size >= 4 else 1 for size in (h, w))
        if max(pool) > 1:
            layers.append(MaxPool2D(pool))
        h, w = h // pool[0], w // pool[1]
        if max(h, w) < 4:
            break
    return [*layers, Flatten(), Dense(scaled(128, width)), "relu"]
