"""Pooling over the steps of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._compat import StrOptions
from skdl._typing import Array, Shape, Tree
from skdl.layers._context import Context
from skdl.layers._layer import Layer, register
from skdl.ops import steps as op
from skdl.ops.window import Axis


@register("pool_steps")
class PoolSteps(Layer):
    """The mean, or the largest number, of each feature over a sequence's steps.

    Padding behind a sequence (see `Context.lengths`) does not count. A sequence of any
    length becomes one row.

    Parameters
    ----------
    kind : {"mean", "max"}, default="mean"
        What is taken. With "max" the gradient goes to the largest number alone, the
        first of several.

    Raises
    ------
    ValueError
        When a network is built, if the setting is another or samples are no sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import PoolSteps
    >>> from skdl.networks import Network
    >>> x = np.array([[[1.0, 9.0], [3.0, 0.0]]])  # two steps of two features
    >>> Network([PoolSteps()], (2, 2)).predict(x)
    array([[2. , 4.5]])
    >>> Network([PoolSteps("max")], (2, 2)).predict(x)
    array([[3., 9.]])
    """

    _parameter_constraints: dict[str, Any] = {"kind": [StrOptions({"mean", "max"})]}

    def __init__(self, kind: str = "mean") -> None:
        self.kind = kind

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        if len(input_shape) != 2:
            raise ValueError(
                "pooling over steps takes sequences (steps, features), got samples of "
                f"shape {input_shape}."
            )
        return input_shape[1:], {}

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        return (Axis(input_shape[0], 1, input_shape[0]),)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        n, n_steps, k = x.shape
        own = op.own_steps(ctx.lengths, n, n_steps)
        if self.kind == "max":
            which = ctx.empty((n, k), np.intp)
            y = op.largest_of_steps(x, own, ctx.empty(x.shape), which)
            return y, (which, x.shape) if ctx.train else None
        share = ctx.empty(own.shape)
        lengths = n_steps if ctx.lengths is None else ctx.lengths[:, None]
        np.divide(own, lengths, out=share, casting="unsafe")
        y = op.mean_of_steps(x, share, ctx.empty((n, k)))
        return y, (share, x.shape) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        kept, shape = cache
        out = ctx.empty(shape)
        if self.kind == "max":
            return op.largest_of_steps_backward(dy, kept, out)
        return op.mean_of_steps_backward(dy, kept, out)
