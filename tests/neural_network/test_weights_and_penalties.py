"""Sample weights, class weights, and the penalties on the network's weights."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.class_weight import compute_sample_weight

from skdl import MLPClassifier, MLPRegressor
from skdl.optimizers import SGD

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

KINDS = ["binary", "multiclass", "multilabel", "regression", "multioutput"]
# Full batches: the batches of repeated rows would be others.
OPTIMIZERS = {"gd": {"optimizer__learning_rate": 0.1}, "lbfgs": {}}


def made(kind, optimizer="gd", **settings):
    cls = MLPRegressor if kind in ("regression", "multioutput") else MLPClassifier
    net = cls((6,), "tanh", optimizer=optimizer, max_iter=15, random_state=0)
    return net.set_params(alpha=0.1, **OPTIMIZERS[optimizer], **settings)


def assert_same_model(a, b, rtol=1e-7):
    np.testing.assert_allclose(
        a.network_.params.vector, b.network_.params.vector, rtol=rtol, atol=1e-9
    )
    np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, rtol=rtol)


# ---- sample weights


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_weight_is_a_number_of_copies(problems, kind, optimizer):
    X, y = problems[kind]
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    copies = np.repeat(np.arange(len(X)), weight)
    net = made(kind, optimizer)
    weighted = clone(net).fit(X, y, sample_weight=weight)
    repeated = clone(net).fit(X[copies], y[copies])
    assert_same_model(weighted, repeated)
    plain = clone(net).fit(X, y)
    assert not np.allclose(plain.predict(X), weighted.predict(X))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_without_weight_are_not_there(problems, kind):
    X, y = problems[kind]
    weight = np.ones(len(X))
    weight[40:] = 0
    spoiled = X.copy()
    spoiled[40:] *= 1e3
    weighted = made(kind).fit(spoiled, y, weight)
    assert_same_model(weighted, made(kind).fit(X[:40], y[:40]))


@pytest.mark.parametrize("kind", KINDS)
def test_equal_weights_are_none(problems, kind):
    X, y = problems[kind]
    net = made(kind)
    plain = clone(net).fit(X, y)
    assert_same_model(clone(net).fit(X, y, np.ones(len(X))), plain)
    # The penalty is divided by the sum of weights, as in scikit-learn.
    ten = clone(net).set_params(alpha=1.0).fit(X, y, np.full(len(X), 10.0))
    assert_same_model(ten, plain)
    assert_same_model(clone(net).fit(X, y, 2.5), clone(net).fit(X, y, [2.5] * len(X)))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_under_partial_fit(problems, kind):
    X, y = problems[kind]
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    copies = np.repeat(np.arange(len(X)), weight)
    a, b = (made(kind).initialize(X, y) for _ in range(2))
    for _ in range(3):
        a.partial_fit(X, y, sample_weight=weight)
        b.partial_fit(X[copies], y[copies])
    assert_same_model(a, b)


@pytest.mark.parametrize(
    ("kind", "scoring"),
    [
        ("multiclass", None),
        ("multiclass", "neg_log_loss"),
        ("regression", None),
        ("regression", "neg_mean_absolute_error"),
    ],
)
def test_weights_of_the_validation_rows(problems, kind, scoring):
    X, y = problems[kind]
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    copies = np.repeat(np.arange(len(X)), weight)
    net = made(kind).set_params(scoring=scoring)
    weighted = clone(net).fit(X, y, X_val=X, y_val=y, sample_weight_val=weight)
    repeated = clone(net).fit(X, y, X_val=X[copies], y_val=y[copies])
    for name in ("val_loss", "val_score"):
        np.testing.assert_allclose(
            weighted.history_[name], repeated.history_[name], rtol=1e-9
        )


def test_the_validation_split_keeps_its_weights(iris):
    X, y = iris
    weight = np.where(np.arange(len(y)) % 2, 1.0, 1e-9)  # the odd rows alone count
    net = MLPClassifier((6,), early_stopping=True, validation_fraction=0.4)
    net.set_params(random_state=0, max_iter=5).fit(X, y, weight)
    plain = MLPClassifier((6,), early_stopping=True, validation_fraction=0.4)
    plain.set_params(random_state=0, max_iter=5).fit(X, y)
    assert net.history_["val_loss"] != plain.history_["val_loss"]
    assert np.isfinite(net.history_["val_loss"]).all()


def test_weights_of_classes_are_those_of_rows_held_out_and_not_of_others(problems):
    X, y = problems["multiclass"]
    net = MLPClassifier((6,), optimizer=SGD(1e-12), max_iter=1, random_state=0)
    weighted = clone(net).set_params(class_weight={0: 100.0})
    for more in ({"early_stopping": True}, {}):
        rows = {} if more else {"X_val": X, "y_val": y}
        losses = [
            clone(one).set_params(**more).fit(X, y, **rows).history_["val_loss"][0]
            for one in (net, weighted)
        ]
        assert (losses[0] == pytest.approx(losses[1], rel=1e-6)) is not bool(more)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_without_penalties_the_scale_of_weights_does_not_matter(problems, scale):
    X, y = problems["multiclass"]
    weight = np.linspace(0.5, 2, len(X))
    net = made("multiclass").set_params(alpha=0.0)
    assert_same_model(
        clone(net).fit(X, y, weight), clone(net).fit(X, y, scale * weight)
    )


# ---- class weights

CLASS_WEIGHTS = {
    "dict": {0: 1.0, 1: 5.0, 2: 0.5},
    "partial dict": {1: 3.0},
    "zero": {0: 0.0},
    "balanced": "balanced",
}


@pytest.mark.parametrize("case", CLASS_WEIGHTS)
def test_class_weight_is_a_sample_weight(problems, case):
    X, y = problems["multiclass"]
    X, y = X[5:], y[5:]  # not the same number of each class
    class_weight = CLASS_WEIGHTS[case]
    weight = compute_sample_weight(class_weight, y)
    net = made("multiclass")
    by_class = clone(net).set_params(class_weight=class_weight).fit(X, y)
    assert_same_model(by_class, clone(net).fit(X, y, weight))
    extra = np.linspace(0.2, 2, len(y))
    by_class = clone(net).set_params(class_weight=class_weight).fit(X, y, extra)
    assert_same_model(by_class, clone(net).fit(X, y, extra * weight))


def test_class_weight_with_strings(problems):
    X, y = problems["multiclass"]
    names = np.array(["a", "b", "c"])[y]
    net = made("multiclass")
    numbers = clone(net).set_params(class_weight={0: 2.0, 2: 0.1}).fit(X, y)
    strings = clone(net).set_params(class_weight={"a": 2.0, "c": 0.1}).fit(X, names)
    assert_same_model(numbers, strings)


def test_class_weight_of_labels(problems):
    X, y = problems["multilabel"]
    net = made("multilabel")
    for class_weight in (
        "balanced",
        [{0: 1.0, 1: 2.0}, {0: 0.5, 1: 1.0}, {0: 1, 1: 1}],
    ):
        by_class = clone(net).set_params(class_weight=class_weight).fit(X, y)
        weight = compute_sample_weight(class_weight, y)
        assert_same_model(by_class, clone(net).fit(X, y, weight))


def test_class_weight_under_partial_fit(problems):
    X, y = problems["multiclass"]
    weights = {0: 1.0, 1: 5.0, 2: 0.5}
    a = made("multiclass").set_params(class_weight=weights)
    b = made("multiclass")
    for _ in range(3):
        a.partial_fit(X, y)
        b.partial_fit(X, y, sample_weight=compute_sample_weight(weights, y))
    assert_same_model(a, b)
    with pytest.raises(ValueError, match="needs all of the data and cannot be used"):
        made("multiclass").set_params(class_weight="balanced").partial_fit(X, y)


def test_balanced_lifts_the_rare_class():
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(0, 1, (190, 2)), rng.normal(1, 1, (10, 2))]
    y = np.repeat([0, 1], [190, 10])
    net = MLPClassifier((), optimizer="lbfgs", random_state=0)
    plain = clone(net).fit(X, y).predict(X)
    balanced = clone(net).set_params(class_weight="balanced").fit(X, y).predict(X)
    assert plain[y == 1].mean() < 0.3
    assert balanced[y == 1].mean() > 0.5


# ---- penalties


def test_alpha_shrinks_the_weights(curve):
    X, y = curve
    norms = []
    for alpha in (0.0, 1.0, 10.0, 1e4):
        net = MLPRegressor((8,), optimizer="lbfgs", alpha=alpha, random_state=0)
        net.fit(X, y)
        norms.append(sum((W**2).sum() for W in net.coefs_))
    assert all(a > b for a, b in pairwise(norms))
    assert norms[-1] < 1e-3
    np.testing.assert_allclose(net.predict(X), y.mean(), atol=0.05)  # biases are free


def test_l1_selects_features(curve):
    X, y = curve
    rng = np.random.default_rng(0)
    useless = np.c_[X, rng.normal(size=(len(X), 5))]
    net = MLPRegressor((8,), optimizer="adam", alpha=0.0, random_state=0)
    net.set_params(max_iter=600, tol=0, optimizer__learning_rate="cosine")
    net.set_params(optimizer__learning_rate__initial=0.02, n_iter_no_change="never")
    sizes = {}
    for l1 in (0.0, 3.0):
        W = clone(net).set_params(l1=l1).fit(useless, y).coefs_[0]
        sizes[l1] = np.abs(W).sum(axis=1)
    assert (sizes[0.0] > 1).all()
    assert (sizes[3.0][2:] < 0.1).all()  # what the target does not depend on
    assert (sizes[3.0][:2] > 0.5).all()
    assert (np.abs(W) < 5e-3).mean() > 0.75  # single weights, too


def test_the_loss_includes_the_penalties(curve):
    X, y = curve
    net = MLPRegressor((8,), alpha=3.0, l1=2.0, max_iter=1, random_state=0)
    start = clone(net).initialize(X, y)
    net.fit(X, y)  # one step: its loss is that of the start
    W = np.concatenate([W.ravel() for W in start.coefs_])
    error = 0.5 * np.mean((start.predict(X) - y) ** 2)
    penalty = (1.5 * W @ W + 2.0 * np.abs(W).sum()) / len(X)
    np.testing.assert_allclose(net.loss_curve_, [error + penalty], rtol=1e-10)
    validated = clone(net).fit(X, y, X_val=X, y_val=y)
    assert validated.history_["val_loss"][0] < net.loss_curve_[0] - 0.5 * penalty


def test_batch_norm_and_biases_are_not_penalised(iris):
    X, y = iris
    net = MLPClassifier((8,), batch_norm=True, alpha=1e6, optimizer="gd", max_iter=1)
    net.set_params(optimizer__learning_rate=1e-4, random_state=0)
    start = clone(net).initialize(X, y)
    net.fit(X, y)
    for name in net.network_.params:
        moved = np.abs(net.network_.params[name] - start.network_.params[name]).max()
        assert (moved > 1e-2) == name.endswith(".W"), name


def test_the_curve_leaves_out_batches_without_weight():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y, weight = X[:, 0], np.arange(40) % 2.0
    settings = {"batch_size": 1, "max_iter": 3, "optimizer": "sgd", "random_state": 0}
    weighted = MLPRegressor((4,), shuffle=False, **settings).fit(X, y, weight)
    fewer = MLPRegressor((4,), shuffle=False, **settings).fit(X[1::2], y[1::2])
    np.testing.assert_allclose(weighted.loss_curve_, fewer.loss_curve_, rtol=1e-9)
