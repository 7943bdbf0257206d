"""Mini-batches of an epoch: gathered, and sequences padded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from skdl._ragged import Ragged, pad_rows
from skdl._typing import Array
from skdl.layers import Arena
from skdl.training._data import Data

_GATHERED = 2**17  # bytes of rows that are gathered at once; they stay in the cache


class Batch(NamedTuple):
    """Rows of one step.

    Attributes
    ----------
    X : {ndarray, sparse matrix} of shape (n, ...)
        Input.
    y : ndarray of shape (n, ...)
        Targets, as the loss takes them.
    weight : ndarray of shape (n,) or (n, ...) or None
        Weights of the rows, or of each of their elements (0 where sequences are
        padded).
    lengths : ndarray of int of shape (n,) or None
        Lengths of the sequences before they were padded.
    goes_on : bool
        Whether its rows are the next windows of the sequences of the batch before:
        recurrent layers then go on from their last states.
    n_targets : int or None
        What the loss is the mean of, where that is not the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.training import Batch
    >>> batch = Batch(X=np.ones((3, 5)), y=np.zeros((3, 1)), weight=None)
    >>> batch.n, batch.goes_on
    (3, False)
    """

    X: Any
    y: Any
    weight: Array | None
    lengths: Array | None = None
    goes_on: bool = False
    n_targets: int | None = None

    @property
    def n(self) -> int:
        """What it counts in an epoch: its rows, or its targets."""
        return self.X.shape[0] if self.n_targets is None else self.n_targets


class Batches(Protocol):
    """Where a training run gets its batches from.

    Attributes
    ----------
    in_windows : bool
        Whether batches may go on from the last states of those before.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.training import Batch
    >>> class Drawn:  # rows made anew in each epoch
    ...     in_windows, n_rows, n_batches = False, 20, 5
    ...     def epoch(self, rng):
    ...         for _ in range(self.n_batches):
    ...             X = rng.normal(size=(4, 1))
    ...             yield Batch(X, 2 * X, None)
    ...     def whole(self):
    ...         return next(self.epoch(np.random.default_rng(0)))
    >>> sum(batch.n for batch in Drawn().epoch(np.random.default_rng(1)))
    20
    """

    in_windows: bool

    @property
    def n_rows(self) -> int:
        """Sum of `Batch.n` over an epoch."""
        ...

    @property
    def n_batches(self) -> int:
        """Steps in an epoch."""
        ...

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.

        Yields
        ------
        batch : Batch
            In memory that the next batch may overwrite.
        """
        ...

    def whole(self) -> Batch:
        """Return all rows as one batch.

        Returns
        -------
        batch : Batch
            In memory that the next batch may overwrite.
        """
        ...


