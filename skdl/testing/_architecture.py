"""The contract of architectures of networks for pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skdl import networks
from skdl._typing import Shape
from skdl.layers import Context, Layer
from skdl.networks import Architecture, Network


def check_architecture(
    architecture: str | Architecture,
    input_shape: Shape = (32, 32, 3),
    *,
    seed: int = 0,
) -> None:
    """Check that an architecture keeps the contract of `skdl.networks.Architecture`.

    It makes new layers at each call; they fit pictures of the shape, and those of
    twice as many channels; twice the width gives more numbers, and a tenth at least
    one channel in each layer; the network that they make computes finite numbers from
    pictures of unit variance, and finite gradients of all its arrays, auxiliary heads
    left out.

    Parameters
    ----------
    architecture : str or callable
        Name, or ``f(input_shape, width=1.0) -> layers``.
    input_shape : tuple of (int, int, int), default=(32, 32, 3)
        Height, width and channels of a picture.
    seed : int, default=0
        Draws weights and pictures.

    Raises
    ------
    AssertionError
        If the architecture breaks its contract.
    ValueError
        If there is no architecture of that name.

    Examples
    --------
    >>> from skdl.testing import check_architecture
    >>> check_architecture("lenet", (16, 16, 1))
    """
    build = (
        networks.get(architecture) if isinstance(architecture, str) else architecture
    )
    name = getattr(build, "__name__", repr(build))
    _check_new(name, build(input_shape), build(input_shape))
    h, w, c = input_shape
    sizes = {}
    for width in (0.1, 1.0, 2.0):
        for channels in (c, 2 * c):
            shape = h, w, channels
            network = Network(build(shape, width=width), shape)
            sizes[width] = network.params.size
            if width <= 1:
                _check_numbers(f"{name}({shape}, {width})", network, seed)
    assert sizes[2.0] > sizes[1.0], (
        f"{name}: twice the width must give more numbers, got {sizes[2.0]} after "
        f"{sizes[1.0]}: multiply channels and units by `scaled(channels, width)`"
    )


def _check_new(
    name: str, first: Sequence[Layer | str], second: Sequence[Layer | str]
) -> None:
    shared = {id(item) for item in first if not isinstance(item, str)}
    for layer in second:
        assert id(layer) not in shared, (
            f"{name} must make new layers, shared: {layer!r}"
        )


def _check_numbers(name: str, network: Network, seed: int) -> None:
    rng = np.random.default_rng(seed)
    network.initialize(rng)
    x = rng.normal(size=(4, *network.input_shape))
    network = network.predicting()  # without auxiliary heads: those have targets
    ctx = Context(train=True, dtype=network.dtype, rng=rng)
    tree = network.tree(network.params)
    raw, caches = network.forward(tree, x, ctx)
    assert np.isfinite(raw).all(), f"{name}: the output has numbers that are not finite"
    gradient = network.params.like()
    into = network.gradient_tree(gradient)
    network.backward(tree, into, caches, rng.normal(size=raw.shape), ctx)
    for key in gradient:
        found = gradient[key]
        assert np.isfinite(found).all(), f"{name}: ∂L/∂({key}) is not finite"
