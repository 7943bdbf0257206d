"""Tokenizers: there and back, what they learn, and what they say of bad input."""

import pickle
from collections import Counter
from itertools import pairwise
from pydoc_data.topics import topics

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skdl import text
from skdl.text import (
    BPETokenizer,
    ByteTokenizer,
    CharTokenizer,
    SymbolTokenizer,
    Tokenizer,
    UnknownTokenWarning,
    WordTokenizer,
)

BEGIN, END, UNKNOWN = Tokenizer.BEGIN, Tokenizer.END, Tokenizer.UNKNOWN
TEXTS = [topics[name][:2000] for name in sorted(topics)[:10]] + ["", "ça 日本 \ud800"]
KINDS = [CharTokenizer(), WordTokenizer(), ByteTokenizer(), BPETokenizer(400)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_all_have_in_common(kind):
    tokenizer = clone(kind).fit(TEXTS)
    vocabulary = tokenizer.vocabulary_
    assert list(vocabulary.values()) == list(range(len(vocabulary)))
    assert list(vocabulary)[:3] == ["<begin>", "<end>", "<unknown>"]
    ids = tokenizer.transform(TEXTS)
    assert len(ids) == len(TEXTS)
    for row, source in zip(ids, TEXTS, strict=True):
        assert row.dtype.kind == "u"
        assert not np.isin(row, [BEGIN, END, UNKNOWN]).any()
        tokens = list(vocabulary)
        assert [tokens[i] for i in row] == list(tokenizer.split(source))
    again = clone(kind).fit(iter(TEXTS)).transform(iter(TEXTS))
    assert all(map(np.array_equal, ids, again))
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert all(map(np.array_equal, copy.transform(TEXTS), ids))


@pytest.mark.parametrize("kind", [CharTokenizer(), BPETokenizer(400)])
def test_no_character_is_lost(kind):
    texts = [*TEXTS[:-1], "ça 日本 😀\r\n\t  two  spaces "]
    ids = kind.fit_transform(texts)
    assert kind.inverse_transform(ids) == texts


def test_long_texts_are_read_in_blocks(monkeypatch):
    tokenizer = CharTokenizer().fit(TEXTS)
    expected = tokenizer.transform(TEXTS)
    monkeypatch.setattr("skdl.text._char._BLOCK", 100)
    assert all(map(np.array_equal, tokenizer.transform(TEXTS), expected))


def test_bytes_and_pairs_of_bytes_know_every_text():
    for kind in (ByteTokenizer(), BPETokenizer(300)):
        kind.fit(["plain words, plain words"])
        new = ["日本\x00 çé", ""]
        assert kind.inverse_transform(kind.transform(new)) == new
    ids = ByteTokenizer().fit_transform([b"\xff\x00", "A"])
    np.testing.assert_array_equal(np.concatenate(ids), [258, 3, ord("A") + 3])


def test_pairs_are_those_of_the_paper():
    # Sennrich et al. 2016, figure 1, without their sign for the end of a word.
    words = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3
    merges = BPETokenizer(259 + 4).fit(words).merges_
    assert merges == [(b"e", b"s"), (b"es", b"t"), (b"l", b"o"), (b"lo", b"w")]


def brute_force(words, n_merges):
    """Count all pairs anew before each merge."""
    words = {tuple(bytes([b]) for b in w.encode()): n for w, n in words.items()}
    order = {bytes([b]): b for b in range(256)}
    merges = []
    for _ in range(n_merges):
        totals = Counter()
        for word, n in words.items():
            for pair in pairwise(word):
                totals[pair] += n
        best = min(totals, key=lambda p: (-totals[p], order[p[0]], order[p[1]]))
        merges.append(best)
        order.setdefault(best[0] + best[1], len(order))
        new = Counter()
        for word, n in words.items():
            out, i = [], 0
            while i < len(word):
                both = word[i : i + 2] == best
                out.append(best[0] + best[1] if both else word[i])
                i += 2 if both else 1
            new[tuple(out)] += n
        words = new
    return merges


def test_pairs_are_those_of_counting_anew():
    texts = [topics["lambda"], "aaaa aaaaa aaa abab ababab"]
    tokenizer = BPETokenizer(259 + 60).fit(texts)
    pieces = Counter()
    for source in texts:
        pieces.update(text._bpe._PIECE.findall(source))
    assert tokenizer.merges_ == brute_force(pieces, len(tokenizer.merges_))
    assert len(tokenizer.merges_) >= 60


def test_pairs_shorten_texts():
    n_bytes = sum(len(source.encode()) for source in TEXTS[:-1])
    ids = BPETokenizer(800).fit_transform(TEXTS[:-1])
    assert sum(map(len, ids)) < 0.45 * n_bytes


def test_words():
    tokenizer = WordTokenizer().fit(["The cat (a tom) sat, and sat."])
    assert "sat" in tokenizer.vocabulary_
    ids = tokenizer.transform(["The cat (a tom)  sat,\nand sat."])
    assert tokenizer.inverse_transform(ids) == ["The cat (a tom) sat, and sat."]
    lower = WordTokenizer(r"[a-z]+", lowercase=True).fit(["One ONE two-2"])
    assert list(lower.vocabulary_)[3:] == ["one", "two"]


def test_the_most_frequent_are_kept():
    source = ["a a a b b c", "c c c d"]
    few = WordTokenizer(max_vocabulary=5).fit(source)
    assert list(few.vocabulary_)[3:] == ["a", "c"]
    frequent = WordTokenizer(min_frequency=2).fit(source)
    assert list(frequent.vocabulary_)[3:] == ["a", "b", "c"]
    with pytest.warns(UnknownTokenWarning, match="3 of 10 tokens"):
        few.transform(source)


def test_symbols_of_any_kind():
    rows = np.array([[3, 1], [1, 2]])
    tokenizer = SymbolTokenizer().fit(rows)
    assert list(tokenizer.vocabulary_)[3:] == [1, 2, 3]
    assert tokenizer.inverse_transform(tokenizer.transform(rows)) == rows.tolist()
    mixed = [["x", 1, (2, 3)], [None]]  # cannot be compared: as they come
    assert list(SymbolTokenizer().fit(mixed).vocabulary_)[3:] == ["x", 1, (2, 3), None]


def test_unknown_tokens_are_counted_and_named():
    tokenizer = CharTokenizer().fit(["abc"])
    with pytest.warns(UnknownTokenWarning, match=r"3 of 5 tokens .*'z', '日'"):
        ids = tokenizer.transform(["az", "z日b"])
    np.testing.assert_array_equal(np.concatenate(ids), [3, 2, 2, 2, 4])
    assert tokenizer.inverse_transform(ids)[1] == "<unknown><unknown>b"
    symbols = SymbolTokenizer().fit([["a"]])
    with pytest.warns(UnknownTokenWarning, match="<begin>"):
        assert symbols.transform([["<begin>", "a"]])[0].tolist() == [UNKNOWN, 3]


@pytest.mark.parametrize("kind", [CharTokenizer(), BPETokenizer(500)])
def test_a_file_of_ids_is_read_without_loading_it(kind, tmp_path):
    source, path = tmp_path / "text.txt", tmp_path / "ids.npy"
    source.write_text("first\nsecond line\n\n", encoding="utf-8")
    with open(source, encoding="utf-8") as lines:
        kind.fit(lines)
    with open(source, encoding="utf-8") as lines:
        n = kind.write(lines, path)
    ids = np.load(path, mmap_mode="r")
    assert isinstance(ids, np.memmap)
    assert len(ids) == n
    starts = np.flatnonzero(ids == BEGIN)
    np.testing.assert_array_equal(ids[starts[1:] - 1], END)
    assert ids[-1] == END
    rows = np.split(ids, starts[1:])
    assert kind.inverse_transform(rows) == ["first\n", "second line\n", "\n"]


def test_the_smallest_type_holds_the_ids():
    letters = [chr(300 + i) for i in range(254)]
    assert CharTokenizer().fit_transform(letters[:253])[0].dtype == np.uint8
    ids = CharTokenizer().fit_transform(letters)
    assert ids[-1].dtype == np.uint16
    assert ids[-1][0] == 256


class Halves(Tokenizer):
    def split(self, text):
        middle = len(text) // 2
        return [text[:middle], text[middle:]]

    def join(self, tokens):
        return "|".join(tokens)


def test_an_own_tokenizer_says_how_to_split_and_join():
    tokenizer = Halves().fit(["abcd", "abxy"])
    ids = tokenizer.transform(["abxy"])
    assert tokenizer.inverse_transform(ids) == ["ab|xy"]


@pytest.mark.parametrize("kind", KINDS)
def test_bad_texts(kind):
    kind = clone(kind)
    with pytest.raises(NotFittedError):
        kind.transform(["a"])
    with pytest.raises(NotFittedError):
        kind.inverse_transform([[3]])
    with pytest.raises(ValueError, match=r"one str, .* pass \[X\]"):
        kind.fit("a text")
    with pytest.raises(ValueError, match="no tokens"):
        kind.fit([])
    with pytest.raises(TypeError, match="element 1 of X is a int, not a str"):
        kind.fit(["a", 1])


def test_bad_symbols_and_settings():
    for kind in (CharTokenizer(), WordTokenizer(min_frequency=3)):
        with pytest.raises(ValueError, match="no tokens"):
            kind.fit(["", ""])
    with pytest.raises(ValueError, match="'<end>' stands for something else"):
        SymbolTokenizer().fit([["a", "<end>"]])
    with pytest.raises(TypeError, match="sequences of symbols: element 0 of X is 'ab'"):
        SymbolTokenizer().fit(["ab"])
    tokenizer = CharTokenizer().fit(["abc"])
    for bad in ([6], [-1], [3.0]):
        with pytest.raises(ValueError, match="whole numbers from 0 to 5"):
            tokenizer.inverse_transform([bad])
    with pytest.raises(ValueError, match="no regular expression"):
        WordTokenizer("(").fit(["a"])
    with pytest.raises(ValueError, match="alone are 259"):
        BPETokenizer(max_vocabulary=258).fit(["a"])
    with pytest.raises(ValueError, match="min_frequency"):
        CharTokenizer(min_frequency=0).fit(["a"])
    with pytest.raises(ValueError, match=r"Known names: .*'word'"):
        text.get("words")
