"""Jogging the weights out of a poor minimum."""

from __future__ import annotations

from typing import Any

from skdl import optimizers
from skdl._settings import NOT_NEGATIVE, PATIENCE, POSITIVE, checked
from skdl.callbacks._callback import TrainingCallback, history_value
from skdl.optimizers import OptimizerState
from skdl.training import Trainer


class Jog(TrainingCallback[Trainer]):
    """`skdl.optimizers.Jog` as a callback: perturb the weights when the loss stalls.

    It jogs whatever optimizer the estimator has, lets the entry of the history that
    counts be chosen, and says when it jogged. The estimator must not stop by itself
    before: set its `n_iter_no_change` well above `patience`, or to "never".

    Parameters
    ----------
    scale : float, default=0.3
        Standard deviation of the noise, as a share of the weights' root mean square;
        positive.
    patience : int, default=5
        Epochs without improvement before a jog.
    tol : float, default=1e-4
        Smallest difference that counts as an improvement.
    monitor : str, default="loss"
        Entry of `history_` that is watched: "loss" or "val_loss".

    Attributes
    ----------
    jogs_ : list of int
        Epochs after which the weights of the latest fit were perturbed.

    Raises
    ------
    ValueError
        If a setting is out of range; in fit, if there is no such entry, or if the
        estimator is a booster, which has no weights.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl import MLPRegressor
    >>> from skdl.callbacks import Jog
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> net = MLPRegressor((8,), max_iter=30, n_iter_no_change="never", random_state=0)
    >>> net.set_callbacks(Jog(scale=0.5, patience=3)).fit(X, X[:, 0] ** 2).n_iter_
    30
    """

    _for_boosters = (
        "Remove it; subsample and max_features make the rounds of boosting random."
    )

    def __init__(
        self,
        scale: float = 0.3,
        patience: int = 5,
        tol: float = 1e-4,
        monitor: str = "loss",
    ) -> None:
        super().__init__()
        settings = checked(
            type(self).__name__,
            {"scale": POSITIVE, "patience": PATIENCE[:1], "tol": NOT_NEGATIVE},
            {"scale": scale, "patience": patience, "tol": tol},
        )
        self.scale: float = settings["scale"]
        self.patience: int = settings["patience"]
        self.tol: float = settings["tol"]
        self.monitor = monitor
        self.jogs_: list[int] = []

    def on_training_begin(self, estimator: Any, trainer: Trainer) -> None:
        super().on_training_begin(estimator, trainer)
        trainer.optimizer = Jogged(trainer, self)

    def on_epoch_end(self, estimator: Any, trainer: Trainer) -> bool:
        self._note(trainer)
        return False

    def on_training_end(self, estimator: Any, trainer: Trainer) -> None:
        """Note the jogs.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : Trainer
            The run.
        """
        super().on_training_end(estimator, trainer)
        self._note(trainer)

    def _note(self, trainer: Trainer) -> None:
        self.jogs_ = list(trainer.state.optimizer_state.memory.get("jogs", ()))


class Jogged(optimizers.Jog):
    """The trainer's optimizer, jogged when an entry of the history stalls."""

    def __init__(self, trainer: Trainer, callback: Jog) -> None:
        super().__init__(
            trainer.optimizer, callback.scale, callback.patience, callback.tol
        )
        self._history = trainer.state.history
        self._monitor = callback.monitor

    def observe(self, state: OptimizerState, loss: float) -> None:
        super().observe(state, history_value(self._history, self._monitor))
