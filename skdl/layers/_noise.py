"""Noise."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from skdl._settings import NOT_NEGATIVE
from skdl._typing import Array, Tree
from skdl.layers._context import Context
from skdl.layers._layer import Layer, register


@register("gaussian_noise")
class GaussianNoise(Layer):
    """Normal random numbers are added to the input while training.

    As the first layer of an autoencoder it makes a denoising one (Vincent et al. 2010).

    Parameters
    ----------
    std : float, default=0.1
        Standard deviation of the noise, in units of the input; not negative.

    Raises
    ------
    ValueError
        When a network is built, if `std` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Context, GaussianNoise
    >>> x, layer = np.ones((100, 100)), GaussianNoise(std=0.5)
    >>> y, _ = layer.forward({}, x, Context(True, np.random.default_rng(0)))
    >>> print(f"mean {y.mean():.1f}, standard deviation {y.std():.1f}")
    mean 1.0, standard deviation 0.5
    >>> layer.forward({}, x, Context(train=False))[0] is x
    True
    """

    _parameter_constraints: dict[str, Any] = {"std": NOT_NEGATIVE}

    def __init__(self, std: float = 0.1) -> None:
        self.std = std

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        if not ctx.train or self.std == 0:
            return x, None
        noisy = ctx.normal(x.shape)
        noisy *= self.std
        return np.add(noisy, x, out=noisy), None

    def predicting(self) -> Layer:
        layer = copy.copy(self)
        layer.std = 0.0
        return layer

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        return dy
