"""GoogLeNet: inception blocks."""

from __future__ import annotations

from skdl._typing import Shape
from skdl.layers import (
    AuxiliaryHead,
    AvgPool2D,
    Branches,
    Dropout,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
)
from skdl.networks._architectures import register, scaled
from skdl.networks._blocks import LARGE, Layers, conv_norm, dense, shape_after, shrink

# Filters of the blocks: 1×1; 1×1 and then 3×3, twice; 1×1 behind a pooling.
_STAGES = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)
_SECOND = 1  # the stage that has auxiliary heads in it
_WITH_HEAD = (0, 3)  # behind these of its blocks


@register("googlenet")
def googlenet(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return GoogLeNet: nine inception blocks (Szegedy et al. 2015).

    The idea: a block looks at several sizes at once. Convolutions of 1×1, 3×3 and 5×5
    and a pooling stand side by side on the same input, and their outputs are joined;
    1×1 convolutions in front shrink the channels, so that it stays cheap. A mean over
    the whole picture replaces large dense layers: it has a twelfth of the parameters of
    AlexNet. Two auxiliary heads in the middle, in training only, bring the gradient to
    the lower layers.

    As torchvision has it: batch normalisation behind each convolution (Ioffe & Szegedy
    2015), and a second branch of 3×3 where the paper has 5×5. With 1000 classes and
    224×224×3 it has 13,004,888 parameters with the auxiliary heads, 6,624,904 without.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture. With less than 64 pixels on the shorter
        side the first convolution is 3×3 of stride 1, not 7×7 of stride 2, and the two
        poolings of the first layers are left out.
    width : float, default=1.0
        What numbers of filters and units are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, googlenet
    >>> picture = (224, 224, 3)
    >>> table = describe([*googlenet(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[1]  # the output layers of its heads left out
    '10,954,888'
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="googlenet", width=0.25)  # narrower
    """
    layers = _stem(input_shape, width)
    for number, stage in enumerate(_STAGES):
        for i, filters in enumerate(stage):
            layers.append(_inception(filters, width))
            if number == _SECOND and i in _WITH_HEAD:
                layers.append(_head(shape_after(layers, input_shape), width))
        if number < len(_STAGES) - 1:
            shrink(layers, input_shape, 2 if number == _SECOND else 3, ceil=True)
    return [*layers, GlobalAvgPool(), Dropout(0.2)]


def _unit(filters: int, width: float, kernel_size: int = 1, stride: int = 1) -> Layers:
    norm = conv_norm(scaled(filters, width), kernel_size, 1e-3, stride=stride)
    return [*norm, "relu"]


def _stem(input_shape: Shape, width: float) -> Layers:
    rest = [*_unit(64, width), *_unit(192, width, 3)]
    if min(input_shape[:2]) < LARGE:
        return [*_unit(64, width, 3), *rest]
    first = _unit(64, width, 7, stride=2)
    return [*first, MaxPool2D(3, 2, ceil=True), *rest, MaxPool2D(3, 2, ceil=True)]


def _inception(filters: tuple[int, ...], width: float) -> Branches:
    one, *pairs, behind_pool = filters
    return Branches(
        [
            _unit(one, width),
            [*_unit(pairs[0], width), *_unit(pairs[1], width, 3)],
            [*_unit(pairs[2], width), *_unit(pairs[3], width, 3)],
            [MaxPool2D(3, 1, padding=1), *_unit(behind_pool, width)],
        ]
    )


def _head(shape: Shape, width: float) -> AuxiliaryHead:
    """Return means of 4×4 parts of the picture, and two dense layers with the output's.

    14×14 pixels get the windows of 5×5 with distance 3 of the paper.
    """
    strides = [max(1, n // 4) for n in shape[:2]]
    sizes = [
        max(1, n - 3 * stride) for n, stride in zip(shape[:2], strides, strict=True)
    ]
    return AuxiliaryHead(
        [
            AvgPool2D((sizes[0], sizes[1]), (strides[0], strides[1])),
            *_unit(128, width),
            Flatten(),
            dense(scaled(1024, width)),
            "relu",
            Dropout(0.7),
        ]
    )
