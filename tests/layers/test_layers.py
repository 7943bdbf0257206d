"""Every layer keeps the contract, and does what its docstring says."""

import numpy as np
import pytest
from scipy import sparse

from skdl import activations, initializers, layers
from skdl._params import ParamVector
from skdl.layers import (
    GRU,
    LSTM,
    RNN,
    Activation,
    AuxiliaryHead,
    AvgPool2D,
    BatchNorm,
    Bidirectional,
    Branches,
    Chain,
    Context,
    Conv2D,
    ConvTranspose2D,
    Delay,
    Dense,
    DepthwiseConv2D,
    DropConnect,
    Dropout,
    Embedding,
    EncoderDecoder,
    Flatten,
    GaussianNoise,
    GlobalAvgPool,
    KeepSize,
    Layer,
    MaxPool2D,
    ParamSpec,
    PixelShuffle,
    PoolSteps,
    PoolUnpool,
    PReLU,
    Rescale,
    Reshape,
    Residual,
    SkipConcatenate,
    SpatialDropout,
    TiedEmbedding,
    Upsample2D,
)
from skdl.networks import Network
from skdl.testing import check_layer

# One row a layer: a new layer is tested by adding its row.
TABLE = [
    (Dense(1), (1,)),
    (Dense(7), (5,)),
    (Dense(3, bias=False), (5,)),
    (Dense(3, bias_initializer="ones"), (5,)),
    (DropConnect(4, rate=0.3), (5,)),
    (DropConnect(4, rate=0.0, bias=False), (5,)),
    (Dropout(0.4), (5,)),
    (Dropout(0.0), (5,)),
    (BatchNorm(), (5,)),
    (BatchNorm(momentum=1.0, epsilon=0.1), (1,)),
    *((Activation(name), (5,)) for name in activations.names()),
    (Residual(), (5,)),
    (Residual(["tanh"]), (5,)),
    (Residual([Dense(5)]), (5,)),
    (Residual([Dense(3), "elu"]), (5,)),
    (Residual([BatchNorm(), Dense(4), Dropout(0.3), "gelu", Dense(5)]), (5,)),
    (Residual([Residual([Dense(2), "tanh"]), DropConnect(5, rate=0.2)]), (5,)),
    (Residual([Dense(3)], ["tanh", Dense(3, bias=False)]), (5,)),
    (Residual(shortcut=[BatchNorm()]), (5,)),
    (Conv2D(4), (5, 6, 3)),
    (Conv2D(2, (1, 3), stride=(2, 1), padding="same", bias=False), (4, 5, 1)),
    (Conv2D(6, 3, padding=((1, 0), (2, 1)), dilation=(1, 2), groups=3), (5, 6, 3)),
    (Conv2D(5, 1), (3, 3, 4)),
    (DepthwiseConv2D(), (4, 4, 3)),
    (DepthwiseConv2D((2, 3), 2, "same", multiplier=2), (5, 5, 2)),
    (MaxPool2D(), (4, 6, 3)),
    (MaxPool2D(3, 2, padding=1), (5, 6, 2)),
    (MaxPool2D(2, ceil=True), (5, 5, 1)),
    (AvgPool2D(), (4, 6, 3)),
    (AvgPool2D(3, 2, padding=1, count_padding=True), (5, 6, 2)),
    (GlobalAvgPool(), (3, 4, 5)),
    (Flatten(), (3, 2, 2)),
    (Flatten(), (4,)),
    (Rescale(0.5, -1.0), (3, 2)),
    (SpatialDropout(0.4), (3, 3, 4)),
    (SpatialDropout(0.4), (5,)),
    (PReLU(), (3, 4)),
    (RNN(4), (3, 2)),
    (RNN(3, "relu", return_sequences=False), (4, 2)),
    (LSTM(3), (4, 2)),
    (LSTM(2, return_sequences=False, reverse=True), (3, 4)),
    (GRU(3), (4, 2)),
    (GRU(2, reverse=True), (3, 4)),
    (Bidirectional(GRU(2)), (3, 4)),
    (Bidirectional(LSTM(2, return_sequences=False)), (3, 4)),
    (Residual([LSTM(2)]), (3, 2)),
    (Delay(), (4, 3)),
    (Delay((0.5, 2.0, 3.0)), (4, 3)),
    (PoolSteps(), (4, 3)),
    (PoolSteps("max"), (4, 3)),
    (Chain([Dense(3), "tanh"]), (5,)),
    (Chain(), (5,)),
    (Branches([[Dense(3), "tanh"], Dense(2), "sigmoid"]), (5,)),
    (Branches([Conv2D(2, 1), [Conv2D(3, 3, padding="same"), "elu"]]), (4, 3, 2)),
    (Residual([Conv2D(4, 3, 2, 1)], [Conv2D(4, 1, 2)]), (5, 5, 2)),
    (GaussianNoise(0.3), (3, 2)),
    (Reshape((2, 3, 1)), (6,)),
    (Upsample2D(), (3, 2, 4)),
    (Upsample2D((1, 3), "bilinear"), (3, 2, 4)),
    (ConvTranspose2D(3), (4, 3, 2)),
    (ConvTranspose2D(4, (2, 3), 2, "same", groups=2, bias=False), (3, 4, 2)),
    (ConvTranspose2D(2, 3, 2, 1, output_size=(6, 7)), (3, 4, 1)),
    (ConvTranspose2D(3, 3, (2, 1), ((1, 0), (2, 1)), (1, 2)), (3, 4, 2)),
    (SkipConcatenate([Conv2D(2, padding="same"), "elu"]), (3, 4, 2)),
    (SkipConcatenate(), (5,)),
    (
        SkipConcatenate(
            [
                MaxPool2D(),
                SkipConcatenate([MaxPool2D(), Conv2D(3, 1), Upsample2D()]),
                "tanh",
                Upsample2D(),
            ]
        ),
        (4, 8, 2),
    ),
    (PoolUnpool(), (5, 4, 3)),
    (PoolUnpool([Conv2D(3, 3, padding="same"), "elu"], 3, 2, 1), (5, 6, 3)),
    (PoolUnpool([PoolUnpool(["tanh"]), Conv2D(2, 1)], ceil=True), (7, 5, 2)),
    (PixelShuffle(), (2, 3, 8)),
    (KeepSize([PoolUnpool([Conv2D(2, 3, padding="same"), "tanh"])]), (3, 5, 2)),
]


