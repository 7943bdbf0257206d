"""Residual networks: ResNet and ResNeXt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skdl._typing import Shape
from skdl.layers import GlobalAvgPool, MaxPool2D, Residual
from skdl.networks._architectures import register, scaled
from skdl.networks._blocks import LARGE, Layers, conv_norm

_WIDTHS = (64, 128, 256, 512)
# (layers of a block, channels of its output) for a stage's width, and a stride
Block = Callable[[int, int], tuple[Layers, int]]


def _stem(input_shape: Shape, filters: int) -> Layers:
    if min(input_shape[:2]) < LARGE:
        return [*conv_norm(filters), "relu"]
    return [
        *conv_norm(filters, 7, stride=2),
        "relu",
        MaxPool2D(3, 2, padding=1),
    ]


def _stages(block: Block, depths: Sequence[int], channels: int) -> Layers:
    """Return so many blocks a stage; each stage after the first halves the picture."""
    layers: Layers = []
    for stage, (depth, width) in enumerate(zip(depths, _WIDTHS, strict=False)):
        for i in range(depth):
            stride = 2 if stage and not i else 1
            inner, out = block(width, stride)
            layers += [_residual(inner, channels, out, stride), "relu"]
            channels = out
    return layers


def _residual(inner: Layers, channels: int, out: int, stride: int) -> Residual:
    """Return x + F(x), with a 1×1 convolution of x where shapes differ."""
    same = channels == out and stride == 1
    return Residual(inner, None if same else conv_norm(out, 1, stride=stride))


def _basic(width: float) -> Block:
    """Two convolutions of 3×3."""

    def block(filters: int, stride: int) -> tuple[Layers, int]:
        n = scaled(filters, width)
        layers: Layers = [
            *conv_norm(n, stride=stride, winograd=True),
            "relu",
            *conv_norm(n, winograd=True),
        ]
        return layers, n

    return block


def _bottleneck(width: float, groups: int = 1, wider: int = 1) -> Block:
    """1×1 to fewer channels, 3×3 on these, 1×1 to four times a stage's width."""

    def block(filters: int, stride: int) -> tuple[Layers, int]:
        inner, out = scaled(wider * filters, width, groups), scaled(4 * filters, width)
        layers: Layers = [
            *conv_norm(inner, 1),
            "relu",
            *conv_norm(inner, stride=stride, groups=groups, winograd=True),
            "relu",
            *conv_norm(out, 1),
        ]
        return layers, out

    return block


def _resnet(
    block: Block, depths: Sequence[int], input_shape: Shape, width: float
) -> Layers:
    filters = scaled(64, width)
    return [
        *_stem(input_shape, filters),
        *_stages(block, depths, filters),
        GlobalAvgPool(),
    ]


@register("resnet18")
def resnet18(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return ResNet-18: eight blocks of two convolutions (He et al. 2016).

    The idea: a block adds to its input, y = ReLU(x + F(x)), so that it has nothing to
    learn to be the identity, and the gradient has a way through all the depth. Plain
    networks of more than about twenty layers had a larger *training* error than
    shallower ones; residual ones got better to 152 layers. A mean over the whole
    picture stands in place of large dense layers, so that a fitted network predicts on
    pictures of other sizes too.

    With 1000 classes and 224×224×3 it has 11,689,512 parameters, as published
    (shortcuts B: 1×1 convolutions where shapes differ; torchvision's count).

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture. With less than 64 pixels on the shorter
        side the first layer, 7×7 of stride 2 with a pooling behind it, is 3×3 of stride
        1 without one, as the paper has it for pictures of 32×32.
    width : float, default=1.0
        What numbers of filters are multiplied by: 64, 128, 256 and 512.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, resnet18
    >>> picture = (224, 224, 3)
    >>> table = describe([*resnet18(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[:2]  # multiply-adds, parameters
    ['1,814,073,344', '11,689,512']
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="resnet18", width=0.25)  # narrower
    """
    return _resnet(_basic(width), (2, 2, 2, 2), input_shape, width)


@register("resnet34")
def resnet34(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return ResNet-34: sixteen blocks of two convolutions (He et al. 2016).

    See `resnet18` for the idea. With 1000 classes and 224×224×3 it has 21,797,672
    parameters, as published.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture, see `resnet18`.
    width : float, default=1.0
        What numbers of filters are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, resnet34
    >>> picture = (224, 224, 3)
    >>> table = describe([*resnet34(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[:2]  # multiply-adds, parameters
    ['3,663,761,408', '21,797,672']
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="resnet34", width=0.25)  # narrower
    """
    return _resnet(_basic(width), (3, 4, 6, 3), input_shape, width)


@register("resnet50")
def resnet50(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return ResNet-50: sixteen bottlenecks of three convolutions (He et al. 2016).

    See `resnet18` for the idea of blocks that add. In a bottleneck 1×1 convolutions
    shrink the channels in front of the 3×3 one and grow them behind it, so that depth
    costs less. With 1000 classes and 224×224×3 it has 25,557,032 parameters, as
    published. Where a stage halves the picture the 3×3 convolution does it, as in
    torchvision; in the paper it is the 1×1 one in front, which throws three of four
    pixels away.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture, see `resnet18`.
    width : float, default=1.0
        What numbers of filters are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, resnet50
    >>> picture = (224, 224, 3)
    >>> table = describe([*resnet50(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[:2]  # multiply-adds, parameters
    ['4,089,184,256', '25,557,032']
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="resnet50", width=0.25)  # narrower
    """
    return _resnet(_bottleneck(width), (3, 4, 6, 3), input_shape, width)


@register("resnext50")
def resnext50(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return ResNeXt-50 32×4d: bottlenecks of grouped convolutions (Xie et al. 2017).

    The idea: a third size besides depth and width, the number of paths. The 3×3
    convolution of each bottleneck of `resnet50` is split into 32 groups that see 4
    channels each; at the same cost it can be twice as wide, and it is more accurate.
    With 1000 classes and 224×224×3 it has 25,028,904 parameters, as published.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture, see `resnet18`.
    width : float, default=1.0
        What numbers of filters are multiplied by. There are 32 groups at any width, of
        at least one channel.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, resnext50
    >>> picture = (224, 224, 3)
    >>> table = describe([*resnext50(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[:2]  # multiply-adds, parameters
    ['4,230,479,872', '25,028,904']
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="resnext50", width=0.25)  # narrower
    """
    block = _bottleneck(width, groups=32, wider=2)
    return _resnet(block, (3, 4, 6, 3), input_shape, width)


@register("resnet8")
def resnet8(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return a residual network for small pictures: 16 filters, three blocks.

    A convolution of 16 filters, then blocks of 16, 32 and 64 of two convolutions each,
    the second and third of which halve the picture: the residual network of `resnet18`
    in the size that the paper gives it for pictures of 32×32 (§4.2), of the least
    depth. With 10 classes and 32×32×3 it has 78,042 parameters.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture.
    width : float, default=1.0
        What 16, 32 and 64 filters are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl import CNNClassifier
    >>> from skdl.layers import Dense
    >>> from skdl.networks import describe, resnet8
    >>> model = CNNClassifier(layers="resnet8", width=0.5)  # half as many filters
    >>> for width in (0.5, 1.0):
    ...     layers = [*resnet8((32, 32, 3), width), Dense(10)]
    ...     print(describe(layers, (32, 32, 3)).split("total")[1].split()[1])
    19,954
    78,042
    """
    filters = scaled(16, width)
    return [
        *conv_norm(filters),
        "relu",
        *_stages(_basic(width / 4), (1, 1, 1), filters),
        GlobalAvgPool(),
    ]
