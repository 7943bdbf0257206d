"""Architectures by name: what they are made of, at every size and width."""

import math
from functools import partial

import numpy as np
import pytest

from skdl import networks
from skdl.layers import Context, Dense, TooSmallError, build_chain, resolve_chain
from skdl.networks import Network, named_layers


@pytest.fixture
def own_name():
    yield "own"
    networks._architectures._ARCHITECTURES.pop("own", None)


def with_head(layers, n_classes):
    """Return the layers with output layers, also in auxiliary heads."""

    def head(shape):
        assert len(shape) == 1
        return [Dense(n_classes)]

    chain = [layer.with_head(head) for layer in resolve_chain(layers)]
    return resolve_chain([*chain, Dense(n_classes)])


def n_parameters(layers, input_shape):
    """Count the trainable numbers, without arrays."""

    def count(specs):
        if isinstance(specs, dict):
            return sum(map(count, specs.values()))
        return math.prod(specs.shape) if specs.trainable else 0

    return count(build_chain(layers, input_shape)[1])


# As torchvision publishes them, with 1000 classes and 224×224×3; GoogLeNet's with its
# auxiliary heads. resnet18 of 32×32 is the usual form for CIFAR.
PUBLISHED = [
    ("alexnet", 224, 3, 1000, 61_100_840),
    ("vgg11", 224, 3, 1000, 132_863_336),
    ("vgg13", 224, 3, 1000, 133_047_848),
    ("vgg16", 224, 3, 1000, 138_357_544),
    ("vgg19", 224, 3, 1000, 143_667_240),
    ("googlenet", 224, 3, 1000, 13_004_888),
    ("resnet18", 224, 3, 1000, 11_689_512),
    ("resnet34", 224, 3, 1000, 21_797_672),
    ("resnet50", 224, 3, 1000, 25_557_032),
    ("resnext50", 224, 3, 1000, 25_028_904),
    ("resnet18", 32, 3, 10, 11_173_962),
    ("efficientnet_lite0", 224, 3, 1000, 4_652_008),
    ("lenet", 28, 1, 10, 61_706),
    ("vgg_small", 32, 3, 10, 591_274),
    ("resnet8", 32, 3, 10, 78_042),
    ("separable", 32, 3, 10, 136_778),
]


@pytest.mark.parametrize(("name", "side", "channels", "classes", "number"), PUBLISHED)
def test_published_numbers_of_parameters(name, side, channels, classes, number):
    shape = (side, side, channels)
    assert n_parameters(with_head(named_layers(name, shape), classes), shape) == number
    if (name, side) != ("resnet18", 32):
        assert f"{number:,}" in networks.get(name).__doc__


def test_googlenet_without_auxiliary_heads():
    layers = with_head(named_layers("googlenet", (224, 224, 3)), 1000)
    layers = [layer for layer in layers if type(layer).__name__ != "AuxiliaryHead"]
    assert n_parameters(layers, (224, 224, 3)) == 6_624_904


def test_auxiliary_heads_see_four_by_four_parts():
    """The paper's windows of 5×5 with distance 3, on 14×14 pixels."""
    for side, window, stride in ((224, (5, 5), (3, 3)), (32, (4, 4), (4, 4))):
        layers = named_layers("googlenet", (side, side, 3), 0.1)
        heads = [layer for layer in layers if type(layer).__name__ == "AuxiliaryHead"]
        assert len(heads) == 2
        for head in heads:
            assert head.weight == 0.3
            assert (head.layers[0].pool_size, head.layers[0].stride) == (window, stride)


def test_auxiliary_heads_are_used_in_training_only():
    shape = (16, 16, 1)
    layers = with_head(named_layers("googlenet", shape, 0.05), 3)
    network = Network(layers, shape)
    network.initialize(np.random.default_rng(0))
    x = np.random.default_rng(1).random((4, *shape))
    ctx = Context(True, np.random.default_rng(2))
    network.forward(network.tree(network.params), x, ctx)
    assert [side.raw.shape for side in ctx.sides] == [(4, 3), (4, 3)]
    ctx = Context(False)
    network.forward(network.tree(network.params), x, ctx)
    assert ctx.sides == []


