"""Layers that change the form of samples, or the scale of their numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skdl._settings import NUMBER
from skdl._typing import Array, Shape, Tree
from skdl.layers._context import Context
from skdl.layers._layer import Layer, register
from skdl.ops.window import Axis


@register("flatten")
class Flatten(Layer):
    """All numbers of a sample in one row: (h, w, c) becomes (h·w·c,)."""

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        return (math.prod(input_shape),), {}

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        return tuple(Axis(n, 1, n) for n in input_shape[:-1])

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        return x.reshape(len(x), -1), x.shape if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        return dy.reshape(cache)


@register("rescale")
class Rescale(Layer):
    """y = scale·x + offset, from numbers of any type, batch by batch.

    As the first layer it turns whole-number pictures into small real numbers without a
    copy of all of them.

    Parameters
    ----------
    scale : float, default=0.00392156862745098
        Factor; the default is 1/255, which brings bytes to [0, 1].
    offset : float, default=0.0
        What is added.

    Raises
    ------
    ValueError
        When a network is built, if a setting is no finite number.
    """

    accepts_integers = True
    _parameter_constraints: dict[str, Any] = {"scale": NUMBER, "offset": NUMBER}

    def __init__(self, scale: float = 1 / 255, offset: float = 0.0) -> None:
        self.scale = scale
        self.offset = offset

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        out = ctx.empty(x.shape)
        np.multiply(x, self.scale, out=out, casting="unsafe", dtype=out.dtype)
        if self.offset:
            out += self.offset
        return out, None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        return np.multiply(dy, self.scale, out=ctx.empty(dy.shape))