@pytest.mark.parametrize(("layer", "input_shape"), TABLE, ids=repr)
def test_contract(layer, input_shape):
    check_layer(layer, input_shape)


def test_every_registered_layer_is_in_the_table():
    tested = {type(layer) for layer, _ in TABLE}
    # They have tests of their own.
    tested |= {AuxiliaryHead, Embedding, EncoderDecoder, TiedEmbedding}
    assert tested == {type(layers.get(name)) for name in layers.names()}


# layer -> what it says
WRONG = {
    "zero units": (Dense(0), r"'units' .* int in the range \[1, inf\). Got 0"),
    "half a unit": (Dense(2.5), r"'units' .* Got 2\.5"),
    "drop all": (Dropout(1.0), r"'rate' .* \[0.0, 1.0\). Got 1\.0"),
    "drop less than none": (
        DropConnect(3, rate=-0.1),
        r"of DropConnect .* \[0.0, 1.0\)",
    ),
    "no momentum": (BatchNorm(momentum=0.0), r"'momentum' .* \(0.0, 1.0\]"),
    "no epsilon": (BatchNorm(epsilon=0.0), "'epsilon' .* Got 0.0"),
    "delay": (Delay([1.0, 2.0]), r"scale for all features or for each, got .* \(4,\)"),
    "inside": (Residual([Dense(3), Dropout(2.0)]), r"Layer 1 \(Dropout\(rate=2\.0\)\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_hyper_parameters(case):
    layer, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        Network(["relu", layer], (4,))


@pytest.mark.parametrize("layer", [Dense(3), DropConnect(3, rate=0), BatchNorm()])
def test_more_axes_are_rows_of_the_last_one(layer):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 5, 2, 6))
    dy = rng.normal(size=(4, 5, 2, *Network([layer], (6,)).output_shape))
    results = []
    for shape in ((5, 2, 6), (6,)):
        network = Network([layer], shape)
        network.initialize(np.random.default_rng(1))
        grads = network.params.like()
        ctx = Context(True, np.random.default_rng(2))
        tree = network.tree(network.params)
        y, caches = network.forward(tree, x.reshape(-1, *shape), ctx)
        dx = network.backward(tree, grads.tree, caches, dy.reshape(y.shape), ctx)
        results.append(
            [
                y,
                dx,
                grads.vector,
                network.state.vector,
                network.predict(x.reshape(-1, *shape)),
            ]
        )
    for many, flat in zip(*results, strict=True):
        np.testing.assert_allclose(many.ravel(), flat.ravel(), rtol=1e-12, atol=1e-14)


