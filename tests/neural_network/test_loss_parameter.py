"""Every loss: what it makes the network predict, custom ones, label smoothing."""

import re

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone

from skdl import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    MLPClassifier,
    MLPRegressor,
    losses,
)
from skdl.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    FunctionLoss,
    Huber,
    Quantile,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

FAST = {"hidden_layer_sizes": (6,), "max_iter": 5, "random_state": 0}


def weights(net):
    return net.network_.params.vector


# ---- regression

LOSSES = ["squared_error", "absolute_error", "huber", "quantile", "poisson"]


@pytest.mark.parametrize("loss", LOSSES)
def test_training_lowers_the_loss(curve, loss):
    X, y = curve
    y = np.abs(y)
    net = MLPRegressor(**{**FAST, "max_iter": 60}, loss=loss, alpha=0.0)
    net.set_params(optimizer__learning_rate=0.02).fit(X, y)
    assert net.loss_curve_[-1] < 0.7 * net.loss_curve_[0]
    raw = net.network_.predict(X)
    assert net.loss_function_(y[:, None], raw) < net.loss_curve_[0]
    assert net.out_activation_ == ("exp" if loss == "poisson" else "identity")
    expected = np.exp(raw[:, 0]) if loss == "poisson" else raw[:, 0]
    np.testing.assert_allclose(net.predict(X), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "statistic"),
    [
        ("squared_error", np.mean),
        ("absolute_error", np.median),
        ("poisson", np.mean),
        (Quantile(0.9), lambda y: np.quantile(y, 0.9)),
        (Quantile(0.1), lambda y: np.quantile(y, 0.1)),
    ],
)
def test_without_features_it_predicts_its_statistic(loss, statistic):
    rng = np.random.default_rng(0)
    X, y = np.zeros((2000, 1)), rng.gamma(2.0, size=2000)
    net = MLPRegressor((), loss=loss, max_iter=200, random_state=0)
    net.initialize(X, y)
    net.intercepts_[0][:] = 0.3  # not the best constant
    net.set_params(warm_start=True, optimizer="sgd", optimizer__learning_rate=0.2)
    net.fit(X, y)
    assert net.predict(X[:1])[0] == pytest.approx(statistic(y), rel=0.06)


def test_robust_losses_resist_outliers(curve):
    X, y = curve
    spoiled = y.copy()
    spoiled[::10] += 100.0
    errors = {}
    for loss in ("squared_error", "absolute_error", "huber"):
        net = MLPRegressor(**{**FAST, "max_iter": 300}, loss=loss, tol=0)
        net.set_params(optimizer__learning_rate=0.01).fit(X, spoiled)
        errors[loss] = np.median(np.abs(net.predict(X) - y))
    assert errors["absolute_error"] < 0.2 * errors["squared_error"]
    assert errors["huber"] < 0.2 * errors["squared_error"]


def test_quantiles_cover_their_share():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (800, 1))
    y = X[:, 0] + rng.normal(size=800) * (1.5 + X[:, 0])
    net = MLPRegressor((10,), loss="quantile", random_state=0, max_iter=150, tol=0)
    net.set_params(optimizer__learning_rate=0.01)
    for q in (0.1, 0.5, 0.9):
        fitted = clone(net).set_params(loss__quantile=q).fit(X, y)
        assert abs(np.mean(y <= fitted.predict(X)) - q) < 0.05


def test_settings_of_a_loss(curve):
    X, y = curve
    by_name = MLPRegressor(**FAST, loss="huber").set_params(loss__delta=0.1)
    instance = MLPRegressor(**FAST, loss=Huber(0.1))
    other = MLPRegressor(**FAST, loss="huber")
    by_name, instance, other = (net.fit(X, y) for net in (by_name, instance, other))
    np.testing.assert_array_equal(weights(by_name), weights(instance))
    assert (weights(other) != weights(instance)).any()


def test_a_large_delta_is_the_squared_error(curve):
    huber = MLPRegressor(**FAST, loss=Huber(1e6)).fit(*curve)
    squared = MLPRegressor(**FAST).fit(*curve)
    np.testing.assert_allclose(weights(huber), weights(squared), rtol=1e-7)


# ---- classification


