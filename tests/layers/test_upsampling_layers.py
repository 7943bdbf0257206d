"""Layers of encoder–decoders: adjoints, positions, sizes, what is refused."""

import numpy as np
import pytest

from skdl import config_context
from skdl._config import has_numba
from skdl.layers import (
    Chain,
    Context,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    PoolUnpool,
    Reshape,
    SkipConcatenate,
    Upsample2D,
)
from skdl.networks import Network, describe
from skdl.ops.conv import conv2d

ENGINES = ["numpy", "numba"] if has_numba() else ["numpy"]


def drawn(layers, shape, dtype=np.float64):
    network = Network(layers, shape, dtype)
    network.initialize(np.random.default_rng(0))
    return network


CONVOLUTIONS = {  # input of the convolution, then its settings
    "3x3": ((6, 7, 2), {}),
    "same": ((6, 7, 2), {"padding": "same"}),
    "same, stride 2": ((8, 7, 2), {"padding": "same", "stride": 2}),
    "4x4, stride 2": ((8, 10, 3), {"kernel_size": 4, "stride": 2, "padding": 1}),
    "stride 2, odd": ((9, 10, 3), {"stride": 2, "padding": 1}),
    "stride 3 skips pixels": ((10, 9, 2), {"kernel_size": 2, "stride": 3}),
    "dilation": ((9, 8, 2), {"dilation": 2, "padding": (2, 1)}),
    "groups": ((7, 8, 6), {"groups": 3, "stride": 2}),
    "unequal": ((6, 7, 2), {"kernel_size": (2, 3), "padding": ((0, 1), (2, 0))}),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_the_transpose_of_the_convolution(case, engine):
    """⟨Conv x, y⟩ = ⟨x, ConvT y⟩ with the same settings and the same filters."""
    shape, settings = CONVOLUTIONS[case]
    forth = drawn([Conv2D(6, bias=False, **settings)], shape)
    size, groups = shape[:2], settings.get("groups", 1)
    back = Network(
        [ConvTranspose2D(shape[2], bias=False, output_size=size, **settings)],
        forth.output_shape,
    )
    assert back.output_shape == shape
    W, into = forth.params["0.W"], back.params["0.W"]
    for g in range(groups):
        c, k = shape[2] // groups, 6 // groups
        part = W[..., g * k : (g + 1) * k].swapaxes(2, 3)
        into[..., g * c : (g + 1) * c] = part
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, *shape)), rng.normal(size=(2, *forth.output_shape))
    with config_context(engine=engine):
        one, other = np.vdot(forth.predict(x), y), np.vdot(x, back.predict(y))
    np.testing.assert_allclose(one, other, rtol=1e-12)
    # As a matrix it is the transpose, entry by entry.
    x, y = np.zeros((2, *shape)), np.zeros((2, *forth.output_shape))
    x[0, 1, 2, 1] = y[0, 0, 1, 3] = 1
    with config_context(engine=engine):
        entry = forth.predict(x)[0, 0, 1, 3], back.predict(y)[0, 1, 2, 1]
    assert entry[0] == entry[1]


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, (6, 7)),
        ({"stride": 2}, (9, 11)),
        ({"stride": 2, "padding": "same"}, (8, 10)),
        ({"stride": 2, "padding": 1}, (7, 9)),
        ({"stride": 2, "padding": 1, "output_size": (8, 9)}, (8, 9)),
        ({"stride": (3, 1), "padding": "same", "output_size": (10, 5)}, (10, 5)),
        ({"kernel_size": 4, "stride": 2, "padding": 1}, (8, 10)),
    ],
)
def test_sizes_of_the_output(settings, size):
    assert Network([ConvTranspose2D(3, **settings)], (4, 5, 2)).output_shape[:2] == size


@pytest.mark.parametrize("engine", ENGINES)
def test_the_activation_that_follows_is_fused(engine):
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 2))
    chain = [ConvTranspose2D(4, 3, 2), "relu", Conv2D(2, 1)]
    fused = drawn(chain, x.shape[1:])
    apart = drawn([chain[0], Dropout(0.0), *chain[1:]], x.shape[1:])
    apart.params.vector[:] = fused.params.vector
    with config_context(engine=engine):
        np.testing.assert_allclose(fused.predict(x), apart.predict(x), rtol=1e-12)
        assert (fused.predict(x, 1) < 0).any()  # alone it has no floor


