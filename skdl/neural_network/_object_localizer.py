"""Convolutional network that finds one object in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from skdl import losses
from skdl._request import Request
from skdl._settings import fit_context
from skdl._typing import Array, Shape
from skdl.augment import Transform, registry
from skdl.initializers import Initializer
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.neural_network._structured import StructuredCNN
from skdl.optimizers import Optimizer
from skdl.tasks import BoxTask


class ObjectLocalizer(StructuredCNN):
    """Convolutional network that says whether an object is in a picture, and where.

    The targets `y` have five columns: present (0 or 1), x_c and y_c of the centre (from
    the left and from the top), width and height, all in units of the picture: of its
    width across, of its height down. Where nothing is there the last four are NaN. An
    object may reach over the edge as long as its centre is inside.

    The network has five outputs z. The presence is σ(z₀), the centre σ(z₁) and σ(z₂),
    the size exp(z₃) and exp(z₄). It minimises the sum of five losses, see
    `skdl.losses.BoxLoss`.

    `X` holds pictures as of `CNNClassifier`, of one size in `fit`.

    Parameters
    ----------
    layers : str or sequence of Layer or str, default="small"
        An architecture by name, see `skdl.networks.names`, or the layers in front of
        the output layer, which is added:
        ``[Conv2D(16), "relu", MaxPool2D(), Flatten(), Dense(64), "relu"]``.
    width : float, default=1.0
        What an architecture's numbers of channels and units are multiplied by.
    input_shape : tuple of (int, int, int) or (int, int), default=None
        Height, width and channels of a picture. Needed for flat rows that are not grey
        squares (up to 32 numbers that are no square are one row of pixels); else it is
        that of `X`.
    augment : list of Transform or str, default=None
        What is done to the pictures of each batch, at random, while training alone:
        ``["brightness", "cutout"]``. Transforms that move pixels are an error, as the
        boxes would have to move with them. Names: `skdl.augment.names`.
    optimizer : str or Optimizer, default="adam"
        Name or instance, such as ``Adam(3e-3)``. In grids and in `set_params` its
        settings are ``optimizer__learning_rate`` and so on, also while it is a name.
        Names: `skdl.optimizers.names`.
    initializer : str or Initializer, default="auto"
        Start of the weights. "auto" is LeCun before SELU and Xavier before the other
        activations; for deep nets of ReLU try "he_normal". Biases start at
        0, those of the output layer at the constant of the smallest loss (the
        share of pictures with an object, the mean box).
    loss : str or Loss, default="box"
        "box", or a `skdl.losses.BoxLoss`; in grids its setting is ``loss__box_weight``.
    alpha : float, default=0.0001
        Strength of the L2 penalty ½·alpha·‖W‖² on the weights (not on biases), which is
        divided by the sum of the sample weights of the batch.
    l1 : float, default=0.0
        Strength of the L1 penalty l1·‖W‖₁, divided likewise.
    batch_size : int or "auto", default="auto"
        Rows in a step. "auto" is min(200, n_samples), and all rows for optimizers that
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
        Size of that part, in (0, 1), with its share of empty pictures.
    n_iter_no_change : int, np.inf or "never", default=10
        Stop after more than so many epochs in a row without an improvement by `tol`:
        of the validation metric with `early_stopping`, else of the training loss.
        "never", or ``np.inf``, always does `max_iter` epochs.
    scoring : str, callable or None, default="loss"
        The validation metric: "loss" is the loss, None the mean IoU; other names and
        callables are scikit-learn scorers.
    n_init : int, default=1
        Restarts from other random weights; the best one is kept, by the validation
        metric with `early_stopping`, else by the training loss.
    n_jobs : int, default=None
        Restarts run in so many processes (joblib). The result does not depend on it.
    dtype : {"float32", "float64"}, default=None
        Precision. None follows `X`: float32 stays, bytes get it, everything else is
        float64.
    init_from : estimator or Network, default=None
        A fitted skdl network to start from, in place of random weights: of each layer
        that both have, in their order. Here may be new layers in between, or only the
        first ones. The output layer of another localiser is taken too. A clone
        keeps it.
    freeze : int, slice, str or sequence of them, default=None
        Layers that stay as they are, running statistics included: by index or slice
        of the layers in front of the output layer, by class (``"Conv2D"``), or
        "features" for all of them. What is frozen at the beginning costs no backward
        pass. Frozen layers still drop out.
    layer_rates : float or dict, default=None
        Factors of the learning rate. A number is the share that each layer with weights
        has of that of the layer behind it: with 0.5 the output layer learns at the full
        rate, the one before it at half, the next at a quarter (Howard & Ruder 2018). A
        dict maps layers, named as in `freeze`, to factors.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        0 and 1: no object, an object; the columns of `predict_proba`.
    input_shape_ : tuple of (int, int, int)
        Height, width and channels of the pictures it was fitted on.
    network_ : Network
        The fitted network.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weight matrices, views into the network.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases of the dense layers, views into the network.
    history_ : dict of str to list of float
        One entry an epoch: "loss" and its parts "loss_presence", "loss_x", "loss_y",
        "loss_width" and "loss_height" (which add up to it, but for penalties),
        "learning_rate" (of the epoch's first update) and, with validation data,
        "val_loss", its parts, and "val_score".
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
    skdl.metrics.mean_box_iou : The score.
    SegmentationClassifier : A class for each pixel.
    CNNRegressor : Other real targets of pictures.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl import ObjectLocalizer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((300, 16, 16), dtype=np.float32) / 4
    >>> y = np.full((300, 5), np.nan)
    >>> y[:, 0] = np.arange(300) % 4 > 0
    >>> for picture, target in zip(X, y):
    ...     if target[0]:
    ...         top, left = rng.integers(0, 12, 2)
    ...         picture[top : top + 5, left : left + 4] = 1  # may be cut off
    ...         target[1:] = (left + 2) / 16, (top + 2.5) / 16, 4 / 16, 5 / 16
    >>> net = ObjectLocalizer(batch_size=16, max_iter=12, n_iter_no_change="never",
    ...                       random_state=0)
    >>> net.fit(X[:250], y[:250]).score(X[250:], y[250:]) > 0.5
    True
    >>> net.predict(X[250:]).shape
    (50, 5)
    """

    _registries = {
        **StructuredCNN._registries,
        "loss": losses.for_task("boxes"),
        "augment": registry,
    }

    _task: BoxTask
    _moves_with_pixels = "boxes"

    def __init__(
        self,
        layers: str | Sequence[Layer | str] = "small",
        *,
        width: float = 1.0,
        input_shape: Sequence[int] | None = None,
        augment: Sequence[Transform | str] | None = None,
        optimizer: str | Optimizer = "adam",
        initializer: str | Initializer = "auto",
        loss: str | Loss = "box",
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
    ) -> None:
        self.layers = layers
        self.width = width
        self.input_shape = input_shape
        self.augment = augment
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

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures; also (n_samples, height, width), or flat rows.
        y : array-like of shape (n_samples, 5)
            Present, x_c, y_c, width and height.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the pictures; not negative.
        X_val : array-like of shape (n_val, height, width, channels), default=None
            Validation data, for `history_` and for early stopping.
        y_val : array-like of shape (n_val, 5), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : estimator
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        self._fit(Request(X, y, sample_weight, X_val, y_val, sample_weight_val))
        return self

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
        """Train for one epoch over the given rows, from where training stands.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures. In the first call one needs an object.
        y : array-like of shape (n_samples, 5)
            Present, x_c, y_c, width and height.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the pictures; not negative.
        X_val : array-like of shape (n_val, height, width, channels), default=None
            Validation data; needed with ``early_stopping=True``.
        y_val : array-like of shape (n_val, 5), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : estimator
            The estimator.

        Raises
        ------
        ValueError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        validation = X_val, y_val, sample_weight_val
        self._fit(Request(X, y, sample_weight, *validation, incremental=True))
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def initialize(self, X: Any, y: Any) -> Self:
        """Draw the starting weights without training.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures of the kind to come.
        y : array-like of shape (n_samples, 5)
            Targets of the kind to come: the first predictions are their mean box.

        Returns
        -------
        self : estimator
            The estimator.
        """
        self._initialize(Request(X, y))
        return self

    def predict(self, X: Any) -> Array:
        """Predict whether there is an object, and its box.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures.

        Returns
        -------
        y : ndarray of shape (n_samples, 5)
            Present (1 if that is more probable than not, else 0), x_c, y_c, width and
            height; NaN where nothing is there.
        """
        prediction = self._prediction(X)
        return self._task.decode(prediction)

    def predict_proba(self, X: Any) -> Array:
        """Predict the probability that an object is there.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures.

        Returns
        -------
        p : ndarray of shape (n_samples, 2)
            Probabilities of no object and of an object.
        """
        present = self._prediction(X)[:, :1]
        return np.hstack([1.0 - present, present])

    def predict_boxes(self, X: Any) -> Array:
        """Predict the most probable box, also where there probably is no object.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures.

        Returns
        -------
        boxes : ndarray of shape (n_samples, 4)
            x_c, y_c, width and height.
        """
        return self._prediction(X)[:, 1:]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the mean IoU, see `skdl.metrics.mean_box_iou`.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures.
        y : array-like of shape (n_samples, 5)
            Present, x_c, y_c, width and height.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the pictures.

        Returns
        -------
        iou : float
            Mean over the pictures with an object, there or predicted; at most 1.
        """
        predicted = self.predict(X)
        y = BoxTask.clean(y, len(predicted))
        return self._task.score(y, predicted, sample_weight)

    @property
    def classes_(self) -> Array:
        """0 and 1: no object, an object."""
        self._check_fitted()
        return np.array([0, 1])

    def _new_task(self, y: Any, classes: Any, dtype: DTypeLike) -> BoxTask:
        if not (y[:, 0] == 1).any():
            raise ValueError(
                "y has no object in any picture (its first column is 0 everywhere): "
                "there is nothing to learn boxes from."
            )
        return self._same_task(None)

    def _same_task(self, classes: Any) -> BoxTask:
        return BoxTask(self._loss_as_set())

    def _clean_structured(self, y: Any, shape: Shape) -> Array:
        return BoxTask.clean(y, shape[0])
