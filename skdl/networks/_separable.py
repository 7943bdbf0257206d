"""A network of depthwise-separable convolutions."""

from __future__ import annotations

from skdl._typing import Shape
from skdl.layers import BatchNorm, DepthwiseConv2D, GlobalAvgPool
from skdl.networks._architectures import register, scaled
from skdl.networks._blocks import HE, Layers, conv_norm

_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1))  # filters and stride


@register("separable")
def separable(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return five depthwise-separable blocks for small pictures (Howard et al. 2017).

    The idea, of MobileNet: a convolution does two things, it looks around and it mixes
    channels. A depthwise 3×3 convolution looks around in each channel alone, a 1×1 one
    mixes them; together they cost a ninth to an eighth of a full one. These are the
    first blocks of MobileNet, for pictures of about 32×32. With 10 classes and 32×32×3
    it has 136,778 parameters.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture.
    width : float, default=1.0
        What 32, 64, 128, 128, 256 and 256 filters are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl import CNNClassifier
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, separable
    >>> model = CNNClassifier(layers="separable", width=0.5)  # half as many filters
    >>> for width in (0.5, 1.0):
    ...     layers = [*separable((32, 32, 3), width), Dense(10)]
    ...     print(describe(layers, (32, 32, 3)).split("total")[1].split()[1])
    37,162
    136,778
    """
    layers: Layers = [*conv_norm(scaled(32, width)), "relu"]
    for filters, stride in _BLOCKS:
        look = DepthwiseConv2D(3, stride, padding=1, bias=False, initializer=HE)
        mix = conv_norm(scaled(filters, width), 1)
        layers += [look, BatchNorm(), "relu", *mix, "relu"]
    return [*layers, GlobalAvgPool()]
