"""What a language model reads: texts, lists of symbols, rows of a table, ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skdl import text
from skdl._compat import as_frame, validate_data
from skdl._typing import Array
from skdl.text import SymbolTokenizer, Tokenizer
from skdl.training import Corpus

if TYPE_CHECKING:
    from skdl.neural_network._base_language import BaseLanguageModel

_BLOCK = 2**22  # ids of a file that are looked at, and symbols of a stream, at a time


@runtime_checkable
class TokenizerLike(Protocol):
    """What may stand for a tokenizer of `skdl.text`."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn the vocabulary."""

    def transform(self, X: Any) -> Any:
        """Turn texts into ids."""

    def inverse_transform(self, X: Any) -> Any:
        """Turn ids into texts."""


class Form(NamedTuple):
    """How sequences were given to `fit`.

    Attributes
    ----------
    kind : {"texts", "symbols"}
        What they are made of.
    ends : bool
        Whether the end of a sequence is foretold too. Rows of a table have one length.
    dtype : dtype or None
        Precision of a table; None: there is none.
    """

    kind: str
    ends: bool
    dtype: Any


def read_corpus(estimator: BaseLanguageModel, X: Any, reset: bool) -> Corpus:
    """Check sequences and return their ids.

    Parameters
    ----------
    estimator : BaseLanguageModel
        Has a tokenizer; with `reset` it gets a fitted one, and the form of X.
    X : object
        Sequences in any of the forms that the estimator takes.
    reset : bool
        Whether this is the first call.

    Returns
    -------
    corpus : Corpus
        Each sequence behind its begin.

    Raises
    ------
    ValueError, TypeError
        If X is of no such form, or not of that of the first call, or empty.
    """
    kind, X = _kind_of(X)
    dtype: Any = None
    if kind == "ids" and not reset and not estimator._form.ends:
        kind = "table"  # whose error says more
    if kind == "table":
        X = validate_data(estimator, X, dtype=None, reset=reset)
        dtype = np.float32 if X.dtype == np.float32 else np.float64
    elif reset:
        for name in ("n_features_in_", "feature_names_in_"):
            estimator.__dict__.pop(name, None)
    if reset:
        estimator.tokenizer_ = _fitted(estimator.tokenizer, kind, X)
        symbols = isinstance(estimator.tokenizer_, SymbolTokenizer)
        symbols = symbols or kind in ("table", "symbols")
        known = "symbols" if symbols else "texts"
        estimator._form = Form(known, kind != "table", dtype)
    form = estimator._form
    if kind != "ids" and form.kind != ("texts" if kind == "texts" else "symbols"):
        raise ValueError(
            f"The model was fitted to {form.kind}, got {kind}; pass X of that kind."
        )
    tokenizer, window = estimator.tokenizer_, estimator.window
    if kind == "ids":
        values, starts, stops = _of_file(X, len(tokenizer.vocabulary_))
    else:
        rows = tokenizer.transform(X)
        values, starts, stops = _packed(rows, len(tokenizer.vocabulary_), form.ends)
    return Corpus(values, starts, stops, window, dtype)


def _kind_of(X: Any) -> tuple[str, Any]:
    """Return "texts", "symbols", "table" or "ids", and X as a list or an array."""
    if isinstance(X, (str, bytes)):
        raise ValueError(
            f"X is one {type(X).__name__}, and several texts were expected; pass [X] "
            "if it is one text."
        )
    if as_frame(X) is not None or getattr(X, "ndim", 1) != 1:
        return "table", X
    if hasattr(X, "dtype"):
        if getattr(X.dtype, "kind", "") in "iu":
            return "ids", np.asarray(X) if not isinstance(X, np.ndarray) else X
        if getattr(X.dtype, "kind", "") in "fcb":
            return "table", X  # whose error says more
    elif not isinstance(X, Iterable):
        return "table", X
    items = list(X)
    if not items:
        raise ValueError("X has no sequences: at least one is needed.")
    if isinstance(items[0], (str, bytes)):
        return "texts", items
    if isinstance(items[0], Iterable):
        return "symbols", items
    return "table", X


def _fitted(given: Any, kind: str, X: Any) -> Any:
    if isinstance(given, FrozenEstimator):
        tokenizer = given.estimator
    elif kind == "ids":
        raise ValueError(
            "X holds ids, and the tokenizer that made them is needed: "
            "tokenizer=FrozenEstimator(tokenizer), of sklearn.frozen. (One sequence of "
            "numbers that are symbols is [X].)"
        )
    elif isinstance(given, str):
        symbols = kind in ("table", "symbols")
        tokenizer = text.get("symbol" if symbols else given).fit(X)
    else:
        tokenizer = clone(given, safe=False).fit(X)
    vocabulary = getattr(tokenizer, "vocabulary_", {})
    first = list(vocabulary)[:3]
    if list(vocabulary.values())[:3] != [0, 1, 2] or first != [*Tokenizer.SPECIAL]:
        raise ValueError(
            "A tokenizer's vocabulary_ must begin with <begin>, <end> and <unknown>, "
            f"which have the ids 0, 1 and 2, got {vocabulary!r:.200}. Derive it from "
            "skdl.text.Tokenizer."
        )
    return tokenizer


def _packed(
    rows: Sequence[Array], n_symbols: int, ends: bool
) -> tuple[Array, Array, Array]:
    """Return sequences one after the other, each behind its begin."""
    lengths = np.array([len(row) for row in rows]) + 1 + ends
    stops = np.cumsum(lengths)
    starts = stops - lengths
    values = np.empty(stops[-1], np.min_scalar_type(n_symbols - 1))
    values[starts] = Tokenizer.BEGIN
    if ends:
        values[stops - 1] = Tokenizer.END
    for start, row in zip(starts, rows, strict=True):
        values[start + 1 : start + 1 + len(row)] = row
    return values, starts, stops


def _of_file(ids: Array, n_symbols: int) -> tuple[Array, Array, Array]:
    """Return ids, and where their sequences stand."""
    if not len(ids):
        raise ValueError("X has no ids: at least one sequence is needed.")
    found = []
    for start in range(0, len(ids), _BLOCK):
        block = ids[start : start + _BLOCK]
        low, high = int(block.min()), int(block.max())
        if low < 0 or high >= n_symbols:
            raise ValueError(
                f"X holds ids from {low} to {high}; the tokenizer knows those from 0 "
                f"to {n_symbols - 1}."
            )
        found.append(np.flatnonzero(block == Tokenizer.BEGIN) + start)
    starts = np.concatenate(found)
    stops = np.append(starts[1:], len(ids))
    if not len(starts) or starts[0] or (stops - starts).min() < 2:
        raise ValueError(
            f"X holds ids, of which each sequence must begin with {Tokenizer.BEGIN} "
            f"(<begin>) and go on, as Tokenizer.write writes them; got {ids[:8]}."
        )
    return ids, starts, stops


def blocks(X: Iterator[Any]) -> Iterator[list[Any]]:
    """Yield the sequences of a stream, some megabytes at a time.

    Parameters
    ----------
    X : iterator
        Texts, or lists of symbols.

    Yields
    ------
    block : list
        The next of them.
    """
    block: list[Any] = []
    size = 0
    for sequence in X:
        block.append(sequence)
        size += len(sequence) + 1
        if size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block