class RowBatches:
    """Rows in batches of one size, in a new random order each epoch.

    Parameters
    ----------
    data : Data
        The rows.
    batch_size : int
        Rows in a batch.
    shuffle : bool, default=True
        Whether each epoch takes the rows in a new random order.
    made : callable, default=None
        ``made(y, empty)`` makes what the loss takes of the targets of some rows, where
        it is not kept for all; see `skdl.tasks.Task.of_batch`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.training import Data, RowBatches
    >>> X = np.arange(5.0)[:, None]
    >>> data = Data(X, X, None, X)
    >>> rng = np.random.default_rng(0)
    >>> seen = [batch.X.ravel().tolist() for batch in RowBatches(data, 2).epoch(rng)]
    >>> [len(rows) for rows in seen], sorted(sum(seen, []))  # each row once
    ([2, 2, 1], [0.0, 1.0, 2.0, 3.0, 4.0])
    >>> in_order = RowBatches(data, batch_size=2, shuffle=False)
    >>> [batch.X.ravel().tolist() for batch in in_order.epoch(rng)]
    [[0.0, 1.0], [2.0, 3.0], [4.0]]
    """

    in_windows = False

    def __init__(
        self,
        data: Data,
        batch_size: int,
        shuffle: bool = True,
        made: Callable[[Any, Callable[..., Array]], Any] | None = None,
    ) -> None:
        if shuffle and batch_size < data.n:
            # Rows of other arrays (columns of a table) cannot be gathered without a
            # copy of the whole.
            arrays = {id(a): _by_rows(a) for a in data[:3]}  # y may be X itself
            x, y, weight = (arrays[id(a)] for a in data[:3])
            data = data._replace(X=x, y=y, weight=weight)
        self.data = data
        self.batch_size = batch_size
        self.shuffle = shuffle
        self._made = made
        self._arena = Arena(np.float64)

    @property
    def n_rows(self) -> int:
        """Rows in an epoch."""
        return self.data.n

    @property
    def n_batches(self) -> int:
        """Steps in an epoch."""
        return -(-self.data.n // self.batch_size)

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch.

        Parameters
        ----------
        rng : numpy.random.Generator
            Shuffles.

        Yields
        ------
        batch : Batch
            In memory that the next batch overwrites.
        """
        n, size = self.data.n, self.batch_size
        if not (self.shuffle and size < n):
            for start in range(0, n, size):
                yield self.of(slice(start, start + size))
            return
        order, gathered = rng.permutation(n), size * self._n_at_once
        for start in range(0, n, gathered):
            rows = order[start : start + gathered]
            batch = self.of(rows)
            if gathered == size:
                yield batch
                continue
            x, y, weight = batch[:3]
            for a in range(0, len(rows), size):
                part = slice(a, a + size)
                yield Batch(x[part], y[part], None if weight is None else weight[part])

    @cached_property
    def _n_at_once(self) -> int:
        """Batches gathered together, where each is small and nothing is padded."""
        data = [a for a in self.data[:3] if a is not None]
        if not all(isinstance(a, np.ndarray) for a in data):
            return 1
        n_bytes = self.batch_size * sum(a[:1].nbytes for a in data)
        return max(1, _GATHERED // max(n_bytes, 1))

    def whole(self) -> Batch:
        """Return all rows as one batch.

        Returns
        -------
        batch : Batch
            In memory that the next batch overwrites.
        """
        return self.of(slice(None))

    def of(self, rows: Any) -> Batch:
        """Return some rows as a batch.

        Parameters
        ----------
        rows : slice or ndarray of int
            Which.

        Returns
        -------
        batch : Batch
            In memory that the next batch overwrites.
        """
        self._arena.reset()
        x = self._take(self.data.X, rows)
        y, weight = self._answers(rows, x)
        x, lengths = pad_rows(x, self._arena.empty)
        return Batch(x, y, weight, lengths)

    def answers(self, rows: Any) -> tuple[Any, Array | None]:
        """Return targets and weights of a batch, without its input.

        Parameters
        ----------
        rows : slice or ndarray of int
            Which.

        Returns
        -------
        y : ndarray of shape (n, ...)
            Targets, as the loss takes them.
        weight : ndarray of shape (n,) or (n, ...) or None
            Weights of the rows, or of each of their elements.
        """
        self._arena.reset()
        return self._answers(rows, None)

    def _answers(self, rows: Any, x: Any) -> tuple[Any, Array | None]:
        data, empty = self.data, self._arena.empty
        is_input = x is not None and data.y is data.X
        y = x if is_input else self._take(data.y, rows)
        if self._made is not None:
            y = self._made(y, empty)
        weight = None if data.weight is None else self._take(data.weight, rows)
        if isinstance(weight, Ragged):
            return y.pad(empty), weight.pad(empty)
        if isinstance(y, Ragged):
            mask = y.mask.astype(np.float64 if weight is None else weight.dtype)
            weight = mask if weight is None else mask * weight[:, None]
            y = y.pad(empty)
        return y, weight

    def _take(self, array: Any, rows: Any) -> Any:
        if isinstance(rows, slice) or not isinstance(array, np.ndarray):
            return array[rows]  # sparse and ragged ones too
        out = self._arena.empty((len(rows), *array.shape[1:]), array.dtype)
        # mode="clip" lets NumPy write into `out` without a buffer.
        return array.take(rows, axis=0, out=out, mode="clip")


def _by_rows(array: Any) -> Any:
    return np.ascontiguousarray(array) if isinstance(array, np.ndarray) else array
