"""The training loop: run → epoch → step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from skdl._best import Best
from skdl._digest import digest
from skdl._report import Report
from skdl._typing import Array
from skdl._warn import warn
from skdl.layers import Carried
from skdl.networks import Network
from skdl.optimizers import Optimizer
from skdl.training._batches import Batch, Batches
from skdl.training._data import Data
from skdl.training._errors import DivergenceError, NoRandomness
from skdl.training._objective import Objective
from skdl.training._state import TrainingState


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
    batches : Batches
        The steps that an epoch takes over them.
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

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Dense
    >>> from skdl.losses import SquaredError
    >>> from skdl.networks import Network
    >>> from skdl.optimizers import SGD
    >>> from skdl.training import Data, Objective, RowBatches, Trainer, TrainingState
    >>> network, optimizer = Network([Dense(1)], (1,)), SGD(0.5)
    >>> network.initialize(np.random.default_rng(0))
    >>> state = optimizer.init(network.params.size)
    >>> state = TrainingState(network, state, np.random.default_rng(0), seed=0)
    >>> X = np.linspace(-1, 1, 21)[:, None]
    >>> data = Data(X, 3 * X + 1, None, 3 * X + 1)
    >>> objective = Objective(network, SquaredError())
    >>> trainer = Trainer(state, objective, optimizer, data, RowBatches(data, 7))
    >>> trainer.run(n_epochs=50)
    >>> network.params.vector.round(3), len(state.history["loss"])
    (array([3., 1.]), 50)
    """

    def __init__(
        self,
        state: TrainingState,
        objective: Objective,
        optimizer: Optimizer,
        data: Data,
        batches: Batches,
        *,
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
        self.batches = batches
        self.validate = validate
        self.monitor = monitor
        self.begin_epoch = begin_epoch
        self.end_epoch = end_epoch
        self.report = report
        self.task: Any = None
        self.stop_reason = ""
        self.theta = state.network.params.active
        self._epoch_loss = 0.0
        self._epoch_parts = np.zeros(len(objective.loss.parts))
        self._epoch_rate = math.nan
        self._finite = state.network.snapshot()

    # ---- what callbacks use, as they do of a booster's run

    @property
    def history(self) -> dict[str, list[float]]:
        """The curves so far."""
        return self.state.history

    @property
    def notes(self) -> dict[str, Any]:
        """What callbacks remember of the run."""
        return self.state.notes

    @property
    def n_done(self) -> int:
        """Epochs done."""
        return self.state.epoch

    @property
    def model(self) -> Network:
        """The network, whose weights can be copied."""
        return self.state.network

    def follow(
        self, patience: float, tol: float, higher_is_better: bool, keep_weights: bool
    ) -> Best:
        """Return what stops as ``early_stopping=True`` does.

        Parameters
        ----------
        patience : float
            As `n_iter_no_change`.
        tol : float
            Smallest improvement.
        higher_is_better : bool
            Whether the number is a score.
        keep_weights : bool
            Whether the best weights come back.

        Returns
        -------
        best : Best
            Its memory is empty.
        """
        return Best(patience, tol, higher_is_better, keep_weights)

    def keep_best(self, best: Best) -> None:
        """Bring the best weights back.

        Parameters
        ----------
        best : Best
            Without weights nothing happens.
        """
        if best.weights is not None:
            self.state.network.restore(best.weights)

    @property
    def n_batches(self) -> int:
        """Steps in an epoch."""
        return self.batches.n_batches

    @property
    def rng(self) -> np.random.Generator:
        """The run's source of randomness."""
        return self.state.rng

    @property
    def weights(self) -> list[slice]:
        """Where the weights stand among the parameters; the rest are biases."""
        return self.state.network.params.penalised

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
        optimizer_state.plan(
            self.n_batches,
            n_epochs if plan is None else plan,
            self._rates(),
            self.objective.track_rows() if self.optimizer.updates_rows else None,
        )
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
            warn(
                f"Training was interrupted in epoch {self.state.epoch + 1}; the model "
                "keeps the weights it had."
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

    def _rates(self) -> list[tuple[int, int, float]]:
        groups = self.state.network.params.groups
        if all(group.rate == 1 for group in groups):
            return []
        if not self.optimizer.has_rate:
            raise ValueError(
                f"{type(self.optimizer).__name__} has no learning rate that parts of "
                "the network could multiply; use another optimizer, or multipliers of "
                "0 and 1 alone."
            )
        return [(group.start, group.stop, group.rate) for group in groups]

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
        state, n = self.state, 0
        self._epoch_rate = self.optimizer.learning_rate_now(state.optimizer_state)
        total, parts = 0.0, np.zeros_like(self._epoch_parts)
        for n_rows, loss, gradient in self._steps(theta):
            if not math.isfinite(loss):
                raise self._divergence("the loss")
            total += loss * n_rows
            n += n_rows if self.objective.counts else 0
            if len(parts):
                parts += self.objective.parts * n_rows
            yield gradient
        state.n_seen += self.batches.n_rows
        self._epoch_loss = total / max(n, 1)
        self._epoch_parts = parts / max(n, 1)

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
        carried: Carried | None = None
        for batch in self.batches.epoch(self.state.rng):
            if self.batches.in_windows:
                if carried is None or not batch.goes_on:
                    carried = Carried()
                else:
                    carried.turn()
            yield batch.n, *self._evaluate(theta, batch, carried)

    def _evaluate(
        self,
        theta: Array,
        batch: Batch,
        carried: Carried | None = None,
        rng: Any = None,
    ) -> tuple[float, Array]:
        return self.objective.loss_and_gradient(
            theta,
            batch.X,
            batch.y,
            batch.weight,
            self.state.rng if rng is None else rng,
            lengths=batch.lengths,
            carried=carried,
        )

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
        batch = self.batches.whole()
        loss, gradient = self._evaluate(theta, batch, rng=self._no_rng)
        if not math.isfinite(loss):
            raise self._divergence("the loss")
        self.state.n_seen += self.batches.n_rows
        self._epoch_loss = loss
        self._epoch_parts[:] = self.objective.parts
        return loss, gradient

    def _divergence(self, what: str) -> DivergenceError:
        return DivergenceError(self.state.epoch + 1, what, self.optimizer.has_rate)

    def _end_iteration(self) -> bool:
        state = self.state
        epoch = state.epoch + 1
        if not math.isfinite(float(self.theta.sum())):
            raise self._divergence("a weight")
        self._finite[0][: self.theta.size] = self.theta
        self._finite[1][:] = state.network.state.vector
        row = {"loss": self._epoch_loss, "learning_rate": self._epoch_rate}
        row |= self.objective.loss.named_parts("loss", self._epoch_parts)
        if self.validate is not None:
            row.update(self.validate(state.network))
        for name in {**state.history, **row}:
            curve = state.history.setdefault(name, [])
            curve += [math.nan] * (state.epoch - len(curve))  # not measured then
            curve.append(row.get(name, math.nan))
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
