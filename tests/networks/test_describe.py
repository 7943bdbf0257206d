"""The table of a network: its numbers are those of the arrays."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skdl import MLPClassifier
from skdl.layers import (
    GRU,
    RNN,
    AuxiliaryHead,
    BatchNorm,
    Bidirectional,
    Branches,
    Conv2D,
    Dense,
    Dropout,
    GlobalAvgPool,
    Layer,
    MaxPool2D,
    Residual,
)
from skdl.networks import Network, describe, named_layers

CHAIN = [
    Dense(16),
    BatchNorm(momentum=0.2),
    "relu",
    Residual([Dense(8), BatchNorm(), Residual(["tanh"]), Dense(20)]),
    Dense(3, initializer="orthogonal"),
]


def table(network):
    """Return the head and the rows, as lists of words."""
    lines = network.describe().splitlines()
    assert set(lines[2]) == set(lines[-2]) == {"-"}
    assert all(len(line) <= len(lines[2]) for line in lines[1:])
    return lines[0], [line.split() for line in (*lines[3:-2], lines[-1])]


def test_numbers_are_those_of_the_arrays():
    network = Network(CHAIN, (30,), np.float32)
    head, rows = table(network)
    assert head == "Network: input (30,), float32, 5.2 kB"
    numbers = {row[0]: row[-2:] for row in rows}
    products = {row[0]: row[-3] for row in rows}
    assert numbers == {
        "0": ["496", "0"],  # 30 × 16 + 16
        "1": ["32", "32"],
        "2": ["0", "0"],
        "3": ["652", "16"],
        "3.0": ["136", "0"],
        "3.1": ["16", "16"],
        "3.2": ["0", "0"],
        "3.2.0": ["0", "0"],
        "3.3": ["180", "0"],
        "3.skip": ["320", "0"],
        "4": ["63", "0"],
        "total": ["1,243", "48"],
    }
    assert products == {
        "0": "480",  # 30 × 16
        "1": "0",
        "2": "0",
        "3": "608",  # 16 × 8, 8 × 20 and the skip's 16 × 20
        "3.0": "128",
        "3.1": "0",
        "3.2": "0",
        "3.2.0": "0",
        "3.3": "160",
        "3.skip": "320",
        "4": "60",
        "total": "1,148",
    }
    assert network.params.size == 1243
    assert network.state.size == 48


def test_shapes_are_those_of_the_layers():
    network = Network(CHAIN, (30,))
    _, rows = table(network)
    shapes = {row[0]: row[-4] for row in rows if row[-4].startswith("(")}
    X = np.ones((2, 30))
    for i in range(len(CHAIN)):
        width = network.predict(X, i + 1).shape[1]
        assert shapes[str(i)] == f"({width},)"
    assert shapes["3.1"] == "(8,)"


def test_words():
    text = Network(CHAIN, (30,)).describe()
    assert "BatchNorm(momentum=0.2)" in text
    assert "  3.2.0" in text
    assert "orthogonal" in text


@pytest.mark.parametrize("n_units", [1, 11])
def test_keys_that_start_alike_are_told_apart(n_units):
    chain = [Dense(n_units) for _ in range(12)]
    _, rows = table(Network(chain, (n_units,)))
    each = f"{n_units * n_units + n_units:,}"
    assert [row[-1] for row in rows[:-1]] == [each] * 12


def test_without_statistics_there_is_no_column():
    text = Network([Dense(2)], (3,)).describe()
    assert "statistics" not in text
    assert "parameters" in text


def test_no_layers_and_layers_of_ones_own():
    class Shift(Layer):
        """A layer with words of several lines."""

        def build(self, input_shape):
            return input_shape, {"by": (input_shape, "zeros")}

        def __repr__(self):
            return "Shift\n" + "very long words " * 9

    assert table(Network([], (3,)))[1] == [["total", "0", "0"]]
    _, rows = table(Network([Shift()], (7,)))
    assert rows[0][-1] == "7"
    assert rows[0][-4].endswith("…")


def test_repr_of_a_fitted_network():
    X, y = load_iris(return_X_y=True)
    net = MLPClassifier((5,), dropout=0.1, max_iter=2, n_iter_no_change="never")
    net.fit(X, y)
    assert repr(net.network_) == net.network_.describe()
    assert str(Dropout(0.1)) in repr(net.network_)


# G multiply-adds as torchvision publishes them, with two digits behind the point.
PUBLISHED = {
    "alexnet": 0.71,
    "vgg11": 7.61,
    "vgg13": 11.31,
    "vgg16": 15.47,
    "vgg19": 19.63,
    "googlenet": 1.50,
    "resnet18": 1.81,
    "resnet34": 3.66,
    "resnet50": 4.09,
    "resnext50": 4.23,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_multiply_adds(name):
    shape = (224, 224, 3)
    text = describe([*named_layers(name, shape), Dense(1000)], shape, np.float32)
    total = text.splitlines()[-1].split()
    assert total[0] == "total"
    assert round(int(total[1].replace(",", "")) / 1e9, 2) == PUBLISHED[name]


def test_pictures():
    layers = [
        Conv2D(6, 5, padding=2),
        "relu",
        MaxPool2D(2),
        Branches([Conv2D(4, 1), [Conv2D(2, 3, padding=1), "relu"]]),
        AuxiliaryHead([GlobalAvgPool(), Dense(3)]),
        Residual([Conv2D(8, 3, stride=2, padding=1)], [Conv2D(8, 1, stride=2)]),
        GlobalAvgPool(),
        Dense(3),
    ]
    text = describe(layers, (20, 12, 1), np.float32)
    lines = [line.split("  ") for line in text.splitlines()[3:-2]]
    rows = {
        cells[0]: cells[-4:]
        for line in lines
        if (cells := [cell.strip() for cell in line if cell.strip()])
    }
    assert rows == {
        "0": ["(20, 12, 6)", "5×5", "36,000", "156"],
        "1": ["(20, 12, 6)", "5×5", "0", "0"],
        "2": ["(10, 6, 6)", "6×6", "0", "0"],
        "3": ["(10, 6, 6)", "10×10", "7,920", "138"],
        "3.0": ["(10, 6, 4)", "6×6", "1,440", "28"],
        "3.1": ["(10, 6, 2)", "10×10", "6,480", "110"],
        "3.1.0": ["(10, 6, 2)", "10×10", "6,480", "110"],
        "3.1.1": ["(10, 6, 2)", "10×10", "0", "0"],
        "4": ["(10, 6, 6)", "10×10", "0", "21"],
        "4.0": ["(6,)", "all", "0", "0"],
        "4.1": ["(3,)", "all", "18", "21"],
        "5": ["(5, 3, 8)", "14×14", "7,200", "496"],
        "5.0": ["(5, 3, 8)", "14×14", "6,480", "440"],
        "5.skip.0": ["(5, 3, 8)", "10×10", "720", "56"],
        "6": ["(8,)", "all", "0", "0"],
        "7": ["(3,)", "all", "24", "27"],
    }
    assert text.splitlines()[-1].split() == ["total", "51,144", "838"]
    assert text == Network(layers, (20, 12, 1), np.float32).describe()


def test_sequences():
    layers = ["embedding", RNN(4), Bidirectional(GRU(3, return_sequences=False))]
    _, rows = table(Network(layers, (7,)))
    by_key = {row[0]: row for row in rows}
    assert by_key["1"][-2] == f"{7 * (32 * 4 + 4 * 4):,}"
    assert by_key["2"][-2] == f"{2 * 7 * (4 * 9 + 3 * 9):,}"
    assert by_key["2.forwards"][-2] == f"{7 * (4 * 9 + 3 * 9):,}"
    assert by_key["0"][-3] == "1"
    assert by_key["2"][-3] == "all"
