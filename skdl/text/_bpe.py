"""Pairs of bytes that occur often, merged."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from skdl._settings import COUNT
from skdl._typing import Array
from skdl.text._byte import BYTES, as_bytes
from skdl.text._tokenizer import SPECIAL, Tokenizer, register

# A word or signs with the space before them, or white space. Nothing merges across
# pieces, which are short: what looks for pairs in them takes time with their square.
_PIECE = re.compile(r" ?\w{1,64}| ?[^\w\s]{1,64}|\s{1,64}(?!\S)|\s{1,64}")

Pair = tuple[int, int]


@register("bpe")
class BPETokenizer(Tokenizer):
    """Byte pair encoding: frequent pieces of words are tokens (Sennrich et al. 2016).

    The vocabulary begins with all 256 bytes, so that no text is unknown and none is
    changed. Then the pair of neighbours that occurs most often in the texts becomes a
    token of its own, again and again. Pairs do not reach across words; the space before
    a word belongs to it.

    Parameters
    ----------
    max_vocabulary : int, default=1000
        Symbols at most: 259 that are there at first, and one a merge.
    min_frequency : int, default=2
        Merge pairs that occur at least so often.

    Attributes
    ----------
    vocabulary_ : dict of bytes to int
        The special symbols, all bytes, and what was merged, in that order.
    merges_ : list of (bytes, bytes)
        The pairs, in the order of their merging.

    Raises
    ------
    ValueError
        In `fit`, if `max_vocabulary` is less than 259.

    Examples
    --------
    >>> from skdl.text import BPETokenizer
    >>> tokenizer = BPETokenizer(max_vocabulary=262).fit(["low lower lowest"])
    >>> tokenizer.merges_
    [(b'l', b'o'), (b'lo', b'w'), (b' ', b'low')]
    >>> tokenizer.inverse_transform(tokenizer.transform(["slow, ça va?"]))
    ['slow, ça va?']
    """

    merges_: list[tuple[bytes, bytes]]

    _parameter_constraints: dict[str, Any] = {
        "max_vocabulary": COUNT,
        "min_frequency": COUNT,
    }

    def __init__(self, max_vocabulary: int = 1000, min_frequency: int = 2) -> None:
        super().__init__(max_vocabulary, min_frequency)

    def check_together(self) -> None:
        least = len(SPECIAL) + len(BYTES)
        if self.max_vocabulary is None or self.max_vocabulary < least:
            raise ValueError(
                f"max_vocabulary={self.max_vocabulary}: all bytes and the special "
                f"symbols alone are {least}; give at least as many."
            )

    def split(self, text: Any) -> Sequence[bytes]:
        symbols = list(self.vocabulary_)
        return [symbols[i] for i in self._encoder()(text)]

    def join(self, tokens: Sequence[Any]) -> str:
        parts = (as_bytes(token) for token in tokens)
        return b"".join(parts).decode("utf-8", "replace")

    def _learn(self, texts: Iterator[Any]) -> list[Any]:
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_PIECE.findall(text))
        words = [list(as_bytes(piece)) for piece in counts]
        limit = (self.max_vocabulary or 0) - len(SPECIAL)
        tokens, self.merges_ = merged_pairs(
            words, list(counts.values()), limit, self.min_frequency
        )
        return tokens

    def _encoder(self) -> Any:
        ids = self._ids()
        ranks = {
            (ids[a], ids[b]): (rank, ids[a + b])
            for rank, (a, b) in enumerate(self.merges_)
        }
        known: dict[str, list[int]] = {}  # most pieces of a text come again
        n, dtype = len(SPECIAL), self._dtype

        def encode(text: str) -> Array:
            out: list[int] = []
            for piece in _PIECE.findall(text):
                found = known.get(piece)
                if found is None:
                    codes = [code + n for code in as_bytes(piece)]
                    found = known[piece] = _merge_by_rank(codes, ranks)
                out += found
            return np.array(out, dtype)

        return encode


def _merge_by_rank(codes: list[int], ranks: dict[Pair, Pair]) -> list[int]:
    """Merge pairs in the order in which they were learned."""
    never = (len(ranks), 0)
    while len(codes) > 1:
        best = min(pairwise(codes), key=lambda pair: ranks.get(pair, never))
        if best not in ranks:
            break
        codes = merged(codes, best, ranks[best][1])
    return codes


def merged(codes: list[int], pair: Pair, new: int) -> list[int]:
    """Return codes with `new` in the places of a pair, from left to right."""
    out, i = [], 0
    while i < len(codes):
        if tuple(codes[i : i + 2]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(codes[i])
            i += 1
    return out


def merged_pairs(
    words: list[list[int]], counts: list[int], limit: int, min_frequency: int
) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
    """Merge the pair that occurs most often, again and again; of equal ones the first.

    After a merge only the words with that pair are looked at, and a heap knows the next
    one: its entries that are out of date are passed over.

    Parameters
    ----------
    words : list of list of int
        Bytes of different words; changed in place.
    counts : list of int
        How often each occurs.
    limit : int
        Tokens at most, the 256 bytes among them.
    min_frequency : int
        Least count of a pair.

    Returns
    -------
    tokens : list of bytes
        All bytes, and what was merged.
    pairs : list of (bytes, bytes)
        The merges. Two of them may give the same token.
    """
    totals: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    for i, (word, count) in enumerate(zip(words, counts, strict=True)):
        for pair in pairwise(word):
            totals[pair] += count
            where[pair].add(i)
    heap = [(-count, pair) for pair, count in totals.items()]
    heapq.heapify(heap)
    codes = {token: code for code, token in enumerate(BYTES)}
    tokens, pairs = list(BYTES), []
    while heap and len(tokens) < limit:
        count, pair = heapq.heappop(heap)
        if -count != totals[pair]:
            continue
        if -count < min_frequency:
            break
        left, right = tokens[pair[0]], tokens[pair[1]]
        pairs.append((left, right))
        new = codes.setdefault(left + right, len(tokens))
        if new == len(tokens):
            tokens.append(left + right)
        changed: set[Pair] = set()
        for i in where.pop(pair):
            old, words[i] = words[i], merged(words[i], pair, new)
            for before in pairwise(old):
                totals[before] -= counts[i]
                changed.add(before)
            for after in pairwise(words[i]):
                totals[after] += counts[i]
                where[after].add(i)
                changed.add(after)
        for touched in changed:
            if totals[touched] > 0:
                heapq.heappush(heap, (-totals[touched], touched))
    return tokens, pairs