@pytest.mark.parametrize("engine", ENGINES)
def test_maxima_go_back_to_where_they_were(engine):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 7, 6, 4)) + 5
    with config_context(engine=engine):
        y = Network([PoolUnpool()], x.shape[1:]).predict(x)
        doubled = Network([PoolUnpool([Chain([Scale()])])], x.shape[1:]).predict(x)
    kept = y != 0
    np.testing.assert_array_equal(y[kept], x[kept])
    np.testing.assert_array_equal(doubled, 2 * y)
    windows = x[:, :6].reshape(3, 3, 2, 3, 2, 4).max((2, 4))
    sums = y[:, :6].reshape(3, 3, 2, 3, 2, 4).sum((2, 4))
    np.testing.assert_array_equal(sums, windows)
    assert not y[:, 6].any()  # in no window


class Scale(Dropout):
    """Twice the input."""

    def forward(self, params, x, ctx):
        return 2 * x, None


@pytest.mark.parametrize("engine", ENGINES)
def test_a_skip_keeps_the_input_beside_what_the_layers_make(engine):
    x = np.random.default_rng(0).normal(size=(3, 6, 4, 2))
    inner = [MaxPool2D(), Conv2D(5, padding="same"), Upsample2D()]
    network, alone = drawn([SkipConcatenate(inner)], (6, 4, 2)), drawn(inner, (6, 4, 2))
    alone.params.vector[:] = network.params.vector
    with config_context(engine=engine):
        y = network.predict(x)
        np.testing.assert_array_equal(y[..., :2], x)
        np.testing.assert_array_equal(y[..., 2:], alone.predict(x))


def test_bilinear_keeps_a_slope():
    x = np.add.outer(np.arange(5.0), 2 * np.arange(4.0))[None, :, :, None]
    y = Network([Upsample2D(2, "bilinear")], (5, 4, 1)).predict(x)[0, 1:-1, 1:-1, 0]
    np.testing.assert_allclose(np.diff(y, axis=0), 0.5)
    np.testing.assert_allclose(np.diff(y, axis=1), 1.0)


def test_an_encoder_and_its_decoder():
    """Where a network of `PoolUnpool`s is described, poolings and their ends show."""
    layers = [
        Conv2D(4, padding="same"),
        PoolUnpool([Conv2D(4, padding="same"), PoolUnpool(["tanh"])]),
        SkipConcatenate([MaxPool2D(), Conv2D(2, 1), Upsample2D()]),
        Flatten(),
        Dense(16),
        Reshape((4, 4, 1)),
        ConvTranspose2D(1, 4, 2, 1),
    ]
    lines = [line.split() for line in describe(layers, (8, 8, 1)).splitlines()]
    rows = {line[0]: (line[1], line[-3:]) for line in lines[3:-2]}
    assert rows == {
        "0": ("Conv2D(filters=4,", ["3×3", "2,304", "40"]),
        "1": ("PoolUnpool", ["13×13", "2,304", "148"]),
        "1.pool": ("MaxPool2D()", ["4×4", "0", "0"]),
        "1.0": ("Conv2D(filters=4,", ["8×8", "2,304", "148"]),
        "1.1": ("PoolUnpool", ["12×12", "0", "0"]),
        "1.1.pool": ("MaxPool2D()", ["10×10", "0", "0"]),
        "1.1.0": ("Activation(function=Tanh())", ["10×10", "0", "0"]),
        "1.1.unpool": ("Unpool", ["12×12", "0", "0"]),
        "1.unpool": ("Unpool", ["13×13", "0", "0"]),
        "2": ("SkipConcatenate", ["all", "128", "10"]),
        "2.0": ("MaxPool2D()", ["all", "0", "0"]),
        "2.1": ("Conv2D(filters=2,", ["all", "128", "10"]),
        "2.2": ("Upsample2D()", ["all", "0", "0"]),
        "3": ("Flatten()", ["all", "0", "0"]),
        "4": ("Dense(units=16)", ["all", "6,144", "6,160"]),
        "5": ("Reshape(shape=(4,", ["?", "0", "0"]),
        "6": ("ConvTranspose2D(filters=1,", ["?", "256", "17"]),
    }
    network = drawn(layers, (8, 8, 1))
    assert network.output_shape == (8, 8, 1)
    assert network.params["1.0.W"].shape == (3, 3, 4, 4)


