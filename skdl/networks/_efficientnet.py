"""EfficientNet-Lite0: inverted residuals without gates."""

from __future__ import annotations

from skdl._typing import Shape
from skdl.layers import (
    BatchNorm,
    Conv2D,
    DepthwiseConv2D,
    GlobalAvgPool,
    Layer,
    Residual,
)
from skdl.networks._architectures import register, scaled
from skdl.networks._blocks import HE, Layers

# Blocks of a stage, kernel size, stride of the first, expansion, filters.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_NORM = {"momentum": 0.01, "epsilon": 1e-3}


def _conv(filters: int, kernel_size: int = 1, stride: int = 1) -> list[Layer | str]:
    conv = Conv2D(
        filters, kernel_size, stride, padding="same", bias=False, initializer=HE
    )
    return [conv, BatchNorm(**_NORM)]


@register("efficientnet_lite0")
def efficientnet_lite0(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return EfficientNet-Lite0 (Tan & Le 2019; Liu 2020), 1280 features of a picture.

    The idea: inverted residuals. A block widens its channels six times with a 1×1
    convolution, looks around in each of them alone (a depthwise convolution of 3×3 or
    5×5) and leads back to few channels without an activation; the skip connection joins
    the narrow ends (Sandler et al. 2018). Lite means for phones: ReLU6 in place of
    swish, and no squeeze-and-excitation. Padding is TensorFlow's "same".

    With 1000 classes and 224×224×3 it has 4,652,008 parameters, as published. Weights
    trained on ImageNet expect pictures in RGB, (x/255 − mean)/std with mean (0.485,
    0.456, 0.406) and std (0.229, 0.224, 0.225); see `skdl.io.load_weights`.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture.
    width : float, default=1.0
        What numbers of filters are multiplied by, 1280 included.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer; the last is global pooling.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, efficientnet_lite0
    >>> picture = (224, 224, 3)
    >>> table = describe([*efficientnet_lite0(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[:2]  # multiply-adds, parameters
    ['385,187,552', '4,652,008']
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="efficientnet_lite0", width=0.25)  # narrower
    """
    channels = scaled(32, width)
    layers: Layers = [*_conv(channels, 3, 2), "relu6"]
    for n_blocks, kernel_size, first_stride, expansion, n_filters in _STAGES:
        filters = scaled(n_filters, width)
        for i in range(n_blocks):
            stride = first_stride if i == 0 else 1
            block: Layers = []
            if expansion > 1:
                block += [*_conv(expansion * channels), "relu6"]
            look = DepthwiseConv2D(
                kernel_size, stride, padding="same", bias=False, initializer=HE
            )
            block += [look, BatchNorm(**_NORM), "relu6", *_conv(filters)]
            same = stride == 1 and filters == channels
            layers += [Residual(block)] if same else block
            channels = filters
    return [*layers, *_conv(scaled(1280, width)), "relu6", GlobalAvgPool()]
