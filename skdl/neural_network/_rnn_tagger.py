"""Recurrent network for a label at each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils.validation import check_is_fitted

from skdl._compat import StrOptions, validate_data
from skdl._ragged import Ragged
from skdl.initializers import Initializer
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.metrics import span_scores
from skdl.neural_network._classifier import NetworkClassifier
from skdl.neural_network._rnn import BaseRNN
from skdl.neural_network._rows import NO_TARGETS, are_given
from skdl.neural_network._sequences import (
    Form,
    as_ragged,
    is_list,
    is_table,
    read_sequences,
)
from skdl.neural_network._step_labels import read_labels
from skdl.optimizers import Optimizer
from skdl.targets import ClassTargets, as_vector
from skdl.tasks import StepClassTask


class RNNTagger(NetworkClassifier, BaseRNN):
    """Recurrent network for a label at each step of sequences.

    Minimises the cross-entropy, or another loss, over all steps of all sequences by
    backpropagation through time and any of `skdl.optimizers`.

    `X` and `y` hold sequences and their labels:

    - lists of arrays of shape (length, n_features) or (length,), and of shape (length,)
      of labels; with `embedding` also lists of strings, and of lists of words;
    - arrays of shape (n_samples, n_steps, n_features) or (n_samples, n_steps), and of
      shape (n_samples, n_steps) of labels; what is NaN in all features, or masked
      (`numpy.ma`), behind the end of a sequence is padding, whose labels do not count;
    - an array or DataFrame of shape (n_steps, n_features), and labels of shape
      (n_steps,): one sequence.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(64,)
        Units of each recurrent layer; at least one layer.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Kind of the recurrent layers: long short-term memory, gated recurrent unit, or
        the simple layer with tanh.
    bidirectional : bool, default=True
        Whether each layer goes through a sequence in both directions, so that a label
        depends on what comes before and after its step.
    dropout : float or sequence of float, default=0.0
        Share of the outputs of each recurrent layer that is dropped while training, in
        [0, 1): one for all or one for each. Of a sequence the same units are dropped in
        all steps (Gal & Ghahramani 2016).
    embedding : int, default=None
        `X` holds symbols, one at a step (characters, words or numbers that stand for
        things); so many numbers, which are learned, stand for each. None: `X` holds
        numbers.
    layers : sequence of Layer or str, default=None
        The layers in front of the output layer themselves, in place of
        `hidden_layer_sizes`, `cell`, `bidirectional` and `dropout`:
        ``[LSTM(64), Residual([LSTM(64)])]``. They must keep the steps.
    optimizer : str or Optimizer, default="adam"
        Name or instance, such as ``Adam(3e-3)``. In grids and in `set_params` its
        settings are ``optimizer__learning_rate`` and so on, also while it is a name.
        Names: `skdl.optimizers.names`.
    initializer : str or Initializer, default="auto"
        Start of the weights. "auto" is LeCun before SELU and Xavier before the other
        activations; for deep nets of ReLU try "he_normal". Biases start at
        0, those of forget gates at 1.
    loss : str, Loss or callable, default="cross_entropy"
        "cross_entropy" or "log_loss" (for two classes of one sigmoid),
        "binary_cross_entropy", "exponential" (two classes), a loss
        object such as ``CrossEntropy(label_smoothing=0.1)``, or a function
        ``f(y, raw) -> (loss, gradient)``, see `skdl.losses.FunctionLoss`.
    alpha : float, default=0.0001
        Strength of the L2 penalty ½·alpha·‖W‖² on the weights (not on biases), which is
        divided by the sum of the sample weights of the batch.
    l1 : float, default=0.0
        Strength of the L1 penalty l1·‖W‖₁, divided likewise.
    batch_size : int or "auto", default="auto"
        Sequences in a step. "auto" is min(200, n_samples), and all for optimizers that
        are meant for the whole sample ("gd", "rprop", "lbfgs", "newton",
        "coordinate"); the last three take nothing else, and no dropout.
    max_iter : int, default=200
        Most epochs.
    shuffle : bool, default=True
        Whether each epoch takes the rows in a new random order.
    random_state : int, RandomState instance or None, default=None
        Starting weights, order of rows, dropout and the validation split. The same
        integer gives the same bits.
    tol : float, default=0.0001
        Smallest change of the training loss, or of the validation metric, that counts
        as an improvement.
    verbose : bool or int, default=False
        Print a table with a line every epoch, or every so many epochs.
    warm_start : bool, default=False
        Whether `fit` goes on from the last one: weights, optimizer state and history.
    early_stopping : bool, default=False
        Whether to stop when the validation metric has stopped improving, and to keep
        the weights of its best epoch. The validation data are `X_val` and `y_val`, or
        else a part of the training data.
    validation_fraction : float, default=0.1
        Size of that part of the sequences, in (0, 1).
    n_iter_no_change : int, np.inf or "never", default=10
        Stop after more than so many epochs in a row without an improvement by `tol`:
        of the validation metric with `early_stopping`, else of the training loss.
        "never", or ``np.inf``, always does `max_iter` epochs.
    scoring : {"loss", "span_f1"}, callable or None, default="loss"
        The validation metric: "loss" is the loss, None the share of steps that are
        right, "span_f1" the F1 of spans, see `score_spans`, or a function
        ``f(estimator, X, y) -> float`` that iterates over sequences and their labels.
    n_init : int, default=1
        Restarts from other random weights; the best one is kept, by the validation
        metric with `early_stopping`, else by the training loss.
    n_jobs : int, default=None
        Restarts run in so many processes (joblib). The result does not depend on it.
    dtype : {"float32", "float64"}, default=None
        Precision. None follows `X`: float32 stays, symbols get it, everything else is
        float64.
    init_from : estimator or Network, default=None
        A fitted skdl network to start from, in place of random weights: of each layer
        that both have, in their order. Here may be new layers in between, or only the
        first ones. The output layer is taken if the classes are the same. A clone
        keeps it.
    freeze : int, slice, str or sequence of them, default=None
        Layers that stay as they are, running statistics included: by index or slice
        of the layers in front of the output layer, by class (``"LSTM"``), or
        "features" for all of them. What is frozen at the beginning costs no backward
        pass. Frozen layers still drop out.
    layer_rates : float or dict, default=None
        Factors of the learning rate. A number is the share that each layer with weights
        has of that of the layer behind it: with 0.5 the output layer learns at the full
        rate, the one before it at half, the next at a quarter (Howard & Ruder 2018). A
        dict maps layers, named as in `freeze`, to factors.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, which multiply the sample weights. "balanced" makes all
        classes count the same.
        Sequences held out for validation keep these weights in their loss and score;
        those of `X_val` have the weights of `sample_weight_val` alone.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        All labels.
    out_activation_ : str
        "softmax", or "logistic" for two classes.
    network_ : Network
        The fitted network.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weight matrices, views into the network.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases of the dense layers, views into the network.
    history_ : dict of str to list of float
        One entry an epoch: "loss", "learning_rate" (of the epoch's first update) and,
        with validation data, "val_loss" and "val_score".
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
        The loss, in the form for the targets.
    n_iter_ : int
        Epochs done since the weights were drawn.
    t_ : int
        Samples seen, counted with repetition.
    n_layers_ : int
        Layers of neurons, input and output among them.
    n_outputs_ : int
        Output neurons.
    n_features_in_ : int
        Features of `X`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `X` had some.

    Raises
    ------
    DivergenceError
        From `fit`, if the loss stops being finite. A model that was fitted before is
        left as it was; another keeps the last finite weights.

    See Also
    --------
    RNNClassifier : One label for a whole sequence.
    skdl.metrics.span_scores : Precision, recall and F1 of spans.

    Notes
    -----
    scikit-learn's metrics do not know sequences of labels: `cross_val_score` and
    `GridSearchCV` take `score` (the share of steps that are right) by default, or
    ``scoring=RNNTagger.score_spans``. Against exploding gradients clip them:
    ``optimizer=Adam(clip_norm=1.0)``.

    Examples
    --------
    The digits of numbers, and the rest:

    >>> from skdl import RNNTagger
    >>> X = ["a1", "22 b", "c 333", "4 d", "e55", "66", "f", "7g7"] * 5
    >>> y = [["number" if c.isdigit() else "other" for c in text] for text in X]
    >>> net = RNNTagger(8, embedding=4, optimizer="adam", random_state=0)
    >>> net.set_params(
    ...     optimizer__learning_rate=0.03, max_iter=40, n_iter_no_change="never"
    ... )
    RNNTagger(...)
    >>> net.fit(X, y).predict(["a 35"])[0].tolist()
    ['other', 'other', 'number', 'number']
    """

    _parameter_constraints: dict[str, Any] = {
        **NetworkClassifier._parameter_constraints,
        **BaseRNN._parameter_constraints,
        "scoring": [StrOptions({"loss", "span_f1"}), callable, None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    _task: StepClassTask
    _is_one: bool  # whether the first call had one sequence, in a table

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64,),
        *,
        cell: str = "lstm",
        bidirectional: bool = True,
        dropout: float | Sequence[float] = 0.0,
        embedding: int | None = None,
        layers: Sequence[Layer | str] | None = None,
        optimizer: str | Optimizer = "adam",
        initializer: str | Initializer = "auto",
        loss: str | Loss | Callable[..., Any] = "cross_entropy",
        alpha: float = 1e-4,
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
        class_weight: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.embedding = embedding
        self.layers = layers
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
        self.class_weight = class_weight

    # ---- sequences and labels

    def _read(self, X: Any, y: Any = NO_TARGETS, *, reset: bool = False) -> Any:
        """Check sequences and labels.

        Parameters
        ----------
        X : list, array-like or Ragged
            Sequences.
        y : array-like, default="no_validation"
            Labels, if there are to be some.
        reset : bool, default=False
            Whether the form of a sequence is learned, and not compared.

        Returns
        -------
        X : Ragged
            Sequences.
        y : Ragged
            Labels, if there are some.
        """
        if isinstance(X, Ragged):
            return (X, y) if are_given(y) else X
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        if not hasattr(y, "__len__"):
            y = np.asarray(y)
        if reset:
            self._is_one = is_table(X) and _are_labels(y)
            if self._is_one and self.embedding is not None:
                # Of several symbols a row is a sequence, whose labels may be a string.
                self._is_one = np.shape(X)[1] == 1
        if self._is_one and is_table(X):
            return self._read_one(X, y, reset)
        width = X.shape[1] if getattr(X, "ndim", 0) > 1 else None
        X = as_ragged(
            self._as_input(read_sequences(self, X, NO_TARGETS, reset)[0], reset)
        )
        return (X, read_labels(y, X, width)) if are_given(y) else X

    def _read_one(self, X: Any, y: Any, reset: bool) -> Any:
        """Check a table whose rows are the steps of one sequence."""
        options: dict[str, Any] = {"dtype": None, "reset": reset}
        if not are_given(y):
            rows = validate_data(self, X, **options)
        else:
            rows, y = validate_data(self, X, y, multi_output=True, **options)
        if reset:
            self._form = Form(True, rows.shape[1])
        X = as_ragged(self._as_input(rows[None], reset))
        return (X, Ragged(as_vector(y), X.offsets)) if are_given(y) else X

    def _is_table(self, X: Any) -> bool:
        return self._is_one and is_table(X)

    def _new_task(self, y: Any, classes: Any, dtype: DTypeLike) -> StepClassTask:
        hint = " partial_fit takes all of them in its first call, as classes=."
        return self._task_of(ClassTargets.of(y.values, classes, hint))

    def _task_of(self, targets: ClassTargets) -> StepClassTask:
        return StepClassTask(targets, self._loss_as_set(), self.class_weight)

    # ---- answers

    def predict(self, X: Any) -> Any:
        """Predict the most probable label of each step.

        Parameters
        ----------
        X : list or array-like
            Sequences, in one of the forms of `fit`.

        Returns
        -------
        y : list of ndarray of shape (length,), or ndarray
            Labels of each sequence. Of an array without padding an array of shape
            (n_samples, n_steps); of one sequence, in a table, of shape (n_steps,).
        """
        steps = self._steps(X)
        return self._in_form(Ragged(self._task.decode(steps.values), steps.offsets), X)

    def predict_proba(self, X: Any) -> Any:
        """Predict probabilities of the labels of each step.

        Parameters
        ----------
        X : list or array-like
            Sequences, in one of the forms of `fit`.

        Returns
        -------
        p : list of ndarray of shape (length, n_classes), or ndarray
            Probabilities in the order of `classes_`, in the form of `predict`.
        """
        steps = self._steps(X)
        p = self._task.probabilities(steps.values)
        return self._in_form(Ragged(p, steps.offsets), X)

    def predict_log_proba(self, X: Any) -> Any:
        """Predict logarithms of probabilities.

        Parameters
        ----------
        X : list or array-like
            Sequences, in one of the forms of `fit`.

        Returns
        -------
        log_p : list of ndarray of shape (length, n_classes), or ndarray
            Logarithms of `predict_proba`.
        """
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return [np.log(part) for part in p] if isinstance(p, list) else np.log(p)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of steps whose label is right.

        Parameters
        ----------
        X : list or array-like
            Sequences, in one of the forms of `fit`.
        y : list or array-like
            Their labels.
        sample_weight : array-like of shape (n_samples,) or list, default=None
            Weights of the sequences, or of their steps.

        Returns
        -------
        accuracy : float
            Over all steps of all sequences.
        """
        X, y, predicted = self._compared(X, y)
        if sample_weight is not None:
            dtype = self.network_.dtype
            sample_weight = self._task.check_weight(sample_weight, X, y, dtype)
        return self._task.score(y, predicted, sample_weight)

    def score_spans(self, X: Any, y: Any) -> float:
        """Return the F1 of spans: a span counts if both ends and its kind are right.

        Parameters
        ----------
        X : list or array-like
            Sequences, in one of the forms of `fit`.
        y : list or array-like
            Their labels, such as "B-NAME", "I-NAME" and "O", see
            `skdl.metrics.span_scores`.

        Returns
        -------
        f1 : float
            Harmonic mean of the share of predicted spans that are right, and of the
            share of true spans that were found.
        """
        _, y, predicted = self._compared(X, y)
        return span_scores(list(y), list(predicted)).f1

    def _steps(self, X: Any) -> Ragged:
        """Return the predictions of all steps."""
        rows = self._rows_to_predict(X)  # it says if there was no fit
        raw = self.network_.predict(rows)
        return Ragged(self.loss_function_.inverse_link(raw.values), rows.offsets)

    def _compared(self, X: Any, y: Any) -> tuple[Ragged, Ragged, Ragged]:
        """Return sequences, their labels, and the labels that are predicted."""
        check_is_fitted(self, "network_")
        X, y = self._read(X, y)
        steps = self._steps(X)
        return X, y, Ragged(self._task.decode(steps.values), steps.offsets)

    def _in_form(self, answers: Ragged, X: Any) -> Any:
        """Return answers in the form that the sequences came in."""
        if self._is_one and is_table(X):
            return answers.values
        same = (answers.lengths == answers.shape[1]).all()
        if same and not is_list(X) and not isinstance(X, Ragged):
            return answers.values.reshape(answers.shape)
        return list(answers)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # What scikit-learn does with classes, such as stratified folds, takes one
        # label a sample.
        tags.estimator_type = None
        tags.classifier_tags = None
        return tags


def _are_labels(y: Any) -> bool:
    """Whether y has one label for each row, not a sequence of them."""
    if not are_given(y) or getattr(y, "ndim", 1) == 0 or len(y) == 0:
        return False
    if hasattr(y, "ndim"):
        first = np.asarray(y[:1]).ravel()
        return len(first) == 1 and np.ndim(first[0]) == 0
    return np.ndim(y[0]) == 0
