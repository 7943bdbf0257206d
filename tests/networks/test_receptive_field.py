"""Receptive fields: closed forms, and which pixels move an output."""

import numpy as np
import pytest

from skdl.layers import (
    GRU,
    LSTM,
    RNN,
    AuxiliaryHead,
    AvgPool2D,
    BatchNorm,
    Bidirectional,
    Branches,
    Chain,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAvgPool,
    Layer,
    MaxPool2D,
    PoolUnpool,
    Reshape,
    Residual,
    SkipConcatenate,
    Upsample2D,
)
from skdl.networks import Network, named_layers, receptive_fields


def test_two_of_3_see_5_and_three_see_7():
    fields = receptive_fields([Conv2D(2, 3)] * 3, (9, 9, 1))
    assert [field.size for field in fields] == [(3, 3), (5, 5), (7, 7)]
    assert {field.jump for field in fields} == {(1, 1)}
    assert {field.offset for field in fields} == {(0, 0)}


# As published for 224×224×3, in front of the pooling over the whole picture or of the
# dense layers (Araujo, Norris & Sim 2019; for the VGG nets with the last pooling).
PUBLISHED = [
    ("alexnet", "MaxPool2D", 195, 32),
    ("vgg16", "MaxPool2D", 212, 32),
    ("resnet18", "Activation", 435, 32),
    ("resnet34", "Activation", 899, 32),
    ("resnet50", "Activation", 427, 32),
]


@pytest.mark.parametrize(("name", "last", "size", "jump"), PUBLISHED)
def test_published_sizes(name, last, size, jump):
    fields = receptive_fields(named_layers(name, (224, 224, 3), 0.1), (224, 224, 3))
    field = [f for f in fields if f.layer == last and f.positions != ()]
    field = [f for f in field if f.positions != (1, 1)][-1]
    assert (field.size, field.jump) == ((size, size), (jump, jump))


def moving(network, position):
    """Return the part of the picture whose pixels move an output at a position."""
    rng = np.random.default_rng(0)
    for name in network.params:
        network.params[name][...] = rng.random(network.params.shapes[name])
    network.state.vector[...] = 1.0
    x = rng.random((1, *network.input_shape))
    before = network.predict(x)[0][position]
    axes = network.input_shape[:-1]
    pictures = np.repeat(x, np.prod(axes), axis=0)
    for i, pixel in enumerate(np.ndindex(axes)):
        pictures[(i, *pixel)] += 50.0  # more than any other: a maximum goes there
    moved = np.abs(network.predict(pictures)[(slice(None), *position)] - before)
    where = np.nonzero((moved.max(axis=-1) > 1e-9).reshape(axes))
    if not len(where[0]):
        return None
    return tuple(slice(w.min(), w.max() + 1) for w in where)


def norm():
    return BatchNorm()


PICTURES = {
    "conv": [Conv2D(2, 3)],
    "even": [Conv2D(2, (4, 2), padding="same")],
    "strides": [Conv2D(2, 3, stride=2, padding=1), Conv2D(2, 3, stride=(1, 2))],
    "dilation": [Conv2D(2, 3, dilation=2), Conv2D(2, 2, padding=((0, 1), (1, 0)))],
    "pool": [Conv2D(2, 3, padding=1), MaxPool2D(2), Conv2D(2, 3), AvgPool2D(3, 1)],
    "ceil": [MaxPool2D(3, 2, ceil=True), MaxPool2D(3, 2, padding=1, ceil=True)],
    "depthwise": [DepthwiseConv2D(3, 2, padding="same"), "relu", Conv2D(3, 1)],
    "branches": [
        Branches([Conv2D(1, 1), [Conv2D(2, 3, padding=1), Conv2D(2, 5, padding=2)]]),
        AvgPool2D(2),
    ],
    "unequal offsets": [
        Branches(
            [
                Conv2D(1, 3, padding=((2, 0), (0, 2))),
                Conv2D(1, 4, padding=((0, 3), (1, 2))),
            ]
        ),
    ],
    "unequal jumps": [
        Conv2D(1, (8, 10)),
        Branches([[MaxPool2D(2, (2, 1)), MaxPool2D((1, 2), 1)], Conv2D(1, 3)]),
    ],
    "residual": [
        Residual([Conv2D(2, 3, padding=1), norm(), "relu", Conv2D(1, 3, padding=1)]),
        Residual([Conv2D(4, 3, 2, padding=1)], [Conv2D(4, 1, 2), norm()]),
    ],
    "skip that sees more": [Residual([Conv2D(2, 1)], [Conv2D(2, 5, padding=2)])],
    "side": [AuxiliaryHead([GlobalAvgPool(), Dense(2)]), Chain([Conv2D(2, 3)])],
    "dense": [Conv2D(2, 3), Dense(3)],
    "global": [Conv2D(2, 3), GlobalAvgPool(), Dense(3)],
    "flatten": [Conv2D(2, 3, stride=2), Flatten(), Dense(3), "relu"],
}


