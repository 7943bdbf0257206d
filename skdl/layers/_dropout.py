"""Dropout."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from skdl._settings import SHARE
from skdl._typing import Array, Tree
from skdl.layers._arena import AnyShape
from skdl.layers._context import Context
from skdl.layers._layer import Layer, register


@register("dropout")
class Dropout(Layer):
    """Each input is dropped with a probability while training (Srivastava et al. 2014).

    What is kept is divided by the probability of keeping it (inverted dropout), so that
    prediction needs no scaling.

    Parameters
    ----------
    rate : float, default=0.5
        Probability of dropping an input, in [0, 1). More keeps a network from
        learning rows by heart, and makes it learn more slowly.

    Raises
    ------
    ValueError
        When a network is built, if `rate` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Context, Dropout
    >>> x, layer = np.ones((100, 100)), Dropout(rate=0.2)
    >>> y, _ = layer.forward({}, x, Context(True, np.random.default_rng(0)))
    >>> np.unique(y), bool(0.15 < (y == 0).mean() < 0.25)
    (array([0.  , 1.25]), True)
    >>> layer.forward({}, x, Context(train=False))[0] is x
    True
    """

    calls_kernels = True  # none
    _parameter_constraints: dict[str, Any] = {
        "rate": SHARE,
    }

    def __init__(self, rate: float = 0.5) -> None:
        self.rate = rate

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        if not ctx.train or self.rate == 0:
            return x, None
        mask = keep_mask(x.shape, self.rate, ctx)
        return np.multiply(x, mask, out=ctx.empty(x.shape)), mask

    def predicting(self) -> Layer:
        layer = copy.copy(self)
        layer.rate = 0.0
        return layer

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        return dy if cache is None else np.multiply(dy, cache, out=ctx.empty(dy.shape))


def keep_mask(shape: AnyShape, rate: float, ctx: Context) -> Array:
    """Return a random mask of 0 (with probability `rate`) and 1/(1−rate).

    Parameters
    ----------
    shape : tuple of int
        Shape.
    rate : float
        Probability of 0.
    ctx : Context
        Randomness and memory.

    Returns
    -------
    mask : ndarray of the given shape
        The mask.
    """
    mask = ctx.uniform(shape)
    np.greater_equal(mask, rate, out=mask, casting="unsafe")
    mask *= 1.0 / (1.0 - rate)
    return mask


@register("spatial_dropout")
class SpatialDropout(Dropout):
    """Whole channels are dropped while training (Tompson et al. 2015).

    Neighbouring pixels of a channel tell the same; dropping single ones hides little.
    Of sequences the same features are dropped in all steps: the variational dropout of
    recurrent networks (Gal & Ghahramani 2016), between their layers.

    Parameters
    ----------
    rate : float, default=0.5
        Probability of dropping a channel, in [0, 1), see `Dropout`.

    Raises
    ------
    ValueError
        When a network is built, if `rate` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Context, SpatialDropout
    >>> x = np.ones((100, 4, 4, 10))  # pictures
    >>> layer = SpatialDropout(rate=0.5)
    >>> y, _ = layer.forward({}, x, Context(True, np.random.default_rng(0)))
    >>> np.unique(y), np.unique(y.mean(axis=(1, 2)))  # whole channels are gone
    (array([0., 2.]), array([0., 2.]))
    """

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        if not ctx.train or self.rate == 0:
            return x, None
        shape = (len(x), *(1,) * (x.ndim - 2), x.shape[-1])
        mask = keep_mask(shape, self.rate, ctx)
        return np.multiply(x, mask, out=ctx.empty(x.shape)), mask
