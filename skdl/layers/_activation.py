"""An activation function as a layer."""

from __future__ import annotations

from typing import Any, Self

from skdl import activations
from skdl._typing import Array, Tree
from skdl.activations import ActivationFunction
from skdl.layers._context import Context
from skdl.layers._layer import Layer, register


@register("activation")
class Activation(Layer):
    """An activation function, element by element.

    y = f(x); softmax acts over the last axis.

    Parameters
    ----------
    function : str or ActivationFunction, default="relu"
        The activation function. In a list of layers its name alone is enough.

    Raises
    ------
    ValueError
        When a network is built, if the name is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.activations import LeakyReLU
    >>> from skdl.layers import Activation
    >>> from skdl.networks import Network
    >>> x = np.array([[-2.0, 3.0]])
    >>> Network(["relu"], (2,)).predict(x)  # the name alone is enough
    array([[0., 3.]])
    >>> Network([Activation(LeakyReLU(0.25))], (2,)).predict(x)
    array([[-0.5,  3. ]])
    """

    _registries = {"function": activations.registry}

    def __init__(self, function: str | ActivationFunction = "relu") -> None:
        self.function = function

    def settled(self) -> Self:
        layer = super().settled()
        layer.function = activations.get(layer.function)
        layer._is_identity = isinstance(layer.function, activations.Identity)
        return layer

    _is_identity = False

    @property
    def _f(self) -> ActivationFunction:
        f = self.function
        return activations.get(f) if isinstance(f, str) else f

    @property
    def floor(self) -> float | None:
        """0 for ReLU: a layer before it that can does its work too."""
        return activations.get(self.function).floor

    @property
    def suggested_initializer(self) -> str:
        """Name of the initializer that suits the function."""
        return activations.get(self.function).initializer

    def check_trainable(self) -> None:
        function = activations.get(self.function)
        if not function.differentiable:
            raise ValueError(
                f"The activation {function!r} has no useful derivative and cannot be "
                'trained; use "sigmoid" or "tanh" while training.'
            )

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        if self._is_identity:
            return x, None
        f = self._f
        y = f.forward(x, ctx.empty(x.shape), ctx.empty(x.shape))
        if not ctx.train:
            return y, None
        return y, y if f.derivative_from == "output" else x

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        if self._is_identity:
            return dy
        f = self._f
        return f.backward(dy, cache, ctx.empty(dy.shape), ctx.empty(dy.shape))
