"""Layers of pictures against PyTorch: values and gradients in both precisions."""

import itertools

import numpy as np
import pytest

from skdl.layers import (
    AvgPool2D,
    BatchNorm,
    Context,
    Conv2D,
    ConvTranspose2D,
    DepthwiseConv2D,
    GlobalAvgPool,
    MaxPool2D,
    PoolUnpool,
    PReLU,
    SkipConcatenate,
    Upsample2D,
)
from skdl.networks import Network

pytestmark = pytest.mark.reference

CONVOLUTIONS = [
    Conv2D(6, kernel, stride, padding, dilation, groups, bias)
    for kernel, stride, padding, dilation, groups, bias in itertools.product(
        [1, 3, (2, 3)], [1, 2, (1, 2)], [0, 1], [1, 2], [1, 2], [True]
    )
] + [Conv2D(4, 3, bias=False), DepthwiseConv2D(3, 1, 1), DepthwiseConv2D(3, 2, 1, 1, 2)]
OTHERS = (
    [
        MaxPool2D(),
        MaxPool2D(3, 2, 1),
        MaxPool2D(2, ceil=True),
        AvgPool2D(),
        AvgPool2D(3, 2, 1),
        AvgPool2D(3, 2, 1, count_padding=True),
        GlobalAvgPool(),
        BatchNorm(),
        PReLU(),
        Upsample2D(),
        Upsample2D((3, 2)),
        Upsample2D(2, "bilinear"),
        Upsample2D((1, 3), "bilinear"),
        PoolUnpool(),
        PoolUnpool([Conv2D(4, 3, padding=1)], ceil=True),
        SkipConcatenate([MaxPool2D((2, 3)), Conv2D(3, 1), Upsample2D((2, 3))]),
        SkipConcatenate(
            [
                Conv2D(5, 2, 2, ((0, 0), (0, 1))),
                ConvTranspose2D(2, 3, 2, 1, 1, 1, (8, 9)),
            ]
        ),
    ]
    + [
        ConvTranspose2D(6, kernel, stride, padding, dilation, groups)
        for kernel, stride, padding, dilation, groups in [
            (3, 1, 0, 1, 1),
            (3, 2, 1, 1, 1),
            (4, 2, 1, 1, 2),
            ((2, 3), (1, 3), (0, 1), 1, 1),
            (3, 2, 1, 2, 2),
            (2, 2, 0, 1, 1),
            (1, 3, 0, 1, 1),
        ]
    ]
    + [ConvTranspose2D(2, 3, 2, 1, output_size=(16, 18), bias=False)]
)


def theirs(layer, x, p, at="0."):
    """The layer in PyTorch, on pictures with channels first."""
    import torch
    import torch.nn.functional as F

    if isinstance(layer, (SkipConcatenate, PoolUnpool)):
        h, which = x, None
        if isinstance(layer, PoolUnpool):
            pooling = {"ceil_mode": layer.ceil, "return_indices": True}
            h, which = F.max_pool2d(x, layer.pool_size, **pooling)
        for i, inner in enumerate(layer.layers):
            h = theirs(inner, h, p, f"{at}{i}.")
        if which is None:
            return torch.cat([x, h], 1)
        return F.max_unpool2d(h, which, layer.pool_size, output_size=x.shape[2:])
    if isinstance(layer, Upsample2D):
        down, across = np.broadcast_to(layer.factor, 2).tolist()
        return F.interpolate(x, scale_factor=(down, across), mode=layer.method)
    if isinstance(layer, ConvTranspose2D):
        kh, kw, c, k = p[at + "W"].shape
        groups = layer.groups
        W = p[at + "W"].reshape(kh, kw, c, groups, k // groups)
        W = W.permute(3, 2, 4, 0, 1).reshape(c * groups, k // groups, kh, kw)
        b, s = p.get(at + "b"), layer.stride
        settings = (s, layer.padding, 0, groups, layer.dilation)
        if layer.output_size is not None:
            smallest = F.conv_transpose2d(x, W, b, *settings).shape[2:]
            rest = np.subtract(layer.output_size, smallest).tolist()
            settings = (s, layer.padding, rest, groups, layer.dilation)
        return F.conv_transpose2d(x, W, b, *settings)
    if isinstance(layer, Conv2D):
        groups = layer._groups(x.shape[1])
        W, padding = p[at + "W"].permute(3, 2, 0, 1), layer.padding
        if isinstance(padding, tuple):
            (top, bottom), (left, right) = padding
            x, padding = F.pad(x, (left, right, top, bottom)), 0
        padding = 0 if padding == "valid" else padding
        settings = (layer.stride, padding, layer.dilation, groups)
        return F.conv2d(x, W, p.get(at + "b"), *settings)
    if isinstance(layer, MaxPool2D):
        return F.max_pool2d(
            x,
            layer.pool_size,
            layer.stride,
            layer.padding if layer.padding != "valid" else 0,
            ceil_mode=layer.ceil,
        )
    if isinstance(layer, AvgPool2D):
        padding = layer.padding if layer.padding != "valid" else 0
        return F.avg_pool2d(
            x, layer.pool_size, layer.stride, padding, layer.ceil, layer.count_padding
        )
    if isinstance(layer, GlobalAvgPool):
        return x.mean((2, 3))
    if isinstance(layer, BatchNorm):
        return F.batch_norm(x, None, None, p["0.gamma"], p["0.beta"], training=True)
    return F.prelu(x, p["0.a"])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layer", CONVOLUTIONS + OTHERS, ids=repr)
def test_against_pytorch(layer, dtype):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    network = Network([layer], (8, 9, 4), dtype)
    network.initialize(rng)
    network.params.vector[:] += 0.1 * rng.normal(size=network.params.size)
    x = rng.normal(size=(3, 8, 9, 4)).astype(dtype)
    dy = rng.normal(size=(3, *network.output_shape)).astype(dtype)
    grads, ctx = network.params.like(), Context(True, dtype=dtype)
    tree = network.tree(network.params)
    y, caches = network.forward(tree, x, ctx)
    dx = network.backward(tree, grads.tree, caches, dy, ctx)

    p = {name: torch.tensor(network.params[name], requires_grad=True) for name in grads}
    x_torch = torch.tensor(x, requires_grad=True)
    out = theirs(layer, x_torch.permute(0, 3, 1, 2), p)
    out = out.permute(0, 2, 3, 1) if out.ndim == 4 else out
    out.backward(torch.tensor(dy))
    pairs = {"y": (y, out.detach()), "dx": (dx, x_torch.grad)}
    pairs |= {name: (grads[name], p[name].grad) for name in grads}
    rtol = 1e-10 if dtype is np.float64 else 1e-4
    for name, (got, expected) in pairs.items():
        scale = float(np.abs(expected.numpy()).max())
        np.testing.assert_allclose(
            got, expected, rtol=rtol, atol=rtol * scale, err_msg=name
        )