def test_a_skip_of_more_axes():
    network = Network([Residual([Dense(5), "relu"])], (3, 4))
    assert network.output_shape == (3, 5)
    assert network.params["0.skip.W"].shape == (4, 5)

    class Halve(Layer):
        def build(self, input_shape):
            return (input_shape[0] // 2, input_shape[1]), {}

    with pytest.raises(ValueError, match=r"turn \(4, 2\) into \(2, 2\), the shortcut"):
        Network([Residual([Halve()])], (4, 2))


def test_names():
    assert isinstance(layers.get("dropout"), Dropout)
    assert layers.get("relu").function == "relu"
    with pytest.raises(ValueError, match=r"Known layers: activation.*tanh"):
        layers.get("relux")
    with pytest.raises(TypeError, match=r"got 3 of type int"):
        layers.get(3)
    with pytest.raises(TypeError, match=r"Pass an instance: Dense\(\)"):
        layers.get(Dense)


@pytest.mark.parametrize("chain", ["relu", Dense(3), 3, None, {"a": 1}], ids=repr)
def test_a_chain_is_a_list(chain):
    with pytest.raises(TypeError, match="layers must be a list of layers or names"):
        Network(chain, (3,))
    if chain is not None:
        with pytest.raises(TypeError, match="layers must be a list of layers or names"):
            Network([Residual(chain)], (3,))


# ---- what is random


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean(rate):
    x = np.ones((400, 500))
    y, mask = Dropout(rate).forward({}, x, Context(True, np.random.default_rng(0)))
    n = x.size
    assert set(np.unique(y)) == {0.0, 1 / (1 - rate)}
    # Five standard errors of a binomial share, and of the mean.
    share_error = np.sqrt(rate * (1 - rate) / n)
    assert abs((y == 0).mean() - rate) < 5 * share_error
    assert abs(y.mean() - 1) < 5 * share_error / (1 - rate)
    np.testing.assert_array_equal(y, mask)
    dy = np.arange(n, dtype=float).reshape(x.shape)
    dx = Dropout(rate).backward({}, {}, mask, dy, Context(True))
    np.testing.assert_array_equal(dx, dy * mask)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_draws_anew_and_follows_the_rng(dtype):
    def draw(rng):
        ctx = Context(True, rng, dtype)
        return Dropout(0.5).forward({}, np.ones((50, 20), dtype), ctx)[0]

    rng = np.random.default_rng(0)
    first, second = draw(rng), draw(rng)
    assert first.dtype == dtype
    assert (first != second).any()
    np.testing.assert_array_equal(draw(np.random.default_rng(0)), first)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_is_normal(dtype):
    x = np.full((400, 500), 2.0, dtype)
    ctx = Context(True, np.random.default_rng(0), dtype)
    y = GaussianNoise(0.5).forward({}, x, ctx)[0]
    assert y.dtype == dtype
    assert abs(y.mean() - 2) < 5 * 0.5 / np.sqrt(x.size)
    assert abs(y.std() - 0.5) < 5 * 0.5 / np.sqrt(2 * x.size)
    share = (np.abs(y - 2) < 0.5).mean()  # within one standard deviation
    assert abs(share - 0.6827) < 5 * np.sqrt(0.6827 * 0.3173 / x.size)


@pytest.mark.parametrize(
    "layer", [Dropout(0.5), DropConnect(3), GaussianNoise(1.0)], ids=repr
)
def test_predictions_are_not_random(layer):
    network = Network([layer], (4,))
    network.initialize(np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(6, 4))
    expected = x @ network.params["0.W"] if "0.W" in network.params else x
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-12)


def test_what_is_random_needs_an_rng():
    for layer in (Dropout(0.5), DropConnect(2)):
        network = Network([layer], (4,))
        with pytest.raises(ValueError, match="draws random numbers while training"):
            network.forward(
                network.tree(network.params), np.ones((2, 4)), Context(True)
            )


