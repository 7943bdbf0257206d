"""Layers of pictures: shapes, sizes that do not fit, what is fused, side outputs."""

import pickle

import numpy as np
import pytest

from skdl import MLPClassifier, config_context, losses
from skdl.layers import (
    Activation,
    AuxiliaryHead,
    AvgPool2D,
    BatchNorm,
    Branches,
    Chain,
    Context,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
    Rescale,
    Residual,
    SpatialDropout,
    TooSmallError,
    fold_norms,
    forward_chain,
    resolve_chain,
)
from skdl.networks import Network
from skdl.networks._rates import set_rates
from skdl.ops.conv import conv2d, conv2d_backward_input, conv2d_backward_weights
from skdl.testing import check_gradient
from skdl.training import Objective

CNN = [Conv2D(6, 5), "relu", MaxPool2D(), Conv2D(16, 5), "relu", MaxPool2D(), Flatten()]


def drawn(layers, shape, dtype=np.float64, seed=0):
    network = Network(layers, shape, dtype)
    network.initialize(np.random.default_rng(seed))
    return network


def test_lenet():
    network = Network(
        [*CNN, Dense(120), "relu", Dense(84), "relu", Dense(10)], (28, 28, 1)
    )
    shapes = [(24, 24, 6), (24, 24, 6), (12, 12, 6), (8, 8, 16), (8, 8, 16), (4, 4, 16)]
    assert network.shapes[1:7] == shapes
    assert network.params.size == 156 + 2416 + 120 * 257 + 84 * 121 + 850


def test_parameters_of_a_convolution():
    assert Network([Conv2D(6, 3)], (8, 8, 3)).params.size == 162 + 6
    assert Network([DepthwiseConv2D(3)], (8, 8, 3)).params.size == 27 + 3


@pytest.mark.parametrize(
    ("layers", "shape", "smallest", "layer"),
    [
        (CNN, (12, 20, 1), "(16, 20, 1)", 3),
        ([Conv2D(4, 3), Conv2D(4, 3), Conv2D(4, 3)], (6, 6, 2), "(7, 7, 2)", 2),
        ([MaxPool2D(4)], (3, 3, 1), "(4, 4, 1)", 0),
        ([Branches([Conv2D(2, 3), Conv2D(2, 3)])], (2, 9, 1), "(3, 9, 1)", 0),
    ],
)
def test_pictures_that_are_too_small(layers, shape, smallest, layer):
    with pytest.raises(TooSmallError) as caught:
        Network(layers, shape)
    assert f"The smallest input that fits is {smallest}." in str(caught.value)
    assert str(caught.value).startswith(f"Layer {layer} (")


@pytest.mark.parametrize("layer", [Conv2D(), MaxPool2D(), GlobalAvgPool()], ids=repr)
def test_pictures_are_needed(layer):
    with pytest.raises(ValueError, match=r"takes pictures \(height, width, channels\)"):
        Network([layer], (4, 4))


