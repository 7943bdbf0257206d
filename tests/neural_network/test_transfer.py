"""Weights of one network in another; layers that are frozen or learn slowly."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from skdl import CNNClassifier, CNNRegressor, MLPClassifier, MLPRegressor, layers
from skdl.layers import (
    AvgPool2D,
    BatchNorm,
    Branches,
    Context,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
    Residual,
)
from skdl.networks import Network, set_rates, vgg11, vgg16
from skdl.testing import check_layer

CHAIN = [
    Conv2D(4),
    BatchNorm(),
    "relu",
    Residual([Conv2D(4, padding=1, bias=False), BatchNorm(), "relu"]),
    Flatten(),
    Dense(6),
    "relu",
]
NET = {"max_iter": 2, "n_iter_no_change": "never", "random_state": 0, "batch_size": 16}


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 5
    X = rng.integers(0, 200, size=(60, 6, 6, 1)).astype(np.uint8)
    X[:, :, :, 0] += (10 * y[:, None, None]).astype(np.uint8)
    return X, y


@pytest.fixture(scope="module")
def source(pictures):
    X, y = pictures
    return CNNClassifier(CHAIN, **NET).fit(X[y < 3], y[y < 3])


def arrays(network):
    return {
        **{name: network.params[name] for name in network.params},
        **{name: network.state[name] for name in network.state},
    }


def unchanged(a, b):
    """Return the names of the arrays that both networks have, with the same bits."""
    a, b = arrays(a), arrays(b)
    return {name for name in a if np.array_equal(a[name], b.get(name))}


# ---- frozen layers


def test_frozen_features_keep_all_arrays_and_statistics(pictures, source):
    net = CNNClassifier(CHAIN, init_from=source, freeze="features", **NET)
    net.fit(*pictures)
    assert unchanged(source.network_, net.network_) == {
        name for name in arrays(source.network_) if not name.startswith("8.")
    }
    assert net.network_.output_shape == (5,)
    assert net.network_.params.n_active == 6 * 5 + 5


@pytest.mark.parametrize(
    ("freeze", "frozen"),
    [
        (0, ["1"]),
        (-2, ["6"]),
        (np.int64(1), ["2"]),
        (slice(None, 2), ["1", "2"]),
        ("Conv2D", ["1", "4.0"]),
        ("batch_norm", ["2", "4.1"]),
        ([0, "Residual"], ["1", "4"]),
        (("Dense", slice(0, 1)), ["1", "6"]),
    ],
)
def test_what_may_be_frozen(freeze, frozen, pictures, source):
    """Indices do not count the layer that scales bytes."""
    net = CNNClassifier(CHAIN, init_from=source, freeze=freeze, **NET).fit(*pictures)
    expected = {
        name
        for name in arrays(source.network_)
        if any(name.startswith(f"{prefix}.") for prefix in frozen)
    }
    assert unchanged(source.network_, net.network_) == expected


@pytest.mark.parametrize(
    ("freeze", "error", "message"),
    [
        ("conv2", ValueError, r"no layer is called 'conv2'.*Did you mean 'Conv2D'"),
        (7, ValueError, "7 layers, numbered from 0 and without the output layer"),
        (-8, ValueError, "got -8"),
        (slice(7, 9), ValueError, "holds none of the 7 layers"),
        (1.5, TypeError, r"an index of the layers, a slice.*got 1\.5"),
        (True, TypeError, "got True"),
        ([0, None], TypeError, "got None"),
    ],
)
def test_what_may_not(freeze, error, message, pictures):
    net = CNNClassifier(CHAIN, freeze=freeze, **NET)
    with pytest.raises(error, match=message):
        net.fit(*pictures)
    assert not hasattr(net, "network_")


def test_frozen_batch_norm_is_an_affine_map_that_passes_gradients():
    chain = [Dense(3), BatchNorm(), Dense(2)]
    set_rates(chain, (4,), freeze=1, rates=None)
    network = Network(chain, (4,))
    rng = np.random.default_rng(1)
    network.initialize(rng)
    network.state["1.running_mean"][...] = rng.normal(size=3)
    network.state["1.running_variance"][...] = rng.uniform(0.5, 2, size=3)
    network.params["1.gamma"][...] = rng.uniform(0.5, 2, size=3)
    x, dy = rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
    tree, ctx = network.tree(network.params), Context(train=True)
    y, caches = network.forward(tree, x, ctx)
    np.testing.assert_allclose(y, network.predict(x), rtol=1e-12)
    gradient = network.params.like()
    dx = network.backward(tree, gradient.tree, caches, dy, ctx)
    step = 1e-6 * rng.normal(size=x.shape)
    change = np.sum((network.predict(x + step) - network.predict(x - step)) * dy)
    assert change == pytest.approx(2 * np.sum(dx * step), rel=1e-6)


def test_thawed_batch_norm_is_one_again():
    check_layer(BatchNorm(), (5,))


def test_a_frozen_beginning_costs_no_backward_pass(pictures, monkeypatch):
    X, y = pictures
    calls = []
    plain = Conv2D.backward
    monkeypatch.setattr(
        Conv2D, "backward", lambda *args: calls.append(1) or plain(*args)
    )
    chain = [Conv2D(4), "relu", Conv2D(4), "relu", Flatten(), Dense(5)]
    CNNClassifier(chain, freeze=slice(0, 3), **NET).fit(X, y)
    assert not calls
    CNNClassifier(chain, freeze=slice(0, 1), **NET).fit(X, y)
    assert calls


def test_layers_of_a_frozen_network_are_not_frozen_elsewhere(pictures, source):
    frozen = CNNClassifier(CHAIN, freeze="features", **NET).fit(*pictures)
    chain = frozen.network_.layers[1:-1]
    net = CNNClassifier(chain, init_from=source, **NET).fit(*pictures)
    assert not unchanged(source.network_, net.network_)


def test_gradual_thawing(pictures, source):
    net = CNNClassifier(
        CHAIN, init_from=source, freeze="features", warm_start=True, **NET
    )
    net.fit(*pictures)
    head = net.network_.params["8.W"].copy()
    net.set_params(freeze=slice(0, -2)).fit(*pictures)
    assert unchanged(source.network_, net.network_) == {
        name for name in arrays(source.network_) if name[0] in "124"
    }
    assert not np.array_equal(head, net.network_.params["8.W"])
    assert net.n_iter_ == 4


def test_an_optimizer_for_the_whole_sample_sees_the_rest():
    X, y = np.eye(4), np.array([0, 1, 0, 1])
    net = MLPClassifier((3,), freeze="features", optimizer="lbfgs", random_state=0)
    net.set_params(n_iter_no_change="never", max_iter=1)
    start = clone(net).fit(X, y)
    net.set_params(max_iter=5).fit(X, y)
    np.testing.assert_array_equal(start.coefs_[0], net.coefs_[0])
    assert net.loss_ < start.loss_


# ---- paces


def test_rates_decay_with_depth(pictures):
    net = CNNClassifier(CHAIN, layer_rates=0.5, **NET).fit(*pictures)
    params = net.network_.params
    rates = {
        name: group.rate
        for name in params
        for group in params.groups
        if group.start <= params.starts[list(params).index(name)] < group.stop
    }
    by_layer = {name.partition(".")[0]: rate for name, rate in rates.items()}
    assert by_layer == {"1": 0.125, "2": 0.125, "4": 0.25, "6": 0.5, "8": 1.0}


def test_rates_multiply_the_step_of_plain_sgd():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    net = {
        "optimizer": "sgd",
        "max_iter": 1,
        "n_iter_no_change": "never",
        "random_state": 0,
        "alpha": 0.0,
        "batch_size": 20,
    }
    steps = []
    for rates in (None, {0: 0.1, "features": 2.0}):
        model = MLPRegressor((4,), layer_rates=rates, **net)
        start = clone(model).set_params(optimizer__learning_rate=1e-300).fit(X, y)
        fitted = model.fit(X, y)
        steps.append([a - b for a, b in zip(fitted.coefs_, start.coefs_, strict=True)])
    np.testing.assert_allclose(steps[1][0], 0.2 * steps[0][0], rtol=1e-9)
    np.testing.assert_allclose(steps[1][1], steps[0][1], rtol=1e-9)


@pytest.mark.parametrize(
    ("rates", "error"),
    [
        (0, ValueError),
        (-1.0, ValueError),
        ({0: -1}, ValueError),
        ("slow", ValueError),
        ({9: 1.0}, ValueError),
        ({0: "a"}, ValueError),
    ],
)
def test_rates_out_of_range(rates, error, pictures):
    with pytest.raises(error, match="layer_rates"):
        CNNClassifier(CHAIN, layer_rates=rates, **NET).fit(*pictures)


def test_freezing_and_rates_are_for_grids(pictures, source):
    grid = GridSearchCV(
        CNNClassifier(CHAIN, init_from=source, **NET),
        {"freeze": [None, "features"], "layer_rates": [None, 0.5]},
        cv=2,
        error_score="raise",
    )
    grid.fit(*pictures)
    assert len(grid.cv_results_["params"]) == 4


# ---- weights of another network


@pytest.mark.parametrize("wrap", [lambda e: e, FrozenEstimator, lambda e: e.network_])
def test_the_start_is_the_other_network(wrap, pictures, source):
    X, y = pictures
    given = wrap(source)
    net = clone(CNNClassifier(CHAIN, init_from=given, freeze="features", **NET))
    assert net.init_from is given
    net.fit(X, y)
    assert "1.W" in unchanged(source.network_, net.network_)
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict(X), net.predict(X))


def test_the_output_layer_is_that_of_the_same_classes(pictures, source):
    X, y = pictures
    slow = {**NET, "optimizer": "sgd", "max_iter": 1}
    rows = y < 3
    kept = CNNClassifier(CHAIN, init_from=source, freeze="features", **slow)
    kept.set_params(optimizer__learning_rate=1e-300)
    other = clone(kept)
    kept.fit(X[rows], y[rows])
    assert "8.W" in unchanged(source.network_, kept.network_)
    other.fit(X[rows], y[rows] + 10)
    assert "8.W" not in unchanged(source.network_, other.network_)
    assert "6.W" in unchanged(source.network_, other.network_)


def test_from_classes_to_numbers_and_between_precisions(pictures, source):
    X, y = pictures
    net = CNNRegressor(
        CHAIN, init_from=source, freeze="features", dtype="float64", **NET
    )
    net.fit(X, y.astype(float))
    np.testing.assert_array_equal(
        net.network_.params["1.W"], source.network_.params["1.W"].astype(float)
    )


def test_free_layers_may_come_and_go(pictures, source):
    chain = [*CHAIN[:5], Dropout(0.2), CHAIN[5], "tanh"]
    net = CNNClassifier(chain, init_from=source, freeze="features", **NET)
    net.fit(*pictures)
    for mine, its in (("1.W", "1.W"), ("7.W", "6.W")):
        np.testing.assert_array_equal(
            net.network_.params[mine], source.network_.params[its]
        )


def test_a_pooling_of_another_kind_is_no_other_network(pictures):
    X, y = pictures
    chain = [Conv2D(4), "relu", MaxPool2D(), Flatten(), Dense(4)]
    first = CNNClassifier(chain, **NET).fit(X, y)
    chain[2] = AvgPool2D()
    net = CNNClassifier(chain, init_from=first, freeze="features", **NET).fit(X, y)
    assert {"1.W", "5.W"} <= unchanged(first.network_, net.network_)


def test_the_first_layers_of_a_network(pictures, source):
    net = CNNClassifier(
        [*CHAIN[:4], GlobalAvgPool()], init_from=source, freeze="features", **NET
    )
    with pytest.raises(ValueError, match="do not fit"):  # here a new layer comes last
        net.set_params(layers=[*CHAIN[:4], Conv2D(3), Flatten()]).fit(*pictures)
    net.set_params(layers=[*CHAIN[:4], Flatten()]).fit(*pictures)
    assert {"1.W", "4.0.W"} <= unchanged(source.network_, net.network_)


def test_a_vgg_grows():
    """The convolutions of VGG-11 are the first of each stack of VGG-16."""
    small, large = vgg11((32, 32, 3), 1 / 32), vgg16((32, 32, 3), 1 / 32)
    rng = np.random.default_rng(0)
    X, y = rng.random((12, 32, 32, 3), dtype=np.float32), np.arange(12) % 3
    net = {**NET, "max_iter": 1, "batch_size": 12}
    first = CNNClassifier(small, **net).fit(X, y)
    grown = CNNClassifier(large, init_from=first, freeze="features", **net).fit(X, y)

    def affine(layers_):
        kinds = [layers.get(layer) for layer in layers_]
        return [i for i, layer in enumerate(kinds) if layer.is_affine]

    ours, theirs = affine(large), affine(small)
    # Stacks of 2, 2, 3, 3, 3 against 1, 1, 2, 2, 2; then two dense layers.
    same = [0, 2, 4, 5, 7, 8, 10, 11, 13, 14]
    for mine, its in zip(same, theirs, strict=True):
        np.testing.assert_array_equal(
            grown.network_.params[f"{ours[mine]}.W"],
            first.network_.params[f"{its}.W"],
        )
    assert {f"{i}.W" for i in ours} & set(first.network_.params) != set()
    trained = CNNClassifier(large, init_from=first, **net).fit(X, y)
    assert np.isfinite(trained.loss_)


def test_branches_are_taken_whole(pictures):
    X, y = pictures
    chain = [Branches([Conv2D(2, 1), [Conv2D(3, 1), BatchNorm()]]), Flatten()]
    first = CNNClassifier(chain, **NET).fit(X, y)
    net = CNNClassifier(chain, init_from=first, freeze="BatchNorm", **NET).fit(X, y)
    assert unchanged(first.network_, net.network_) == {
        "1.1.1.gamma",
        "1.1.1.beta",
        "1.1.1.running_mean",
        "1.1.1.running_variance",
    }


@pytest.mark.parametrize(
    "chain",
    [
        [Conv2D(5), *CHAIN[1:]],  # other filters
        [CHAIN[0], *CHAIN[2:]],  # no batch normalisation
        [*CHAIN[:5], Dense(9), "relu"],
    ],
)
def test_weights_that_do_not_fit_name_both_sides(chain, pictures, source):
    net = CNNClassifier(chain, init_from=source, **NET)
    with pytest.raises(ValueError, match="do not fit") as error:
        net.fit(*pictures)
    text = str(error.value)
    assert "1 Conv2D (W (3, 3, 1, 4)" in text
    assert "6 Dense" in text
    assert not hasattr(net, "network_")


def test_a_failed_start_leaves_the_model_as_it_was(pictures, source):
    X, y = pictures
    net = CNNClassifier(CHAIN, **NET).fit(X, y)
    before = net.predict_proba(X)
    with pytest.raises(ValueError, match="do not fit"):
        net.set_params(init_from=source, layers=[Conv2D(2), Flatten()]).fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), before)


@pytest.mark.parametrize(
    ("given", "error"),
    [(MLPClassifier(), NotFittedError), ("resnet18", TypeError), (3, TypeError)],
)
def test_what_is_no_network(given, error):
    X, y = np.eye(4), np.array([0, 1, 0, 1])
    with pytest.raises(error, match=r"init_from|not fitted"):
        MLPClassifier(init_from=given).fit(X, y)


def test_partial_fit_and_restarts_begin_there_too():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), np.arange(30) % 3
    first = MLPClassifier((5,), max_iter=3, n_iter_no_change="never").fit(X, y)
    net = {
        "init_from": first,
        "freeze": "features",
        "max_iter": 2,
        "n_iter_no_change": "never",
    }
    model = MLPClassifier((5,), n_init=2, **net).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], first.coefs_[0])
    model = MLPClassifier((5,), **net).partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(model.coefs_[0], first.coefs_[0])


@pytest.mark.parametrize("wrap", [lambda source: source, FrozenEstimator])
def test_whole_numbers_keep_the_scale_of_the_source(wrap):
    rng = np.random.default_rng(0)
    bright = rng.integers(0, 256, (30, 8, 8, 1), dtype=np.uint8)
    dark, y = bright // 4, np.arange(30) % 2
    source = CNNClassifier(CHAIN, **NET).fit(bright, y)
    net = CNNClassifier(CHAIN, init_from=wrap(source), freeze="features", **NET)
    net.fit(dark, y)
    first = net.network_.predict(dark, n_layers=2)
    np.testing.assert_array_equal(first, source.network_.predict(dark, n_layers=2))
