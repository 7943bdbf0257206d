"""What the architectures for pictures are put together from.

All of them start with He's initialization (He et al. 2015), which keeps the size of the
signal from layer to layer under ReLU, whatever the width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skdl._typing import Shape
from skdl.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Layer,
    MaxPool2D,
    build_chain,
    resolve_chain,
)

Layers = list[Layer | str]

HE = "he_normal"
# A picture with a shorter side than this keeps its pixels in the first layers.
LARGE = 64


def conv(filters: int, kernel_size: int = 3, **settings: Any) -> Conv2D:
    """Return a convolution that leaves a picture's size as it is, at stride 1.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int, default=3
        Height and width of a filter; odd.
    **settings : dict
        Other settings of `Conv2D`.

    Returns
    -------
    layer : Conv2D
        The layer.
    """
    return Conv2D(
        filters,
        kernel_size,
        **{"padding": kernel_size // 2, "initializer": HE, **settings},
    )


def conv_norm(
    filters: int, kernel_size: int = 3, epsilon: float = 1e-5, **settings: Any
) -> Layers:
    """Return a convolution and batch normalisation, which takes the biases' place.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int, default=3
        Height and width of a filter; odd.
    epsilon : float, default=1e-5
        Added to the variance.
    **settings : dict
        Other settings of `Conv2D`.

    Returns
    -------
    layers : list of Layer
        The two layers.
    """
    return [
        conv(filters, kernel_size, bias=False, **settings),
        BatchNorm(epsilon=epsilon),
    ]


def dense(units: int) -> Dense:
    """Return a dense layer.

    Parameters
    ----------
    units : int
        Number of outputs.

    Returns
    -------
    layer : Dense
        The layer.
    """
    return Dense(units, initializer=HE)


def shape_after(layers: Sequence[Layer | str], input_shape: Shape) -> Shape:
    """Return the shape of one sample behind layers.

    Parameters
    ----------
    layers : sequence of Layer or str
        The layers.
    input_shape : tuple of int
        Shape of one sample.

    Returns
    -------
    shape : tuple of int
        The shape.
    """
    return build_chain(resolve_chain(layers), input_shape)[0][-1]


def shrink(
    layers: Layers, input_shape: Shape, size: int, stride: int = 2, **settings: Any
) -> None:
    """Append a max-pooling whose windows are no larger than the picture there.

    Parameters
    ----------
    layers : list of Layer or str
        The layers up to here; one is added.
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture in front of the first.
    size : int
        Height and width of a window, where there are so many pixels.
    stride : int, default=2
        Distance of windows.
    **settings : dict
        Other settings of `MaxPool2D`.
    """
    h, w, _ = shape_after(layers, input_shape)
    layers.append(MaxPool2D((min(size, h), min(size, w)), stride, **settings))