WRONG = {
    "filters": (Conv2D(0), "'filters' parameter of Conv2D"),
    "kernel": (Conv2D(2, 0), "window's size must be an integer of at least 1"),
    "kernel of three": (Conv2D(2, (1, 2, 3)), "window's size must be"),
    "stride": (Conv2D(2, stride=0), "stride must be an integer"),
    "padding": (Conv2D(2, padding="full"), "padding must be"),
    "groups": (Conv2D(4, groups=2), "groups must divide the channels"),
    "no branches": (Branches(), "at least one branch"),
    "branches that differ": (
        Branches([Conv2D(2, 1), Conv2D(2, 3)]),
        r"shapes \[\(6, 6, 2\), \(4, 4, 2\)\]",
    ),
    "sum of two sizes": (Residual([Conv2D(3, 3)]), r"the shortcut into \(6, 6, 3\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings(case):
    layer, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        Network([layer], (6, 6, 3))


def test_one_branch_is_not_a_list():
    with pytest.raises(TypeError, match="branches must be a list"):
        Network([Branches(Conv2D())], (4, 4, 1))


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("layer", [Conv2D(4, 3), DepthwiseConv2D(3, multiplier=2)])
def test_the_activation_that_follows_is_fused(layer, engine):
    """It gives what two layers one by one give, also behind other layers."""
    x = np.random.default_rng(0).normal(size=(3, 6, 6, 2))
    chain = [layer, "relu", BatchNorm(), Conv2D(2, 1), "tanh", Conv2D(2, 1)]
    fused = drawn(chain, x.shape[1:])
    # Another layer in between keeps the two apart.
    apart = drawn([layer, Dropout(0.0), "relu", *chain[2:]], x.shape[1:])
    apart.params.vector[:] = fused.params.vector
    dy = np.random.default_rng(1).normal(size=(3, *fused.output_shape))
    results = []
    with config_context(engine=engine):
        for network in (fused, apart):
            grads = network.params.like()
            ctx = Context(True)
            tree = network.tree(network.params)
            y, caches = network.forward(tree, x, ctx)
            dx = network.backward(tree, grads.tree, caches, dy, ctx)
            results.append([y, dx, grads.vector, network.predict(x)])
            negative = network.predict(x, 1)
            assert (negative < 0).any()  # the convolution alone has no floor
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


NORMED = [Conv2D(3, bias=False), BatchNorm(), "relu", DepthwiseConv2D(3), BatchNorm()]
BLOCK = [Conv2D(6, padding=1), BatchNorm(), "relu", Conv2D(6, 1), BatchNorm()]
RESIDUALS = {
    "norm last": Residual(BLOCK, [Conv2D(6, 1), BatchNorm()]),
    "convolution last": Residual(BLOCK[:-1], [Conv2D(6, 1, bias=False), BatchNorm()]),
    "linear shortcut": Residual(BLOCK),
    "no shortcut": Residual([BatchNorm()]),
    "ReLU inside": Residual([BatchNorm(), "relu"]),
    "identity": Residual(),
}


def results_of(network, x, dy, engine):
    """Return output, gradients and running statistics of a training step."""
    grads, ctx = network.params.like(), Context(True)
    with config_context(engine=engine):
        tree = network.tree(network.params)
        y, caches = network.forward(tree, x, ctx)
        dx = network.backward(tree, grads.tree, caches, dy, ctx)
    return y, dx, grads.vector, network.state.vector


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("case", RESIDUALS)
def test_norms_sums_and_the_activation_that_follows_are_fused(case, engine):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 6, 7, 2))
    fused = drawn([*NORMED, RESIDUALS[case], "relu", Conv2D(2, 1)], x.shape[1:])
    fused.params.vector += 0.3 * rng.normal(size=fused.params.size)
    # Another layer in between keeps them apart.
    still = Dropout(0.0)
    layers = [*NORMED[:2], still, *NORMED[2:], RESIDUALS[case], still, "relu"]
    apart = drawn([*layers, Conv2D(2, 1)], x.shape[1:])
    apart.params.vector[:] = fused.params.vector
    dy = rng.normal(size=(3, *fused.output_shape))
    got, expected = (results_of(n, x, dy, engine) for n in (fused, apart))
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("shape", [(6, 3), (2, 4, 5, 3)])
def test_moving_averages_of_a_norm(shape, engine):
    """They begin at 0 and 1 and go a tenth of the way; the variance is unbiased."""
    x = np.random.default_rng(0).normal(2.0, 3.0, shape)
    network = drawn([BatchNorm(momentum=0.1, epsilon=0.5)], shape[1:])
    with config_context(engine=engine):
        y = network.forward(network.tree(network.params), x, Context(True))[0]
    rows = x.reshape(-1, 3)
    expected = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 0.5)
    np.testing.assert_allclose(y.reshape(-1, 3), expected, rtol=1e-10, atol=1e-12)
    mean, variance = 0.1 * rows.mean(0), 0.9 + 0.1 * rows.var(0, ddof=1)
    np.testing.assert_allclose(network.state["0.running_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(
        network.state["0.running_variance"], variance, rtol=1e-12
    )


def test_residual_gradients_by_numbers():
    """A ReLU inside a block does not touch the gradient that goes around it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 4, 5, 2))
    layers = [
        Residual([BatchNorm(), "relu"]),
        "relu",
        Residual([Conv2D(2, 1), BatchNorm()]),
        "relu",
        Conv2D(1, 2),
    ]
    network = drawn(layers, x.shape[1:])
    dy = rng.normal(size=(3, *network.output_shape))
    gradient = results_of(network, x, dy, "numpy")[2]

    def value(theta):
        tree = network.tree(network.params.like(theta))
        return float(np.sum(dy * network.forward(tree, x, Context(True))[0]))

    check_gradient(value, network.params.vector.copy(), gradient)
    dx = results_of(network, x, dy, "numpy")[1]

    def value_at(x):
        tree = network.tree(network.params)
        return float(np.sum(dy * network.forward(tree, x, Context(True))[0]))

    check_gradient(value_at, x, dx)


@pytest.mark.parametrize("case", RESIDUALS)
def test_predictions_fold_norms_into_convolutions(case):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 6, 7, 2))
    network = drawn([*NORMED, RESIDUALS[case], "relu", Conv2D(2, 1)], x.shape[1:])
    network.params.vector += 0.3 * rng.normal(size=network.params.size)
    network.state.vector[:] = rng.uniform(0.5, 2, network.state.size)
    tree = network.tree(network.params)
    expected = forward_chain(network.layers, tree, x, Context(False))[0]
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-10, atol=1e-12)
    n_kept = len(fold_norms(network.layers).layers)
    assert n_kept == len(network.layers) - 2
    inner = network.predict(x, 2)  # a norm at the end is folded, too
    expected = forward_chain(network.layers[:2], tree, x, Context(False))[0]
    np.testing.assert_allclose(inner, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("what", ["params", "state"])
def test_predictions_follow_each_change_of_a_number(what, engine):
    """The filters with norms in them are remembered, but not too long."""
    rng = np.random.default_rng(0)
    layers = [*NORMED, RESIDUALS["norm last"], "relu", Conv2D(2, 1)]

    def expected(network, x):
        tree = network.tree(network.params)
        return forward_chain(network.layers, tree, x, Context(False))[0]

    network = drawn(layers, (6, 7, 2))
    other = network.copy()
    with config_context(engine=engine):
        for changed, size in [(network, (6, 7)), (other, (9, 5)), (network, (6, 7))]:
            x = rng.normal(size=(1, *size, 2))
            for each in (network, other, network):
                y = each.predict(x)
                np.testing.assert_allclose(y, expected(each, x), 1e-9, 1e-11)
            vector = getattr(changed, what).vector
            i = rng.integers(vector.size)  # one number alone
            vector[i] = 1.5 * abs(vector[i]) + 0.5
        y = network.predict(x)
        np.testing.assert_allclose(y, expected(network, x), 1e-9, 1e-11)


class OwnDense(Dense):
    def forward(self, params, x, ctx):
        return x @ params["W"] + params["b"], x


class OwnConv(Conv2D):
    def forward(self, params, x, ctx):
        y = ctx.empty((len(x), *self.geometry(x.shape[1:]).output_shape))
        conv = self.geometry(x.shape[1:])
        return conv2d(conv, x, params["W"], params["b"], y), (x, conv)

    def backward(self, params, grads, cache, dy, ctx):
        x, conv = cache
        conv2d_backward_weights(conv, x, dy, grads["W"], grads["b"])
        return conv2d_backward_input(conv, dy, params["W"], np.empty(x.shape))


class OwnNorm(BatchNorm):
    def forward(self, params, x, ctx):
        return 1.0 * x, x

    def backward(self, params, grads, cache, dy, ctx):
        grads["gamma"][...] = grads["beta"][...] = 0
        return dy


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_what_a_class_says_holds_for_its_own_passes(engine):
    """Others that are derived from it do nothing by the way, unless they say so."""
    rng = np.random.default_rng(0)
    x, found = rng.normal(size=(4, 8, 8, 2)), []
    for conv, dense in [(Conv2D, Dense), (OwnConv, OwnDense)]:
        layers = [
            conv(2, 3, padding=1),
            BatchNorm(),
            Residual([conv(2, 3, padding=1), "tanh", conv(2, 3, padding=1)]),
            "relu",
            Flatten(),
            dense(9),
            "relu",
            dense(2),
        ]
        network, ctx = drawn(layers, x.shape[1:]), Context(True)
        grads, tree = network.params.like(), network.tree(network.params)
        with config_context(engine=engine):
            y, caches = network.forward(tree, x, ctx)
            dx = network.backward(tree, grads.tree, caches, y - 1, ctx)
        found.append((y, dx, grads.vector, network.predict(x[:1])))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_moments_are_for_the_next_layer_alone(engine):
    x = np.random.default_rng(0).normal(size=(9, 8, 8, 2))
    network = drawn([Conv2D(2, 3), OwnNorm(), "tanh", BatchNorm()], x.shape[1:])
    with config_context(engine=engine):
        tree = network.tree(network.params)
        y = network.forward(tree, x, Context(True))[0]
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, rtol=1e-2)


def test_moments_of_large_pictures():
    """Sums of single precision are of some 10⁴ numbers at most."""
    x = 100 + np.random.default_rng(0).normal(size=(1, 200, 200, 1))
    layers = [Conv2D(64, 1, bias=False, initializer="ones"), BatchNorm(1.0)]
    network = drawn(layers, x.shape[1:], np.float32)
    with config_context(engine="numba"):
        tree = network.tree(network.params)
        network.forward(tree, x.astype(np.float32), Context(True, dtype=np.float32))
    state = network.state
    assert np.abs(state["1.running_mean"] - x.mean()).max() < 6e-6  # float32: 4e-6
    assert np.abs(state["1.running_variance"] - x.var(ddof=1)).max() < 2e-6


NORMS = {
    "all learn": [],
    "the first is frozen": [1],
    "the second is frozen": [3],
    "with its convolution": [2, 3],
}


@pytest.mark.parametrize("case", NORMS)
@pytest.mark.parametrize("n", [2, 9])
@pytest.mark.parametrize("steady", [False, True])
def test_moments_are_those_of_the_convolution_in_front(case, n, steady):
    """With norms that take none among those that do; both engines."""
    layers = [Conv2D(4, 3), BatchNorm(), Conv2D(4, 1), BatchNorm(), "relu"]
    layers += [DepthwiseConv2D(3), BatchNorm(), "tanh", BatchNorm()]
    layers, found = resolve_chain(layers), []
    set_rates(layers, (9, 8, 3), NORMS[case], None)
    x = np.random.default_rng(0).normal(size=(n, 9, 8, 3))
    for engine in ("numpy", "numba"):
        network = drawn(layers, x.shape[1:])
        network.state.vector[:] += 0.1
        if steady:
            network = network.predicting()
        grads, ctx = network.params.like(), Context(True)
        with config_context(engine=engine):
            tree = network.tree(network.params)
            for scale in (1, 2):
                y, caches = network.forward(tree, scale * x, ctx)
            dx = network.backward(tree, grads.tree, caches, y - 1, ctx)
        assert ctx.moments is None
        assert ctx.other is None
        found.append((y, dx, grads.vector, network.state.vector))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("front", [[Conv2D(5, padding=1)], []])
@pytest.mark.parametrize(
    "pool", [MaxPool2D(), MaxPool2D(3, 2, 1), MaxPool2D(3, 2, ceil=True)]
)
def test_gradients_of_relu_and_pooling_in_one_pass(pool, front, engine):
    """A chain around the pooling hides it from the ReLU: two passes, the same bits."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 9, 8, 3)), rng.normal(size=(4, 2))
    dx = []
    with config_context(engine=engine):
        for layer in (pool, Chain([pool])):
            layers = [*front, "relu", layer, Flatten(), Dense(2)]
            network = Network(layers, (9, 8, 3))
            network.initialize(np.random.default_rng(1))
            tree, ctx = network.tree(network.params), Context(True)
            raw, caches = network.forward(tree, x, ctx)
            grads = network.params.like()
            into = network.gradient_tree(grads)
            d = network.backward(tree, into, caches, raw - y, ctx)
            dx.append((d, grads.vector.copy()))
    for fused, apart in zip(*dx, strict=True):
        np.testing.assert_array_equal(fused, apart)
        assert np.abs(fused).max() > 0


def test_a_leaky_relu_is_not_fused():
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 1))
    network = drawn([Conv2D(2, 1), "leaky_relu"], x.shape[1:])
    assert (network.predict(x) < 0).any()


