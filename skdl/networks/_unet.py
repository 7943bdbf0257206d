"""U-Net: shrink, look, enlarge, and keep the detail on the way."""

from __future__ import annotations

from collections.abc import Sequence

from skdl._typing import Shape
from skdl.layers import (
    ConvTranspose2D,
    KeepSize,
    MaxPool2D,
    SkipConcatenate,
)
from skdl.networks._architectures import register, scaled
from skdl.networks._blocks import HE, Layers, conv


@register("unet")
def unet(
    input_shape: Shape, width: float = 1.0, filters: Sequence[int] = (16, 32, 64)
) -> Layers:
    """Return a U-Net (Ronneberger, Fischer & Brox 2015), for a class for each pixel.

    At each size there are two convolutions of 3×3; then a pooling halves the sides and
    the filters double. On the way back a transposed convolution of 2×2 doubles the
    sides, what was there at that size on the way down is joined to it, and two
    convolutions follow. Convolutions are padded, so that the output has the size of the
    picture; sides that cannot be halved are padded for the time, see
    `skdl.layers.KeepSize`. The paper has no padding, and 64 to 1024 filters:
    ``layers="unet5", width=4``.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture.
    width : float, default=1.0
        What numbers of filters are multiplied by.
    filters : sequence of int, default=(16, 32, 64)
        Filters at each size, from the picture's own; one more halves once more.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.networks import Network, unet
    >>> network = Network(unet((60, 44, 3)), (60, 44, 3))
    >>> network.output_shape  # the last 16 channels at the size of the picture
    (60, 44, 16)
    >>> network.params.size
    117024
    >>> from skdl import SegmentationClassifier
    >>> model = SegmentationClassifier(layers="unet", width=0.5)
    """
    numbers = [scaled(n, width) for n in filters]
    return [KeepSize(_level(numbers), multiple=2 ** (len(numbers) - 1))]


def _level(filters: Sequence[int]) -> Layers:
    n, *below = filters
    if not below:
        return _pair(n)
    up = ConvTranspose2D(n, 2, stride=2, initializer=HE)
    return [*_pair(n), SkipConcatenate([MaxPool2D(2), *_level(below), up]), *_pair(n)]


def _pair(n: int) -> Layers:
    return [conv(n), "relu", conv(n), "relu"]


@register("unet4")
def unet4(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return a U-Net that halves three times: 16, 32, 64 and 128 filters.

    See `unet` for the idea.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture.
    width : float, default=1.0
        What numbers of filters are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.networks import Network, unet4
    >>> network = Network(unet4((32, 32, 1), width=0.25), (32, 32, 1))
    >>> network.output_shape, network.params.size
    ((32, 32, 4), 30288)
    """
    return unet(input_shape, width, (16, 32, 64, 128))


@register("unet5")
def unet5(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return a U-Net that halves four times: 16, 32, 64, 128 and 256 filters.

    See `unet` for the idea; ``width=4`` gives the filters of the paper.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture.
    width : float, default=1.0
        What numbers of filters are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.networks import describe, unet5
    >>> table = describe(unet5((64, 64, 1), width=4), (64, 64, 1))  # as in the paper
    >>> table.split("total")[1].split()[1]
    '31,030,528'
    """
    return unet(input_shape, width, (16, 32, 64, 128, 256))
