"""The objective: numeric gradients, weights, penalties, shards of rows, memory."""

from importlib import import_module

import numpy as np
import pytest
from scipy import sparse

from skdl import config_context, losses
from skdl._config import has_numba
from skdl.layers import (
    AuxiliaryHead,
    BatchNorm,
    Conv2D,
    Dense,
    DropConnect,
    Dropout,
    Residual,
)
from skdl.losses import BinaryCrossEntropy, CrossEntropy, FunctionLoss, Huber, Quantile
from skdl.networks import Network, mlp_layers
from skdl.testing import check_gradient
from skdl.training import Objective

N, D = 12, 5


def cubed(y, raw):
    e = raw - y
    return np.abs(e) ** 3, 3 * e * np.abs(e)


# loss -> number of outputs
LOSSES = {
    "squared_error": 2,
    "absolute_error": 1,
    Huber(0.3): 2,
    Quantile(0.8): 1,
    "poisson": 2,
    FunctionLoss(cubed): 2,
    "cross_entropy": 3,
    CrossEntropy(0.2): 4,
    "binary_cross_entropy": 1,
    BinaryCrossEntropy(0.1): 3,
}
CHAINS = {
    "linear": [],
    "relu": mlp_layers((7, 4)),
    "each its own": mlp_layers((6, 5, 4), ["tanh", "gelu", "selu"]),
    "regularised": mlp_layers((8, 6), "elu", dropout=(0.3, 0.0), batch_norm=True),
    "residual": [Residual([Dense(6), "softplus"]), BatchNorm(), Residual(["tanh"])],
    "dropconnect": [DropConnect(6, rate=0.4), "sigmoid", Dropout(0.2)],
}


def data(loss, n_outputs, n=N, seed=0):
    """Return X, y as the loss takes it, and weights of which some are zero."""
    rng = np.random.default_rng(seed)
    X, weight = rng.normal(size=(n, D)), rng.integers(0, 4, n).astype(float)
    weight[0] = 1.0
    if isinstance(loss, CrossEntropy):
        y = rng.integers(0, n_outputs, n)
    elif isinstance(loss, BinaryCrossEntropy):
        y = rng.integers(0, 2, (n, n_outputs)).astype(float)
    else:
        y = rng.integers(0, 5, (n, n_outputs)).astype(float)
    return X, y, weight


def made(loss, chain, dtype=np.float64, **penalties):
    """Return an objective and a point away from its start."""
    n_outputs = LOSSES.get(loss, 2)
    network = Network([*chain, Dense(n_outputs)], (D,), dtype)
    rng = np.random.default_rng(0)
    network.initialize(rng)
    network.params.vector[:] += 0.3 * rng.normal(size=network.params.size)
    loss = losses.get(loss)
    return Objective(network, loss, **penalties), network.params.vector.copy(), loss


def function(objective, *args, **kwargs):
    def f(theta):
        rng = np.random.default_rng(7)  # the same draws at each point
        loss, gradient = objective.loss_and_gradient(theta, *args, rng=rng, **kwargs)
        return loss, gradient.copy()

    return f


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradient(loss, chain):
    objective, theta, loss_object = made(loss, CHAINS[chain], l2=0.3, l1=0.2)
    X, y, weight = data(loss_object, LOSSES[loss])
    check_gradient(function(objective, X, y, weight), theta, n_directions=2)


@pytest.mark.parametrize("loss", LOSSES)
def test_value(loss):
    objective, theta, loss_object = made(loss, CHAINS["relu"], l2=0.3, l1=0.2)
    X, y, weight = data(loss_object, LOSSES[loss])
    network = objective.network
    W = theta[network.params.penalised[0]]
    for w in (None, weight):
        value, _ = objective.loss_and_gradient(theta, X, y, w)
        network.params.vector[:] = theta
        each = loss_object.evaluate(y, network.predict(X))[0]
        each = each.sum(axis=1) if each.ndim == 2 else each
        total = N if w is None else w.sum()
        expected = each.sum() if w is None else w @ each
        expected += 0.15 * W @ W + 0.2 * np.abs(W).sum()
        np.testing.assert_allclose(value, expected / total, rtol=1e-12)


