"""Layers around encoder–decoders, and channels that become pixels."""

import math

import numpy as np
import pytest

from skdl.layers import (
    Context,
    Conv2D,
    ConvTranspose2D,
    KeepSize,
    MaxPool2D,
    PixelShuffle,
    SkipConcatenate,
    Upsample2D,
    build_chain,
    resolve_chain,
)
from skdl.networks import Network, receptive_fields, unet
from skdl.testing import check_layer

HALVES = [MaxPool2D(2), Conv2D(3, 3, padding="same"), Upsample2D(2)]


@pytest.mark.parametrize("sides", [(4, 6), (5, 6), (4, 7), (3, 5), (1, 1)])
@pytest.mark.parametrize("multiple", [2, 4])
def test_keeps_its_contract(sides, multiple):
    layers = HALVES if multiple == 2 else [SkipConcatenate(HALVES)]
    check_layer(KeepSize(layers, multiple), (*sides, 2), n_samples=2)


def run(layers, x):
    network = Network(layers, x.shape[1:])
    network.initialize(np.random.default_rng(0))
    return network, network.predict(x)


def test_is_the_cut_of_a_padded_picture():
    x = np.random.default_rng(0).normal(size=(2, 5, 7, 2))
    padded = np.pad(x, [(0, 0), (0, 1), (0, 1), (0, 0)], mode="edge")
    _, got = run([KeepSize(HALVES)], x)
    _, expected = run(HALVES, padded)
    np.testing.assert_array_equal(got, expected[:, :5, :7])


def test_what_it_sees():
    fields = receptive_fields([KeepSize(HALVES)], (5, 6, 2))
    assert [f.layer for f in fields[1:]] == [
        "Framed",
        "MaxPool2D",
        "Conv2D",
        "Upsample2D",
        "Framed",
    ]
    assert fields[0].positions == (5, 6)
    assert fields[0].size == fields[4].size
    assert "Pad" in Network([KeepSize(HALVES)], (5, 6, 2)).describe()
    even = receptive_fields([KeepSize(HALVES)], (4, 6, 2))
    assert len(even) == 4


def test_layers_that_do_not_keep_the_size():
    with pytest.raises(ValueError, match="must keep the size of pictures whose sides"):
        Network([KeepSize([MaxPool2D(2)])], (6, 6, 1))
    with pytest.raises(ValueError, match="multiple"):
        Network([KeepSize(HALVES, 0)], (6, 6, 1))


def test_unet_of_the_paper():
    # A well-known implementation in Keras, whose output layers are one of 3×3 and one
    # of 1×1, has 31,031,685 parameters.
    layers = unet((32, 32, 1), filters=(64, 128, 256, 512, 1024))
    layers = [*layers, Conv2D(2, 3, padding="same"), "relu", Conv2D(1, 1)]
    shapes, specs = build_chain(resolve_chain(layers), (32, 32, 1))
    assert sum(math.prod(spec.shape) for spec in leaves(specs)) == 31_031_685
    assert shapes[-1] == (32, 32, 1)


def leaves(specs):
    if not isinstance(specs, dict):
        return [specs]
    return [leaf for inner in specs.values() for leaf in leaves(inner)]


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_pixel_shuffle_keeps_its_contract(factor):
    check_layer(PixelShuffle(factor), (3, 4, 2 * factor**2), n_samples=2)


def test_pixel_shuffle_of_the_wrong_channels():
    with pytest.raises(ValueError, match="a multiple of 9 channels, got 8"):
        Network([PixelShuffle(3)], (4, 4, 8))


@pytest.mark.reference
def test_pixel_shuffle_is_pytorchs():
    import torch

    x = np.random.default_rng(0).normal(size=(2, 3, 4, 18))
    got = PixelShuffle(3).forward({}, x, Context(train=False))[0]
    # PyTorch counts channels slowest, the pixels of a block fastest.
    theirs = x.reshape(2, 3, 4, 9, 2).transpose(0, 4, 3, 1, 2).reshape(2, 18, 3, 4)
    expected = torch.nn.functional.pixel_shuffle(torch.tensor(theirs), 3).numpy()
    np.testing.assert_allclose(got, expected.transpose(0, 2, 3, 1))


def test_a_transposed_convolution_of_blocks_is_a_shuffle():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    blocks, transposed = run([ConvTranspose2D(2, 3, stride=3)], x)
    W = blocks.params["0.W"]  # (3, 3, 5, 2)
    shuffled = Network([Conv2D(18, 1), PixelShuffle(3)], (3, 4, 5))
    shuffled.params["0.W"][0, 0] = W.transpose(2, 0, 1, 3).reshape(5, 18)
    np.testing.assert_allclose(shuffled.predict(x), transposed, atol=1e-12)
