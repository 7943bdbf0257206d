"""Multi-layer perceptron for classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from skdl.activations import ActivationFunction
from skdl.initializers import Initializer
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.neural_network._classifier import NetworkClassifier
from skdl.neural_network._mlp import BaseMLP
from skdl.optimizers import Optimizer


class MLPClassifier(NetworkClassifier, BaseMLP):
    """Multi-layer perceptron for classes or several labels.

    Minimises the cross-entropy, or another loss, of a chain of dense layers by
    backpropagation and any of `skdl.optimizers`.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer. ``()`` is softmax (logistic) regression.
    activation : str, ActivationFunction or sequence of them, default="relu"
        Activation of the hidden layers: one for all or one for each. Names:
        `skdl.activations.names`.
    layers : sequence of Layer or str, default=None
        The hidden layers themselves, in place of `hidden_layer_sizes`, `activation`,
        `dropout` and `batch_norm`: ``[Dense(64), "relu", Dropout(0.2)]``. The output
        layer is added.
    dropout : float or sequence of float, default=0.0
        Share of the outputs of each hidden layer that is dropped while training, in
        [0, 1): one for all or one for each.
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.
    optimizer : str or Optimizer, default="adam"
        Name or instance, such as ``Adam(3e-3)``. In grids and in `set_params` its
        settings are ``optimizer__learning_rate`` and so on, also while it is a name.
        Names: `skdl.optimizers.names`.
    initializer : str or Initializer, default="auto"
        Start of the weights. "auto" is LeCun before SELU and Xavier before the other
        activations; for deep nets of ReLU try "he_normal". Biases start at
        0.
    loss : str, Loss or callable, default="cross_entropy"
        "cross_entropy" or "log_loss" (for two classes and several labels: of one
        sigmoid each), "binary_cross_entropy", "exponential" (two classes), a loss
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
        Size of that part, in (0, 1), stratified by class.
    n_iter_no_change : int, np.inf or "never", default=10
        Stop after more than so many epochs in a row without an improvement by `tol`:
        of the validation metric with `early_stopping`, else of the training loss.
        "never", or ``np.inf``, always does `max_iter` epochs.
    scoring : str, callable or None, default="loss"
        The validation metric: "loss" is the loss, None accuracy; other names and
        callables are scikit-learn scorers. On the few rows of a validation part the
        accuracy stands still while the network goes on learning: on twelve sets of 150
        to 10,000 rows stopping by it gave a mean accuracy of
        0.862 on other rows, stopping by the loss 0.914 (after 200 epochs: 0.912).
        A patience of 5 to 30 epochs makes no difference beyond 0.001.
    n_init : int, default=1
        Restarts from other random weights; the best one is kept, by the validation
        metric with `early_stopping`, else by the training loss.
    n_jobs : int, default=None
        Restarts run in so many processes (joblib). The result does not depend on it.
    dtype : {"float32", "float64"}, default=None
        Precision. None follows the first `X`: float32 stays, everything else is
        float64. Rows with larger numbers than it holds are an error.
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
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes, which multiply the sample weights. "balanced" makes all
        classes count the same. With several labels a list of dicts, ``{0: …, 1: …}``
        for each label; a row's weights are multiplied.
        Rows held out for validation keep these weights in their loss and score;
        those of `X_val` have the weights of `sample_weight_val` alone.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; with several labels their numbers.
    out_activation_ : str
        "softmax", or "logistic" for two classes and for several labels.
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
    MLPRegressor : The same for real targets.
    NetworkFeatures : Hidden activations as features.

    Notes
    -----
    Settings that scikit-learn's class of the same name has mean the same here, except:
    ``solver`` and its flattened settings are `optimizer` and its own; the default
    `initializer` looks at the activation; the summed loss of several outputs is not
    divided by their number.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdl import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier((32,), optimizer="lbfgs", alpha=1.0, random_state=0)
    >>> model = make_pipeline(StandardScaler(), net).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """

    _parameter_constraints: dict[str, Any] = {
        **BaseMLP._parameter_constraints,
        **NetworkClassifier._parameter_constraints,
    }

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | ActivationFunction | Sequence[Any] = "relu",
        *,
        layers: Sequence[Layer | str] | None = None,
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
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
        self.activation = activation
        self.layers = layers
        self.dropout = dropout
        self.batch_norm = batch_norm
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