@pytest.mark.parametrize(
    ("y", "k"), [([0, 1, 1], 2), ([0, 1, 2], 3), (np.eye(3, dtype=int), 2)]
)
def test_label_smoothing_bounds_the_confidence(y, k):
    """The best probabilities are the smoothed targets themselves."""
    X, y = np.tile(np.eye(3), (4, 1)), np.concatenate([y] * 4)
    net = MLPClassifier((), alpha=0, optimizer="lbfgs", tol=0, random_state=0)
    sharp = clone(net).fit(X, y).predict_proba(X)
    smooth = clone(net).set_params(loss__label_smoothing=0.3).fit(X, y)
    assert sharp.max() > 0.99
    p = smooth.predict_proba(X)
    np.testing.assert_allclose(p.max(axis=1), 1 - 0.3 + 0.3 / k, atol=0.01)
    np.testing.assert_allclose(p.min(axis=1), 0.3 / k, atol=0.01)
    assert smooth.loss_function_.label_smoothing == 0.3


# the loss that is asked for -> the loss for (two classes, three classes, labels)
FORMS = {
    "cross_entropy": (BinaryCrossEntropy, CrossEntropy, BinaryCrossEntropy),
    "log_loss": (BinaryCrossEntropy, CrossEntropy, BinaryCrossEntropy),
    "binary_cross_entropy": (BinaryCrossEntropy, None, BinaryCrossEntropy),
}


@pytest.mark.parametrize("loss", FORMS)
def test_the_form_for_the_targets(problems, loss):
    expected = zip(("binary", "multiclass", "multilabel"), FORMS[loss], strict=True)
    for kind, form in expected:
        X, y = problems[kind]
        net = MLPClassifier(**FAST, loss=loss)
        if form is None:
            with pytest.raises(ValueError, match="got 3 exclusive classes"):
                net.fit(X, y)
            continue
        net.fit(X, y)
        assert type(net.loss_function_) is form
        assert net.n_outputs_ == {"binary": 1}.get(kind, 3)
        multiclass = kind == "multiclass"
        assert net.out_activation_ == ("softmax" if multiclass else "logistic")


# ---- custom


def half_squares(y, raw):
    e = raw - y
    return 0.5 * e**2, e


def cross_entropy(y, raw):
    """The built-in one again, for class codes."""
    shifted = raw - raw.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))
    gradient = np.exp(log_p)
    gradient[rows, y] -= 1
    return -log_p[rows, y], gradient


def sigmoid_entropy(y, raw):
    """The built-in one again, for zeros and ones."""
    return np.logaddexp(0, raw) - y * raw, expit(raw) - y


@pytest.mark.parametrize("kind", ["regression", "multioutput"])
@pytest.mark.parametrize("wrap", [lambda f: f, FunctionLoss])
def test_custom_regression(problems, kind, wrap):
    X, y = problems[kind]
    custom = MLPRegressor(**FAST, loss=wrap(half_squares)).fit(X, y)
    built_in = MLPRegressor(**FAST, loss="squared_error").fit(X, y)
    np.testing.assert_allclose(weights(custom), weights(built_in), rtol=1e-5)
    assert custom.predict(X).shape == y.shape


def test_custom_multiclass(problems):
    X, y = problems["multiclass"]
    custom = MLPClassifier(**FAST, loss=cross_entropy).fit(X, y)
    built_in = MLPClassifier(**FAST).fit(X, y)
    np.testing.assert_allclose(weights(custom), weights(built_in), rtol=1e-9)
    np.testing.assert_allclose(custom.predict_proba(X), built_in.predict_proba(X))


def test_custom_with_two_classes_has_two_outputs(problems):
    X, y = problems["binary"]
    net = MLPClassifier(**{**FAST, "max_iter": 100}, loss=cross_entropy).fit(X, y)
    assert net.n_outputs_ == 2
    assert net.out_activation_ == "softmax"
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1)
    assert net.score(X, y) > 0.6


def test_custom_multilabel(problems):
    X, y = problems["multilabel"]
    custom = MLPClassifier(**FAST, loss=sigmoid_entropy).fit(X, y)
    built_in = MLPClassifier(**FAST).fit(X, y)
    np.testing.assert_allclose(weights(custom), weights(built_in), rtol=1e-9)
    np.testing.assert_allclose(custom.predict_proba(X), built_in.predict_proba(X))
    assert custom.out_activation_ == built_in.out_activation_ == "logistic"


