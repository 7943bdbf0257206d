"""A table of convolutions, and each from its definition."""

import numpy as np

from skdl.ops.geometry import make_conv

# input shape, filters, kernel size, and the other settings of make_conv
CASES = {
    "3x3": ((7, 6, 2), 5, 3, {}),
    "3x3 same": ((7, 6, 3), 4, 3, {"padding": "same"}),
    "3x3 padding 1": ((5, 9, 7), 20, 3, {"padding": 1}),
    "5x5 padding 2": ((8, 7, 1), 6, 5, {"padding": 2}),
    "1x1": ((5, 4, 9), 40, 1, {}),
    "1x1 stride 2": ((6, 7, 4), 3, 1, {"stride": 2}),
    "1x1 stride 2 and 3": ((7, 8, 17), 9, 1, {"stride": (2, 3)}),
    "1x1 stride 2, padding": ((6, 7, 9), 5, 1, {"stride": 2, "padding": 1}),
    "1x1 stride 3, 8 channels": ((7, 8, 8), 9, 1, {"stride": (3, 1)}),
    "3x3 stride 2": ((9, 8, 3), 7, 3, {"stride": 2, "padding": 1}),
    "3x3 stride 2 same": ((8, 7, 3), 7, 3, {"stride": 2, "padding": "same"}),
    "3x3 stride 3": ((11, 10, 2), 3, 3, {"stride": 3}),
    "2x2 stride 3 skips pixels": ((10, 9, 2), 3, 2, {"stride": 3}),
    "4x4 same, an odd pixel": ((6, 7, 2), 3, 4, {"padding": "same"}),
    "2x3 stride 1x2": ((6, 9, 3), 4, (2, 3), {"stride": (1, 2), "padding": (1, 0)}),
    "asymmetric": ((6, 5, 2), 4, 3, {"padding": ((0, 2), (1, 0)), "stride": 2}),
    "much padding": ((3, 2, 2), 3, 3, {"padding": 4, "stride": 2}),
    "dilation 2": ((9, 8, 3), 4, 3, {"dilation": 2, "padding": 2}),
    "dilation 2, stride 2": ((9, 10, 3), 4, 3, {"dilation": 2, "stride": 2}),
    "dilation 3x1, stride 2": ((11, 8, 2), 4, 3, {"dilation": (3, 1), "stride": 2}),
    "dilation 2, stride 3": ((12, 11, 2), 4, 3, {"dilation": 2, "stride": 3}),
    "groups": ((6, 7, 6), 9, 3, {"groups": 3, "padding": 1}),
    "groups, stride 2": ((7, 8, 8), 12, 3, {"groups": 2, "stride": 2, "padding": 1}),
    "groups, dilation": ((8, 8, 4), 6, 3, {"groups": 2, "dilation": 2}),
    "groups of one filter": ((6, 5, 6), 3, 3, {"groups": 3}),
    "many columns": ((5, 5, 3), 70, 3, {"padding": 1}),
    "many channels": ((4, 4, 70), 5, 3, {"padding": 1, "stride": 2}),
    "a line": ((1, 12, 2), 3, (1, 5), {"padding": (0, 2)}),
    "whole image": ((4, 5, 3), 6, (4, 5), {}),
    # Neighbours of these share what is loaded.
    "lines of 8": ((4, 8, 16), 16, 3, {"padding": 1}),
    "lines of 16": ((3, 16, 8), 9, 3, {"padding": 1}),
    "lines of 8, no padding": ((5, 10, 3), 12, 3, {}),
    "lines of 7, many columns": ((4, 7, 16), 40, 3, {"padding": 1}),
    "lines of 14, flat": ((2, 14, 8), 36, (1, 3), {"padding": (0, 1)}),
    "lines of 8, 1x6 stride 2": ((2, 20, 2), 16, (1, 6), {"stride": (1, 2)}),
    "two pixels": ((3, 2, 8), 16, 3, {"padding": 1}),
    "depthwise": ((7, 6, 5), 5, 3, {"groups": 5, "padding": 1}),
    "depthwise, 35 channels": ((6, 6, 35), 35, 3, {"groups": 35, "padding": 1}),
    "depthwise, stride 2": (
        (9, 8, 20),
        20,
        3,
        {"groups": 20, "stride": 2, "padding": "same"},
    ),
    "depthwise, dilation 2": (
        (9, 8, 17),
        17,
        3,
        {"groups": 17, "dilation": 2, "padding": 2},
    ),
    "depthwise, 2 filters a channel": ((7, 6, 4), 8, 3, {"groups": 4, "padding": 1}),
    "depthwise, 5x5": ((9, 8, 33), 33, 5, {"groups": 33, "padding": 2}),
    "depthwise, 3 a channel, stride 2": (
        (7, 6, 6),
        18,
        (3, 2),
        {"groups": 6, "stride": 2},
    ),
}


def make(name):
    """Return the geometry of a case."""
    shape, filters, size, settings = CASES[name]
    return make_conv(shape, filters, size, **settings)


def arrays(conv, n, dtype, seed=0):
    """Return x, W, b and dy."""
    rng = np.random.default_rng(seed)
    shapes = (
        (n, *conv.input_shape),
        conv.filters_shape,
        (conv.filters,),
        (n, *conv.output_shape),
    )
    return tuple(rng.normal(size=shape).astype(dtype) for shape in shapes)


def by_definition(conv, x, W, b, dy):
    """Return y, dx, dW and db, one product at a time and in double precision."""
    x, W, b, dy = (array.astype("d") for array in (x, W, b, dy))
    y, dx, dW = np.zeros(dy.shape) + b, np.zeros(x.shape), np.zeros(W.shape)
    v, h = conv.axes
    c, k = conv.channels // conv.groups, conv.filters // conv.groups
    for p in range(v.out):
        for q in range(h.out):
            for i in range(v.size):
                for j in range(h.size):
                    at = p * v.stride + i * v.dilation - v.before
                    to = q * h.stride + j * h.dilation - h.before
                    if not (0 <= at < v.n and 0 <= to < h.n):
                        continue
                    for g in range(conv.groups):
                        cs, ks = slice(g * c, g * c + c), slice(g * k, g * k + k)
                        factors = W[i, j, :, ks]
                        y[:, p, q, ks] += x[:, at, to, cs] @ factors
                        dx[:, at, to, cs] += dy[:, p, q, ks] @ factors.T
                        dW[i, j, :, ks] += x[:, at, to, cs].T @ dy[:, p, q, ks]
    return y, dx, dW, dy.sum((0, 1, 2))
