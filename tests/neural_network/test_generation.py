"""Generation: what is drawn, what is searched for, where it stops."""

import itertools
import warnings

import numpy as np
import pytest

from skdl import RNNLanguageModel
from skdl.layers import GRU, LSTM, RNN, Dropout, Residual
from skdl.neural_network._generate import Stepper, draw
from skdl.neural_network._steps import steps_of
from skdl.text import Tokenizer, UnknownTokenWarning, WordTokenizer

TEXTS = ["abba", "ba", "abab", "", "bbbaabab", "a"]
SMALL = {"hidden_layer_sizes": 6, "embedding": 3, "random_state": 0, "max_iter": 3}


@pytest.fixture(scope="module")
def model():
    """Return a model of texts of two letters."""
    return RNNLanguageModel(dtype="float64", **SMALL).fit(TEXTS)


@pytest.fixture(scope="module", params=["lstm", "gru", "rnn"])
def deep(request):
    """Return models of two layers, which know something."""
    model = RNNLanguageModel(
        hidden_layer_sizes=(12, 8), cell=request.param, max_iter=150, random_state=0
    )
    model.set_params(optimizer__learning_rate=0.02, n_iter_no_change="never")
    model.set_params(dtype="float64")
    return model.fit(["the cat sat on the mat", "the dog sat on the log"] * 5)


def step_by_step(model, prompt, n):
    """Take the most probable symbol each time, reading all anew."""
    symbols, text = list(model.vocabulary_), prompt
    for _ in range(n):
        p = model.predict_proba([text])[0]
        p[[Tokenizer.BEGIN, Tokenizer.UNKNOWN]] = 0
        best = p.argmax()
        if best == Tokenizer.END:
            break
        text += symbols[best]
    return text


@pytest.mark.parametrize("prompt", ["", "the c", "on the "])
def test_states_are_carried_from_symbol_to_symbol(deep, prompt):
    expected = step_by_step(deep, prompt, 20)
    assert deep.generate(prompt, 20, temperature=0) == expected
    assert deep.generate(prompt, 20, top_k=1, random_state=3) == expected
    assert deep.generate(prompt, 20, top_p=1e-9, random_state=3) == expected
    assert deep.generate(prompt, 20, temperature=1e-4, random_state=3) == expected


def test_a_prompt_of_many_windows_is_read_as_a_whole(model, monkeypatch):
    monkeypatch.setattr("skdl.neural_network._generate._WINDOW", 3)
    prompt = "abbababbaab"
    assert model.generate(prompt, 8, temperature=0) == step_by_step(model, prompt, 8)


def test_the_same_seed_gives_the_same_text(model):
    texts = [model.generate("a", 30, random_state=seed) for seed in (0, 0, 1, 2, 3)]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 2
    assert model.generate(None, 5, random_state=0) == model.generate(
        "", 5, random_state=0
    )


P = np.array([0.4, 0.3, 0.2, 0.1, 0.0])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, P),
        ({"temperature": 0.5}, P**2 / 0.3),
        ({"temperature": 2.0}, np.sqrt(P) / np.sqrt(P).sum()),
        ({"top_k": 2}, [4 / 7, 3 / 7, 0, 0, 0]),
        ({"top_k": 9}, P),
        ({"top_p": 0.65}, [4 / 7, 3 / 7, 0, 0, 0]),
        ({"top_p": 0.75}, [4 / 9, 3 / 9, 2 / 9, 0, 0]),
        ({"top_p": 1.0}, P),
        ({"top_k": 3, "top_p": 0.7}, [4 / 7, 3 / 7, 0, 0, 0]),
        ({"top_p": 0.1}, [1, 0, 0, 0, 0]),
    ],
)
def test_symbols_are_drawn_by_their_probabilities(settings, expected):
    with np.errstate(divide="ignore"):
        raw = np.tile(np.log(P), (20000, 1))
    drawn = draw(raw, np.random.default_rng(0), **settings)
    share = np.bincount(drawn, minlength=5) / len(drawn)
    np.testing.assert_allclose(share, expected, atol=0.012)
    assert (share[np.asarray(expected) == 0] == 0).all()


