"""Layers that change the form of samples, or the scale of their numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from skdl._settings import NUMBER
from skdl._typing import Array, Shape, Tree
from skdl.layers._context import Context
from skdl.layers._layer import Layer, register
from skdl.ops.window import Axis


@register("flatten")
class Flatten(Layer):
    """All numbers of a sample in one row: (h, w, c) becomes (h·w·c,).

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Flatten
    >>> from skdl.networks import Network
    >>> network = Network([Flatten()], (2, 2, 3))
    >>> network.output_shape
    (12,)
    >>> network.predict(np.arange(12.0).reshape(1, 2, 2, 3))[0, :4]
    array([0., 1., 2., 3.])
    """

    calls_kernels = True

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        return (math.prod(input_shape),), {}

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        return tuple(Axis(n, 1, n) for n in input_shape[:-1])

    def mirror(self, input_shape: Shape) -> Layer:
        return Reshape(input_shape)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        return ctx.reshape(dy, cache)


@register("reshape")
class Reshape(Layer):
    """Samples of another shape with the same numbers in the same order.

    `Flatten` undone, where a decoder turns rows into pictures.

    Parameters
    ----------
    shape : tuple of int, default=(1,)
        Shape of one sample, such as (height, width, channels); each at least 1.

    Raises
    ------
    ValueError
        When a network is built, if the shape does not have as many numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Reshape
    >>> from skdl.networks import Network
    >>> network = Network([Reshape((2, 3, 1))], (6,))
    >>> network.predict(np.arange(6.0)[None])[0, ..., 0]
    array([[0., 1., 2.],
           [3., 4., 5.]])
    """

    def __init__(self, shape: Sequence[int] = (1,)) -> None:
        self.shape = shape

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        given: Any = self.shape
        if (
            not isinstance(given, Sequence)
            or not given
            or not all(isinstance(n, Integral) and int(n) >= 1 for n in given)
        ):
            raise ValueError(
                f"shape must be a tuple of integers of at least 1, got {given!r}."
            )
        shape = tuple(int(n) for n in given)
        if math.prod(shape) != math.prod(input_shape):
            raise ValueError(
                f"samples of shape {input_shape} have {math.prod(input_shape)} numbers,"
                f" those of shape {shape} have {math.prod(shape)}."
            )
        return shape, {}

    def mirror(self, input_shape: Shape) -> Layer:
        return Reshape(input_shape)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        return x.reshape(len(x), *self.shape), x.shape if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        return dy.reshape(cache)


@register("rescale")
class Rescale(Layer):
    """Numbers of any type to small real ones, batch by batch: y = scale·x + offset.

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

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Rescale
    >>> from skdl.networks import Network
    >>> x = np.array([[0, 51, 255]], np.uint8)
    >>> Network([Rescale()], (3,)).predict(x)
    array([[0. , 0.2, 1. ]])
    >>> Network([Rescale(2 / 255, -1.0)], (3,)).predict(x).round(6)
    array([[-1. , -0.6,  1. ]])
    """

    accepts_integers = True
    _parameter_constraints: dict[str, Any] = {"scale": NUMBER, "offset": NUMBER}

    def __init__(self, scale: float = 1 / 255, offset: float = 0.0) -> None:
        self.scale = scale
        self.offset = offset

    def mirror(self, input_shape: Shape) -> Layer:
        if not self.scale:
            raise ValueError("a scale of 0 cannot be undone.")
        return Rescale(1.0 / self.scale, -self.offset / self.scale)

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
