"""Language models: densities over sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from skdl import text
from skdl._compat import (
    ClassNamePrefixFeaturesOutMixin,
    StrOptions,
    TransformerMixin,
    with_weight,
)
from skdl._request import Request
from skdl._settings import COUNT, NOT_NEGATIVE, checked, fit_context
from skdl._typing import Array
from skdl.initializers import Initializer
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
from skdl.neural_network._evaluate import Evaluation
from skdl.neural_network._generate import Stepper, search, sequences
from skdl.neural_network._language_input import (
    Form,
    TokenizerLike,
    blocks,
    read_corpus,
)
from skdl.neural_network._language_text import check_causal, continued, read_prompt
from skdl.neural_network._language_walk import last_outputs, log_likelihoods
from skdl.neural_network._plan import Plan, batch_size_of
from skdl.neural_network._unrolled import unrolled
from skdl.optimizers import Optimizer
from skdl.tasks import SymbolTask
from skdl.text import Tokenizer
from skdl.training import Corpus, Data, TrainingState, WindowBatches

_STEPS = 2048  # steps that batch_size="auto" takes together


class RNNLanguageModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseNetwork):
    """Language model: a recurrent network as a density over sequences.

    P(x₁ … xₙ) = Π P(x_t | x_<t): an embedding, recurrent layers and a softmax foretell
    each symbol from those before it (Mikolov et al. 2010). Texts are read as
    characters, words, bytes or pairs of bytes; lists and rows of an array as the
    symbols they hold.

    Parameters
    ----------
    tokenizer : str or Tokenizer, default="char"
        How texts become symbols: "char", "word", "byte" or "bpe" (`skdl.text.names`),
        a tokenizer such as ``WordTokenizer(min_frequency=2)``, or an object of your own
        with `fit`, `transform`, `inverse_transform` and `vocabulary_`. It is cloned and
        fitted with the model; inside `sklearn.frozen.FrozenEstimator` a fitted one is
        used as it is. Lists and arrays of symbols need none of the named ones.
    hidden_layer_sizes : int or sequence of int, default=(128,)
        Units of each recurrent layer.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Their kind.
    embedding : int, default=64
        Numbers that stand for a symbol.
    tie_embeddings : bool, default=False
        Whether the output layer has the table of the embedding for its weights (Press &
        Wolf 2017): half the parameters where the vocabulary is large. A linear layer
        stands in between where the last recurrent layer has not `embedding` units.
    dropout : float or sequence of float, default=0.0
        Share of the outputs of each recurrent layer that is dropped while training, of
        a sequence the same ones in all steps of a window: one for all or one for each.
    window : int, default=64
        Steps through which gradients go back (truncated backpropagation through time).
        States go on from one window of a sequence to the next.
    layers : sequence of Layer or str, default=None
        The layers between the embedding and the output layer, in place of
        `hidden_layer_sizes`, `cell` and `dropout`: ``[LSTM(128), Dropout(0.2)]``. None
        may look ahead.
    optimizer : str or Optimizer, default="adam"
        Name or instance, such as ``Adam(3e-3, clip_norm=1.0)``. In grids and in
        `set_params` its settings are ``optimizer__learning_rate`` and so on, also while
        it is a name. Names: `skdl.optimizers.names`.
    initializer : str or Initializer, default="auto"
        Start of the weights. The output layer begins with the frequencies of the
        symbols.
    alpha : float, default=0.0
        Strength of the L2 penalty ½·alpha·‖W‖² on the weights (not on biases and the
        embedding), which is divided by the sum of the weights of the steps of a batch.
    l1 : float, default=0.0
        Strength of the L1 penalty l1·‖W‖₁, divided likewise.
    batch_size : int or "auto", default="auto"
        Sequences, or pieces of long ones, that are read side by side. "auto" is as many
        as make 2,048 steps of an update, 200 at most, and all sequences for optimizers
        that are meant for the whole sample.
    max_iter : int, default=20
        Most epochs. As many as there is time for: no warning says that more would be
        better.
    shuffle : bool, default=True
        Whether each epoch puts sequences together anew.
    random_state : int, RandomState instance or None, default=None
        Starting weights, order of sequences, dropout and the validation split. The same
        integer gives the same bits.
    tol : float, default=0.0001
        Smallest change of the training loss, or of the validation metric, that counts
        as an improvement.
    verbose : bool or int, default=False
        Print a table with a line every epoch, or every so many epochs.
    warm_start : bool, default=False
        Whether `fit` goes on from the last one: vocabulary, weights, optimizer state
        and history.
    early_stopping : bool, default=False
        Whether to stop when the validation metric has stopped improving, and to keep
        the weights of its best epoch. The validation data are `X_val`, or else a part
        of the training data.
    validation_fraction : float, default=0.1
        Size of that part, in (0, 1): random sequences, or the end of the text where
        there are fewer than ten.
    n_iter_no_change : int, np.inf or "never", default=10
        Stop after more than so many epochs in a row without an improvement by `tol`:
        of the validation metric with `early_stopping`, else of the training loss.
        "never", or ``np.inf``, always does `max_iter` epochs.
    scoring : str, callable or None, default="loss"
        The validation metric: "loss" is the loss, None is `score`, the log-likelihood;
        other names and callables are scikit-learn scorers.
    n_init : int, default=1
        Restarts from other random weights; the best one is kept, by the validation
        metric with `early_stopping`, else by the training loss.
    n_jobs : int, default=None
        Restarts run in so many processes (joblib). The result does not depend on it.
    dtype : {"float32", "float64"}, default=None
        Precision. None is float32 for texts and lists of symbols; of arrays float32
        stays, everything else is float64.
    init_from : estimator or Network, default=None
        A fitted network of the same layers to start from, in place of random weights.
    freeze : int, slice, str or sequence of them, default=None
        Layers that stay as they are, as in `MLPClassifier`.
    layer_rates : float or dict, default=None
        Factors of the learning rate, as in `MLPClassifier`.

    Attributes
    ----------
    tokenizer_ : Tokenizer
        The fitted tokenizer.
    vocabulary_ : dict
        Symbols mapped to ids 0, 1, …, the columns of `predict_proba`: ``"<begin>"``,
        ``"<end>"``, ``"<unknown>"``, and those of the data.
    network_ : Network
        The fitted network.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weight matrices, views into the network.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases, views into the network.
    history_ : dict of str to list of float
        One entry an epoch: "loss" (in nats a symbol; its exponential is the
        perplexity), "learning_rate" (of the epoch's first update) and, with validation
        data, "val_loss" and "val_score" (the log-likelihood).
    loss_curve_ : list of float
        ``history_["loss"]``.
    loss_ : float
        Training loss of the last epoch, penalties included.
    best_loss_ : float
        Smallest training loss of an epoch.
    validation_scores_ : list of float or None
        ``history_["val_score"]``, if there is one.
    best_validation_score_ : float or None
        Its best value.
    best_epoch_ : int
        The epoch, from 1, of the best validation metric with `early_stopping` (whose
        weights are kept), else of the smallest training loss.
    loss_function_ : Loss
        The loss.
    n_iter_ : int
        Epochs done since the weights were drawn.
    t_ : int
        Symbols seen, counted with repetition.
    n_layers_ : int
        Layers of neurons, input and output among them.
    n_outputs_ : int
        Output neurons: the size of the vocabulary.
    n_features_in_ : int
        Length of the rows, if `X` was an array.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if `X` had some.

    Raises
    ------
    DivergenceError
        From `fit`, if the loss stops being finite. A model that was fitted before is
        left as it was; another keeps the last finite weights.

    See Also
    --------
    skdl.text.Tokenizer : Tokenizers, usable alone.
    sklearn.neighbors.KernelDensity : Densities over rows of numbers.

    Notes
    -----
    Forms of `X`, everywhere: a list of texts; a list of lists of symbols (anything with
    a hash); a two-dimensional array or a DataFrame, whose rows are sequences of symbols
    of one length; or a one-dimensional array of ids as `Tokenizer.write` writes them,
    which may be a memory map, with the tokenizer inside ``FrozenEstimator``.

    Of texts and lists the end is a symbol of its own: the probabilities of all
    sequences of all lengths add up to 1. Of rows those of the same length do.
    Symbols that were not seen in `fit` are read as ``"<unknown>"``, with a warning that
    counts them. The model has never met it, unless the tokenizer left rare symbols out,
    and gives it a probability of about 2·10⁻¹⁶.

    Examples
    --------
    >>> from skdl import RNNLanguageModel
    >>> texts = ["abcabcabc", "bcabca", "cabcab"] * 20
    >>> model = RNNLanguageModel(hidden_layer_sizes=16, max_iter=60, random_state=0)
    >>> model.set_params(optimizer__learning_rate=0.02, n_iter_no_change="never")
    RNNLanguageModel(...)
    >>> model.fit(texts).generate("ab", max_length=4, temperature=0)
    'abcabc'
    >>> model.perplexity(["abcabcabc"]) < 2
    True
    """

    tokenizer_: Any
    _form: Form
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

    def __init__(
        self,
        tokenizer: str | Tokenizer | Any = "char",
        hidden_layer_sizes: int | Sequence[int] = (128,),
        *,
        cell: str = "lstm",
        embedding: int = 64,
        tie_embeddings: bool = False,
        dropout: float | Sequence[float] = 0.0,
        window: int = 64,
        layers: Sequence[Layer | str] | None = None,
        optimizer: str | Optimizer = "adam",
        initializer: str | Initializer = "auto",
        alpha: float = 0.0,
        l1: float = 0.0,
        batch_size: int | str = "auto",
        max_iter: int = 20,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: float | str = 10,
        scoring: Any = "loss",
        n_init: int = 1,
        n_jobs: int | None = None,
        dtype: str | None = None,
        init_from: Any = None,
        freeze: Any = None,
        layer_rates: float | dict[Any, float] | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
        self.embedding = embedding
        self.tie_embeddings = tie_embeddings
        self.dropout = dropout
        self.window = window
        self.layers = layers
        self.optimizer = optimizer
        self.initializer = initializer
        self.alpha = alpha
        self.l1 = l1
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.n_init = n_init
        self.n_jobs = n_jobs
        self.dtype = dtype
        self.init_from = init_from
        self.freeze = freeze
        self.layer_rates = layer_rates

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
        check_causal(chain, (self.window, self.embedding))
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

    def _read(self, X: Any, y: Any = "no_validation", *, reset: bool = False) -> Any:
        # A callback hands on what was read before.
        corpus = X if isinstance(X, Corpus) else read_corpus(self, X, reset)
        return corpus if isinstance(y, str) else (corpus, corpus)

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

    def _held_out(self, task: Any, data: Data, seed: int) -> tuple[Data, Data]:
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

    def _evaluate(self, network: Network, task: Any, data: Data) -> Evaluation:
        log_p = log_likelihoods(network, data.X)
        weight = np.ones(data.n) if data.weight is None else data.weight
        loss = -float(weight @ log_p) / float(weight @ data.X.n_steps)
        finite = np.isfinite(log_p).all()
        return Evaluation(loss, log_p if finite else None, np.zeros(0))

    # ---- the density

    @property
    def vocabulary_(self) -> dict[Any, int]:
        """Symbols mapped to ids."""
        return self.tokenizer_.vocabulary_

    def score_samples(self, X: Any) -> Array:
        """Return the logarithm of the probability of each sequence.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            Sequences.

        Returns
        -------
        log_p : ndarray of shape (n_samples,)
            Natural logarithms, that of the end included where there is one.
        """
        corpus = self._corpus(X)  # it says if there was no fit
        return log_likelihoods(self.network_, corpus)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the logarithm of the probability of all sequences together.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            Sequences.
        y : None, default=None
            Ignored.

        Returns
        -------
        log_p : float
            The sum of `score_samples`, as `sklearn.neighbors.KernelDensity` has it.
        """
        return float(self.score_samples(X).sum())

    def perplexity(self, X: Any) -> float:
        """Return the perplexity: among how many symbols the model is as good as unsure.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            Sequences.

        Returns
        -------
        perplexity : float
            exp(−Σ ln P(x_t | x_<t) / n), over all n symbols that are foretold, ends
            included.
        """
        corpus = self._corpus(X)
        log_p = log_likelihoods(self.network_, corpus)
        return float(np.exp(-log_p.sum() / corpus.n_steps.sum()))

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the symbol that comes next.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What comes before; texts and lists may be empty.

        Returns
        -------
        p : ndarray of shape (n_samples, n_symbols)
            In the order of `vocabulary_`; rows add up to 1.
        """
        corpus = self._corpus(X)
        raw = last_outputs(self.network_, corpus, not self._form.ends)
        return self._task.loss.inverse_link(raw)

    def transform(self, X: Any) -> Array:
        """Return the state of the last layer behind each sequence, as features.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            Sequences.

        Returns
        -------
        features : ndarray of shape (n_samples, n_units)
            What the output layer gets when all symbols have been read.
        """
        corpus = self._corpus(X)
        n_layers = len(unrolled(self.network_)[0]) - 1
        return last_outputs(self.network_, corpus, not self._form.ends, n_layers)

    @property
    def _n_features_out(self) -> int:
        layers, _ = unrolled(self.network_)
        shapes, _ = build_chain(layers[:-1], self.network_.input_shape)
        return shapes[-1][-1]

    def _corpus(self, X: Any) -> Corpus:
        check_is_fitted(self, "network_")
        return self._read(X)

    # ---- generation

    def sample(
        self, n_samples: int = 1, random_state: Any = None, *, max_length: int = 1000
    ) -> Any:
        """Draw sequences from the model.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        random_state : int, RandomState instance or None, default=None
            The same integer gives the same sequences.
        max_length : int, default=1000
            Cut those that have not ended after so many symbols.

        Returns
        -------
        X : list of str, list of list or ndarray of shape (n_samples, n_steps)
            Sequences of the kind that the model was fitted to.

        Raises
        ------
        ValueError
            If a number is out of range.
        """
        check_is_fitted(self, "network_")
        checked(
            "sample",
            {"n_samples": COUNT, "max_length": COUNT},
            {"n_samples": n_samples, "max_length": max_length},
        )
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        rng = np.random.default_rng(seed)
        length = max_length if self._form.ends else self.n_features_in_
        ids = sequences(self._stepper(), n_samples, length, rng)
        drawn = self.tokenizer_.inverse_transform(ids)
        return drawn if self._form.ends else np.array(drawn)

    def generate(
        self,
        prompt: Any = None,
        max_length: int = 200,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Any = None,
        random_state: Any = None,
    ) -> Any:
        """Go on from a prompt, symbol by symbol.

        Parameters
        ----------
        prompt : str or list, default=None
            A text, or a list of symbols. None begins anew.
        max_length : int, default=200
            Most symbols to add; it ends sooner where the model ends the sequence.
        temperature : float, default=1.0
            Divides the logarithms of the probabilities: below 1 the probable becomes
            more so, 0 always takes the most probable.
        top_k : int, default=None
            Draw from so many of the most probable symbols.
        top_p : float, default=None
            Draw from the fewest of the most probable symbols that together have so much
            probability, in (0, 1] (Holtzman et al. 2020). After `top_k`.
        stop : str or list, default=None
            End before this text, or the first of several; of symbols, before any of
            these.
        random_state : int, RandomState instance or None, default=None
            The same integer gives the same continuation.

        Returns
        -------
        text : str or list
            The prompt and what follows.

        Raises
        ------
        ValueError, TypeError
            If the prompt has symbols that the model does not know, is of another kind
            than `X` in `fit`, or a setting is out of range.
        """
        check_is_fitted(self, "network_")
        ids = read_prompt(self, prompt)
        return continued(
            self, ids, max_length, temperature, top_k, top_p, stop, random_state
        )

    def beam_search(
        self,
        prompt: Any = None,
        max_length: int = 50,
        *,
        n_beams: int = 5,
        length_penalty: float = 0.0,
    ) -> tuple[list[Any], Array]:
        """Look for the most probable continuations of a prompt.

        So many are followed side by side, each symbol of each is tried, and the best
        are kept (Graves 2012). With enough beams nothing is missed.

        Parameters
        ----------
        prompt : str or list, default=None
            A text, or a list of symbols. None begins anew.
        max_length : int, default=50
            Most symbols to add; the model may end the sequence sooner.
        n_beams : int, default=5
            Continuations that are followed.
        length_penalty : float, default=0.0
            They are ranked by ln p divided by the number of symbols to this power: 0
            prefers short ones, 1 those that are best symbol by symbol.

        Returns
        -------
        texts : list of str or list of list
            The prompt and what follows, the best first; `n_beams` at most.
        log_p : ndarray of shape (n_found,)
            Logarithms of the probabilities of what follows, that of the end included
            where a sequence ends.

        Raises
        ------
        ValueError, TypeError
            As `generate`.
        """
        check_is_fitted(self, "network_")
        settings = checked(
            "beam_search",
            {"max_length": COUNT, "n_beams": COUNT, "length_penalty": NOT_NEGATIVE},
            {
                "max_length": max_length,
                "n_beams": n_beams,
                "length_penalty": length_penalty,
            },
        )
        ids = read_prompt(self, prompt)
        found = search(self._stepper(), ids, **settings)
        rows = [np.append(ids, new).astype(int) for new, _ in found]
        return self.tokenizer_.inverse_transform(rows), np.array([p for _, p in found])

    def _stepper(self) -> Stepper:
        banned = [Tokenizer.BEGIN, Tokenizer.UNKNOWN]
        if not self._form.ends:
            banned.append(Tokenizer.END)
        return Stepper(self.network_, banned)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "density_estimator"
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = False
        tags.target_tags.required = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
