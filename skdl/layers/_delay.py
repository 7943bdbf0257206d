"""What was one step before."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array, Shape, Tree
from skdl.layers._context import Context
from skdl.layers._layer import Layer, register
from skdl.ops.window import Axis


@register("delay")
class Delay(Layer):
    """Each step gets the one before it: y_t = x_{t−1} / scale.

    The first step gets zeros.

    The first layer of a network that predicts each step from those before it.

    Parameters
    ----------
    scale : float or sequence of float of shape (n_features,), default=1.0
        What the features are divided by.

    Raises
    ------
    ValueError
        When a network is built, if samples are no sequences, or of other features.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Delay
    >>> from skdl.networks import Network
    >>> x = np.array([[[2.0], [4.0], [6.0]]])
    >>> Network([Delay(scale=2.0)], (3, 1)).predict(x).ravel()
    array([0., 1., 2.])
    """

    def __init__(self, scale: Any = 1.0) -> None:
        self.scale = scale

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        if len(input_shape) != 2 or np.size(self.scale) not in (1, input_shape[1]):
            raise ValueError(
                f"takes sequences (steps, features), and a scale for all features or "
                f"for each, got samples of shape {input_shape}."
            )
        return input_shape, {}

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        n = input_shape[0]
        return (Axis(n, n, 1, before=1),)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        y = ctx.empty(x.shape)
        y[:, 0] = 0
        np.divide(x[:, :-1], self._scale(y), out=y[:, 1:])
        return y, None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        dx = ctx.empty(dy.shape)
        dx[:, -1] = 0
        np.divide(dy[:, 1:], self._scale(dy), out=dx[:, :-1])
        return dx

    def _scale(self, like: Array) -> Array:
        return np.asarray(self.scale, like.dtype)
