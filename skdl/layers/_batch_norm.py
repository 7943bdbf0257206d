"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._settings import FACTOR, POSITIVE
from skdl._typing import Array, Shape, Tree
from skdl.layers._context import Context
from skdl.layers._layer import Layer, ParamSpec, register
from skdl.ops.activation import relu_backward
from skdl.ops.channel_norm import (
    channel_norm,
    channel_norm_backward,
    channel_scale,
)


@register("batch_norm")
class BatchNorm(Layer):
    """Each feature with mean 0 and variance 1 over the batch (Ioffe & Szegedy 2015).

    y = γ(x − μ)/√(σ² + ε) + β.

    Of inputs with more axes the features are those of the last one (the channels of
    pictures): μ and σ² are taken over all others.

    While training μ and σ² are those of the batch; for prediction they are moving
    averages, μ ← α·mean + (1−α)μ and σ² likewise (of the unbiased variance, as PyTorch
    has it; Keras takes the biased one). Sample weights do not enter the statistics, nor
    does what sequences are padded with. A frozen layer takes the moving averages in
    training too, and leaves them as they are. The averages begin at 0 and 1: after n
    batches (1 − α)ⁿ of that is left, so after fewer than some 3/α batches (30)
    predictions are poor, however small the loss is.

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

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import BatchNorm, Context
    >>> from skdl.networks import Network
    >>> network = Network([BatchNorm(momentum=0.5)], (1,))
    >>> network.initialize(np.random.default_rng(0))
    >>> x = np.array([[3.0], [5.0]])
    >>> tree = network.tree(network.params)
    >>> network.forward(tree, x, Context(train=True))[0].round(2).ravel()
    array([-1.,  1.])
    >>> network.state["0.running_mean"]  # half of the batch's mean, 4
    array([2.])
    """

    fuses_floor = True
    unfuses_floor = True
    fuses_sum = True
    takes_moments = True
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
        moments = ctx.moments
        if not ctx.train or self._frozen:
            return self._rescaled(params, x, ctx)
        own, other = own_steps(x, ctx.lengths), ctx.other
        if own is not None:  # the statistics are those of the steps that there are
            padded = ctx.empty(x.shape)
            x, other = x[own], None if other is None else other[own]
            moments = None
        c, out = x.shape[-1], ctx.empty(x.shape)
        mean, variance, inv_std = (ctx.empty((c,)) for _ in range(3))
        gamma, beta = params["gamma"], params["beta"]
        channel_norm(
            x,
            gamma,
            beta,
            self.epsilon,
            out,
            mean,
            variance,
            inv_std,
            other,
            ctx.floor,
            moments,
        )
        kept = params["running_mean"], params["running_variance"]
        kept[0][...] += self.momentum * (mean - kept[0])
        n = x.size // c
        unbiased = variance * (n / max(1, n - 1))
        kept[1][...] += self.momentum * (unbiased - kept[1])
        # NumPy's backward pass reads the output, compiled code whether there is one.
        cache = x, mean, inv_std, _above(out, ctx), own
        return (out if own is None else _spread(out, own, padded)), cache

    def affine(self, params: Tree) -> tuple[Array, Array]:
        """Return what a prediction multiplies by and what it adds.

        Parameters
        ----------
        params : mapping
            The layer's arrays.

        Returns
        -------
        scale, shift : ndarray of shape (c,)
            γ/√(σ² + ε) and β − μγ/√(σ² + ε), of the moving averages.
        """
        scale = params["gamma"] / np.sqrt(params["running_variance"] + self.epsilon)
        return scale, params["beta"] - params["running_mean"] * scale

    def _rescaled(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        """Normalise by the moving averages."""
        scale, shift = self.affine(params)
        out = channel_scale(x, scale, shift, ctx.empty(x.shape), ctx.other, ctx.floor)
        return out, (x, scale, _above(out, ctx)) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        dx = ctx.empty(dy.shape)
        if self._frozen:
            _, scale, y = cache
            if y is not None:
                dy = relu_backward(dy, y, ctx.empty(dy.shape), ctx.empty(dy.shape))
            return np.multiply(dy, scale, out=dx)
        x, mean, inv_std, y, own = cache
        of_steps = dx
        if own is not None:
            dy, of_steps = dy[own], ctx.empty(x.shape)
        channel_norm_backward(
            x,
            dy,
            params["gamma"],
            params["beta"],
            mean,
            inv_std,
            grads["gamma"],
            grads["beta"],
            of_steps,
            y,
            empty=ctx.empty,
        )
        return dx if own is None else _spread(of_steps, own, dx)


def own_steps(x: Array, lengths: Array | None) -> Array | None:
    """Return which steps of padded sequences are their own.

    Parameters
    ----------
    x : ndarray of shape (n, n_steps, ...)
        Sequences; what has no axis of steps has no padding.
    lengths : ndarray of int of shape (n,) or None
        Steps of each.

    Returns
    -------
    own : ndarray of bool of shape (n, n_steps) or None
        None where all are.
    """
    if lengths is None or x.ndim < 3 or (lengths == x.shape[1]).all():
        return None
    return np.arange(x.shape[1]) < np.asarray(lengths)[:, None]


def _spread(steps: Array, own: Array, out: Array) -> Array:
    """Put steps in their places among padding of zeros."""
    out[...] = 0
    out[own] = steps
    return out


def _above(y: Array, ctx: Context) -> Array | None:
    """Return the output if the ReLU behind is undone here, where y ≤ 0."""
    return y if ctx.floor == 0 and ctx.other is None else None


class _FixedNorm(BatchNorm):
    """Batch normalisation with its running statistics, whatever the batch is."""

    fuses_floor = True
    unfuses_floor = True
    fuses_sum = True
    takes_moments = False

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        return self._rescaled(params, x, ctx)

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        x, scale, y = cache
        if y is not None:
            dy = relu_backward(dy, y, ctx.empty(dy.shape), ctx.empty(dy.shape))
        axes = tuple(range(dy.ndim - 1))
        xhat = x - params["running_mean"]
        xhat /= np.sqrt(params["running_variance"] + self.epsilon)
        np.sum(dy * xhat, axis=axes, out=grads["gamma"])
        np.sum(dy, axis=axes, out=grads["beta"])
        return np.multiply(dy, scale, out=ctx.empty(dy.shape))
