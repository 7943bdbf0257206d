"""Fully connected layers."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

from skdl import initializers
from skdl._settings import COUNT, SHARE
from skdl._typing import Array, Shape, Tree
from skdl.initializers import Initializer
from skdl.layers._context import Context
from skdl.layers._dropout import keep_mask
from skdl.layers._layer import Layer, ParamSpec, register
from skdl.ops.linear import (
    linear,
    linear_backward_input,
    linear_backward_weights,
)


@register("dense")
class Dense(Layer):
    """An affine map of each row: Z = XW + b.

    Of inputs with more axes each vector along the last one is a row: a layer on the
    channels of every pixel, or on every step.

    ∂L/∂W = Xᵀ ∂L/∂Z; ∂L/∂b = column sums of ∂L/∂Z; ∂L/∂X = ∂L/∂Z Wᵀ.

    Parameters
    ----------
    units : int, default=100
        Number of outputs; at least 1.
    bias : bool, default=True
        Whether to add b.
    initializer : str or Initializer, default="auto"
        Start of W. "auto" is what suits the activation that follows.
    bias_initializer : str or Initializer, default="zeros"
        Start of b.

    Raises
    ------
    ValueError
        When a network is built, if `units` is not a positive integer.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Dense
    >>> from skdl.networks import Network
    >>> network = Network([Dense(2, initializer="ones", bias_initializer="ones")], (3,))
    >>> network.initialize(np.random.default_rng(0))
    >>> network.predict(np.array([[1.0, 2.0, 3.0]]))
    array([[7., 7.]])
    >>> Network([Dense(10)], (28, 28, 3)).output_shape  # on the channels of every pixel
    (28, 28, 10)
    """

    accepts_sparse = True
    is_affine = True
    fuses_floor = True
    calls_kernels = True
    _registries = {
        "initializer": initializers.registry,
        "bias_initializer": initializers.registry,
    }

    _parameter_constraints: dict[str, Any] = {
        "units": COUNT,
        "bias": ["boolean"],
    }

    def __init__(
        self,
        units: int = 100,
        bias: bool = True,
        initializer: str | Initializer = "auto",
        bias_initializer: str | Initializer = "zeros",
    ) -> None:
        self.units = units
        self.bias = bias
        self.initializer = initializer
        self.bias_initializer = bias_initializer

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        if not input_shape:
            raise ValueError("a dense layer takes samples (..., n_features), got ().")
        shape = (input_shape[-1], self.units)
        specs = {"W": ParamSpec(shape, self.initializer, penalised=True)}
        if self.bias:
            specs["b"] = ParamSpec((self.units,), self.bias_initializer)
        return (*input_shape[:-1], self.units), specs

    def mirror(self, input_shape: Shape) -> Layer:
        units = input_shape[-1]
        return Dense(units, self.bias, self.initializer, self.bias_initializer)

    def multiply_adds(self, input_shape: Shape) -> int:
        return math.prod(input_shape) * self.units

    def replays(self, input_shape: Shape) -> bool:
        return len(input_shape) == 1 and super().replays(input_shape)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        return self._of(x, params["W"], params, ctx), x if ctx.train else None

    @staticmethod
    def _of(x: Any, W: Array, params: Tree, ctx: Context) -> Any:
        out = ctx.empty((*x.shape[:-1], W.shape[1]))
        return linear(x, W, params.get("b"), out, ctx.floor, ctx.single)

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        linear_backward_weights(dy, cache, grads["W"], grads.get("b"))
        if not ctx.want_dx:
            return None
        return linear_backward_input(dy, params["W"], ctx.empty(cache.shape))


@register("dropconnect")
class DropConnect(Dense):
    """A dense layer that drops weights while training: Z = X(W∘M)/(1−rate) + b.

    Each entry of the mask M is 1 with probability 1 − rate. One mask serves the whole
    batch (Wan et al. 2013 draw one for each sample). Predictions use W as it is, the
    mean of the masked weights, where the paper samples from a fitted normal.

    Parameters
    ----------
    units : int, default=100
        Number of outputs; at least 1.
    rate : float, default=0.5
        Share of weights that is dropped, in [0, 1).
    bias : bool, default=True
        Whether to add b, which is never dropped.
    initializer : str or Initializer, default="auto"
        Start of W. "auto" is what suits the activation that follows.
    bias_initializer : str or Initializer, default="zeros"
        Start of b.

    Raises
    ------
    ValueError
        When a network is built, if `units` or `rate` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Context, DropConnect
    >>> params = {"W": np.ones((100, 100)), "b": np.zeros(100)}
    >>> x, layer = np.eye(100), DropConnect(100, rate=0.2)
    >>> z, _ = layer.forward(params, x, Context(True, np.random.default_rng(0)))
    >>> np.unique(z), bool(0.15 < (z == 0).mean() < 0.25)
    (array([0.  , 1.25]), True)
    >>> z, _ = layer.forward(params, x, Context(train=False))
    >>> np.unique(z)  # all weights, as they are
    array([1.])
    """

    fuses_floor = True
    _parameter_constraints: dict[str, Any] = {
        **Dense._parameter_constraints,
        "rate": SHARE,
    }

    def __init__(
        self,
        units: int = 100,
        rate: float = 0.5,
        bias: bool = True,
        initializer: str | Initializer = "auto",
        bias_initializer: str | Initializer = "zeros",
    ) -> None:
        super().__init__(units, bias, initializer, bias_initializer)
        self.rate = rate

    def predicting(self) -> Layer:
        layer = copy.copy(self)
        layer.rate = 0.0
        return layer

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        if not ctx.train or self.rate == 0:
            z, cache = super().forward(params, x, ctx)
            return z, (cache, None, params["W"]) if ctx.train else None
        W = params["W"]
        mask = keep_mask(W.shape, self.rate, ctx)
        masked = np.multiply(W, mask, out=ctx.empty(W.shape))
        return self._of(x, masked, params, ctx), (x, mask, masked)

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        x, mask, masked = cache
        linear_backward_weights(dy, x, grads["W"], grads.get("b"))
        if mask is not None:
            grads["W"][...] *= mask
        if not ctx.want_dx:
            return None
        return linear_backward_input(dy, masked, ctx.empty(x.shape))
