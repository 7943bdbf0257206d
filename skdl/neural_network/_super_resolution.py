"""Convolutional network that enlarges pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils.validation import check_is_fitted

from skdl import losses
from skdl._compat import Integral, Options, StrOptions
from skdl._request import Request
from skdl._settings import fit_context
from skdl._typing import Array
from skdl.initializers import Initializer
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.metrics import psnr
from skdl.networks import Reach, reach_of
from skdl.neural_network._cnn import BaseCNN
from skdl.neural_network._pictures import divisor_of
from skdl.neural_network._rows import NO_TARGETS
from skdl.neural_network._tiles import TILE, tiles
from skdl.ops.resize import enlarge, padded_to, shrink
from skdl.optimizers import Optimizer
from skdl.tasks import EnlargingTask
from skdl.training import Data

_SHARP = "sharp"  # in place of targets: X holds them
_BICUBIC = 2  # pixels that the bicubic enlargement looks at to each side


class SuperResolution(BaseCNN):
    """Convolutional network that enlarges pictures, sharper than interpolation does.

    `fit` takes sharp pictures, shrinks them itself, and learns what has to be added to
    the bicubic enlargement of the small ones to have the sharp ones again. `predict`
    then enlarges pictures of any size.

    `X` holds pictures as of `CNNClassifier`, in `fit` of one size: parts of photographs
    of 32×32 pixels or more. A side that `factor` does not divide is made longer: its
    last pixels are repeated. `fit` keeps the pictures and what is missing in
    their enlargements in memory, as numbers of the network's precision.

    Parameters
    ----------
    layers : str or sequence of Layer or str, default="espcn"
        An architecture by name, see `skdl.networks.names`, or the layers between the
        small picture and the output layer, which keep its size:
        ``[Conv2D(32, padding="same"), "relu"]``. The output layer, which is added, is a
        convolution of 3×3 whose channels become the new pixels.
    factor : {2, 3, 4}, default=2
        How many times as high and as wide pictures become.
    shrink : {"area", "bicubic"}, default="area"
        How sharp pictures are made small for training: each pixel the mean of its
        block, or bicubic. Best it is what made the pictures small that are to be
        enlarged.
    width : float, default=1.0
        What an architecture's numbers of channels and units are multiplied by.
    input_shape : tuple of (int, int, int) or (int, int), default=None
        Height, width and channels of a sharp picture. Needed for flat rows that are
        not grey squares (up to 32 numbers that are no square are one row of pixels);
        else it is that of `X`.
    optimizer : str or Optimizer, default="adam"
        Name or instance, such as ``Adam(3e-3)``. In grids and in `set_params` its
        settings are ``optimizer__learning_rate`` and so on, also while it is a name.
        Names: `skdl.optimizers.names`.
    initializer : str or Initializer, default="auto"
        Start of the weights. "auto" is LeCun before SELU and Xavier before the other
        activations; for deep nets of ReLU try "he_normal". Biases start at
        0, and the output layer too: the first predictions are bicubic.
    loss : str, Loss or callable, default="squared_error"
        "squared_error", whose minimum is the highest PSNR, "absolute_error", "huber",
        or another loss of real targets, see `CNNRegressor`.
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
        the weights of its best epoch. The validation data are `X_val`, or else a
        part of the training data.
    validation_fraction : float, default=0.1
        Size of that part, in (0, 1).
    n_iter_no_change : int, np.inf or "never", default=10
        Stop after more than so many epochs in a row without an improvement by `tol`:
        of the validation metric with `early_stopping`, else of the training loss.
        "never", or ``np.inf``, always does `max_iter` epochs.
    scoring : {"loss"} or None, default="loss"
        The validation metric: "loss" is the loss, None the PSNR.
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
        first ones. The output layer is taken from another one of the same factor. A
        clone keeps it.
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
    data_range_ : float
        Distance from black to white: of whole numbers the smallest 2ᵏ − 1 that none
        exceeds (bytes: 255), of others 1 if they lie in [0, 1], else from the smallest
        to the largest.
    input_shape_ : tuple of (int, int, int)
        Height, width and channels of the sharp pictures it was fitted on.
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
    skdl.metrics.psnr : The score.
    skdl.networks.espcn : The default layers.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_sample_image
    >>> from skdl import SuperResolution
    >>> photo = load_sample_image("china.jpg")[:416, :608].mean(axis=2) / 255
    >>> tiles = photo.reshape(13, 32, 19, 32).swapaxes(1, 2).reshape(-1, 32, 32)
    >>> net = SuperResolution(width=0.5, batch_size=8, max_iter=3, random_state=0,
    ...                       n_iter_no_change="never").fit(tiles[::2])
    >>> bool(net.score(tiles[1::2]) > net.bicubic_score(tiles[1::2]))
    True
    >>> net.predict(tiles[1::2]).shape
    (123, 64, 64)
    """

    _registries = {**BaseCNN._registries, "loss": losses.for_task("regression")}

    _parameter_constraints: dict[str, Any] = {
        **{k: v for k, v in BaseCNN._parameter_constraints.items() if k != "augment"},
        "factor": [Options(Integral, {2, 3, 4})],
        "shrink": [StrOptions({"area", "bicubic"})],
        "scoring": [StrOptions({"loss"}), None],
    }

    augment: Any = None
    data_range_: float
    _task: EnlargingTask

    def __init__(
        self,
        layers: str | Sequence[Layer | str] = "espcn",
        *,
        factor: int = 2,
        shrink: str = "area",
        width: float = 1.0,
        input_shape: Sequence[int] | None = None,
        optimizer: str | Optimizer = "adam",
        initializer: str | Initializer = "auto",
        loss: str | Loss | Callable[..., Any] = "squared_error",
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
        scoring: str | None = "loss",
        n_init: int = 1,
        n_jobs: int | None = None,
        dtype: str | None = None,
        init_from: Any = None,
        freeze: Any = None,
        layer_rates: float | dict[Any, float] | None = None,
    ) -> None:
        self.layers = layers
        self.factor = factor
        self.shrink = shrink
        self.width = width
        self.input_shape = input_shape
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
        y: Any = None,
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
            Sharp pictures; also (n_samples, height, width), or flat rows.
        y : None, default=None
            Not used.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the pictures; not negative.
        X_val : array-like of shape (n_val, height, width, channels), default=None
            Sharp pictures for validation, for `history_` and for early stopping.
        y_val : None, default=None
            Not used.
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
        y_val = None if X_val is None else _SHARP
        self._fit(Request(X, _SHARP, sample_weight, X_val, y_val, sample_weight_val))
        return self

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
        """Train for one epoch over the given pictures, from where training stands.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Sharp pictures; each call may bring another size.
        y : None, default=None
            Not used.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the pictures; not negative.
        X_val : array-like of shape (n_val, height, width, channels), default=None
            Sharp pictures for validation; needed with ``early_stopping=True``.
        y_val : None, default=None
            Not used.
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
        y_val = None if X_val is None else _SHARP
        request = Request(
            X, _SHARP, sample_weight, X_val, y_val, sample_weight_val, incremental=True
        )
        self._fit(request)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def initialize(self, X: Any, y: Any = None) -> Self:
        """Draw the starting weights without training: predictions are bicubic.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Sharp pictures of the kind to come.
        y : None, default=None
            Not used.

        Returns
        -------
        self : estimator
            The estimator.
        """
        self._initialize(Request(X, _SHARP))
        return self

    def predict(self, X: Any) -> Array:
        """Enlarge pictures.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Pictures of any size; also (n_samples, height, width), or flat rows of as
            many numbers as in `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples, height·factor, width·factor, channels)
            Larger pictures, without the last axis if `X` has none, flat if `X` is.
            Whole numbers stay whole: rounded, and cut off at black and white.
        """
        rows = self._rows_to_predict(X)
        x = rows.astype(self.network_.dtype)
        x /= self.data_range_
        out = self._enlarged(x)
        out *= self.data_range_
        if rows.dtype.kind in "iu":
            low = 0.0 if rows.dtype.kind == "u" or rows.min() >= 0 else -np.inf
            np.clip(np.rint(out, out=out), low, self.data_range_, out=out)
            out = out.astype(rows.dtype)
        n_axes = np.ndim(X)
        if n_axes == 2:
            return out.reshape(len(out), -1)
        return out[..., 0] if n_axes == 3 else out

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the PSNR: sharp pictures are shrunk, enlarged again and compared.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Sharp pictures.
        y : None, default=None
            Not used.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the pictures.

        Returns
        -------
        psnr : float
            In decibels, of all pixels together, see `skdl.metrics.psnr`.
        """
        self._check_fitted()
        small, missing = self._read(X, _SHARP)
        predicted = self.network_.predict(small)
        return psnr(missing, predicted, data_range=1.0, sample_weight=sample_weight)

    def bicubic_score(self, X: Any, sample_weight: Any = None) -> float:
        """Return the PSNR of the bicubic enlargement alone, to compare with.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, channels)
            Sharp pictures.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the pictures.

        Returns
        -------
        psnr : float
            In decibels.
        """
        self._check_fitted()
        missing = self._read(X, _SHARP)[1]
        nothing = np.broadcast_to(np.zeros((), missing.dtype), missing.shape)
        return psnr(missing, nothing, data_range=1.0, sample_weight=sample_weight)

    def _check_fitted(self) -> None:
        check_is_fitted(self, "network_")

    def _read(self, X: Any, y: Any = NO_TARGETS, *, reset: bool = False) -> Any:
        """Check pictures; of sharp ones return the small ones and what they lack.

        Parameters
        ----------
        X : array-like of shape (n, h, w, c), (n, h, w) or (n, n_features)
            Pictures.
        y : str, default="no_validation"
            "sharp" for pictures to train on.
        reset : bool, default=False
            Whether shape and range of pictures are learned, and not compared.

        Returns
        -------
        X : ndarray of shape (n, h, w, c)
            Pictures as they are; of sharp ones the small ones, in units of the range.
        y : ndarray of shape (n, h·factor, w·factor, c)
            What has to be added to the enlargement of the small ones.
        """
        pictures = super()._read(X, reset=reset)
        if y != _SHARP:
            return pictures
        if reset:
            self.data_range_ = _range_of(pictures)
            self._divisor = None  # they come scaled
        dtype = self._dtype_for(pictures)
        sharp = padded_to(pictures, self.factor).astype(dtype)
        sharp /= dtype.type(self.data_range_)
        small = shrink(sharp, self.factor, self.shrink)
        sharp -= enlarge(small, self.factor)
        return small, sharp

    def _rows_as_given(self, data: Data) -> Array:
        sharp = enlarge(data.X, self.factor)
        sharp += data.target
        sharp *= self.data_range_
        return sharp

    def _new_task(self, y: Array, classes: Any, dtype: DTypeLike) -> EnlargingTask:
        loss = self._loss_as_set()
        if loss.n_raw_for_targets(1) != 1:
            raise ValueError(
                f"SuperResolution predicts one number a pixel, got {loss!r}."
            )
        return EnlargingTask(loss, self.factor, y.shape[1:])

    def _task_for(
        self, y: Array, classes: Any, dtype: DTypeLike, fresh: bool
    ) -> EnlargingTask:
        if not fresh and self.factor != self._task.factor:
            raise ValueError(
                f"The network enlarges by {self._task.factor}, but factor="
                f"{self.factor} now; fit anew with warm_start=False."
            )
        return self._new_task(y, classes, dtype)

    def _enlarged(self, x: Array) -> Array:
        """Return enlarged pictures, both in units of the range."""
        network, f = self.network_, self._task.factor
        n, h, w, c = x.shape
        reach = None
        if max(h, w) > TILE:
            reach = reach_of(network, len(network.layers) - 1)
        if reach is None:
            out = enlarge(x, f)
            out += network.predict(x)
            return out
        pixels = max(reach.pixels[0], _BICUBIC), max(reach.pixels[1], _BICUBIC)
        reach, out = Reach(pixels, reach.step), np.empty((n, h * f, w * f, c), x.dtype)
        for i in range(n):
            for tile in tiles((h, w), TILE, reach):
                seen = x[(slice(i, i + 1), *tile.seen)]
                larger = enlarge(seen, f)
                larger += network.predict(seen)
                rows, columns = (_times(part, f) for part in tile.part)
                down, across = (_times(part, f) for part in tile.inner)
                out[i, rows, columns] = larger[0, down, across]
        return out


def _times(part: slice, factor: int) -> slice:
    return slice(part.start * factor, part.stop * factor)


def _range_of(pictures: Array) -> float:
    """Return the distance from black to white."""
    if pictures.dtype.kind in "biu":
        return divisor_of(pictures) or 1.0
    low, high = float(pictures.min()), float(pictures.max())
    return 1.0 if low >= 0 and high <= 1 else high - low or 1.0
