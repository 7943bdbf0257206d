"""What recurrent networks share: how sequences are read, and their layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._compat import Integral, Interval, StrOptions
from skdl._ragged import Ragged
from skdl.layers import Embedding, Layer, resolve_chain
from skdl.networks import rnn_layers
from skdl.neural_network._base import BaseNetwork
from skdl.neural_network._rows import NO_TARGETS, are_given
from skdl.neural_network._sequences import Form, read_sequences
from skdl.neural_network._symbols import encode_symbols, learn_symbols, one_a_step
from skdl.text import SymbolTokenizer


class BaseRNN(BaseNetwork):
    """Base of recurrent networks: how sequences are read, and their layers."""

    _parameter_constraints: dict[str, Any] = {
        **BaseNetwork._parameter_constraints,
        "hidden_layer_sizes": "no_validation",
        "cell": [StrOptions({"lstm", "gru", "rnn"})],
        "bidirectional": ["boolean"],
        "dropout": "no_validation",
        "embedding": [Interval(Integral, 1, None, closed="left"), None],
    }

    hidden_layer_sizes: Any
    cell: str
    bidirectional: bool
    dropout: Any
    embedding: int | None

    _form: Form
    _tokenizer: SymbolTokenizer

    def check_together(self) -> None:
        self._given_layers()

    def _pooling(self) -> str | None:
        """Return how a sequence becomes one row; None keeps its steps."""
        return None

    def _given_layers(self) -> list[Layer]:
        if self.layers is not None:
            return resolve_chain(self.layers)
        layers = rnn_layers(
            self.hidden_layer_sizes,
            self.cell,
            self.bidirectional,
            self._pooling(),
            self.dropout,
        )
        return resolve_chain(layers)

    def _body_layers(self) -> list[Layer]:
        chain = self._given_layers()
        if self.embedding is None:
            return chain
        embedding = Embedding(len(self._tokenizer.vocabulary_), self.embedding)
        return [*resolve_chain([embedding]), *chain]

    def _n_added_layers(self) -> int:
        return 0 if self.embedding is None else 1

    # ---- sequences

    def _read(self, X: Any, y: Any = NO_TARGETS, *, reset: bool = False) -> Any:
        """Check sequences and return them as they are to be kept.

        Parameters
        ----------
        X : list or array-like
            Sequences, see `read_sequences`.
        y : array-like, default="no_validation"
            Targets, if there are to be some.
        reset : bool, default=False
            Whether the form of a sequence is learned, and not compared.

        Returns
        -------
        X : ndarray of shape (n, n_steps, n_features) or Ragged
            Numbers in the network's precision, whole ones as they came; of symbols
            their numbers.
        y : ndarray of shape (n, ...)
            Cleaned targets, if there are some.
        """
        if not isinstance(X, Ragged):  # a callback hands on what was read before
            X, y = read_sequences(self, X, y, reset)
            X = self._as_input(X, reset)
        if not are_given(y):
            return X
        return X, self._clean_target(y)

    def _as_input(self, X: Any, reset: bool) -> Any:
        """Return sequences as the first layer takes them."""
        if self.embedding is not None:
            if reset:
                self._tokenizer = learn_symbols(X)
            return encode_symbols(self._tokenizer, X)
        if X.dtype.kind in "OUS":
            X = _numbers_of(X)
        if self._begins_with_embedding():
            return one_a_step(X)
        return self._in_precision(X)

    def _is_table(self, X: Any) -> bool:
        # Lists may be of any length.
        nested = isinstance(X, (list, tuple))
        return self._form.rows and not nested and super()._is_table(X)

    def _begins_with_embedding(self) -> bool:
        chain = self._given_layers()
        return bool(chain) and isinstance(chain[0], Embedding)

    def _dtype_for(self, X: Any) -> np.dtype[Any]:
        """Return the precision: of symbols, which have none, float32."""
        symbols = self.embedding is not None or self._begins_with_embedding()
        if self.dtype is None and symbols:
            return np.dtype(np.float32)
        return super()._dtype_for(X)

    def _takes_sparse(self) -> bool:
        return False

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _numbers_of(X: Any) -> Any:
    """Return elements that came as objects, or as words, as numbers."""
    values = X.values if isinstance(X, Ragged) else X
    try:
        numbers = values.astype(np.float64)
    except ValueError as error:
        raise ValueError(
            f"X holds symbols and no numbers ({error}): set embedding=, the count of "
            "numbers that are to stand for a symbol, such as 32."
        ) from error
    return Ragged(numbers, X.offsets) if isinstance(X, Ragged) else numbers