@pytest.mark.parametrize("name", PICTURES)
def test_pixels_that_move_a_position(name):
    shape = (11, 14, 1)
    network = Network(PICTURES[name], shape)
    last = [f for f in receptive_fields(network.layers, shape) if f.key.isdigit()][-1]
    if len(network.output_shape) == 1:
        assert last.positions == (1, 1)
        assert last.of(0, 0) == moving(network, ())
        return
    assert last.positions == network.output_shape[:2]
    middle = tuple(n // 2 for n in last.positions)
    for position in {(0, 0), middle, (-1, -1), (0, -1)}:
        assert last.of(*position) == moving(network, position), position


ENLARGED = {
    "nearest": [Conv2D(2, 3, 2), Upsample2D()],
    "bilinear": [MaxPool2D(3), Upsample2D((3, 1), "bilinear")],
    "transposed": [Conv2D(2, 2, 2), ConvTranspose2D(2, 3, 2, 1), Conv2D(1, 2)],
    "transposed, unequal": [AvgPool2D(4), ConvTranspose2D(1, (4, 3), (2, 4), "same")],
    "unpool": [Conv2D(1, 2), PoolUnpool([Conv2D(1, 3, padding=1)]), Conv2D(1, 2)],
    "skip": [
        Conv2D(1, (2, 3)),
        SkipConcatenate([AvgPool2D(2), Conv2D(2, 1), Upsample2D()]),
    ],
}


@pytest.mark.parametrize("name", ENLARGED)
def test_pixels_that_move_a_position_of_what_is_enlarged(name):
    """A position sees what the field says or less, and some reach both of its ends."""
    shape = (11, 14, 1)
    network = Network(ENLARGED[name], shape)
    last = [f for f in receptive_fields(network.layers, shape) if f.key.isdigit()][-1]
    assert last.positions == network.output_shape[:2]
    ends = []
    for position in np.ndindex(*last.positions):
        part = moving(network, position)
        if part is None:
            continue
        parts = zip(part, last.of(*position), strict=True)
        for axis, (mine, told) in enumerate(parts):
            assert told.start <= mine.start < mine.stop <= told.stop, position
            first = position[axis] * last.jump[axis] + last.offset[axis]
            ends.append((mine.start - first, mine.stop - first - last.size[axis]))
    if name != "unpool":  # few positions hold a maximum
        ends = np.reshape(ends, (-1, 2, 2))
        assert not ends[..., 0].min(axis=0).any()
        assert not ends[..., 1].max(axis=0).any()


def test_positions_closer_than_pixels():
    layers = [Upsample2D(), Conv2D(1, 3), MaxPool2D()]
    with pytest.raises(ValueError, match=r"Layer 0 \(Upsample2D\(\)\) does not say"):
        receptive_fields(layers, (7, 7, 1))
    code = [Flatten(), Dense(4), Reshape((2, 2, 1))]
    with pytest.raises(ValueError, match=r"Layer 2 \(Reshape"):
        receptive_fields(code, (7, 7, 1))


@pytest.mark.parametrize(
    "layers",
    [
        [RNN(2)],
        [LSTM(2, reverse=True)],
        [RNN(2), GRU(2, reverse=True)],
        [Bidirectional(GRU(2))],
        [Dense(2)],
        [Residual([Dense(2), "relu"])],
    ],
)
def test_steps_that_move_a_step(layers):
    network = Network(layers, (6, 2))
    rng = np.random.default_rng(0)
    network.initialize(rng)
    x = rng.normal(size=(1, 6, 2))
    steps = np.repeat(x, 6, axis=0)
    steps[range(6), range(6)] += 1.0
    moved = np.abs(network.predict(steps) - network.predict(x)).max(axis=-1) > 0
    (field,) = (
        f for f in receptive_fields(layers, (6, 2)) if f.key == str(len(layers) - 1)
    )
    for step in range(6):
        seen = np.zeros(6, bool)
        seen[field.of(step)] = True
        np.testing.assert_array_equal(moved[:, step], seen)


def test_keys_name_the_arrays():
    layers = named_layers("resnet8", (16, 16, 1))
    keys = {field.key for field in receptive_fields(layers, (16, 16, 1))}
    network = Network(layers, (16, 16, 1))
    assert {name.rpartition(".")[0] for name in network.params} <= keys


def test_flat_samples_have_none():
    (dense, _) = receptive_fields([Dense(4), "relu"], (3,))
    assert dense[2:] == ((),) * 5
    assert dense.of() == ()


@pytest.mark.parametrize("position", [(0,), (0, 0, 0), (0, 5), (-6, 0)])
def test_positions_that_are_not_there(position):
    (field,) = receptive_fields([Conv2D(1, 3)], (7, 7, 1))
    assert field.positions == (5, 5)
    with pytest.raises(IndexError, match=r"positions of layer 0 are \(5, 5\)"):
        field.of(*position)


class Doubled(Layer):
    """Each pixel twice, both ways: a layer that does not say what it looks at."""

    def build(self, input_shape):
        h, w, c = input_shape
        return (2 * h, 2 * w, c), {}


def test_layers_that_do_not_say():
    layers = [Conv2D(1, 3), Residual([Conv2D(1, 3, padding=1)]), Doubled(), "relu"]
    with pytest.raises(ValueError, match=r"Layer 2 \(Doubled\(\)\) does not say"):
        receptive_fields(layers, (7, 7, 1))
    text = Network(layers, (7, 7, 1)).describe()
    assert text.splitlines()[-3].split()[-3:] == ["?", "0", "0"]
