"""Small trees as learners by themselves."""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.boosting._learners.rounds import TreeRound
from skdl.tree import Tree


class Stump(TreeRound):
    """A fitted tree as a learner by itself, and the only one of its round.

    Parameters
    ----------
    tree : Tree
        The tree.

    Attributes
    ----------
    tree_ : Tree
        The tree.
    """

    def __init__(self, tree: Tree) -> None:
        super().__init__([tree], tree.value.shape[1])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.tree_!r})"

    @property
    def tree_(self) -> Tree:
        """The tree."""
        return self.trees[0]

    @property
    def learner(self) -> Stump:
        """Itself: it can predict."""
        return self


class StumpClassifier(Stump):
    """A fitted tree that votes for one class in each leaf.

    Parameters
    ----------
    tree : Tree
        The tree; a leaf's values are the classes' scores.
    classes : ndarray of shape (n_classes,)
        The labels.

    Attributes
    ----------
    tree_ : Tree
        The tree.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    """

    def __init__(self, tree: Tree, classes: Array) -> None:
        super().__init__(tree)
        self.classes_ = classes

    def codes(self, X: Array) -> Array:
        """Return class codes.

        Parameters
        ----------
        X : float ndarray of shape (n, n_features)
            Rows.

        Returns
        -------
        codes : int64 ndarray of shape (n,)
            Positions in `classes_`.
        """
        return codes_of(self.values(X))

    def predict(self, X: Array) -> Array:
        """Predict class labels.

        Parameters
        ----------
        X : float ndarray of shape (n, n_features)
            Rows.

        Returns
        -------
        y : ndarray of shape (n,)
            Labels.
        """
        return self.classes_[self.codes(X)]


class StumpRegressor(Stump):
    """A fitted tree that predicts a mean in each leaf."""

    def predict(self, X: Array) -> Array:
        """Predict targets.

        Parameters
        ----------
        X : float ndarray of shape (n, n_features)
            Rows.

        Returns
        -------
        y : float64 ndarray of shape (n,)
            Predictions.
        """
        return self.values(X)[:, 0]


def codes_of(values: Array) -> Array:
    """Return the class that each row of leaf values votes for.

    Parameters
    ----------
    values : ndarray of shape (n, 1) or (n, n_classes)
        The sign of one column, or the greatest of several.

    Returns
    -------
    codes : int64 ndarray of shape (n,)
        Class codes.
    """
    if values.shape[1] == 1:
        return (values[:, 0] > 0).astype(np.int64)
    return values.argmax(axis=1)
