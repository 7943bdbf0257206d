"""Hidden activations as features."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import CNNClassifier, MLPClassifier, MLPRegressor, NetworkFeatures
from skdl.layers import Conv2D, Dense, Dropout, GlobalAvgPool, Residual
from skdl.networks import Network

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


def made(sizes=(8, 5), **settings):
    return MLPClassifier(sizes, **{"max_iter": 4, "random_state": 0, **settings})


def by_hand(net, X, n_dense):
    """Return the activations after so many ReLU layers."""
    for W, b in list(zip(net.coefs_, net.intercepts_, strict=True))[:n_dense]:
        X = np.maximum(X @ W + b, 0)
    return X


def test_the_default_is_what_the_output_layer_gets(iris):
    X, y = iris
    net = made().fit(X, y)
    features = NetworkFeatures(made()).fit(X, y)
    expected = by_hand(net, X, 2)
    np.testing.assert_allclose(features.transform(X), expected, rtol=1e-10)
    # The output layer on these features is the network itself.
    raw = features.transform(X) @ net.coefs_[-1] + net.intercepts_[-1]
    np.testing.assert_array_equal(net.classes_[raw.argmax(axis=1)], net.predict(X))


@pytest.mark.parametrize(
    ("layer", "width"),
    [(0, 8), (1, 8), (2, 5), (3, 5), (4, 3), (-1, 3), (-2, 5), (-4, 8), (-5, 8)],
)
def test_layers_are_counted_as_in_the_network(iris, layer, width):
    X, y = iris
    features = NetworkFeatures(made(), layer=layer).fit(X, y)
    got = features.transform(X)
    assert got.shape == (150, width)
    net = features.estimator_
    index = range(5)[layer]
    expected = net.network_.predict(X, index + 1)
    np.testing.assert_array_equal(got, expected)
    assert list(features.get_feature_names_out()) == [
        f"networkfeatures{i}" for i in range(width)
    ]


@pytest.mark.parametrize("layer", [5, 99, -6])
def test_no_such_layer(iris, layer):
    features = NetworkFeatures(made(), layer=layer)
    message = f"has 5 layers, numbered 0 to 4, got layer={layer}"
    with pytest.raises(ValueError, match=message):
        features.fit(*iris)
    assert not hasattr(features, "estimator_")


def test_nothing_is_dropped(iris):
    X, y = iris
    net = made((8,), dropout=0.5)
    features = NetworkFeatures(net, layer=-2).fit(X, y)
    assert isinstance(features.estimator_.network_.layers[-2], Dropout)
    expected = by_hand(features.estimator_, X, 1)
    np.testing.assert_allclose(features.transform(X), expected, rtol=1e-10)


def test_it_fits_a_clone(iris):
    net = made()
    features = NetworkFeatures(net).fit(*iris)
    assert features.estimator is net
    assert not hasattr(net, "network_")
    assert features.estimator_ is not net


def test_in_a_pipeline(iris):
    X, y = iris
    features = NetworkFeatures(made(optimizer="lbfgs", max_iter=30))
    model = make_pipeline(StandardScaler(), features, LogisticRegression())
    assert model.fit(X, y).score(X, y) > 0.8
    names = model[:-1].get_feature_names_out()
    assert list(names) == [f"networkfeatures{i}" for i in range(5)]


def test_in_a_grid(iris):
    X, y = iris
    model = make_pipeline(NetworkFeatures(made()), LogisticRegression())
    grid = {
        "networkfeatures__layer": [1, -2],
        "networkfeatures__estimator__optimizer__learning_rate": [1e-3, 1e-1],
    }
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.7


@pytest.mark.parametrize("inner", [made(), MLPRegressor((5,), random_state=0)])
def test_a_frozen_network_is_used_as_it_is(iris, inner):
    X, y = iris
    net = clone(inner).set_params(max_iter=3).fit(X, y)
    features = NetworkFeatures(FrozenEstimator(net))
    got = features.fit_transform(X[:10], y[::-1][:10])
    assert features.estimator_ is net
    np.testing.assert_array_equal(got, net.network_.predict(X[:10], n_layers=-1))
    features.fit(X[:10])  # no targets needed
    assert features.n_features_in_ == 4


def test_a_frozen_network_must_be_fitted_and_suit_the_data(iris):
    X, y = iris
    with pytest.raises(NotFittedError):
        NetworkFeatures(FrozenEstimator(made())).fit(X, y)
    net = made().fit(X, y)
    with pytest.raises(ValueError, match="X has 2 features, but"):
        NetworkFeatures(FrozenEstimator(net)).fit(X[:, :2], y)


@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), FrozenEstimator(LogisticRegression())]
)
def test_only_networks(iris, estimator):
    with pytest.raises(TypeError, match="takes a skdl network"):
        NetworkFeatures(estimator).fit(*iris)


def test_frames_types_and_sparse(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    features = NetworkFeatures(made()).fit(frame, y)
    assert list(features.feature_names_in_) == list("abcd")
    out = features.set_output(transform="pandas").transform(frame)
    assert list(out.columns) == [f"networkfeatures{i}" for i in range(5)]
    plain = NetworkFeatures(made()).fit(X, y)
    np.testing.assert_array_equal(out.to_numpy(), plain.transform(X))
    np.testing.assert_allclose(
        plain.transform(sparse.csr_array(X)), plain.transform(X), rtol=1e-9
    )
    single = NetworkFeatures(made()).fit(X.astype("f4"), y)
    assert single.transform(X.astype("f4")).dtype == np.float32


def test_any_layers(iris):
    X, y = iris
    net = made(layers=[Residual([Dense(6), "tanh"]), "elu"])
    features = NetworkFeatures(net, layer=0).fit(X, y)
    params = features.estimator_.network_.params
    expected = X @ params["0.skip.W"] + np.tanh(X @ params["0.0.W"] + params["0.0.b"])
    np.testing.assert_allclose(features.transform(X), expected, rtol=1e-10)


def test_no_hidden_layer_has_the_output_alone(iris):
    X, y = iris
    with pytest.raises(ValueError, match="has 1 layers, numbered 0 to 0, got layer=-2"):
        NetworkFeatures(made(())).fit(X, y)
    assert NetworkFeatures(made(()), layer=0).fit(X, y).transform(X).shape == (150, 3)


PICTURES = np.random.default_rng(0).random((24, 6, 6, 1)).astype("float32")
CHAIN = [Conv2D(4), "relu", GlobalAvgPool(), Dense(3), "relu"]


@pytest.mark.parametrize("shape", [(6, 6, 1), (6, 6), (36,)])
@pytest.mark.parametrize("kind", ["estimator", "frozen", "network"])
def test_features_of_pictures_in_a_pipeline(shape, kind):
    X, y = PICTURES.reshape(24, *shape), np.arange(24) % 2
    net = CNNClassifier(CHAIN, max_iter=2, n_iter_no_change="never", random_state=0)
    fitted = clone(net).fit(X, y)
    network = fitted.network_
    given = {"estimator": net, "frozen": FrozenEstimator(fitted), "network": network}
    features = NetworkFeatures(given[kind], layer=-2)
    model = make_pipeline(features, LogisticRegression()).fit(X, y)
    found = model[0].transform(X)
    expected = network.predict(PICTURES, len(network.layers) - 1)
    np.testing.assert_array_equal(found, expected)
    assert found.shape == (24, 3)
    assert model[0].n_features_in_ == 36
    assert list(model[0].get_feature_names_out())[-1] == "networkfeatures2"
    assert model.predict(X).shape == (24,)
    np.testing.assert_array_equal(clone(features).fit(X, y).transform(X), found)


def test_features_of_pictures_of_another_size():
    network = Network(CHAIN, (6, 6, 1), "float32")
    network.initialize(np.random.default_rng(0))
    larger = np.random.default_rng(1).random((3, 9, 8, 1))
    features = NetworkFeatures(network, layer=2).fit(PICTURES)
    assert features.transform(larger).shape == (3, 4)


@pytest.mark.parametrize("shape", [(4, 35), (4, 6, 6, 3), (4, 6, 6, 1, 1)])
def test_pictures_that_a_network_cannot_take(shape):
    network = Network(CHAIN, (6, 6, 1))
    with pytest.raises(ValueError, match=r"samples of shape \(6, 6, 1\), or flat"):
        NetworkFeatures(network).fit(np.zeros(shape))
    features = NetworkFeatures(network).fit(PICTURES)
    with pytest.raises(ValueError, match=r"samples of shape \(6, 6, 1\), or flat"):
        features.transform(np.zeros(shape))


def test_pictures_in_nested_lists():
    X, y = PICTURES, np.arange(24) % 2
    net = CNNClassifier(CHAIN, max_iter=1, n_iter_no_change="never", dtype="float32")
    features = NetworkFeatures(net).fit(X, y)
    np.testing.assert_array_equal(features.transform(X.tolist()), features.transform(X))
