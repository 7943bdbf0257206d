"""Epochs as tasks of scikit-learn's callback protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skdl._compat import callbacks_of
from skdl.training import Data, Trainer, TrainingState


class EpochTasks:
    """One task an epoch, below the task of a whole run.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    context : CallbackContext
        The context of the run.
    data : Data
        The rows it trains on.
    attributes : callable
        Gives the fitted attributes of the estimator as it is now.
    """

    def __init__(
        self,
        estimator: Any,
        context: Any,
        data: Data,
        attributes: Callable[[], dict[str, Any]],
    ) -> None:
        self._estimator = estimator
        self._context = context
        self._attributes = attributes
        self._task: Any = None
        weight = {} if data.weight is None else {"sample_weight": data.weight}
        self._data = {"X": data.X, "y": data.target, "metadata": weight}

    def begin(self) -> None:
        """Begin the task of an epoch."""
        self._task = self._context.subcontext(task_name="epoch")
        self._task.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def end(self) -> bool:
        """End the task of an epoch.

        Returns
        -------
        stop : bool
            Whether a callback wants training to stop.
        """
        return self._task.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=self._attributes,
            **self._data,
        )


def call_optional_hook(estimator: Any, hook: str, trainer: Trainer) -> None:
    """Call skdl's own hooks, of those callbacks that have them.

    Besides scikit-learn's protocol a callback may define `on_training_begin` and
    `on_training_end`, both with (estimator, trainer): they see the loop itself, its
    optimizer and its weights.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    hook : {"on_training_begin", "on_training_end"}
        Name of the hook.
    trainer : Trainer
        The run.
    """
    # A checkpoint comes last: it saves what the others have done.
    for callback in sorted(callbacks_of(estimator), key=_keeps_runs):
        if hasattr(callback, hook):
            getattr(callback, hook)(estimator, trainer)


def _keeps_runs(callback: Any) -> bool:
    return hasattr(callback, "resume_state")


def saved_state(estimator: Any) -> TrainingState | None:
    """Return the unfinished run that a callback has kept, if there is one.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.

    Returns
    -------
    state : TrainingState or None
        Where to go on.

    Raises
    ------
    ValueError
        If there are several restarts: one file cannot hold them.
    """
    for callback in callbacks_of(estimator):
        if _keeps_runs(callback):
            if estimator.n_init > 1:
                raise ValueError(
                    f"{type(callback).__name__} keeps one run, but "
                    f"n_init={estimator.n_init}; set n_init=1."
                )
            return callback.resume_state(estimator)
    return None
