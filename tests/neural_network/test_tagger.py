"""A label at each step of sequences."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score

from skdl import RNNTagger
from skdl.layers import GRU, LSTM, Residual
from skdl.metrics import span_scores
from skdl.optimizers import Adam

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

FAST = {"hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0, "cell": "gru"}
LEARNS = {**FAST, "hidden_layer_sizes": 8, "optimizer": Adam(0.03), "max_iter": 40}


def weights(net):
    return net.network_.params.vector


@pytest.fixture(scope="module")
def texts():
    """Return 60 texts of letters and digits, and labels: runs of digits are numbers."""
    rng = np.random.default_rng(0)
    X = ["".join(rng.choice(list("ab12 "), rng.integers(3, 12))) for _ in range(60)]
    y = []
    for text in X:
        before = " " + text
        y.append(
            [
                "O" if not c.isdigit() else "I-N" if b.isdigit() else "B-N"
                for b, c in zip(before, text, strict=False)
            ]
        )
    return X, y


@pytest.fixture(scope="module")
def steps():
    """Return sequences of two numbers a step, and whether their sum rises."""
    rng = np.random.default_rng(1)
    X = [rng.normal(size=(n, 2)) for n in (4, 7, 1, 5, 6, 3)]
    y = [np.r_[0, np.diff(x.sum(axis=1)) > 0].astype(int) for x in X]
    return X, y


# ---- what it learns


def test_it_finds_numbers_in_texts(texts):
    X, y = texts
    net = RNNTagger(**LEARNS, embedding=4).fit(X[:45], y[:45])
    assert net.score(X[45:], y[45:]) > 0.97
    assert net.score_spans(X[45:], y[45:]) > 0.95
    predicted = net.predict(X[45:])
    assert [len(labels) for labels in predicted] == [len(text) for text in X[45:]]
    assert net.score_spans(X[45:], y[45:]) == span_scores(y[45:], predicted).f1
    right = np.concatenate(predicted) == np.concatenate(y[45:])
    assert net.score(X[45:], y[45:]) == pytest.approx(right.mean())


def test_probabilities(texts):
    X, y = texts
    net = RNNTagger(**FAST, embedding=4).fit(X, y)
    assert net.classes_.tolist() == ["B-N", "I-N", "O"]
    for text, p, labels in zip(X, net.predict_proba(X), net.predict(X), strict=True):
        assert p.shape == (len(text), 3)
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-6)
        np.testing.assert_array_equal(net.classes_[p.argmax(axis=1)], labels)
    log_p = net.predict_log_proba(X)[0]
    np.testing.assert_allclose(log_p, np.log(net.predict_proba(X)[0]))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_changes_no_answer(steps, bidirectional):
    X, y = steps
    net = RNNTagger(**FAST, bidirectional=bidirectional).fit(X, y)
    together = net.predict_proba(X)
    for sequence, p in zip(X, together, strict=True):
        np.testing.assert_allclose(net.predict_proba([sequence])[0], p, rtol=1e-12)


def test_gradients_are_those_of_all_steps_alike(steps):
    """One sequence, cut where a network without memory does not notice."""
    X, y = steps
    body = ["tanh"]  # no recurrence: steps are rows
    whole = RNNTagger(layers=body, max_iter=3, random_state=0).fit(X, y)
    rows = [x[i : i + 1] for x in X for i in range(len(x))]
    labels = [t[i : i + 1] for t in y for i in range(len(t))]
    cut = RNNTagger(layers=body, max_iter=3, random_state=0).fit(rows, labels)
    np.testing.assert_allclose(weights(whole), weights(cut), rtol=1e-10)


# ---- forms


def test_forms_are_the_same(steps):
    X, y = steps
    expected = RNNTagger(**FAST).fit(X, y)
    padded = np.full((6, 7, 2), np.nan)
    labels = np.full((6, 7), 99)  # behind the end any label
    for i, (x, t) in enumerate(zip(X, y, strict=True)):
        padded[i, : len(x)], labels[i, : len(x)] = x, t
    masked = np.ma.masked_invalid(padded)
    forms = {
        "lists": ([x.tolist() for x in X], [t.tolist() for t in y]),
        "series": (pd.Series(X), pd.Series(y)),
        "NaN": (padded, labels),
        "masked": (masked, labels),
        "frame of labels": (padded, pd.DataFrame(labels)),
    }
    for name, (sequences, targets) in forms.items():
        net = RNNTagger(**FAST).fit(sequences, targets)
        np.testing.assert_array_equal(weights(net), weights(expected), err_msg=name)
        for got, want in zip(net.predict(sequences), expected.predict(X), strict=True):
            np.testing.assert_array_equal(got, want, err_msg=name)
        assert net.score(sequences, targets) == expected.score(X, y)


def test_arrays_give_arrays():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5, 4, 2)), rng.integers(0, 3, (5, 4))
    net = RNNTagger(**FAST).fit(X, y)
    assert net.predict(X).shape == (5, 4)
    assert net.predict_proba(X).shape == (5, 4, 3)
    rows = RNNTagger(**FAST).fit(X[:, :, 0], y)
    assert rows.predict(X[:, :, 0]).shape == (5, 4)
    assert isinstance(rows.predict(list(X[:, :, 0])), list)


def test_a_table_and_a_column_are_one_sequence(steps):
    X, y = steps
    net = RNNTagger(**FAST).fit(X[1], y[1])
    expected = RNNTagger(**FAST).fit([X[1]], [y[1]])
    np.testing.assert_array_equal(weights(net), weights(expected))
    np.testing.assert_array_equal(net.predict(X[0]), expected.predict([X[0]])[0])
    assert net.predict_proba(X[0]).shape == (4, 2)
    frame = pd.DataFrame(X[1], columns=["a", "b"])
    named = RNNTagger(**FAST).fit(frame, pd.Series(y[1]))
    assert named.feature_names_in_.tolist() == ["a", "b"]
    np.testing.assert_array_equal(named.predict(frame), net.predict(X[1]))


# ---- weights


def test_weights_of_sequences_and_of_steps(steps):
    X, y = steps
    weight = np.array([1.0, 2, 0, 1, 3, 1])
    of_steps = [np.full(len(x), w) for x, w in zip(X, weight, strict=True)]
    net = RNNTagger(**FAST).fit(X, y, weight)
    same = RNNTagger(**FAST).fit(X, y, of_steps)
    np.testing.assert_allclose(weights(same), weights(net), rtol=1e-12)
    rows = np.repeat(np.arange(6), weight.astype(int))
    repeated = RNNTagger(**FAST).fit([X[i] for i in rows], [y[i] for i in rows])
    np.testing.assert_allclose(weights(repeated), weights(net), rtol=1e-8)
    assert net.score(X, y, weight) == pytest.approx(net.score(X, y, of_steps))


def test_steps_without_weight_do_not_count(steps):
    X, y = steps
    counts = [np.r_[1, np.zeros(len(x) - 1)] for x in X]
    other = [np.r_[t[0], 1 - t[1:]] for t in y]
    net = RNNTagger(**FAST).fit(X, y, counts)
    same = RNNTagger(**FAST).fit(X, other, counts)
    np.testing.assert_array_equal(weights(net), weights(same))


def test_class_weights(steps):
    X, y = steps
    net = RNNTagger(**FAST, class_weight={0: 1.0, 1: 5.0}).fit(X, y)
    by_hand = [np.where(t == 1, 5.0, 1.0) for t in y]
    same = RNNTagger(**FAST).fit(X, y, by_hand)
    np.testing.assert_array_equal(weights(net), weights(same))
    RNNTagger(**FAST, class_weight="balanced").fit(X, y, np.ones(6))


# ---- scikit-learn's tools


def test_cross_validation_and_grids(texts):
    X, y = texts
    scores = cross_val_score(RNNTagger(**FAST, embedding=3), X, y, cv=2)
    assert scores.shape == (2,)
    grid = {"optimizer__learning_rate": [1e-5, 0.05]}
    net = RNNTagger(**FAST | {"max_iter": 15}, embedding=3)
    search = GridSearchCV(net, grid, cv=2, scoring=RNNTagger.score_spans)
    search.fit(X, np.array(y, dtype=object))
    assert search.best_params_["optimizer__learning_rate"] == 0.05


@pytest.mark.parametrize("scoring", ["loss", "span_f1", None])
def test_early_stopping(texts, scoring):
    X, y = texts
    net = RNNTagger(**FAST, embedding=3, early_stopping=True, scoring=scoring)
    net.fit(X[:40], y[:40], X_val=X[40:], y_val=y[40:])
    if scoring == "span_f1":
        assert net.best_validation_score_ == net.score_spans(X[40:], y[40:])
    if scoring is None:
        assert net.best_validation_score_ == pytest.approx(net.score(X[40:], y[40:]))
    net.set_params(scoring=lambda est, X, y: est.score_spans(X, y)).fit(X, y)
    assert len(net.validation_scores_) == 3


def test_streams_and_pickles(texts):
    X, y = texts
    whole = RNNTagger(**FAST, embedding=3, batch_size=20).fit(X, y)
    stream = RNNTagger(**FAST, embedding=3, batch_size=20)
    for _ in range(3):
        stream.partial_fit(X, y, classes=["B-N", "I-N", "O"])
    np.testing.assert_array_equal(weights(stream), weights(whole))
    copied = pickle.loads(pickle.dumps(whole))
    np.testing.assert_array_equal(copied.predict(X)[3], whole.predict(X)[3])


def test_layers_of_ones_own(steps):
    X, y = steps
    net = RNNTagger(layers=[LSTM(4), Residual([GRU(4)])], max_iter=1).fit(X, y)
    assert net.network_.output_shape == (7, 1)
    with pytest.raises(ValueError, match="a label for each step needs sequences"):
        RNNTagger(layers=[LSTM(4, return_sequences=False)]).fit(X, y)


# ---- what is wrong


def test_wrong_labels(steps):
    X, y = steps
    net = RNNTagger(**FAST)
    cases = {
        r"sequence 1 of X has 7 steps, y has 6 labels": [y[0], y[1][:6], *y[2:]],
        r"numbers of samples: \[6, 5\]": y[:5],
        r"element 0 is array\(\[\[0\]": [t[:, None] for t in y],
        "element 0 is 0": list(range(6)),
        "requires y to be passed": None,
        "Unknown label type": [t + 0.5 for t in y],
        "NaN or infinity: sequence 2": [*y[:2], [np.nan], *y[3:]],
        r"got array\(3\)": np.array(3),
    }
    for message, labels in cases.items():
        with pytest.raises((ValueError, TypeError), match=message):
            net.fit(X, labels)
    net.fit(X, y)
    with pytest.raises(ValueError, match=r"labels \[7\] that are not among"):
        net.partial_fit(X[:1], [[7, 7, 7, 7]])
    with pytest.raises(ValueError, match=r"lengths \[4 7 1 5 6 3\], .* \[4, 6, 1"):
        net.fit(X, y, [*y[:1], y[1][:6], *y[2:]])
    with pytest.raises(NotFittedError):
        RNNTagger().predict(X)


@pytest.mark.parametrize("form", [list, np.array, pd.DataFrame])
def test_rows_of_symbols_with_texts_of_labels(form):
    """A row is a sequence, whatever the lengths of the others are."""
    X, y = [list("abcd"), list("dcba")] * 3, ["OBIO", "BIOO"] * 3
    net = RNNTagger(4, embedding=3, max_iter=2, random_state=0).fit(form(X), y)
    assert net.classes_.tolist() == ["B", "I", "O"]
    assert len(net.predict(form(X))) == 6
