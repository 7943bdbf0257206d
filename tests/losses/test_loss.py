"""Every loss keeps its contract; values, weights, best constants, bad input."""

import math
import pickle

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn import metrics
from sklearn._loss import loss as sklearn_loss
from sklearn.base import clone

from skdl import losses
from skdl.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Exponential,
    FunctionLoss,
    Gamma,
    Huber,
    Loss,
    Poisson,
    Quantile,
    SquaredError,
)
from skdl.losses._regression import weighted_quantile
from skdl.testing import check_loss

SETTINGS = [
    CrossEntropy(0.2),
    BinaryCrossEntropy(0.1),
    Huber(0.3),
    Huber(10.0),
    Quantile(0.1),
    Quantile(0.9),
]
ENTROPIES = [CrossEntropy(), BinaryCrossEntropy(), *SETTINGS[:2]]
LOSSES = [losses.get(name) for name in losses.names() if name != "box"] + SETTINGS
N = 40


def squared(y, raw):
    return 0.5 * (raw - y) ** 2, raw - y


def squared_rows(y, raw):
    return 0.5 * ((raw - y) ** 2).sum(axis=-1), raw - y, np.ones_like(raw)


def targets(loss, rng):
    """Return targets in [0, 1] codes or positive reals, and raw predictions."""
    if isinstance(loss, CrossEntropy):
        return rng.permutation(np.arange(N) % 3), rng.normal(size=(N, 3))
    raw = rng.normal(size=(N, 2))
    if isinstance(loss, BinaryCrossEntropy):
        return (rng.random((N, 2)) < 0.4).astype(float), raw
    if isinstance(loss, Exponential):
        return (rng.random((N, 2)) < 0.4).astype(float), raw
    if isinstance(loss, Gamma):
        return rng.gamma(2.0, size=(N, 2)), raw
    return rng.poisson(2.0, (N, 2)).astype(float), raw


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("seed", [0, 1])
def test_contract(loss, seed):
    check_loss(loss, seed=seed)


def test_contract_of_several_quantiles():
    check_loss(Quantile([0.1, 0.5, 0.9]))


@pytest.mark.parametrize("function", [squared, squared_rows])
def test_contract_of_a_function(function):
    check_loss(FunctionLoss(function))


# ---- values against scikit-learn

# loss -> mean loss of one output by sklearn.metrics, given y, prediction and weight
METRICS = {
    SquaredError(): lambda y, p, w: (
        0.5 * metrics.mean_squared_error(y, p, sample_weight=w)
    ),
    AbsoluteError(): lambda y, p, w: metrics.mean_absolute_error(y, p, sample_weight=w),
    Quantile(0.2): lambda y, p, w: metrics.mean_pinball_loss(
        y, p, alpha=0.2, sample_weight=w
    ),
    Poisson(): lambda y, p, w: (
        0.5 * metrics.mean_poisson_deviance(y, p, sample_weight=w)
    ),
    BinaryCrossEntropy(): lambda y, p, w: metrics.log_loss(y, p, sample_weight=w),
}


