"""What `fit` leaves on a network estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdl._base import NestedParams
from skdl._compat import CallbackSupportMixin, without_callbacks
from skdl._typing import Array
from skdl.losses import Loss
from skdl.networks import Network
from skdl.neural_network._arrays import LayerArrays
from skdl.neural_network._evaluate import scores_by_loss
from skdl.tasks import Task
from skdl.training import Trainer, TrainingState


class FittedNetwork(CallbackSupportMixin, NestedParams):
    """What `fit` leaves on an estimator, and what pickles hold of it."""

    early_stopping: bool
    scoring: Any
    warm_start: bool

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

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")  # a fit that fails may leave names of columns

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

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        # What the optimizer remembers is two to three times the size of the model.
        if not (self.warm_start or self._keeps_state):
            state.pop("_training_state", None)
        return state
