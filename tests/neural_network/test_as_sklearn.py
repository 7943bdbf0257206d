"""From the same weights, step by step the same as scikit-learn's networks."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

from skdl import MLPClassifier, MLPRegressor
from skdl.optimizers import SGD, Adam, Momentum, Nesterov
from skdl.schedules import Inverse

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning",
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning",
)

RATE, N_EPOCHS = 0.02, 6
THEIR_SGD = {"solver": "sgd", "learning_rate_init": RATE}
# Their ε is not corrected for the bias of the average as in the paper: without it the
# two agree.
EPSILON = 1e-150

# name -> our optimizer, their settings
OPTIMIZERS = {
    "sgd": (SGD(RATE), {**THEIR_SGD, "momentum": 0.0}),
    "momentum": (
        Momentum(RATE, 0.8),
        {**THEIR_SGD, "momentum": 0.8, "nesterovs_momentum": False},
    ),
    "nesterov": (Nesterov(RATE, 0.9), {**THEIR_SGD, "momentum": 0.9}),
    "adam": (
        Adam(RATE, 0.8, 0.99, epsilon=EPSILON),
        {
            "solver": "adam",
            "learning_rate_init": RATE,
            "beta_1": 0.8,
            "beta_2": 0.99,
            "epsilon": EPSILON,
        },
    ),
}
SETTINGS = {
    "alpha": 0.05,
    "batch_size": 16,  # four batches, the last one smaller
    "max_iter": N_EPOCHS,
    "n_iter_no_change": 100,
    "shuffle": False,
}
CLASSES = {
    "regression": (MLPRegressor, TheirRegressor),
    "multioutput": (MLPRegressor, TheirRegressor),
    "binary": (MLPClassifier, TheirClassifier),
    "multiclass": (MLPClassifier, TheirClassifier),
    "multilabel": (MLPClassifier, TheirClassifier),
}


def pair(kind, X, y, ours=(), theirs=()):
    """Return both estimators with the same weights, before training."""
    our_class, their_class = CLASSES[kind]
    start = our_class(**{**SETTINGS, **dict(ours)}, warm_start=True, random_state=0)
    start.initialize(X, y)
    rng = np.random.default_rng(0)
    start.network_.params.vector[:] += 0.2 * rng.normal(size=start.network_.params.size)
    other = their_class(**{**SETTINGS, **dict(theirs)}, warm_start=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        other.set_params(max_iter=1).fit(X, y)  # makes its arrays
    other.set_params(max_iter=SETTINGS["max_iter"])
    other.coefs_ = [W.copy() for W in start.coefs_]
    other.intercepts_ = [b.copy() for b in start.intercepts_]
    other.loss_curve_, other.best_loss_ = [], np.inf
    other._no_improvement_count = 0
    return start, other


def assert_same(ours, theirs, n_outputs=1, rtol=1e-9):
    for got, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-11)
    for got, expected in zip(ours.intercepts_, theirs.intercepts_, strict=True):
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-11)
    if n_outputs == 1:
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=rtol)
    assert ours.out_activation_ == theirs.out_activation_
    assert ours.n_layers_ == theirs.n_layers_
    assert ours.n_outputs_ == theirs.n_outputs_


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("kind", CLASSES)
def test_each_step(problems, kind, optimizer, weighted):
    X, y = problems[kind]
    our_optimizer, their_settings = OPTIMIZERS[optimizer]
    shape = {"hidden_layer_sizes": (9, 5), "activation": "tanh"}
    ours, theirs = pair(
        kind,
        X,
        y,
        {**shape, "optimizer": our_optimizer},
        {**shape, **their_settings},
    )
    weight = np.linspace(0.2, 3, len(X)) if weighted else None
    ours.fit(X, y, weight)
    theirs.fit(X, y, weight)
    # Their *value* of the squared error is divided by the number of outputs, though
    # not its gradient.
    assert_same(ours, theirs, n_outputs=2 if kind == "multioutput" else 1)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-8)
    if kind not in ("regression", "multioutput"):
        np.testing.assert_allclose(
            ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-8
        )


SHAPES = {
    "no hidden layer": {"hidden_layer_sizes": ()},
    "one": {"hidden_layer_sizes": (12,)},
    "three": {"hidden_layer_sizes": (6, 5, 4)},
}


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_and_activation(problems, shape, activation):
    X, y = problems["multiclass"]
    ours_activation = {"logistic": "sigmoid"}.get(activation, activation)
    ours, theirs = pair(
        "multiclass",
        X,
        y,
        {**SHAPES[shape], "optimizer": SGD(RATE), "activation": ours_activation},
        {**SHAPES[shape], **THEIR_SGD, "momentum": 0.0, "activation": activation},
    )
    assert_same(ours.fit(X, y), theirs.fit(X, y))


def test_sparse_rows(problems):
    X, y = problems["binary"]
    X = sparse.csr_array(np.where(np.abs(X) > 0.6, X, 0))
    ours, theirs = pair(
        "binary", X, y, {"optimizer": SGD(RATE)}, {**THEIR_SGD, "momentum": 0.0}
    )
    assert_same(ours.fit(X, y), theirs.fit(X, y))


def test_poisson_loss(problems):
    X, y = problems["regression"]
    y = np.round(y**2)
    ours, theirs = pair(
        "regression",
        X,
        y,
        {"optimizer": SGD(0.002), "loss": "poisson"},
        {**THEIR_SGD, "learning_rate_init": 0.002, "momentum": 0, "loss": "poisson"},
    )
    assert_same(ours.fit(X, y), theirs.fit(X, y))


def test_a_falling_rate(problems):
    X, y = problems["multiclass"]
    n_rows = len(X)  # their rate falls once an epoch, with the samples seen
    ours, theirs = pair(
        "multiclass",
        X,
        y,
        {"optimizer": SGD(Inverse(RATE, n_rows, power=0.5, unit="epoch"))},
        {**THEIR_SGD, "momentum": 0, "learning_rate": "invscaling", "power_t": 0.5},
    )
    theirs.t_ = 0
    theirs.fit(X, y)
    rates = RATE / np.sqrt(1 + n_rows * np.arange(N_EPOCHS))
    ours.fit(X, y)
    np.testing.assert_allclose(ours.history_["learning_rate"], rates, rtol=1e-12)
    assert_same(ours, theirs)


def test_when_it_stops(problems):
    X, y = problems["multiclass"]
    settings = {"max_iter": 300, "tol": 2e-3, "n_iter_no_change": 3}
    ours, theirs = pair(
        "multiclass",
        X,
        y,
        {**settings, "optimizer": SGD(0.1)},
        {**settings, **THEIR_SGD, "learning_rate_init": 0.1, "momentum": 0.0},
    )
    theirs.set_params(max_iter=300)
    ours.fit(X, y)
    theirs.fit(X, y)
    assert 5 < ours.n_iter_ == theirs.n_iter_ < 300
    assert_same(ours, theirs)
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_, rel=1e-9)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_lbfgs_ends_at_the_same_minimum(problems, kind):
    X, y = problems[kind]
    settings = {"hidden_layer_sizes": (), "alpha": 1.0, "max_iter": 500}
    settings["batch_size"] = "auto"
    ours, theirs = pair(
        kind,
        X,
        y,
        {**settings, "optimizer": "lbfgs"},
        {**settings, "solver": "lbfgs", "tol": 1e-8},
    )
    theirs.set_params(max_iter=500)
    ours.set_params(optimizer__gtol=1e-8, optimizer__ftol=1e-14).fit(X, y)
    theirs.fit(X, y)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-7)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=2e-3)


def test_lbfgs_takes_the_same_steps(problems):
    X, y = problems["multiclass"]
    settings = {"hidden_layer_sizes": (8,), "activation": "tanh", "alpha": 0.1}
    settings |= {"batch_size": "auto", "max_iter": 15}
    ours, theirs = pair(
        "multiclass",
        X,
        y,
        {**settings, "optimizer": "lbfgs"},
        {**settings, "solver": "lbfgs"},
    )
    theirs.set_params(max_iter=15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs.fit(X, y)
    ours.fit(X, y)
    assert ours.n_iter_ == theirs.n_iter_ == 15
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-6)