@pytest.mark.parametrize("loss", METRICS, ids=repr)
@pytest.mark.parametrize("weighted", [False, True])
def test_metrics(loss, weighted):
    rng = np.random.default_rng(0)
    y, raw = targets(loss, rng)
    weight = rng.random(N) if weighted else None
    prediction = loss.inverse_link(raw)
    expected = sum(METRICS[loss](y[:, j], prediction[:, j], weight) for j in range(2))
    assert loss(y, raw, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_metrics_of_classes(weighted):
    rng = np.random.default_rng(0)
    y, raw = targets(CrossEntropy(), rng)
    weight = rng.random(N) if weighted else None
    expected = metrics.log_loss(y, softmax(raw, axis=1), sample_weight=weight)
    assert CrossEntropy()(y, raw, weight) == pytest.approx(expected, rel=1e-12)


# scikit-learn's losses leave out terms that do not depend on the prediction
PEERS = {
    SquaredError(): sklearn_loss.HalfSquaredError(),
    AbsoluteError(): sklearn_loss.AbsoluteError(),
    Huber(0.7): sklearn_loss.HuberLoss(delta=0.7, quantile=0.5),
    Quantile(0.3): sklearn_loss.PinballLoss(quantile=0.3),
    Poisson(): sklearn_loss.HalfPoissonLoss(),
    BinaryCrossEntropy(): sklearn_loss.HalfBinomialLoss(),
}


@pytest.mark.parametrize("loss", PEERS, ids=repr)
def test_sklearn_losses(loss):
    y, raw = targets(loss, np.random.default_rng(0))
    y, raw = np.ascontiguousarray(y[:, 0]), np.ascontiguousarray(raw[:, 0])
    peer = PEERS[loss]
    constant = peer.constant_to_optimal_zero(y)
    value, gradient = loss.evaluate(y[:, None], raw[:, None])
    np.testing.assert_allclose(
        value[:, 0], peer.loss(y, raw) + constant, rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        gradient[:, 0], peer.gradient(y, raw), rtol=1e-12, atol=1e-14
    )
    if loss.has_hessian:
        hessian = peer.gradient_hessian(y, raw)[1]
        got = loss.hessian(y[:, None], raw[:, None])[:, 0]
        np.testing.assert_allclose(got, hessian, rtol=1e-12)


def test_sklearn_multinomial():
    y, raw = targets(CrossEntropy(), np.random.default_rng(0))
    peer = sklearn_loss.HalfMultinomialLoss(n_classes=3)
    value, gradient = CrossEntropy().evaluate(y, raw)
    theirs, their_gradient = peer.loss_gradient(y.astype(float), raw)
    np.testing.assert_allclose(value, theirs, rtol=1e-12)
    np.testing.assert_allclose(gradient, their_gradient, rtol=1e-12, atol=1e-15)


# ---- extremes


@pytest.mark.parametrize("loss", ENTROPIES, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_confident_predictions_stay_finite(loss, dtype):
    raw = np.array([[1e4, -1e4], [-1e4, 1e4], [0.0, 0.0]], dtype=dtype)
    binary = isinstance(loss, BinaryCrossEntropy)
    y = np.array([[1, 0], [1, 0], [1, 0]], dtype) if binary else np.array([0, 0, 0])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, gradient = loss.evaluate(y, raw)
    assert np.isfinite(value).all()
    assert np.abs(gradient).max() <= 1
    if not loss.label_smoothing:
        by_row = value.reshape(3, -1).sum(axis=1)
        expected = [0, 2e4, 2 * math.log(2) if binary else math.log(2)]
        np.testing.assert_allclose(by_row, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "at_zero"),
    [(AbsoluteError(), 0.0), (Quantile(0.9), -0.4), (Huber(), 0.0), (Poisson(), 0.0)],
)
def test_gradient_where_the_error_is_zero(loss, at_zero):
    y = np.ones((1, 1))
    value, gradient = loss.evaluate(y, loss.link(y))
    assert value.item() == 0
    assert gradient.item() == pytest.approx(at_zero)


def test_poisson_takes_zero_counts():
    value, gradient = Poisson().evaluate(np.zeros((1, 1)), np.zeros((1, 1)))
    assert (value.item(), gradient.item()) == (1.0, 1.0)


# ---- weights


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_zero_weight_leaves_a_row_out(loss):
    rng = np.random.default_rng(0)
    y, raw = targets(loss, rng)
    weight = (np.arange(N) % 3 > 0).astype(float)
    kept = weight > 0
    assert loss(y, raw, weight) == pytest.approx(loss(y[kept], raw[kept]), rel=1e-12)
    assert not loss.weighted(y, raw, weight, 1.0)[1][~kept].any()


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_weights_may_be_single_precision(loss):
    y, raw = targets(loss, np.random.default_rng(0))
    weight = np.ones(N, np.float32)
    total, gradient = loss.weighted(y, raw.astype(np.float32), weight, 1.0 / N)
    assert isinstance(total, float)
    assert gradient.dtype == np.float32
    assert total == pytest.approx(loss(y, raw), rel=1e-5)


# ---- best constants

CONSTANTS = {
    SquaredError(): np.mean,
    AbsoluteError(): np.median,
    Quantile(0.25): lambda y: np.quantile(y, 0.25, method="inverted_cdf"),
    Poisson(): lambda y: np.log(np.mean(y)),
    FunctionLoss(squared): np.mean,
}


@pytest.mark.parametrize("loss", CONSTANTS, ids=lambda loss: type(loss).__name__)
def test_init_raw(loss):
    y = np.random.default_rng(0).poisson(3.0, (N + 1, 2)).astype(float)
    expected = [CONSTANTS[loss](column) for column in y.T]
    np.testing.assert_allclose(loss.init_raw(y), expected, rtol=1e-6)


def test_init_raw_of_classes():
    y = np.repeat([0, 1, 2], [1, 2, 5])
    np.testing.assert_allclose(
        softmax(CrossEntropy().init_raw(y)), [0.125, 0.25, 0.625]
    )
    shares = np.array([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]])
    raw = CrossEntropy().init_raw(shares, np.array([3.0, 1.0]))
    np.testing.assert_allclose(softmax(raw), [0.375, 0.4375, 0.1875])
    smoothed = softmax(CrossEntropy(0.3).init_raw(y))
    np.testing.assert_allclose(smoothed, 0.7 * np.array([1, 2, 5]) / 8 + 0.1)
    share = expit(BinaryCrossEntropy(0.2).init_raw(y[:, None] > 1))
    np.testing.assert_allclose(share, 0.8 * 0.625 + 0.1)


