"""What a language model reads: texts, lists of symbols, rows of a table, ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from skdl._compat import validate_data
from skdl._typing import Array
from skdl.neural_network._fitted_tokenizer import TokenizerLike as TokenizerLike
from skdl.neural_network._fitted_tokenizer import fitted_tokenizer
from skdl.targets import sequence_form
from skdl.text import SymbolTokenizer, Tokenizer
from skdl.training import Corpus

if TYPE_CHECKING:
    from skdl.neural_network._base_language import BaseLanguageModel

_BLOCK = 2**22  # ids of a file that are looked at, and symbols of a stream, at a time


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
        estimator.tokenizer_ = fitted_tokenizer(estimator.tokenizer, kind, X)
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
    form, X = sequence_form(X, "X")
    if form != "column":
        return form, X
    if getattr(getattr(X, "dtype", None), "kind", "") in ("i", "u"):
        return "ids", np.asarray(X) if not isinstance(X, np.ndarray) else X
    return "table", X  # whose error says more


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
