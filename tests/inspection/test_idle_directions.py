"""Directions in which weights move without effect on the data."""

import copy

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skdl import MLPClassifier, MLPRegressor
from skdl.inspection import IdleDirections, idle_directions
from skdl.layers import Dense, Residual

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


@pytest.fixture(scope="module")
def wide():
    """Return 20 rows of 50 features, of which 3 are others' sums."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 50))
    X[:, 47:] = X[:, :3] + X[:, 3:6]
    return X, rng.integers(0, 3, 20)


def moved(net, idle, size=10.0):
    """Return the estimator with the layer's weights moved at random, but idly."""
    other = copy.deepcopy(net)
    W = other.network_.params[idle.name]
    rng = np.random.default_rng(0)
    W += idle.basis @ (size * rng.normal(size=(idle.basis.shape[1], W.shape[1])))
    return other


@pytest.mark.parametrize("layer", [0, 1, 2, -1, -3])
def test_moving_along_them_changes_no_prediction_on_the_data(wide, layer):
    X, y = wide
    net = MLPClassifier((40, 30), "tanh", max_iter=5, random_state=0).fit(X, y)
    idle = idle_directions(net, X, layer)
    assert isinstance(idle, IdleDirections)
    assert idle.name == f"{[0, 2, 4][layer]}.W"
    other = moved(net, idle)
    assert np.abs(other.coefs_[layer] - net.coefs_[layer]).max() > 1
    np.testing.assert_allclose(other.predict_proba(X), net.predict_proba(X), rtol=1e-8)
    elsewhere = np.random.default_rng(1).normal(size=X.shape)
    change = other.predict_proba(elsewhere) - net.predict_proba(elsewhere)
    assert np.abs(change).max() > 0.01


def test_basis(wide):
    X, y = wide
    net = MLPClassifier((8,), max_iter=3, random_state=0).fit(X, y)
    basis, values, _ = idle_directions(net, X)
    assert basis.shape == (50, 30)  # more inputs than samples
    np.testing.assert_allclose(basis.T @ basis, np.eye(30), atol=1e-12)
    np.testing.assert_allclose(X @ basis, 0, atol=1e-12)
    np.testing.assert_allclose(values, np.linalg.svd(X, compute_uv=False))
    assert (np.diff(values) <= 0).all()


def test_many_rows_leave_only_what_is_redundant():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    X[:, 5] = X[:, 0] - 2 * X[:, 1]
    y = rng.normal(size=300)
    net = MLPRegressor((8,), max_iter=3, random_state=0).fit(X, y)
    basis, _, _ = idle_directions(net, X)
    expected = np.array([1, -2, 0, 0, 0, -1]) / np.sqrt(6)
    assert basis.shape == (6, 1)
    np.testing.assert_allclose(np.abs(basis[:, 0] @ expected), 1)
    other = moved(net, idle_directions(net, X))
    np.testing.assert_allclose(other.predict(X), net.predict(X), rtol=1e-8)
    # Nothing is idle without the redundant column.
    net.fit(X[:, :5], y)
    assert idle_directions(net, X[:, :5]).basis.shape == (5, 0)


def test_dead_units_are_idle(wide):
    X, y = wide
    net = MLPClassifier((10,), max_iter=3, random_state=0).fit(X, y)
    net.intercepts_[0][:4] = -1e3  # ReLU gives zero for these
    basis, _, _ = idle_directions(net, X, layer=1)
    assert basis.shape == (10, 4)
    np.testing.assert_allclose(basis[4:], 0, atol=1e-12)


def test_tolerance(wide):
    X, y = wide
    net = MLPClassifier((8,), max_iter=3, random_state=0).fit(X, y)
    all_idle = idle_directions(net, X, tol=1.0)
    assert all_idle.basis.shape == (50, 50)
    values = all_idle.singular_values
    share = (values[9] + values[10]) / 2 / values[0]
    assert idle_directions(net, X, tol=share).basis.shape == (50, 40)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_single_precision_and_sparse(wide, dtype):
    X, y = wide
    net = MLPClassifier((40,), "tanh", max_iter=3, random_state=0, dtype=dtype)
    net.fit(X, y)
    for given in (X.astype(dtype), sparse.csr_array(X.astype(dtype))):
        assert idle_directions(net, given).basis.shape == (50, 30)
        assert idle_directions(net, given, 1).basis.shape == (40, 20)
    zeros = idle_directions(net, 0 * X)
    np.testing.assert_allclose(zeros.basis @ zeros.basis.T, np.eye(50), atol=1e-12)


def test_layers_are_counted_among_the_dense_ones(wide):
    X, y = wide
    net = MLPClassifier(
        layers=[Dense(9), "tanh", Residual([Dense(9), "relu"]), Dense(7)],
        max_iter=3,
        random_state=0,
    ).fit(X, y)
    names = [idle_directions(net, X, layer).name for layer in (0, 1, 2)]
    assert names == ["0.W", "3.W", "4.W"]
    for layer in (3, -4):
        with pytest.raises(ValueError, match=r"has 3 dense layers \(residual"):
            idle_directions(net, X, layer)


def test_wrong_input(wide):
    X, y = wide
    with pytest.raises(NotFittedError):
        idle_directions(MLPClassifier(), X)
    net = MLPClassifier((8,), max_iter=3).fit(X, y)
    with pytest.raises(ValueError, match="X has 49 features, but"):
        idle_directions(net, X[:, 1:])


def test_the_estimator_is_left_alone(wide):
    X, y = wide
    net = MLPClassifier((8,), max_iter=3, random_state=0).fit(X, y)
    before = net.network_.params.vector.copy()
    idle_directions(net, X).basis[:] = 0
    np.testing.assert_array_equal(net.network_.params.vector, before)