@pytest.mark.parametrize("size", [(9, 7), (20, 31)])
def test_pictures_of_other_sizes(size):
    layers = [
        Conv2D(4, 3),
        "relu",
        MaxPool2D(),
        Conv2D(4, 2),
        GlobalAvgPool(),
        Dense(3),
    ]
    network = drawn(layers, (8, 8, 2))
    x = np.random.default_rng(0).normal(size=(5, *size, 2))
    other = Network(layers, (*size, 2))
    other.restore(network.snapshot())
    np.testing.assert_array_equal(network.predict(x), other.predict(x))


def test_whole_numbers_are_scaled_batch_by_batch():
    X = np.random.default_rng(0).integers(0, 256, (4, 3, 3, 1)).astype(np.uint8)
    network = drawn([Rescale(), Flatten()], X.shape[1:], np.float32)
    got = network.predict(X)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, X.reshape(4, 9) / 255, rtol=1e-6)


def test_whole_channels_are_dropped():
    network = drawn([SpatialDropout(0.5)], (4, 5, 30))
    x = np.ones((20, 4, 5, 30))
    y = network.forward({}, x, Context(True, np.random.default_rng(0)))[0]
    each = y.reshape(20, 20, 30)
    assert (each == each[:, :1]).all()
    assert 0.4 < (each[:, 0] == 0).mean() < 0.6
    assert set(np.unique(y)) == {0.0, 2.0}


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_bits_for_any_number_of_threads(threads):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, 12, 12, 5)).astype(np.float32)
    network = drawn([Conv2D(20, 3), "relu", MaxPool2D()], x.shape[1:], np.float32)
    dy = rng.normal(size=(9, *network.output_shape)).astype(np.float32)
    runs = []
    for n in (1, threads):
        with config_context(n_threads=n):
            grads = network.params.like()
            ctx = Context(True, dtype=np.float32)
            tree = network.tree(network.params)
            y, caches = network.forward(tree, x, ctx)
            dx = network.backward(tree, grads.tree, caches, dy, ctx)
            runs.append([y, dx, grads.vector])
    for got, expected in zip(*runs, strict=True):
        np.testing.assert_array_equal(got, expected)


