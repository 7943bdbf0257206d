"""AdaBoost for classes: discrete AdaBoost and SAMME."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from skdl._settings import fit_context
from skdl._typing import Array
from skdl.boosting._adaboost.samme import Samme
from skdl.boosting._adaboost_base import BaseAdaBoost
from skdl.boosting._classification import BoostedClassifier
from skdl.boosting._learners.stumps import StumpClassifier, codes_of
from skdl.boosting._threads import on_threads_of, threads_of
from skdl.tree import Forest


class AdaBoostClassifier(BoostedClassifier, BaseAdaBoost):
    """AdaBoost: learners on rows weighted by how wrong the sum so far is about them.

    A learner of weighted error ε gets the weight α = η(ln((1−ε)/ε) + ln(K−1)) and
    multiplies the weights of the rows it gets wrong by e^α: SAMME (Zhu et al. 2009),
    which for K = 2 classes is discrete AdaBoost (Freund & Schapire 1997) with all α
    doubled. It descends the exponential bound of the 0/1 loss. Its probabilities are
    rough: the votes are for labels.

    Parameters
    ----------
    estimator : classifier, default=None
        Learner that takes sample weights; None: histogram trees of `max_depth`.
    n_estimators : int, default=50
        Most rounds; at least 1. They end early at a learner without error, or one that
        is no better than chance.
    learning_rate : float, default=1.0
        η, positive.
    max_depth : int, default=1
        Depth of the default trees; 1 makes stumps.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns are categories: those of a categorical dtype of a DataFrame, none,
        a mask, column numbers or names. Where a column has more than 255, the
        rarest share a code; one not seen in `fit` is missing.
    n_jobs : int, default=None
        Threads of `fit` and of predictions, with joblib's meaning of negative numbers:
        −1 takes all processors. None takes what `skdl.set_config` says, which is all of
        them where nothing is said. Results do not depend on it.
    random_state : int, RandomState or None, default=None
        Seed of the learners' draws.
    verbose : int, default=0
        1 prints some rounds with their time, 2 all. For a progress bar call
        ``set_callbacks(sklearn.callback.ProgressBar())``.

    Attributes
    ----------
    estimators_ : list
        The learners: trees with `predict` and `tree_`, or fitted clones of `estimator`.
    estimator_weights_ : ndarray of shape (n_fitted,)
        α of each.
    estimator_errors_ : ndarray of shape (n_fitted,)
        ε of each.
    training_error_bound_ : ndarray of shape (n_fitted,)
        An upper bound of the weighted training error after each round: for two classes
        and η = 1 it is Π 2√(ε(1−ε)), in general the mean of exp(−m), where m is half
        the weight of the learners that are right about a row less that of the others.
    feature_importances_ : ndarray of shape (n_features,)
        Shares of the features, over the learners by their weight.
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    n_classes_ : int
        Number of classes.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X had some.

    Examples
    --------
    >>> from sklearn.datasets import make_hastie_10_2
    >>> from skdl import AdaBoostClassifier
    >>> X, y = make_hastie_10_2(1000, random_state=0)
    >>> model = AdaBoostClassifier(n_estimators=100).fit(X, y)
    >>> bool((model.training_error_bound_[-1] >= 1 - model.score(X, y)))
    True
    """

    training_error_bound_: Array
    _vote_forest: Forest | None

    _metric = staticmethod(accuracy_score)

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_estimators: int = 50,
        learning_rate: float = 1.0,
        max_depth: int = 1,
        categorical_features: Any = "from_dtype",
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
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
            Class labels.
        sample_weight : array-like of shape (n,), default=None
            Weights; rows of weight 0 are left out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a setting is out of range, there are fewer than two classes,
            `estimator` takes no sample weights, its first learner is no better than
            chance, or a callback cannot act on AdaBoost. A model that was fitted before
            is then left as it was.
        """
        self._fit(X, y, sample_weight)
        if self.estimator is None:
            self._vote_forest = _vote_forest(self.estimators_, self.n_classes_)
        return self

    def _clean_target(self, y: Any) -> Array:
        return self._codes(y, first=True)

    def _begin(
        self, X: Array, y: Array, weight: Array, random_state: np.random.RandomState
    ) -> Samme:
        self._check_kept_target(y)
        if self.estimator is not None:
            self._check_takes_weights()
        return Samme(self, X, y, weight, random_state)

    # ---- prediction

    def _staged_scores(self, X: Any) -> Iterator[Array]:
        return on_threads_of(self, self._stages(X))

    def _stages(self, X: Any) -> Iterator[Array]:
        X = self._checked(X)
        n, k = X.shape[0], self.n_classes_
        votes, total = np.zeros((n, k)), 0.0
        rows = np.arange(n)
        for voter, alpha in zip(self._rounds, self.estimator_weights_, strict=True):
            # A vote counts 1 for its class and −1/(K−1) for the others.
            votes -= alpha / (k - 1)
            votes[rows, voter.codes(X)] += alpha * k / (k - 1)
            total += alpha
            yield votes / total

    def _scores(self, X: Any) -> Array:
        check_is_fitted(self, "estimators_")
        if self._vote_forest is None:
            *_, scores = self._staged_scores(X)  # the last
            return scores
        X = self._checked(X)
        votes = np.zeros((X.shape[0], self.n_classes_))
        with threads_of(self):
            self._vote_forest.add(X, votes, self.estimator_weights_)
        return votes / self.estimator_weights_.sum()

    def _decisions(self, scores: Array) -> Array:
        return scores[:, 1] - scores[:, 0] if self.n_classes_ == 2 else scores

    def _probabilities(self, scores: Array) -> Array:
        # The population minimiser of SAMME's loss: p ∝ exp(score / (K−1)).
        scores = scores / (self.n_classes_ - 1)
        scores -= scores.max(axis=1, keepdims=True)
        p = np.exp(scores)
        return p / p.sum(axis=1, keepdims=True)

    def decision_function(self, X: Any) -> Array:
        """Return the weighted mean of the votes.

        A vote counts 1 for its class and −1/(K−1) for each of the others.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        decisions : float64 ndarray of shape (n,) or (n, n_classes)
            For K > 2 classes the mean for each, in [−1/(K−1), 1]. For two classes one
            number, the mean for the second less that for the first: in [−2, 2].

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        scores = self._scores(X)
        return self._decisions(scores)


def _vote_forest(learners: list[StumpClassifier], n_classes: int) -> Forest:
    """Trees whose leaves hold votes: 1 for the class, −1/(K−1) for the others."""
    trees = []
    for learner in learners:
        tree = learner.tree_
        votes = np.full((len(tree.left), n_classes), -1.0 / (n_classes - 1))
        votes[np.arange(len(votes)), codes_of(tree.value)] = 1.0
        trees.append(type(tree)(**{**tree.__dict__, "value": votes}))
    return Forest(trees, [-1] * len(trees))
