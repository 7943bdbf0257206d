"""The table of a network: its numbers are those of the arrays."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skdl import MLPClassifier
from skdl.layers import BatchNorm, Dense, Dropout, Layer, Residual
from skdl.networks import Network

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
    assert network.params.size == 1243
    assert network.state.size == 48


def test_shapes_are_those_of_the_layers():
    network = Network(CHAIN, (30,))
    _, rows = table(network)
    shapes = {row[0]: row[-3] for row in rows if row[-3].startswith("(")}
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

    assert table(Network([], (3,)))[1] == [["total", "0"]]
    _, rows = table(Network([Shift()], (7,)))
    assert rows[0][-1] == "7"
    assert rows[0][-3].endswith("…")


def test_repr_of_a_fitted_network():
    X, y = load_iris(return_X_y=True)
    net = MLPClassifier((5,), dropout=0.1, max_iter=2, n_iter_no_change="never")
    net.fit(X, y)
    assert repr(net.network_) == net.network_.describe()
    assert str(Dropout(0.1)) in repr(net.network_)
