"""Weights that write to the network, and input that is kept as it comes."""

import pickle
import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags

from skdl import (
    CNNClassifier,
    CNNRegressor,
    MLPClassifier,
    MLPRegressor,
    NetworkFeatures,
    RNNClassifier,
    RNNRegressor,
)
from skdl.inspection import idle_directions
from skdl.layers import Dense, Layer, Residual

PICTURES = [CNNClassifier, CNNRegressor]
SEQUENCES = [RNNClassifier, RNNRegressor]
NETWORKS = [MLPClassifier, MLPRegressor, *PICTURES, *SEQUENCES]


@pytest.fixture
def net(iris):
    return MLPClassifier((5, 4), random_state=0).initialize(*iris)


def test_setting_a_matrix_takes_effect(net, iris):
    X = iris[0]
    weights = [np.full(W.shape, 0.1 * i) for i, W in enumerate(net.coefs_)]
    net.coefs_[0] = weights[0]
    net.coefs_[-1] = weights[-1]
    net.coefs_[1:2] = [weights[1]]
    net.intercepts_[0] = [1.0, 2.0, 3.0, 4.0, 5.0]
    net.intercepts_[-1] = np.array([0.5, 0, 0])
    b = np.arange(1.0, 6)
    hidden = np.maximum(X @ weights[0] + b, 0) @ weights[1] + net.intercepts_[1]
    raw = np.maximum(hidden, 0) @ weights[2] + [0.5, 0, 0]
    p = np.exp(raw) / np.exp(raw).sum(1, keepdims=True)
    np.testing.assert_allclose(net.predict_proba(X), p, atol=1e-12)
    assert all(map(np.shares_memory, net.coefs_, [net.network_.params.vector] * 3))


def test_setting_all_of_them(net, iris):
    other = MLPClassifier((5, 4), random_state=1).initialize(*iris)
    net.coefs_ = other.coefs_
    net.intercepts_ = list(other.intercepts_)
    np.testing.assert_array_equal(
        net.predict_proba(iris[0]), other.predict_proba(iris[0])
    )
    with pytest.raises(
        ValueError, match=r"coefs_\[.*the shapes of a network are fixed"
    ):
        net.coefs_ = other.coefs_[:2]


def test_what_does_not_fit_changes_nothing(net):
    before = net.network_.params.vector.copy()
    with pytest.raises(ValueError, match=r"coefs_\[0\] has shape \[\(4, 5\)\], got"):
        net.coefs_[0] = np.zeros((5, 4))
    with pytest.raises(ValueError, match="shapes of a network are fixed"):
        net.intercepts_[1] = 3.0
    with pytest.raises(ValueError, match="fixed"):
        net.coefs_[:2] = [np.zeros((4, 5)), np.zeros((4, 5))]
    for change in ("append", "extend", "remove"):
        with pytest.raises(TypeError, match="one array for each layer"):
            getattr(net.coefs_, change)([np.zeros(3)])
    with pytest.raises(TypeError, match="one array for each layer"):
        net.intercepts_ += [np.zeros(3)]
    with pytest.raises(TypeError, match="one array for each layer"):
        del net.coefs_[0]
    np.testing.assert_array_equal(net.network_.params.vector, before)


def test_they_are_lists_to_others(net):
    copied = pickle.loads(pickle.dumps(net.coefs_))
    assert type(copied) is list
    assert isinstance(net.coefs_, list)
    assert len([*net.coefs_, *net.intercepts_]) == 6


def test_biases_stand_beside_their_weights(iris):
    net = MLPClassifier((5, 4), batch_norm=True, random_state=0).initialize(*iris)
    assert [W.shape for W in net.coefs_] == [(4, 5), (5, 4), (4, 3)]
    assert [b.shape for b in net.intercepts_] == [(5,), (4,), (3,)]
    assert not net.intercepts_[0].any()
    with pytest.raises(ValueError, match="layer has no such array"):
        net.intercepts_[0] = np.ones(5)
    net.intercepts_[-1] = np.ones(3)
    assert net.network_.params["6.b"].tolist() == [1, 1, 1]
    assert net.n_layers_ == 4


# ---- input


@pytest.mark.parametrize("kind", [np.uint8, np.int16, bool])
def test_whole_numbers_are_not_copied(kind):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (20000, 200)).astype(kind)
    y = rng.integers(0, 2, 20000)
    net = MLPClassifier((2,), batch_size=50, max_iter=1, n_iter_no_change="never")
    net.fit(X[:50], y[:50]).predict(X[:50])  # what is imported or compiled comes first
    tracemalloc.start()
    net.fit(X, y)
    net.predict(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * X.size * 8


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float16, object])
def test_any_numbers_train_alike(kind, iris):
    X = np.round(np.abs(iris[0]) * 4).astype(kind)
    net = MLPClassifier((4,), random_state=0, max_iter=3, n_iter_no_change="never")
    got = net.fit(X, iris[1]).predict_proba(X)
    expected = net.fit(X.astype(float), iris[1]).predict_proba(X.astype(float))
    np.testing.assert_array_equal(got, expected)
    assert net.network_.dtype == np.float64