def run(name, shape, width, n=2, other=None, train=False):
    """Return the output for random pictures, of another size than it was made for."""
    network = Network(named_layers(name, shape, width), shape, np.float32)
    network.initialize(np.random.default_rng(0))
    x = np.random.default_rng(1).random((n, *(other or shape)), dtype=np.float32)
    ctx = Context(train, np.random.default_rng(2), "f4")
    return network, network.forward(network.tree(network.params), x, ctx)[0]


NEEDS_SPACE = {"lenet"}
PICTURES = {"espcn", "unet", "unet4", "unet5"}  # these end with pictures


@pytest.mark.parametrize("name", networks.names())
@pytest.mark.parametrize(
    ("shape", "width"),
    [((40, 36, 3), 0.05), ((40, 36, 1), 0.125), ((70, 64, 2), 0.05), ((8, 8, 1), 0.1)],
)
def test_all_give_finite_numbers_for_each_picture(name, shape, width):
    if name in NEEDS_SPACE and min(shape[:2]) < 12:
        with pytest.raises(TooSmallError):
            run(name, shape, width)
        return
    network, y = run(name, shape, width)
    assert y.shape == (2, *network.output_shape)
    sides = shape[:2] if name in PICTURES else ()
    assert network.output_shape[:-1] == sides
    assert np.isfinite(y).all()
    assert np.abs(y[0] - y[1]).max() > 0


@pytest.mark.parametrize("name", sorted(set(networks.names()) - NEEDS_SPACE))
@pytest.mark.parametrize("size", [(1, 1), (1, 30), (2, 3), (20, 21), (33, 5), (64, 3)])
def test_any_size(name, size):
    shape = (*size, 2)
    if name in PICTURES:
        layers = resolve_chain(named_layers(name, shape, 0.1))
        assert build_chain(layers, shape)[0][-1][:2] == size
        return
    layers = with_head(named_layers(name, shape, 0.1), 2)
    assert build_chain(layers, shape)[0][-1] == (2,)


GLOBAL = [
    "efficientnet_lite0",
    "googlenet",
    "resnet8",
    "resnet18",
    "resnet50",
    "resnext50",
    "separable",
]


@pytest.mark.parametrize("name", GLOBAL)
@pytest.mark.parametrize("other", [(32, 32, 1), (23, 37, 1)])
def test_nets_that_end_in_a_mean_take_other_sizes(name, other):
    network, y = run(name, (28, 28, 1), 0.05, other=other)
    assert y.shape == (2, *network.output_shape)
    assert np.isfinite(y).all()


@pytest.mark.parametrize("name", networks.names())
def test_he_start_keeps_the_size_of_the_signal(name):
    """In training, that is; 1 to 50 layers with weights, with and without norms."""
    if name in ("lenet", "small", "espcn"):
        pytest.skip("shallow: these take the start that the user chooses")
    network, y = run(name, (64, 64, 3), 0.2, n=4, train=True)
    specs = [spec for n, spec in network._specs.items() if n.endswith("W")]
    assert {spec.initializer for spec in specs} == {"he_normal"}
    assert 0.1 < np.sqrt(np.mean(y**2)) < 10


@pytest.mark.parametrize("name", networks.names())
def test_width_multiplies_channels(name):
    shape = (64, 64, 3)
    end = resolve_chain if name in PICTURES else partial(with_head, n_classes=2)
    sizes = [
        n_parameters(end(named_layers(name, shape, width)), shape)
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
        ((4, 4), (2, 2)),
        ((8, 8), (2, 2)),
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


@pytest.mark.parametrize("other", [(64, 64, 1), (9, 30, 1)])
def test_second_heads_do_not_bind_predictions_to_a_size(other):
    shape = (32, 32, 1)
    network = Network(with_head(named_layers("googlenet", shape, 0.05), 3), shape)
    network.initialize(np.random.default_rng(0))
    y = network.predict(np.random.default_rng(1).random((2, *other)))
    assert y.shape == (2, 3)
    assert network.at(other).describe().splitlines()[-1].split()[0] == "total"
    assert type(network.layers[-1]).__name__ == "Dense"
    heads = [type(layer).__name__ for layer in network.layers]
    assert heads.count("AuxiliaryHead") == 2
