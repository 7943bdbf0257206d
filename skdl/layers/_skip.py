"""Layers of encoder–decoders: what goes past the layers inside, or around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdl._typing import Array, Shape, Tree
from skdl.layers._branches import Chain
from skdl.layers._chain import (
    backward_chain,
    build_chain,
    forward_chain,
    inside_chain,
)
from skdl.layers._context import Context
from skdl.layers._layer import (
    Inside,
    Layer,
    register,
)
from skdl.layers._pool import MaxPool2D
from skdl.ops.pool import ENTRY, max_pool, max_pool_backward, take_maxima
from skdl.ops.window import Axis, Padding, Spread


@register("skip_concatenate")
class SkipConcatenate(Chain):
    """Layers whose result is joined to their input.

    y = (x, F(x)) along the last axis, F any chain of layers.

    The skip connection of a U-Net (Ronneberger et al. 2015): F shrinks the picture,
    works on it and enlarges it again, and what follows also sees the fine detail of x.
    In F there can be another one: ``SkipConcatenate([MaxPool2D(), …, SkipConcatenate(
    […]), …, Upsample2D()])``.

    Parameters
    ----------
    layers : sequence of Layer or str, default=()
        The chain F; none is the identity.

    Raises
    ------
    ValueError
        When a network is built, if they do not fit, or lead to pictures of another
        size.
    TypeError
        When a network is built, if it is not a sequence of layers.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Conv2D, MaxPool2D, SkipConcatenate, Upsample2D
    >>> from skdl.networks import Network
    >>> inner = [MaxPool2D(2), Conv2D(8, padding="same"), "relu", Upsample2D(2)]
    >>> Network([SkipConcatenate(inner)], (8, 8, 3)).output_shape  # 3 + 8 channels
    (8, 8, 11)
    >>> x = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    >>> network = Network([SkipConcatenate([MaxPool2D(2), Upsample2D(2)])], (2, 2, 1))
    >>> network.predict(x)[0, ..., 0], network.predict(x)[0, ..., 1]
    (array([[1., 2.],
           [3., 4.]]), array([[4., 4.],
           [4., 4.]]))
    """

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        shape, specs = super().build(input_shape)
        if shape[:-1] != input_shape[:-1]:
            raise ValueError(
                f"the layers turn samples of {input_shape} into {shape}, which cannot "
                "be joined with them along the last axis. Where they halve and double "
                "pictures, the sides must be even at each halving; or enlarge with "
                "ConvTranspose2D(output_size=…)."
            )
        return (*shape[:-1], input_shape[-1] + shape[-1]), specs

    def windows(self, input_shape: Shape) -> tuple[Axis | Spread, ...] | None:
        return Layer.windows(self, input_shape)

    def mirror(self, input_shape: Shape) -> Layer | None:
        return Layer.mirror(self, input_shape)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        y, caches = forward_chain(self.chain, params, x, ctx)
        width = x.shape[-1]
        out = ctx.empty((*x.shape[:-1], width + y.shape[-1]))
        out[..., :width] = x
        out[..., width:] = y
        return out, (caches, width) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        caches, width = cache
        part = ctx.empty((*dy.shape[:-1], dy.shape[-1] - width))
        part[...] = dy[..., width:]
        dx = backward_chain(self.chain, params, grads, caches, part, ctx)
        if not ctx.want_dx:
            return None
        return np.add(dx, dy[..., :width], out=ctx.empty(dx.shape))


class Unpool(Layer):
    """The end of a `PoolUnpool`, as `skdl.networks.describe` shows it."""

    def __init__(self, pool: MaxPool2D, shape: Shape) -> None:
        self.pool = pool
        self.shape = shape

    def __repr__(self) -> str:
        return "Unpool"

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        return self.shape, {}

    def windows(self, input_shape: Shape) -> tuple[Spread, ...]:
        return tuple(map(Spread, self.pool.windows(self.shape)))


@register("pool_unpool")
class PoolUnpool(Chain):
    """Maximum pooling, layers, and the pooling undone at the positions of its maxima.

    Each number that comes out of the layers inside goes to the pixel where the pooling
    found the maximum of its window and channel; all others are 0 (Zeiler & Fergus 2014;
    Badrinarayanan et al. 2017, SegNet). The picture has its old size again, whatever
    that is. Where windows overlap and share a maximum, its pixel gets their sum.

    Parameters
    ----------
    layers : sequence of Layer or str, default=()
        The layers inside. They must keep the size of the pooled pictures and their
        channels, as positions are known for these alone; none is the identity.
    pool_size : int or pair of int, default=2
        Height and width of a window.
    stride : int or pair of int, default=None
        Distance of windows; None takes their size.
    padding : {"valid", "same"}, int, pair of int or pair of pairs, default="valid"
        Pixels around the picture that count as −∞, as in `Conv2D`.
    ceil : bool, default=False
        Whether a last window that lies only partly on the picture counts.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range, no window fits, or the
        layers change the shape of the pooled pictures.
    TypeError
        When a network is built, if `layers` is not a sequence of layers.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import PoolUnpool
    >>> from skdl.networks import Network
    >>> x = np.array([[1, 2, 0, 3], [5, 4, 7, 6]], float).reshape(1, 2, 4, 1)
    >>> Network([PoolUnpool()], (2, 4, 1)).predict(x)[0, ..., 0]  # maxima stay in place
    array([[0., 0., 0., 0.],
           [5., 0., 7., 0.]])
    """

    _parameter_constraints: dict[str, Any] = {"ceil": ["boolean"]}

    def __init__(
        self,
        layers: Sequence[Layer | str] = (),
        pool_size: Any = 2,
        stride: Any = None,
        padding: Padding = "valid",
        ceil: bool = False,
    ) -> None:
        super().__init__(layers)
        self.pool_size = pool_size
        self.stride = stride
        self.padding = padding
        self.ceil = ceil

    @property
    def pool(self) -> MaxPool2D:
        """The pooling alone."""
        return MaxPool2D(self.pool_size, self.stride, self.padding, self.ceil)

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        pooled = self.pool.build(input_shape)[0]
        shapes, specs = build_chain(self.chain, pooled)
        if shapes[-1] != pooled:
            raise ValueError(
                f"the layers inside turn pooled pictures of {pooled} into {shapes[-1]};"
                " they must keep size and channels, as the positions of the maxima are "
                "known for these alone."
            )
        return input_shape, specs

    def inside(self, input_shape: Shape) -> list[list[Inside]]:
        pool = self.pool
        pooled = pool.build(input_shape)[0]
        begin = Inside("pool", pool, input_shape)
        end = Inside("unpool", Unpool(pool, input_shape), pooled)
        return [[begin, *inside_chain(self.chain, pooled), end]]

    def mirror(self, input_shape: Shape) -> Layer | None:
        return Layer.mirror(self, input_shape)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        pool = self.pool.geometry(x.shape[1:])
        pooled = ctx.empty((len(x), *pool.output_shape))
        which = ctx.empty(pooled.shape, ENTRY)
        max_pool(pool, x, pooled, which)
        y, caches = forward_chain(self.chain, params, pooled, ctx)
        out = max_pool_backward(pool, which, y, ctx.empty(x.shape))
        return out, (which, x.shape, caches) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        which, shape, caches = cache
        pool = self.pool.geometry(shape[1:])
        inner = take_maxima(pool, which, dy, ctx.empty(which.shape))
        inner = backward_chain(self.chain, params, grads, caches, inner, ctx)
        if not ctx.want_dx:
            return None
        return max_pool_backward(pool, which, inner, ctx.empty(shape))
