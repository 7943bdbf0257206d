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

    Of inputs with more axes the features are those of the last one (the channels of
    pictures): μ and σ² are taken over all others.

    While training μ and σ² are those of the batch; for prediction they are moving
    averages, μ ← α·mean + (1−α)μ and σ² likewise (of the unbiased variance, as PyTorch
    has it; Keras takes the biased one). Sample weights do not enter the statistics. A
    frozen layer takes the moving averages in training too, and leaves them as they are.

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
        if not input_shape:
            raise ValueError(
                "batch normalisation takes samples (..., n_features), got ()."
            )
        features = input_shape[-1:]
        return input_shape, {
            "gamma": ParamSpec(features, "ones"),
            "beta": ParamSpec(features, "zeros"),
            "running_mean": ParamSpec(features, "zeros", trainable=False),
            "running_variance": ParamSpec(features, "ones", trainable=False),
        }

    def predicting(self) -> Layer:
        return _FixedNorm(self.momentum, self.epsilon)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        gamma, beta = params["gamma"], params["beta"]
        running_mean, running_variance = (
            params["running_mean"],
            params["running_variance"],
        )
        out = ctx.empty(x.shape)
        if not ctx.train or self._frozen:
            scale = gamma / np.sqrt(running_variance + self.epsilon)
            np.multiply(x, scale, out=out)
            out += beta - running_mean * scale
            return out, scale if ctx.train else None
        d = x.shape[-1]
        n = x.size // d
        xhat, mean, variance, inv_std = (
            ctx.empty((n, d)),
            ctx.empty((d,)),
            ctx.empty((d,)),
            ctx.empty((d,)),
        )
        batch_norm(
            x.reshape(n, d),
            gamma,
            beta,
            self.epsilon,
            xhat,
            out.reshape(n, d),
            mean,
            variance,
            inv_std,
        )
        running_mean += self.momentum * (mean - running_mean)
        unbiased = variance * (n / max(1, n - 1))
        running_variance += self.momentum * (unbiased - running_variance)
        return out, (xhat, inv_std)

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        dx = ctx.empty(dy.shape)
        if self._frozen:  # an affine map that does not change
            return np.multiply(dy, cache, out=dx)
        xhat, inv_std = cache
        batch_norm_backward(
            dy.reshape(xhat.shape),
            xhat,
            inv_std,
            params["gamma"],
            grads["gamma"],
            grads["beta"],
            dx.reshape(xhat.shape),
        )
        return dx


class _FixedNorm(BatchNorm):
    """Batch normalisation with its running statistics, whatever the batch is."""

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        xhat = np.subtract(x, params["running_mean"], out=ctx.empty(x.shape))
        xhat *= 1 / np.sqrt(params["running_variance"] + self.epsilon)
        out = np.multiply(xhat, params["gamma"], out=ctx.empty(x.shape))
        out += params["beta"]
        return out, xhat if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        axes = tuple(range(dy.ndim - 1))
        np.sum(dy * cache, axis=axes, out=grads["gamma"])
        np.sum(dy, axis=axes, out=grads["beta"])
        scale = params["gamma"] / np.sqrt(params["running_variance"] + self.epsilon)
        return np.multiply(dy, scale, out=ctx.empty(dy.shape))
