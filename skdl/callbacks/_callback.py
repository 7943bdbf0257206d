"""What skdl's callbacks share."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from skdl._runs import TrainingRun

R = TypeVar("R", bound=TrainingRun)

STEPS = ("epoch", "tree")  # names of the tasks: of networks, of boosting


class TrainingCallback(Generic[R]):
    """A callback that keeps the trainer of each running fit.

    It acts on networks. One that also acts on gradient boosting accepts it in
    `check_booster`; rounds then are epochs, and a run of boosting a trainer.

    Clones of an estimator share their callbacks, and may be fitted at the same time:
    whatever a callback remembers of a run is kept in the run's own `notes`,
    which a checkpoint saves, too.
    """

    _for_boosters: ClassVar[str] = "Set it on a network."

    def __init__(self) -> None:
        self._trainers: dict[Any, R] = {}

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

    def on_training_begin(self, estimator: Any, trainer: R) -> None:
        """Take note of a run.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : TrainingRun
            The run.
        """
        self._trainers[trainer.task] = trainer

    def on_training_end(self, estimator: Any, trainer: R) -> None:
        """Forget a run.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : TrainingRun
            The run.
        """
        self._trainers.pop(trainer.task, None)

    def check_booster(self, estimator: Any) -> None:
        """Raise if the callback has nothing to act on.

        Parameters
        ----------
        estimator : estimator
            The booster that is to be fitted.

        Raises
        ------
        ValueError
            Unless the callback also acts on boosters.
        """
        raise ValueError(
            f"{type(self).__name__} acts on the weights of a network; "
            f"{type(estimator).__name__} has none. {self._for_boosters}"
        )

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
        run = self._trainers.get(context.parent)
        if run is None:
            return False
        return context.task_name in STEPS and self.on_epoch_end(estimator, run)

    def on_epoch_end(self, estimator: Any, trainer: R) -> bool:
        """End an epoch, or a round of boosting.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : TrainingRun
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


def history_value(history: dict[str, list[float]], monitor: str) -> float:
    """Return the newest entry of the history.

    Parameters
    ----------
    history : dict of str to list of float
        The curves so far.
    monitor : str
        The entry's name.

    Returns
    -------
    value : float
        Its value in the epoch or round that has just ended.

    Raises
    ------
    ValueError
        If there is no such entry; the message lists those there are.
    """
    check_monitor(history, monitor)
    return history[monitor][-1]


def check_monitor(history: dict[str, list[float]], monitor: str) -> None:
    """Raise if the history has no such entry.

    Parameters
    ----------
    history : dict of str to list of float
        The curves.
    monitor : str
        The entry's name.

    Raises
    ------
    ValueError
        The message lists the entries there are.
    """
    if monitor not in history:
        raise ValueError(
            f"The history has no {monitor!r}, only {', '.join(history)}. Validation "
            "entries need X_val and y_val, or rows held out by early_stopping=True "
            "(networks) or n_iter_no_change (boosting)."
        )
