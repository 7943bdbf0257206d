"""A network that squeezes samples into a few numbers and rebuilds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_array, check_is_fitted

from skdl._compat import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    check_sample_weight,
)
from skdl._request import Request
from skdl._settings import fit_context
from skdl._typing import Array
from skdl.initializers import Initializer
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.neural_network._base_autoencoder import BaseAutoencoder
from skdl.optimizers import Optimizer


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseAutoencoder):
    """Network that squeezes samples into a code of few numbers and rebuilds them.

    An encoder turns a sample into its code, a decoder turns the code into a sample, and
    both are trained to give back what went in. With linear layers and the squared error
    that is the subspace of PCA; layers between bend it (Hinton & Salakhutdinov 2006).
    Samples unlike those of `fit` are rebuilt badly: `score_samples` finds them.

    `X` holds flat samples (n_samples, n_features), or pictures: (n_samples, height,
    width, channels), or (n_samples, height, width) for one channel. Whole numbers stay
    what they are until a batch is formed. The network then begins with a `Rescale` that
    divides them by the smallest 2ᵏ − 1 that none in the first call exceeds (bytes:
    255), unless `layers` begins with a layer for whole numbers. Other numbers are taken
    as they are; best they lie about [0, 1] or [-1, 1].

    Parameters
    ----------
    n_components : int or None, default=2
        Numbers of the code: a dense layer of so many units stands behind `layers`.
        None: the output of the last of `layers` is the code, of any shape.
    layers : sequence of Layer or str, default=None
        The encoder. None: ``[Dense(128), "relu"]``. Pictures may have convolutions:
        ``[Conv2D(16, 3, 2, "same"), "relu", Conv2D(32, 3, 2, "same"), "relu"]``.
    decoder : sequence of Layer or str, default=None
        From the code to the shape of a sample. None: the mirror image of the encoder,
        see `skdl.layers.mirrored_chain`, in which transposed convolutions stand for
        convolutions, and upsampling for pooling. The binary cross-entropy adds its
        sigmoid itself.
    denoising : float, str or Layer, default=None
        What happens to the input of the network while training, the targets staying
        clean: normal noise of so large a standard deviation (of whole numbers after
        they were divided), or a layer such as ``Dropout(0.3)`` (Vincent et al. 2010).
    input_shape : tuple of (int, int, int) or (int, int), default=None
        Height, width and channels of pictures that come as flat rows, for layers of
        pictures. None: flat rows stay flat.
    optimizer : str or Optimizer, default="adam"
        Name or instance, such as ``Adam(3e-3)``. In grids and in `set_params` its
        settings are ``optimizer__learning_rate`` and so on, also while it is a name.
        Names: `skdl.optimizers.names`.
    initializer : str or Initializer, default="auto"
        Start of the weights. "auto" is LeCun before SELU and Xavier before the other
        activations; for deep nets of ReLU try "he_normal". Biases start at
        0, those of the output layer at the constant of the smallest loss (for the
        squared error the mean of `X`).
    loss : str, Loss or callable, default="squared_error"
        Summed over the numbers of a sample: "squared_error" (½e²), "absolute_error",
        "huber", …, or "binary_cross_entropy" for numbers from 0 to 1, with a sigmoid at
        the end of the decoder. Or a loss object, or a function ``f(y, raw) -> (loss,
        gradient)`` of arrays (n, n_features), see `skdl.losses.FunctionLoss`.
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
        the weights of its best epoch. The validation data are `X_val`, or else a part
        of the training data.
    validation_fraction : float, default=0.1
        Size of that part, in (0, 1).
    n_iter_no_change : int, np.inf or "never", default=10
        Stop after more than so many epochs in a row without an improvement by `tol`:
        of the validation metric with `early_stopping`, else of the training loss.
        "never", or ``np.inf``, always does `max_iter` epochs.
    scoring : str, callable or None, default="loss"
        The validation metric: "loss" is the loss, None `score`; callables are
        scikit-learn scorers.
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
        that both have, in their order. A clone keeps it.
    freeze : int, slice, str or sequence of them, default=None
        Layers that stay as they are, running statistics included: by index or slice of
        those of encoder and decoder, by class (``"Conv2D"``), or "features" for all of
        them.
    layer_rates : float or dict, default=None
        Factors of the learning rate. A number is the share that each layer with weights
        has of that of the layer behind it. A dict maps layers, named as in `freeze`, to
        factors.

    Attributes
    ----------
    input_shape_ : tuple of int
        Shape of one sample, as the network takes it.
    code_shape_ : tuple of int
        Shape of one code.
    n_encoder_layers_ : int
        Layers of `network_` up to the code.
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
    skdl.inspection.ReconstructionDisplay : Samples beside what is rebuilt of them.
    sklearn.decomposition.PCA : The linear way.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdl import Autoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> net = Autoencoder(8, batch_size=32, max_iter=30, n_iter_no_change="never",
    ...                   random_state=0).fit(X / 16)
    >>> net.transform(X[:5] / 16).shape
    (5, 8)
    >>> net.inverse_transform(net.transform(X[:5] / 16)).shape
    (5, 64)
    """

    def __init__(
        self,
        n_components: int | None = 2,
        *,
        layers: Sequence[Layer | str] | None = None,
        decoder: Sequence[Layer | str] | None = None,
        denoising: float | str | Layer | None = None,
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
        scoring: Any = "loss",
        n_init: int = 1,
        n_jobs: int | None = None,
        dtype: str | None = None,
        init_from: Any = None,
        freeze: Any = None,
        layer_rates: float | dict[Any, float] | None = None,
    ) -> None:
        self.n_components = n_components
        self.layers = layers
        self.decoder = decoder
        self.denoising = denoising
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
        """Fit encoder and decoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n, h, w) or (n, h, w, c)
            Flat samples or pictures.
        y : object, default=None
            Not used; a Pipeline passes it.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; not negative.
        X_val : array-like of the kind of `X`, default=None
            Validation data, for `history_` and for early stopping.
        y_val : object, default=None
            Not used.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : Autoencoder
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        self._fit(self._request(X, sample_weight, X_val, sample_weight_val))
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
        """Train for one epoch over the given samples, from where training stands.

        With ``early_stopping=True`` each call is one epoch of waiting. When patience is
        exhausted the best weights come back, and further calls change nothing.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n, h, w) or (n, h, w, c)
            Flat samples or pictures.
        y : object, default=None
            Not used; a Pipeline passes it.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; not negative.
        X_val : array-like of the kind of `X`, default=None
            Validation data; needed with ``early_stopping=True``.
        y_val : object, default=None
            Not used.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : Autoencoder
            The estimator.

        Raises
        ------
        ValueError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        request = self._request(X, sample_weight, X_val, sample_weight_val)
        self._fit(request._replace(incremental=True))
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def initialize(self, X: Any, y: Any = None) -> Self:
        """Draw the starting weights without training.

        `partial_fit`, or `fit` with ``warm_start=True``, goes on from there.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n, h, w) or (n, h, w, c)
            Data of the kind to come.
        y : object, default=None
            Not used.

        Returns
        -------
        self : Autoencoder
            The estimator.
        """
        self._initialize(self._request(X))
        return self

    def _request(
        self, X: Any, weight: Any = None, X_val: Any = None, weight_val: Any = None
    ) -> Request:
        return Request(X, X, weight, X_val, X_val, weight_val)

    def transform(self, X: Any) -> Array:
        """Return the codes of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n, h, w) or (n, h, w, c)
            Samples.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components)
            Their codes; of codes with more axes all numbers in a row.
        """
        rows = self._rows_to_predict(X)
        codes = self.network_.predict(rows, self.n_encoder_layers_)
        return codes.reshape(len(codes), -1)

    def inverse_transform(self, X: Any) -> Array:
        """Return the samples that codes stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        samples : ndarray of shape (n_samples, ...)
            In the shape and the units of the samples that were fitted.

        Raises
        ------
        ValueError
            If the codes have another number of numbers.
        """
        check_is_fitted(self, "network_")
        network = self.network_.behind(self.n_encoder_layers_)
        codes = check_array(X, dtype=network.dtype, input_name="X")
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {codes.shape[1]} numbers in a row, the codes of this "
                f"{type(self).__name__} have {self._n_features_out}."
            )
        raw = network.predict(codes.reshape(len(codes), *self.code_shape_))
        return self._task.decode(self.loss_function_.inverse_link(raw))

    def score_samples(self, X: Any) -> Array:
        """Return minus the reconstruction error of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n, h, w) or (n, h, w, c)
            Samples.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Minus the mean squared difference between a sample and what is rebuilt of
            it, whatever the loss: the lower, the odder the sample.
        """
        rows = self._rows_to_predict(X)
        scores = np.empty(len(rows))
        for part, raw in self.network_.predict_parts(rows):
            rebuilt = self._task.decode(self.loss_function_.inverse_link(raw))
            scores[part] = -self._task.errors(rows[part], rebuilt)
        return scores

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the mean reconstruction error.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n, h, w) or (n, h, w, c)
            Samples.
        y : object, default=None
            Not used.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        score : float
            The weighted mean of `score_samples`; at most 0.
        """
        scores = self.score_samples(X)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, scores[:, None])
        return float(np.average(scores, weights=sample_weight))

    @property
    def _n_features_out(self) -> int:
        return int(np.prod(self.code_shape_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