WRONG = {
    "no filters": (ConvTranspose2D(0), "'filters' parameter of ConvTranspose2D"),
    "groups": (ConvTranspose2D(3, groups=2), "groups must divide the channels"),
    "nothing left": (ConvTranspose2D(2, 2, padding=4), "leaves nothing"),
    "output size": (
        ConvTranspose2D(2, 3, 2, 1, output_size=(11, 13)),
        r"11×13 does not fit: .* into 6×7 pixels, and the layer gets 6×6. Sizes that "
        r"fit are 11 to 12 down and 11 to 12 across",
    ),
    "output size, same": (
        ConvTranspose2D(2, 3, (3, 1), "same", output_size=30),
        "Sizes that fit are 16 to 18 down and 6 across",
    ),
    "half an output": (ConvTranspose2D(2, output_size=2.5), "output_size must be"),
    "factor": (Upsample2D(0), "factor must be an integer of at least 1"),
    "factor of three": (Upsample2D((1, 2, 3)), "factor must be"),
    "method": (Upsample2D(2, "cubic"), "'method' parameter of Upsample2D"),
    "channels inside": (
        PoolUnpool([Conv2D(5, 1)]),
        r"pooled pictures of \(3, 3, 3\) into \(3, 3, 5\); they must keep",
    ),
    "size inside": (PoolUnpool([Conv2D(3, 2)]), r"into \(2, 2, 3\); they must keep"),
    "window": (PoolUnpool(pool_size=0), "window's size must be"),
    "ceil": (PoolUnpool(ceil="yes"), "'ceil' parameter of PoolUnpool"),
    "sides of a skip": (
        SkipConcatenate([MaxPool2D(4), Upsample2D(4)]),
        r"samples of \(6, 6, 3\) into \(4, 4, 3\), which cannot be joined .* sides "
        "must be even",
    ),
    "numbers": (Reshape((5, 5)), r"have 108 numbers, those of shape \(5, 5\) have 25"),
    "shape": (Reshape((0, 108)), "shape must be a tuple of integers of at least 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings(case):
    layer, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        Network([layer], (6, 6, 3))


@pytest.mark.parametrize("layer", [ConvTranspose2D(), Upsample2D(), PoolUnpool()])
def test_pictures_are_needed(layer):
    with pytest.raises(ValueError, match=r"takes pictures \(height, width, channels\)"):
        Network([layer], (4, 4))


def test_pictures_that_are_too_small():
    with pytest.raises(ValueError, match=r"smallest input that fits is \(4, 4, 1\)"):
        Network([PoolUnpool([PoolUnpool()])], (3, 3, 1))


@pytest.mark.skipif("numba" not in ENGINES, reason="needs Numba")
def test_the_same_bits_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 12, 12, 5)).astype(np.float32)
    layers = [
        SkipConcatenate([PoolUnpool([Conv2D(5, 1)]), Upsample2D(1, "bilinear")]),
        ConvTranspose2D(20, 4, 2),
        "relu",
        Upsample2D(),
    ]
    network = drawn(layers, x.shape[1:], np.float32)
    dy = rng.normal(size=(40, *network.output_shape)).astype(np.float32)
    runs = []
    for n in (1, 2):
        with config_context(engine="numba", n_threads=n):
            grads, ctx = network.params.like(), Context(True, dtype=np.float32)
            tree = network.tree(network.params)
            y, caches = network.forward(tree, x, ctx)
            dx = network.backward(tree, grads.tree, caches, dy, ctx)
            runs.append([y, dx, grads.vector])
    for got, expected in zip(*runs, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_filters_are_laid_down():
    """One bright pixel of the input leaves the filter in the output."""
    network = drawn([ConvTranspose2D(2, 3, 2, bias=False)], (3, 3, 1))
    x = np.zeros((1, 3, 3, 1))
    x[0, 1, 1] = 1
    y = network.predict(x)
    np.testing.assert_array_equal(y[0, 2:5, 2:5], network.params["0.W"][:, :, 0])
    assert np.count_nonzero(y) == 18
    conv = network.layers[0].geometry((3, 3, 1))
    assert conv2d(conv, y, np.ones(conv.filters_shape), None, x.copy()).shape == x.shape
