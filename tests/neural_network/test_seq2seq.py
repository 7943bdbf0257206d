"""Sequences from sequences, as an estimator."""

import itertools
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdl import Seq2Seq
from skdl.callbacks import EarlyStopping
from skdl.inspection import gradient_flow
from skdl.layers import GRU, Delay, Residual
from skdl.losses import CrossEntropy
from skdl.neural_network._generate import all_log_p
from skdl.neural_network._seq2seq_base import told
from skdl.optimizers import Adam
from skdl.text import (
    CharTokenizer,
    SymbolTokenizer,
    UnknownTokenWarning,
    WordTokenizer,
)
from skdl.training import Data

pytestmark = pytest.mark.filterwarnings("ignore:batch_size=.* is larger:UserWarning")

SETTINGS = {
    "hidden_layer_sizes": 24,
    "cell": "gru",
    "embedding": 8,
    "optimizer": Adam(0.02),
    "batch_size": 14,
    "n_iter_no_change": "never",
    "random_state": 0,
}
X = ["".join(x) for n in (1, 2, 3) for x in itertools.product("ab", repeat=n)]
Y = [x[::-1] for x in X]


@pytest.fixture(scope="module")
def reverser():
    """A model that has learned to reverse strings."""
    return Seq2Seq(**SETTINGS, max_iter=80).fit(X, Y)


def untrained(y, dtype="float64", **settings):
    """A model whose answers are far from sure and all differ."""
    model = Seq2Seq(5, embedding=3, dtype=dtype, random_state=0, **settings)
    model.initialize(X[: len(y)], y)
    theta = model.network_.params.vector
    theta += np.random.default_rng(3).normal(size=theta.size)
    return model


# ---- learning


def test_it_learns(reverser):
    assert reverser.predict(X) == Y
    assert reverser.score(X, Y) == reverser.token_accuracy(X, Y) == 1
    assert reverser.loss_curve_[-1] < 0.1 < reverser.loss_curve_[0]
    assert reverser.n_outputs_ == len(reverser.target_tokenizer_.vocabulary_) == 5
    assert (np.exp(reverser.score_samples(X, Y)) > 0.5).all()


FORMS = {
    "lists": ([list(x) for x in X], [list(y) for y in Y]),
    "rows": (np.array([[0, 1], [1, 1], [1, 0], [0, 0]] * 5), None),
    "strings to lists": (X, [[int(c == "a") for c in y] for y in Y]),
    "strings to single symbols": (X, np.array([len(x) for x in X])),
    "strings to rows": (X, np.array([[x[0], x[-1]] for x in X])),
    "tuples": ([tuple(x) for x in X], Y),
}


@pytest.mark.parametrize("form", FORMS)
def test_answers_have_the_form_of_y(form):
    x, y = FORMS[form]
    y = x[:, ::-1] if y is None else y
    model = Seq2Seq(**SETTINGS, max_iter=60).fit(x, y)
    found = model.predict(x)
    assert type(found) is type(y)
    if isinstance(y, list):
        assert found == y
    else:
        np.testing.assert_array_equal(found, y)
        assert found.dtype == y.dtype
    assert model.score(x, y) == 1
    assert hasattr(model, "n_features_in_") == (form == "rows")


def test_words():
    x, y = ["two", "one two", "one"], ["zwei", "eins zwei", "eins"]
    settings = {**SETTINGS, "max_iter": 60}
    model = Seq2Seq(target_tokenizer="word", **settings).fit(x * 4, y * 4)
    assert model.predict(x) == y
    assert "eins" in model.target_tokenizer_.vocabulary_
    assert "e" in model.tokenizer_.vocabulary_


def test_fitted_tokenizers():
    tokenizer = WordTokenizer().fit(["a b c d"])
    model = Seq2Seq(tokenizer=FrozenEstimator(tokenizer)).initialize(["a b"], ["c"])
    assert model.tokenizer_ is model.target_tokenizer_ is tokenizer
    assert len(model.predict(["d c"])) == 1


def test_empty_sequences():
    model = Seq2Seq(**SETTINGS, max_iter=60).fit([*X, ""], [*Y, ""])
    assert model.predict(["", "ab", ""]) == ["", "ba", ""]


def test_layers_of_ones_own():
    chain = [GRU(24), Residual([GRU(24)])]
    model = Seq2Seq(**SETTINGS, layers=chain, max_iter=80).fit(X, Y)
    assert model.score(X, Y) == 1


# ---- search


def greedy(model, x, longest):
    """The most probable symbol each time, from the probabilities of beginnings."""
    symbols = sorted(set("".join(Y)))
    text = ""
    while len(text) < longest:
        ids = {}
        for symbol in symbols:  # P(text + symbol ...) / P(text ...)
            ids[symbol] = log_p_of_beginning(model, x, text + symbol)
        end = model.score_samples([x], [text])[0]
        best = max(ids, key=ids.get)
        if end >= ids[best]:
            return text
        text += best
    return text


