"""What all network estimators share: from `fit` to the training loop and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, TypeGuard

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skdl import initializers, layers, losses, optimizers
from skdl._base import NestedParams
from skdl._compat import (
    CallbackSupportMixin,
    Integral,
    Interval,
    Options,
    Real,
    StrOptions,
    unchanged_if_fails,
    validate_data,
    without_callbacks,
)
from skdl._request import Request
from skdl._settings import fit_context
from skdl._typing import Array
from skdl._warn import warn
from skdl._words import column_named
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.networks import Network
from skdl.neural_network._arrays import LayerArrays
from skdl.neural_network._evaluate import Evaluation, evaluate
from skdl.neural_network._plan import (
    Plan,
    batch_size_of,
    draw_seed,
    make_data,
    make_plan,
    split_rows,
    with_classes,
)
from skdl.neural_network._rows import rounded, rows_for
from skdl.neural_network._run import (
    rank,
    scores_by_loss,
    starting_states,
    train,
    train_restarts,
)
from skdl.neural_network._tasks import saved_state, what_callbacks_see
from skdl.ops._blas import one_blas_thread
from skdl.ops._compiling import compiling_is_said
from skdl.optimizers import Optimizer, OptimizerState
from skdl.tasks import Task
from skdl.training import Batches, Data, RowBatches, Trainer, TrainingState

_FLOATS = (np.float64, np.float32)


class BaseNetwork(CallbackSupportMixin, NestedParams):
    """Base of network estimators.

    A subclass says which layers it has (`_body_layers`), what it is trained for
    (`_new_task`, `_same_task`) and, if its rows are not tables, how they are read
    (`_read`).
    """

    _registries = {
        "optimizer": optimizers.registry,
        "initializer": initializers.registry,
        "loss": losses.registry,
        "layers": layers.registry,
    }

    # ---- settings that the methods here read

    layers: Any
    optimizer: Any
    initializer: Any
    loss: Any
    alpha: float
    l1: float
    batch_size: Any
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool | int
    warm_start: bool
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: Any
    scoring: Any
    n_init: int
    n_jobs: int | None
    dtype: str | None
    init_from: Any
    freeze: Any
    layer_rates: Any

    # ---- what fit leaves

    network_: Network
    history_: dict[str, list[float]]
    loss_: float
    best_loss_: float
    best_epoch_: int
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    n_iter_: int
    t_: int
    n_outputs_: int
    n_features_in_: int
    feature_names_in_: Array

    _task: Task
    _keeps_state = False  # whether pickles hold the optimizer's memory: partial_fit

    _parameter_constraints: dict[str, Any] = {
        # An unknown name of a part lists those of its registry.
        "loss": "no_validation",
        "optimizer": "no_validation",
        "layers": [list, tuple, None],
        "initializer": "no_validation",
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
            StrOptions({"never"}),
        ],
        "scoring": [str, callable, None],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "dtype": [StrOptions({"float32", "float64"}), None],
        "init_from": "no_validation",  # checked where it is used
        "freeze": "no_validation",
        "layer_rates": [Interval(Real, 0, None, closed="neither"), dict, None],
    }

    # Routing: a Pipeline with transform_input=["X_val"] hands these on.
    __metadata_request__fit = {
        "X_val": True,
        "y_val": True,
        "sample_weight_val": True,
    }
    __metadata_request__partial_fit = {
        "X_val": True,
        "y_val": True,
        "sample_weight_val": True,
    }

    # ---- what a subclass defines

    def _body_layers(self) -> list[Layer]:
        """Return the layers in front of the task's head."""
        raise TypeError(f"{type(self).__name__} must define _body_layers.")

    def _n_added_layers(self) -> int:
        """Return how many layers come before those that the user has chosen."""
        return 0

    def _new_task(self, y: Any, classes: Any, dtype: DTypeLike) -> Task:
        """Return the task for targets that are seen for the first time."""
        raise TypeError(f"{type(self).__name__} must define _new_task.")

    def _same_task(self, classes: Any) -> Task:
        """Return the task of the last fit, with the loss that is set now."""
        raise TypeError(f"{type(self).__name__} must define _same_task.")

    def _read(self, X: Any, y: Any = "no_validation", *, reset: bool = False) -> Any:
        """Check input and return it as it is to be kept: integers stay what they are.

        Parameters
        ----------
        X : array-like
            Input.
        y : array-like, default="no_validation"
            Targets, if there are to be some.
        reset : bool, default=False
            Whether the number of features is learned, and not compared.

        Returns
        -------
        X : {ndarray, sparse matrix} of shape (n, ...) or Ragged
            Rows: floating numbers in the network's precision, others as they came.
        y : ndarray of shape (n, ...)
            Cleaned targets, if there are some.
        """
        options = {"accept_sparse": "csr", "dtype": None, "reset": reset}
        if isinstance(y, str) and y == "no_validation":
            return self._in_precision(validate_data(self, X, **options))
        X, y = validate_data(self, X, y, multi_output=True, **options)
        return self._in_precision(X), self._clean_target(y)

    def _is_table(self, X: Any) -> bool:
        """Return whether the columns of X are features, as in the first call."""
        nested = isinstance(X, (list, tuple))
        return (np.ndim(X) if nested else getattr(X, "ndim", 2)) == 2

    def _clean_target(self, y: Any) -> Any:
        return y

    def _rows_as_given(self, data: Data) -> Any:
        """Return rows that the estimator's own methods take, for callbacks."""
        return data.X

    def _labelled(self, X: Any, y: Any, sample_weight: Any = None) -> Data:
        """Return rows as those that the network was fitted to, all weights included."""
        X, y = self._read(X, y)
        dtype = self.network_.dtype
        X = rows_for(dtype, X)
        data = make_data(self._task, X, y, sample_weight, dtype)
        return with_classes(self._task, data, dtype)

    def _batches(self, plan: Plan) -> Batches:
        """Return the steps of an epoch."""
        return RowBatches(plan.train, plan.batch_size, self.shuffle)

    def _rows_in_batch(
        self, optimizer: Optimizer, train: Data, incremental: bool
    ) -> int:
        """Return the rows of a step."""
        return batch_size_of(self, optimizer, train.n, incremental)

    def _held_out(self, task: Task, data: Data, seed: int) -> tuple[Data, Data]:
        """Divide the rows into those to train on and those to validate with."""
        return split_rows(self, task, data, seed)

    def _evaluate(self, network: Network, data: Data) -> Evaluation:
        """Return the mean loss on rows, and predictions for `Task.score`."""
        return evaluate(network, self._task, data)

    def _task_for(self, y: Any, classes: Any, dtype: DTypeLike, fresh: bool) -> Task:
        return self._new_task(y, classes, dtype) if fresh else self._same_task(classes)

    # ---- precision

    def _dtype_for(self, X: Any) -> np.dtype[Any]:
        """Return the precision of a new network that is fitted to these rows."""
        if self.dtype is not None:
            return np.dtype(self.dtype)
        return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)

    def _in_precision(self, X: Any) -> Any:
        """Return floating rows in the precision they are trained in."""
        if X.dtype.kind in "iub" and not sparse.issparse(X):
            return X  # cast batch by batch
        if self.dtype is None and X.dtype in _FLOATS:
            return X
        with column_named(X, getattr(self, "feature_names_in_", None)):
            return rounded(X, self._dtype_for(X))

    def _rows_to_predict(self, X: Any) -> Any:
        check_is_fitted(self, "network_")
        return rows_for(self.network_.dtype, self._read(X))

    # ---- fit

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
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; not negative.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data, for `history_` and for early stopping.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
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

    def _fit(self, request: Request) -> Self:
        with (
            unchanged_if_fails(self),
            one_blas_thread(),
            compiling_is_said(self.verbose),
        ):
            previous = self._previous_state(request.incremental)
            saved = None if request.incremental else saved_state(self)
            seed = None if saved is None else saved.seed
            plan = make_plan(self, request, fresh=previous is None, seed=seed)
            if request.incremental and self._stream_has_ended(previous):
                return self  # the best weights are back: nothing left to do
            self._task = plan.task
            n_epochs = 1 if request.incremental else self.max_iter
            if saved is not None:
                n_epochs = max(0, n_epochs - saved.epoch) if saved.goes_on else 0
            starts = starting_states(self, plan, saved or previous)
            state, reason = self._train(plan, starts, n_epochs)
            self._keeps_state = request.incremental
            self._set_fitted(state)
        self._warn_about(reason, state)
        return self

    def _train(
        self, plan: Plan, starts: list[TrainingState], n_epochs: int
    ) -> tuple[TrainingState, str]:
        data = what_callbacks_see(self, plan.train)
        n = len(starts)
        root = self._init_callback_context(
            max_subtasks=n if n > 1 else n_epochs,
            sequential_subtasks=n == 1,  # restarts may run at the same time
        )
        root.call_on_fit_task_begin(estimator=self, **data)
        if n == 1:
            result = train(self, plan, starts[0], n_epochs, root)
        else:
            result = min(train_restarts(self, plan, starts, n_epochs, root), key=rank)
        root.call_on_fit_task_end(estimator=self, **data)
        return result

    def _initialize(self, request: Request) -> Self:
        with unchanged_if_fails(self), one_blas_thread():
            plan = make_plan(self, request, fresh=True, seed=None)
            self._task = plan.task
            self._keeps_state = True
            self._set_fitted(starting_states(self, plan, None)[0])
        return self

    def _previous_state(self, incremental: bool) -> TrainingState | None:
        if not (incremental or self.warm_start) or not hasattr(self, "network_"):
            return None
        state = getattr(self, "_training_state", None)
        if state is None:  # unpickled without it: the optimizer starts anew
            seed = draw_seed(self)
            state = TrainingState(
                self.network_,
                OptimizerState(0, np.float64, ()),
                np.random.default_rng(seed),
                seed,
                history=self.history_,
                n_seen=self.t_,
                finished=True,
            )
            state.optimizer_state.epoch = self.n_iter_
        return state

    def _stream_has_ended(self, previous: TrainingState | None) -> bool:
        """Return whether earlier calls of `partial_fit` stopped early."""
        if previous is None or not (self._keeps_state and self.early_stopping):
            return False
        return previous.stopped_early

    def _warn_about(self, reason: str, state: TrainingState) -> None:
        # just so many epochs
        wanted = self.n_iter_no_change in ("never", np.inf) or state.kept
        if reason == "max_iter" and not (self._keeps_state or wanted):
            stop = "" if self.early_stopping else ", or set early_stopping=True"
            warn(
                f"Training stopped after max_iter={self.max_iter} epochs and has not "
                f"converged yet. Raise max_iter{stop}.",
                ConvergenceWarning,
            )
        elif reason == "no_improvement" and self._keeps_state:
            warn(
                f"partial_fit stopped early after epoch {state.epoch}: the best "
                "weights are back, and further calls change nothing.",
                ConvergenceWarning,
            )

    # ---- the fitted model

    def _saved(self, run: Trainer) -> tuple[Any, TrainingState]:
        """The model as far as the run has come, and what it takes to go on."""
        fitted = without_callbacks(self)
        fitted._set_fitted(run.state)
        del fitted._training_state
        return fitted, run.state

    def _set_fitted(self, state: TrainingState) -> None:
        for name, value in self._fitted_attributes(state).items():
            setattr(self, name, value)

    def _fitted_attributes(self, state: TrainingState) -> dict[str, Any]:
        history = state.history
        scores = history.get("val_score")
        stops_by_score = self.early_stopping and not scores_by_loss(self)
        return {
            "network_": state.network,
            "history_": history,
            "loss_": state.loss,
            "best_loss_": min(history["loss"]) if history else np.nan,
            "validation_scores_": scores,
            "best_epoch_": state.best.epoch if state.best is not None else 0,
            "best_validation_score_": (
                state.best.value
                if stops_by_score and state.best is not None
                else max((s for s in scores if s == s), default=None)
                if scores
                else None
            ),
            "n_iter_": state.epoch,
            "t_": state.n_seen,
            "n_outputs_": state.network.output_shape[-1],
            "_training_state": state,
        }

    @property
    def loss_curve_(self) -> list[float]:
        """Training loss of each epoch."""
        return self.history_.get("loss", [])

    @property
    def loss_function_(self) -> Loss:
        """The loss, in the form for the targets."""
        return self._task.loss

    @property
    def coefs_(self) -> list[Array]:
        """Weights of the affine layers, (n_in, n_out), as views into the network.

        Setting an entry writes to the network.
        """
        return LayerArrays("coefs_", [W for W, _ in self.network_.affine_maps()])

    @coefs_.setter
    def coefs_(self, values: Sequence[Any]) -> None:
        self.coefs_[:] = values

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of the affine layers, as views into the network.

        Setting an entry writes to the network. A layer without biases has zeros that
        cannot be written to.
        """
        return LayerArrays("intercepts_", [b for _, b in self.network_.affine_maps()])

    @intercepts_.setter
    def intercepts_(self, values: Sequence[Any]) -> None:
        self.intercepts_[:] = values

    @property
    def n_layers_(self) -> int:
        """Number of layers of neurons, input and output among them."""
        return len(self.coefs_) + 1

    def _prediction(self, X: Any) -> Any:
        rows = self._rows_to_predict(X)  # it says if there was no fit
        return self.loss_function_.inverse_link(self.network_.predict(rows))

    def __sklearn_clone__(self) -> Self:
        new = super().__sklearn_clone__()
        new.init_from = self.init_from  # a clone of it would have no weights
        return new

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        # What the optimizer remembers is two to three times the size of the model.
        if not (self.warm_start or self._keeps_state):
            state.pop("_training_state", None)
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._takes_sparse()
        return tags

    def _takes_sparse(self) -> bool:
        """Return whether the first layer takes sparse input, as far as can be told."""
        given = isinstance(self.layers, (list, tuple)) and len(self.layers) > 0
        first = self.layers[0] if given else "dense"
        if isinstance(first, str) and first in layers.registry:
            first = layers.get(first)
        return bool(getattr(first, "accepts_sparse", False))


def is_network(estimator: Any) -> TypeGuard[BaseNetwork]:
    """Return whether an estimator is a neural network.

    Parameters
    ----------
    estimator : object
        Anything; what wraps a network, as a Pipeline does, is none.

    Returns
    -------
    is_network : bool
        Whether it is one of skdl's networks, fitted or not.

    Examples
    --------
    >>> from skdl import GradientBoostingClassifier, MLPClassifier
    >>> from skdl.neural_network import is_network
    >>> is_network(MLPClassifier()), is_network(GradientBoostingClassifier())
    (True, False)
    """
    return isinstance(estimator, BaseNetwork)