def test_dropconnect_drops_weights_not_biases_and_keeps_the_mean():
    layer = DropConnect(200, rate=0.3)
    W, b = np.ones((300, 200)), np.full(200, 5.0)
    ctx = Context(True, np.random.default_rng(0))
    x = np.eye(300)  # the output is the masked weights themselves
    z, cache = layer.forward({"W": W, "b": b}, x, ctx)
    masked = z - b
    np.testing.assert_allclose(np.unique(masked), [0.0, 1 / 0.7], atol=1e-12)
    assert abs((masked == 0).mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / W.size)
    # A dropped weight gets no gradient, a kept one the scaled one.
    grads = {"W": np.empty_like(W), "b": np.empty_like(b)}
    layer.backward({"W": W, "b": b}, grads, cache, np.ones_like(z), ctx)
    np.testing.assert_allclose(grads["W"], masked, atol=1e-12)
    np.testing.assert_allclose(grads["b"], 300.0)


# ---- dense


def test_dense_formula_and_sparse_input():
    network = Network([Dense(3, bias_initializer="ones")], (4,))
    network.initialize(np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(5, 4))
    x[np.abs(x) < 0.5] = 0
    W, b = network.params["0.W"], network.params["0.b"]
    assert (b == 1).all()
    expected = x @ W + b
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-12)
    for made in (sparse.csr_array, sparse.csr_matrix):
        np.testing.assert_allclose(network.predict(made(x)), expected, rtol=1e-12)


@pytest.mark.parametrize("initializer", ["zeros", "he_normal", "orthogonal"])
def test_dense_draws_from_its_initializer(initializer):
    network = Network([Dense(3, initializer=initializer)], (4,))
    network.initialize(np.random.default_rng(0))
    expected = initializers.get(initializer)((4, 3), np.random.default_rng(0), float)
    np.testing.assert_array_equal(network.params["0.W"], expected)


# ---- batch normalisation


def test_batch_norm_while_training():
    rng = np.random.default_rng(0)
    layer, x = BatchNorm(momentum=0.25), rng.normal(3.0, 2.0, size=(20, 4))
    network = Network([layer], (4,))
    network.initialize(rng)
    np.testing.assert_array_equal(network.state["0.running_mean"], 0)
    np.testing.assert_array_equal(network.state["0.running_variance"], 1)
    tree = network.tree(network.params)
    y, _ = network.forward(tree, x, Context(True))
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=0), 1, rtol=1e-5)
    mean, variance = x.mean(axis=0), x.var(axis=0, ddof=1)
    np.testing.assert_allclose(network.state["0.running_mean"], 0.25 * mean)
    np.testing.assert_allclose(
        network.state["0.running_variance"], 0.75 + 0.25 * variance
    )


def test_batch_norm_predicts_with_the_running_statistics():
    network = Network([BatchNorm(epsilon=0.01)], (3,))
    rng = np.random.default_rng(0)
    network.params.vector[:] = rng.normal(size=network.params.size)
    network.state["0.running_mean"][:] = [1, 2, 3]
    network.state["0.running_variance"][:] = [1, 4, 9]
    x = rng.normal(size=(5, 3))
    gamma, beta = network.params["0.gamma"], network.params["0.beta"]
    expected = gamma * (x - [1, 2, 3]) / np.sqrt(np.array([1, 4, 9]) + 0.01) + beta
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-12)
    np.testing.assert_allclose(network.predict(x[:1]), expected[:1], rtol=1e-12)


def test_the_running_statistics_converge_to_those_of_the_data():
    rng = np.random.default_rng(0)
    network = Network([BatchNorm(momentum=0.1)], (2,))
    network.initialize(rng)
    tree, ctx = network.tree(network.params), Context(True)
    for _ in range(400):
        network.forward(tree, rng.normal([1, -5], [2, 0.5], size=(64, 2)), ctx)
    np.testing.assert_allclose(network.state["0.running_mean"], [1, -5], atol=0.3)
    np.testing.assert_allclose(
        network.state["0.running_variance"], [4, 0.25], rtol=0.25
    )


def test_batch_norm_of_one_row_is_its_shift():
    network = Network([BatchNorm()], (3,))
    network.initialize(np.random.default_rng(0))
    tree = network.tree(network.params)
    y, _ = network.forward(tree, np.array([[1.0, 2.0, 3.0]]), Context(True))
    np.testing.assert_allclose(y, 0, atol=1e-12)
    assert np.isfinite(network.state.vector).all()


def test_running_statistics_are_no_parameters():
    network = Network([Dense(3), BatchNorm(), "relu"], (4,))
    assert set(network.params) == {"0.W", "0.b", "1.gamma", "1.beta"}
    assert set(network.state) == {"1.running_mean", "1.running_variance"}


# ---- residual


