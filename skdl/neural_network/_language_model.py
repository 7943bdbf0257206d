"""Language models: densities over sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skdl.initializers import Initializer
from skdl.layers import (
    Layer,
)
from skdl.neural_network._language_density import LanguageDensity
from skdl.optimizers import Optimizer
from skdl.text import Tokenizer

_STEPS = 2048  # steps that batch_size="auto" takes together


class RNNLanguageModel(LanguageDensity):
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "density_estimator"
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = False
        tags.target_tags.required = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
