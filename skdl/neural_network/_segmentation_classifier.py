"""Convolutional network for a class for each pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from numpy.typing import DTypeLike

from skdl._compat import StrOptions
from skdl._request import Request
from skdl._settings import fit_context
from skdl._typing import Array
from skdl.augment import Transform, registry
from skdl.initializers import Initializer
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.neural_network._classifier import NetworkClassifier
from skdl.neural_network._structured import StructuredCNN
from skdl.neural_network._tiles import TiledPredictions
from skdl.optimizers import Optimizer
from skdl.targets import PixelTargets
from skdl.tasks import PixelTask

_HINT = " partial_fit takes all of them in its first call, as classes=."


class SegmentationClassifier(TiledPredictions, NetworkClassifier, StructuredCNN):
    """Convolutional network that tells the class of each pixel.

    Minimises the cross-entropy, or another loss, of all pixels.

    `X` holds pictures as of `CNNClassifier`, `y` a label map for each: an array of the
    size of the picture with a class for each pixel. A mask of bools is a label map of
    two classes.

    Pictures of other sizes than those it was fitted on can be predicted, by "unet" of
    any size: sides that cannot be halved are padded for the time, see
    `skdl.layers.KeepSize`. Large ones go through the network in tiles that overlap so
    far that the result is the same; those larger than memory with `predict_tiles`.

    Parameters
    ----------
    layers : str or sequence of Layer or str, default="unet"
        An architecture by name, see `skdl.networks.names`: "unet" has 16, 32 and 64
        filters and halves the picture twice, "unet4" and "unet5" go on to 128 and 256.
        Or the layers in front of the output layer (a convolution of 1×1, which is
        added): ``unet(shape, filters=(8, 16))`` of `skdl.networks`, or a list whose
        last layer gives pictures of the size of the first.
    width : float, default=1.0
        What an architecture's numbers of channels and units are multiplied by.
    input_shape : tuple of (int, int, int) or (int, int), default=None
        Height, width and channels of a picture. Needed for flat rows that are not grey
        squares (up to 32 numbers that are no square are one row of pixels); else it is
        that of `X`.
    augment : list of Transform or str, default=None
        What is done to the pictures of each batch, at random, while training alone:
        ``["brightness", "cutout"]``. Transforms that move pixels are an error, as the
        label maps would have to move with them. Names: `skdl.augment.names`.
    optimizer : str or Optimizer, default="adam"
        Name or instance, such as ``Adam(3e-3)``. In grids and in `set_params` its
        settings are ``optimizer__learning_rate`` and so on, also while it is a name.
        Names: `skdl.optimizers.names`.
    initializer : str or Initializer, default="auto"
        Start of the weights. "auto" is LeCun before SELU and Xavier before the other
        activations; for deep nets of ReLU try "he_normal". Biases start at
        0.
    loss : str, Loss or callable, default="cross_entropy"
        "cross_entropy" or "log_loss" (for two classes: of one
        sigmoid), "binary_cross_entropy", "exponential" (two classes), a loss
        object such as ``CrossEntropy(label_smoothing=0.1)``, or a function
        ``f(y, raw) -> (loss, gradient)``, see `skdl.losses.FunctionLoss`.
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
        Size of that part, in (0, 1).
    n_iter_no_change : int, np.inf or "never", default=10
        Stop after more than so many epochs in a row without an improvement by `tol`:
        of the validation metric with `early_stopping`, else of the training loss.
        "never", or ``np.inf``, always does `max_iter` epochs.
    scoring : {"loss", "mean_iou", "accuracy"}, callable or None, default="loss"
        The validation metric: "loss" is the loss, "mean_iou" or None the mean IoU,
        "accuracy" the share of pixels that are right. A callable is called as
        ``scoring(estimator, X, y)``.
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
        first ones. The output layer is taken if the classes are the same. A clone
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
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, which multiply those of the pixels. "balanced" makes all
        classes count the same, however many pixels they have.
        Pictures held out for validation keep these weights in their loss and score;
        those of `X_val` have the weights of `sample_weight_val` alone.
    ignored_label : object, default=None
        Pixels with this label in `y` do not count, neither in training nor in scores:
        borders that nobody drew exactly, parts that nobody has labelled. It is no
        class.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    out_activation_ : str
        "softmax", or "logistic" for two classes.
    input_shape_ : tuple of (int, int, int)
        Height, width and channels of the pictures it was fitted on.
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
    skdl.networks.unet : The default layers.
    skdl.metrics.mean_iou : The score.
    CNNClassifier : A class for each picture.
    ObjectLocalizer : A box in each picture.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl import SegmentationClassifier
    >>> from skdl.optimizers import Adam
    >>> rng = np.random.default_rng(0)
    >>> y = np.zeros((60, 16, 16), dtype=bool)
    >>> for mask, (top, left) in zip(y, rng.integers(0, 10, (60, 2))):
    ...     mask[top : top + 6, left : left + 6] = True
    >>> X = rng.normal(0.5 * y, 0.3).astype(np.float32)
    >>> net = SegmentationClassifier(width=0.25, batch_size=10, max_iter=20,
    ...                              optimizer=Adam(0.01), random_state=0,
    ...                              n_iter_no_change="never")
    >>> net.fit(X[:50], y[:50]).score(X[50:], y[50:]) > 0.8
    True
    """

    _registries = {**NetworkClassifier._registries, "augment": registry}

    _parameter_constraints: dict[str, Any] = {
        **NetworkClassifier._parameter_constraints,
        **StructuredCNN._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "ignored_label": "no_validation",
        "scoring": [StrOptions({"loss", "mean_iou", "accuracy"}), callable, None],
    }

    ignored_label: Any
    _task: PixelTask
    _moves_with_pixels = "label maps"

    def __init__(
        self,
        layers: str | Sequence[Layer | str] = "unet",
        *,
        width: float = 1.0,
        input_shape: Sequence[int] | None = None,
        augment: Sequence[Transform | str] | None = None,
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
        ignored_label: Any = None,
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
        self.class_weight = class_weight
        self.ignored_label = ignored_label

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
        y : array-like of shape (n_samples, height, width)
            Label maps; of flat rows also (n_samples, height·width).
        sample_weight : array-like of shape (n_samples,) or (n_samples, height, \
                width), default=None
            Weights of the pictures, or of each pixel; not negative.
        X_val : array-like of shape (n_val, height, width, channels), default=None
            Validation data, for `history_` and for early stopping.
        y_val : array-like of shape (n_val, height, width), default=None
            Their label maps.
        sample_weight_val : array-like of shape (n_val,) or (n_val, height, width), \
                default=None
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
        classes: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train for one epoch over the given pictures, from where training stands.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures; each call may bring another size.
        y : array-like of shape (n_samples, height, width)
            Label maps.
        classes : array-like of shape (n_classes,), default=None
            All classes that will come, needed in the first call if `y` lacks some.
        sample_weight : array-like of shape (n_samples,) or (n_samples, height, \
                width), default=None
            Weights of the pictures, or of each pixel; not negative.
        X_val : array-like of shape (n_val, height, width, channels), default=None
            Validation data; needed with ``early_stopping=True``.
        y_val : array-like of shape (n_val, height, width), default=None
            Their label maps.
        sample_weight_val : array-like of shape (n_val,) or (n_val, height, width), \
                default=None
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
        self._fit(
            Request(X, y, sample_weight, *validation, classes=classes, incremental=True)
        )
        return self

    def predict(self, X: Any) -> Array:
        """Predict the most probable class of each pixel.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures.

        Returns
        -------
        y : ndarray of shape (n_samples, height, width)
            Label maps.
        """
        rows = self._rows_to_predict(X)
        return self._predicted(rows, lambda prediction: self._task.decode(prediction))

    def predict_proba(self, X: Any) -> Array:
        """Predict probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures.

        Returns
        -------
        p : ndarray of shape (n_samples, height, width, n_classes)
            Probabilities in the order of `classes_`, which add up to 1.
        """
        rows = self._rows_to_predict(X)
        return self._predicted(
            rows, lambda prediction: self._task.probabilities(prediction)
        )

    def predict_tiles(
        self,
        X: Any,
        tile_size: int = 512,
        *,
        proba: bool = False,
        out: Any = None,
    ) -> Any:
        """Predict pictures that need not fit into memory, tile by tile.

        The tiles overlap by as much as the network looks around, see
        `skdl.networks.receptive_fields`: so there are no seams, and the result is that
        of the whole picture.

        Parameters
        ----------
        X : array of shape (n_samples, height, width[, channels])
            Pictures; anything with a shape that gives NumPy arrays for slices, such as
            a `numpy.memmap`. Only the parts that are needed are read.
        tile_size : int, default=512
            Height and width of a tile without the overlap.
        proba : bool, default=False
            Whether probabilities are predicted, and not classes.
        out : array of shape (n_samples, height, width[, n_classes]), default=None
            Receives the result, such as a `numpy.memmap`; None makes an array.

        Returns
        -------
        y : array of shape (n_samples, height, width[, n_classes])
            `out`, or a new array: what `predict` or `predict_proba` gives.

        Raises
        ------
        ValueError
            If a setting or the shape of `out` is wrong, or the network sees the whole
            picture at each place (`GlobalAvgPool`), so that there are no tiles.
        """
        self._check_fitted()
        task = self._task
        shape = tuple(X.shape[:3]) + ((len(self.classes_),) if proba else ())
        dtype = self.network_.dtype if proba else self.classes_.dtype
        decode = task.probabilities if proba else task.decode
        return self._by_tiles(X, tile_size, decode, out, shape, dtype)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the mean IoU over the classes, see `skdl.metrics.mean_iou`.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures.
        y : array-like of shape (n_samples, height, width)
            Label maps.
        sample_weight : array-like of shape (n_samples,) or (n_samples, height, \
                width), default=None
            Weights of the pictures, or of each pixel.

        Returns
        -------
        iou : float
            Intersection over union of all pixels, mean over the classes that occur.
        """
        predicted = self.predict(X)
        y = PixelTargets.clean_maps(y, predicted.shape)
        return self._task.score(y, predicted, sample_weight)

    def _clean_structured(self, y: Any, shape: Any) -> Array:
        return PixelTargets.clean_maps(y, shape)

    def _clean_target(self, y: Any) -> Any:
        return y

    def _task_for(
        self, y: Any, classes: Any, dtype: DTypeLike, fresh: bool
    ) -> PixelTask:
        if fresh:
            targets = PixelTargets.of_maps(y, classes, self.ignored_label, _HINT)
        else:
            targets = self._task.targets
            if classes is not None:
                targets.check_same(classes)
        loss = self._loss_as_set()
        size = y.shape[1:]  # each call may bring another
        return PixelTask(targets, loss, size, self.class_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = False
        return tags
