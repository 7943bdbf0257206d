"""Pooling of pictures."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from skdl._typing import Array, Shape, Tree
from skdl.layers._branches import Chain
from skdl.layers._context import Context
from skdl.layers._image import image_shape, looked_up, too_small
from skdl.layers._layer import Layer, register
from skdl.layers._shape import Reshape
from skdl.layers._upsample import Upsample2D
from skdl.ops.geometry import Conv
from skdl.ops.pool import (
    ENTRY,
    average_pool,
    average_pool_backward,
    global_average,
    global_average_backward,
    make_pool,
    max_pool,
    max_pool_backward,
)
from skdl.ops.window import Axis, Padding

geometry = lru_cache(maxsize=512)(make_pool)


class _Pool2D(Layer):
    """What both kinds of pooling share: where the windows lie."""

    _parameter_constraints: dict[str, Any] = {"ceil": ["boolean"]}

    pool_size: Any
    stride: Any
    padding: Padding
    ceil: bool

    def geometry(self, input_shape: Shape) -> Conv:
        """Return where the windows lie.

        Parameters
        ----------
        input_shape : tuple of (int, int, int)
            Height, width and channels of a picture.

        Returns
        -------
        pool : Conv
            The geometry.
        """
        h, w, c = input_shape
        size, stride, padding = self.pool_size, self.stride, self.padding
        return looked_up(geometry, (h, w, c), size, stride, padding, 1, self.ceil)

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        shape = image_shape(input_shape, "pooling")
        with too_small(shape):
            return self.geometry(shape).output_shape, {}

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        return self.geometry(input_shape).axes

    def mirror(self, input_shape: Shape) -> Layer:
        axes = self.geometry(input_shape).axes
        if any(axis.out * axis.stride != axis.n for axis in axes):
            sizes = "×".join(str(axis.n) for axis in axes)
            pooled = "×".join(str(axis.out) for axis in axes)
            raise ValueError(
                f"it turns {sizes} pixels into {pooled}, which no whole factor undoes."
            )
        return Upsample2D(tuple(axis.stride for axis in axes))


@register("max_pool2d")
class MaxPool2D(_Pool2D):
    """The largest number of each window, channel by channel.

    The gradient goes to the largest number alone, the first of several. Behind a ReLU
    the gradient of both is taken in one pass.

    Parameters
    ----------
    pool_size : int or pair of int, default=2
        Height and width of a window.
    stride : int or pair of int, default=None
        Distance of windows, by which height and width are divided; None takes the
        windows' size.
    padding : {"valid", "same"}, int, pair of int or pair of pairs, default="valid"
        Pixels around the picture that count as −∞, as in `Conv2D`.
    ceil : bool, default=False
        Whether a last window that lies only partly on the picture counts; without it
        the last rows and columns may be left out.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range or no window fits.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import MaxPool2D
    >>> from skdl.networks import Network
    >>> x = np.arange(25.0).reshape(1, 5, 5, 1)
    >>> Network([MaxPool2D(2)], (5, 5, 1)).predict(x)[0, ..., 0]
    array([[ 6.,  8.],
           [16., 18.]])
    >>> Network([MaxPool2D(2, ceil=True)], (5, 5, 1)).predict(x)[0, ..., 0]
    array([[ 6.,  8.,  9.],
           [16., 18., 19.],
           [21., 23., 24.]])
    >>> Network([MaxPool2D(3, stride=2)], (5, 5, 1)).predict(x)[0, ..., 0]
    array([[12., 14.],
           [22., 24.]])
    """

    undoes_floor = True
    calls_kernels = True

    def __init__(
        self,
        pool_size: Any = 2,
        stride: Any = None,
        padding: Padding = "valid",
        ceil: bool = False,
    ) -> None:
        self.pool_size = pool_size
        self.stride = stride
        self.padding = padding
        self.ceil = ceil

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        pool = self.geometry(x.shape[1:])
        out = ctx.empty((len(x), *pool.output_shape))
        which = ctx.empty(out.shape, ENTRY)
        arrays = pool, x, out, which
        ctx.again("pool", len(x), arrays, lambda: max_pool(*arrays))
        return out, (which, x.shape, out) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        which, shape, y = cache
        pool = self.geometry(shape[1:])
        above = y if ctx.floor == 0 else None  # of a ReLU's gradient the part that is
        arrays = pool, which, dy, ctx.empty(shape), above
        return ctx.again("unpool", len(dy), arrays, lambda: max_pool_backward(*arrays))


@register("avg_pool2d", "average_pool2d")
class AvgPool2D(_Pool2D):
    """The mean of each window, channel by channel.

    Parameters
    ----------
    pool_size : int or pair of int, default=2
        Height and width of a window.
    stride : int or pair of int, default=None
        Distance of windows, by which height and width are divided; None takes the
        windows' size.
    padding : {"valid", "same"}, int, pair of int or pair of pairs, default="valid"
        Pixels around the picture, as in `Conv2D`.
    ceil : bool, default=False
        Whether a last window that lies only partly on the picture counts; without it
        the last rows and columns may be left out.
    count_padding : bool, default=False
        Whether pixels of the padding count, as zeros (PyTorch's default is True,
        TensorFlow does not count them).

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range or no window fits.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import AvgPool2D
    >>> from skdl.networks import Network
    >>> x = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> Network([AvgPool2D(2)], (4, 4, 1)).predict(x)[0, ..., 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    >>> for count in (False, True):  # do the zeros around the picture?
    ...     layer = AvgPool2D(2, padding=1, count_padding=count)
    ...     print(Network([layer], (4, 4, 1)).predict(np.ones_like(x))[0, 0, :, 0])
    [1. 1. 1.]
    [0.25 0.5  0.25]
    """

    _parameter_constraints: dict[str, Any] = {
        "ceil": ["boolean"],
        "count_padding": ["boolean"],
    }

    def __init__(
        self,
        pool_size: Any = 2,
        stride: Any = None,
        padding: Padding = "valid",
        ceil: bool = False,
        count_padding: bool = False,
    ) -> None:
        self.pool_size = pool_size
        self.stride = stride
        self.padding = padding
        self.ceil = ceil
        self.count_padding = count_padding

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        pool = self.geometry(x.shape[1:])
        out = ctx.empty((len(x), *pool.output_shape))
        average_pool(pool, x, out, self.count_padding, ctx.empty)
        return out, x.shape if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        pool = self.geometry(cache[1:])
        out = ctx.empty(cache)
        return average_pool_backward(pool, dy, out, self.count_padding, ctx.empty)


@register("global_avg_pool", "global_average_pool")
class GlobalAvgPool(Layer):
    """The mean of each channel over the whole picture (Lin et al. 2014).

    What follows does not depend on the picture's size: the network also predicts on
    pictures of other sizes than it was fitted on.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import GlobalAvgPool
    >>> from skdl.networks import Network
    >>> network = Network([GlobalAvgPool()], (2, 2, 1))
    >>> network.predict(np.array([1.0, 2.0, 3.0, 6.0]).reshape(1, 2, 2, 1))
    array([[3.]])
    >>> network.predict(np.ones((1, 9, 5, 1)))  # a picture of any size
    array([[1.]])
    """

    calls_kernels = True

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        return image_shape(input_shape, "global pooling")[2:], {}

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        return tuple(Axis(n, 1, n) for n in input_shape[:-1])

    def mirror(self, input_shape: Shape) -> Layer:
        h, w, c = input_shape
        return Chain([Reshape((1, 1, c)), Upsample2D((h, w))])

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        out = ctx.empty((len(x), x.shape[-1]))
        return global_average(x, out), x.shape if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        return global_average_backward(dy, ctx.empty(cache))
