"""Sequences of symbols as users give them, as ids, and back."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_array

from skdl._ragged import Ragged
from skdl._tables import as_frame
from skdl._typing import Array

BEGIN, END, UNKNOWN = 0, 1, 2  # in every vocabulary


class SequenceTargets:
    """Sequences of symbols: their vocabulary, and the form they came in.

    Parameters
    ----------
    tokenizer : object
        Turns sequences into ids and back; its vocabulary begins with the symbols for
        begin, end and unknown.
    form : {"texts", "symbols", "table", "column"}
        Strings, lists, the rows of an array, or an array of single symbols.
    n_steps : int
        Symbols of the longest sequence, their end left out; of tables of each.
    dtype : dtype or None
        Of arrays.
    knows_unknown : bool
        Whether the unknown symbol occurs.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.targets import SequenceTargets
    >>> from skdl.text import SymbolTokenizer
    >>> y = SequenceTargets.clean([["a", "b"], ["b"]])
    >>> targets = SequenceTargets.of(y, SymbolTokenizer().fit(y))
    >>> targets.form, targets.n_symbols, targets.ends
    ('symbols', 5, True)
    >>> ids = targets.encode(y)  # 1 is the end of each
    >>> ids.pad(np.empty)  # 0 begins and pads
    array([[3, 4, 1],
           [4, 1, 0]], dtype=uint8)
    >>> targets.decode([[4, 3]])
    [['b', 'a']]
    """

    def __init__(
        self,
        tokenizer: Any,
        form: str,
        n_steps: int,
        dtype: np.dtype[Any] | None,
        knows_unknown: bool,
    ) -> None:
        self.tokenizer = tokenizer
        self.form = form
        self.n_steps = n_steps
        self.dtype = dtype
        self.knows_unknown = knows_unknown

    @staticmethod
    def clean(y: Any) -> Array:
        """Check sequences and return them as an array.

        Parameters
        ----------
        y : object
            Sequences as the user gave them.

        Returns
        -------
        y : ndarray of shape (n,) or (n, n_steps)
            Of strings, lists or single symbols; or rows of symbols.

        Raises
        ------
        ValueError, TypeError
            If there are none, or they are no sequences.
        """
        form, y = sequence_form(y, "y")
        if form in ("texts", "symbols"):
            rows = np.empty(len(y), object)
            for i, row in enumerate(y):
                rows[i] = _text(row, i) if form == "texts" else _symbols(row, i)
            return rows
        return check_array(y, ensure_2d=False, dtype=None, input_name="y")

    @classmethod
    def of(cls, y: Array, tokenizer: Any) -> SequenceTargets:
        """Learn what sequences are like.

        Parameters
        ----------
        y : ndarray of shape (n,) or (n, n_steps)
            Sequences, from `clean`.
        tokenizer : object
            A fitted tokenizer.

        Returns
        -------
        targets : SequenceTargets
            What they are like.
        """
        form = sequence_form(y, "y")[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `encode` says it
            ids = [np.asarray(row) for row in tokenizer.transform(_rows(y, form))]
        unknown = any((row == UNKNOWN).any() for row in ids)
        n_steps = max(map(len, ids))
        dtype = y.dtype if form in ("table", "column") else None
        return cls(tokenizer, form, n_steps, dtype, unknown)

    @property
    def n_symbols(self) -> int:
        """Size of the vocabulary."""
        return len(self.tokenizer.vocabulary_)

    @property
    def ends(self) -> bool:
        """Whether the end of a sequence is foretold: they differ in length."""
        return self.form in ("texts", "symbols")

    def encode(self, y: Any) -> Ragged:
        """Return ids, the end behind each sequence where it is foretold.

        Parameters
        ----------
        y : ndarray of shape (n,) or (n, n_steps)
            Sequences, from `clean`, in the form of the first ones.

        Returns
        -------
        ids : Ragged
            Their ids.

        Raises
        ------
        ValueError
            If they are of another form, symbols were not seen in `fit`, or rows are of
            another length.
        """
        same_form(sequence_form(y, "y")[0], self.form, "y")
        rows = _rows(y, self.form)
        with warnings.catch_warnings():
            if not self.knows_unknown:
                warnings.simplefilter("ignore")  # an error says it
            ids = [np.asarray(row) for row in self.tokenizer.transform(rows)]
        for i, row in enumerate(ids):
            if not self.knows_unknown and (row == UNKNOWN).any():
                raise ValueError(
                    f"y has symbols that were not seen in fit, in element {i}: "
                    f"{rows[i]!r}. The model gives them no probability: fit to them, "
                    "or leave them out."
                )
            if not self.ends and len(row) != self.n_steps:
                raise ValueError(
                    f"y has rows of {len(row)} symbols; in fit they had {self.n_steps}."
                )
        if self.ends:
            ids = [np.append(row, np.asarray(END, row.dtype)) for row in ids]
        return Ragged.of(ids)

    def decode(self, ids: Sequence[Array]) -> Any:
        """Return sequences in the form in which they came.

        Parameters
        ----------
        ids : sequence of ndarray of int
            Ids, without the end.

        Returns
        -------
        y : list of str, list of list, or ndarray
            The sequences.
        """
        found = self.tokenizer.inverse_transform(ids)
        if self.ends:
            return found
        rows = np.array(found, self.dtype).reshape(len(found), self.n_steps)
        return rows[:, 0] if self.form == "column" else rows

    def score(self, y: Any, predicted: Any, weight: Array | None = None) -> float:
        """Return the share of sequences that are right from end to end.

        Parameters
        ----------
        y : list or ndarray
            Sequences.
        predicted : list or ndarray
            From `decode`.
        weight : ndarray of shape (n,), default=None
            Their weights.

        Returns
        -------
        accuracy : float
            In [0, 1].
        """
        right = [
            np.array_equal(one, other) if self.form == "table" else _same(one, other)
            for one, other in zip(y, predicted, strict=True)
        ]
        return float(np.average(right, weights=weight))

    def agreement(self, y: Any, ids: Sequence[Array]) -> tuple[Array, Array]:
        """Return how many symbols of answers are right, and how many there are.

        Parameters
        ----------
        y : ndarray of shape (n,) or (n, n_steps)
            Sequences, from `clean`.
        ids : sequence of ndarray of int
            Ids of the answers, without the end.

        Returns
        -------
        right, most : ndarray of int of shape (n,)
            Places where both have the same symbol, and places of the longer of both.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown symbol is not written
            wanted = self.tokenizer.transform(_rows(y, self.form))
        pairs = list(zip(wanted, ids, strict=True))
        right = [int(np.sum(a[: len(b)] == b[: len(a)])) for a, b in pairs]
        return np.array(right), np.array([max(len(a), len(b)) for a, b in pairs])


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) if isinstance(one, str) else _listed(one) == other