def test_of_equal_symbols_top_k_keeps_as_many_as_it_says():
    drawn = draw(np.zeros((500, 6)), np.random.default_rng(0), top_k=2)
    assert set(drawn) == {0, 1}


def test_what_is_no_symbol_is_never_drawn(model):
    for seed in range(5):
        text = model.generate("", 60, temperature=50.0, random_state=seed)
        assert set(text) <= {"a", "b"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_without_a_step_of_their_own_read_windows_of_one(dtype):
    chain = ["gru", Dropout(0.3), Residual([RNN(64, "relu")]), LSTM(5)]
    model = RNNLanguageModel(layers=chain, dtype=dtype, **SMALL).fit(TEXTS)
    assert steps_of(model.network_.layers, {}) is None
    assert model.generate("ab", 9, temperature=0) == step_by_step(model, "ab", 9)
    assert len(model.beam_search("b", 4, n_beams=3)[0]) == 3


def test_a_step_does_what_a_window_does():
    chain = [LSTM(4), Dropout(0.3), RNN(5, "relu"), GRU(3), RNN(6)]
    model = RNNLanguageModel(layers=chain, dtype="float64", **SMALL).fit(TEXTS)
    for banned in ([], [0, 2]):
        stepper = Stepper(model.network_, banned)
        ids = np.array([[0, 3, 4, 4], [0, 4, 3, 3]])
        stepper.read(ids[:, :2])
        stepper.take(np.array([1, 0, 1]))
        for column in (2, 3):
            raw = stepper.read(ids[[1, 0, 1], column : column + 1])
        expected = model.network_.predict(ids[[1, 0, 1]])[:, -1]
        expected[:, banned] = -np.inf
        np.testing.assert_allclose(raw, expected, rtol=1e-12, atol=1e-14)


# ---- beams


def all_continuations(model, prompt, n):
    """Return ln p of all texts of up to n symbols more."""
    found = {}
    before = model.score_samples([prompt])[0] - np.log(
        model.predict_proba([prompt])[0, Tokenizer.END]
    )
    for k in range(n + 1):
        texts = [prompt + "".join(s) for s in itertools.product("ab", repeat=k)]
        log_p = model.score_samples(texts) - before
        if k == n:  # cut, not ended
            log_p -= np.log(model.predict_proba(texts)[:, Tokenizer.END])
        found |= dict(zip(texts, log_p, strict=True))
    return found


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("prompt", ["", "ab"])
def test_enough_beams_miss_nothing(model, prompt, length_penalty):
    known = all_continuations(model, prompt, 4)

    def rank(text):
        return -known[text] / max(1, len(text) - len(prompt)) ** length_penalty

    best = sorted(known, key=rank)[:6]
    texts, log_p = model.beam_search(
        prompt, 4, n_beams=40, length_penalty=length_penalty
    )
    assert texts[:6] == best
    np.testing.assert_allclose(log_p[:6], [known[text] for text in best], rtol=1e-9)
    assert len(texts) == len(known)


def test_one_beam_is_greedy_and_more_are_no_worse(deep):
    greedy = deep.generate("the", 12, temperature=0)
    (text,), (alone,) = deep.beam_search("the", 12, n_beams=1, length_penalty=1.0)
    assert text == greedy or greedy.startswith(text)
    texts, log_p = deep.beam_search("the", 12, n_beams=6)
    assert log_p[0] >= alone - 1e-12
    assert (np.diff(log_p) <= 0).all()
    assert len(set(texts)) == len(texts) <= 6


# ---- stops


def test_a_text_ends_before_a_stop(deep):
    text = deep.generate("the cat", 40, temperature=0)
    assert " on" in text
    before = text[: text.index(" on")]
    assert deep.generate("the cat", 40, temperature=0, stop=" on") == before
    assert deep.generate("the cat", 40, temperature=0, stop=["zz", " on"]) == before
    first = deep.generate("the cat", 40, temperature=0, stop=["on", " on"])
    assert first == before
    # What stands in the prompt does not count.
    assert deep.generate("the cat on", 9, temperature=0, stop=" on") != "the cat"


def test_stops_of_words_and_symbols():
    words = RNNLanguageModel("word", **SMALL).set_params(max_iter=60)
    words.set_params(optimizer__learning_rate=0.03).fit(["one two, three four"] * 4)
    assert words.generate("one", 9, temperature=0) == "one two, three four"
    assert words.generate("one", 9, temperature=0, stop="three") == "one two, "
    notes = RNNLanguageModel(**SMALL).set_params(max_iter=60)
    notes.set_params(optimizer__learning_rate=0.03).fit([["C", "E", 5, "G"]] * 4)
    assert notes.generate(["C"], 9, temperature=0) == ["C", "E", 5, "G"]
    assert notes.generate(["C"], 9, temperature=0, stop=5) == ["C", "E"]
    assert notes.generate(["C"], 9, temperature=0, stop=["G", "x"]) == ["C", "E", 5]
    assert notes.generate(None, 2, temperature=0) == ["C", "E"]
    assert notes.beam_search(["C"], 9, n_beams=2)[0][0] == ["C", "E", 5, "G"]


# ---- bad input


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"top_p": -0.5}, "top_p"),
        ({"top_k": 0}, "top_k"),
        ({"temperature": -1.0}, "temperature"),
        ({"max_length": 0}, "max_length"),
        ({"max_length": 2.5}, "max_length"),
        ({"stop": ""}, "stop"),
        ({"stop": [3]}, "stop"),
    ],
)
def test_settings_out_of_range(model, settings, name):
    with pytest.raises(ValueError, match=name):
        model.generate("a", **settings)


