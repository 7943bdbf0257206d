"""Language models: a density that adds up to 1, and what it has learned."""

import itertools
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skdl import RNNLanguageModel
from skdl.layers import GRU, LSTM, RNN, Bidirectional, Delay, Dropout, Residual
from skdl.optimizers import Adam
from skdl.schedules import Cosine
from skdl.text import (
    BPETokenizer,
    ByteTokenizer,
    CharTokenizer,
    SymbolTokenizer,
    Tokenizer,
    UnknownTokenWarning,
    WordTokenizer,
)

TEXTS = ["abba", "ba", "abab", "", "bbbaabab", "a"]
SMALL = {"hidden_layer_sizes": 6, "embedding": 3, "random_state": 0, "max_iter": 3}
CELLS = ("lstm", "gru", "rnn")

# Words that follow each other by known probabilities; "." ends a sequence.
MOVES = {
    "": {"a": 0.5, "b": 0.5},
    "a": {"a": 0.1, "b": 0.6, "c": 0.2, ".": 0.1},
    "b": {"a": 0.3, "c": 0.4, ".": 0.3},
    "c": {"a": 0.25, "b": 0.25, "c": 0.25, ".": 0.25},
}


def walks(n, seed):
    """Return sequences of the Markov chain above."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        at, text = "", ""
        while at != ".":
            text += at
            at = rng.choice(list(MOVES[at]), p=list(MOVES[at].values()))
        made.append(text)
    return made


@pytest.fixture(scope="module")
def chain():
    """Return a model of the chain."""
    model = RNNLanguageModel(
        hidden_layer_sizes=16, embedding=4, batch_size=100, max_iter=20, random_state=0
    )
    return model.set_params(optimizer=Adam(Cosine(0.02))).fit(walks(3000, 0))


@pytest.fixture(scope="module", params=CELLS)
def small(request):
    """Return a model of texts in double precision, of each cell."""
    model = RNNLanguageModel(cell=request.param, dtype="float64", window=3, **SMALL)
    return model.fit(TEXTS)


# ---- the density


def test_the_probabilities_of_all_texts_add_up_to_one(small):
    longest, total = 5, 0.0
    for n in range(longest + 1):
        texts = ["".join(letters) for letters in itertools.product("ab", repeat=n)]
        p = np.exp(small.score_samples(texts))
        total += p.sum()
        if n == longest:  # those that are longer begin with one of these
            ends = small.predict_proba(texts)[:, Tokenizer.END]
            total += (p / ends * (1 - ends)).sum()
    assert total == pytest.approx(1, abs=1e-12)


def test_the_probabilities_of_all_rows_add_up_to_one():
    X = np.random.default_rng(0).integers(5, 8, (20, 4))
    model = RNNLanguageModel(**SMALL).fit(X)
    rows = np.array(list(itertools.product([5, 6, 7], repeat=4)))
    assert np.exp(model.score_samples(rows)).sum() == pytest.approx(1, abs=1e-12)
    frame = pd.DataFrame(X, columns=list("abcd"))
    by_frame = clone(model).fit(frame)
    np.testing.assert_array_equal(by_frame.score_samples(frame), model.score_samples(X))
    assert list(by_frame.feature_names_in_) == list("abcd")


def test_a_score_is_the_sum_of_the_logarithms_of_predictions(small):
    ids = small.vocabulary_
    for text in TEXTS:
        p = small.predict_proba([text[:i] for i in range(len(text) + 1)])
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
        following = [*text, "<end>"]
        picked = [row[ids[symbol]] for row, symbol in zip(p, following, strict=True)]
        score = np.log(picked).sum()
        assert small.score_samples([text])[0] == pytest.approx(score, rel=1e-12)
    total = small.score_samples(TEXTS).sum()
    assert small.score(TEXTS) == pytest.approx(total, rel=1e-12)
    n = sum(map(len, TEXTS)) + len(TEXTS)
    assert small.perplexity(TEXTS) == pytest.approx(np.exp(-total / n), rel=1e-12)


def test_states_go_on_from_window_to_window(small):
    wide = clone(small).set_params(window=50, max_iter=1).fit(TEXTS)
    wide.network_.restore(small.network_.snapshot())
    for method in ("score_samples", "predict_proba", "transform"):
        ours, theirs = getattr(small, method)(TEXTS), getattr(wide, method)(TEXTS)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_rows_are_scored_like_lists_of_the_same_symbols():
    X = np.array([["x", "y", "y"], ["y", "x", "x"]] * 3)
    model = RNNLanguageModel(**SMALL).fit(X)
    np.testing.assert_allclose(
        model.score_samples(X), model.score_samples(X.tolist()), rtol=1e-6
    )
    # A prefix in a list may have any length.
    p = model.predict_proba([["x"], []])
    first = np.log(p[1, model.vocabulary_["x"]])
    second = np.log(p[0, model.vocabulary_["y"]])
    assert model.score_samples([["x", "y"]])[0] == pytest.approx(
        first + second, rel=1e-5
    )


# ---- what it learns


def test_a_model_of_a_markov_chain_has_its_probabilities(chain):
    ids = {**chain.vocabulary_, ".": Tokenizer.END}
    prefixes = ["", "ba", "ab", "abc", "acc"]
    for prefix, p in zip(prefixes, chain.predict_proba(prefixes), strict=True):
        for symbol, expected in MOVES[prefix[-1:]].items():
            assert p[ids[symbol]] == pytest.approx(expected, abs=0.05)


def test_samples_have_the_statistics_of_the_chain(chain):
    samples = chain.sample(4000, random_state=1)
    assert len(samples) == 4000
    counts = {(a, b): 0 for a in MOVES for b in "abc."}
    for text in samples:
        path = ["", *text, "."]
        for pair in itertools.pairwise(path):
            counts[pair] += 1
    for a in MOVES:
        total = sum(counts[a, b] for b in "abc.")
        for b in "abc.":
            share = counts[a, b] / total
            assert share == pytest.approx(MOVES[a].get(b, 0), abs=0.05)
    entropy = -chain.score(walks(500, 5)) / sum(len(w) + 1 for w in walks(500, 5))
    truth = [
        np.log([MOVES[a][b] for a, b in itertools.pairwise(["", *text, "."])]).sum()
        for text in walks(500, 5)
    ]
    best = -np.sum(truth) / sum(len(w) + 1 for w in walks(500, 5))
    assert best < entropy < best + 0.03


def test_samples_are_of_the_form_of_the_data(chain):
    assert chain.sample(3, 0) == chain.sample(3, 0)
    assert all(len(text) <= 4 for text in chain.sample(20, 0, max_length=4))
    X = np.random.default_rng(0).integers(0, 3, (10, 5))
    rows = RNNLanguageModel(**SMALL).fit(X).sample(7, 0)
    assert rows.shape == (7, 5)
    assert set(np.unique(rows)) <= {0, 1, 2}
    lists = RNNLanguageModel(**SMALL).fit([["do", "re"], ["mi"]]).sample(2, 0)
    assert all(isinstance(row, list) for row in lists)


def test_what_was_twelve_symbols_ago_is_remembered():
    # The first letter says what the last will be, 12 symbols later.
    texts = [first + "." * 12 + first for first in "xy"] * 30
    model = RNNLanguageModel(
        hidden_layer_sizes=12, embedding=4, batch_size=10, max_iter=200, random_state=0
    )
    model.set_params(optimizer=Adam(0.02), n_iter_no_change="never").fit(texts)
    p = model.predict_proba(["x" + "." * 12, "y" + "." * 12])
    ids = model.vocabulary_
    assert p[0, ids["x"]] > 0.9
    assert p[1, ids["y"]] > 0.9


@pytest.mark.parametrize("optimizer", [Adam(0.02), "lbfgs", "rprop"])
def test_training_lowers_the_loss(optimizer):
    model = RNNLanguageModel(optimizer=optimizer, **SMALL).set_params(max_iter=15)
    model.fit(walks(60, 0))
    loss = model.history_["loss"]
    assert loss[-1] < 0.97 * loss[0]
    assert model.t_ >= 15 * sum(len(w) + 1 for w in walks(60, 0))


def test_it_begins_with_the_frequencies():
    model = RNNLanguageModel(**SMALL).fit(walks(200, 0))
    symbols = "".join(walks(200, 0))
    n = len(symbols) + 200
    share = np.array([0, 200, 0, *(symbols.count(s) for s in "abc")]) / n
    share = share[share > 0]
    entropy = -(share * np.log(share)).sum()
    assert model.history_["loss"][0] == pytest.approx(entropy, rel=0.02)


# ---- forms of the data


@pytest.mark.parametrize(
    "tokenizer",
    ["char", "word", "byte", "bpe", WordTokenizer(min_frequency=2), CharTokenizer()],
)
def test_tokenizers(tokenizer):
    texts = ["to be or not to be", "to do or to be"] * 2
    model = RNNLanguageModel(tokenizer, **SMALL).fit(texts)
    assert model.n_outputs_ == len(model.vocabulary_)
    assert model.score_samples(texts).shape == (4,)
    assert model.generate("to", 5, random_state=0).startswith("to")
    assert model.tokenizer_ is not tokenizer


class Pairs:
    """A tokenizer that derives from nothing."""

    def fit(self, X, y=None):
        pairs = sorted({pair for text in X for pair in self._split(text)})
        symbols = ["<begin>", "<end>", "<unknown>", *pairs]
        self.vocabulary_ = {symbol: i for i, symbol in enumerate(symbols)}
        return self

    def _split(self, text):
        return [text[i : i + 2] for i in range(0, len(text), 2)]

    def transform(self, X):
        get = self.vocabulary_.get
        return [np.array([get(p, 2) for p in self._split(text)], int) for text in X]

    def inverse_transform(self, X):
        symbols = list(self.vocabulary_)
        return ["".join(symbols[i] for i in row if i > 2) for row in X]


def test_a_tokenizer_of_ones_own():
    texts = ["aabbcc", "bbccaa"]
    model = RNNLanguageModel(Pairs(), **SMALL).fit(texts)
    assert list(model.vocabulary_)[3:] == ["aa", "bb", "cc"]
    assert len(model.generate("aa", 3, random_state=0)) <= 8

    class Bad(Pairs):
        def fit(self, X, y=None):
            self.vocabulary_ = {"a": 0}
            return self

    with pytest.raises(ValueError, match="must begin with <begin>"):
        RNNLanguageModel(Bad(), **SMALL).fit(texts)
    with pytest.raises(TypeError, match="tokenizer"):
        RNNLanguageModel(3).fit(texts)
    with pytest.raises(ValueError, match="Unknown tokenizer 'letters'"):
        RNNLanguageModel("letters").fit(texts)


def test_a_fitted_tokenizer_is_used_as_it_is():
    tokenizer = BPETokenizer(300).fit(["banana bandana"] * 3)
    model = RNNLanguageModel(FrozenEstimator(tokenizer), **SMALL).fit(["other words"])
    assert model.tokenizer_ is tokenizer
    again = clone(model).fit(["other words"])
    assert again.vocabulary_ == tokenizer.vocabulary_


def test_files_of_ids_are_like_the_texts(tmp_path):
    tokenizer = CharTokenizer().fit(TEXTS)
    tokenizer.write(TEXTS, tmp_path / "ids.npy")
    ids = np.load(tmp_path / "ids.npy", mmap_mode="r")
    of_texts = RNNLanguageModel(FrozenEstimator(tokenizer), **SMALL)
    of_ids = clone(of_texts).fit(ids)
    of_texts.fit(TEXTS)
    np.testing.assert_array_equal(
        of_ids.score_samples(ids), of_texts.score_samples(TEXTS)
    )
    assert of_ids.perplexity(TEXTS) == of_texts.perplexity(ids)
    for i in range(2):
        of_texts.partial_fit(TEXTS)
        of_ids.partial_fit(ids, X_val=ids if i else None)
    assert of_ids.loss_curve_ == of_texts.loss_curve_
    assert of_ids.generate("ab", 5, random_state=0) == of_texts.generate(
        "ab", 5, random_state=0
    )


def test_a_stream_is_read_to_its_end(tmp_path, monkeypatch):
    listed = RNNLanguageModel(**SMALL).partial_fit(TEXTS)
    streamed = RNNLanguageModel(**SMALL).partial_fit(iter(TEXTS))
    assert streamed.loss_curve_ == listed.loss_curve_
    monkeypatch.setattr("skdl.neural_network._language_input._BLOCK", 8)
    path = tmp_path / "text.txt"
    path.write_text("one\ntwo\nthree\nnot\n", encoding="utf-8")
    with open(path, encoding="utf-8") as lines:
        model = RNNLanguageModel("byte", **SMALL).partial_fit(lines)
    assert len(model.loss_curve_) == 2
    with pytest.raises(ValueError, match="iterator is at its end"):
        model.partial_fit(iter([]))
    with pytest.raises(ValueError, match="sample_weight was given for an iterator"):
        model.partial_fit(iter(TEXTS), None, [1.0])


def test_sequences_of_weight_zero_are_left_out():
    weight = [1.0, 2.0, 1.0, 0.0, 0.0, 1.0]
    texts = [*TEXTS[:3], "xyz", "zzz", "a"]
    model = RNNLanguageModel(dtype="float64", **SMALL).fit(texts, None, weight)
    assert "x" not in model.vocabulary_
    doubled = clone(model).fit([*TEXTS[:2], *TEXTS[1:3], "a"])
    np.testing.assert_allclose(
        model.score_samples(TEXTS), doubled.score_samples(TEXTS), rtol=1e-9
    )


# ---- training


def test_early_stopping_holds_out_the_end_of_a_text():
    text = "".join(walks(300, 0))
    model = RNNLanguageModel(early_stopping=True, **SMALL)
    model.set_params(optimizer=Adam(0.05), max_iter=40, n_iter_no_change=3).fit([text])
    curve = model.history_["val_loss"]
    assert model.best_epoch_ == 1 + int(np.argmin(curve))
    n = len(text) + 1
    last = text[n - round(0.1 * n) :]
    assert abs(np.log(model.perplexity([last])) - min(curve)) < 0.1
    assert model.history_["val_score"][0] == pytest.approx(
        -curve[0] * round(0.1 * n), rel=1e-6
    )
    many = clone(model).set_params(scoring=None).fit(walks(50, 0))
    assert max(many.validation_scores_) == many.best_validation_score_


def test_validation_data_and_going_on():
    model = RNNLanguageModel(warm_start=True, **SMALL)
    model.fit(TEXTS, X_val=["ab", "ba"])
    val_loss = -model.score(["ab", "ba"]) / 6
    assert model.history_["val_loss"][-1] == pytest.approx(val_loss, rel=1e-6)
    model.fit(TEXTS, X_val=["ab"])
    assert model.n_iter_ == 6
    twice = RNNLanguageModel(**SMALL).set_params(max_iter=6).fit(TEXTS)
    assert model.loss_curve_ == twice.loss_curve_
    with pytest.warns(UnknownTokenWarning, match="'z'"):
        model.fit(["zab"])  # the vocabulary stays
    with pytest.raises(ValueError, match="without X_val"):
        model.fit(TEXTS, sample_weight_val=[1.0])


def test_layers_of_ones_own():
    chain = [GRU(5), Dropout(0.2), Residual([RNN(5)]), "lstm"]
    model = RNNLanguageModel(layers=chain, **SMALL).fit(TEXTS)
    assert model.transform(TEXTS).shape == (len(TEXTS), 64)
    for ahead in (
        Bidirectional("gru"),
        LSTM(4, reverse=True),
        Residual([RNN(3, reverse=True)]),
    ):
        with pytest.raises(ValueError, match="must not look ahead"):
            RNNLanguageModel(layers=[ahead], **SMALL).fit(TEXTS)
    for behind in (Delay(), Residual([Delay()])):  # windows would decide the answer
        with pytest.raises(ValueError, match="nothing carries on"):
            RNNLanguageModel(layers=[behind, "gru"], **SMALL).fit(TEXTS)
    with pytest.raises(ValueError, match="output for each step"):
        RNNLanguageModel(layers=[LSTM(4, return_sequences=False)], **SMALL).fit(TEXTS)


@pytest.mark.parametrize("units", [3, 6])
def test_input_and_output_share_a_table(units):
    model = RNNLanguageModel(
        tie_embeddings=True, cell="gru", dtype="float64", dropout=0.1, **SMALL
    ).set_params(embedding=units, max_iter=20, optimizer=Adam(0.03))
    model.fit(TEXTS * 3)
    loss = model.history_["loss"]
    assert loss[-1] < 0.9 * loss[0]
    assert loss[0] < 1.2  # it begins with the frequencies
    plain = clone(model).set_params(tie_embeddings=False, max_iter=1).fit(TEXTS)
    saved = 5 * 6 - (units != 6) * (6 * units + units)  # a table, less what leads back
    assert plain.network_.params.size - model.network_.params.size == saved
    for text in TEXTS:
        p = model.predict_proba([text[:i] for i in range(len(text) + 1)])
        ids = [model.vocabulary_[symbol] for symbol in [*text, "<end>"]]
        score = np.log(p[np.arange(len(ids)), ids]).sum()
        assert model.score_samples([text])[0] == pytest.approx(score, rel=1e-10)
    raw = model.network_.predict(np.array([[0, 3, 4, 4]]))[0, -1]
    features = model.transform(["abb"])
    assert features.shape == (1, len(model.get_feature_names_out())) == (1, units)
    E, b = model.network_.params["0.E"], model.network_.params["0.b"]
    np.testing.assert_allclose(features[0] @ E.T + b, raw, rtol=1e-10)
    greedy = model.generate("a", 6, temperature=0)
    for i in range(1, len(greedy)):
        p = model.predict_proba([greedy[:i]])[0]
        assert model.vocabulary_[greedy[i]] == p.argmax()


def test_in_a_grid_and_a_pipeline():
    grid = {"hidden_layer_sizes": [4, 6], "tokenizer__min_frequency": [1, 2]}
    search = GridSearchCV(RNNLanguageModel(**SMALL), grid, cv=2)
    search.fit(["abab", "abba", "baab", "aabb"] * 2)
    assert set(search.best_params_) == set(grid)
    words = [text for text in walks(60, 0) if text]
    y = [text[0] for text in words]
    model = RNNLanguageModel(cell="gru", **SMALL)
    pipeline = make_pipeline(model, LogisticRegression(C=100)).fit(words, y)
    assert pipeline.score(words, y) > 0.6
    model.set_output(transform="pandas").fit(words)
    frame = model.transform(words)
    assert list(frame.columns) == [f"rnnlanguagemodel{i}" for i in range(6)]


def test_features_are_the_state_behind_all_symbols(small):
    ids = np.array([[Tokenizer.BEGIN, *small.tokenizer_.transform(["abb"])[0]]])
    states = small.network_.predict(ids, len(small.network_.layers) - 1)
    np.testing.assert_allclose(
        small.transform(["abb"]), states[:, -1], rtol=1e-12, atol=1e-15
    )


def test_the_network_reads_what_analyses_ask_for(small):
    rows = small._rows_to_predict(TEXTS)
    raw = small.network_.predict(rows)
    assert raw.lengths.tolist() == [len(text) + 1 for text in TEXTS]
    last = np.array([steps[-1] for steps in raw])
    p = np.exp(last) / np.exp(last).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(small.predict_proba(TEXTS), p, rtol=1e-10)


def test_pickles_and_clones_are_alike(chain):
    copy = pickle.loads(pickle.dumps(chain))
    assert copy.score(["abc"]) == chain.score(["abc"])
    assert copy.generate("a", 9, random_state=0) == chain.generate(
        "a", 9, random_state=0
    )
    again = clone(chain)
    assert not hasattr(again, "network_")
    assert repr(again) == repr(chain)


# ---- bad input


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([], ValueError, "no sequences"),
        ([""], ValueError, "no tokens"),
        ([[]], ValueError, "no tokens"),
        ("a text", ValueError, r"pass \[X\]"),
        (["a", 1], TypeError, "element 1 of X is a int"),
        ([["a"], "b"], TypeError, "element 1 of X is 'b'"),
        ([[["a"]]], TypeError, "unhashable"),
        ([1.0, 2.0], ValueError, "Reshape your data"),
        (np.zeros(3), ValueError, "Reshape your data"),
        (np.array([0, 3, 1]), ValueError, "FrozenEstimator"),
        (np.array([[np.nan]]), ValueError, "NaN"),
        (5, ValueError, "scalar"),
    ],
)
def test_bad_sequences(X, error, message):
    with pytest.raises(error, match=message):
        RNNLanguageModel(**SMALL).fit(X)


def test_what_a_fitted_model_refuses(small):
    with pytest.raises(NotFittedError):
        RNNLanguageModel().score(["a"])
    with pytest.raises(ValueError, match="fitted to texts, got table"):
        small.score(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="fitted to texts, got symbols"):
        small.score([["a"]])
    before = small.score(TEXTS)
    with pytest.raises(ValueError, match="no tokens"):
        small.fit([""])
    assert small.score(TEXTS) == before
    X = np.random.default_rng(0).integers(0, 3, (10, 5))
    rows = RNNLanguageModel(**SMALL).fit(X)
    with pytest.raises(ValueError, match="X has 4 features"):
        rows.predict_proba(X[:, :4])
    with pytest.raises(ValueError, match="fitted to symbols, got texts"):
        rows.score(["a"])


def test_bad_ids():
    tokenizer = FrozenEstimator(SymbolTokenizer().fit([["a", "b"]]))
    model = RNNLanguageModel(tokenizer, **SMALL)
    for ids in ([3, 4], [0, 3, 1, 0], []):
        with pytest.raises(ValueError, match=r"must begin with 0|no ids"):
            model.fit(np.array(ids, int))
    for ids in ([0, 5], [0, -1]):
        with pytest.raises(ValueError, match="knows those from 0 to 4"):
            model.fit(np.array(ids))
    model.fit(np.array([0, 3, 4, 1, 0, 4, 1]))
    assert model.score_samples([["a", "b"], ["b"]]).shape == (2,)


def test_symbols_that_were_not_seen(small):
    with pytest.warns(UnknownTokenWarning, match="2 of 3 tokens .*'z'"):
        score = small.score(["azz"])
    assert -90 < score < -60  # twice ln 2e-16
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small.score(["ab"])
    # Sequences that are shorter than the window are no error.
    assert RNNLanguageModel(window=500, **SMALL).fit(["a"]).n_iter_ == 3


def test_a_text_that_is_too_short_to_divide():
    with pytest.raises(ValueError, match=r"cannot split 2 symbols .* Pass X_val"):
        RNNLanguageModel(early_stopping=True, **SMALL).fit(["a"])
    bytes_model = RNNLanguageModel(ByteTokenizer(), **SMALL).fit([b"\xff\xfe"])
    assert bytes_model.n_outputs_ == 259


def test_a_symbol_that_comes_late_is_learned_at_once():
    """With its bias where it was it would have to climb from ln(2e-16)."""
    rng = np.random.default_rng(0)

    def texts(letters):
        return ["".join(rng.choice(list(letters), 30)) for _ in range(30)]

    tokenizer = FrozenEstimator(CharTokenizer().fit(["abcd"]))
    model = RNNLanguageModel(tokenizer, 4, random_state=0)
    model.partial_fit(texts("abc"))
    for _ in range(3):
        model.partial_fit(texts("abcd"))
    assert model.loss_ < 1.6  # ln 4 is 1.39, and there are ends
    assert model.predict_proba(["ab"])[0, -1] > 0.1


class Lists(CharTokenizer):
    """A tokenizer of somebody else, who knows no arrays."""

    def transform(self, X):
        return [row.tolist() for row in super().transform(X)]


def test_a_tokenizer_that_returns_lists():
    settings = {**SMALL, "max_iter": 1}
    model = RNNLanguageModel(Lists(), **settings).fit(TEXTS)
    plain = RNNLanguageModel(CharTokenizer(), **settings).fit(TEXTS)
    args = TEXTS[0][:1], 5
    assert model.generate(*args, random_state=0) == plain.generate(
        *args, random_state=0
    )