def log_p_of_beginning(model, x, text):
    rows, y = model._read([x], [text])
    ids = model._task.encode(y, None)
    _, raw = next(told(model.network_, Data(rows, ids, None, y)))
    log_p = all_log_p(raw[0])
    return sum(log_p[i, k] for i, k in enumerate(ids.values[:-1]))


def test_one_beam_is_greedy():
    model = untrained(Y, max_length=6)
    expected = [greedy(model, x, 6) for x in X]
    assert len(set(expected)) > 3
    assert model.predict(X) == expected


def every(symbols, longest):
    for n in range(longest + 1):
        yield from map("".join, itertools.product(symbols, repeat=n))


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0])
def test_many_beams_find_the_best_of_all(penalty):
    model = untrained(Y, max_length=4, length_penalty=penalty, n_beams=40)
    texts = list(every("ab", 4))
    lengths = np.array([len(text) + 1 for text in texts])
    for x in X[:6]:
        log_p = model.score_samples([x] * len(texts), texts)
        best = np.argsort(-log_p / lengths**penalty)[:5]
        found = model.predict_n_best([x], n=5)[0]
        assert [text for text, _ in found] == [texts[i] for i in best]
        np.testing.assert_allclose([p for _, p in found], log_p[best], rtol=1e-10)
    assert model.predict(X[:6]) == [f[0][0] for f in model.predict_n_best(X[:6])]
    sure = model.score_samples(X[:6])
    np.testing.assert_allclose(
        sure, [f[0][1] for f in model.predict_n_best(X[:6])], rtol=1e-12
    )


def test_rows_are_the_best_of_their_length():
    y = np.array([[0, 1, 2], [2, 1, 0], [0, 2, 2], [1, 1, 1]])
    model = untrained(y, n_beams=30)
    rows = np.array(list(itertools.product(range(3), repeat=3)))
    log_p = model.score_samples([X[2]] * len(rows), rows)
    np.testing.assert_array_equal(model.predict([X[2]])[0], rows[log_p.argmax()])


def test_more_beams_are_no_worse_on_the_whole():
    model = untrained(Y, max_length=6, length_penalty=0.0)
    sure = [model.set_params(n_beams=n).score_samples(X).mean() for n in (1, 4, 64)]
    assert sure == sorted(sure)
    assert sure[0] < sure[2]


def test_the_best_of_few_beams():
    model = untrained(Y, max_length=6)
    for found in model.set_params(n_beams=3).predict_n_best(X, n=3):
        assert 1 <= len(found) <= 3
        assert len({text for text, _ in found}) == len(found)


@pytest.mark.parametrize("n_beams", [1, 3])
def test_company_changes_no_answer(n_beams):
    model = untrained(Y, max_length=6, n_beams=n_beams)
    together, sure = model.predict(X), model.score_samples(X, Y)
    for i, x in enumerate(X):
        assert model.predict([x]) == together[i : i + 1]
        alone = model.score_samples([x], [Y[i]])
        np.testing.assert_allclose(alone, sure[i : i + 1], rtol=1e-10)
    # more of them than are followed side by side
    many = model.predict(X * 60)
    assert many == together * 60


def test_probabilities_add_up_to_one():
    model = untrained(np.array([[0, 1], [1, 0], [1, 1]]))
    model.network_.params["1.b"][:3] = -1e3  # the symbols that are not in rows
    rows = np.array(list(itertools.product(range(2), repeat=2)))
    for x in X:
        p = np.exp(model.score_samples([x] * len(rows), rows))
        assert p.sum() == pytest.approx(1, rel=1e-10)


# ---- scores


def test_scores(reverser):
    y = Y.copy()
    y[3], y[4] = y[3] + "b", ""
    weight = np.ones(len(y))
    weight[3] = 5
    assert reverser.score(X, y) == pytest.approx(1 - 2 / len(y))
    assert reverser.score(X, y, weight) == pytest.approx(1 - 6 / weight.sum())
    most = [max(len(a), len(b)) for a, b in zip(Y, y, strict=True)]
    assert reverser.token_accuracy(X, y) == pytest.approx(
        1 - (1 + len(Y[4])) / sum(most)
    )
    heavy = 1 - (5 + len(Y[4])) / (weight @ most)
    assert reverser.token_accuracy(X, y, weight) == pytest.approx(heavy)
    assert reverser.score(X, ["?"] * len(X)) == 0
    assert reverser.token_accuracy(X, ["?"] * len(X)) == 0


