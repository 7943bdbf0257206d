"""Early stopping by any entry of the history."""

from __future__ import annotations

from typing import Any

from skdl._best import Best
from skdl._runs import TrainingRun
from skdl._settings import NOT_NEGATIVE, PATIENCE, checked
from skdl.callbacks._callback import (
    TrainingCallback,
    check_monitor,
    history_value,
)


class EarlyStopping(TrainingCallback[TrainingRun]):
    """Stop when an entry of the history no longer improves.

    The estimators' own ``early_stopping=True`` (for boosting ``n_iter_no_change=…``)
    does the same by the validation metric; the callback can follow any entry, also the
    training loss. It acts on networks by epochs, on gradient boosting by rounds.

    Parameters
    ----------
    monitor : str, default="val_loss"
        Entry of `history_`: "loss", "val_loss" or "val_score".
    patience : int or np.inf, default=10
        What `n_iter_no_change` is to the estimator: a network stops after more than so
        many epochs in a row without an improvement, boosting after so many rounds.
    tol : float, default=0.0
        Smallest difference that counts as an improvement: of a network on its best
        epoch, of boosting on the last improvement, so that small ones add up.
    restore_best : bool, default=True
        Whether to bring the weights of the best epoch back, or to keep the rounds up to
        the best alone.

    Raises
    ------
    ValueError
        If `patience` or `tol` is negative; in fit, if there is no such entry, or the
        estimator is AdaBoost, which has no history.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdl import MLPClassifier
    >>> from skdl.callbacks import EarlyStopping
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier(random_state=0, max_iter=1000, n_iter_no_change="never")
    >>> net = net.set_callbacks(EarlyStopping("loss", patience=5, tol=0.01)).fit(X, y)
    >>> net.n_iter_ < 1000
    True
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: float = 10,
        tol: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        super().__init__()
        settings = checked(
            type(self).__name__,
            {"patience": PATIENCE, "tol": NOT_NEGATIVE, "restore_best": ["boolean"]},
            {"patience": patience, "tol": tol, "restore_best": restore_best},
        )
        self.monitor = monitor
        self.patience: float = settings["patience"]
        self.tol: float = settings["tol"]
        self.restore_best: bool = settings["restore_best"]

    @property
    def _note(self) -> str:
        return f"EarlyStopping({self.monitor!r})"

    def on_training_begin(self, estimator: Any, trainer: TrainingRun) -> None:
        super().on_training_begin(estimator, trainer)
        if trainer.history:  # a network's begins with its first epoch
            check_monitor(trainer.history, self.monitor)
        is_score = self.monitor == "val_score"
        best = trainer.follow(self.patience, self.tol, is_score, self.restore_best)
        trainer.notes.setdefault(self._note, best)

    def on_epoch_end(self, estimator: Any, trainer: TrainingRun) -> bool:
        value = history_value(trainer.history, self.monitor)
        best: Best = trainer.notes[self._note]
        return best.observe(value, trainer.n_done, trainer.model)

    def on_training_end(self, estimator: Any, trainer: TrainingRun) -> None:
        """Bring the best weights back, or keep the rounds up to the best.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : TrainingRun
            The run.
        """
        super().on_training_end(estimator, trainer)
        trainer.keep_best(trainer.notes.pop(self._note))

    def check_booster(self, estimator: Any) -> None:
        """Accept boosters: those without a history refuse by themselves.

        Parameters
        ----------
        estimator : estimator
            The booster that is to be fitted.
        """
