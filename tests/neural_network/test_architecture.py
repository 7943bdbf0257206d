"""What decides the network: sizes, activations, dropout, norms, layers, initializer."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.base import clone

from skdl import MLPClassifier, MLPRegressor, activations, initializers, layers
from skdl.layers import (
    Activation,
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    Residual,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

FAST = {"max_iter": 3, "random_state": 0}

# constructor arguments -> the layers of the network
NETWORKS = {
    "a number": ({"hidden_layer_sizes": 5}, [Dense(5), "relu"]),
    "none": ({"hidden_layer_sizes": ()}, []),
    "two": (
        {"hidden_layer_sizes": [6, 4], "activation": "elu"},
        [Dense(6), "elu", Dense(4), "elu"],
    ),
    "one activation each": (
        {"hidden_layer_sizes": (6, 4), "activation": ["tanh", activations.ELU(0.5)]},
        [Dense(6), "tanh", Dense(4), activations.ELU(0.5)],
    ),
    "one rate each": (
        {"hidden_layer_sizes": (6, 4), "dropout": (0.0, 0.25)},
        [Dense(6), "relu", Dense(4), "relu", Dropout(0.25)],
    ),
    "one rate": (
        {"hidden_layer_sizes": (6, 4), "dropout": 0.1},
        [Dense(6), "relu", Dropout(0.1), Dense(4), "relu", Dropout(0.1)],
    ),
    "batch norm": (
        {"hidden_layer_sizes": (6,), "batch_norm": True, "dropout": 0.1},
        [Dense(6, bias=False), BatchNorm(), "relu", Dropout(0.1)],
    ),
    "layers": (
        {"layers": [Dense(7), "gelu", Residual([Dense(7), "tanh"]), DropConnect(3)]},
        [Dense(7), "gelu", Residual([Dense(7), "tanh"]), DropConnect(3)],
    ),
    "layers by name": (
        {"layers": ["dense", "batch_norm", "relu", "dropout", "residual"]},
        [Dense(100), BatchNorm(), "relu", Dropout(0.5), Residual()],
    ),
    "a tuple of layers": ({"layers": (Dense(4), "tanh")}, [Dense(4), "tanh"]),
    "no layers": ({"layers": []}, []),
    "layers win": ({"layers": [Dense(3)], "hidden_layer_sizes": (50,)}, [Dense(3)]),
}


def resolved(layer):
    """Return the printed layer, its names made objects."""
    if isinstance(layer, activations.ActivationFunction):
        layer = Activation(layer)
    return repr(layers.get(layer).settled())


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("case", NETWORKS)
def test_layers_of_the_network(iris, cls, case):
    arguments, expected = NETWORKS[case]
    net = cls(**arguments, **FAST).fit(*iris)
    *hidden, output = net.network_.layers
    assert [repr(layer) for layer in hidden] == [resolved(layer) for layer in expected]
    assert repr(output) == repr(Dense(3 if cls is MLPClassifier else 1))
    widths = [W.shape for W in net.coefs_]
    assert widths[0][0] == 4
    assert widths[-1][1] == net.n_outputs_
    assert net.n_layers_ == len(widths) + 1


@pytest.mark.parametrize("case", NETWORKS)
def test_what_they_compute_is_trained(iris, case):
    X, y = iris
    net = MLPClassifier(**NETWORKS[case][0], **FAST)
    start = clone(net).initialize(X, y)
    net.fit(X, y)
    for name in net.network_.params:
        assert (net.network_.params[name] != start.network_.params[name]).any(), name
    # The mean of a few epochs: dropout makes each of them noisy.
    net.set_params(max_iter=40).fit(X, y)
    assert np.mean(net.loss_curve_[-5:]) < np.mean(net.loss_curve_[:5])


def test_no_hidden_layer_is_softmax_regression(iris):
    X, y = iris
    net = MLPClassifier((), **FAST).fit(X, y)
    (W,), (b,) = net.coefs_, net.intercepts_
    np.testing.assert_allclose(net.predict_proba(X), softmax(X @ W + b, axis=1))


def test_no_hidden_layer_is_logistic_regression(problems):
    X, y = problems["binary"]
    net = MLPClassifier((), **FAST).fit(X, y)
    (W,), (b,) = net.coefs_, net.intercepts_
    np.testing.assert_allclose(net.predict_proba(X)[:, 1:], expit(X @ W + b))


def test_no_hidden_layer_is_linear_regression(curve):
    X, y = curve
    net = MLPRegressor((), optimizer="lbfgs", alpha=0.0, max_iter=500).fit(X, y)
    A = np.c_[X, np.ones(len(X))]
    expected = np.linalg.lstsq(A, y)[0]
    np.testing.assert_allclose(net.coefs_[0][:, 0], expected[:-1], atol=1e-4)
    np.testing.assert_allclose(net.intercepts_[0], expected[-1], atol=1e-4)


@pytest.mark.parametrize("name", sorted(set(activations.names()) - {"step"}))
def test_forward_by_hand_with_every_activation(curve, name):
    X, y = curve
    net = MLPRegressor((4, 3), name, random_state=0).initialize(X, y)
    (W1, W2, W3), (b1, b2, b3) = net.coefs_, net.intercepts_
    f = activations.get(name)
    expected = f(f(X @ W1 + b1) @ W2 + b2) @ W3 + b3
    np.testing.assert_allclose(net.predict(X), expected[:, 0], rtol=1e-10)


def test_step_neurons_predict_but_do_not_train(iris):
    X, y = iris
    net = MLPClassifier((5,), "step", **FAST)
    assert set(net.initialize(X, y).predict(X)) <= {0, 1, 2}
    with pytest.raises(ValueError, match="no useful derivative and cannot be trained"):
        net.fit(X, y)
    net = MLPClassifier(layers=[Dense(3), Residual(["step"])], **FAST)
    with pytest.raises(ValueError, match="no useful derivative and cannot be trained"):
        net.partial_fit(X, y)


def test_xor_by_hand_with_step_neurons():
    """XOR is f(f(x₁−x₂) + f(x₂−x₁)): three threshold neurons."""
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([0, 1, 1, 0])
    net = MLPClassifier((2,), "step").initialize(X, y)
    net.coefs_[0][:], net.intercepts_[0][:] = [[1, -1], [-1, 1]], -0.5
    net.coefs_[1][:], net.intercepts_[1][:] = 1, -0.5
    np.testing.assert_array_equal(net.predict(X), y)


@pytest.mark.parametrize("settings", [{"dropout": 0.5}, {"batch_norm": True}])
def test_what_only_acts_while_training(iris, settings):
    X, y = iris
    net = MLPClassifier((8,), **settings, **FAST).fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), net.predict_proba(X))
    np.testing.assert_allclose(
        net.predict_proba(X)[:7], net.predict_proba(X[:7]), rtol=1e-9
    )
    plain = MLPClassifier((8,), **FAST).fit(X, y)
    assert plain.loss_curve_ != net.loss_curve_


def test_batch_norm_learns_the_scale_of_its_input(curve):
    X, y = curve
    net = MLPRegressor(layers=[BatchNorm()], max_iter=300, tol=0, random_state=0)
    net.fit(1000 * X + 500, y)
    np.testing.assert_allclose(
        net.network_.state["0.running_mean"], 1000 * X.mean(axis=0) + 500, rtol=1e-6
    )
    np.testing.assert_allclose(
        net.network_.state["0.running_variance"],
        1e6 * X.var(axis=0, ddof=1),
        rtol=1e-6,
    )


# ---- initializer


@pytest.mark.parametrize("name", sorted(set(initializers.names()) - {"zeros", "ones"}))
def test_every_initializer_by_name(iris, name):
    net = MLPClassifier((6,), initializer=name, random_state=0).initialize(*iris)
    rng = np.random.default_rng(np.random.SeedSequence(seed_of(0)).spawn(1)[0])
    expected = initializers.get(name)((4, 6), rng, np.dtype(float))
    np.testing.assert_array_equal(net.coefs_[0], expected)
    assert not net.intercepts_[0].any()
    assert not net.intercepts_[1].any()


def seed_of(random_state):
    return int(np.random.RandomState(random_state).randint(np.iinfo(np.int32).max))


@pytest.mark.parametrize("activation", ["relu", "tanh", "selu"])
def test_auto_suits_the_activation(iris, activation):
    suited = activations.get(activation).initializer
    auto = MLPClassifier((6,), activation, random_state=0).initialize(*iris)
    named = MLPClassifier((6,), activation, initializer=suited, random_state=0)
    np.testing.assert_array_equal(auto.coefs_[0], named.initialize(*iris).coefs_[0])


def test_initializer_settings_and_instances(iris):
    by_name = MLPClassifier((6,), initializer="normal", random_state=0)
    by_name.set_params(initializer__std=0.5).initialize(*iris)
    instance = initializers.Normal(0.5)
    given = MLPClassifier((6,), initializer=instance, random_state=0).initialize(*iris)
    np.testing.assert_array_equal(by_name.coefs_[0], given.coefs_[0])
    layered = MLPClassifier(
        layers=[Dense(6, initializer="normal"), "relu"],
        initializer="ones",
        random_state=0,
    ).set_params(layers__0__initializer__std=0.5)
    layered.initialize(*iris)
    np.testing.assert_array_equal(layered.coefs_[0], given.coefs_[0])
    assert (layered.coefs_[1] == 1).all()


def test_zero_weights_stay_symmetric(iris):
    """Why zeros are no start: the hidden units never differ."""
    net = MLPClassifier((5,), "tanh", initializer=initializers.Constant(0.1), **FAST)
    net.fit(*iris)
    np.testing.assert_allclose(net.coefs_[0], net.coefs_[0][:, :1] * np.ones(5))


# ---- the regressor starts at the best constant


LOSSES = {
    "squared_error": np.mean,
    "absolute_error": np.median,
    "poisson": np.mean,
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("sizes", [(), (5,)])
def test_the_output_starts_at_the_best_constant(loss, sizes):
    rng = np.random.default_rng(0)
    X, y = np.zeros((101, 2)), rng.poisson(50, 101).astype(float)
    net = MLPRegressor(sizes, loss=loss).initialize(X, y)  # ReLU of zero is zero
    np.testing.assert_allclose(net.predict(X), LOSSES[loss](y), rtol=1e-9)


def test_permuted_hidden_units_are_the_same_network(iris):
    X, y = iris
    net = MLPClassifier((7,), **FAST).fit(X, y)
    before = net.predict_proba(X)
    order = np.random.default_rng(0).permutation(7)
    net.coefs_[0][:], net.intercepts_[0][:] = (
        net.coefs_[0][:, order],
        net.intercepts_[0][order],
    )
    net.coefs_[1][:] = net.coefs_[1][order]
    np.testing.assert_allclose(net.predict_proba(X), before, rtol=1e-10)


# ---- layers as parameters


def test_layers_are_parameters_seen_from_outside(iris):
    mine = [Dense(6), "relu", Dropout(0.3)]
    net = MLPClassifier(layers=mine, **FAST)
    params = net.get_params()
    assert params["layers__0__units"] == 6
    assert params["layers__2__rate"] == 0.3
    other = clone(net).set_params(layers__0__units=9, layers__2__rate=0.0)
    assert mine[0].units == 6
    assert other.fit(*iris).coefs_[0].shape == (4, 9)
    assert "Dropout(rate=0.3)" in repr(net)
    assert "Dropout" in net._repr_html_()


def test_fit_changes_no_parameter(iris):
    mine = [Dense(6), "relu", Residual([Dense(6), "tanh"])]
    net = MLPClassifier(layers=mine, optimizer="momentum", **FAST)
    before = repr(net.get_params())
    net.fit(*iris)
    assert repr(net.get_params()) == before
    assert net.layers is mine
    assert net.layers[1] == "relu"
    assert not {*map(id, mine)} & {*map(id, net.network_.layers)}
