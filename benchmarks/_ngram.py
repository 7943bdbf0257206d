"""An n-gram model of characters, for comparison: interpolated Kneser-Ney smoothing."""

from __future__ import annotations

import math
from collections import Counter, defaultdict


class NGram:
    """P(c | the last n − 1 characters), interpolated with all shorter histories.

    p_k(c | h) = max(N(hc) − d, 0) / N(h) + d·T(h) / N(h) · p_{k−1}(c | h'), where h' is
    h without its first character and T(h) the number of characters that follow h. The
    longest histories count occurrences, shorter ones in how many contexts a sequence
    occurs (Kneser & Ney 1995; Chen & Goodman 1999). p_0 is even over the characters of
    the text and one that is unknown.

    Parameters
    ----------
    n : int, default=5
        Characters of an n-gram.
    discount : float, default=0.75
        d.
    """

    def __init__(self, n: int = 5, discount: float = 0.75) -> None:
        self.n = n
        self.discount = discount

    def fit(self, text: str) -> NGram:
        """Count n-grams.

        Parameters
        ----------
        text : str
            The text.

        Returns
        -------
        self : NGram
            The fitted model.
        """
        n = self.n
        grams = {k: Counter(_grams(text, k)) for k in range(1, n + 1)}
        for k in range(1, n):  # of how many characters before
            grams[k] = Counter(gram[1:] for gram in grams[k + 1])
        self._counts = grams
        self._totals: dict[str, int] = defaultdict(int)
        self._types: dict[str, int] = defaultdict(int)
        for k in range(1, n + 1):
            for gram, count in grams[k].items():
                self._totals[gram[:-1]] += count
                self._types[gram[:-1]] += 1
        self._even = 1 / (len(set(text)) + 1)
        return self

    def probability(self, symbol: str, history: str) -> float:
        """Return the probability of a character.

        Parameters
        ----------
        symbol : str
            The character.
        history : str
            What is before it, n − 1 characters at most.

        Returns
        -------
        p : float
            The probability.
        """
        p = self._even
        for k in range(len(history) + 1):
            context = history[len(history) - k :]
            total = self._totals.get(context, 0)
            if not total:
                break
            count = self._counts[k + 1].get(context + symbol, 0)
            rest = self.discount * self._types[context] / total
            p = max(count - self.discount, 0) / total + rest * p
        return p

    def perplexity(self, text: str) -> float:
        """Return the perplexity per character.

        Parameters
        ----------
        text : str
            A text; its first n − 1 characters are history only.

        Returns
        -------
        perplexity : float
            exp(−mean ln p).
        """
        k = self.n - 1
        logs = [
            math.log(self.probability(text[i], text[i - k : i]))
            for i in range(k, len(text))
        ]
        return math.exp(-math.fsum(logs) / len(logs))


def _grams(text: str, k: int) -> list[str]:
    return [text[i : i + k] for i in range(len(text) - k + 1)]
