"""Layers that enlarge pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from skdl import initializers
from skdl._compat import StrOptions
from skdl._settings import COUNT
from skdl._typing import Array, Shape, Tree
from skdl.initializers import Initializer
from skdl.layers._context import Context
from skdl.layers._image import hashable, image_shape, looked_up
from skdl.layers._layer import Layer, ParamSpec, register
from skdl.ops.conv import conv2d, conv2d_backward_input, conv2d_backward_weights
from skdl.ops.geometry import Conv, make_conv, make_transposed
from skdl.ops.upsample import (
    linear_shares,
    make_upsampling,
    resample,
    upsample,
    upsample_backward,
)
from skdl.ops.vector import column_sum
from skdl.ops.window import Axis, Padding, Spread, pair

# Networks see the same shapes step after step; their geometry is made once.
_enlarged = lru_cache(maxsize=512)(make_upsampling)


@register("upsample2d")
class Upsample2D(Layer):
    """Pictures a whole number of times as large, channel by channel.

    Followed by a convolution it enlarges without the checkerboard patterns that
    `ConvTranspose2D` leaves where its stride does not divide its filters' size (Odena
    et al. 2016).

    Parameters
    ----------
    factor : int or pair of int, default=2
        How many times as high and as wide.
    method : {"nearest", "bilinear"}, default="nearest"
        Each pixel becomes a block; or new pixels are interpolated linearly down and
        across between the centres of old ones, and repeat the last one beyond them.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Upsample2D
    >>> from skdl.networks import Network
    >>> x = np.array([0.0, 8.0]).reshape(1, 1, 2, 1)
    >>> for method in ("nearest", "bilinear"):
    ...     print(Network([Upsample2D((1, 2), method)], (1, 2, 1)).predict(x).ravel())
    [0. 0. 8. 8.]
    [0. 2. 6. 8.]
    """

    _parameter_constraints: dict[str, Any] = {
        "method": [StrOptions({"nearest", "bilinear"})]
    }

    def __init__(self, factor: Any = 2, method: str = "nearest") -> None:
        self.factor = factor
        self.method = method

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        h, w, c = image_shape(input_shape, "upsampling")
        down, across = pair(hashable(self.factor), "factor")
        return (h * down, w * across, c), {}

    def windows(self, input_shape: Shape) -> tuple[Spread, ...]:
        axes: Sequence[Axis] = _enlarged(input_shape, hashable(self.factor)).axes
        if self.method == "bilinear":  # the triangle of an old pixel, cut at the ends
            strides = [axis.stride for axis in axes]
            axes = [
                axis._replace(size=2 * s - s % 2, before=s // 2)
                for axis, s in zip(axes, strides, strict=True)
            ]
        return tuple(map(Spread, axes))

    def _shares(self, shape: Shape, dtype: Any) -> tuple[Array, Array]:
        down, across = pair(hashable(self.factor), "factor")
        return (
            linear_shares(shape[0], down, dtype),
            linear_shares(shape[1], across, dtype),
        )

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        shape = x.shape[1:]
        out = ctx.empty((len(x), *self.build(shape)[0]))
        if self.method == "bilinear":
            resample(x, *self._shares(shape, x.dtype), out, ctx.empty)
        else:
            upsample(_enlarged(shape, hashable(self.factor)), x, out)
        return out, x.shape if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        out = ctx.empty(cache)
        if self.method == "bilinear":
            down, across = self._shares(cache[1:], dy.dtype)
            return resample(dy, down.T, across.T, out, ctx.empty)
        pool = _enlarged(cache[1:], hashable(self.factor))
        return upsample_backward(pool, dy, out, ctx.empty)


@lru_cache(maxsize=512)
def _transposed(
    input_shape: tuple[int, int, int],
    filters: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    output_size: Any,
) -> Conv:
    """Return the convolution whose transpose leads to an output of a size."""
    settings = kernel_size, stride, padding, dilation, groups
    if output_size is None:
        return make_transposed(input_shape, filters, *settings)
    h, w = pair(output_size, "output_size")
    h_in, w_in, channels = input_shape
    conv = make_conv((h, w, filters), channels, *settings)
    if conv.output_shape[:2] != (h_in, w_in):
        got = conv.output_shape
        raise ValueError(
            f"output_size {h}×{w} does not fit: a convolution with the same settings "
            f"turns it into {got[0]}×{got[1]} pixels, and the layer gets {h_in}×{w_in}."
            f"{_sizes_that_fit(input_shape, settings)}"
        )
    return conv


def _sizes_that_fit(input_shape: tuple[int, int, int], settings: Any) -> str:
    """Say which sizes of the output a convolution turns into that of the input."""
    h, w, _ = make_transposed((*input_shape[:2], 1), 1, *settings[:4]).input_shape
    strides = pair(settings[1], "stride")
    ends = []
    for n, s in zip((h, w), strides, strict=True):
        # "same" counts from the end of the last stride, the others from its beginning.
        first, last = (n - s + 1, n) if settings[2] == "same" else (n, n + s - 1)
        ends.append(f"{first}" if first == last else f"{first} to {last}")
    return f" Sizes that fit are {ends[0]} down and {ends[1]} across."


@register("conv_transpose2d")
class ConvTranspose2D(Layer):
    """The transpose of `Conv2D`: each pixel lays down its multiple of a filter.

    As a matrix it is the transpose of the convolution with the same settings (but for
    the biases), whose gradient with respect to its input it therefore is. With a stride
    it enlarges pictures by learned filters. Where the stride does not divide the
    filters' size, pixels of the output get different numbers of contributions, which
    shows as a checkerboard pattern (Odena et al. 2016).

    Parameters
    ----------
    filters : int, default=32
        Channels of the output; at least 1.
    kernel_size : int or pair of int, default=3
        Height and width of a filter.
    stride : int or pair of int, default=1
        Distance of the places in the output where neighbouring pixels lay their
        filters.
    padding : {"valid", "same"}, int, pair of int or pair of pairs, default="valid"
        What the convolution adds around its input is cut off here: nothing, so that
        the output has (n − 1)·stride + size pixels; so much that it has n·stride; a
        number of pixels on every side; (vertical, horizontal); ((top, bottom),
        (left, right)).
    dilation : int or pair of int, default=1
        Distance of the entries of a filter.
    groups : int, default=1
        Output channels of a group get from the input channels of that group alone; it
        divides both.
    output_size : int or pair of int, default=None
        Height and width of the output. A convolution with a stride turns several sizes
        into the same one; None takes the smallest of them, and for "same" the largest.
    bias : bool, default=True
        Whether to add b.
    initializer : str or Initializer, default="auto"
        Start of W, of shape (kh, kw, c / groups, filters). "auto" is what suits the
        activation that follows.
    bias_initializer : str or Initializer, default="zeros"
        Start of b.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range or does not fit the
        picture.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import ConvTranspose2D
    >>> from skdl.networks import Network
    >>> layer = ConvTranspose2D(1, 3, stride=2, initializer="ones")
    >>> network = Network([layer], (2, 2, 1))
    >>> network.initialize(np.random.default_rng(0))
    >>> network.predict(np.ones((1, 2, 2, 1)))[0, ..., 0]  # filters overlap
    array([[1., 1., 2., 1., 1.],
           [1., 1., 2., 1., 1.],
           [2., 2., 4., 2., 2.],
           [1., 1., 2., 1., 1.],
           [1., 1., 2., 1., 1.]])
    >>> layer = ConvTranspose2D(8, 3, stride=2, padding=1, output_size=8)
    >>> Network([layer], (4, 4, 3)).output_shape
    (8, 8, 8)
    """

    is_affine = True
    fuses_floor = True
    _registries = {
        "initializer": initializers.registry,
        "bias_initializer": initializers.registry,
    }
    _parameter_constraints: dict[str, Any] = {
        "filters": COUNT,
        "groups": COUNT,
        "bias": ["boolean"],
    }

    def __init__(
        self,
        filters: int = 32,
        kernel_size: Any = 3,
        stride: Any = 1,
        padding: Padding = "valid",
        dilation: Any = 1,
        groups: int = 1,
        output_size: Any = None,
        bias: bool = True,
        initializer: str | Initializer = "auto",
        bias_initializer: str | Initializer = "zeros",
    ) -> None:
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.output_size = output_size
        self.bias = bias
        self.initializer = initializer
        self.bias_initializer = bias_initializer

    def geometry(self, input_shape: Shape) -> Conv:
        """Return the convolution that this is the transpose of.

        Parameters
        ----------
        input_shape : tuple of (int, int, int)
            Height, width and channels of a picture.

        Returns
        -------
        conv : Conv
            The geometry; its input is the output here.
        """
        h, w, c = input_shape
        return looked_up(
            _transposed,
            (h, w, c),
            self.filters,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self.output_size,
        )

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        conv = self.geometry(image_shape(input_shape, "a transposed convolution"))
        kh, kw, per_group, channels = conv.filters_shape
        shape = kh, kw, channels // conv.groups, per_group * conv.groups
        specs = {"W": ParamSpec(shape, self.initializer, penalised=True)}
        if self.bias:
            specs["b"] = ParamSpec((conv.channels,), self.bias_initializer)
        return conv.input_shape, specs

    def windows(self, input_shape: Shape) -> tuple[Spread, ...]:
        return tuple(map(Spread, self.geometry(input_shape).axes))

    def multiply_adds(self, input_shape: Shape) -> int:
        return self.geometry(input_shape).products

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        conv = self.geometry(x.shape[1:])
        W = _of_convolution(conv, params["W"], ctx)
        out = ctx.empty((len(x), *conv.input_shape))
        b, floor = params.get("b"), ctx.floor
        conv2d_backward_input(conv, x, W, out, b, floor, ctx.empty)
        return out, (x, W) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        x, W = cache
        conv = self.geometry(x.shape[1:])
        dW = ctx.empty(conv.filters_shape)
        conv2d_backward_weights(conv, dy, x, dW, empty=ctx.empty)
        _swapped(conv, grads["W"])[...] = dW.reshape(_grouped(conv))
        if "b" in grads:
            column_sum(dy.reshape(-1, conv.channels), grads["b"])
        if not ctx.want_dx:
            return None
        return conv2d(conv, dy, W, None, ctx.empty(x.shape), empty=ctx.empty)


def _grouped(conv: Conv) -> tuple[int, ...]:
    """Return the shape of the convolution's filters, its groups apart."""
    kh, kw, per_group, channels = conv.filters_shape
    return kh, kw, per_group, conv.groups, channels // conv.groups


def _swapped(conv: Conv, W: Array) -> Array:
    """Return our filters, whose last axis is our output, in the order of the others."""
    kh, kw, per_group, groups, channels = _grouped(conv)
    return W.reshape(kh, kw, channels, groups, per_group).transpose(0, 1, 4, 3, 2)


def _of_convolution(conv: Conv, W: Array, ctx: Context) -> Array:
    """Copy our filters into those of the convolution."""
    out = ctx.empty(conv.filters_shape)
    out.reshape(_grouped(conv))[...] = _swapped(conv, W)
    return out