def residual(chain, x, seed=0):
    network = Network([Residual(chain)], x.shape[1:])
    network.initialize(np.random.default_rng(seed))
    return network, network.predict(x)


def test_residual_of_nothing_doubles():
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(residual([], x)[1], 2 * x)


def test_residual_adds_the_input():
    x = np.random.default_rng(0).normal(size=(5, 3))
    network, y = residual([Dense(3), "tanh"], x)
    assert set(network.params) == {"0.0.W", "0.0.b"}
    expected = x + np.tanh(x @ network.params["0.0.W"])
    np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_residual_projects_where_the_width_changes():
    x = np.random.default_rng(0).normal(size=(5, 3))
    network, y = residual([Dense(7), "tanh"], x)
    assert set(network.params) == {"0.0.W", "0.0.b", "0.skip.W"}
    P, W = network.params["0.skip.W"], network.params["0.0.W"]
    assert P.shape == (3, 7)
    np.testing.assert_allclose(y, x @ P + np.tanh(x @ W), rtol=1e-12)


def test_a_zero_residual_branch_passes_the_input_and_its_gradient():
    network = Network([Residual([Dense(4, initializer="zeros")])] * 20, (4,))
    network.initialize(np.random.default_rng(0))
    x = np.random.default_rng(0).normal(size=(5, 4))
    tree, ctx = network.tree(network.params), Context(True)
    y, caches = network.forward(tree, x, ctx)
    np.testing.assert_array_equal(y, x)
    grads = network.params.like()
    np.testing.assert_array_equal(network.backward(tree, grads.tree, caches, x, ctx), x)


def test_layers_inside_a_residual_are_trained_and_hold_statistics():
    network = Network([Residual([Dense(3), BatchNorm()])], (4,))
    assert "0.1.running_mean" in network.state
    network = Network([Residual([Activation("step")])], (4,))
    with pytest.raises(ValueError, match="no useful derivative"):
        network.check_trainable()


# ---- the initializer that suits what follows


def suits(activation):
    return activations.get(activation).initializer


AUTO = {
    "relu": ([Dense(3), "relu"], suits("relu")),
    "through batch norm": ([Dense(3), BatchNorm(), "selu"], suits("selu")),
    "through dropout": ([DropConnect(3), Dropout(), "selu"], suits("selu")),
    "far ahead": ([Dense(3), BatchNorm(), Dropout(), "selu"], suits("selu")),
    "the next one counts": ([Dense(3), "tanh", "selu"], suits("tanh")),
    "tanh": ([Dense(3), "tanh"], suits("tanh")),
    "selu": ([Dense(3), "selu"], suits("selu")),
    "nothing follows": ([Dense(3)], "xavier_uniform"),
    "another dense follows": ([Dense(3), Dense(2), "selu"], "xavier_uniform"),
    "its own": ([Dense(3, initializer="normal"), "relu"], "normal"),
}


@pytest.mark.parametrize("case", AUTO)
def test_auto_initializer(case):
    chain, name = AUTO[case]
    network, other = Network(chain, (4,)), Network([Dense(3, initializer=name)], (4,))
    for net in (network, other):
        net.initialize(np.random.default_rng(0))
    np.testing.assert_array_equal(network.params["0.W"], other.params["0.W"])


def test_the_suggestions_differ():
    assert suits("selu") != suits("tanh") == "xavier_uniform"


def test_the_networks_initializer_stands_in_for_auto_alone():
    chain = [Dense(3, initializer="ones"), "relu", Dense(2)]
    network = Network(chain, (4,), initializer=initializers.Constant(0.5))
    network.initialize(np.random.default_rng(0))
    assert (network.params["0.W"] == 1.0).all()
    assert (network.params["2.W"] == 0.5).all()


# ---- a layer of the user's own


def test_a_registered_layer_works_by_name():
    @layers.register("test_shift")
    class Shift(Layer):
        """y = x + s."""

        def build(self, input_shape):
            return input_shape, {"s": ParamSpec(input_shape, "zeros")}

        def forward(self, params, x, ctx):
            return np.add(x, params["s"], out=ctx.empty(x.shape)), None

        def backward(self, params, grads, cache, dy, ctx):
            np.sum(dy, axis=0, out=grads["s"])
            return dy

    try:
        check_layer("test_shift", (3,))
        network = Network(["test_shift", Dense(2)], (3,))
        assert isinstance(network.params, ParamVector)
        assert "0.s" in network.params
    finally:
        del layers.registry._classes["test_shift"]