@pytest.mark.parametrize("set_by", ["X", "dtype"])
@pytest.mark.parametrize("value", [1e39, -1e39])
def test_too_large_for_single_precision(set_by, value, iris):
    X, y = iris
    dtype = "float32" if set_by == "dtype" else None
    net = MLPClassifier((4,), max_iter=2, n_iter_no_change="never", dtype=dtype)
    net.fit(X.astype(np.float32) if set_by == "X" else X, y)
    row = np.array([[0.0, value, 0, 0]])
    message = r"Input X contains infinity or a value too large for dtype\('float32'\)"
    for method in (net.predict, net.predict_proba):
        with pytest.raises(ValueError, match=message):
            method(row)
    with pytest.raises(ValueError, match=message):
        net.predict(sparse.csr_array(row))
    if set_by == "dtype":
        with pytest.raises(ValueError, match=message):
            net.fit(np.r_[X, row], np.r_[y, 0])
    features = NetworkFeatures(net).fit(X.astype(np.float32), y)
    if set_by == "X":
        with pytest.raises(ValueError, match=message):
            features.transform(row)


BAD = np.zeros((20, 4))
BAD[3, 1] = 1e39
GOOD, LABELS = np.zeros((20, 4), np.float32), np.arange(20) % 2

# a network that is in single precision, or will be -> what is asked of it
TOO_LARGE = {
    "first call": lambda net: net.set_params(dtype="float32").partial_fit(BAD, LABELS),
    "later call": lambda net: net.partial_fit(GOOD, LABELS).partial_fit(BAD, LABELS),
    "after fit": lambda net: net.fit(GOOD, LABELS).partial_fit(BAD, LABELS),
    "sparse": lambda net: net.fit(GOOD, LABELS).partial_fit(
        sparse.csr_array(BAD), LABELS
    ),
    "warm start": lambda net: (
        net.set_params(warm_start=True).fit(GOOD, LABELS).fit(BAD, LABELS)
    ),
    "initialize": lambda net: net.set_params(dtype="float32").initialize(BAD, LABELS),
    "X_val": lambda net: net.fit(GOOD, LABELS, X_val=BAD, y_val=LABELS),
    "X_val of a stream": lambda net: net.partial_fit(
        GOOD, LABELS, X_val=BAD, y_val=LABELS
    ),
    "score": lambda net: net.fit(GOOD, LABELS).score(BAD, LABELS),
    "frozen": lambda net: NetworkFeatures(FrozenEstimator(net.fit(GOOD, LABELS))).fit(
        BAD
    ),
    "features": lambda net: (
        NetworkFeatures(net.fit(GOOD, LABELS).network_).fit(GOOD).transform(BAD)
    ),
}


@pytest.mark.parametrize(
    ("cls", "case"),
    [
        (cls, case)
        for cls in NETWORKS
        for case in TOO_LARGE
        if case != "sparse" or "MLP" in cls.__name__
    ],
)
def test_too_large_while_training_goes_on(cls, case):
    settings = {"layers": ["flatten"]} if cls in PICTURES else {}
    net = cls(max_iter=1, n_iter_no_change="never", **settings)
    message = r"Input X contains infinity or a value too large for dtype\('float32'\)"
    with pytest.raises(ValueError, match=message):
        TOO_LARGE[case](net)
    assert not hasattr(net, "network_") or np.isfinite(net.network_.params.vector).all()


@pytest.mark.parametrize("cls", SEQUENCES)
def test_too_large_in_sequences_of_any_length(cls):
    long, short = GOOD[:3, :2], GOOD[:2, :2]
    net = cls((2,), max_iter=1, n_iter_no_change="never")
    net.fit([long, short, long, short], [0, 1, 0, 1])
    bad = [long.astype(float), np.array([[0, 1e39], [0, 0]])]
    for method in (net.predict, lambda X: net.partial_fit(X, [0, 1])):
        with pytest.raises(ValueError, match="too large"):
            method(bad)
    assert net.partial_fit([long, short], [0, 1]).network_.dtype == np.float32


def test_targets_too_large_for_single_precision():
    message = r"Input y contains infinity or a value too large for dtype\('float32'\)"
    with pytest.raises(ValueError, match=message):
        MLPRegressor((3,)).fit(GOOD, 1e39 * LABELS)


