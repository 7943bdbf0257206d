"""Weights of other frameworks do in a network here what they do there."""

import numpy as np
import pytest
from scipy.signal import correlate

from skdl import MLPClassifier
from skdl.io import load_weights, read_weights, save_weights, write_safetensors
from skdl.layers import (
    LSTM,
    BatchNorm,
    Branches,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    PReLU,
    Residual,
)
from skdl.networks import Network

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape)


def test_a_convolution_is_the_one_of_the_other_axes():
    W, b = normal(5, 3, 2, 4), normal(5)
    network = Network([Conv2D(5, (2, 4))], (6, 7, 3))
    load_weights(network, {"c.weight": W, "c.bias": b})
    x = normal(6, 7, 3)
    expected = np.stack(
        [correlate(x.transpose(2, 0, 1), w, "valid")[0] for w in W], axis=-1
    )
    np.testing.assert_allclose(network.predict(x[None])[0], expected + b, rtol=1e-10)


@pytest.mark.parametrize("order", ["chw", "hwc", "whc", "wch", "cwh", "hcw"])
def test_flattened_pictures_are_sorted(order):
    h, w, c = 2, 3, 4
    W = normal(5, h * w * c)
    scale, mean = rng.uniform(0.5, 2, size=h * w * c), normal(h * w * c)
    network = Network(
        [Flatten(), Dropout(), BatchNorm(), Dense(5, bias=False)], (h, w, c)
    )
    weights = {
        "n.weight": scale,
        "n.bias": mean,
        "n.running_mean": mean,
        "n.running_var": scale,
        "n.num_batches_tracked": np.array(3),
        "d.weight": W,
    }
    load_weights(network, weights, flatten=None if order == "chw" else order)
    x = normal(3, h, w, c)
    there = x.transpose(0, *(1 + "hwc".index(axis) for axis in order)).reshape(3, -1)
    there = (there - mean) / np.sqrt(scale + 1e-5) * scale + mean
    np.testing.assert_allclose(network.predict(x), there @ W.T, rtol=1e-9)


def test_dense_layers_inside_branches_know_the_picture_too():
    chain = [Flatten(), Branches([[Dense(2)], [Dense(3), Dense(1)]])]
    network = Network(chain, (2, 2, 3))
    W = [normal(2, 12), normal(3, 12), normal(1, 3)]
    load_weights(
        network,
        {
            f"{i}.{n}": v
            for i, w in enumerate(W)
            for n, v in (("weight", w), ("bias", np.zeros(len(w))))
        },
    )
    x = normal(4, 2, 2, 3)
    flat = x.transpose(0, 3, 1, 2).reshape(4, -1)
    expected = np.hstack([flat @ W[0].T, flat @ W[1].T @ W[2].T])
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-9)


