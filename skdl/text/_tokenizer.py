"""What a tokenizer is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdl._base import ParameterObject
from skdl._registry import Registry
from skdl._settings import COUNT
from skdl._typing import Array
from skdl._warn import warn

BEGIN, END, UNKNOWN = 0, 1, 2  # the ids of the three symbols that are no tokens
SPECIAL = ("<begin>", "<end>", "<unknown>")


class UnknownTokenWarning(UserWarning):
    """Some tokens were not seen in `fit`, and are read as ``<unknown>``.

    Examples
    --------
    >>> import warnings
    >>> from skdl.text import CharTokenizer, UnknownTokenWarning
    >>> tokenizer = CharTokenizer().fit(["abba"])
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", UnknownTokenWarning)
    ...     ids = tokenizer.transform(["abc"])
    >>> len(caught), ids[0].tolist()
    (1, [3, 4, 2])
    """


class Tokenizer(ParameterObject):
    """Base of tokenizers. A subclass defines `split` and `join`.

    A token's id is its place in `vocabulary_`. The first three symbols are no tokens:
    ``"<begin>"`` (``Tokenizer.BEGIN``, 0) and ``"<end>"`` (``Tokenizer.END``, 1), which
    stand around a sequence where a model needs them, and ``"<unknown>"``
    (``Tokenizer.UNKNOWN``, 2) for tokens that were not seen in `fit`.

    Parameters
    ----------
    max_vocabulary : int, default=None
        Keep so many symbols at most, the three special ones among them: those that
        occur most often. None keeps all.
    min_frequency : int, default=1
        Keep tokens that occur at least so often.

    Attributes
    ----------
    vocabulary_ : dict
        Symbols mapped to ids 0, 1, …: the special ones, then the tokens in order.

    Examples
    --------
    >>> from skdl.text import CharTokenizer, Tokenizer
    >>> tokenizer = CharTokenizer().fit(["abba"])
    >>> isinstance(tokenizer, Tokenizer), Tokenizer.SPECIAL
    (True, ('<begin>', '<end>', '<unknown>'))
    >>> tokenizer.inverse_transform(tokenizer.transform(["baa"]))
    ['baa']
    """

    BEGIN, END, UNKNOWN = BEGIN, END, UNKNOWN
    SPECIAL = SPECIAL

    vocabulary_: dict[Any, int]

    _parameter_constraints: dict[str, Any] = {
        "max_vocabulary": [*COUNT, None],
        "min_frequency": COUNT,
    }

    def __init__(
        self, max_vocabulary: int | None = None, min_frequency: int = 1
    ) -> None:
        self.max_vocabulary = max_vocabulary
        self.min_frequency = min_frequency

    max_vocabulary: int | None
    min_frequency: int

    # ---- what a subclass defines

    def split(self, text: Any) -> Sequence[Hashable]:
        """Return the tokens of a text.

        Parameters
        ----------
        text : str
            A text.

        Returns
        -------
        tokens : sequence
            Its tokens.
        """
        raise TypeError(f"{type(self).__name__} must define split(text).")

    def join(self, tokens: Sequence[Any]) -> Any:
        """Return the text that tokens make up.

        Parameters
        ----------
        tokens : sequence
            Tokens.

        Returns
        -------
        text : str
            A text.
        """
        raise TypeError(f"{type(self).__name__} must define join(tokens).")

    # ---- what a subclass may do faster, or its own way

    def _learn(self, texts: Iterator[Any]) -> list[Any]:
        """Return the tokens to know, in their order."""
        counts: Counter[Any] = Counter()
        for text in texts:
            counts.update(self.split(text))
        for name in SPECIAL:
            if name in counts:
                raise ValueError(
                    f"The token {name!r} stands for something else in a vocabulary; "
                    "replace it in X by another."
                )
        kept = [t for t, count in counts.items() if count >= self.min_frequency]
        kept = in_order(kept)
        if self.max_vocabulary is not None:
            kept.sort(key=lambda token: -counts[token])  # stable: order breaks ties
            kept = in_order(kept[: self.max_vocabulary - len(SPECIAL)])
        return kept

    def _encoder(self) -> Any:
        """Return a function from a text to its ids."""
        ids = self._ids()

        def encode(text: Any) -> Array:
            tokens = self.split(text)
            found = (ids.get(token, UNKNOWN) for token in tokens)
            return np.fromiter(found, self._dtype, len(tokens))

        return encode

    def _check_text(self, text: Any, i: int) -> None:
        if not isinstance(text, str):
            raise TypeError(
                f"{type(self).__name__} takes texts: element {i} of X is a "
                f"{type(text).__name__}, not a str."
            )

    # ---- what they share

    def fit(self, X: Iterable[Any], y: Any = None) -> Self:
        """Learn the vocabulary.

        Parameters
        ----------
        X : iterable of str
            Texts; read once, one after the other.
        y : None, default=None
            Ignored.

        Returns
        -------
        self : Tokenizer
            The fitted tokenizer.

        Raises
        ------
        ValueError
            If there is no token, or a setting is out of range.
        TypeError
            If an element of X is no text.
        """
        self.settled()
        texts = self._texts(X)
        first = list(islice(texts, 1))
        tokens = self._learn(chain(first, texts)) if first else []
        if not tokens:
            raise ValueError(
                "X has no tokens to learn from: it is empty, or its texts are, or "
                "none occurs often enough."
            )
        symbols = [*SPECIAL, *tokens]
        self.vocabulary_ = {symbol: i for i, symbol in enumerate(symbols)}
        return self

    def transform(self, X: Iterable[Any]) -> list[Array]:
        """Turn texts into ids.

        Parameters
        ----------
        X : iterable of str
            Texts.

        Returns
        -------
        ids : list of ndarray of shape (n_tokens,)
            Of each text, in the smallest unsigned type that holds them; without
            ``<begin>`` and ``<end>``.

        Raises
        ------
        ValueError
            If X is one string and not several.
        TypeError
            If an element of X is no text.

        Warns
        -----
        UnknownTokenWarning
            If tokens were not seen in `fit`; it says how many and which.
        """
        check_is_fitted(self, "vocabulary_")
        encode, ids, n_tokens = self._encoder(), [], 0
        unknown: Counter[Any] = Counter()
        for text in self._texts(X):
            ids.append(encode(text))
            n_tokens += len(ids[-1])
            self._count_unknown(text, ids[-1], unknown)
        self._warn(unknown, n_tokens)
        return ids

    def fit_transform(self, X: Sequence[Any], y: Any = None) -> list[Array]:
        """Learn the vocabulary and turn the texts into ids.

        Parameters
        ----------
        X : sequence of str
            Texts.
        y : None, default=None
            Ignored.

        Returns
        -------
        ids : list of ndarray of shape (n_tokens,)
            As `transform` gives them.
        """
        return self.fit(X).transform(X)

    def inverse_transform(self, X: Iterable[Any]) -> list[Any]:
        """Turn ids into texts.

        Parameters
        ----------
        X : iterable of array-like of int of shape (n_tokens,)
            Ids. ``<begin>`` and ``<end>`` are left out.

        Returns
        -------
        texts : list of str
            The texts.

        Raises
        ------
        ValueError
            If an id is not one of the vocabulary's.
        """
        check_is_fitted(self, "vocabulary_")
        symbols = list(self.vocabulary_)
        texts = []
        for row in X:
            ids = np.asarray(row)
            if ids.size and not (
                ids.dtype.kind in "iu" and 0 <= ids.min() <= ids.max() < len(symbols)
            ):
                raise ValueError(
                    f"Ids must be whole numbers from 0 to {len(symbols) - 1}, got "
                    f"{ids!r}."
                )
            texts.append(self.join([symbols[i] for i in ids.tolist() if i > END]))
        return texts

    def write(self, X: Iterable[Any], path: str | os.PathLike[str]) -> int:
        """Write the ids of texts to a file, one text at a time.

        The file is NumPy's: ``numpy.load(path, mmap_mode="r")`` gives all ids as one
        array without reading it. Each text stands between ``<begin>`` and ``<end>``.

        Parameters
        ----------
        X : iterable of str
            Texts, such as an open file, whose lines they are then.
        path : str or path-like
            The file, overwritten.

        Returns
        -------
        n_ids : int
            Length of the array.

        Raises
        ------
        TypeError
            If an element of X is no text.

        Warns
        -----
        UnknownTokenWarning
            If tokens were not seen in `fit`.
        """
        check_is_fitted(self, "vocabulary_")
        encode, n_ids, n_tokens = self._encoder(), 0, 0
        unknown: Counter[Any] = Counter()
        with open(path, "wb") as file:
            self._write_header(file, 0)
            for text in self._texts(X):
                ids = encode(text)
                self._count_unknown(text, ids, unknown)
                n_tokens += len(ids)
                whole = np.concatenate([[BEGIN], ids, [END]]).astype(self._dtype)
                file.write(whole.tobytes())
                n_ids += len(whole)
            file.seek(0)
            self._write_header(file, n_ids)
        self._warn(unknown, n_tokens)
        return n_ids

    def _write_header(self, file: Any, n: int) -> None:
        # NumPy leaves room for a longer number: the header keeps its length.
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": (n,)}
        np.lib.format.write_array_header_1_0(file, header)

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(np.min_scalar_type(len(self.vocabulary_) - 1))

    def _ids(self) -> dict[Any, int]:
        """Ids of the tokens alone: the special symbols cannot be written in a text."""
        return dict(islice(self.vocabulary_.items(), len(SPECIAL), None))

    def _texts(self, X: Iterable[Any]) -> Iterator[Any]:
        if isinstance(X, (str, bytes)):
            raise ValueError(
                f"X is one {type(X).__name__}, and several texts were expected; pass "
                "[X] if it is one text."
            )
        for i, text in enumerate(X):
            self._check_text(text, i)
            yield text

    def _count_unknown(self, text: Any, ids: Array, unknown: Counter[Any]) -> None:
        where = np.flatnonzero(ids == UNKNOWN)
        if len(where):
            tokens = self.split(text)
            unknown.update(tokens[i] for i in where.tolist())

    def _warn(self, unknown: Counter[Any], n_tokens: int) -> None:
        if unknown:
            shown = ", ".join(repr(token) for token, _ in unknown.most_common(5))
            more = ", …" if len(unknown) > 5 else ""
            warn(
                f"{unknown.total()} of {n_tokens} tokens were not seen in fit ({shown}"
                f"{more}) and are read as {SPECIAL[UNKNOWN]}.",
                UnknownTokenWarning,
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def in_order(tokens: Iterable[Any]) -> list[Any]:
    """Return tokens sorted, or as they come where they cannot be compared."""
    tokens = list(tokens)
    try:
        return sorted(tokens)
    except TypeError:
        return tokens


registry: Registry[Tokenizer] = Registry("tokenizer", Tokenizer)
register, get, names = registry.register, registry.get, registry.names
