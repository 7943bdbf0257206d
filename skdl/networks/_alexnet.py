"""AlexNet."""

from __future__ import annotations

from skdl._typing import Shape
from skdl.layers import Dropout, Flatten
from skdl.networks._architectures import register, scaled
from skdl.networks._blocks import Layers, conv, dense, shrink


@register("alexnet")
def alexnet(input_shape: Shape, width: float = 1.0) -> Layers:
    """Return AlexNet: five convolutions, then dense layers (Krizhevsky et al. 2012).

    The network that won the ImageNet contest of 2012 by a wide margin and made deep
    learning known. Its ideas: ReLU in place of tanh, which trains several times faster;
    dropout in the dense layers, which hold nearly all of its parameters; random crops
    and flips of the pictures; training on graphics cards.

    In the form of Krizhevsky (2014), as torchvision has it: one column in place of two
    halves on two cards, and no local response normalisation. With 1000 classes and
    224×224×3 it has 61,100,840 parameters. The paper starts from N(0, 0.01²), with some
    biases of 1, which fits its width alone; here the start is He's.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture. With less than 63 pixels on the shorter
        side the stride of the first convolution is 2, with less than 35 pixels 1, so
        that the three poolings have something left; with less than 21 the picture
        is padded, and windows of a pooling end at the picture's size.
    width : float, default=1.0
        What 64, 192, 384, 256 and 256 filters and 4096 units are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer, which is the third dense one.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.networks import alexnet, describe
    >>> picture = (224, 224, 3)
    >>> table = describe([*alexnet(picture), Dense(1000)], picture)
    >>> table.split("total")[1].split()[:2]  # multiply-adds, parameters
    ['714,188,480', '61,100,840']
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(layers="alexnet", width=0.25)  # narrower
    """
    side = min(input_shape[:2])
    stride = 4 if side >= 63 else 2 if side >= 35 else 1
    padding = 2 if side >= 21 else 5
    c = [scaled(channels, width) for channels in (64, 192, 384, 256, 256)]
    layers: Layers = [conv(c[0], 11, stride=stride, padding=padding), "relu"]
    shrink(layers, input_shape, 3)
    layers += [conv(c[1], 5), "relu"]
    shrink(layers, input_shape, 3)
    for filters in c[2:]:
        layers += [conv(filters), "relu"]
    shrink(layers, input_shape, 3)
    layers.append(Flatten())
    for _ in range(2):
        layers += [Dropout(0.5), dense(scaled(4096, width)), "relu"]
    return layers
