"""Rows to train on or to validate with."""

from __future__ import annotations

from typing import Any, NamedTuple

from skdl._typing import Array


class Data(NamedTuple):
    """Rows to train on or to validate with.

    Attributes
    ----------
    X : {ndarray, sparse matrix} of shape (n, ...) or Ragged
        Input, as it came: layers cast it batch by batch.
    y : ndarray of shape (n, ...) or Ragged
        Targets as the loss takes them.
    weight : ndarray of shape (n,) or (n, ...), Ragged or None
        Weights of the rows, or of each of their elements.
    target : ndarray or Ragged
        Targets as the user gave them.
    sample_weight : ndarray of shape (n,), Ragged or None
        The weights without those of the classes, as the user gave them.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.training import Data
    >>> X, y = np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0, 3.0])
    >>> data = Data(X, y[:, None], None, y)
    >>> data.n
    3
    >>> data.rows(np.array([2, 0])).target
    array([3., 1.])
    """

    X: Any
    y: Any
    weight: Any
    target: Any
    sample_weight: Any = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.X.shape[0]

    def rows(self, index: Array) -> Data:
        """Return the rows with the given numbers.

        Parameters
        ----------
        index : ndarray of int
            Row numbers.

        Returns
        -------
        data : Data
            Copies of those rows.
        """
        taken: dict[int, Any] = {id(None): None}
        for part in self:  # targets may be the input itself
            if part is not None and id(part) not in taken:
                taken[id(part)] = part[index]
        return Data(*(taken[id(part)] for part in self))

    @property
    def counts_nothing(self) -> bool:
        """Whether all weights are 0."""
        return self.weight is not None and not self.weight.any()