@pytest.mark.parametrize("scoring", ["loss", None, Seq2Seq.token_accuracy])
def test_validation(scoring):
    model = Seq2Seq(**SETTINGS, max_iter=12, scoring=scoring)
    model.fit(X, Y, X_val=X[:6], y_val=Y[:6])
    last = model.history_["val_score"][-1]
    log_p = model.score_samples(X[:6], Y[:6])
    loss = -log_p.sum() / sum(len(y) + 1 for y in Y[:6])
    assert model.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-5)
    score = model.token_accuracy if callable(scoring) else model.score
    assert last == pytest.approx(score(X[:6], Y[:6]))
    model.set_params(early_stopping=True, n_iter_no_change=2, max_iter=60)
    model.fit(X * 3, Y * 3)
    assert model.best_epoch_ <= model.n_iter_


def test_weights_are_repetitions():
    weight = np.arange(len(X)) % 3
    model = Seq2Seq(**{**SETTINGS, "batch_size": 100}, max_iter=5, dtype="float64")
    weighted = clone(model).fit(X, Y, weight)
    rows = np.repeat(np.arange(len(X)), weight)
    repeated = model.fit([X[i] for i in rows], [Y[i] for i in rows])
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-8)


# ---- going on


def test_partial_fit_is_an_epoch():
    settings = {**SETTINGS, "shuffle": False}
    whole = Seq2Seq(**settings, max_iter=3).fit(X, Y)
    model = Seq2Seq(**settings)
    for _ in range(3):
        model.partial_fit(X, Y)
    np.testing.assert_array_equal(model.loss_curve_, whole.loss_curve_)


def test_warm_start():
    model = Seq2Seq(**SETTINGS, warm_start=True, max_iter=3).fit(X, Y)
    vocabulary = model.tokenizer_.vocabulary_
    model.fit(X[:4], Y[:4])
    assert model.n_iter_ == 6
    assert model.tokenizer_.vocabulary_ is vocabulary


def test_persistence_and_clones(reverser):
    again = pickle.loads(pickle.dumps(reverser))
    assert again.predict(X) == Y
    new = clone(reverser)
    assert not hasattr(new, "network_")
    assert new.fit(X[:3], Y[:3]).n_iter_ == 80


def test_in_searches_and_pipelines():
    model = Seq2Seq(**SETTINGS, max_iter=3)
    grid = {"n_beams": [1, 2], "optimizer__learning_rate": [1e-3, 0.02]}
    search = GridSearchCV(model, grid, cv=2, scoring=Seq2Seq.token_accuracy)
    search.fit(X, Y)
    assert search.best_params_["optimizer__learning_rate"] == 0.02
    assert len(search.predict(X)) == len(X)
    assert cross_val_score(model, X, np.array(Y, object), cv=2).shape == (2,)
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipe = make_pipeline(lower, model).fit([x.upper() for x in X], Y)
    assert len(pipe.predict(["AB"])) == 1
    assert pipe.score(X, Y) == pipe[-1].score(X, Y)


def test_callbacks():
    model = Seq2Seq(**SETTINGS, max_iter=30)
    model.set_callbacks(EarlyStopping(monitor="val_loss", patience=0, tol=10.0))
    assert model.fit(X, Y, X_val=X, y_val=Y).n_iter_ <= 3


def test_gradient_flow(reverser):
    norms = gradient_flow(reverser, X, Y)
    assert list(norms) == ["GRU (encoder)", "GRU (decoder)"]
    read, said = norms.values()
    for i, (x, y) in enumerate(zip(X, Y, strict=True)):
        n = len(y) + 1  # steps of the decoder, then those of the encoder
        assert np.isfinite(said[i]).nonzero()[0].tolist() == list(range(n))
        own = range(n, n + len(x) + 1)
        assert np.isfinite(read[i]).nonzero()[0].tolist() == list(own)


# ---- bad input

