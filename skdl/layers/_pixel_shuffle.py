"""Channels turned into pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._settings import COUNT
from skdl._typing import Array, Shape, Tree
from skdl.layers._context import Context
from skdl.layers._image import image_shape
from skdl.layers._layer import Layer, register
from skdl.ops.window import Axis, Spread


@register("pixel_shuffle")
class PixelShuffle(Layer):
    """Pictures some times as large, whose new pixels come from channels.

    Each pixel becomes a block: of c·factor² channels the first c go to its first pixel,
    the next c to the one to the right of it, and so on, row by row. Behind a
    convolution it enlarges by learned filters at the cost of the small picture (Shi et
    al. 2016).

    Parameters
    ----------
    factor : int, default=2
        How many times as high and as wide; factor² must divide the channels.

    Raises
    ------
    ValueError
        When a network is built, if `factor` is less than 1 or does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import PixelShuffle
    >>> from skdl.networks import Network
    >>> x = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 1, 4)  # four channels
    >>> Network([PixelShuffle(2)], (1, 1, 4)).predict(x)[0, ..., 0]
    array([[1., 2.],
           [3., 4.]])
    """

    _parameter_constraints: dict[str, Any] = {"factor": COUNT}

    def __init__(self, factor: int = 2) -> None:
        self.factor = factor

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        h, w, c = image_shape(input_shape, "a pixel shuffle")
        f = self.factor
        if c % (f * f):
            raise ValueError(
                f"blocks of {f}×{f} pixels need a multiple of {f * f} channels, got "
                f"{c}."
            )
        return (h * f, w * f, c // (f * f)), {}

    def windows(self, input_shape: Shape) -> tuple[Spread, ...]:
        f = self.factor
        return tuple(Spread(Axis(n * f, n, f, f)) for n in input_shape[:2])

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        n, h, w, c = x.shape
        f = self.factor
        out = ctx.empty((n, h, f, w, f, c // (f * f)))
        np.copyto(out, x.reshape(n, h, w, f, f, out.shape[-1]).swapaxes(2, 3))
        return out.reshape(
            n, h * f, w * f, out.shape[-1]
        ), x.shape if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        n, h, w, c = cache
        f = self.factor
        dx = ctx.empty((n, h, w, f, f, c // (f * f)))
        np.copyto(dx, dy.reshape(n, h, f, w, f, dy.shape[-1]).swapaxes(2, 3))
        return dx.reshape(cache)
