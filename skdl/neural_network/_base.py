"""What all network estimators share: from `fit` to the training loop and back."""

from __future__ import annotations

from typing import Any, Self, TypeGuard

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skdl import initializers, layers, losses, optimizers
from skdl._compat import unchanged_if_fails
from skdl._request import Request
from skdl._settings import fit_context
from skdl._warn import warn
from skdl.neural_network._epochs import saved_state, what_callbacks_see
from skdl.neural_network._plan import (
    Plan,
    draw_seed,
    make_data,
    make_plan,
    with_classes,
)
from skdl.neural_network._rows import rows_for
from skdl.neural_network._run import rank, starting_states, train, train_restarts
from skdl.neural_network._trainable import Trainable
from skdl.ops._blas import one_blas_thread
from skdl.ops._compiling import compiling_is_said
from skdl.optimizers import OptimizerState
from skdl.training import Data, TrainingState


class BaseNetwork(Trainable):
    """Base of network estimators; `Trainable` says what a subclass defines."""

    _registries = {
        "optimizer": optimizers.registry,
        "initializer": initializers.registry,
        "loss": losses.registry,
        "layers": layers.registry,
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

    def _rows_to_predict(self, X: Any) -> Any:
        if not hasattr(self, "network_"):  # to ask scikit-learn takes 10 µs
            check_is_fitted(self, "network_")
        return rows_for(self.network_.dtype, self._read(X))

    def _labelled(self, X: Any, y: Any, sample_weight: Any = None) -> Data:
        """Return rows as those that the network was fitted to, all weights included."""
        X, y = self._read(X, y)
        dtype = self.network_.dtype
        X = rows_for(dtype, X)
        data = make_data(self._task, X, y, sample_weight, dtype)
        return with_classes(self._task, data, dtype)

    def _prediction(self, X: Any) -> Any:
        rows = self._rows_to_predict(X)  # it says if there was no fit
        return self.loss_function_.inverse_link(self.network_.predict(rows))

    def __sklearn_clone__(self) -> Self:
        new = super().__sklearn_clone__()
        new.init_from = self.init_from  # a clone of it would have no weights
        return new

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