def test_the_penalties_spare_biases_and_norms():
    chain = [Dense(4), BatchNorm(), "tanh"]
    X, y, _ = data(losses.get("squared_error"), 2)
    plain, theta, _ = made("squared_error", chain)
    penalised, _, _ = made("squared_error", chain, l2=5.0, l1=3.0)
    difference = (
        function(penalised, X, y)(theta)[1] - function(plain, X, y)(theta)[1]
    ) * N
    params = plain.network.params.like(difference)
    at = plain.network.params.like(theta)
    for name in params:
        expected = 0.0
        if name.endswith(".W"):
            expected = 5.0 * at[name] + 3.0 * np.sign(at[name])
        np.testing.assert_allclose(params[name], expected, atol=1e-11)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_weight_is_a_number_of_copies(loss):
    objective, theta, loss_object = made(loss, CHAINS["relu"], l2=0.1)
    X, y, weight = data(loss_object, LOSSES[loss])
    copies = np.repeat(np.arange(N), weight.astype(int))
    value, gradient = function(objective, X, y, weight)(theta)
    repeated = function(objective, X[copies], y[copies])(theta)
    np.testing.assert_allclose(value, repeated[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, repeated[1], rtol=1e-9, atol=1e-13)


def test_without_penalties_only_the_ratios_of_weights_matter():
    objective, theta, loss = made("cross_entropy", CHAINS["relu"])
    X, y, weight = data(loss, 3)
    value, gradient = function(objective, X, y, weight)(theta)
    scaled = function(objective, X, y, 10 * weight)(theta)
    np.testing.assert_allclose(scaled[0], value, rtol=1e-12)
    np.testing.assert_allclose(scaled[1], gradient, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_shards_of_rows_add_up(loss, weighted):
    objective, theta, loss_object = made(loss, CHAINS["each its own"])
    X, y, weight = data(loss_object, LOSSES[loss])
    if not weighted:
        weight = np.ones(N)
    total = weight.sum()
    value, gradient = function(objective, X, y, weight)(theta)
    shards = [slice(0, 5), slice(5, 6), slice(6, N)]
    parts = [
        function(objective, X[s], y[s], weight[s] if weighted else None, total=total)(
            theta
        )
        for s in shards
    ]
    np.testing.assert_allclose(sum(part[0] for part in parts), value, rtol=1e-12)
    np.testing.assert_allclose(
        sum(part[1] for part in parts), gradient, rtol=1e-10, atol=1e-14
    )


def test_rows_without_weight_say_nothing():
    objective, theta, loss = made("squared_error", CHAINS["relu"], l2=1.0)
    X, y, _ = data(loss, 2)
    value, gradient = objective.loss_and_gradient(theta, X, y, np.zeros(N))
    assert value == 0.0
    assert not gradient.any()


@pytest.mark.parametrize("chain", ["linear", "relu", "dropconnect"])
def test_sparse_rows(chain):
    objective, theta, loss = made("squared_error", CHAINS[chain])
    X, y, weight = data(loss, 2)
    X[np.abs(X) < 0.7] = 0
    dense = function(objective, X, y, weight)(theta)
    for kind in (sparse.csr_array, sparse.csr_matrix):
        got = function(objective, kind(X), y, weight)(theta)
        np.testing.assert_allclose(got[0], dense[0], rtol=1e-12)
        np.testing.assert_allclose(got[1], dense[1], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy"])
def test_single_precision(loss):
    results = {}
    for dtype in (np.float32, np.float64):
        objective, _, loss_object = made(loss, CHAINS["relu"], dtype, l2=0.1, l1=0.1)
        X, y, weight = data(loss_object, LOSSES[loss])
        y = y.astype(dtype) if y.dtype.kind == "f" else y
        theta = made(loss, CHAINS["relu"])[1].astype(dtype)
        results[dtype] = function(objective, X.astype(dtype), y, weight.astype(dtype))(
            theta
        )
        assert results[dtype][1].dtype == dtype
    single, double = results.values()
    np.testing.assert_allclose(single[0], double[0], rtol=1e-5)
    np.testing.assert_allclose(single[1], double[1], rtol=1e-3, atol=1e-5)


def test_the_same_seed_gives_the_same_bits_in_used_memory():
    objective, theta, loss = made("cross_entropy", CHAINS["regularised"])
    X, y, weight = data(loss, 3)
    first = function(objective, X, y, weight)(theta)
    function(objective, X[:5], y[:5], weight[:5])(theta)  # a smaller batch between
    second = function(objective, X, y, weight)(theta)
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])
    fresh, _, _ = made("cross_entropy", CHAINS["regularised"])
    np.testing.assert_array_equal(function(fresh, X, y, weight)(theta)[1], first[1])


def test_nothing_that_was_given_is_changed():
    objective, theta, loss = made("squared_error", CHAINS["regularised"], l2=0.1)
    given = [*data(loss, 2), theta]
    for array in given:
        array.flags.writeable = False
    X, y, weight, theta = given
    network_before = objective.network.params.vector.copy()
    function(objective, X, y, weight)(theta)
    np.testing.assert_array_equal(objective.network.params.vector, network_before)


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("loss", ["cross_entropy", CrossEntropy(0.2)])
@pytest.mark.parametrize("weighted", [False, True])
def test_classes_of_pictures_have_the_loss_of_rows(loss, weighted, monkeypatch):
    twin, calls = import_module("skdl.ops._numba.cross_entropy"), []
    compiled = twin.cross_entropy
    monkeypatch.setattr(
        twin, "cross_entropy", lambda *args: calls.append(1) or compiled(*args)
    )
    rng = np.random.default_rng(0)
    layers = [Conv2D(3), "relu", AuxiliaryHead(["flatten", Dense(4)]), "flatten"]
    X, y = rng.normal(size=(N, 5, 6, 2)), rng.integers(0, 4, N)
    weight = rng.integers(0, 3, N).astype(float) if weighted else None
    found = []
    for engine in ("numpy", "numba"):
        with config_context(engine=engine):
            network = Network([*layers, Dense(4)], X.shape[1:])
            network.initialize(np.random.default_rng(1))
            objective = Objective(network, losses.get(loss), l2=0.1)
            value, gradient = objective.loss_and_gradient(
                network.params.vector, X, y, weight
            )
        found.append(np.append(gradient, value))
    np.testing.assert_allclose(*found, rtol=1e-11, atol=1e-13)
    assert len(calls) == 2  # of the head beside, too
