"""Jogging the weights out of a poor minimum."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl.callbacks._callback import TrainingCallback, history_value
from skdl.training import Best, Trainer


class Jog(TrainingCallback):
    """Perturb the weights whenever the loss stalls.

    Each time the loss has not improved for a while, every weight gets normal noise of
    a share of the weights' own root mean square. The best weights come back at the
    end, so that a jog for the worse costs time alone. The estimator must not stop by
    itself before: set its `n_iter_no_change` well above `patience`, or to "never".

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
        if not scale > 0 or patience < 0 or tol < 0:
            raise ValueError(
                "scale must be positive, patience and tol not negative, got "
                f"{scale}, {patience} and {tol}."
            )
        self.scale = scale
        self.patience = patience
        self.tol = tol
        self.monitor = monitor
        self.jogs_: list[int] = []

    def on_training_begin(self, estimator: Any, trainer: Trainer) -> None:
        super().on_training_begin(estimator, trainer)
        note: tuple[Best, list[int]] = (Best(self.patience, self.tol), [])
        self.jogs_ = trainer.state.notes.setdefault("Jog", note)[1]

    def on_epoch_end(self, estimator: Any, trainer: Trainer) -> bool:
        state = trainer.state
        best, jogs = state.notes["Jog"]
        value = history_value(state.history, self.monitor)
        if best.observe(value, state.epoch, state.network):
            best.waiting = 0
            self._perturb(trainer)
            jogs.append(state.epoch)
        return False

    def _perturb(self, trainer: Trainer) -> None:
        n = trainer.state.network.params.n_weights
        weights = trainer.theta[:n]
        std = self.scale * float(np.sqrt(np.mean(weights**2)))
        noise = trainer.state.rng.normal(0.0, std, n)
        weights += noise.astype(weights.dtype)

    def on_training_end(self, estimator: Any, trainer: Trainer) -> None:
        """Bring the best weights back.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : Trainer
            The run.
        """
        super().on_training_end(estimator, trainer)
        best, _ = trainer.state.notes.pop("Jog")
        if best.weights is not None:
            trainer.state.network.restore(best.weights)
