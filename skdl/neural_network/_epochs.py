"""Epochs as tasks of scikit-learn's callback protocol."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from skdl._compat import callbacks_of, keeps_runs, kept_run
from skdl.training import Data, TrainingState

if TYPE_CHECKING:
    from skdl.neural_network._trainable import Trainable


class EpochTasks:
    """One task an epoch, below the task of a whole run.

    Parameters
    ----------
    estimator : Trainable
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
        estimator: Trainable,
        context: Any,
        data: Data,
        attributes: Callable[[], dict[str, Any]],
    ) -> None:
        self._estimator = estimator
        self._context = context
        self._attributes = attributes
        self._epoch: Any = None
        weight = data.sample_weight
        self._data = {
            **what_callbacks_see(estimator, data),
            "metadata": {} if weight is None else {"sample_weight": weight},
        }

    def begin(self) -> None:
        """Begin the task of an epoch."""
        self._epoch = self._context.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def end(self) -> bool:
        """End the task of an epoch.

        Returns
        -------
        stop : bool
            Whether a callback wants training to stop.
        """
        return self._epoch.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=self._attributes,
            **self._data,
        )


def what_callbacks_see(estimator: Trainable, data: Data) -> dict[str, Any]:
    """Return the rows as hooks get them, with the names of their features.

    Parameters
    ----------
    estimator : Trainable
        The estimator that is being fitted.
    data : Data
        The rows it trains on.

    Returns
    -------
    seen : dict
        Keys "X" and "y".
    """
    X, names = data.X, getattr(estimator, "feature_names_in_", None)
    if callbacks_of(estimator):
        X = estimator._rows_as_given(data)
    pandas = sys.modules.get("pandas")  # where the names came from, most likely
    same = names is not None and isinstance(X, np.ndarray) and X[:1].size == len(names)
    if same and pandas is not None:
        X = pandas.DataFrame(X.reshape(len(X), -1), columns=names, copy=False)
    return {"X": X, "y": data.target}


def saved_state(estimator: Trainable) -> TrainingState | None:
    """Return the unfinished run that a callback has kept, if there is one.

    Parameters
    ----------
    estimator : Trainable
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
    if estimator.n_init > 1:
        for callback in filter(keeps_runs, callbacks_of(estimator)):
            raise ValueError(
                f"{type(callback).__name__} keeps one run, but "
                f"n_init={estimator.n_init}; set n_init=1."
            )
    return kept_run(estimator, TrainingState)
