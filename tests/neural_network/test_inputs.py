"""Kinds of X and y: sparse, frames, types, labels, several labels and outputs."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.multioutput import MultiOutputClassifier
from sklearn.utils.validation import check_is_fitted

from skdl import MLPClassifier, MLPRegressor
from skdl.layers import Conv2D, Dense, Dropout

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

FAST = {"hidden_layer_sizes": (8,), "max_iter": 5, "random_state": 0}


def made(kind, **settings):
    cls = MLPRegressor if kind in ("regression", "multioutput") else MLPClassifier
    return cls(**{**FAST, **settings})


def weights(net):
    return net.network_.params.vector


# ---- X

SPARSE = [
    sparse.csr_array,
    sparse.csc_array,
    sparse.coo_array,
    sparse.csr_matrix,
    sparse.csc_matrix,
]


@pytest.mark.parametrize("kind", ["multiclass", "multilabel", "multioutput"])
@pytest.mark.parametrize("make", SPARSE)
def test_sparse_is_dense(problems, make, kind):
    X, y = problems[kind]
    X = np.where(np.abs(X) > 0.6, X, 0)
    settings = {"batch_size": 16, "dropout": 0.2, "early_stopping": True}
    dense = made(kind, **settings).fit(X, y)
    net = made(kind, **settings).fit(make(X), y)
    np.testing.assert_allclose(weights(net), weights(dense), rtol=1e-8, atol=1e-11)
    for name in net.history_:
        np.testing.assert_allclose(net.history_[name], dense.history_[name], rtol=1e-8)
    np.testing.assert_allclose(net.predict(make(X)), dense.predict(X), rtol=1e-8)
    np.testing.assert_allclose(net.predict(X), dense.predict(X), rtol=1e-8)


@pytest.mark.parametrize("method", ["fit", "partial_fit", "initialize"])
def test_sparse_and_dense_may_be_mixed(problems, method):
    X, y = problems["multiclass"]
    net = made("multiclass")
    getattr(net, method)(sparse.csr_array(X), y)
    if method != "initialize":
        other = made("multiclass")
        validation = {"X_val": X, "y_val": y}
        getattr(other, method)(sparse.csr_array(X), y, **validation)
        assert len(other.history_["val_loss"]) == other.n_iter_
    assert net.partial_fit(X, y).predict(sparse.csr_array(X)).shape == y.shape


def test_sparse_needs_a_dense_first_layer(problems):
    X, y = problems["multiclass"]
    S = sparse.csr_array(X)
    net = MLPClassifier(layers=[Dropout(0.1), Dense(5)], max_iter=3)
    message = r"Sparse X needs a first layer that takes it \(Dense\), got \[Dropout"
    with pytest.raises(ValueError, match=message):
        net.fit(S, y)
    net.fit(X, y)
    for call in (
        lambda: net.predict(S),
        lambda: net.predict_proba(S),
        lambda: net.partial_fit(X, y, X_val=S, y_val=y),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames(problems, frame):
    X, y = problems["multiclass"]
    names = ["a", "b", "c", "d"]
    table = frame({name: X[:, i] for i, name in enumerate(names)})
    net = made("multiclass").fit(table, y)
    np.testing.assert_array_equal(net.feature_names_in_, names)
    plain = made("multiclass").fit(X, y)
    assert not hasattr(plain, "feature_names_in_")
    np.testing.assert_array_equal(weights(net), weights(plain))
    np.testing.assert_array_equal(net.predict(table), plain.predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        net.predict(table[names[::-1]])
    with pytest.raises(ValueError, match="feature names should match"):
        net.partial_fit(table[names[::-1]], y)
    with pytest.raises(ValueError, match="feature names should match"):
        clone(net).fit(table, y, X_val=table[names[::-1]], y_val=y)


def test_series_as_targets_and_weights(problems):
    X, y = problems["multiclass"]
    index = np.arange(100, 160)  # not the row numbers
    series = pd.Series(np.array(["x", "y", "z"])[y], index=index, dtype="category")
    weight = pd.Series(np.linspace(1, 2, 60), index=index)
    net = made("multiclass").fit(pd.DataFrame(X, index=index), series, weight)
    plain = made("multiclass").fit(X, y, weight.to_numpy())
    np.testing.assert_array_equal(weights(net), weights(plain))
    assert list(net.classes_) == ["x", "y", "z"]


@pytest.mark.parametrize("given", ["float32", "float64", "int64", "uint8", "bool"])
@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
@pytest.mark.parametrize("kind", ["multiclass", "multioutput"])
def test_types(problems, kind, given, dtype):
    X, y = problems[kind]
    X = (10 * np.abs(X)).astype(given)
    net = made(kind, dtype=dtype, batch_norm=True, early_stopping=True).fit(X, y)
    expected = dtype or ("float32" if given == "float32" else "float64")
    for array in (*net.coefs_, *net.intercepts_, net.network_.state.vector):
        assert array.dtype == expected
    for other in ("float32", "float64"):  # the network's type, whatever comes
        predict = net.predict if kind == "multioutput" else net.predict_proba
        assert predict(X.astype(other)).dtype == expected


@pytest.mark.parametrize("layout", ["F", "strided", "read-only", "list", "big-endian"])
def test_layouts(problems, layout):
    X, y = problems["multiclass"]
    given = {
        "F": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=0)[::2],
        "read-only": X,
        "list": X.tolist(),
        "big-endian": X.astype(">f8"),
    }[layout]
    net = made("multiclass", batch_size=16).fit(given, y)
    plain = made("multiclass", batch_size=16).fit(X.copy(), y)
    np.testing.assert_allclose(weights(net), weights(plain), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(net.predict_proba(given), plain.predict_proba(X))


def test_single_precision_agrees_with_double(digits):
    X, y = digits
    settings = {"optimizer": "sgd", "max_iter": 2, "warm_start": True, "shuffle": False}
    single = made("multiclass", **settings).initialize(X, y)
    double = made("multiclass", **settings, dtype="float64").initialize(X, y)
    weights(double)[:] = weights(single)
    for net in (single, double):
        net.fit(X, y)
    np.testing.assert_allclose(single.loss_curve_, double.loss_curve_, rtol=1e-5)
    np.testing.assert_allclose(weights(single), weights(double), rtol=1e-3, atol=1e-5)


# ---- y of classifiers


LABELS = {
    "numbers": [0, 1, 2],
    "other numbers": [-5, 7, 100],
    "floats": [0.0, 1.0, 2.0],
    "strings": ["a", "bb", "ccc"],
    "objects": np.array(["a", "bb", "ccc"], dtype=object),
    "unsorted": ["z", "a", "m"],
}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("case", LABELS)
def test_labels(iris, case, early_stopping):
    X, y = iris
    labels = np.asarray(LABELS[case])[y]
    net = made("multiclass", max_iter=60, early_stopping=early_stopping)
    net.set_params(scoring="f1_macro", optimizer__learning_rate=0.02).fit(X, labels)
    np.testing.assert_array_equal(net.classes_, np.unique(labels))
    p = net.predict_proba(X)
    assert p.shape == (150, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(net.predict(X), net.classes_[p.argmax(axis=1)])
    np.testing.assert_allclose(net.predict_log_proba(X), np.log(p))
    assert net.score(X, labels) > 0.7
    assert net.predict(X).dtype == net.classes_.dtype


@pytest.mark.parametrize("labels", [[False, True], ["no", "yes"], [1, 2], [-1, 1]])
def test_two_classes(problems, labels):
    X, y = problems["binary"]
    y = np.array(labels)[y]
    net = made("binary", max_iter=200).fit(X, y)
    assert net.n_outputs_ == 1
    assert net.out_activation_ == "logistic"
    p = net.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(net.predict(X), net.classes_[(p[:, 1] > 0.5) * 1])
    assert net.score(X, y) > 0.6


@pytest.mark.parametrize("label", ["only", 3])
def test_one_class(iris, label):
    X, _ = iris
    y = np.full(len(X), label)
    for settings in ({}, {"early_stopping": True}, {"class_weight": "balanced"}):
        net = made("binary", **settings).fit(X, y)
        assert (net.predict(X) == label).all()
        np.testing.assert_array_equal(net.predict_proba(X), np.ones((len(X), 1)))
        assert net.score(X, y) == 1
    grown = made("binary").partial_fit(X, y, classes=[label, label * 2])
    assert grown.predict_proba(X).shape == (len(X), 2)


def test_a_column_is_warned_of(problems):
    X, y = problems["multiclass"]
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        net = made("multiclass").fit(X, y[:, None])
    np.testing.assert_array_equal(weights(net), weights(made("multiclass").fit(X, y)))
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        net = made("regression").fit(X, y[:, None])
    assert net.predict(X).shape == (60,)


# ---- several labels


def test_several_labels(problems):
    X, y = problems["multilabel"]
    net = made("multilabel", max_iter=200).fit(X, y)
    assert net.n_outputs_ == 3
    assert net.out_activation_ == "logistic"
    np.testing.assert_array_equal(net.classes_, [0, 1, 2])
    p = net.predict_proba(X)
    assert p.shape == (60, 3)
    assert (np.abs(p.sum(axis=1) - 1) > 0.1).any()  # each on its own
    np.testing.assert_array_equal(net.predict(X), (p > 0.5).astype(int))
    assert (net.predict(X) == y).mean() > 0.65
    validated = made("multilabel").fit(X, y, X_val=X, y_val=y)
    all_right = (validated.predict(X) == y).all(axis=1).mean()
    assert validated.history_["val_score"][-1] == pytest.approx(all_right)


@pytest.mark.parametrize("n_labels", [2, 3])
def test_several_labels_are_as_many_networks_without_hidden_layer(problems, n_labels):
    X, y = problems["multilabel"]
    net = MLPClassifier((), optimizer="lbfgs", alpha=0.1, tol=0)
    together = clone(net).fit(X, y[:, :n_labels])
    each = MultiOutputClassifier(net).fit(X, y[:, :n_labels])
    p = np.column_stack([p[:, 1] for p in each.predict_proba(X)])
    np.testing.assert_allclose(together.predict_proba(X), p, atol=1e-3)
    assert together.predict(X).shape == (60, n_labels)


def test_kinds_of_indicators(problems):
    X, y = problems["multilabel"]
    plain = made("multilabel").fit(X, y)
    for given in (y.astype(float), y.astype(bool), y.tolist(), *(m(y) for m in SPARSE)):
        net = made("multilabel").fit(X, given)
        np.testing.assert_array_equal(weights(net), weights(plain))
        assert net.predict(X).dtype.kind == "i"
    for settings in ({"early_stopping": True}, {"class_weight": "balanced"}):
        a = made("multilabel", **settings).fit(X, y)
        b = made("multilabel", **settings).fit(X, sparse.csr_array(y))
        np.testing.assert_array_equal(weights(a), weights(b))


def test_a_label_that_all_or_none_have(problems):
    X, y = problems["multilabel"]
    y = np.c_[y, np.zeros(60, int), np.ones(60, int)]
    net = made("multilabel", max_iter=100).set_params(optimizer__learning_rate=0.02)
    prediction = net.fit(X, y).predict(X)
    np.testing.assert_array_equal(prediction[:, 3:], y[:, 3:])


WRONG = {
    "several outputs of classes": (
        np.c_[[0, 1, 2] * 20, [2, 1, 0] * 20],
        "Several outp",
    ),
    "reals": (np.linspace(0, 1, 60), "Unknown label type"),
    "other indicators": (
        np.tile([[-1, 1], [1, -1]], (30, 1)),
        r"must be 0 or 1, got \[-1, 1\]",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_targets_that_are_no_classes(problems, case):
    y, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        made("multiclass").fit(problems["binary"][0], y)


# ---- y of regressors


def test_several_outputs(problems):
    X, y = problems["multioutput"]
    net = made("multioutput", max_iter=300).fit(X, y)
    assert net.n_outputs_ == 2
    assert net.predict(X).shape == (60, 2)
    assert net.score(X, y) > 0.3
    assert made("regression").fit(X, y[:, 0]).predict(X).shape == (60,)


def test_several_outputs_are_as_many_networks_without_hidden_layer(problems):
    X, y = problems["multioutput"]
    net = MLPRegressor((), optimizer="lbfgs", alpha=0.1, tol=0, dtype="float64")
    together = clone(net).fit(X, y).predict(X)
    each = [clone(net).fit(X, column).predict(X) for column in y.T]
    np.testing.assert_allclose(together, np.column_stack(each), atol=1e-4)


def test_targets_may_be_integers_or_strings_of_numbers(problems):
    X, y = problems["regression"]
    net = made("regression").fit(X, np.round(y).astype(int))
    plain = made("regression").fit(X, np.round(y))
    np.testing.assert_array_equal(weights(net), weights(plain))
    with pytest.raises(ValueError, match="could not convert string to float"):
        made("regression").fit(X, np.array(["a"] * 60))


@pytest.mark.parametrize(
    "settings", [{"layers": [Conv2D(3)]}, {"loss": "huber"}, {"batch_size": -3}]
)
def test_a_first_fit_that_fails_leaves_no_fitted_model(iris, settings):
    X, y = iris
    net = MLPClassifier(**settings)
    with pytest.raises(ValueError):
        net.fit(X, y)
    with pytest.raises(NotFittedError):
        check_is_fitted(net)
