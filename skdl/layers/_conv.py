"""Convolutional layers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from skdl import initializers
from skdl._config import use_numba
from skdl._settings import COUNT
from skdl._typing import Array, Shape, Tree
from skdl.initializers import Initializer
from skdl.layers._context import NO_FLOOR, Context
from skdl.layers._image import image_shape, looked_up, too_small
from skdl.layers._layer import Layer, ParamSpec, register
from skdl.layers._upsample import ConvTranspose2D
from skdl.ops.conv import conv2d, conv2d_backward_input, conv2d_backward_weights
from skdl.ops.geometry import Conv, make_conv
from skdl.ops.window import Axis, Padding

_CACHED = 65536  # numbers of a picture that is still in the cache when it is done

# Networks see the same shapes step after step; their geometry is made once.
geometry = lru_cache(maxsize=512)(make_conv)


@register("conv2d")
class Conv2D(Layer):
    """Filters that look at each place of a picture through the same window.

    y[p, q] = b + Σ_ij x[window entry (i, j) of (p, q)] · W[i, j].

    Samples are pictures (h, w, c), channels last. As everywhere in deep learning the
    filters are not flipped. A filter of 1×1 is a dense layer on each pixel; with as
    many groups as channels each channel has filters of its own (`DepthwiseConv2D`).

    Parameters
    ----------
    filters : int, default=32
        Channels of the output; at least 1. Each is one pattern that is looked for.
    kernel_size : int or pair of int, default=3
        Height and width of a filter.
    stride : int or pair of int, default=1
        Distance of windows: 2 halves height and width.
    padding : {"valid", "same"}, int, pair of int or pair of pairs, default="valid"
        Zeros around the picture: none; so many that the output has ⌈size/stride⌉
        pixels, an odd one at the end (as in TensorFlow); a number of pixels on every
        side (as in PyTorch); (vertical, horizontal); ((top, bottom), (left, right)).
    dilation : int or pair of int, default=1
        Distance of the entries of a window: with 2 a filter of 3×3 sees 5×5 pixels.
    groups : int, default=1
        Output channels of a group see the input channels of that group alone; it
        divides both.
    bias : bool, default=True
        Whether to add b.
    initializer : str or Initializer, default="auto"
        Start of W, of shape (kh, kw, c / groups, filters). "auto" is what suits the
        activation that follows.
    bias_initializer : str or Initializer, default="zeros"
        Start of b.
    winograd : bool, default=False
        Whether to compute in Winograd's way, F(4×4, 3×3) (Lavin & Gray 2016), where
        that is possible: in float32 with compiled code, for filters of 3×3, stride and
        dilation 1, padding up to 2, one group, and channels and filters in multiples of
        16. The output and both gradients then take about half the time, three quarters
        for 16 channels. Errors are up to 10⁻⁵ of the largest number of the result in
        place of 5·10⁻⁷; a number that is not finite spreads to the patches that it is
        in. The direct way is taken where it is faster: by up to 64 patches of 4×4
        pixels in a batch (in predictions, for which filters of up to 1 MB are
        transformed once, up to 8), by outputs that fill at most 9/16 of them, such as
        5×5, and by more than 2¹⁷ channels · filters, for the gradient to the filters
        2¹⁴.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range or does not fit the
        picture.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Conv2D
    >>> from skdl.networks import Network
    >>> layer = Conv2D(1, 3, padding="same", initializer="ones")
    >>> network = Network([layer], (3, 3, 1))
    >>> network.initialize(np.random.default_rng(0))
    >>> network.predict(np.ones((1, 3, 3, 1)))[0, ..., 0]  # pixels in each window
    array([[4., 6., 4.],
           [6., 9., 6.],
           [4., 6., 4.]])
    >>> Network([Conv2D(16, 5, stride=2, padding=2)], (28, 28, 3)).output_shape
    (14, 14, 16)
    """

    is_affine = True
    fuses_floor = True
    fuses_sum = True
    fuses_gradients = True
    gives_moments = True
    calls_kernels = True
    _registries = {
        "initializer": initializers.registry,
        "bias_initializer": initializers.registry,
    }
    _parameter_constraints: dict[str, Any] = {
        "filters": COUNT,
        "groups": COUNT,
        "bias": ["boolean"],
        "winograd": ["boolean"],
    }

    def __init__(
        self,
        filters: int = 32,
        kernel_size: Any = 3,
        stride: Any = 1,
        padding: Padding = "valid",
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        initializer: str | Initializer = "auto",
        bias_initializer: str | Initializer = "zeros",
        winograd: bool = False,
    ) -> None:
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.bias = bias
        self.initializer = initializer
        self.bias_initializer = bias_initializer
        self.winograd = winograd

    def geometry(self, input_shape: Shape) -> Conv:
        """Return where the windows lie.

        Parameters
        ----------
        input_shape : tuple of (int, int, int)
            Height, width and channels of a picture.

        Returns
        -------
        conv : Conv
            The geometry.
        """
        h, w, c = input_shape
        return looked_up(
            geometry,
            (h, w, c),
            self._filters(c),
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self._groups(c),
        )

    def _filters(self, channels: int) -> int:
        return self.filters

    def _groups(self, channels: int) -> int:
        return self.groups

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        shape = image_shape(input_shape, "a convolution")
        with too_small(shape):
            conv = self.geometry(shape)
        specs = {"W": ParamSpec(conv.filters_shape, self.initializer, penalised=True)}
        if self.bias:
            specs["b"] = ParamSpec((conv.filters,), self.bias_initializer)
        return conv.output_shape, specs

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        return self.geometry(input_shape).axes

    def mirror(self, input_shape: Shape) -> Layer:
        *size, c = input_shape
        return ConvTranspose2D(
            c,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self._groups(c),
            tuple(size),
            self.bias,
            self.initializer,
            self.bias_initializer,
        )

    def multiply_adds(self, input_shape: Shape) -> int:
        return self.geometry(input_shape).products

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        conv = self.geometry(x.shape[1:])
        out = ctx.empty((len(x), *conv.output_shape))
        W, b = params["W"], params.get("b")
        packed = params.get("packed")
        moments = None
        if ctx.moments and use_numba() and 0 < out[:1].size <= _CACHED:
            shape = len(x), conv.filters
            moments = ctx.moments = ctx.empty(shape), ctx.empty(shape)
        floor, other, way = ctx.floor, ctx.other, self.winograd
        ctx.again(
            "conv2d",
            len(x),
            (conv, x, W, b, out, floor, way, other, *(moments or ())),
            lambda: conv2d(
                conv, x, W, b, out, floor, ctx.empty, way, packed, other, moments
            ),
        )
        return out, (x, conv) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        x, conv = cache
        other, ctx.other = ctx.other, None
        n, empty, way = len(x), ctx.empty, self.winograd
        W, dW, db = params["W"], grads["W"], grads.get("b")
        ctx.again(
            "weights",
            n,
            (conv, x, dy, dW, db, way),
            lambda: conv2d_backward_weights(conv, x, dy, dW, db, empty, way),
        )
        if not ctx.want_dx:
            return None
        out = empty(x.shape)
        return ctx.again(
            "input",
            n,
            (conv, dy, W, out, way, other),
            lambda: conv2d_backward_input(
                conv, dy, W, out, None, NO_FLOOR, empty, way, other
            ),
        )


@register("depthwise_conv2d")
class DepthwiseConv2D(Conv2D):
    """A convolution of each channel with filters of its own.

    Followed by a convolution of 1×1 it makes a depthwise-separable one (Howard et al.
    2017).

    Parameters
    ----------
    kernel_size : int or pair of int, default=3
        Height and width of a filter.
    stride : int or pair of int, default=1
        Distance of windows: 2 halves height and width.
    padding : {"valid", "same"}, int, pair of int or pair of pairs, default="valid"
        Zeros around the picture, as in `Conv2D`.
    dilation : int or pair of int, default=1
        Distance of the entries of a window: with 2 a filter of 3×3 sees 5×5 pixels.
    multiplier : int, default=1
        Filters of each channel; at least 1.
    bias : bool, default=True
        Whether to add b.
    initializer : str or Initializer, default="auto"
        Start of W, of shape (kh, kw, 1, c · multiplier).
    bias_initializer : str or Initializer, default="zeros"
        Start of b.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range or does not fit the
        picture.

    Examples
    --------
    >>> from skdl.layers import Conv2D, DepthwiseConv2D
    >>> from skdl.networks import Network
    >>> Network([DepthwiseConv2D(multiplier=2)], (8, 8, 16)).output_shape
    (6, 6, 32)
    >>> separable = [DepthwiseConv2D(), Conv2D(64, 1)]
    >>> for layers in (separable, [Conv2D(64, 3)]):
    ...     print(Network(layers, (8, 8, 16)).params.size)
    1248
    9280
    """

    winograd = False
    _parameter_constraints: dict[str, Any] = {
        "multiplier": COUNT,
        "bias": ["boolean"],
    }

    def __init__(
        self,
        kernel_size: Any = 3,
        stride: Any = 1,
        padding: Padding = "valid",
        dilation: Any = 1,
        multiplier: int = 1,
        bias: bool = True,
        initializer: str | Initializer = "auto",
        bias_initializer: str | Initializer = "zeros",
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.multiplier = multiplier
        self.bias = bias
        self.initializer = initializer
        self.bias_initializer = bias_initializer

    def _filters(self, channels: int) -> int:
        return channels * self.multiplier

    def _groups(self, channels: int) -> int:
        return channels