@pytest.mark.parametrize("loss", [CrossEntropy(), BinaryCrossEntropy(), Poisson()])
def test_init_raw_without_one_side_is_finite(loss):
    y = np.zeros(5) if isinstance(loss, CrossEntropy) else np.zeros((5, 1))
    assert np.isfinite(loss.init_raw(y)).all()


def test_weighted_quantile_repeats_rows():
    rng = np.random.default_rng(0)
    y, times = rng.normal(size=(N, 2)), rng.integers(1, 5, N)
    for q in (0.1, 0.5, 0.77):
        np.testing.assert_array_equal(
            weighted_quantile(y, q, times), weighted_quantile(np.repeat(y, times, 0), q)
        )


# ---- problems

# name -> for (n_classes, multilabel): class of the form, raw columns; None refuses
FORMS = {
    "cross_entropy": {
        (2, False): (BinaryCrossEntropy, 1),
        (5, False): (CrossEntropy, 5),
        (3, True): (BinaryCrossEntropy, 3),
        (2, True): (BinaryCrossEntropy, 2),
    },
    "binary_cross_entropy": {
        (2, False): (BinaryCrossEntropy, 1),
        (5, False): None,
        (3, True): (BinaryCrossEntropy, 3),
        (2, True): (BinaryCrossEntropy, 2),
    },
    "huber": {(2, False): None, (5, False): None, (3, True): None},
}


@pytest.mark.parametrize("name", FORMS)
def test_for_classes(name):
    loss = losses.get(name)
    for (n_classes, multilabel), expected in FORMS[name].items():
        if expected is None:
            with pytest.raises(ValueError, match="cross_entropy"):
                loss.for_classes(n_classes, multilabel)
        else:
            form = loss.for_classes(n_classes, multilabel)
            assert (type(form), form.n_raw(n_classes)) == expected


def test_for_classes_keeps_the_settings():
    assert CrossEntropy(0.3).for_classes(2, False).label_smoothing == 0.3


@pytest.mark.parametrize("loss", [SquaredError(), AbsoluteError(), Huber(), Quantile()])
def test_regression_targets_are_free(loss):
    loss.check_targets(np.array([[-1e9], [0.0], [3.5]]))


@pytest.mark.parametrize(
    ("y", "message"),
    [([[-1.0], [2.0]], "targets ≥ 0, got a minimum of -1.0"), ([[0.0]], "positive")],
)
def test_poisson_targets(y, message):
    with pytest.raises(ValueError, match=message):
        Poisson().check_targets(np.array(y))


# ---- bad settings

BAD = {
    CrossEntropy(1.0): r"'label_smoothing' .* \[0.0, 1.0\). Got 1.0",
    BinaryCrossEntropy(-0.1): "'label_smoothing' .* Got -0.1",
    Huber(0.0): r"'delta' .* \(0.0, inf\). Got 0.0",
    Huber(math.nan): "'delta' .* Got nan",
    Quantile(1.0): r"'quantile' .* \(0.0, 1.0\).* Got 1.0",
}


@pytest.mark.parametrize("loss", BAD, ids=repr)
def test_bad_settings(loss):
    y, raw = targets(loss, np.random.default_rng(0))
    with pytest.raises(ValueError, match=BAD[loss]):
        loss(y, raw)
    with pytest.raises(ValueError, match=BAD[loss]):
        loss.settled()


@pytest.mark.parametrize("loss", [AbsoluteError(), Quantile()])
def test_no_hessian(loss):
    assert not loss.has_hessian
    with pytest.raises(ValueError, match=f"{type(loss).__name__} has no Hessian"):
        loss.gradient_hessian(np.ones((2, 1)), np.ones((2, 1)))


def test_evaluate_must_be_defined():
    with pytest.raises(TypeError, match="Loss must define evaluate"):
        Loss().evaluate(np.ones((2, 1)), np.ones((2, 1)))


@pytest.mark.parametrize("base", [SquaredError, BinaryCrossEntropy, CrossEntropy])
@pytest.mark.parametrize("method", ["evaluate", "hessian"])
def test_a_subclass_does_not_inherit_the_twin_of_what_it_replaces(base, method):
    own = type("Own", (base,), {method: getattr(Loss, method)})
    same = type("Same", (base,), {})
    assert (own().twin, own.verified) == ("", False)
    assert (same().twin, same.verified) == (base().twin, True)
    assert base().twin


def test_smoothing_has_no_twin():
    assert not CrossEntropy(0.1).twin
    assert not BinaryCrossEntropy(0.1).twin


# ---- functions as losses


def nan_loss(y, raw):
    return np.full(len(raw), np.nan), raw - y


