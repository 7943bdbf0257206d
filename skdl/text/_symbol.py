"""Symbols of any kind."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from skdl.text._tokenizer import Tokenizer, register


@register("symbol")
class SymbolTokenizer(Tokenizer):
    """Each element of a sequence is a token: a number, a word, anything with a hash.

    Sequences are lists, or the rows of an array.

    Parameters
    ----------
    max_vocabulary : int, default=None
        Keep so many symbols at most, the three special ones among them: those that
        occur most often. None keeps all.
    min_frequency : int, default=1
        Keep symbols that occur at least so often.

    Attributes
    ----------
    vocabulary_ : dict
        The special symbols, then the others in order (or as they come, where they
        cannot be compared), mapped to ids 0, 1, ….

    Examples
    --------
    >>> from skdl.text import SymbolTokenizer
    >>> tokenizer = SymbolTokenizer().fit([["C", "E", "G"], ["F", "A", "C"]])
    >>> tokenizer.transform([["A", "C"]])
    [array([3, 4], dtype=uint8)]
    >>> tokenizer.inverse_transform([[3, 4]])
    [['A', 'C']]
    """

    def split(self, text: Any) -> Sequence[Hashable]:
        return text.tolist() if isinstance(text, np.ndarray) else list(text)

    def join(self, tokens: Sequence[Any]) -> list[Any]:
        return list(tokens)

    def _check_text(self, text: Any, i: int) -> None:
        if isinstance(text, (str, bytes)) or not hasattr(text, "__iter__"):
            raise TypeError(
                f"SymbolTokenizer takes sequences of symbols: element {i} of X is "
                f"{text!r}."
            )
