"""What skdl's own callbacks may do to a booster, besides scikit-learn's protocol.

A callback that needs more than the hooks of a task defines

* ``check_booster(estimator)``, called before any work: it raises where the callback
  has nothing to act on;
* ``on_training_begin(estimator, run)`` and ``on_training_end(estimator, run)``: they
  see the run itself, its history and its ensemble;
* ``resume_run(estimator)``: returns the `SavedRun` to go on with, or None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from skdl._best import Best
from skdl._compat import BaseEstimator, callbacks_of
from skdl._runs import KeptRun


@dataclass
class SavedRun(KeptRun):
    """A run of gradient boosting as a callback keeps it.

    Parameters
    ----------
    best : Best
        Its early stopping.
    notes : dict
        What callbacks remember of the run.
    estimator : estimator
        Fitted as far as the run has come.
    is_whole : bool
        Whether more rounds would go on as if it had never stopped. Not if it ended for
        want of improvement, or keeps fewer rounds than were done.
    """

    best: Best = field(kw_only=True)
    estimator: Any
    is_whole: bool

    @property
    def goes_on(self) -> bool:
        return self.is_whole


def check_callbacks(estimator: BaseEstimator, follows: bool = True) -> None:
    """Raise if a callback of the estimator cannot act on it.

    Parameters
    ----------
    estimator : estimator
        A booster.
    follows : bool, default=True
        Whether the booster has runs that callbacks can follow.

    Raises
    ------
    ValueError
        If there is such a callback; the message says what to use instead.
    """
    for callback in callbacks_of(estimator):
        if not hasattr(callback, "check_booster"):
            continue
        callback.check_booster(estimator)
        if not follows:
            raise ValueError(
                f"{type(callback).__name__} cannot follow {type(estimator).__name__}, "
                "which has no history of losses and no warm_start. Choose n_estimators "
                "by the staged predictions, and keep the fitted model with joblib.dump."
            )
