"""The layers of skdl as a PyTorch module: the same net for a bare PyTorch loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def modules_of(layers: Sequence[Any], shapes: Sequence[Any]) -> list[Any]:
    """Return a module for each layer.

    Parameters
    ----------
    layers : sequence of Layer
        The layers, settled.
    shapes : sequence of tuple of int
        Shape of one sample before the first layer and behind each.

    Returns
    -------
    modules : list of torch.nn.Module
        They take pictures as (n, c, h, w); weights are PyTorch's own.
    """
    from torch import nn

    from skdl.layers import build_chain

    made = []
    for layer, before, after in zip(layers, shapes[:-1], shapes[1:], strict=True):
        kind = type(layer).__name__
        if kind in ("Conv2D", "DepthwiseConv2D"):
            made.append(_convolution(layer.geometry(before), layer))
        elif kind == "ConvTranspose2D":
            made.append(_transposed(layer.geometry(before), layer))
        elif kind == "MaxPool2D":
            v, h = layer.geometry(before).axes
            window, stride = (v.size, h.size), (v.stride, h.stride)
            made.append(nn.MaxPool2d(window, stride, (v.before, h.before)))
        elif kind == "Upsample2D":
            factor = after[0] // before[0], after[1] // before[1]
            made.append(nn.Upsample(scale_factor=factor, mode=layer.method))
        elif kind == "BatchNorm":
            made.append(nn.BatchNorm2d(before[-1], layer.epsilon, layer.momentum))
        elif kind == "GlobalAvgPool":
            made += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        elif kind in ("Residual", "SkipConcatenate"):
            made.append(_around(layer, before))
        elif kind == "KeepSize":  # of pictures whose sides can be halved
            made += modules_of(layer.layers, build_chain(layer.layers, before)[0])
        elif kind == "PixelShuffle":
            made.append(nn.PixelShuffle(layer.factor))
        elif kind == "Flatten":
            made.append(nn.Flatten())
        elif kind == "Reshape":
            h, w, c = after
            made.append(nn.Unflatten(1, (c, h, w)))
        elif kind == "Dense":
            made.append(nn.Linear(before[-1], after[-1]))
        elif repr(layer) in ("Activation(function=ReLU())", "Activation()"):
            made.append(nn.ReLU())
        elif repr(layer) == "Activation(function=LeakyReLU())":
            made.append(nn.LeakyReLU(0.01))
        else:
            raise ValueError(f"{layer!r} has no module here.")
    return made


def _convolution(conv: Any, layer: Any) -> Any:
    from torch import nn

    v, h = conv.axes
    return nn.Conv2d(
        conv.channels,
        conv.filters,
        (v.size, h.size),
        (v.stride, h.stride),
        (v.before, h.before),
        groups=conv.groups,
        bias=layer.bias,
    )


def _transposed(conv: Any, layer: Any) -> Any:
    from torch import nn

    v, h = conv.axes
    smallest = [(a.out - 1) * a.stride + a.span - 2 * a.before for a in conv.axes]
    return nn.ConvTranspose2d(
        conv.filters,
        conv.channels,
        (v.size, h.size),
        (v.stride, h.stride),
        (v.before, h.before),
        tuple(a.n - n for a, n in zip(conv.axes, smallest, strict=True)),
        groups=conv.groups,
        bias=layer.bias,
    )


def _around(layer: Any, shape: Any) -> Any:
    """The layers inside, and their input added or joined."""
    import torch
    from torch import nn

    from skdl.layers import build_chain

    joins = type(layer).__name__ == "SkipConcatenate"
    chains = layer.layers, getattr(layer, "shortcut", None) or []

    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.skip = (
                nn.Sequential(*modules_of(chain, build_chain(chain, shape)[0]))
                for chain in chains
            )

        def forward(self, x: Any) -> Any:
            if joins:
                return torch.cat([x, self.inner(x)], 1)
            return self.inner(x) + self.skip(x)

    return Around()


def as_tensor(X: Any) -> Any:
    """Return pictures (n, h, w, c) as a tensor (n, c, h, w) in the same memory."""
    import torch

    if X.ndim == 4:
        X = np.moveaxis(X, -1, 1)
        return torch.from_numpy(X).to(memory_format=torch.channels_last)
    return torch.from_numpy(X)


def fit(
    module: Any,
    loss_of: Callable[..., Any],
    X: Any,
    y: Any,
    batch: int,
    epochs: int,
    rate: float = 1e-3,
    cosine: bool = False,
) -> None:
    """Train a module with Adam, its rate constant or falling to 0 like a cosine."""
    import torch

    if X.ndim == 4:
        module.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(module.parameters(), rate, fused=True)
    n_steps = epochs * -(-len(X) // batch)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    module.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(batch):
            optimizer.zero_grad()
            loss_of(module(X[rows]), y[rows]).backward()
            optimizer.step()
            if cosine:
                rates.step()
    module.eval()


def timed(function: Callable[[], Any]) -> tuple[float, float]:
    """Return wall-clock and processor time of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu
