"""Tokenizers: from texts and other sequences of symbols to whole numbers, and back."""

from skdl.text._bpe import BPETokenizer
from skdl.text._byte import ByteTokenizer
from skdl.text._char import CharTokenizer
from skdl.text._symbol import SymbolTokenizer
from skdl.text._tokenizer import (
    Tokenizer,
    UnknownTokenWarning,
    get,
    names,
    register,
    registry,
)
from skdl.text._word import WordTokenizer

__all__ = [
    "BPETokenizer",
    "ByteTokenizer",
    "CharTokenizer",
    "SymbolTokenizer",
    "Tokenizer",
    "UnknownTokenWarning",
    "WordTokenizer",
    "get",
    "names",
    "register",
    "registry",
]
