"""What skdl's callbacks share."""

from __future__ import annotations

from typing import Any

from skdl.training import Trainer


class TrainingCallback:
    """A callback that keeps the trainer of each running fit.

    Clones of an estimator share their callbacks, and may be fitted at the same time:
    whatever a callback remembers of a run is kept in the run's own `state.notes`,
    which a checkpoint saves, too.
    """

    def __init__(self) -> None:
        self._trainers: dict[Any, Trainer] = {}

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin a fit.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        context : CallbackContext
            Its root task.
        """

    def teardown(self, estimator: Any, context: Any) -> None:
        """End a fit.

        Parameters
        ----------
        estimator : estimator
            The estimator that was fitted.
        context : CallbackContext
            Its root task.
        """
        for task in context:  # those of runs that failed
            self._trainers.pop(task, None)

    def on_training_begin(self, estimator: Any, trainer: Trainer) -> None:
        """Take note of a run.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : Trainer
            The run.
        """
        self._trainers[trainer.task] = trainer

    def on_training_end(self, estimator: Any, trainer: Trainer) -> None:
        """Forget a run.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : Trainer
            The run.
        """
        self._trainers.pop(trainer.task, None)

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Begin a task.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        context : CallbackContext
            The task.
        """

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        """End a task.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        context : CallbackContext
            The task.

        Returns
        -------
        stop : bool
            Whether training is to stop.
        """
        trainer = self._trainers.get(context.parent)
        if context.task_name != "epoch" or trainer is None:
            return False
        return self.on_epoch_end(estimator, trainer)

    def on_epoch_end(self, estimator: Any, trainer: Trainer) -> bool:
        """End an epoch.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : Trainer
            The run.

        Returns
        -------
        stop : bool
            Whether training is to stop.
        """
        return False

    def __getstate__(self) -> dict[str, Any]:
        # A trainer belongs to the process it runs in.
        return {**self.__dict__, "_trainers": {}}


def history_value(trainer: Trainer, monitor: str) -> float:
    """Return the newest entry of the history.

    Parameters
    ----------
    trainer : Trainer
        The run.
    monitor : str
        The entry's name.

    Returns
    -------
    value : float
        Its value in the epoch that has just ended.

    Raises
    ------
    ValueError
        If there is no such entry; the message lists those there are.
    """
    history = trainer.state.history
    if monitor not in history:
        raise ValueError(
            f"The history has no {monitor!r}, only {', '.join(history)}. Validation "
            "entries need X_val and y_val, or early_stopping=True."
        )
    return history[monitor][-1]