def test_bad_settings_of_searches_and_samples(model):
    with pytest.raises(ValueError, match="n_beams"):
        model.beam_search("a", n_beams=0)
    with pytest.raises(ValueError, match="length_penalty"):
        model.beam_search("a", length_penalty=-1)
    with pytest.raises(ValueError, match="n_samples"):
        model.sample(0)


def test_bad_prompts(model):
    for call in (model.generate, model.beam_search):
        with pytest.raises(ValueError, match=r"never met: 2 of 3 tokens .*'z'"):
            call("azz")
        with pytest.raises(TypeError, match=r"must be a text, got \['a'\]"):
            call(["a"])
    rows = RNNLanguageModel(**SMALL).fit(np.array([[1, 2], [2, 1]]))
    with pytest.raises(TypeError, match="must be a list of symbols, got 'a'"):
        rows.generate("a")
    assert len(rows.generate([1], 5, random_state=0)) == 6


def test_a_model_that_knows_rare_symbols_as_unknown_takes_them_in_a_prompt():
    texts = ["one two one two rare", "one two other one"]
    model = RNNLanguageModel(WordTokenizer(min_frequency=2), **SMALL)
    with pytest.warns(UnknownTokenWarning, match="2 of 9"):
        model.fit(texts)
    with pytest.warns(UnknownTokenWarning, match="'new'"):
        text = model.generate("one new", 3, random_state=0)
    assert text.startswith("one <unknown>")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "<unknown>" not in model.generate("one", 30, random_state=0)


def test_what_a_later_piece_of_a_stream_has_left_unknown_may_be_in_a_prompt():
    model = RNNLanguageModel(**SMALL).partial_fit(["aab", "ba"])
    with pytest.raises(ValueError, match="never met"):
        model.generate("az")
    with pytest.warns(UnknownTokenWarning):
        model.partial_fit(["zab"])
    model.partial_fit(["ab"])
    with pytest.warns(UnknownTokenWarning):
        assert model.generate("az", 3, random_state=0).startswith("a<unknown>")


@pytest.mark.parametrize("temperature", [0, 1e-310, 1e-40, 1e-30])
def test_hardly_any_temperature_takes_the_most_probable(temperature):
    raw = np.array([[1.0, 5.0, 2.0], [3.0, 0.0, 3.0]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ids = draw(raw, np.random.default_rng(0), temperature)
    assert ids[0] == 1
    assert ids[1] in (0, 2)
