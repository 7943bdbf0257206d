"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._settings import FACTOR, POSITIVE
from skdl.layers._context import Context
from skdl.layers._layer import Array, Layer, ParamSpec, Shape, Tree, register
from skdl.ops.norm import batch_norm, batch_norm_backward


@register("batch_norm")
class BatchNorm(Layer):
    """y = γ(x − μ)/√(σ² + ε) + β, feature by feature (Ioffe & Szegedy 2015).

    While training μ and σ² are those of the batch; for prediction they are moving
    averages, μ ← α·mean + (1−α)μ and σ² likewise (of the unbiased variance, as PyTorch
    has it; Keras takes the biased one). Sample weights do not enter the statistics.

    Parameters
    ----------
    momentum : float, default=0.1
        α, the weight of the newest batch in the moving averages, in (0, 1].
    epsilon : float, default=1e-5
        Added to the variance; positive.

    Raises
    ------
    ValueError
        When a network is built, if a parameter is out of range.
    """

    _parameter_constraints: dict[str, Any] = {
        "momentum": FACTOR,
        "epsilon": POSITIVE,
    }

    def __init__(self, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        if len(input_shape) != 1:
            raise ValueError(
                f"batch normalisation takes flat samples (n_features,), "
                f"got {input_shape}."
            )
        return input_shape, {
            "gamma": ParamSpec(input_shape, "ones"),
            "beta": ParamSpec(input_shape, "zeros"),
            "running_mean": ParamSpec(input_shape, "zeros", trainable=False),
            "running_variance": ParamSpec(input_shape, "ones", trainable=False),
        }

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        gamma, beta = params["gamma"], params["beta"]
        running_mean, running_variance = (
            params["running_mean"],
            params["running_variance"],
        )
        out = ctx.empty(x.shape)
        if not ctx.train:
            scale = gamma / np.sqrt(running_variance + self.epsilon)
            np.multiply(x, scale, out=out)
            out += beta - running_mean * scale
            return out, None
        n, d = x.shape
        xhat, mean, variance, inv_std = (
            ctx.empty(x.shape),
            ctx.empty((d,)),
            ctx.empty((d,)),
            ctx.empty((d,)),
        )
        batch_norm(x, gamma, beta, self.epsilon, xhat, out, mean, variance, inv_std)
        running_mean += self.momentum * (mean - running_mean)
        unbiased = variance * (n / max(1, n - 1))
        running_variance += self.momentum * (unbiased - running_variance)
        return out, (xhat, inv_std)

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        xhat, inv_std = cache
        return batch_norm_backward(
            dy,
            xhat,
            inv_std,
            params["gamma"],
            grads["gamma"],
            grads["beta"],
            ctx.empty(dy.shape),
        )
