"""Architectures by name: what they are made of, at every size and width."""

import numpy as np
import pytest

from skdl import networks
from skdl.layers import Context, Dense, TooSmallError
from skdl.networks import Network, named_layers


@pytest.fixture
def own_name():
    yield "own"
    networks._architectures._ARCHITECTURES.pop("own", None)


def test_lenet_has_the_published_number_of_parameters():
    layers = [*named_layers("lenet", (28, 28, 1)), Dense(10)]
    assert Network(layers, (28, 28, 1)).params.size == 61_706


@pytest.mark.parametrize("name", networks.names())
@pytest.mark.parametrize("width", [0.25, 1.0])
def test_all_give_one_finite_row_a_picture(name, width):
    shape = (40, 36, 3)
    network = Network(named_layers(name, shape, width), shape, np.float32)
    network.initialize(np.random.default_rng(0))
    x = np.random.default_rng(1).random((2, *shape), dtype=np.float32)
    y, _ = network.forward(network.tree(network.params), x, Context(False, None, "f4"))
    assert y.shape == (2, *network.output_shape)
    assert len(network.output_shape) == 1
    assert np.isfinite(y).all()
    assert np.abs(y[0] - y[1]).max() > 0


@pytest.mark.parametrize("name", networks.names())
def test_width_multiplies_channels(name):
    shape = (64, 64, 3)
    sizes = [
        Network(named_layers(name, shape, width), shape).params.size
        for width in (0.5, 1.0, 2.0)
    ]
    assert 2 * sizes[0] < sizes[1] < sizes[2] / 2


@pytest.mark.parametrize("name", networks.names())
def test_layers_are_new_each_time(name):
    first, second = (named_layers(name, (32, 32, 3)) for _ in range(2))
    assert not {id(layer) for layer in first} & {id(layer) for layer in second}


def test_smallest_picture_of_lenet():
    Network(named_layers("lenet", (12, 12, 1)), (12, 12, 1))
    with pytest.raises(TooSmallError, match=r"smallest input that fits is \(12, 12"):
        Network(named_layers("lenet", (8, 8, 1)), (8, 8, 1))


@pytest.mark.parametrize(
    ("size", "last"),
    [
        ((1, 1), (1, 1)),
        ((1, 30), (1, 3)),
        ((3, 2), (3, 2)),
        ((5, 4), (2, 2)),
        ((8, 8), (4, 4)),
        ((28, 28), (3, 3)),
        ((64, 9), (8, 2)),
    ],
)
def test_small_takes_any_size(size, last):
    network = Network(named_layers("small", (*size, 2)), (*size, 2))
    pictures = [shape for shape in network.shapes if len(shape) == 3]
    assert pictures[-1][:2] == last


def test_scaled_rounds_to_multiples():
    assert networks.scaled(64, 0.5) == 32
    assert networks.scaled(6, 0.01) == 1
    assert networks.scaled(128, 0.3, 32) == 32
    assert networks.scaled(100, 1.0, 32) == 96


def test_registering_ones_own(own_name):
    @networks.register(own_name)
    def mine(input_shape, width=1.0):
        return ["flatten", Dense(networks.scaled(input_shape[0], width))]

    assert own_name in networks.names()
    assert networks.get(own_name) is mine
    assert named_layers(own_name, (8, 3, 1), 0.5)[1].units == 4
    with pytest.raises(ValueError, match="replace=True"):
        networks.register(own_name)(mine)
    networks.register(own_name, replace=True)(networks.lenet)
    assert networks.get(own_name) is networks.lenet


def test_unknown_names_list_the_known_ones():
    with pytest.raises(
        ValueError, match=r"Unknown architecture 'lenett'.*lenet.*Did you mean 'lenet'"
    ):
        networks.get("lenett")


@pytest.mark.parametrize("width", [0, -1.0, "wide", None])
def test_width_out_of_range(width):
    with pytest.raises(ValueError, match="width"):
        named_layers("lenet", (28, 28, 1), width)
