"""The way of the weights through training."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.callbacks._callback import TrainingCallback
from skdl.training import Trainer

_NOTE = "RecordPath"


class RecordPath(TrainingCallback[Trainer]):
    """Note the weights at the start and after epochs, for `LossSurfaceDisplay`.

    All weights that learn are kept, in double precision, for each epoch that is noted:
    n_epochs / every × n_parameters × 8 bytes.

    Parameters
    ----------
    every : int, default=1
        Note the weights after each so many epochs, and at the end.

    Attributes
    ----------
    path_ : ndarray of shape (n_points, n_parameters)
        The weights of the latest fit, in the order of ``network_.params``.

    Raises
    ------
    ValueError
        If `every` is less than 1; in fit, if the estimator is a booster.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdl import MLPClassifier
    >>> from skdl.callbacks import RecordPath
    >>> X, y = load_iris(return_X_y=True)
    >>> record = RecordPath()
    >>> net = MLPClassifier((5,), optimizer="lbfgs", alpha=1.0, random_state=0)
    >>> net = net.set_callbacks(record).fit(X, y)
    >>> record.path_.shape == (net.n_iter_ + 1, net.network_.params.size)
    True
    """

    _for_boosters = "Remove it."

    def __init__(self, every: int = 1) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"every must be at least 1, got {every}.")
        self.every = every

    def on_training_begin(self, estimator: Any, trainer: Trainer) -> None:
        super().on_training_begin(estimator, trainer)
        if _NOTE not in trainer.state.notes:
            trainer.state.notes[_NOTE] = [_weights(trainer)]

    def on_epoch_end(self, estimator: Any, trainer: Trainer) -> bool:
        if trainer.state.epoch % self.every == 0:
            trainer.state.notes[_NOTE].append(_weights(trainer))
        return False

    def on_training_end(self, estimator: Any, trainer: Trainer) -> None:
        """Make the path of the run.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : Trainer
            The run.
        """
        super().on_training_end(estimator, trainer)
        points = trainer.state.notes.pop(_NOTE)
        last = _weights(trainer)  # those of the best epoch, where they came back
        if not np.array_equal(points[-1], last):
            points.append(last)
        self.path_ = np.array(points)


def _weights(trainer: Trainer) -> Array:
    return trainer.theta.astype(np.float64)
