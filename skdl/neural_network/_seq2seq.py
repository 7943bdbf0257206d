"""Sequences from sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdl._request import Request
from skdl._settings import COUNT, checked, fit_context
from skdl._typing import Array
from skdl.initializers import Initializer
from skdl.layers import Layer
from skdl.losses import CrossEntropy
from skdl.neural_network._language_walk import picked_log_p
from skdl.neural_network._seq2seq_base import BaseSeq2Seq, told
from skdl.optimizers import Optimizer
from skdl.text import Tokenizer
from skdl.training import Data


class Seq2Seq(BaseSeq2Seq):
    """Write one sequence of symbols from another: encoder and decoder.

    A recurrent encoder reads `X`; from its last state a recurrent decoder writes `y`,
    symbol by symbol: P(y | x) = Π P(y_t | y_<t, x) (Sutskever, Vinyals & Le 2014; Cho
    et al. 2014). In training the decoder reads the right symbols (teacher forcing), in
    `predict` its own.

    `X` and `y` each hold sequences in one of these forms:

    - a list of strings, of different lengths, also empty ones: the tokenizers cut them
      into characters, words, bytes or pairs of bytes;
    - a list of lists of symbols: anything with a hash;
    - an array of shape (n_samples, n_steps) or a DataFrame, whose rows are sequences of
      symbols of one length. `y` may also be an array of shape (n_samples,), of one
      symbol for each sample.

    `predict` answers in the form of `y`.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(128,)
        Units of each recurrent layer of the encoder, and of the decoder.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Their kind.
    embedding : int, default=64
        Numbers that stand for a symbol.
    dropout : float or sequence of float, default=0.0
        Share of the outputs of each recurrent layer that is dropped while training, of
        a sequence the same ones in all steps: one for all or one for each.
    layers : sequence of Layer or str, default=None
        The layers behind the embedding, of the encoder as of the decoder, in place of
        `hidden_layer_sizes`, `cell` and `dropout`:
        ``[GRU(64), Residual([GRU(64)])]``. They go forwards and keep the steps.
    tokenizer : str or Tokenizer, default="char"
        How strings of `X` become symbols: "char", "word", "byte" or "bpe"
        (`skdl.text.names`), a tokenizer such as ``WordTokenizer(min_frequency=2)``, or
        an object of your own with `fit`, `transform`, `inverse_transform` and
        `vocabulary_`. It is cloned and fitted with the model; inside
        `sklearn.frozen.FrozenEstimator` a fitted one is used as it is. Lists and arrays
        of symbols need none of the named ones.
    target_tokenizer : str or Tokenizer, default=None
        The same for `y`; None: as `tokenizer`.
    n_beams : int, default=1
        Beginnings that `predict` follows side by side (beam search). 1 is greedy: the
        most probable symbol each time. The answer is the one of the largest
        log P(y | x) / length^length_penalty that was found.
    length_penalty : float, default=1.0
        From 0; with 0 short answers have the better chances. The end counts as a
        symbol.
    max_length : int, default=None
        Most symbols of an answer. None: twice those of the longest in training. Rows of
        arrays have the length of those in training.
    optimizer : str or Optimizer, default="adam"
        Name or instance, such as ``Adam(3e-3, clip_norm=1.0)``. In grids and in
        `set_params` its settings are ``optimizer__learning_rate`` and so on, also while
        it is a name. Names: `skdl.optimizers.names`.
    initializer : str or Initializer, default="auto"
        Start of the weights. The output layer begins with the frequencies of the
        symbols.
    loss : str or Loss, default="cross_entropy"
        "cross_entropy" of each symbol, or ``CrossEntropy(label_smoothing=0.1)``.
    alpha : float, default=0.0
        Strength of the L2 penalty ½·alpha·‖W‖² on the weights (not on biases and
        embeddings), which is divided by the sum of the weights of the symbols of a
        batch.
    l1 : float, default=0.0
        Strength of the L1 penalty l1·‖W‖₁, divided likewise.
    batch_size : int or "auto", default="auto"
        Pairs in a step. "auto" is min(200, n_samples), and all pairs for optimizers
        that are meant for the whole sample.
    max_iter : int, default=200
        Most epochs.
    shuffle : bool, default=True
        Whether each epoch takes the pairs in a new random order.
    random_state : int, RandomState instance or None, default=None
        Starting weights, order of pairs, dropout and the validation split. The same
        integer gives the same bits.
    tol : float, default=0.0001
        Smallest change of the training loss, or of the validation metric, that counts
        as an improvement.
    verbose : bool or int, default=False
        Print a table with a line every epoch, or every so many epochs.
    warm_start : bool, default=False
        Whether `fit` goes on from the last one: vocabularies, weights, optimizer state
        and history.
    early_stopping : bool, default=False
        Whether to stop when the validation metric has stopped improving, and to keep
        the weights of its best epoch. The validation data are `X_val` and `y_val`, or
        else a part of the training data.
    validation_fraction : float, default=0.1
        Size of that part, in (0, 1).
    n_iter_no_change : int, np.inf or "never", default=10
        Stop after more than so many epochs in a row without an improvement by `tol`:
        of the validation metric with `early_stopping`, else of the training loss.
        "never", or ``np.inf``, always does `max_iter` epochs.
    scoring : str, callable or None, default="loss"
        The validation metric: "loss" is the loss, None the exact-match accuracy, as
        `score` has it; ``Seq2Seq.token_accuracy`` and other callables are scikit-learn
        scorers.
    n_init : int, default=1
        Restarts from other random weights; the best one is kept, by the validation
        metric with `early_stopping`, else by the training loss.
    n_jobs : int, default=None
        Restarts run in so many processes (joblib). The result does not depend on it.
    dtype : {"float32", "float64"}, default=None
        Precision; None is float32.
    init_from : estimator or Network, default=None
        A fitted network of the same layers to start from, in place of random weights.
    freeze : int, slice, str or sequence of them, default=None
        Layers that stay as they are, as in `MLPClassifier`: encoder and decoder are one
        layer; those inside are found by class (``"Embedding"``).
    layer_rates : float or dict, default=None
        Factors of the learning rate, as in `MLPClassifier`.

    Attributes
    ----------
    tokenizer_ : Tokenizer
        The fitted tokenizer of `X`.
    target_tokenizer_ : Tokenizer
        That of `y`.
    network_ : Network
        The fitted network: an `EncoderDecoder` and the output layer.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weight matrices, views into the network.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases, views into the network.
    history_ : dict of str to list of float
        One entry an epoch: "loss" (in nats a symbol), "learning_rate" (of the epoch's
        first update) and, with validation data, "val_loss" and "val_score".
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
        Pairs seen, counted with repetition.
    n_layers_ : int
        Layers of neurons, input and output among them.
    n_outputs_ : int
        Output neurons: the size of the vocabulary of `y`.
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
    RNNLanguageModel : A density over sequences, without something to read first.
    RNNTagger : A label for each element of a sequence.
    skdl.layers.EncoderDecoder : The layer that does it.

    Notes
    -----
    Symbols of `X` that were not seen in `fit` are read as ``"<unknown>"``, with a
    warning that counts them; in `y` they are an error, as the model cannot write them.
    Against exploding gradients clip them: ``optimizer=Adam(clip_norm=1.0)``.

    All that the decoder knows of `x` is the encoder's last state: for long sequences it
    needs many units.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl import Seq2Seq
    >>> rng = np.random.default_rng(0)
    >>> X = ["".join(rng.choice(list("abc"), rng.integers(1, 5))) for _ in range(300)]
    >>> y = [x[::-1] for x in X]
    >>> model = Seq2Seq(64, max_iter=60, batch_size=20, random_state=0)
    >>> model.set_params(optimizer__learning_rate=0.005, n_iter_no_change="never")
    Seq2Seq(...)
    >>> model.fit(X, y).predict(["abc", "ca"])
    ['cba', 'ac']
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (128,),
        *,
        cell: str = "lstm",
        embedding: int = 64,
        dropout: float | Sequence[float] = 0.0,
        layers: Sequence[Layer | str] | None = None,
        tokenizer: str | Tokenizer | Any = "char",
        target_tokenizer: str | Tokenizer | Any = None,
        n_beams: int = 1,
        length_penalty: float = 1.0,
        max_length: int | None = None,
        optimizer: str | Optimizer = "adam",
        initializer: str | Initializer = "auto",
        loss: str | CrossEntropy = "cross_entropy",
        alpha: float = 0.0,
        l1: float = 0.0,
        batch_size: int | str = "auto",
        max_iter: int = 200,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
        self.embedding = embedding
        self.dropout = dropout
        self.layers = layers
        self.tokenizer = tokenizer
        self.target_tokenizer = target_tokenizer
        self.n_beams = n_beams
        self.length_penalty = length_penalty
        self.max_length = max_length
        self.optimizer = optimizer
        self.initializer = initializer
        self.loss = loss
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
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train for one epoch over the given pairs, from where training stands.

        The vocabularies are those of the first call, unless the tokenizers come fitted
        inside `sklearn.frozen.FrozenEstimator`.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What is read.
        y : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What is to be written.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the pairs; not negative.
        X_val, y_val : like X and y, default=None
            Validation data; needed with ``early_stopping=True``.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : Seq2Seq
            The model.

        Raises
        ------
        ValueError, TypeError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        self._fit(
            Request(
                X,
                y,
                sample_weight,
                X_val,
                y_val,
                sample_weight_val,
                incremental=True,
            )
        )
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def initialize(self, X: Any, y: Any) -> Self:
        """Learn the vocabularies and draw the starting weights, without training.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What is read.
        y : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What is to be written.

        Returns
        -------
        self : Seq2Seq
            The model; `partial_fit`, or `fit` with ``warm_start=True``, goes on from
            there.
        """
        self._initialize(Request(X, y))
        return self

    # ---- the fitted model

    def predict(self, X: Any) -> Any:
        """Write a sequence for each of X.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What is read.

        Returns
        -------
        y : list of str, list of list or ndarray
            The answers, in the form of `y` in `fit`: the best that beam search finds,
            see `n_beams`.
        """
        found = self._hypotheses(X, self.n_beams)
        return self._task.decode([best[0].ids for best in found])

    def predict_n_best(self, X: Any, n: int = 5) -> list[list[tuple[Any, float]]]:
        """Write several sequences for each of X.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What is read.
        n : int, default=5
            How many answers, and the least number of beams.

        Returns
        -------
        found : list of list of (object, float)
            For each of X up to `n` answers in the form of `y`, and the logarithm of
            their probability, P(y | x); the best first, see `length_penalty`.

        Raises
        ------
        ValueError
            If `n` is not positive.
        """
        checked("predict_n_best", {"n": COUNT}, {"n": n})
        return [
            list(
                zip(
                    self._task.decode([one.ids for one in best]),
                    [float(one.log_p) for one in best],
                    strict=True,
                )
            )
            for best in self._hypotheses(X, max(n, self.n_beams), n)
        ]

    def score_samples(self, X: Any, y: Any = None) -> Array:
        """Return log P(y | x) of pairs.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What is read.
        y : like y in `fit`, default=None
            What is written. None: the answers of `predict`, of which these are then
            how sure the model is.

        Returns
        -------
        log_p : ndarray of shape (n_samples,)
            Natural logarithms, that of the end included where there is one: for each x
            the probabilities of all y add up to 1.

        Raises
        ------
        ValueError
            If y has symbols that were not seen in `fit`.
        """
        if y is None:
            best = self._hypotheses(X, self.n_beams)
            return np.array([one[0].log_p for one in best])
        check_is_fitted(self, "network_")
        X, y = self._read(X, y)
        ids = self._task.encode(y, self.network_.dtype)
        total = []
        for batch, raw in told(self.network_, Data(X, ids, None, y)):
            log_p = picked_log_p(raw.astype(np.float64), batch.y.astype(np.intp))
            total.append((log_p * batch.weight).sum(axis=1))
        return np.concatenate(total)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the exact-match accuracy: the share of answers right from end to end.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What is read.
        y : like y in `fit`
            The right answers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the pairs.

        Returns
        -------
        accuracy : float
            In [0, 1].
        """
        check_is_fitted(self, "network_")
        X, y, weight = self._pairs(X, y, sample_weight)
        return self._task.score(y, self.predict(X), weight)

    def token_accuracy(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of symbols of the answers that are right.

        Symbols are compared place by place; what one of answer and `y` has more than
        the other is wrong. ``scoring=Seq2Seq.token_accuracy`` makes it the score of
        searches and of early stopping.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What is read.
        y : like y in `fit`
            The right answers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the pairs.

        Returns
        -------
        accuracy : float
            In [0, 1].
        """
        check_is_fitted(self, "network_")
        X, y, weight = self._pairs(X, y, sample_weight)
        found = [best[0].ids for best in self._hypotheses(X, self.n_beams)]
        right, most = self._task.targets.agreement(y, found)
        if weight is None:
            return float(right.sum() / max(most.sum(), 1))
        return float(weight @ right / max(weight @ most, np.finfo(float).tiny))