WRONG = {
    "no pairs": ([], [], ValueError, "X has no sequences"),
    "no targets": (X, [], ValueError, "y has no sequences"),
    "one string": ("ab", Y, ValueError, r"X is one str.*pass \[X\]"),
    "one target": (X, "ab", ValueError, r"y is one str.*pass \[y\]"),
    "lengths": (X, Y[1:], ValueError, "inconsistent numbers of samples"),
    "y is missing": (X, None, ValueError, "requires y to be passed"),
    "a number among strings": (["a", 1], ["a", "b"], TypeError, "element 1 of X is"),
    "a number among targets": (["a", "b"], ["a", 1], TypeError, "its element 1 is 1"),
    "a string among lists": (
        ["a", "b"],
        [["a"], "b"],
        TypeError,
        "its element 1 is 'b'",
    ),
    "numbers": ([1, 2], ["a", "b"], ValueError, "Expected 2D array"),
    "no symbols": (["", ""], ["a", "b"], ValueError, "X has no tokens to learn from"),
    "no target symbols": (["a"], [""], ValueError, "y has no symbols: all"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_pairs(case):
    x, y, error, message = WRONG[case]
    model = Seq2Seq()
    with pytest.raises(error, match=message):
        model.fit(x, y)
    assert not hasattr(model, "network_")


SETTING = {
    "beams": ({"n_beams": 0}, "'n_beams' parameter of Seq2Seq"),
    "penalty": ({"length_penalty": -1.0}, "'length_penalty' parameter"),
    "length": ({"max_length": 0}, "'max_length' parameter"),
    "cell": ({"cell": "cnn"}, "'cell' parameter"),
    "tokenizer": ({"tokenizer": "letters"}, "Unknown tokenizer 'letters'"),
    "target tokenizer": ({"target_tokenizer": 3}, "'target_tokenizer' parameter"),
    "loss": ({"loss": "exponential"}, "takes the loss cross_entropy"),
    "looks ahead": ({"layers": [GRU(3, reverse=True)]}, "must not look ahead"),
    "one row": (
        {"layers": [GRU(3, return_sequences=False)]},
        "an output for each step",
    ),
    "not recurrent": ({"layers": ["tanh"]}, "each recurrent layer of the decoder"),
    "batch": ({"batch_size": 0}, "'batch_size' parameter"),
}


@pytest.mark.parametrize("case", SETTING)
def test_bad_settings(case):
    settings, message = SETTING[case]
    with pytest.raises((ValueError, TypeError), match=message):
        Seq2Seq(**settings).fit(X, Y)


def test_before_fit():
    for call in (lambda m: m.predict(X), lambda m: m.score(X, Y)):
        with pytest.raises(NotFittedError):
            call(Seq2Seq())
    with pytest.raises(NotFittedError):
        Seq2Seq().score_samples(X, Y)


def test_symbols_that_were_not_seen(reverser):
    with pytest.warns(UnknownTokenWarning, match="1 of 2 tokens were not seen"):
        assert len(reverser.predict(["a!"])) == 1
    before = pickle.dumps(reverser.network_.params.vector)
    message = "y has symbols that were not seen in fit, in element 1: 'b!'"
    with pytest.raises(ValueError, match=message):
        reverser.score_samples(["a", "b"], ["a", "b!"])
    with pytest.raises(ValueError, match=message):
        reverser.partial_fit(["a", "b"], ["a", "b!"])
    with pytest.raises(ValueError, match=message):
        clone(reverser).fit(X, Y, X_val=["a", "b"], y_val=["a", "b!"])
    assert pickle.dumps(reverser.network_.params.vector) == before
    assert reverser.score(["a", "b"], ["a", "b!"]) == 0.5


def test_another_form_than_in_fit(reverser):
    with pytest.raises(ValueError, match="X held strings in fit and holds lists"):
        reverser.predict([["a", "b"]])
    with pytest.raises(ValueError, match="y held strings in fit and holds lists"):
        reverser.score_samples(["ab"], [["b", "a"]])
    rows = Seq2Seq(**SETTINGS, max_iter=1).fit([[1, 2]] * 14, np.eye(14, dtype=int))
    with pytest.raises(ValueError, match="y has rows of 2 symbols; in fit they had 14"):
        rows.score_samples([[1, 2]], np.array([[0, 1]]))


def test_rare_symbols_are_not_written():
    tokenizer = SymbolTokenizer(min_frequency=2)
    x, y = [["a"], ["b"], ["c"]] * 5, [["a"], ["b"], ["c"]] * 5
    y[0] = ["z"]
    model = Seq2Seq(**SETTINGS, max_iter=30, target_tokenizer=tokenizer)
    with pytest.warns(UnknownTokenWarning, match="1 of 15 tokens"):
        model.fit(x, y)
    assert model.predict(x[:3]) == [["a"], ["b"], ["c"]]


def test_label_smoothing():
    plain, smooth = (
        Seq2Seq(**SETTINGS, max_iter=60, loss=loss).fit(X, Y)
        for loss in ("cross_entropy", CrossEntropy(0.2))
    )
    assert smooth.score_samples(X, Y).mean() < plain.score_samples(X, Y).mean()


def test_a_symbol_that_comes_late_is_learned_at_once():
    tokenizer = FrozenEstimator(CharTokenizer().fit(["abch"]))
    model = Seq2Seq(8, target_tokenizer=tokenizer, random_state=0)
    model.partial_fit(["a", "b", "c"] * 10, ["a", "b", "c"] * 10)
    for _ in range(60):
        model.partial_fit(["a"] * 30, ["h"] * 30)
    assert model.predict(["a"]) == ["h"]


def test_layers_that_steps_do_not_carry():
    with pytest.raises(ValueError, match="nothing carries on"):
        Seq2Seq(layers=[Delay(), GRU(4)]).fit(["ab"], ["ba"])
