"""The geometry of convolutions of images."""

from __future__ import annotations

from typing import Any, NamedTuple

from skdl.ops.window import Axis, Padding, make_axes, pair


class Conv(NamedTuple):
    """The geometry of a convolution; `make_conv` and `make_transposed` make it.

    Parameters
    ----------
    axes : tuple of Axis
        The windows, down and across.
    channels, filters, groups : int
        Channels in and out, and their groups.
    """

    axes: tuple[Axis, Axis]
    channels: int
    filters: int
    groups: int = 1

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of an image, (h, w, channels)."""
        return self.axes[0].n, self.axes[1].n, self.channels

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Shape of its output, (ho, wo, filters)."""
        return self.axes[0].out, self.axes[1].out, self.filters

    @property
    def filters_shape(self) -> tuple[int, int, int, int]:
        """Shape of the filters, (kh, kw, channels/groups, filters)."""
        v, h = self.axes
        return v.size, h.size, self.channels // self.groups, self.filters

    @property
    def depthwise(self) -> bool:
        """Whether each channel has filters of its own."""
        return self.groups == self.channels > 1

    @property
    def products(self) -> int:
        """Multiplications for an image."""
        kh, kw, c, k = self.filters_shape
        return self.axes[0].out * self.axes[1].out * kh * kw * c * k


def make_conv(
    input_shape: tuple[int, int, int],
    filters: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: Padding = "valid",
    dilation: Any = 1,
    groups: int = 1,
) -> Conv:
    """Return the geometry of a convolution.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of an image.
    filters : int
        Number of filters, the channels of the output.
    kernel_size : int or pair of int
        Height and width of a filter.
    stride, dilation : int or pair of int, default=1
        Distance of the windows, and of the entries of one.
    padding : {"valid", "same"}, int, pair of int or pair of pairs, default="valid"
        See `skdl.ops.window.make_axes`.
    groups : int, default=1
        The output channels of a group see the input channels of that group alone;
        as many groups as channels: a depthwise convolution.

    Returns
    -------
    conv : Conv
        The geometry.

    Raises
    ------
    ValueError
        If a setting is out of range, the groups do not divide the channels and the
        filters, or the image is too small.
    """
    h, w, channels = input_shape
    axes = make_axes((h, w), kernel_size, stride, padding, dilation)
    return _checked(Conv(axes, channels, filters, groups))


def make_transposed(
    input_shape: tuple[int, int, int],
    filters: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: Padding = "valid",
    dilation: Any = 1,
    groups: int = 1,
    output_padding: Any = 0,
) -> Conv:
    """Return the convolution whose transpose takes images of a shape.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels of an image.
    filters : int
        Channels of the output.
    kernel_size : int or pair of int
        Height and width of a filter.
    stride, dilation : int or pair of int, default=1
        Distance of the windows in the output, and of the entries of one.
    padding : {"valid", "same"}, int, pair of int or pair of pairs, default="valid"
        What is cut off the output; "same" leaves n·stride pixels.
    groups : int, default=1
        Groups of channels.
    output_padding : int or pair of int, default=0
        Pixels added at the end of the output, fewer than the stride; they tell apart
        the sizes that the convolution maps to the same one. Not with "same".

    Returns
    -------
    conv : Conv
        The convolution from the output's shape to `input_shape`: the filters of the
        transposed one are (kh, kw, filters/groups, channels).

    Raises
    ------
    ValueError
        If a setting is out of range or nothing would be left of the output.
    """
    sizes, strides = pair(kernel_size, "the window's size"), pair(stride, "stride")
    dilations = pair(dilation, "dilation")
    extras = pair(output_padding, "output_padding", 0)
    # The ends that a window of one pixel has say what is cut off.
    cut = make_axes((1, 1), 1, 1, padding)
    outs = []
    for n, size, s, d, extra, axis in zip(
        input_shape[:2], sizes, strides, dilations, extras, cut, strict=True
    ):
        if extra >= s:
            raise ValueError(
                f"output_padding must be less than the stride {s}, got {extra}."
            )
        full = (n - 1) * s + (size - 1) * d + 1
        same = padding == "same"
        outs.append(n * s if same else full - axis.before - axis.after + extra)
    if min(outs) < 1:
        raise ValueError(
            f"padding {padding!r} leaves nothing of an output: its size would be "
            f"{outs[0]}×{outs[1]}."
        )
    axes = make_axes((outs[0], outs[1]), sizes, strides, padding, dilations)
    return _checked(Conv(axes, filters, input_shape[2], groups))


def _checked(conv: Conv) -> Conv:
    for name, count in (("groups", conv.groups), ("filters", conv.filters)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}.")
    if conv.channels % conv.groups or conv.filters % conv.groups:
        raise ValueError(
            f"groups must divide the channels on both sides, {conv.channels} and "
            f"{conv.filters}, got {conv.groups}."
        )
    return conv
