"""Batches of pictures that are changed at random while a network is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from skdl._typing import Array
from skdl.augment import Transform
from skdl.layers import Arena
from skdl.training._batches import Batch, Batches


class AugmentedBatches:
    """Batches whose pictures go through transforms.

    The random numbers come from the source that also shuffles, one batch after the
    other: the same seed gives the same bits.

    Parameters
    ----------
    batches : Batches
        The batches as they are.
    transforms : sequence of Transform
        What happens to them, in this order; settled.
    mixable : callable, default=None
        Turns targets into a form that can be mixed, for transforms that do.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.augment import Flip
    >>> from skdl.training import AugmentedBatches, Data, RowBatches
    >>> X = np.arange(4.0).reshape(2, 1, 2, 1)  # pictures of two pixels
    >>> y = np.array([0, 1])
    >>> batches = AugmentedBatches(RowBatches(Data(X, y, None, y), 1), [Flip(share=1)])
    >>> for batch in batches.epoch(np.random.default_rng(0)):
    ...     print(batch.y, batch.X.ravel())
    [0] [1. 0.]
    [1] [3. 2.]
    >>> batches.whole().X.ravel()  # as they are
    array([0., 1., 2., 3.])
    """

    in_windows = False

    def __init__(
        self,
        batches: Batches,
        transforms: Sequence[Transform],
        mixable: Callable[[Array], Array] | None = None,
    ) -> None:
        self.batches = batches
        self.transforms = transforms
        self._mixable = mixable if any(t.mixes for t in transforms) else None
        self._arena = Arena(np.float64)

    @property
    def n_rows(self) -> int:
        """Rows in an epoch."""
        return self.batches.n_rows

    @property
    def n_batches(self) -> int:
        """Steps in an epoch."""
        return self.batches.n_batches

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch.

        Parameters
        ----------
        rng : numpy.random.Generator
            Shuffles, and draws what the transforms need.

        Yields
        ------
        batch : Batch
            In memory that the next batch overwrites.
        """
        for batch in self.batches.epoch(rng):
            self._arena.reset()
            x, y, weight = batch.X, batch.y, batch.weight
            if self._mixable is not None:
                y = self._mixable(y)
            for transform in self.transforms:
                x, y, weight = transform(x, y, weight, rng, self._arena.empty)
            yield batch._replace(X=x, y=y, weight=weight)

    def whole(self) -> Batch:
        """Return all rows as one batch, as they are: nothing is drawn.

        Returns
        -------
        batch : Batch
            In memory that the next batch may overwrite.
        """
        return self.batches.whole()
