"""A skip connection around layers."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, Self, cast

from skdl._typing import Array, Shape, Tree
from skdl.layers._chain import (
    backward_chain,
    build_chain,
    forward_chain,
    inside_chain,
    replays,
    resolve_chain,
)
from skdl.layers._context import NO_FLOOR, Context
from skdl.layers._layer import Inside, Layer, ParamSpec, register, registry
from skdl.layers._links import LayerList
from skdl.ops.activation import relu_backward
from skdl.ops.channel_norm import add
from skdl.ops.linear import (
    linear,
    linear_backward_input,
    linear_backward_weights,
)
from skdl.ops.window import Axis, Spread


@register("residual")
class Residual(Layer):
    """Layers whose result is added to their input (He et al. 2016).

    y = x + F(x), F any chain of layers.

    Parameters
    ----------
    layers : sequence of Layer or str, default=()
        The chain F; empty, F is the identity.
    shortcut : sequence of Layer or str, default=None
        A chain that x goes through before it is added. None leaves x as it is, and
        where F changes the number of features takes a learned linear map of them
        without bias: y = xP + F(x). Where F changes the size of pictures it must be
        given, such as ``[Conv2D(64, 1, stride=2, bias=False), BatchNorm()]``.

    Raises
    ------
    ValueError
        When a network is built, if the chains do not fit.
    TypeError
        When a network is built, if one is not a sequence of layers.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Dense, Residual
    >>> from skdl.networks import Network
    >>> network = Network([Residual([Dense(2, initializer="zeros")])], (2,))
    >>> network.initialize(np.random.default_rng(0))
    >>> network.predict(np.array([[1.0, 2.0]]))  # F(x) = 0: the identity
    array([[1., 2.]])
    >>> Network([Residual([Dense(5)])], (2,)).params.shapes  # other features: xP + F(x)
    {'0.0.W': (2, 5), '0.0.b': (5,), '0.skip.W': (2, 5)}
    """

    fuses_floor = True
    unfuses_floor = True
    calls_kernels = True
    _registries = {"layers": registry, "shortcut": registry}

    def __init__(
        self,
        layers: Sequence[Layer | str] = (),
        shortcut: Sequence[Layer | str] | None = None,
    ) -> None:
        self.layers = layers
        self.shortcut = shortcut

    def settled(self) -> Self:
        layer = copy.copy(self)
        layer.layers = resolve_chain(self.layers)
        if self.shortcut is not None:
            layer.shortcut = resolve_chain(self.shortcut)
        return layer

    def with_head(self, head: Callable[[Shape], list[Layer]]) -> Layer:
        layer, layers = copy.copy(self), cast(list[Layer], self.layers)
        layer.layers = LayerList(inner.with_head(head) for inner in layers)
        return layer

    def predicting(self) -> Layer:
        layer, layers = copy.copy(self), cast(list[Layer], self.layers)
        layer.layers = LayerList(inner.predicting() for inner in layers)
        if self.shortcut is not None:
            shortcut = cast(list[Layer], self.shortcut)
            layer.shortcut = LayerList(inner.predicting() for inner in shortcut)
        return layer

    def check_trainable(self) -> None:
        for layer in cast(list[Layer], [*self.layers, *(self.shortcut or ())]):
            layer.check_trainable()

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        shapes, specs = build_chain(cast(list[Layer], self.layers), input_shape)
        output_shape, skip_shape = shapes[-1], input_shape
        if self.shortcut is not None:
            chain = cast(list[Layer], self.shortcut)
            shapes, specs["skip"] = build_chain(chain, input_shape)
            skip_shape = shapes[-1]
        elif output_shape != input_shape and output_shape[:-1] == input_shape[:-1]:
            shape = (input_shape[-1], output_shape[-1])
            spec = ParamSpec(shape, "xavier_uniform", penalised=True)
            specs["skip"], skip_shape = {"W": spec}, output_shape
        if skip_shape != output_shape:
            raise ValueError(
                f"the layers turn {input_shape} into {output_shape}, the shortcut into "
                f"{skip_shape}: they cannot be added. Give a shortcut with layers that "
                "lead to the same shape."
            )
        return output_shape, {key: spec for key, spec in specs.items() if spec}

    def inside(self, input_shape: Shape) -> list[list[Inside]]:
        chains = [inside_chain(cast(list[Layer], self.layers), input_shape)]
        if self.shortcut is not None:
            chain = cast(list[Layer], self.shortcut)
            chains.append(inside_chain(chain, input_shape, "skip."))
        return chains

    def windows(self, input_shape: Shape) -> tuple[Axis | Spread, ...] | None:
        return None if self.shortcut is not None else super().windows(input_shape)

    def multiply_adds(self, input_shape: Shape) -> int:
        skip = self.build(input_shape)[1].get("skip", {}).get("W")
        if skip is None:
            return 0
        return math.prod(input_shape[:-1]) * math.prod(skip.shape)

    def replays(self, input_shape: Shape) -> bool:
        if not super().replays(input_shape):
            return False
        chains = [self.layers, self.shortcut or []]
        if self.shortcut is None and "skip" in self.build(input_shape)[1]:
            return False  # a product of BLAS
        return all(replays(cast(list[Layer], c), input_shape) for c in chains)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        floor, ctx.floor = ctx.floor, NO_FLOOR
        skip, of_skip = x, None
        if self.shortcut is not None:
            chain = cast(list[Layer], self.shortcut)
            skip, of_skip = forward_chain(chain, params.get("skip", {}), x, ctx)
        elif "skip" in params:
            W = params["skip"]["W"]
            shape = (*x.shape[:-1], W.shape[1])
            skip = linear(x, W, None, ctx.empty(shape))
        layers = cast(LayerList, self.layers)
        if layers.fuses_sum:
            y, caches = forward_chain(layers, params, x, ctx, (skip, floor))
        else:
            h, caches = forward_chain(layers, params, x, ctx)
            y = add(h, skip, ctx.empty(h.shape), floor)
        return y, (x, caches, of_skip, y if floor == 0 else None) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        x, caches, of_skip, y = cache
        if y is not None:
            dy = relu_backward(dy, y, ctx.empty(dy.shape), ctx.empty(dy.shape))
        skip = dy  # first, so that the layers' gradient can be added to it by the way
        if self.shortcut is not None:
            chain = cast(list[Layer], self.shortcut)
            arrays, gradients = params.get("skip", {}), grads.get("skip", {})
            skip = backward_chain(chain, arrays, gradients, of_skip, dy, ctx)
        elif "skip" in params:
            linear_backward_weights(dy, x, grads["skip"]["W"])
            if ctx.want_dx:
                W = params["skip"]["W"]
                skip = linear_backward_input(dy, W, ctx.empty(x.shape))
        layers = cast(LayerList, self.layers)
        if ctx.want_dx and layers.fuses_gradients:
            return backward_chain(layers, params, grads, caches, dy, ctx, skip)
        dx = backward_chain(layers, params, grads, caches, dy, ctx)
        if not ctx.want_dx:
            return None
        return add(dx, skip, ctx.empty(x.shape))
