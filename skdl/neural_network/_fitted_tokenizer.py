"""The tokenizer of an estimator: made from its parameter, and fitted."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skdl import text
from skdl.text import Tokenizer


@runtime_checkable
class TokenizerLike(Protocol):
    """What may stand for a tokenizer of `skdl.text`."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn the vocabulary."""

    def transform(self, X: Any) -> Any:
        """Turn texts into ids."""

    def inverse_transform(self, X: Any) -> Any:
        """Turn ids into texts."""


def fitted_tokenizer(given: Any, form: str, values: Any) -> Any:
    """Return a tokenizer that knows the symbols.

    Parameters
    ----------
    given : str, tokenizer or FrozenEstimator
        A name, a tokenizer, which is fitted, or a fitted one inside `FrozenEstimator`.
    form : str
        From `sequence_form`: of what is no text each symbol is a token. Or "ids": of
        a fitted tokenizer.
    values : list or ndarray
        Sequences.

    Returns
    -------
    tokenizer : object
        The tokenizer.

    Raises
    ------
    ValueError
        If its vocabulary does not begin with the special symbols, or there are ids
        without it.
    """
    if isinstance(given, FrozenEstimator):
        tokenizer = given.estimator
    elif form == "ids":
        raise ValueError(
            "X holds ids, and the tokenizer that made them is needed: "
            "tokenizer=FrozenEstimator(tokenizer), of sklearn.frozen. (One sequence of "
            "numbers that are symbols is [X].)"
        )
    elif isinstance(given, str):
        tokenizer = text.get(given if form == "texts" else "symbol").fit(values)
    else:
        tokenizer = clone(given, safe=False).fit(values)
    vocabulary = getattr(tokenizer, "vocabulary_", {})
    first = list(vocabulary)[:3]
    if list(vocabulary.values())[:3] != [0, 1, 2] or first != [*Tokenizer.SPECIAL]:
        raise ValueError(
            "A tokenizer's vocabulary_ must begin with <begin>, <end> and <unknown>, "
            f"which have the ids 0, 1 and 2, got {vocabulary!r:.200}. Derive it from "
            "skdl.text.Tokenizer."
        )
    return tokenizer
