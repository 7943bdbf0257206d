"""What boosters for classes share: labels in, labels and probabilities out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite

from skdl._compat import ClassifierMixin
from skdl._typing import Array
from skdl.targets import ClassTargets, as_vector


class BoostedClassifier(ClassifierMixin):
    """A classifier whose rounds add up to scores.

    A subclass gives the scores, of shape (n, k), after the last round (`_scores`) and
    after each (`_staged_scores`), and says what they mean (`_decisions`,
    `_probabilities`).
    """

    _targets: ClassTargets

    # ---- what a subclass defines

    def _scores(self, X: Any) -> Array:
        raise TypeError(f"{type(self).__name__} must define _scores.")

    def _staged_scores(self, X: Any) -> Iterator[Array]:
        raise TypeError(f"{type(self).__name__} must define _staged_scores.")

    def _decisions(self, scores: Array) -> Array:
        """One number a row for two classes, else one for each class."""
        raise TypeError(f"{type(self).__name__} must define _decisions.")

    def _probabilities(self, scores: Array) -> Array:
        raise TypeError(f"{type(self).__name__} must define _probabilities.")

    # ---- targets

    def _codes(self, y: Any, first: bool) -> Array:
        """Return labels as class codes; those seen first are the classes."""
        y = as_vector(y)
        assert_all_finite(y, input_name="y")
        if first:
            self._targets = ClassTargets.of(y)
        return self._targets.codes(y)

    @property
    def classes_(self) -> Array:
        """The class labels."""
        return self._targets.classes

    @property
    def n_classes_(self) -> int:
        """Number of classes."""
        return len(self.classes_)

    def _check_kept_target(self, y: Array) -> None:
        n_kept = len(np.unique(y))
        if n_kept < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes among the rows of "
                f"positive weight, got {n_kept} class."
            )

    # ---- prediction

    def _labels(self, scores: Array) -> Array:
        decisions = self._decisions(scores)
        if decisions.ndim == 1:
            return self.classes_[(decisions > 0).astype(np.intp)]
        return self.classes_[decisions.argmax(axis=1)]

    def predict(self, X: Any) -> Array:
        """Predict class labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        y : ndarray of shape (n,)
            Labels.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        scores = self._scores(X)
        return self._labels(scores)

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        probabilities : float64 ndarray of shape (n, n_classes)
            In the order of `classes_`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        scores = self._scores(X)
        return self._probabilities(scores)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of the probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        log_probabilities : float64 ndarray of shape (n, n_classes)
            In the order of `classes_`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        return np.log(self.predict_proba(X))

    def staged_decision_function(self, X: Any) -> Iterator[Array]:
        """Return the decision function after each round.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Yields
        ------
        decisions : float64 ndarray of shape (n,) or (n, n_classes)
            Those of the first rounds.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        for scores in self._staged_scores(X):
            yield self._decisions(scores.copy())

    def staged_predict(self, X: Any) -> Iterator[Array]:
        """Predict class labels after each round.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Yields
        ------
        y : ndarray of shape (n,)
            Labels of the first rounds.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        for scores in self._staged_scores(X):
            yield self._labels(scores)

    def staged_predict_proba(self, X: Any) -> Iterator[Array]:
        """Return the probabilities after each round.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Yields
        ------
        probabilities : float64 ndarray of shape (n, n_classes)
            Those of the first rounds.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        for scores in self._staged_scores(X):
            yield self._probabilities(scores)
