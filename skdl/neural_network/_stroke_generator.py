"""Recurrent network that draws: handwriting point by point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike
from scipy.special import expit
from sklearn.utils import check_random_state

from skdl._compat import Interval, Real
from skdl._ragged import Ragged
from skdl._request import Request
from skdl._settings import COUNT, POSITIVE, checked, fit_context
from skdl._typing import Array
from skdl.initializers import Initializer
from skdl.layers import Carried, Context, Delay, Layer, forward_chain
from skdl.losses import StrokeLoss
from skdl.neural_network._causal import check_causal
from skdl.neural_network._rnn import BaseRNN
from skdl.neural_network._rows import NO_TARGETS, are_given
from skdl.neural_network._sequences import as_ragged, read_sequences
from skdl.ops.mixture import draw, mixture
from skdl.optimizers import Optimizer
from skdl.tasks import StrokeTask


class StrokeGenerator(BaseRNN):
    """Density of drawings, point by point, that can be sampled (Graves 2013).

    A recurrent network sees the points of a drawing so far and gives the density of the
    next one: of the move of the pen a mixture of Gaussians in the plane, of the end of
    a stroke a Bernoulli distribution. It maximises the likelihood by backpropagation
    through time and any of `skdl.optimizers`.

    `X` holds drawings: a list of arrays of shape (length, 3), or an array of shape
    (n_samples, n_steps, 3), with NaN or masked (`numpy.ma`) behind the end of each. A
    point is the move from the point before in both directions, in any unit, and 1 where
    the pen is lifted behind it, else 0.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(64,)
        Units of each recurrent layer; at least one layer.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Kind of the recurrent layers: long short-term memory, gated recurrent unit, or
        the simple layer with tanh.
    n_components : int, default=10
        Gaussians of the mixture that the next move is drawn from.
    min_scale : float, default=0.01
        Least scale of a Gaussian, in units of the moves' standard deviation: what
        bounds the density where moves repeat.
    dropout : float or sequence of float, default=0.0
        Share of the outputs of each recurrent layer that is dropped while training, in
        [0, 1): one for all or one for each. Of a sequence the same units are dropped in
        all steps (Gal & Ghahramani 2016).
    layers : sequence of Layer or str, default=None
        The layers in front of the output layer themselves, in place of
        `hidden_layer_sizes`, `cell` and `dropout`:
        ``[LSTM(64), Residual([LSTM(64)])]``. They must keep the steps, and none may
        look at later ones.
    optimizer : str or Optimizer, default="adam"
        Name or instance, such as ``Adam(3e-3)``. In grids and in `set_params` its
        settings are ``optimizer__learning_rate`` and so on, also while it is a name.
        Names: `skdl.optimizers.names`.
    initializer : str or Initializer, default="auto"
        Start of the weights. "auto" is LeCun before SELU and Xavier before the other
        activations; for deep nets of ReLU try "he_normal". Biases start at
        0, those of forget gates at 1, those of the output layer at moves that occur.
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
        the weights of its best epoch. The validation data are `X_val`, or else a
        part of the training data.
    validation_fraction : float, default=0.1
        Size of that part of the sequences, in (0, 1).
    n_iter_no_change : int, np.inf or "never", default=10
        Stop after more than so many epochs in a row without an improvement by `tol`:
        of the validation metric with `early_stopping`, else of the training loss.
        "never", or ``np.inf``, always does `max_iter` epochs.
    n_init : int, default=1
        Restarts from other random weights; the best one is kept, by the validation
        metric with `early_stopping`, else by the training loss.
    n_jobs : int, default=None
        Restarts run in so many processes (joblib). The result does not depend on it.
    dtype : {"float32", "float64"}, default=None
        Precision. None follows `X`: float32 stays, everything else is float64.
    init_from : estimator or Network, default=None
        A fitted skdl network to start from, in place of random weights: of each layer
        that both have, in their order. Here may be new layers in between, or only the
        first ones. A clone keeps it.
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

    Attributes
    ----------
    network_ : Network
        The fitted network.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weight matrices, views into the network.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases of the dense layers, views into the network.
    history_ : dict of str to list of float
        One entry an epoch: "loss", "learning_rate" (of the epoch's first update) and,
        with validation data, "val_loss" and "val_score" (mean log-likelihood of a
        point).
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
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if `X` had some.
    n_features_in_ : int
        Numbers of a point: 3.

    Raises
    ------
    DivergenceError
        From `fit`, if the loss stops being finite. A model that was fitted before is
        left as it was; another keeps the last finite weights.

    See Also
    --------
    skdl.losses.StrokeLoss : The loss.

    Notes
    -----
    Moves are divided by the standard deviations of those of the first call, whatever
    their weights. How long drawings are is not part of the model: those of different
    lengths are best compared by their likelihood per point. Gradients are best clipped:
    ``optimizer=Adam(3e-3, clip_norm=1.0)``.

    References
    ----------
    .. [1] A. Graves, "Generating sequences with recurrent neural networks", 2013,
       arXiv:1308.0850.

    Examples
    --------
    Rings of eight points:

    >>> import numpy as np
    >>> from skdl import StrokeGenerator
    >>> from skdl.optimizers import Adam
    >>> rng = np.random.default_rng(0)
    >>> def rings(n):
    ...     angle = np.pi / 4 * np.arange(n)
    ...     moves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ...     moves += 0.1 * rng.normal(size=(n, 2))
    ...     return np.c_[moves, np.arange(n) % 8 == 7]
    >>> X = [rings(n) for n in (24, 32, 40, 48)]
    >>> pen = StrokeGenerator(16, n_components=3, optimizer=Adam(0.02, clip_norm=1.0),
    ...                       max_iter=100, n_iter_no_change="never", random_state=0)
    >>> drawing, = pen.fit(X).sample(1, 24, bias=2.0, random_state=0)
    >>> int(drawing[:, 2].sum())  # rings of 8 points that end
    3
    """

    _parameter_constraints: dict[str, Any] = {
        name: constraint
        for name, constraint in BaseRNN._parameter_constraints.items()
        if name not in ("bidirectional", "embedding", "loss", "scoring")
    } | {"n_components": COUNT, "min_scale": POSITIVE}

    # Settings of other recurrent networks that have no meaning here.
    bidirectional = False
    embedding = None
    scoring = "loss"
    loss = "strokes"

    n_components: int
    min_scale: float

    _task: StrokeTask
    _scale: Array

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64,),
        *,
        cell: str = "lstm",
        n_components: int = 10,
        min_scale: float = 0.01,
        dropout: float | Sequence[float] = 0.0,
        layers: Sequence[Layer | str] | None = None,
        optimizer: str | Optimizer = "adam",
        initializer: str | Initializer = "auto",
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
        n_init: int = 1,
        n_jobs: int | None = None,
        dtype: str | None = None,
        init_from: Any = None,
        freeze: Any = None,
        layer_rates: float | dict[Any, float] | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
        self.n_components = n_components
        self.min_scale = min_scale
        self.dropout = dropout
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
        self.n_init = n_init
        self.n_jobs = n_jobs
        self.dtype = dtype
        self.init_from = init_from
        self.freeze = freeze
        self.layer_rates = layer_rates

    def check_together(self) -> None:
        check_causal(self._given_layers(), (8, 3), "A generator of strokes")

    def _body_layers(self) -> list[Layer]:
        scale = (*self._scale.tolist(), 1.0)
        return [Delay(scale).settled(), *self._given_layers()]

    def _n_added_layers(self) -> int:
        return 1

    # ---- drawings

    def _read(self, X: Any, y: Any = NO_TARGETS, *, reset: bool = False) -> Any:
        """Check drawings and return them as they came, as numbers.

        Parameters
        ----------
        X : list, array-like or Ragged
            Drawings.
        y : object, default="no_validation"
            Anything else asks for targets: the drawings themselves.
        reset : bool, default=False
            Whether the scale of moves is learned.

        Returns
        -------
        X : Ragged
            Points.
        y : Ragged
            The same, if asked for.
        """
        if not isinstance(X, Ragged):
            X = self._points(X, reset)
        if reset:
            spread = X.values[:, :2].std(axis=0, dtype=np.float64)
            self._scale = np.where(spread > 0, spread, 1.0)
        return (X, X) if are_given(y) else X

    def _points(self, X: Any, reset: bool) -> Ragged:
        X = read_sequences(self, X, NO_TARGETS, reset)[0]
        if X.shape[2] != 3:
            raise ValueError(
                "X must hold drawings: sequences of points of three numbers, two for "
                "the move and 1 where the pen is lifted, else 0; got "
                f"{X.shape[2]} at a step. One drawing alone needs a list around it: "
                "[X]."
            )
        X = as_ragged(self._in_precision(X))
        StrokeLoss().check_targets(X.values)
        return X

    def _new_task(self, y: Any, classes: Any, dtype: DTypeLike) -> StrokeTask:
        loss = StrokeLoss(self.n_components, self.min_scale)
        return StrokeTask(loss.settled(), self._scale)

    def _same_task(self, classes: Any) -> StrokeTask:
        return self._new_task(None, None, np.float64)

    # ---- fit

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit the network to drawings.

        Parameters
        ----------
        X : list of array-like of shape (length, 3), or array-like
            Drawings.
        y : object, default=None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the drawings, which all their points have; not negative.
        X_val : list of array-like of shape (length, 3), or array-like, default=None
            Drawings for validation, for `history_` and for early stopping.
        y_val : object, default=None
            Ignored.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : StrokeGenerator
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        return self._fit(Request(X, X, sample_weight, X_val, X_val, sample_weight_val))

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train for one epoch over the given drawings, from where training stands.

        The scale of moves is that of the first call.

        Parameters
        ----------
        X : list of array-like of shape (length, 3), or array-like
            Drawings.
        y : object, default=None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the drawings; not negative.
        X_val : list of array-like of shape (length, 3), or array-like, default=None
            Drawings for validation; needed with ``early_stopping=True``.
        y_val : object, default=None
            Ignored.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : StrokeGenerator
            The estimator.

        Raises
        ------
        ValueError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        request = Request(X, X, sample_weight, X_val, X_val, sample_weight_val)
        return self._fit(request._replace(incremental=True))

    # ---- density

    def score_samples(self, X: Any) -> Array:
        """Return the log-likelihood of drawings.

        Parameters
        ----------
        X : list of array-like of shape (length, 3), or array-like
            Drawings.

        Returns
        -------
        log_p : ndarray of shape (n_samples,)
            Log-densities of the moves, in the unit of `X`, plus log-probabilities of
            the ends of strokes, summed over the points of each.
        """
        X, raw = self._predicted(X)
        of_points = self._task.log_likelihood(X, raw)
        return np.add.reduceat(of_points, X.offsets[:-1])

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the mean log-likelihood of a point; higher is better.

        Parameters
        ----------
        X : list of array-like of shape (length, 3), or array-like
            Drawings.
        y : object, default=None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the drawings.

        Returns
        -------
        log_p : float
            Over all points of all drawings, in nats.
        """
        X, raw = self._predicted(X)
        if sample_weight is not None:
            dtype = self.network_.dtype
            sample_weight = self._task.check_weight(sample_weight, X, X, dtype)
        return self._task.score(X, raw, sample_weight)

    def _predicted(self, X: Any) -> tuple[Ragged, Ragged]:
        rows = self._rows_to_predict(X)
        return rows, self.network_.predict(rows)

    # ---- samples

    def sample(
        self,
        n_samples: int = 1,
        length: int = 200,
        *,
        bias: float = 0.0,
        prime: Any = None,
        random_state: Any = None,
    ) -> list[Array]:
        """Draw new drawings, point by point.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        length : int, default=200
            Points of each.
        bias : float, default=0.0
            From 0: the larger, the neater the drawings and the less they vary (Graves
            2013, §5.5).
        prime : array-like of shape (n_points, 3), default=None
            The beginning of a drawing that all go on from, in its style; it is not part
            of the result.
        random_state : int, RandomState instance or None, default=None
            The source of randomness. The same integer gives the same drawings.

        Returns
        -------
        drawings : list of ndarray of shape (length, 3)
            In the form of `X`.

        Raises
        ------
        ValueError
            If a setting is out of range, or `prime` is no drawing.
        """
        constraints: dict[str, Any] = {
            "n_samples": COUNT,
            "length": COUNT,
            "bias": [Interval(Real, 0, None, closed="left")],
        }
        given = {"n_samples": n_samples, "length": length, "bias": bias}
        checked(f"{type(self).__name__}.sample", constraints, given)
        rows = None if prime is None else self._rows_to_predict([prime]).values
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        step = self._stepper()
        point = np.zeros((n_samples, 3), self.network_.dtype)
        raw = step(point)
        for row in () if rows is None else rows:
            point[:] = row / [*self._task.scale, 1.0]
            raw = step(point)
        return self._draw(raw, step, int(length), float(bias), seed)

    def _draw(
        self, raw: Array, step: Any, length: int, bias: float, seed: int
    ) -> list[Array]:
        rng = np.random.default_rng(seed)
        out = np.empty((len(raw), length, 3), raw.dtype)
        for t in range(length):
            point = out[:, t]
            parts = mixture(raw[:, 1:], self._task.loss.min_scale, bias)
            point[:, :2] = draw(parts, rng)
            point[:, 2] = rng.random(len(raw)) < expit(raw[:, 0])
            if t + 1 < length:
                raw = step(point)
        out[:, :, :2] *= self._task.scale.astype(out.dtype)
        return list(out)

    def _stepper(self) -> Any:
        """Return what gives the raw outputs of the next point from a scaled one."""
        network = self.network_
        tree = network.tree(network.params)
        # Behind the delay, whose layer has no arrays.
        inner = {str(int(key) - 1): part for key, part in tree.items()}
        carried = Carried()
        ctx = Context(train=False, dtype=network.dtype)

        def step(points: Array) -> Array:
            ctx.begin(carried=carried)
            raw, _ = forward_chain(network.layers[1:], inner, points[:, None], ctx)
            carried.turn()
            return raw[:, 0]

        return step

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags
