"""Enlarging pictures: all work is done on the small ones."""

from __future__ import annotations

from skdl._typing import Shape
from skdl.layers import Layer
from skdl.networks._architectures import register, scaled
from skdl.networks._blocks import conv


@register("espcn")
def espcn(input_shape: Shape, width: float = 1.0) -> list[Layer | str]:
    """Return the first layers of ESPCN (Shi et al. 2016), for super-resolution.

    64 filters of 5×5, then 32 of 3×3, on the small picture; the output layer of
    `skdl.SuperResolution`, a convolution whose channels become pixels, is the third.
    With leaky ReLU, where the paper has tanh: it is faster, and learns on where a ReLU
    would be at 0 for all pictures, as the small numbers that are missing in an
    enlargement let it come to be. Weights begin as the user chooses; Xavier's start,
    smaller than He's, learns more: what is missing in an enlargement is small.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of a picture.
    width : float, default=1.0
        What 64 and 32 filters are multiplied by.

    Returns
    -------
    layers : list of Layer or str
        The layers in front of the output layer.

    Examples
    --------
    >>> from skdl.networks import Network, espcn
    >>> network = Network(espcn((20, 30, 1)), (20, 30, 1))
    >>> network.output_shape, network.params.size
    ((20, 30, 32), 20128)
    >>> from skdl import SuperResolution
    >>> model = SuperResolution(layers="espcn", width=0.5)
    """
    return [
        conv(scaled(64, width), 5, initializer="auto"),
        "leaky_relu",
        conv(scaled(32, width), 3, initializer="auto"),
        "leaky_relu",
    ]
