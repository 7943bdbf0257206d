"""What writing sequences from sequences takes: reading, layers, task and search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_consistent_length

from skdl import losses, text
from skdl._compat import StrOptions, check_sample_weight, with_weight
from skdl._ragged import Ragged
from skdl._request import Request
from skdl._settings import COUNT, NOT_NEGATIVE
from skdl._typing import Array
from skdl.layers import Arena, Context, Embedding, EncoderDecoder, Layer, resolve_chain
from skdl.losses import CrossEntropy, total_weight
from skdl.networks import Network, rnn_layers
from skdl.neural_network._base import BaseNetwork
from skdl.neural_network._beam import Hypothesis, Limits, search
from skdl.neural_network._causal import check_causal
from skdl.neural_network._evaluate import Evaluation
from skdl.neural_network._fitted_tokenizer import TokenizerLike, fitted_tokenizer
from skdl.neural_network._rows import NO_TARGETS, are_given
from skdl.neural_network._seq2seq_input import read_source
from skdl.targets import SequenceTargets, sequence_form
from skdl.tasks import SequenceTask
from skdl.text import Tokenizer
from skdl.training import Batch, Data, RowBatches

_ROWS = 200  # that are evaluated at a time


class BaseSeq2Seq(BaseNetwork):
    """Base of estimators that write sequences: all but what users call."""

    hidden_layer_sizes: Any
    cell: str
    embedding: int
    dropout: Any
    tokenizer: Any
    target_tokenizer: Any
    n_beams: int
    length_penalty: float
    max_length: int | None

    tokenizer_: Any
    _source_form: str
    _task: SequenceTask

    _registries = {
        **BaseNetwork._registries,
        "loss": losses.for_task("classification"),
        "tokenizer": text.registry,
        "target_tokenizer": text.registry,
    }
    _parameter_constraints: dict[str, Any] = {
        **BaseNetwork._parameter_constraints,
        "hidden_layer_sizes": "no_validation",
        "cell": [StrOptions({"lstm", "gru", "rnn"})],
        "embedding": COUNT,
        "dropout": "no_validation",
        "tokenizer": [FrozenEstimator, TokenizerLike],
        "target_tokenizer": [FrozenEstimator, TokenizerLike, None],
        "n_beams": COUNT,
        "length_penalty": NOT_NEGATIVE,
        "max_length": [*COUNT, None],
    }

    # ---- fit

    def _fit(self, request: Request) -> Self:
        weight = request.sample_weight
        X, new = with_weight(request.X, weight)
        if new is not weight:  # what does not count is in no vocabulary either
            y = with_weight(request.y, weight)[0]
            request = request._replace(X=X, y=y, sample_weight=new)
        return super()._fit(request)

    def check_together(self) -> None:
        self._given_layers()

    def _given_layers(self) -> list[Layer]:
        if self.layers is not None:
            chain = resolve_chain(self.layers)
            check_causal(chain, (8, self.embedding), "Seq2Seq")
            return chain
        return resolve_chain(
            rnn_layers(self.hidden_layer_sizes, self.cell, False, None, self.dropout)
        )

    def _body_layers(self) -> list[Layer]:
        vocabularies = self.tokenizer_.vocabulary_, self.target_tokenizer_.vocabulary_
        encoder, decoder = (
            [Embedding(len(vocabulary), self.embedding), *self._given_layers()]
            for vocabulary in vocabularies
        )
        n_steps = self._task.targets.n_steps + self._task.targets.ends
        layer = EncoderDecoder(encoder, decoder, n_steps, Tokenizer.BEGIN)
        return resolve_chain([layer])

    def _new_task(self, y: Any, classes: Any, dtype: DTypeLike) -> SequenceTask:
        form, given = sequence_form(y, "y")[0], self.target_tokenizer
        given = self.tokenizer if given is None else given
        if form in ("texts", "symbols") and not any(map(len, y)):
            raise ValueError("y has no symbols: all of its sequences are empty.")
        rows = y[:, None] if form == "column" else y
        tokenizer = fitted_tokenizer(given, form, rows)
        return self._task_of(SequenceTargets.of(y, tokenizer))

    def _same_task(self, classes: Any) -> SequenceTask:
        return self._task_of(self._task.targets)

    def _task_of(self, targets: SequenceTargets) -> SequenceTask:
        loss = self._loss_as_set()
        if not isinstance(loss, CrossEntropy):
            raise ValueError(
                f"Seq2Seq takes the loss cross_entropy, got {type(loss).__name__}."
            )
        return SequenceTask(targets, loss)

    def _read(self, X: Any, y: Any = NO_TARGETS, *, reset: bool = False) -> Any:
        # A callback hands on what was read before.
        ids = X if isinstance(X, Ragged) else read_source(self, X, reset)
        if not are_given(y):
            return ids
        if y is None:
            raise ValueError(
                "Seq2Seq requires y to be passed, but the target y is None: it learns "
                "to write y from X."
            )
        y = SequenceTargets.clean(y)
        check_consistent_length(ids, y)
        return ids, y

    def _dtype_for(self, X: Any) -> np.dtype[Any]:
        return np.dtype(np.float32 if self.dtype is None else self.dtype)

    def _takes_sparse(self) -> bool:
        return False

    def _evaluate(self, network: Network, data: Data) -> Evaluation:
        task, total, loss = self._task, 0.0, 0.0
        for batch, raw in told(network, data):
            weight = total_weight(raw, batch.weight)
            if weight:
                loss += task.loss.weighted(batch.y, raw, batch.weight, 1.0)[0]
                total += weight
        loss /= total
        if not np.isfinite(loss):
            return Evaluation(loss, None, np.zeros(0))
        found = self._found(data.X, network, task.targets, self.n_beams)
        predicted = task.decode([best[0].ids for best in found])
        return Evaluation(loss, predicted, np.zeros(0))

    @property
    def target_tokenizer_(self) -> Any:
        """The fitted tokenizer of `y`."""
        return self._task.targets.tokenizer

    def _pairs(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        X, y = self._read(X, y)
        if sample_weight is not None:
            sample_weight = check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        return X, y, sample_weight

    def _hypotheses(
        self, X: Any, n_beams: int, n_best: int = 1
    ) -> list[list[Hypothesis]]:
        ids = self._rows_to_predict(X)  # it says if there was no fit
        return self._found(ids, self.network_, self._task.targets, n_beams, n_best)

    def _found(
        self,
        X: Ragged,
        network: Network,
        targets: SequenceTargets,
        n_beams: int,
        n_best: int = 1,
    ) -> list[list[Hypothesis]]:
        longest = targets.n_steps
        if targets.ends:
            longest = 2 * longest if self.max_length is None else self.max_length
        never = (Tokenizer.BEGIN, Tokenizer.UNKNOWN)
        limits = Limits(Tokenizer.BEGIN, Tokenizer.END, never, longest, targets.ends)
        return search(network, X, limits, n_beams, self.length_penalty, n_best)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.target_tags.required = True
        return tags


def told(network: Network, data: Data) -> Iterator[tuple[Batch, Array]]:
    """Yield batches and raw predictions that know the right symbols before them.

    Parameters
    ----------
    network : Network
        The network; not changed.
    data : Data
        Ids of what is read and of what is written.

    Yields
    ------
    batch : Batch
        Some of the rows.
    raw : ndarray of shape (n, n_steps, n_symbols)
        Raw predictions, in memory that the next batch overwrites.
    """
    batches, tree = RowBatches(data, data.n), network.tree(network.params)
    arena = Arena(network.dtype)
    ctx = Context(train=False, dtype=network.dtype, arena=arena)
    for start in range(0, data.n, _ROWS):
        batch = batches.of(slice(start, start + _ROWS))
        arena.reset()
        ctx.begin(lengths=batch.lengths, targets=batch.y)
        yield batch, network.forward(tree, batch.X, ctx)[0]
