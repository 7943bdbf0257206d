"""A sequence of symbols for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._ragged import Ragged
from skdl._typing import Array, Shape
from skdl.layers import Dense, Layer
from skdl.losses import Loss
from skdl.networks import Network
from skdl.targets import SequenceTargets
from skdl.tasks._frequencies import begin_new, begin_with
from skdl.tasks._task import Task


class SequenceTask(Task):
    """A sequence of symbols, each foretold from those before it.

    Parameters
    ----------
    targets : SequenceTargets
        Its symbols, and what sequences are like.
    loss : Loss
        The loss of a symbol.

    Examples
    --------
    >>> from skdl.losses import CrossEntropy
    >>> from skdl.targets import SequenceTargets
    >>> from skdl.tasks import SequenceTask
    >>> from skdl.text import CharTokenizer
    >>> targets = SequenceTargets.of(["ab", "b"], CharTokenizer().fit(["ab"]))
    >>> task = SequenceTask(targets, CrossEntropy())
    >>> task.head((4, 8))
    [Dense(units=5)]
    """

    def __init__(self, targets: SequenceTargets, loss: Loss) -> None:
        super().__init__(loss.for_classes(targets.n_symbols, False))
        self.targets = targets

    def encode(self, y: Any, dtype: DTypeLike) -> Ragged:
        return self.targets.encode(y)

    def head(self, shape: Shape) -> list[Layer]:
        return [Dense(self.targets.n_symbols)]

    def start(self, network: Network, y: Any, weight: Array | None) -> None:
        """Let a network begin with the frequencies of the symbols.

        Those that do not occur have a probability of about 2·10⁻¹⁶.

        Parameters
        ----------
        network : Network
            A network with its starting weights; changed in place.
        y : Ragged
            Ids of sequences.
        weight : ndarray of shape (n,) or None
            Weights of the sequences.
        """
        begin_with(network, self._counts(y, weight))

    def go_on(self, network: Network, y: Any, weight: Array | None) -> None:
        begin_new(network, self._counts(y, weight))

    def _counts(self, y: Any, weight: Array | None) -> Array:
        each = None if weight is None else np.repeat(weight, y.lengths)
        return np.bincount(y.values, each, self.targets.n_symbols)

    def decode(self, prediction: Sequence[Array]) -> Any:
        return self.targets.decode(prediction)

    def score(self, y: Any, predicted: Any, weight: Array | None = None) -> float:
        return self.targets.score(y, predicted, weight)