def scalar_loss(y, raw):
    return 0.5 * ((raw - y) ** 2).sum(), raw - y


def flat_gradient(y, raw):
    return (raw - y)[:, 0] ** 2, (raw - y)[:, 0]


def wrong_hessian(y, raw):
    return *squared(y, raw), np.ones(len(raw))


WRONG_FUNCTIONS = {
    nan_loss: (ValueError, "nan_loss returned NaN or infinite values"),
    scalar_loss: (ValueError, r"shape \(4,\) or \(4, 2\) .* got \[\(\), \(4, 2\)\]"),
    flat_gradient: (ValueError, r"derivatives of shape \(4, 2\)"),
    wrong_hessian: (ValueError, r"derivatives of shape \(4, 2\)"),
    np.subtract: (TypeError, r"subtract must return \(loss, gradient\)"),
}


@pytest.mark.parametrize("function", WRONG_FUNCTIONS)
def test_wrong_functions(function):
    error, message = WRONG_FUNCTIONS[function]
    with pytest.raises(error, match=message):
        FunctionLoss(function).evaluate(np.zeros((4, 2)), np.ones((4, 2)))


def test_a_diverged_network_is_not_blamed_on_the_function():
    raw = np.full((2, 1), np.inf)
    with np.errstate(invalid="ignore"):
        assert FunctionLoss(squared)(np.zeros((2, 1)), raw) == np.inf


def test_function_loss_keeps_precision_and_copies():
    loss = losses.get(squared)
    value, gradient = loss.evaluate(np.zeros((2, 1)), np.ones((2, 1), np.float32))
    assert value.dtype == gradient.dtype == np.float32
    assert clone(loss).function is squared
    assert pickle.loads(pickle.dumps(loss)).function is squared


def test_function_loss_hessian():
    y, raw = np.zeros((2, 1)), np.ones((2, 1))
    assert (FunctionLoss(squared_rows).hessian(y, raw) == 1).all()
    with pytest.raises(ValueError, match="FunctionLoss has no Hessian"):
        FunctionLoss(squared).hessian(y, raw)


@pytest.mark.parametrize(
    ("multilabel", "link"), [(False, lambda raw: softmax(raw, axis=1)), (True, expit)]
)
def test_function_loss_of_classes(multilabel, link):
    loss = FunctionLoss(squared).for_classes(3, multilabel)
    raw = np.random.default_rng(0).normal(size=(5, 3))
    assert loss.n_raw(3) == 3
    np.testing.assert_allclose(loss.inverse_link(raw), link(raw))
    again = pickle.loads(pickle.dumps(loss))
    np.testing.assert_allclose(again.inverse_link(raw), link(raw))
    check_loss(loss, y=np.zeros((5, 3)), raw=raw)


# ---- shares of classes


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("shape", [(30,), (6, 5)])
def test_shares_of_classes(smoothing, shape):
    rng = np.random.default_rng(0)
    loss, raw = CrossEntropy(smoothing), rng.normal(size=(*shape, 4))
    codes = rng.integers(0, 4, shape)
    for one, other in zip(
        loss.evaluate(np.eye(4)[codes], raw), loss.evaluate(codes, raw), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    # It is linear in the shares.
    shares = rng.dirichlet(np.ones(4), shape)
    value, gradient = loss.evaluate(shares, raw)
    parts = [loss.evaluate(np.full(shape, k), raw) for k in range(4)]
    expected = sum(shares[..., k] * parts[k][0] for k in range(4))
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    expected = sum(shares[..., [k]] * parts[k][1] for k in range(4))
    np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("loss", [SquaredError(), CrossEntropy(), Huber()])
def test_targets_that_do_not_fit_the_predictions(loss):
    y, raw = np.zeros(5, int), np.zeros((5, 1))
    if isinstance(loss, CrossEntropy):
        y = np.zeros((5, 3))
    with pytest.raises(ValueError):
        loss.weighted(y, raw, None, 1.0)


OUT_ACTIVATIONS = {
    "logistic": ["binary_cross_entropy"],
    "softmax": ["cross_entropy"],
    "exp": ["poisson", "gamma"],
    "identity": ["squared_error", "absolute_error", "huber", "quantile"],
}


@pytest.mark.parametrize("name", OUT_ACTIVATIONS)
def test_the_inverse_link_has_the_name_it_says(name):
    raw = np.array([[0.3, -1.2, 2.0]])
    expected = {
        "logistic": expit,
        "softmax": lambda z: softmax(z, axis=1),
        "exp": np.exp,
        "identity": lambda z: z,
    }[name](raw)
    for loss in map(losses.get, OUT_ACTIVATIONS[name]):
        assert loss.out_activation == name
        np.testing.assert_allclose(loss.inverse_link(raw), expected)
