"""Bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.text._tokenizer import SPECIAL, Tokenizer, register

BYTES = [bytes([i]) for i in range(256)]


def as_bytes(text: str | bytes) -> bytes:
    """Return a text in UTF-8, lone surrogates too."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


@register("byte")
class ByteTokenizer(Tokenizer):
    """Each byte of a text in UTF-8 is a token: no text is unknown.

    Byte b has the id b + 3. Texts may be of type bytes, too.

    Attributes
    ----------
    vocabulary_ : dict of bytes to int
        The special symbols, then all 256 bytes.

    Examples
    --------
    >>> from skdl.text import ByteTokenizer
    >>> tokenizer = ByteTokenizer().fit(["any text"])
    >>> tokenizer.transform(["dé"])
    [array([103, 198, 172], dtype=uint16)]
    """

    _parameter_constraints: dict[str, Any] = {}

    def __init__(self) -> None:
        super().__init__()

    def split(self, text: Any) -> Sequence[bytes]:
        return [BYTES[i] for i in as_bytes(text)]

    def join(self, tokens: Sequence[Any]) -> str:
        parts = (as_bytes(token) for token in tokens)
        return b"".join(parts).decode("utf-8", "replace")

    def _learn(self, texts: Iterator[Any]) -> list[Any]:
        n = sum(1 for _ in texts)  # they are checked on the way
        return BYTES if n else []

    def _encoder(self) -> Any:
        def encode(text: str | bytes) -> Array:
            codes = np.frombuffer(as_bytes(text), np.uint8)
            return np.add(codes, len(SPECIAL), dtype=self._dtype)

        return encode

    def _check_text(self, text: Any, i: int) -> None:
        if not isinstance(text, bytes):
            super()._check_text(text, i)
