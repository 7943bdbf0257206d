"""Learners of AdaBoost that are not skdl's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.boosting._learners.rounds import EstimatorRound


class Single(EstimatorRound):
    """A fitted estimator, the only learner of its round.

    Parameters
    ----------
    learner : estimator
        The estimator.
    """

    def __init__(self, learner: Any) -> None:
        super().__init__([learner])

    @property
    def learner(self) -> Any:
        """The estimator."""
        return self.learners[0]


class Voter(Single):
    """A fitted classifier.

    Parameters
    ----------
    learner : classifier
        The classifier.
    classes : ndarray of shape (n_classes,)
        All labels, sorted; it may have seen fewer.
    """

    def __init__(self, learner: Any, classes: Array) -> None:
        super().__init__(learner)
        self.classes = classes

    def codes(self, X: Array) -> Array:
        """Return class codes.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        codes : int64 ndarray of shape (n,)
            Positions in `classes`.
        """
        return np.searchsorted(self.classes, self.learner.predict(X))
