"""The training loop: run → epoch → step."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from skdl._digest import digest
from skdl._report import Report
from skdl._typing import Array
from skdl.layers import Arena
from skdl.optimizers import Optimizer
from skdl.training._best import Best
from skdl.training._errors import DivergenceError, NoRandomness
from skdl.training._objective import Objective
from skdl.training._state import TrainingState


class Data(NamedTuple):
    """Rows to train on or to validate with.

    Attributes
    ----------
    X : {ndarray, sparse matrix} of shape (n, ...)
        Input.
    y : ndarray of shape (n,) or (n, k)
        Targets as the loss takes them.
    weight : ndarray of shape (n,) or None
        Weights of the rows.
    target : ndarray
        Targets as the user gave them.
    sample_weight : ndarray of shape (n,) or None
        The weights without those of the classes, as the user gave them.
    """

    X: Any
    y: Array
    weight: Array | None
    target: Any
    sample_weight: Array | None = None

    def rows(self, index: Array) -> Data:
        """Return the rows with the given numbers.

        Parameters
        ----------
        index : ndarray of int
            Row numbers.

        Returns
        -------
        data : Data
            Copies of those rows.
        """
        weights = (
            None if weight is None else weight[index]
            for weight in (self.weight, self.sample_weight)
        )
        weight, sample_weight = weights
        return Data(
            self.X[index], self.y[index], weight, self.target[index], sample_weight
        )


class Trainer:
    """One training run; the `Problem` that its optimizer minimises.

    Parameters
    ----------
    state : TrainingState
        The run so far; changed in place.
    objective : Objective
        What is minimised.
    optimizer : Optimizer
        How.
    data : Data
        The rows to train on.
    batch_size : int
        Rows in a step.
    shuffle : bool, default=True
        Whether each epoch takes the rows in a new random order.
    validate : callable, default=None
        ``validate(network) -> {"val_loss": …, "val_score": …}``.
    monitor : str, default="loss"
        The entry of the history that `state.best` follows.
    begin_epoch, end_epoch : callable, default=None
        Called around each epoch; True from `end_epoch` stops.
    report : Report, default=None
        Prints.

    Attributes
    ----------
    task : CallbackContext or None
        The callbacks' context of the run, whose subtasks are the epochs.
    stop_reason : str
        Why the run ended: "max_iter", "no_improvement", "callback", "interrupted" or
        "converged".
    """

    def __init__(
        self,
        state: TrainingState,
        objective: Objective,
        optimizer: Optimizer,
        data: Data,
        *,
        batch_size: int,
        shuffle: bool = True,
        validate: Callable[[Any], dict[str, float]] | None = None,
        monitor: str = "loss",
        begin_epoch: Callable[[], None] | None = None,
        end_epoch: Callable[[], bool] | None = None,
        report: Report | None = None,
    ) -> None:
        self.state = state
        self.objective = objective
        self.optimizer = optimizer
        self.data = data
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.validate = validate
        self.monitor = monitor
        self.begin_epoch = begin_epoch
        self.end_epoch = end_epoch
        self.report = report
        self.task: Any = None
        self.stop_reason = ""
        self.theta = state.network.params.vector
        self._arena = Arena(state.network.dtype)
        self._epoch_loss = 0.0
        self._epoch_rate = math.nan
        self._finite = state.network.snapshot()

    @property
    def n_batches(self) -> int:
        """Steps in an epoch."""
        return math.ceil(self.data.X.shape[0] / self.batch_size)

    @property
    def rng(self) -> np.random.Generator:
        """The run's source of randomness."""
        return self.state.rng

    @property
    def n_weights(self) -> int:
        """Leading entries of the parameters that are weights, the rest biases."""
        return self.state.network.params.n_weights

    @cached_property
    def _no_rng(self) -> Any:
        # Who compares values at several points needs the same one at the same point.
        return NoRandomness(type(self.optimizer).__name__)

    @cached_property
    def data_digest(self) -> str:
        """Digest of the training rows, by which a run knows its data again."""
        return digest(*self.data[:3])

    # ---- run

    def run(self, n_epochs: int, plan: int | None = None) -> None:
        """Train.

        Parameters
        ----------
        n_epochs : int
            At most so many epochs more.
        plan : int, default=None
            The length that schedules are told; None takes `n_epochs`, 0 means that
            it is not known.

        Raises
        ------
        DivergenceError
            If the loss or the weights stop being finite. The network then has the
            weights of the last epoch in which they were.
        """
        optimizer_state = self.state.optimizer_state
        optimizer_state.plan(self.n_batches, n_epochs if plan is None else plan)
        if not self.optimizer.leaves_minima:
            self.state.kept = None
        last_epoch = self.state.epoch + n_epochs
        try:
            # Overflow is caught as a loss that is not finite, with a clearer message.
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                self._begin_epoch()
                self.optimizer.run(
                    self, self.theta, optimizer_state, n_epochs, self._end_iteration
                )
        except KeyboardInterrupt:
            self.stop_reason = "interrupted"
            warnings.warn(
                f"Training was interrupted in epoch {self.state.epoch + 1}; the model "
                "keeps the weights it had.",
                stacklevel=2,
            )
        except DivergenceError:
            network = self.state.network
            network.restore(self._finite)
            self.state.optimizer_state = self.optimizer.init(
                self.theta.size, self.theta.dtype
            )
            self.state.optimizer_state.epoch = optimizer_state.epoch
            raise
        if self.state.kept is not None and self.state.kept.weights is not None:
            self.state.network.restore(self.state.kept.weights)
        if not self.stop_reason:
            done = self.state.epoch >= last_epoch
            self.stop_reason = "max_iter" if done else "converged"

    # ---- epoch

    def _begin_epoch(self) -> None:
        if self.begin_epoch is not None:
            self.begin_epoch()

    def gradients(self, theta: Array) -> Iterator[Array]:
        """Yield the gradient of one mini-batch after another, for one epoch.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters; read anew for each batch.

        Yields
        ------
        gradient : ndarray of shape (n_params,)
            Memory that the next batch overwrites.
        """
        state, n = self.state, self.data.X.shape[0]
        self._epoch_rate = self.optimizer.learning_rate_now(state.optimizer_state)
        total = 0.0
        for n_rows, loss, gradient in self._steps(theta):
            if not math.isfinite(loss):
                raise DivergenceError(state.epoch + 1, "the loss")
            total += loss * n_rows
            yield gradient
        state.n_seen += n
        self._epoch_loss = total / n

    def endless_gradients(self) -> Iterator[tuple[float, Array]]:
        """Yield loss and gradient of mini-batches, epoch after epoch, without end.

        Yields
        ------
        loss : float
            The objective over the batch.
        gradient : ndarray of shape (n_params,)
            Memory that the next batch overwrites.
        """
        while True:
            for _, loss, gradient in self._steps(self.theta):
                yield loss, gradient

    def _steps(self, theta: Array) -> Iterator[tuple[int, float, Array]]:
        """Yield rows, loss and gradient of each mini-batch of one epoch."""
        rng, n = self.state.rng, self.data.X.shape[0]
        shuffled = self.shuffle and self.batch_size < n
        order = rng.permutation(n) if shuffled else None
        for start in range(0, n, self.batch_size):
            X, y, weight = self._batch(start, order)
            loss, gradient = self.objective.loss_and_gradient(theta, X, y, weight, rng)
            yield X.shape[0], loss, gradient

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return the objective over all rows.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.

        Returns
        -------
        loss : float
            The objective.
        gradient : ndarray of shape (n_params,)
            Memory that the next call overwrites.
        """
        data = self.data
        loss, gradient = self.objective.loss_and_gradient(
            theta, data.X, data.y, data.weight, self._no_rng
        )
        if not math.isfinite(loss):
            raise DivergenceError(self.state.epoch + 1, "the loss")
        self.state.n_seen += data.X.shape[0]
        self._epoch_loss = loss
        return loss, gradient

    def _batch(self, start: int, order: Array | None) -> tuple[Any, Array, Any]:
        data = self.data
        rows: Any = slice(start, start + self.batch_size)
        if order is None:
            weight = None if data.weight is None else data.weight[rows]
            return data.X[rows], data.y[rows], weight
        rows = order[rows]
        self._arena.reset()
        weight = None if data.weight is None else self._take(data.weight, rows)
        return self._take(data.X, rows), self._take(data.y, rows), weight

    def _take(self, array: Any, rows: Array) -> Any:
        if not isinstance(array, np.ndarray):
            return array[rows]  # sparse
        out = self._arena.empty((len(rows), *array.shape[1:]), array.dtype)
        # mode="clip" lets NumPy write into `out` without a buffer.
        return array.take(rows, axis=0, out=out, mode="clip")

    def _end_iteration(self) -> bool:
        state = self.state
        epoch = state.epoch + 1
        if not math.isfinite(float(self.theta.sum())):
            raise DivergenceError(epoch, "a weight")
        self._finite[0][:], self._finite[1][:] = (
            self.theta,
            state.network.state.vector,
        )
        row = {"loss": self._epoch_loss, "learning_rate": self._epoch_rate}
        if self.validate is not None:
            row.update(self.validate(state.network))
        for name, value in row.items():
            state.history.setdefault(name, []).append(value)
        self.optimizer.observe(
            state.optimizer_state, row.get("val_loss", self._epoch_loss)
        )
        if self.optimizer.leaves_minima and state.optimizer_state.n_epochs:
            state.kept = state.kept or Best(math.inf)
            watched = state.optimizer_state.memory["jog_watched"]
            state.kept.observe(watched, epoch, state.network)
        if state.best is not None and state.best.observe(
            row[self.monitor], epoch, state.network
        ):
            self.stop_reason = "no_improvement"
        if self.report is not None:
            is_best = state.best is not None and state.best.epoch == epoch
            self.report.epoch(epoch, row, is_best)
        if self.end_epoch is not None and self.end_epoch():
            self.stop_reason = self.stop_reason or "callback"
        if not self.stop_reason and epoch < state.optimizer_state.n_epochs:
            self._begin_epoch()
        return bool(self.stop_reason)
