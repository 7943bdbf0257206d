"""Words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from skdl.text._tokenizer import Tokenizer, register

_NO_SPACE_BEFORE = re.compile(r" (?=[.,;:!?)\]}%])")
_NO_SPACE_AFTER = re.compile(r"(?<=[(\[{]) ")


@register("word")
class WordTokenizer(Tokenizer):
    r"""Words and signs are tokens.

    White space is not kept: `inverse_transform` puts a space between tokens, but for
    those before a comma and the like and after an opening bracket. `BPETokenizer` keeps
    all of a text.

    Parameters
    ----------
    pattern : str, default=r"\w+|[^\w\s]"
        Regular expression of a token. What matches nothing is left out.
    lowercase : bool, default=False
        Whether capital letters are made small.
    max_vocabulary : int, default=None
        Keep so many symbols at most, the three special ones among them: those that
        occur most often. None keeps all.
    min_frequency : int, default=1
        Keep tokens that occur at least so often.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Symbols mapped to ids 0, 1, …: the special ones, then the words in order.

    Examples
    --------
    >>> from skdl.text import WordTokenizer
    >>> tokenizer = WordTokenizer(lowercase=True).fit(["To be, or not to be."])
    >>> list(tokenizer.vocabulary_)[3:]
    [',', '.', 'be', 'not', 'or', 'to']
    >>> tokenizer.inverse_transform(tokenizer.transform(["Not to be."]))
    ['not to be.']
    """

    _parameter_constraints: dict[str, Any] = {
        "pattern": [str],
        "lowercase": ["boolean"],
        **Tokenizer._parameter_constraints,
    }

    def __init__(
        self,
        pattern: str = r"\w+|[^\w\s]",
        lowercase: bool = False,
        max_vocabulary: int | None = None,
        min_frequency: int = 1,
    ) -> None:
        super().__init__(max_vocabulary, min_frequency)
        self.pattern = pattern
        self.lowercase = lowercase

    def check_together(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(
                f"pattern={self.pattern!r} is no regular expression: {error}."
            ) from error

    def split(self, text: Any) -> Sequence[str]:
        return re.findall(self.pattern, text.lower() if self.lowercase else text)

    def join(self, tokens: Sequence[Any]) -> str:
        text = _NO_SPACE_BEFORE.sub("", " ".join(tokens))
        return _NO_SPACE_AFTER.sub("", text)
