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

from skdl import MLPClassifier, MLPRegressor, NetworkFeatures
from skdl.layers import Dense, Dropout, Residual

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