def _text(row: Any, i: int) -> str:
    if not isinstance(row, str):
        raise TypeError(f"y holds strings; its element {i} is {row!r} and no str.")
    return row


def _symbols(row: Any, i: int) -> list[Any]:
    if isinstance(row, (str, bytes)) or not isinstance(row, Iterable):
        raise TypeError(
            f"y holds lists of symbols; its element {i} is {row!r} and no list."
        )
    return list(row)


def _listed(sequence: Any) -> Any:
    """Return a list of symbols, or a single symbol as it is."""
    if isinstance(sequence, np.ndarray):
        return sequence.tolist()
    return list(sequence) if hasattr(sequence, "__iter__") else sequence


def _rows(y: Any, form: str) -> Any:
    """Return sequences as tokenizers take them."""
    return y[:, None] if form == "column" else y


def sequence_form(values: Any, name: str) -> tuple[str, Any]:
    """Return what sequences are like.

    Parameters
    ----------
    values : object
        Sequences.
    name : str
        What an error calls them.

    Returns
    -------
    form : {"texts", "symbols", "table", "column"}
        Strings, lists of symbols, rows of an array, or an array of single symbols.
    values : list or array-like
        The sequences.

    Raises
    ------
    ValueError
        If it is one string, or there are none.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.targets import sequence_form
    >>> for y in (["ab", "c"], [["a", "b"], ["c"]], np.eye(2), [1, 2]):
    ...     print(sequence_form(y, "y")[0])
    texts
    symbols
    table
    column
    """
    if isinstance(values, (str, bytes)):
        raise ValueError(
            f"{name} is one {type(values).__name__}, and several texts were expected; "
            f"pass [{name}] if it is one text."
        )
    if as_frame(values) is not None or getattr(values, "ndim", 1) != 1:
        return "table", values
    numeric = getattr(getattr(values, "dtype", None), "kind", "") in tuple("iufcb")
    if numeric or not isinstance(values, Iterable):
        return "column", values
    items = list(values)
    if not items:
        raise ValueError(f"{name} has no sequences: at least one is needed.")
    if isinstance(items[0], (str, bytes)):
        return "texts", items
    if isinstance(items[0], Iterable):
        return "symbols", items
    return "column", values


def same_form(form: str, known: str, name: str) -> None:
    """Raise if sequences are not like those of the first call.

    Parameters
    ----------
    form, known : str
        From `sequence_form`, now and then.
    name : str
        What the error calls the sequences.

    Raises
    ------
    ValueError
        If they are not.

    Examples
    --------
    >>> from skdl.targets import same_form
    >>> same_form("texts", "texts", "y")
    >>> try:
    ...     same_form("texts", "table", "y")
    ... except ValueError as error:
    ...     print(error)
    y held rows of an array in fit and holds strings now; pass it in the same form.
    """
    words = {
        "texts": "strings",
        "symbols": "lists of symbols",
        "table": "rows of an array",
        "column": "single symbols",
    }
    if form != known:
        raise ValueError(
            f"{name} held {words[known]} in fit and holds {words[form]} now; pass it "
            "in the same form."
        )
