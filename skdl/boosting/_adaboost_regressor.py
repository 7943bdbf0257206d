"""AdaBoost for real targets: AdaBoost.R2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from sklearn.metrics import r2_score

from skdl._compat import RegressorMixin, StrOptions
from skdl._settings import fit_context
from skdl._typing import Array
from skdl.boosting._adaboost.r2 import R2
from skdl.boosting._adaboost_base import BaseAdaBoost
from skdl.boosting._threads import threads_of
from skdl.targets import as_vector


class AdaBoostRegressor(RegressorMixin, BaseAdaBoost):
    """AdaBoost.R2: each learner gets a weighted bootstrap; the weighted median answers.

    With the errors e scaled to [0, 1] and their weighted mean ε, a learner gets the
    weight η·ln((1−ε)/ε), and each row's weight is multiplied by (ε/(1−ε))^(η(1−e))
    (Drucker 1997).

    Parameters
    ----------
    estimator : regressor, default=None
        The learner; None: histogram trees of `max_depth`. It needs no sample weights,
        as it learns from a bootstrap.
    n_estimators : int, default=50
        Most rounds; at least 1. They end early at ε = 0 or ε ≥ ½.
    learning_rate : float, default=1.0
        η, positive.
    loss : {"linear", "square", "exponential"}, default="linear"
        With residuals of size r, the largest of which is D, the scaled error e is r/D,
        its square, or 1 − exp(−r/D).
    max_depth : int, default=3
        Depth of the default trees.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns are categories: those of a categorical dtype of a DataFrame, none,
        a mask, column numbers or names. Where a column has more than 255, the
        rarest share a code; one not seen in `fit` is missing.
    n_jobs : int, default=None
        Threads of `fit` and of predictions, with joblib's meaning of negative numbers:
        −1 takes all processors. None takes what `skdl.set_config` says, which is all of
        them where nothing is said. Results do not depend on it.
    random_state : int, RandomState or None, default=None
        Seed of the bootstraps.
    verbose : int, default=0
        1 prints some rounds with their time, 2 all. For a progress bar call
        ``set_callbacks(sklearn.callback.ProgressBar())``.

    Attributes
    ----------
    estimators_ : list
        The learners: trees with `predict` and `tree_`, or fitted clones of `estimator`.
    estimator_weights_ : ndarray of shape (n_fitted,)
        Weight of each.
    estimator_errors_ : ndarray of shape (n_fitted,)
        ε of each.
    feature_importances_ : ndarray of shape (n_features,)
        Shares of the features, over the learners by their weight.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X had some.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdl import AdaBoostRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> AdaBoostRegressor(random_state=0).fit(X, y).predict(X[:2]).shape
    (2,)
    """

    _metric = staticmethod(r2_score)

    _parameter_constraints: dict[str, Any] = {
        **BaseAdaBoost._parameter_constraints,
        "loss": [StrOptions({"linear", "square", "exponential"})],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_estimators: int = 50,
        learning_rate: float = 1.0,
        loss: str = "linear",
        max_depth: int = 3,
        categorical_features: Any = "from_dtype",
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.loss = loss
        self.max_depth = max_depth
        self.categorical_features = categorical_features
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Boost.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows. NaN is a missing value, with the default trees.
        y : array-like of shape (n,)
            Real targets.
        sample_weight : array-like of shape (n,), default=None
            Weights; rows of weight 0 are left out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a setting is out of range, or a callback cannot act on
            AdaBoost. A model that was fitted before is then left as it was.
        """
        self._fit(X, y, sample_weight)
        return self

    def _clean_target(self, y: Any) -> Array:
        y = as_vector(y, np.float64)
        if not np.isfinite(y).all():
            raise ValueError("Input y contains NaN or infinity.")
        return y

    def _begin(
        self, X: Array, y: Array, weight: Array, random_state: np.random.RandomState
    ) -> R2:
        return R2(self, X, y, weight, random_state)

    def _learner_values(self, X: Array) -> Array:
        with threads_of(self):
            return np.hstack([row.values(X) for row in self._rounds])

    def _median(self, values: Array, weights: Array) -> Array:
        """The weighted median of the learners' predictions, row by row."""
        order = values.argsort(axis=1, kind="stable")
        running = np.cumsum(weights[order], axis=1)
        at = (running >= 0.5 * running[:, -1:]).argmax(axis=1)
        rows = np.arange(len(values))
        return values[rows, order[rows, at]]

    def predict(self, X: Any) -> Array:
        """Predict targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        y : float64 ndarray of shape (n,)
            Weighted medians of the learners.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        values = self._learner_values(self._checked(X))
        return self._median(values, self.estimator_weights_)

    def staged_predict(self, X: Any) -> Iterator[Array]:
        """Predict targets after each round.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Yields
        ------
        y : float64 ndarray of shape (n,)
            Predictions of the first rounds.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        values = self._learner_values(self._checked(X))
        for t in range(1, values.shape[1] + 1):
            yield self._median(values[:, :t], self.estimator_weights_[:t])
