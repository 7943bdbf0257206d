"""What all network estimators share: from `fit` to the training loop and back."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
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
)
from skdl._typing import Array
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.networks import Network
from skdl.neural_network._plan import FLOATS, Plan, Request, draw_seed, make_plan
from skdl.neural_network._run import (
    rank,
    scores_by_loss,
    starting_states,
    train,
    train_restarts,
)
from skdl.neural_network._tasks import saved_state, what_callbacks_see
from skdl.ops._blas import one_blas_thread
from skdl.optimizers import OptimizerState
from skdl.training import Data, TrainingState


class BaseNetwork(CallbackSupportMixin, NestedParams):
    """Base of network estimators.

    A subclass says what its layers are (`_hidden_layers`), how targets are encoded
    (`_clean_target`, `_encode`, `_n_raw`) and scored (`_score_prediction`).
    """

    _registries = {
        "optimizer": optimizers.registry,
        "initializer": initializers.registry,
        "loss": losses.registry,
        "layers": layers.registry,
    }

    # ---- settings that the methods here read

    max_iter: int
    warm_start: bool
    early_stopping: bool
    n_iter_no_change: float | str

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
    loss_function_: Loss

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

    def _hidden_layers(self) -> list[Layer]:
        raise TypeError(f"{type(self).__name__} must define _hidden_layers.")

    def _task_loss(self) -> Loss:
        """Return the loss, in the form for the targets at hand."""
        raise TypeError(f"{type(self).__name__} must define _task_loss.")

    def _set_targets(self, y: Any, classes: Any) -> None:
        """Take note of what kind of targets these are."""

    def _check_classes(self, classes: Any) -> None:
        """Raise if these are not the classes that were noted."""

    def _clean_target(self, y: Any) -> Array:
        raise TypeError(f"{type(self).__name__} must define _clean_target.")

    def _encode(self, y: Array, loss: Loss, dtype: Any) -> Array:
        raise TypeError(f"{type(self).__name__} must define _encode.")

    def _n_raw(self, loss: Loss) -> int:
        raise TypeError(f"{type(self).__name__} must define _n_raw.")

    def _score_prediction(self, prediction: Array, data: Data) -> float:
        raise TypeError(f"{type(self).__name__} must define _score_prediction.")

    def _class_weights(self, data: Data, incremental: bool) -> Data:
        return data

    def _stratify(self, data: Data) -> Any:
        return None

    def _start_output(self, network: Network, plan: Plan) -> None:
        """Set the output layer's start, where the loss knows a good one."""

    # ---- fit

    def _fit(self, request: Request) -> Self:
        with unchanged_if_fails(self), one_blas_thread():
            previous = self._previous_state(request.incremental)
            saved = None if request.incremental else saved_state(self)
            seed = None if saved is None else saved.seed
            plan = make_plan(self, request, fresh=previous is None, seed=seed)
            if request.incremental and self._stream_has_ended(previous):
                return self  # the best weights are back: nothing left to do
            self.loss_function_ = plan.loss
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
            self.loss_function_ = plan.loss
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
            warnings.warn(
                f"Training stopped after max_iter={self.max_iter} epochs and has not "
                f"converged yet. Raise max_iter{stop}.",
                ConvergenceWarning,
                stacklevel=6,  # the caller of fit
            )
        elif reason == "no_improvement" and self._keeps_state:
            warnings.warn(
                f"partial_fit stopped early after epoch {state.epoch}: the best "
                "weights are back, and further calls change nothing.",
                ConvergenceWarning,
                stacklevel=6,  # the caller of fit
            )

    # ---- the fitted model

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
                else max(scores)
                if scores
                else None
            ),
            "n_iter_": state.epoch,
            "t_": state.n_seen,
            "n_outputs_": state.network.output_shape[0],
            "_training_state": state,
        }

    @property
    def loss_curve_(self) -> list[float]:
        """Training loss of each epoch."""
        return self.history_.get("loss", [])

    @property
    def coefs_(self) -> list[Array]:
        """Weight matrices, of shape (n_in, n_out), as views into the network."""
        params = self.network_.params
        return [params[name] for name in params if params[name].ndim == 2]

    @property
    def intercepts_(self) -> list[Array]:
        """Bias vectors of the dense layers, as views into the network."""
        params = self.network_.params
        return [params[name] for name in params if name.endswith(".b")]

    @property
    def n_layers_(self) -> int:
        """Number of layers of neurons, input and output among them."""
        return len(self.coefs_) + 1

    def _raw_prediction(self, X: Any, n_layers: int | None = None) -> Array:
        check_is_fitted(self, "network_")
        X = validate_data(self, X, accept_sparse="csr", dtype=FLOATS, reset=False)
        return self.network_.predict(X, n_layers)

    def _prediction(self, X: Any) -> Array:
        raw = self._raw_prediction(X)  # it says if there was no fit
        return self.loss_function_.inverse_link(raw)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        # What the optimizer remembers is two to three times the size of the model.
        if not (self.warm_start or self._keeps_state):
            state.pop("_training_state", None)
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