# ---- side outputs


def with_head(layers, k):
    return [layer.with_head(lambda shape: [Dense(k)]) for layer in layers]


def test_an_auxiliary_head_has_its_own_output():
    head = AuxiliaryHead([Conv2D(3, 1), "elu", GlobalAvgPool()], weight=0.4)
    layers = [Conv2D(4, 3), "tanh", head, GlobalAvgPool(), Dense(2)]
    network = drawn(
        with_head([lay.settled() for lay in Chain(layers).settled().layers], 2),
        (5, 5, 1),
    )
    objective = Objective(network, losses.get("cross_entropy"))
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 5, 5, 1)), rng.integers(0, 2, 6)
    theta = network.params.vector + 0.1 * rng.normal(size=network.params.size)

    def value(at):
        return objective.loss_and_gradient(at, X, y)[0]

    check_gradient(value, theta, objective.loss_and_gradient(theta, X, y)[1])
    main = drawn([*layers[:2], *layers[3:]], (5, 5, 1))
    names = [n for n in network.params if not n.startswith("2.")]
    for mine, name in zip(main.params, names, strict=True):
        main.params[mine][...] = network.params.like(theta)[name]
    alone = Objective(main, losses.get("cross_entropy"))
    assert value(theta) > alone.loss_and_gradient(main.params.vector, X, y)[0]
    network.params.vector[:] = theta
    np.testing.assert_allclose(network.predict(X), main.predict(X), rtol=1e-12)