def test_custom_losses_take_weights(problems):
    X, y = problems["multiclass"]
    weight = np.linspace(0.1, 2, len(y))
    custom = MLPClassifier(**FAST, loss=cross_entropy).fit(X, y, weight)
    built_in = MLPClassifier(**FAST).fit(X, y, weight)
    np.testing.assert_allclose(weights(custom), weights(built_in), rtol=1e-9)


# loss -> the error
WRONG_LOSSES = {
    "one array": (lambda y, raw: raw, TypeError, "must return"),
    "wrong shape": (lambda y, raw: (raw[:3], raw), ValueError, "must return a loss of"),
    "not finite": (lambda y, raw: (raw * np.nan, raw), ValueError, "returned NaN"),
    "for classes": ("cross_entropy", ValueError, "no loss for regression"),
    "unknown": ("squared_eror", ValueError, "Known names: absolute_error"),
    "a class": (Huber, TypeError, r"Pass an instance: Huber\(\)"),
    "a number": (3, TypeError, "got 3 of type int"),
    "out of range": (Quantile(1.5), ValueError, r"'quantile' .* \(0.0, 1.0\)"),
    "no delta": (Huber(0.0), ValueError, r"'delta' .* Got 0.0"),
}


@pytest.mark.parametrize("case", WRONG_LOSSES)
def test_wrong_losses(curve, case):
    loss, error, message = WRONG_LOSSES[case]
    with pytest.raises(error, match=message):
        MLPRegressor(**FAST, loss=loss).fit(*curve)


@pytest.mark.parametrize("loss", ["squared_error", Huber(), "poisson"])
def test_losses_that_are_not_for_classes(iris, loss):
    with pytest.raises(
        ValueError, match=r"is no loss for classification. Choose one of .*log_loss"
    ):
        MLPClassifier(**FAST, loss=loss).fit(*iris)


def test_label_smoothing_out_of_range(iris):
    with pytest.raises(ValueError, match=r"'label_smoothing' .* \[0.0, 1.0\)"):
        MLPClassifier(**FAST, loss=CrossEntropy(1.0)).fit(*iris)


@pytest.mark.parametrize("y", [[-1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
def test_poisson_needs_counts(y):
    with pytest.raises(ValueError, match="The Poisson loss needs"):
        MLPRegressor(**FAST, loss="poisson").fit(np.ones((3, 2)), y)


def test_several_quantiles_are_for_boosting(curve):
    with pytest.raises(ValueError, match="one network a quantile"):
        MLPRegressor(loss=Quantile([0.1, 0.9])).fit(*curve)


@pytest.mark.parametrize(
    ("cls", "task"),
    [
        (MLPRegressor, "regression"),
        (GradientBoostingRegressor, "regression"),
        (MLPClassifier, "classification"),
        (GradientBoostingClassifier, "classification"),
    ],
)
def test_the_documentation_names_every_loss_of_the_task(cls, task):
    (text,) = re.findall(r"\n    loss : .*?(?=\n    \w+ : )", cls.__doc__, re.DOTALL)
    for name in losses.for_task(task).names():
        assert f'"{name}"' in text


def test_unknown_losses_list_those_of_the_task(iris):
    with pytest.raises(ValueError, match=r"cross_entropy \(log_loss\)") as caught:
        MLPClassifier(loss="log_los").fit(*iris)
    assert "huber" not in str(caught.value)
    assert "Did you mean 'log_loss'" in str(caught.value)


def test_gamma_predicts_positive_means():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (500, 1))
    y = np.exp(X[:, 0]) * rng.gamma(5.0, 0.2, 500)  # mean e^x
    net = MLPRegressor((), loss="gamma", optimizer="lbfgs", alpha=0.0).fit(X, y)
    assert net.out_activation_ == "exp"
    np.testing.assert_allclose(net.predict([[-1], [0], [1]]), np.exp([-1, 0, 1]), 0.1)
    with pytest.raises(ValueError, match="targets > 0"):
        net.fit(X, y - y.min())
