"""The layers of a multi-layer perceptron."""

import numpy as np
import pytest

from skdl import activations
from skdl.layers import Activation, BatchNorm, Dense, Dropout
from skdl.networks import mlp_layers

CHAINS = {
    "defaults": ({}, [Dense(100), Activation("relu")]),
    "a number": ({"hidden_layer_sizes": 7}, [Dense(7), Activation("relu")]),
    "none": ({"hidden_layer_sizes": ()}, []),
    "one each": (
        {
            "hidden_layer_sizes": [3, 2],
            "activation": ["tanh", "elu"],
            "dropout": (0.0, 0.4),
        },
        [Dense(3), Activation("tanh"), Dense(2), Activation("elu"), Dropout(0.4)],
    ),
    "one for all": (
        {"hidden_layer_sizes": (3, 2), "activation": "selu", "dropout": 0.1},
        [
            *[Dense(3), Activation("selu"), Dropout(0.1)],
            *[Dense(2), Activation("selu"), Dropout(0.1)],
        ],
    ),
    "normalised": (
        {"hidden_layer_sizes": 4, "batch_norm": True, "dropout": 0.5},
        [Dense(4, bias=False), BatchNorm(), Activation("relu"), Dropout(0.5)],
    ),
    "an instance": (
        {"hidden_layer_sizes": 4, "activation": activations.ELU(0.5)},
        [Dense(4), Activation(activations.ELU(0.5))],
    ),
}


@pytest.mark.parametrize("case", CHAINS)
def test_chain(case):
    arguments, expected = CHAINS[case]
    assert repr(mlp_layers(**arguments)) == repr(expected)


def test_sizes_may_be_an_array():
    layers = mlp_layers(np.array([3, 2]))
    assert [layer.units for layer in layers[::2]] == [3, 2]


WRONG = {
    "activations": (
        {"hidden_layer_sizes": (3, 2), "activation": ["relu"]},
        "activation has 1 entries for 2 hidden layers",
    ),
    "rates": (
        {"hidden_layer_sizes": (3,), "dropout": [0.1, 0.2]},
        "dropout has 2 entries for 1 hidden layers",
    ),
    "no layer": (
        {"hidden_layer_sizes": (), "activation": ["relu"]},
        "activation has 1 entries for 0 hidden layers",
    ),
    "size 0": ({"hidden_layer_sizes": (3, 0)}, r"positive integers, got \(3, 0\)"),
    "size −1": ({"hidden_layer_sizes": -1}, "positive integers, got -1"),
    "half": ({"hidden_layer_sizes": [2.5]}, r"positive integers, got \[2\.5\]"),
    "a flag": ({"hidden_layer_sizes": True}, "positive integers, got True"),
    "a word": ({"hidden_layer_sizes": "ab"}, "positive integers, got 'ab'"),
    "nothing": ({"hidden_layer_sizes": None}, "positive integers, got None"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong(case):
    arguments, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        mlp_layers(**arguments)
