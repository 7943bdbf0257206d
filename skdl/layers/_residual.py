"""A skip connection around layers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdl.layers._context import Context
from skdl.layers._layer import (
    Array,
    Layer,
    ParamSpec,
    Shape,
    Tree,
    backward_chain,
    build_chain,
    forward_chain,
    register,
    registry,
    resolve_chain,
)
from skdl.ops.linear import (
    linear,
    linear_backward_input,
    linear_backward_weights,
)


@register("residual")
class Residual(Layer):
    """y = x + F(x), F any chain of layers (He et al. 2016).

    Where F changes the number of features, the skip is a learned linear map of them
    without bias: y = xP + F(x).

    Parameters
    ----------
    layers : sequence of Layer or str, default=()
        The chain F; empty, F is the identity.

    Raises
    ------
    ValueError
        When a network is built, if the chain does not fit.
    TypeError
        When a network is built, if `layers` is not a sequence of layers.
    """

    _registries = {"layers": registry}

    def __init__(self, layers: Sequence[Layer | str] = ()) -> None:
        self.layers = layers

    def settled(self) -> Self:
        layer = copy.copy(self)
        layer.layers = resolve_chain(self.layers)
        return layer

    def check_trainable(self) -> None:
        for layer in self.layers:
            layer.check_trainable()  # type: ignore[union-attr]

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        layers: Any = self.layers
        shapes, specs = build_chain(layers, input_shape)
        output_shape = shapes[-1]
        if output_shape[:-1] != input_shape[:-1]:
            raise ValueError(
                f"the layers turn {input_shape} into {output_shape}: only the last "
                "number may change, or x cannot be added."
            )
        if output_shape != input_shape:
            shape = (input_shape[-1], output_shape[-1])
            spec = ParamSpec(shape, "xavier_uniform", penalised=True)
            specs["skip"] = {"W": spec}
        return output_shape, specs

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        layers: Any = self.layers
        h, caches = forward_chain(layers, params, x, ctx)
        skip = x
        if "skip" in params:
            skip = linear(x, params["skip"]["W"], None, ctx.empty(h.shape))
        y = np.add(h, skip, out=ctx.empty(h.shape))
        return y, (x, caches) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        layers: Any = self.layers
        x, caches = cache
        dx = backward_chain(layers, params, grads, caches, dy, ctx)
        skip = dy
        if "skip" in params:
            linear_backward_weights(dy, x, grads["skip"]["W"])
            if ctx.want_dx:
                W = params["skip"]["W"]
                skip = linear_backward_input(dy, W, ctx.empty(x.shape))
        if not ctx.want_dx:
            return None
        return np.add(dx, skip, out=ctx.empty(x.shape))