def test_the_output_layer_is_added_to_auxiliary_heads(iris):
    chain = [Dense(8), "relu", Residual([AuxiliaryHead(["tanh"], 0.2), "tanh"]), "relu"]
    net = MLPClassifier(
        layers=chain, random_state=0, max_iter=2, n_iter_no_change="never"
    )
    net.fit(*iris)
    assert net.network_.params["2.0.1.W"].shape == (8, 3)
    assert net.predict_proba(iris[0]).shape == (150, 3)
    again = MLPClassifier(
        layers=chain, random_state=0, max_iter=2, n_iter_no_change="never"
    )
    np.testing.assert_array_equal(again.fit(*iris).coefs_[0], net.coefs_[0])
    assert isinstance(chain[2].layers[0], AuxiliaryHead)
    assert len(chain[2].layers[0].layers) == 1  # the user's object is as it was


def test_a_negative_weight():
    with pytest.raises(ValueError, match="'weight' parameter of AuxiliaryHead"):
        Network([AuxiliaryHead([], -1.0)], (3,))


def test_settings_inside_are_reached():
    net = MLPClassifier(layers=[Branches([Chain([Dense(3), "relu"]), Dense(2)])])
    net.set_params(layers__0__branches__0__layers__0__units=7)
    assert net.layers[0].branches[0].layers[0].units == 7
    assert "layers__0__branches__1__units" in net.get_params()
    assert isinstance(Activation("relu").floor, float)
    assert AvgPool2D(2).get_params()["count_padding"] is False


def test_what_a_chain_has_worked_out_is_not_pickled():
    network = Network([Conv2D(4, padding=1), BatchNorm(), "relu"], (6, 6, 2))
    network.initialize(np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(3, 6, 6, 2))
    before = len(pickle.dumps(network))
    y = network.predict(x)
    assert len(pickle.dumps(network)) == before
    network.params["0.W"][...] *= 2.0  # predictions follow the arrays
    network.params["0.b"][...] *= 2.0
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(network)).predict(x), network.predict(x)
    )
    assert (network.predict(x) != y).any()
