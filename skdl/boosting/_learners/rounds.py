"""What one round adds to the sum: its learners, and what is asked of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from skdl._typing import Array
from skdl.tree import Forest, Tree


class Round(Protocol):
    """The learners of one round.

    Attributes
    ----------
    learners : sequence
        One for each raw prediction, or one for all.
    trees : sequence of Tree
        The same where they are trees of skdl, else empty.
    columns : sequence of int
        The raw prediction that each tree serves; −1 for all.
    shared : bool
        Whether one learner serves several raw predictions.
    """

    @property
    def learners(self) -> Sequence[Any]: ...

    @property
    def trees(self) -> Sequence[Tree]: ...

    @property
    def columns(self) -> Sequence[int]: ...

    @property
    def shared(self) -> bool: ...

    def values(self, X: Array) -> Array:
        """Return what the learners give for rows, of shape (n, n_raw)."""

    def importances(self, n_features: int, kind: str) -> list[Array]:
        """Return what each learner says of each feature, of shape (n_features,)."""

    def sizes(self) -> dict[str, float]:
        """Return what a fit that reports its rounds prints of them."""


class TreeRound:
    """Trees of skdl.

    Parameters
    ----------
    trees : sequence of Tree
        One for each raw prediction, or one for all.
    n_raw : int
        Number of raw predictions.
    """

    def __init__(self, trees: Sequence[Tree], n_raw: int) -> None:
        self.trees = trees
        self.n_raw = n_raw

    @property
    def learners(self) -> Sequence[Tree]:
        """The trees."""
        return self.trees

    @property
    def shared(self) -> bool:
        """Whether one tree serves several raw predictions."""
        return len(self.trees) < self.n_raw

    @property
    def columns(self) -> Sequence[int]:
        """The raw prediction that each tree serves; −1 for all."""
        return [-1] if self.shared else list(range(self.n_raw))

    def values(self, X: Array) -> Array:
        """Return the values of the leaves that rows end in.

        Parameters
        ----------
        X : float ndarray of shape (n, n_features)
            Rows.

        Returns
        -------
        values : float64 ndarray of shape (n, n_raw)
            By row.
        """
        values = np.zeros((X.shape[0], self.n_raw))
        Forest(list(self.trees), list(self.columns)).add(
            X, values, np.ones(len(self.trees))
        )
        return values

    def importances(self, n_features: int, kind: str) -> list[Array]:
        """Return what each tree says of each feature.

        Parameters
        ----------
        n_features : int
            Number of columns.
        kind : {"gain", "split"}
            Sums of the splits' gains, or numbers of splits.

        Returns
        -------
        importances : list of float64 ndarray of shape (n_features,)
            Of each tree.
        """
        found = []
        for tree in self.trees:
            inner = tree.feature >= 0
            weights = tree.gain[inner] if kind == "gain" else None
            found.append(
                np.bincount(tree.feature[inner], weights=weights, minlength=n_features)
            )
        return found

    def sizes(self) -> dict[str, float]:
        """Return the number of leaves.

        Returns
        -------
        sizes : dict
            Of the key "leaves".
        """
        return {"leaves": sum(tree.n_leaves for tree in self.trees)}


class EstimatorRound:
    """Fitted regressors.

    Parameters
    ----------
    learners : sequence of regressors
        One for each raw prediction.
    """

    shared = False
    trees: Sequence[Tree] = ()
    columns: Sequence[int] = ()

    def __init__(self, learners: Sequence[Any]) -> None:
        self.learners = learners

    def values(self, X: Array) -> Array:
        """Return what the learners predict.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        values : float64 ndarray of shape (n, n_raw)
            By row.

        Raises
        ------
        ValueError
            If a learner gives more or fewer numbers than rows.
        """
        values = np.empty((X.shape[0], len(self.learners)))
        for j, learner in enumerate(self.learners):
            values[:, j] = predicted(learner, X)
        return values

    def importances(self, n_features: int, kind: str) -> list[Array]:
        """Return what each learner says of each feature.

        Parameters
        ----------
        n_features : int
            Number of columns.
        kind : {"gain", "split"}
            Has no part in it.

        Returns
        -------
        importances : list of ndarray of shape (n_features,)
            The learners' `feature_importances_`.

        Raises
        ------
        AttributeError
            If a learner has none.
        """
        for learner in self.learners:
            if not hasattr(learner, "feature_importances_"):
                raise AttributeError(
                    f"{type(learner).__name__} has no feature_importances_, so neither "
                    "has the ensemble; scikit-learn's permutation_importance works "
                    "with any."
                )
        return [learner.feature_importances_ for learner in self.learners]

    def sizes(self) -> dict[str, float]:
        """Return nothing: how large they are is not known.

        Returns
        -------
        sizes : dict
            Empty.
        """
        return {}


def predicted(learner: Any, X: Array) -> Array:
    """Return what a regressor predicts, as one number a row.

    Parameters
    ----------
    learner : regressor
        Fitted; it may return a column.
    X : {ndarray, sparse matrix} of shape (n, n_features)
        Rows.

    Returns
    -------
    y : float64 ndarray of shape (n,)
        Predictions.

    Raises
    ------
    ValueError
        If there are more or fewer numbers than rows.
    """
    values = np.asarray(learner.predict(X), dtype=np.float64)
    if values.shape not in ((X.shape[0],), (X.shape[0], 1)):
        raise ValueError(
            f"{type(learner).__name__}.predict returned an array of shape "
            f"{values.shape} for {X.shape[0]} rows; boosting needs one number a row."
        )
    return values.reshape(-1)
