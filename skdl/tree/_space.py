"""The bins of some features side by side, as a histogram of NumPy has them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdl._typing import Array
from skdl.tree._binning import BinnedData

NARROW = 0.8  # share of the bins below which leaving out the others pays


@dataclass
class BinSpace:
    """The bins that the histograms of a branch hold.

    Parameters
    ----------
    binned : BinnedData
        All features.
    features : int64 ndarray of shape (f,)
        The used features whose bins are here, in ascending order.
    """

    binned: BinnedData
    features: Array

    @cached_property
    def starts(self) -> Array:
        """Where the bins of each feature start; int64 of shape (f + 1,)."""
        sizes = self.binned.n_bins + self.binned.has_missing
        return np.concatenate([[0], np.cumsum(sizes[self.features])])

    @cached_property
    def owner(self) -> Array:
        """Which of the features each bin belongs to; int64 of shape (m,)."""
        return np.repeat(np.arange(len(self.features)), np.diff(self.starts))

    @cached_property
    def places(self) -> Array:
        """The bins here, among those of all features; int64 of shape (m,)."""
        sizes = self.binned.n_bins + self.binned.has_missing
        first = (np.cumsum(sizes) - sizes)[self.features] - self.starts[:-1]
        return np.arange(self.size) + first[self.owner]

    @property
    def size(self) -> int:
        """Number of bins."""
        return int(self.starts[-1])

    @cached_property
    def whole(self) -> bool:
        """Whether all used features are here."""
        return len(self.features) == len(self.binned.features)

    @cached_property
    def numeric(self) -> Array | None:
        """Which bins are numbers, present ones; None: all are."""
        binned, features = self.binned, self.features
        if not (binned.categorical[features] | binned.has_missing[features]).any():
            return None
        code = np.arange(self.size) - self.starts[self.owner]
        present = code < binned.n_bins[features][self.owner]
        return present & ~binned.categorical[features][self.owner]

    @cached_property
    def missing_at(self) -> Array | None:
        """The bin of missing values of each bin's feature; None: no feature has one.

        The last one where the feature has none.
        """
        if not self.binned.has_missing[self.features].any():
            return None
        last: Array = self.starts[1:] - 1
        return last[self.owner]

    def bins_of(self, i: int) -> slice:
        """Return where the bins of the i-th feature are.

        Parameters
        ----------
        i : int
            Position in `features`.

        Returns
        -------
        part : slice
            Its part of a histogram.
        """
        return slice(int(self.starts[i]), int(self.starts[i + 1]))

    def narrow(self, live: Array) -> tuple[BinSpace, Array] | None:
        """Leave features out, if that saves much.

        Parameters
        ----------
        live : bool ndarray of shape (n_used,)
            Features that are still wanted.

        Returns
        -------
        narrowed : tuple or None
            The smaller space, and the positions of its bins in this one.
        """
        keep = live[self.features]
        if keep.all() or np.diff(self.starts)[keep].sum() > NARROW * self.size:
            return None
        return BinSpace(self.binned, self.features[keep]), np.flatnonzero(
            keep[self.owner]
        )
