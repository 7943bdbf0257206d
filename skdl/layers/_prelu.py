"""An activation that learns."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl import initializers
from skdl._typing import Array, Shape, Tree
from skdl.initializers import Initializer
from skdl.layers._context import Context
from skdl.layers._layer import Layer, ParamSpec, register


@register("prelu")
class PReLU(Layer):
    """ReLU with a learned slope below 0 for each channel (He et al. 2015).

    y = x where x > 0, else a·x.

    Parameters
    ----------
    initializer : str or Initializer, default=None
        Start of a, of shape (channels,); None is the constant 0.25 of the paper.

    Raises
    ------
    ValueError
        When a network is built, if the initializer is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import PReLU
    >>> from skdl.networks import Network
    >>> network = Network([PReLU()], (2,))
    >>> network.initialize(np.random.default_rng(0))
    >>> network.predict(np.array([[-4.0, 4.0]]))
    array([[-1.,  4.]])
    >>> network.params.shapes  # a slope for each channel, which learns
    {'0.a': (2,)}
    """

    suggested_initializer = "he_normal"
    _registries = {"initializer": initializers.registry}
    _parameter_constraints: dict[str, Any] = {"initializer": [None]}

    def __init__(self, initializer: str | Initializer | None = None) -> None:
        self.initializer = initializer

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        start = self.initializer or initializers.Constant(0.25)
        return input_shape, {"a": ParamSpec(input_shape[-1:], start)}

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        y = np.minimum(x, 0, out=ctx.empty(x.shape))
        y *= params["a"]
        positive = np.maximum(x, 0, out=ctx.empty(x.shape))
        y += positive
        return y, x if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        x = cache
        work = np.minimum(x, 0, out=ctx.empty(x.shape))
        work *= dy
        np.sum(work.reshape(-1, x.shape[-1]), axis=0, out=grads["a"])
        if not ctx.want_dx:
            return None
        slope = np.where(x > 0, x.dtype.type(1), params["a"])
        return np.multiply(dy, slope, out=ctx.empty(x.shape))
