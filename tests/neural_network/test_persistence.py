"""Pickles: small, whole, readable from read-only memory."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPClassifier, MLPRegressor, NetworkFeatures
from skdl.layers import Dense, Dropout, Residual
from skdl.losses import Huber

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

FAST = {"max_iter": 3, "random_state": 0}
NETS = {
    "default": MLPClassifier(**FAST),
    "rich": MLPClassifier(
        (8, 4),
        ["tanh", "elu"],
        dropout=0.1,
        batch_norm=True,
        early_stopping=True,
        **FAST,
    ),
    "layers": MLPClassifier(
        layers=[Residual([Dense(6), "gelu"]), Dropout(0.1)], optimizer="sgd", **FAST
    ),
    "regression": MLPRegressor((8,), loss=Huber(2.0), **FAST),
    "warm": MLPClassifier((8,), warm_start=True, **FAST),
    "linear": MLPRegressor((), optimizer="lbfgs", **FAST),
    "pipeline": make_pipeline(StandardScaler(), MLPClassifier((8,), **FAST)),
    "features": NetworkFeatures(MLPClassifier((8,), **FAST)),
}


def outputs(net, X):
    """Return everything that a fitted estimator says about X."""
    names = ("predict", "predict_proba", "predict_log_proba", "transform")
    return [getattr(net, name)(X) for name in names if hasattr(net, name)]


def through_joblib(path, mmap_mode=None):
    def trip(net):
        joblib.dump(net, path / "net")
        return joblib.load(path / "net", mmap_mode=mmap_mode)

    return trip


TRIPS = {
    "pickle": lambda path: lambda net: pickle.loads(pickle.dumps(net)),
    "pickle 2": lambda path: lambda net: pickle.loads(pickle.dumps(net, protocol=2)),
    "deepcopy": lambda path: copy.deepcopy,
    "joblib": through_joblib,
    "read-only memory map": lambda path: through_joblib(path, "r"),
}


@pytest.mark.parametrize("trip", TRIPS)
@pytest.mark.parametrize("case", NETS)
def test_round_trips_predict_alike(iris, tmp_path, case, trip):
    X, y = iris
    net = clone(NETS[case]).fit(X, y)
    other = TRIPS[trip](tmp_path)(net)
    for got, expected in zip(outputs(other, X), outputs(net, X), strict=True):
        np.testing.assert_array_equal(got, expected)
    if hasattr(net, "history_"):
        assert repr(other.history_) == repr(net.history_)  # NaN is not itself
        assert other.n_iter_ == net.n_iter_
        assert repr(other) == repr(net)
        for a, b in zip(other.coefs_, net.coefs_, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("trip", TRIPS)
def test_the_arrays_are_views_again(iris, tmp_path, trip):
    X, y = iris
    net = TRIPS[trip](tmp_path)(MLPClassifier((8,), **FAST).fit(X, y))
    for array in (*net.coefs_, *net.intercepts_):
        assert np.shares_memory(array, net.network_.params.vector)
    if trip != "read-only memory map":
        net.coefs_[1][:] = 0
        net.intercepts_[1][:] = [0, 0, 9]
        assert (net.predict(X) == 2).all()


@pytest.mark.parametrize("trip", TRIPS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_training_goes_on_after_a_round_trip(iris, tmp_path, trip, method):
    X, y = iris
    net = clone(NETS["warm"]).set_params(dropout=0.2).fit(X, y)
    other = TRIPS[trip](tmp_path)(net)
    for each in (net, other):
        getattr(each, method)(X, y)
    np.testing.assert_array_equal(
        other.network_.params.vector, net.network_.params.vector
    )
    assert other.history_ == net.history_


@pytest.mark.parametrize("trip", TRIPS)
def test_without_warm_start_weights_and_history_go_on_alone(iris, tmp_path, trip):
    X, y = iris
    net = MLPClassifier((8,), **FAST).fit(X, y)
    other = TRIPS[trip](tmp_path)(net)
    assert not hasattr(other, "_training_state")
    other.partial_fit(X, y)
    assert other.n_iter_ == 4
    assert other.loss_curve_[:3] == net.loss_curve_
    assert other.t_ == 600
    np.testing.assert_allclose(
        other.network_.params.vector, net.network_.params.vector, atol=0.01
    )
    anew = TRIPS[trip](tmp_path)(net).fit(X, y)
    np.testing.assert_array_equal(
        anew.network_.params.vector, net.network_.params.vector
    )


def test_after_partial_fit_the_optimizers_memory_is_stored(iris):
    X, y = iris
    net = MLPClassifier((8,), random_state=0).partial_fit(X, y)
    other = pickle.loads(pickle.dumps(net)).partial_fit(X, y)
    net.partial_fit(X, y)
    np.testing.assert_array_equal(
        other.network_.params.vector, net.network_.params.vector
    )


@pytest.mark.parametrize("dump", ["pickle", "joblib"])
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}], ids=str)
def test_a_pickle_is_hardly_larger_than_the_parameters(tmp_path, settings, dump):
    X, y = load_digits(return_X_y=True)
    # So many epochs that the history says little beside the parameters.
    net = MLPClassifier(max_iter=40, n_iter_no_change="never", **settings)
    net.set_params(random_state=0)
    net.fit((X / 16).astype(np.float32), y)
    vector = net.network_.params.vector
    assert vector.nbytes == 4 * (64 * 100 + 100 + 100 * 10 + 10)
    if dump == "pickle":
        size = len(pickle.dumps(net))
    else:
        joblib.dump(net, tmp_path / "net")
        size = (tmp_path / "net").stat().st_size
    assert size <= 1.2 * vector.nbytes


def test_a_pickle_holds_no_training_data(digits):
    X, y = digits
    sizes = [
        len(pickle.dumps(MLPClassifier((8,), **FAST).fit(X[:n], y[:n])))
        for n in (100, 600)
    ]
    assert abs(sizes[1] - sizes[0]) < 50


def test_pickles_of_unfitted_estimators():
    for net in NETS.values():
        assert repr(pickle.loads(pickle.dumps(net))) == repr(net)
