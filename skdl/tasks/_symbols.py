"""The next symbol of a sequence."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from skdl._typing import Array, Shape
from skdl.layers import Dense, Layer
from skdl.losses import CrossEntropy
from skdl.networks import Network
from skdl.tasks._frequencies import begin_new, begin_with
from skdl.tasks._task import Task


class SymbolTask(Task):
    """The next symbol at each step of a sequence.

    The targets are the inputs, one step later: what reads the sequences has both.

    Parameters
    ----------
    n_symbols : int
        Number of ids.
    has_head : bool, default=True
        Whether an output layer follows; else the last layer of the body is one, as a
        tied embedding is.

    Examples
    --------
    >>> from skdl.tasks import SymbolTask
    >>> SymbolTask(n_symbols=30).head((64, 16))
    [Dense(units=30)]
    """

    def __init__(self, n_symbols: int, has_head: bool = True) -> None:
        super().__init__(CrossEntropy())
        self.n_symbols = n_symbols
        self.has_head = has_head

    def encode(self, y: Any, dtype: DTypeLike) -> Any:
        return y

    def head(self, shape: Shape) -> list[Layer]:
        if len(shape) != 2:
            raise ValueError(
                f"The last of the layers gives samples of shape {shape}; to foretell a "
                "symbol at each step it must give one row a step, (n_steps, units)."
            )
        return [Dense(self.n_symbols)] if self.has_head else []

    def start(self, network: Network, y: Any, weight: Array | None) -> None:
        """Let a network begin with the frequencies of the symbols.

        Those that do not occur (as the symbol for the begin of a sequence never
        follows another) have a probability of about 2·10⁻¹⁶.

        Parameters
        ----------
        network : Network
            A network with its starting weights; changed in place.
        y : Corpus
            Sequences, which count their symbols.
        weight : ndarray of shape (n,) or None
            Weights of the sequences.
        """
        begin_with(network, y.counts(self.n_symbols, weight))

    def go_on(self, network: Network, y: Any, weight: Array | None) -> None:
        begin_new(network, y.counts(self.n_symbols, weight))

    def decode(self, prediction: Any) -> Any:
        return prediction.argmax(axis=-1)

    def score(self, y: Any, predicted: Any, weight: Array | None = None) -> float:
        return float(predicted.sum() if weight is None else predicted @ weight)