def test_slopes_and_plain_norms():
    network = Network([PReLU(), BatchNorm(), PReLU()], (3,))
    statistics = {"running_mean": normal(3), "running_var": rng.uniform(1, 2, 3)}
    load_weights(
        network,
        {
            "p.weight": np.array([0.1, 0.2, 0.3]),
            **{f"n.{name}": value for name, value in statistics.items()},
            "q.weight": np.array([0.5]),
        },
    )
    np.testing.assert_array_equal(network.params["2.a"], [0.5, 0.5, 0.5])
    np.testing.assert_array_equal(network.params["1.gamma"], [1, 1, 1])
    np.testing.assert_array_equal(network.params["0.a"], [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(
        network.state["1.running_mean"], statistics["running_mean"]
    )


def test_a_shortcut_without_layers_is_a_dense_layer_or_a_convolution_of_1():
    for shape in ((4, 3), (4, 3, 1, 1)):
        network = Network([Residual([Dense(4)])], (3,))
        skip = normal(*shape)
        load_weights(
            network, {"d.weight": normal(4, 3), "d.bias": normal(4), "s.weight": skip}
        )
        np.testing.assert_array_equal(network.params["0.skip.W"], skip.reshape(4, 3).T)


def test_modules_in_another_order():
    network = Network([Dense(3), Dense(3)], (3,))
    weights = {
        "b.weight": normal(3, 3),
        "b.bias": normal(3),
        "a.weight": normal(3, 3),
        "a.bias": normal(3),
        "rest.weight": normal(1),
    }
    load_weights(network, weights, modules=["a", "b"])
    np.testing.assert_array_equal(network.params["0.W"], weights["a.weight"].T)
    with pytest.raises(ValueError, match=r"no modules named \['c'\].*b, a, rest"):
        load_weights(network, weights, modules=["a", "c"])


def test_lists_of_keras():
    """Depthwise filters are (h, w, c, multiplier) there, shared slopes (1, 1, c)."""
    chain = [
        DepthwiseConv2D(2, multiplier=2),
        PReLU(),
        BatchNorm(),
        Flatten(),
        Dense(3),
    ]
    network = Network(chain, (3, 4, 2))
    depthwise = normal(2, 2, 2, 2)
    arrays = [
        depthwise,
        normal(4),
        normal(1, 1, 4),
        normal(4),
        normal(4),
        normal(4),
        rng.uniform(1, 2, 4),
        normal(24, 3),
        normal(3),
    ]
    load_weights(network, arrays)
    for c in range(2):
        for m in range(2):
            np.testing.assert_array_equal(
                network.params["0.W"][:, :, 0, 2 * c + m], depthwise[:, :, c, m]
            )
    np.testing.assert_array_equal(network.params["4.W"], arrays[7])
    np.testing.assert_array_equal(network.state["2.running_variance"], arrays[6])
    load_weights(network, arrays, flatten="whc")
    turned = arrays[7].reshape(3, 2, 4, 3).transpose(1, 0, 2, 3).reshape(24, 3)
    np.testing.assert_array_equal(network.params["4.W"], turned)


CONV = {"c.weight": np.ones((4, 1, 3, 3)), "c.bias": np.ones(4)}
DENSE = {"d.weight": np.ones((3, 4)), "d.bias": np.ones(3)}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (CONV, "not as many"),
        ({**CONV, **DENSE, "e.weight": np.ones(2)}, "not as many"),
        ({**DENSE, **CONV}, "layer 0 .Conv2D. and d: weight has 2 axes, expected 4"),
        (
            {**CONV, "d.weight": np.ones((3, 5)), "d.bias": np.ones(3)},
            r"W is of shape \(4, 3\) here and \(5, 3\) there",
        ),
        ({**CONV, "d.weight": np.ones((3, 4))}, "it needs weight, bias"),
        ({**CONV, **DENSE, "d.running_mean": np.ones(3)}, "running_mean"),
        ([np.ones((3, 3, 1, 4)), np.ones(4), np.ones((4, 3))], "1 arrays, expected 2"),
        ([np.ones((3, 3, 1, 4)), np.ones(4)], "not as many"),
        ([np.ones(1)] * 5, "not as many"),
        ({"0.W": np.ones((3, 3, 1, 4))}, r"0\.b: \(4,\) here, missing in the file"),
    ],
)
def test_weights_that_do_not_fit_name_both_sides_and_change_nothing(weights, message):
    network = Network([Conv2D(4), "relu", Flatten(), Dense(3)], (3, 3, 1))
    network.initialize(rng)
    before = network.snapshot()
    with pytest.raises(ValueError, match=message) as error:
        load_weights(network, weights)
    if isinstance(weights, list) or "0.W" not in weights:
        text = str(error.value)
        assert "0 Conv2D: W (3, 3, 1, 4), b (4,)" in text
        assert "3 Dense: W (4, 3), b (3,)" in text
        assert "weight (" in text or "arrays 0 to 1" in text
    for a, b in zip(before, network.snapshot(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_layers_that_others_have_no_weights_for():
    network = Network([LSTM(2)], (4, 3))
    with pytest.raises(ValueError, match="cannot be turned into those of LSTM"):
        load_weights(network, {"l.weight": normal(2)})


@pytest.mark.parametrize(
    ("model", "weights", "settings", "error", "message"),
    [
        ("net", {}, {}, TypeError, r"Network or of a fitted"),
        (Network([Dense(1)], (1,)), 3, {}, TypeError, "weights must be a file"),
        (Network([Dense(1)], (1,)), {}, {"flatten": "hw"}, ValueError, "flatten"),
        (Network([Dense(1)], (1,)), {}, {}, ValueError, "do not fit"),
    ],
)
def test_bad_arguments(model, weights, settings, error, message):
    with pytest.raises(error, match=message):
        load_weights(model, weights, **settings)


def test_a_fitted_network_is_saved_and_loaded(tmp_path):
    X, y = normal(30, 4), np.arange(30) % 3
    net = {"max_iter": 2, "n_iter_no_change": "never", "batch_norm": True}
    model = MLPClassifier((5, 4), random_state=0, **net).fit(X, y)
    other = MLPClassifier((5, 4), random_state=1, **net).fit(X, y)
    path = tmp_path / "net.safetensors"
    save_weights(model, path)
    assert all(array.dtype == np.float64 for array in read_weights(path).values())
    load_weights(other, path)
    np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match="do not fit the network"):
        load_weights(MLPClassifier((5, 3), **net).fit(X, y), path)
    with pytest.raises(TypeError, match="fitted network"):
        save_weights(MLPClassifier(), path)


def test_names_with_numbers_are_put_in_order(tmp_path):
    """As nn.Sequential names them: 2 comes before 10."""
    path = tmp_path / "w.safetensors"
    weights = {"10.weight": normal(2, 3), "2.weight": normal(3, 4)}
    write_safetensors(path, weights)
    network = Network([Dense(3, bias=False), "relu", Dense(2, bias=False)], (4,))
    load_weights(network, str(path))
    np.testing.assert_array_equal(network.params["0.W"], weights["2.weight"].T)
