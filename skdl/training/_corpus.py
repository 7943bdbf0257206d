"""Corpora: sequences of ids, and the windows in which a network reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from skdl._typing import Array, Shape
from skdl.layers import Arena
from skdl.training._batches import Batch
from skdl.training._data import Data

_COUNTED = 2**20  # ids, or a little more, are read at a time


class Corpus:
    """Sequences of ids inside one flat array, which may be a file.

    Each step of a sequence reads one id and is to foretell the next: a sequence of k
    ids has k − 1 steps.

    Parameters
    ----------
    values : ndarray of int of shape (n_ids,)
        Ids; never copied as a whole, so that it may be a memory map.
    starts, stops : ndarray of int of shape (n,)
        Sequence i is ``values[starts[i]:stops[i]]``; at least two ids.
    window : int
        Steps that are read at a time.
    dtype : dtype, default=None
        Precision that suits what the ids stand for; None: any.

    Attributes
    ----------
    n_steps : ndarray of int of shape (n,)
        Steps of each sequence.
    shape : tuple of int
        ``(n, window)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.training import Corpus
    >>> ids = np.array([0, 3, 4, 3, 1, 0, 4, 1])  # two sequences, one behind the other
    >>> corpus = Corpus(ids, starts=np.array([0, 5]), stops=np.array([5, 8]), window=2)
    >>> corpus.shape, corpus.n_steps
    ((2, 2), array([4, 2]))
    >>> corpus.counts(5)  # how often each id is to be foretold
    array([0., 2., 0., 2., 2.])
    >>> first, last = corpus.split(0.5)
    >>> first.n_steps, last.n_steps
    (array([3]), array([1, 2]))
    """

    def __init__(
        self,
        values: Array,
        starts: Array,
        stops: Array,
        window: int,
        dtype: Any = None,
    ) -> None:
        self.values = values
        self.starts = starts
        self.stops = stops
        self.window = window
        self.dtype = None if dtype is None else np.dtype(dtype)
        self.n_steps = stops - starts - 1

    @property
    def shape(self) -> Shape:
        """Number of sequences, and steps of a window."""
        return len(self.starts), self.window

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: Any) -> Corpus:
        """Return some of the sequences, without a copy of their ids."""
        starts, stops = self.starts[rows], self.stops[rows]
        return Corpus(self.values, starts, stops, self.window, self.dtype)

    def split(self, share: float) -> tuple[Corpus, Corpus]:
        """Cut the ends off, as one part of all steps.

        Parameters
        ----------
        share : float
            Part of the steps that is cut off, in (0, 1).

        Returns
        -------
        first, last : Corpus
            The sequences up to the cut, and from there on.
        """
        left = self.n_steps.sum() - round(share * int(self.n_steps.sum()))
        before = np.concatenate([[0], np.cumsum(self.n_steps)[:-1]])
        n_first = np.clip(left - before, 0, self.n_steps)
        cut = self.starts + n_first
        first = Corpus(self.values, self.starts, cut + 1, self.window, self.dtype)
        last = Corpus(self.values, cut, self.stops, self.window, self.dtype)
        return first[n_first > 0], last[n_first < self.n_steps]

    def holds(self, symbol: int) -> bool:
        """Return whether an id stands in the array.

        Parameters
        ----------
        symbol : int
            The id.

        Returns
        -------
        holds : bool
            Of the whole array, some of it at a time.
        """
        ids, size = self.values, 2**22
        starts = range(0, len(ids), size)
        return any((ids[i : i + size] == symbol).any() for i in starts)

    def counts(self, n_symbols: int, weight: Array | None = None) -> Array:
        """Return how often each id is to be foretold.

        Parameters
        ----------
        n_symbols : int
            Number of ids.
        weight : ndarray of shape (n,), default=None
            Weights of the sequences.

        Returns
        -------
        counts : ndarray of shape (n_symbols,)
            Weighted counts.
        """
        total = np.zeros(n_symbols)
        n_pieces = max(1, int(self.n_steps.sum()))  # so many that all are short
        rows, firsts, sizes = cut(self, n_pieces, _COUNTED)
        if not len(sizes):
            return total
        ends = np.cumsum(sizes)
        groups = np.unique(np.searchsorted(ends, np.arange(0, ends[-1], _COUNTED)))
        for part in map(slice, groups, [*groups[1:], None]):
            n = sizes[part]
            before = np.cumsum(n) - n
            places = np.repeat(firsts[part] + 1 - before, n) + np.arange(n.sum())
            each = None if weight is None else np.repeat(weight[rows[part]], n)
            total += np.bincount(self.values[places], each, n_symbols)
        return total


class Pieces(NamedTuple):
    """Pieces of sequences, each read from a state of zeros.

    Attributes
    ----------
    row : ndarray of int of shape (n_pieces,)
        Number of the sequence.
    first : ndarray of int of shape (n_pieces,)
        Where its first id stands among all.
    n_steps : ndarray of int of shape (n_pieces,)
        Steps.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.training import Corpus, cut
    >>> corpus = Corpus(np.arange(11), np.array([0]), np.array([11]), window=2)
    >>> pieces = cut(corpus, 3)
    >>> pieces.first, pieces.n_steps
    (array([0, 4, 8]), array([4, 4, 2]))
    """

    row: Array
    first: Array
    n_steps: Array


def whole_sequences(corpus: Corpus) -> Pieces:
    """Return each sequence as one piece.

    Parameters
    ----------
    corpus : Corpus
        The sequences.

    Returns
    -------
    pieces : Pieces
        In the order of the sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.training import Corpus, whole_sequences
    >>> corpus = Corpus(np.arange(14), np.array([0, 11]), np.array([11, 14]), window=2)
    >>> whole_sequences(corpus).n_steps
    array([10,  2])
    """
    return Pieces(np.arange(len(corpus)), corpus.starts, corpus.n_steps)


def cut(corpus: Corpus, n_pieces: int, least: int | None = None) -> Pieces:
    """Cut long sequences, so that there are about as many pieces as are wanted.

    Parameters
    ----------
    corpus : Corpus
        The sequences.
    n_pieces : int
        Pieces, if all sequences were one; those that are short anyway stay whole.
    least : int, default=None
        Least length of a piece that is cut off, and what the length is a multiple of;
        None takes the window.

    Returns
    -------
    pieces : Pieces
        Of whole windows, but for the last of each sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.training import Corpus, cut
    >>> corpus = Corpus(np.arange(14), np.array([0, 11]), np.array([11, 14]), window=2)
    >>> cut(corpus, 3).row  # the first sequence is long, and cut
    array([0, 0, 0, 1])
    >>> cut(corpus, 3).n_steps
    array([4, 4, 2, 2])
    """
    least = corpus.window if least is None else least
    n_steps = corpus.n_steps
    longest = least * max(1, -(-int(n_steps.sum()) // (n_pieces * least)))
    parts = -(-n_steps // longest)
    row = np.repeat(np.arange(len(corpus)), parts)
    before = np.concatenate([[0], np.cumsum(parts)[:-1]])
    skipped = longest * (np.arange(len(row)) - before[row])
    return Pieces(
        row,
        corpus.starts[row] + skipped,
        np.minimum(longest, n_steps[row] - skipped),
    )


class WindowBatches:
    """Corpora in windows: truncated backpropagation through time.

    Sequences that are longer than the corpus divided by `batch_size` are cut into
    pieces. Groups of `batch_size` pieces with about as many windows each are read side
    by side, window after window; states go from one window to the next (Mikolov et al.
    2010; Zaremba et al. 2014). With each new group they begin at zero.

    Parameters
    ----------
    data : Data
        X is a `Corpus`.
    batch_size : int
        Pieces that are read side by side.
    shuffle : bool, default=True
        Whether pieces are grouped anew each epoch, and groups come in a random order.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.training import Corpus, Data, WindowBatches
    >>> corpus = Corpus(np.arange(9), np.array([0]), np.array([9]), window=2)
    >>> batches = WindowBatches(Data(corpus, None, None, corpus), batch_size=2)
    >>> for batch in batches.epoch(np.random.default_rng(0)):  # halves of the text
    ...     print(batch.X.tolist(), batch.goes_on)
    [[0, 1], [4, 5]] False
    [[2, 3], [6, 7]] True
    """

    in_windows = True

    def __init__(self, data: Data, batch_size: int, shuffle: bool = True) -> None:
        self.data = data
        self.batch_size = batch_size
        self.shuffle = shuffle
        self._pieces = cut(data.X, batch_size)
        self._arena = Arena(np.float64)

    @property
    def n_rows(self) -> int:
        """Steps of all sequences: what the loss of an epoch is the mean of."""
        return int(self.data.X.n_steps.sum())

    @property
    def n_batches(self) -> int:
        """Windows of all groups."""
        windows = np.sort(-(-self._pieces.n_steps // self.data.X.window))[::-1]
        return int(windows[:: self.batch_size].sum())

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield the windows of one epoch.

        Parameters
        ----------
        rng : numpy.random.Generator
            Groups the pieces.

        Yields
        ------
        batch : Batch
            In memory that the next batch overwrites.
        """
        groups = self._groups(rng if self.shuffle else None)
        for group in groups:
            for batch, _ in windows(self.data, group, self._arena):
                yield batch

    def _groups(self, rng: np.random.Generator | None) -> list[Pieces]:
        pieces, size = self._pieces, self.batch_size
        n = len(pieces.row)
        order = np.arange(n)
        shuffled = rng is not None and n > size
        if rng is not None and shuffled:
            order = rng.permutation(n)
        # Pieces of equal numbers of windows come together.
        n_windows = -(-pieces.n_steps[order] // self.data.X.window)
        order = order[np.argsort(-n_windows, kind="stable")]
        starts = np.arange(0, n, size)
        if rng is not None and shuffled:
            starts = rng.permutation(starts)
        groups = (order[start : start + size] for start in starts)
        return [Pieces(*(part[rows] for part in pieces)) for rows in groups]

    def whole(self) -> Batch:
        """Return all sequences as one batch, uncut.

        Returns
        -------
        batch : Batch
            In memory that the next batch overwrites.
        """
        corpus = self.data.X
        group = whole_sequences(corpus)
        longest = int(corpus.n_steps.max())
        return next(windows(self.data, group, self._arena, longest))[0]


def windows(
    data: Data, group: Pieces, arena: Arena, window: int | None = None
) -> Iterator[tuple[Batch, Array]]:
    """Yield pieces that are read side by side, window after window.

    Parameters
    ----------
    data : Data
        X is a `Corpus`.
    group : Pieces
        The pieces.
    arena : Arena
        Memory.
    window : int, default=None
        Steps of a window; None takes those of the corpus.

    Yields
    ------
    batch : Batch
        Of as many rows as there are pieces, those that have ended among them: they have
        no steps left and no weight. Its memory is overwritten by the next.
    left : ndarray of int of shape (n_pieces,)
        Steps of each in this window.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Arena
    >>> from skdl.training import Corpus, Data, whole_sequences, windows
    >>> corpus = Corpus(np.arange(10, 19), np.array([0, 5]), np.array([5, 9]), window=2)
    >>> data = Data(corpus, None, None, corpus)
    >>> for batch, left in windows(data, whole_sequences(corpus), Arena(np.float64)):
    ...     print(batch.X.tolist(), batch.y.tolist(), left)
    [[10, 11], [15, 16]] [[11, 12], [16, 17]] [2 2]
    [[12, 13], [17, 17]] [[13, 14], [18, 18]] [2 1]
    """
    corpus: Corpus = data.X
    window = corpus.window if window is None else window
    of_row = None if data.weight is None else data.weight[group.row]
    for done in range(0, int(group.n_steps.max()), window):
        arena.reset()
        left = np.clip(group.n_steps - done, 0, window)
        n_steps = int(left.max())
        steps = np.arange(n_steps)
        # Behind the end of a piece stands its last id again.
        at = arena.empty((len(left), n_steps), np.intp)
        np.minimum(steps, (group.n_steps - done - 1)[:, None], out=at)
        at += (group.first + done)[:, None]
        x = _ids(corpus.values, at, arena)
        at += 1
        y = _ids(corpus.values, at, arena)
        lengths = weight = None
        if left.min() < n_steps:
            lengths = left
            dtype = np.float32 if of_row is None else of_row.dtype
            weight = arena.empty(x.shape, dtype)
            np.less(steps, left[:, None], out=weight, casting="unsafe")
            if of_row is not None:
                weight *= of_row[:, None]
        elif of_row is not None:
            weight = of_row
        yield Batch(x, y, weight, lengths, done > 0, int(left.sum())), left


def _ids(values: Array, at: Array, arena: Arena) -> Array:
    picked = arena.empty(at.shape, values.dtype)
    values.take(at, out=picked, mode="clip")
    ids = arena.empty(at.shape, np.intp)
    ids[...] = picked
    return ids