@pytest.mark.parametrize("first", [np.float32, np.float64])
def test_precision_stays_while_training_goes_on(first, iris):
    X, y = iris
    X32 = X.astype(np.float32)
    kinds = {np.dtype(np.float32): X32, np.dtype(np.float64): X32.astype(float)}
    ours, other = kinds.pop(np.dtype(first)), kinds.popitem()[1]
    nets = [MLPClassifier((4,), random_state=0, max_iter=2) for _ in range(3)]
    for net, later in zip(nets, [ours, other, ours], strict=True):
        net.partial_fit(ours, y).partial_fit(later, y, X_val=later, y_val=y)
        assert net.network_.dtype == first
        assert net.predict_proba(later).dtype == first
    np.testing.assert_array_equal(
        nets[0].network_.params.vector, nets[1].network_.params.vector
    )
    nets[2].set_params(dtype=other.dtype.name).partial_fit(ours, y)
    assert nets[2].network_.dtype == other.dtype  # asked for in so many words


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_times_in_seconds_with_single_precision(columns, loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)).astype(np.float32)
    y = 1.7e9 + 40 * X[:, :columns].astype(float)
    y = y[:, 0] if columns == 1 else y
    net = MLPRegressor((), loss=loss, optimizer="lbfgs", random_state=0, alpha=0)
    if loss == "huber":
        net.set_params(loss__delta=100.0)
    assert net.fit(X, y).score(X, y) > 0.999
    assert net.predict(X).dtype == np.float64
    net.set_params(warm_start=True, loss="poisson")
    with pytest.raises(ValueError, match="trained on centred targets; Poisson"):
        net.fit(X, y)


def test_small_targets_keep_single_precision(curve):
    X, y = curve
    net = MLPRegressor((4,), optimizer="lbfgs", max_iter=3, n_iter_no_change="never")
    assert net.fit(X.astype(np.float32), y).predict(X.astype(np.float32)).dtype == "f4"


def test_validation_scores_are_of_the_given_targets():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)).astype(np.float32)
    y = 1.7e9 + 40 * X[:, 0].astype(float)
    for scoring in (None, "r2"):
        net = MLPRegressor((), optimizer="lbfgs", alpha=0, early_stopping=True)
        net.set_params(scoring=scoring, random_state=0).fit(X, y, X_val=X, y_val=y)
        assert net.best_validation_score_ == pytest.approx(net.score(X, y), abs=1e-9)


@pytest.mark.parametrize(
    ("layers", "takes"),
    [
        (None, True),
        ([Dense(3), "relu"], True),
        (["dense"], True),
        (["relu", Dense(3)], False),
        (["batch_norm"], False),
        ([], True),
        ("no list", True),
        ([object()], False),
    ],
)
def test_sparse_input_is_declared_by_the_first_layer(layers, takes):
    assert get_tags(MLPClassifier(layers=layers)).input_tags.sparse == takes


class Fold(Layer):
    """Turns features into two steps."""

    def build(self, input_shape):
        return (2, input_shape[0] // 2), {}

    def forward(self, params, x, ctx):
        return x.reshape(len(x), 2, -1), None

    def backward(self, params, grads, cache, dy, ctx):
        return dy.reshape(len(dy), -1)


class Unfold(Fold):
    def build(self, input_shape):
        return (input_shape[0] * input_shape[1],), {}

    def forward(self, params, x, ctx):
        return x.reshape(len(x), -1), None

    def backward(self, params, grads, cache, dy, ctx):
        return dy.reshape(len(dy), 2, -1)


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_the_output_layer_wants_flat_samples(estimator, iris):
    with pytest.raises(
        ValueError, match=r"gives samples of shape \(2, 2\); the output"
    ):
        estimator(layers=[Fold()]).fit(*iris)


def test_layers_with_more_axes_inside(iris):
    layers = [Fold(), Dense(6), "relu", Residual([Dense(6), "tanh"]), Unfold()]
    net = MLPClassifier(layers=layers, optimizer="lbfgs", alpha=0.1, random_state=0)
    assert net.fit(*iris).score(*iris) > 0.95
    features = NetworkFeatures(net, layer=-3).fit
    with pytest.raises(ValueError, match=r"shape \(2, 6\), which are not flat"):
        features(*iris)
    idle = idle_directions(net, iris[0], layer=0)
    assert idle.basis.shape[0] == 2


class Paced(Dense):
    """A dense layer at a pace of its own."""

    def __init__(self, units=6, rate=1.0):
        super().__init__(units)
        self.rate = rate

    def build(self, input_shape):
        shape, specs = super().build(input_shape)
        return shape, {k: spec._replace(rate=self.rate) for k, spec in specs.items()}


def test_layers_are_frozen_and_thawed_between_fits(iris):
    X, y = iris
    net = MLPClassifier(
        layers=[Dense(5), "relu", Paced(6), "tanh"],
        random_state=0,
        max_iter=3,
        n_iter_no_change="never",
        warm_start=True,
    ).fit(X, y)
    for rate in (0.0, 0.5, 1.0, 0.0):
        before = [W.copy() for W in (*net.coefs_, *net.intercepts_)]
        p = net.predict_proba(X)
        net.set_params(layers__2__rate=rate, max_iter=1)
        continued = pickle.loads(pickle.dumps(net)).fit(X, y)
        frozen = [
            np.array_equal(W, b) for W, b in zip(continued.coefs_, before, strict=False)
        ]
        assert frozen == [False, rate == 0, False]
        # With a rate of nearly nothing the arrays stay with their names.
        still = net.set_params(optimizer__learning_rate=1e-300).fit(X, y)
        for array, old in zip((*still.coefs_, *still.intercepts_), before, strict=True):
            np.testing.assert_array_equal(array, old)
        np.testing.assert_array_equal(net.predict_proba(X), p)
        net.set_params(optimizer__learning_rate=1e-3)
