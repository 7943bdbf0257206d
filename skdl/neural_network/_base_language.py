"""What a language model reads, and how it learns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import UNUSED

from skdl import text
from skdl._compat import (
    StrOptions,
    with_weight,
)
from skdl._request import Request
from skdl._settings import COUNT, fit_context
from skdl.layers import (
    Dense,
    Embedding,
    Layer,
    TiedEmbedding,
    build_chain,
    resolve_chain,
)
from skdl.networks import Network, rnn_layers
from skdl.neural_network._base import BaseNetwork
from skdl.neural_network._causal import check_causal
from skdl.neural_network._evaluate import Evaluation
from skdl.neural_network._language_input import (
    Form,
    TokenizerLike,
    blocks,
    read_corpus,
)
from skdl.neural_network._language_walk import log_likelihoods
from skdl.neural_network._plan import Plan, batch_size_of
from skdl.neural_network._rows import NO_TARGETS, are_given
from skdl.optimizers import Optimizer
from skdl.tasks import SymbolTask, Task
from skdl.text import Tokenizer
from skdl.training import Corpus, Data, TrainingState, WindowBatches

_STEPS = 2048  # steps that batch_size="auto" takes together


class BaseLanguageModel(BaseNetwork):
    """Base of language models: what they read, and how they learn."""

    tokenizer_: Any
    _form: Form
    _knows_unknown: bool  # whether it was trained on texts with that symbol
    _task: SymbolTask

    _registries = {**BaseNetwork._registries, "tokenizer": text.registry}
    _parameter_constraints: dict[str, Any] = {
        **BaseNetwork._parameter_constraints,
        "tokenizer": [FrozenEstimator, TokenizerLike],
        "hidden_layer_sizes": "no_validation",
        "cell": [StrOptions({"lstm", "gru", "rnn"})],
        "embedding": COUNT,
        "tie_embeddings": ["boolean"],
        "dropout": "no_validation",
        "window": COUNT,
    }
    del _parameter_constraints["loss"]

    # There are no targets.
    __metadata_request__fit = {"y_val": UNUSED}
    __metadata_request__partial_fit = {"y_val": UNUSED}

    tokenizer: Any
    hidden_layer_sizes: Any
    cell: str
    embedding: int
    tie_embeddings: bool
    dropout: Any
    window: int

    # ---- fit

    @fit_context(prefer_skip_nested_validation=True)
    def fit(  # type: ignore[override]
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Learn from sequences.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            Sequences; see the notes of the class.
        y : None, default=None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the sequences; not negative. Sequences of weight 0 are left out,
            also of the vocabulary.
        X_val : like X, default=None
            Validation data, for `history_` and for early stopping.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : RNNLanguageModel
            The fitted model.

        Raises
        ------
        ValueError, TypeError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        X, sample_weight = with_weight(X, sample_weight)
        self._fit(Request(X, None, sample_weight, X_val, None, sample_weight_val))
        return self

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train for one epoch over the given sequences, from where training stands.

        The vocabulary is that of the first call, unless the tokenizer comes fitted
        inside `sklearn.frozen.FrozenEstimator`. For corpora that do not fit in memory X
        is an iterator, or a memory map of ids.

        Parameters
        ----------
        X : iterator, list of str, list of list, or array-like
            Sequences, see `fit`. An iterator, such as an open file (whose lines are
            sequences then), is read to its end, some four million symbols at a time:
            `history_` has an entry for each block.
        y : None, default=None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the sequences; not with an iterator.
        X_val : like X, default=None
            Validation data; needed with ``early_stopping=True``.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : RNNLanguageModel
            The model.

        Raises
        ------
        ValueError, TypeError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        validation = {"X_val": X_val, "sample_weight_val": sample_weight_val}
        if not isinstance(X, Iterator):
            return self._partial_fit(X, sample_weight, **validation)
        if sample_weight is not None:
            raise ValueError("sample_weight was given for an iterator; pass lists.")
        n = 0
        for block in blocks(X):
            self._partial_fit(block, None, **validation)
            n += len(block)
        if not n:
            raise ValueError("X has no sequences: the iterator is at its end.")
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def _partial_fit(
        self, X: Any, sample_weight: Any, X_val: Any, sample_weight_val: Any
    ) -> Self:
        self._fit(
            Request(
                X,
                None,
                sample_weight,
                X_val,
                None,
                sample_weight_val,
                incremental=True,
            )
        )
        return self

    def _train(
        self, plan: Plan, starts: list[TrainingState], n_epochs: int
    ) -> tuple[TrainingState, str]:
        known = starts[0].n_seen > 0 and self._knows_unknown
        self._knows_unknown = known or plan.train.X.holds(Tokenizer.UNKNOWN)
        return super()._train(plan, starts, n_epochs)

    def _warn_about(self, reason: str, state: TrainingState) -> None:
        if reason != "max_iter":
            super()._warn_about(reason, state)

    def check_together(self) -> None:
        self._given_layers()

    def _given_layers(self) -> list[Layer]:
        if self.layers is None:
            made = rnn_layers(
                self.hidden_layer_sizes, self.cell, False, None, self.dropout
            )
            return resolve_chain(made)
        chain = resolve_chain(self.layers)
        check_causal(chain, (self.window, self.embedding), "A language model")
        return chain

    def _body_layers(self) -> list[Layer]:
        n, units, chain = len(self.vocabulary_), self.embedding, self._given_layers()
        if not self.tie_embeddings:
            return [*resolve_chain([Embedding(n, units)]), *chain]
        shapes, _ = build_chain(chain, (self.window, units))
        if shapes[-1][-1] != units:
            chain = [*chain, Dense(units)]
        return resolve_chain([TiedEmbedding(n, units, chain)])

    def _n_added_layers(self) -> int:
        return 1

    def _new_task(self, y: Any, classes: Any, dtype: DTypeLike) -> SymbolTask:
        return SymbolTask(len(self.vocabulary_), not self.tie_embeddings)

    def _same_task(self, classes: Any) -> SymbolTask:
        return SymbolTask(len(self.vocabulary_), not self.tie_embeddings)

    def _read(self, X: Any, y: Any = NO_TARGETS, *, reset: bool = False) -> Any:
        # A callback hands on what was read before.
        corpus = X if isinstance(X, Corpus) else read_corpus(self, X, reset)
        return (corpus, corpus) if are_given(y) else corpus

    def _dtype_for(self, X: Any) -> np.dtype[Any]:
        if self.dtype is not None:
            return np.dtype(self.dtype)
        return np.dtype(np.float32 if X.dtype is None else X.dtype)

    def _rows_in_batch(
        self, optimizer: Optimizer, train: Data, incremental: bool
    ) -> int:
        corpus = train.X
        if optimizer.full_batch:
            return batch_size_of(self, optimizer, len(corpus), incremental)
        if self.batch_size != "auto":
            return int(self.batch_size)
        steps = min(self.window, int(corpus.n_steps.max()))
        return min(max(1, _STEPS // max(1, steps)), 200)

    def _batches(self, plan: Plan) -> WindowBatches:
        return WindowBatches(plan.train, plan.batch_size, self.shuffle)

    def _held_out(self, task: Task, data: Data, seed: int) -> tuple[Data, Data]:
        rows = not self._form.ends  # which are not cut
        if rows or data.n >= 10 or data.weight is not None:
            return super()._held_out(task, data, seed)
        first, last = data.X.split(self.validation_fraction)
        if not len(first) or not len(last):
            raise ValueError(
                f"early_stopping=True cannot split {int(data.X.n_steps.sum())} symbols "
                f"with validation_fraction={self.validation_fraction}. Pass X_val, or "
                "more text."
            )
        return Data(first, first, None, first), Data(last, last, None, last)

    def _evaluate(self, network: Network, data: Data) -> Evaluation:
        log_p = log_likelihoods(network, data.X)
        weight = np.ones(data.n) if data.weight is None else data.weight
        loss = -float(weight @ log_p) / float(weight @ data.X.n_steps)
        finite = np.isfinite(log_p).all()
        return Evaluation(loss, log_p if finite else None, np.zeros(0))

    @property
    def vocabulary_(self) -> dict[Any, int]:
        """Symbols mapped to ids."""
        return self.tokenizer_.vocabulary_
