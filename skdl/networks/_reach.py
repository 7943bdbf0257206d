"""How far pixels of a network's output look into the picture."""

from __future__ import annotations

from typing import NamedTuple

from skdl.networks._network import Network
from skdl.networks._receptive_field import receptive_fields


class Reach(NamedTuple):
    """What a pixel of the output depends on.

    Attributes
    ----------
    pixels : tuple of (int, int)
        So many rows above and below it, columns to its left and right.
    step : tuple of (int, int)
        The network does the same at places whose distance is a multiple of this many
        pixels: the largest distance of positions in it.

    Examples
    --------
    >>> from skdl.layers import Conv2D
    >>> from skdl.networks import Network, reach_of
    >>> layers = [Conv2D(4, 3, padding="same"), "relu", Conv2D(2, 5, padding="same")]
    >>> reach_of(Network(layers, (20, 20, 1)))  # one pixel, and two more
    Reach(pixels=(3, 3), step=(1, 1))
    """

    pixels: tuple[int, int]
    step: tuple[int, int]


def reach_of(network: Network, n_layers: int | None = None) -> Reach | None:
    """Return how far a network looks, if there is a part of the picture to look at.

    Parameters
    ----------
    network : Network
        A network from pictures to pictures of the same size.
    n_layers : int, default=None
        Only the first so many layers.

    Returns
    -------
    reach : Reach or None
        None if its layers do not say, or pixels of the output see the whole picture.

    See Also
    --------
    receptive_fields : What each layer sees.

    Examples
    --------
    >>> from skdl.networks import Network, reach_of, unet
    >>> reach_of(Network(unet((64, 64, 1)), (64, 64, 1)))
    Reach(pixels=(23, 23), step=(4, 4))
    """
    layers = network.layers[:n_layers]
    output_shape = network.shapes[len(layers)]
    try:
        fields = receptive_fields(layers, network.input_shape)
    except ValueError:
        return None
    own = [field for field in fields if "." not in field.key]
    last = own[-1]
    if len(last.jump) != 2 or last.jump != (1, 1):
        return None
    if len(output_shape) != 3 or output_shape[:2] != last.positions:
        return None
    pixels, step = [], []
    for axis in range(2):
        before = -last.offset[axis]
        after = last.size[axis] - 1 + last.offset[axis]
        pixels.append(max(before, after, 0))
        jumps = [f.jump[axis] for f in fields if len(f.jump) == 2]
        step.append(max(jumps))
    return Reach((pixels[0], pixels[1]), (step[0], step[1]))
