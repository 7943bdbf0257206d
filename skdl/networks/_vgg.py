"""VGG: stacks of 3×3 convolutions."""

from __future__ import annotations

from collections.abc import Sequence

from skdl._typing import Shape
from skdl.layers import Dropout, Flatten
from skdl.networks._architectures import register, scaled
from skdl.networks._blocks import Layers, conv, dense, shrink

_FILTERS = (64, 128, 256, 512, 512)


def _vgg(depths: Sequence[int], input_shape: Shape, width: float) -> Layers:
    """Return stacks of so many convolutions, a pooling behind each; dense layers."""
    layers: Layers = []
    for depth, filters in zip(depths, _FILTERS, strict=True):
        for _ in range(depth):
            layers += [conv(scaled(filters, width), winograd=True), "relu"]
        shrink(layers, input_shape, 2)
    layers.append(Flatten())
    for _ in range(2):
        layers += [dense(scaled(4096, width)), "relu", Dropout(0.5)]
    return layers


@register("vgg11")
def vgg11(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return VGG-11, the shallowest of its family (Simonyan & Zisserman 2015).

    The idea: filters of 3×3 alone. Two of them see 5×5 pixels, three see 7×7, with
    fewer parameters than one large filter and a ReLU more in between. So the depth can
    grow while all else stays plain: stacks of convolutions, a pooling behind each. The
    authors trained this net first and started the deeper ones from its weights, with
    new layers in between; that He's start (used here) needs no such help was seen
    later (He et al. 2015).

    With 1000 classes and 224×224×3 it has 132,863,336 parameters, as published
    (configuration A; the same as torchvision's).

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture. Poolings of a picture that is down to
        one pixel, under 32×32, do nothing.
    width : float, default=1.0
        What 64, 128, 256, 512 and 512 filters and 4096 units are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer, which is the third dense one.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, vgg11
    >>> picture = (224, 224, 3)
    >>> table = describe([*vgg11(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[:2]  # multiply-adds, parameters
    ['7,609,090,048', '132,863,336']
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="vgg11", width=0.25)  # narrower
    """
    return _vgg((1, 1, 2, 2, 2), input_shape, width)


@register("vgg13")
def vgg13(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return VGG-13, of stacks of two (Simonyan & Zisserman 2015).

    See `vgg11` for the idea. With 1000 classes and 224×224×3 it has 133,047,848
    parameters, as published (configuration B).

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture, see `vgg11`.
    width : float, default=1.0
        What numbers of filters and units are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, vgg13
    >>> picture = (224, 224, 3)
    >>> table = describe([*vgg13(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[:2]  # multiply-adds, parameters
    ['11,308,466,176', '133,047,848']
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="vgg13", width=0.25)  # narrower
    """
    return _vgg((2, 2, 2, 2, 2), input_shape, width)


@register("vgg16")
def vgg16(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return VGG-16, of stacks of two or three (Simonyan & Zisserman 2015).

    See `vgg11` for the idea. With 1000 classes and 224×224×3 it has 138,357,544
    parameters, as published (configuration D), nine tenths of them in the dense layers.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture, see `vgg11`.
    width : float, default=1.0
        What numbers of filters and units are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, vgg16
    >>> picture = (224, 224, 3)
    >>> table = describe([*vgg16(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[:2]  # multiply-adds, parameters
    ['15,470,264,320', '138,357,544']
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="vgg16", width=0.25)  # narrower
    """
    return _vgg((2, 2, 3, 3, 3), input_shape, width)


@register("vgg19")
def vgg19(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return VGG-19, of stacks of two or four (Simonyan & Zisserman 2015).

    See `vgg11` for the idea. With 1000 classes and 224×224×3 it has 143,667,240
    parameters, as published (configuration E).

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture, see `vgg11`.
    width : float, default=1.0
        What numbers of filters and units are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, vgg19
    >>> picture = (224, 224, 3)
    >>> table = describe([*vgg19(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[:2]  # multiply-adds, parameters
    ['19,632,062,464', '143,667,240']
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="vgg19", width=0.25)  # narrower
    """
    return _vgg((2, 2, 4, 4, 4), input_shape, width)


@register("vgg_small")
def vgg_small(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return a VGG for small pictures: 32-32-pool-64-64-pool, 128 dense units.

    The idea of `vgg11` in the size of 32×32 pixels. With 10 classes and 32×32×3 it has
    591,274 parameters.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture.
    width : float, default=1.0
        What 32 and 64 filters and 128 units are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl import CNNClassifier
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, vgg_small
    >>> model = CNNClassifier(layers="vgg_small", width=0.5)  # half as many filters
    >>> for width in (0.5, 1.0):
    ...     layers = [*vgg_small((32, 32, 3), width), Dense(10)]
    ...     print(describe(layers, (32, 32, 3)).split("total")[1].split()[1])
    148,442
    591,274
    """
    layers: Layers = []
    for filters in (32, 64):
        for _ in range(2):
            layers += [conv(scaled(filters, width), winograd=True), "relu"]
        shrink(layers, input_shape, 2)
    return [*layers, Flatten(), dense(scaled(128, width)), "relu"]
