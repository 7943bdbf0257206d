"""Gradient boosting for classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from skdl import losses
from skdl._compat import StrOptions
from skdl._request import Request
from skdl._settings import fit_context
from skdl._typing import Array
from skdl.boosting._base import BaseGradientBoosting
from skdl.boosting._classification import BoostedClassifier
from skdl.losses import Loss
from skdl.optimizers import Optimizer
from skdl.schedules import Schedule


class GradientBoostingClassifier(BoostedClassifier, BaseGradientBoosting):
    """Gradient boosting of histogram trees for two or more classes.

    Two classes need one tree a round, on the log-odds; more need a tree for each class
    (or one that they share), on the inputs of a softmax. Every round follows minus the
    gradient of the loss (Friedman 2001); the trees are grown on binned features (Ke et
    al. 2017).

    Parameters
    ----------
    loss : str, Loss or callable, default="log_loss"
        "log_loss" or "cross_entropy" for any number of classes, "exponential" and
        "binary_cross_entropy" for two, an instance, or a function
        ``f(y, raw) -> (loss, gradient[, hessian])`` of class codes and raw predictions
        of shape (n, n_classes).
    optimizer : str or Optimizer, default="newton"
        The step rule in function space: "newton" (second-order leaves; Friedman, Hastie
        & Tibshirani 2000), "gd" (plain fitting of residuals), "momentum", "nesterov"
        (accelerated boosting, Biau et al. 2018), "ema", or an instance. An optimizer
        whose step is no linear combination of gradients (Adam, RMSprop, …) is refused.
    learning_rate : float, str or Schedule, default=0.1
        The rate η, or a schedule for it such as "inverse" (η/k). None takes the
        optimizer's own. A step that would raise the training loss is halved until it
        does not; rules with memory first forget their earlier steps.
    n_estimators : int, default=100
        Rounds of boosting; at least 1.
    subsample : float, default=1.0
        Share of the rows that each round learns from, drawn without replacement
        (Friedman 2002); in (0, 1].
    estimator : regressor, default=None
        Learner instead of histogram trees: a clone is fitted to minus the gradient in
        every round, so that "newton" then is "gd"; every `random_state` in it gets a
        number of its own. The parameters of trees below are not used.
    max_leaf_nodes : int, default=None
        Most leaves of a tree, which then grows best leaf first. None: no limit.
    max_depth : int, "auto" or None, default="auto"
        Most splits between root and leaf. None: no limit. "auto": none where
        `max_leaf_nodes` is a number; else 3 for less than 1,200 rows, and for more a
        leaf for every 150, at most 31, best leaf first. Of the most common class no
        more rows count than there are others. Small trees win on few rows and large
        ones on many; `skdl.boosting._learners.tree_size` has the measurements.
    min_samples_split : int, default=2
        Fewest rows of a node that is split.
    min_samples_leaf : int, default=1
        Fewest rows of a leaf.
    min_child_weight : float, default=1e-3
        Smallest sum of Hessians of a leaf with ``optimizer="newton"``; times the mean
        weight of rows, where that is below 1. The Hessian of log-loss is p(1 − p): 1,
        as in XGBoost, keeps rows that are sure already from leaves of their own.
        Without effect with other step rules and with `estimator`.
    min_impurity_decrease : float, default=0.0
        Smallest gain of a split, divided by the sum of weights.
    l2_regularization : float, default=0.0
        λ in the leaf values −Σg/(Σh+λ).
    max_features : int, float, "sqrt", "log2" or None, default=None
        Features drawn anew for each split: a number, a share, or all.
    max_bins : int, default=255
        Most bins of a feature, and codes of a categorical one; 2 to 255. Missing values
        have a bin of their own besides. A row that weighs as much as a bin of others
        gets bins for itself.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns are categories: those of a categorical dtype of a DataFrame, none,
        a mask, column numbers or names. Where a column has more than `max_bins`, the
        rarest share a code; one not seen in fit is a missing value.
    monotonic_cst : array-like of int or dict, default=None
        1 (must not fall), −1 (must not rise) or 0 for each column or by name. Such
        trees cannot take back a step that went too far: keep learning_rate below 0.5.
    interaction_cst : "pairwise", "no_interactions" or list of lists, default=None
        Sets of columns that may meet on a path of a tree.
    shared_trees : bool, default=False
        Whether one tree with a value for each output (or class) in its leaves serves
        all of them, in place of a tree for each.
    init : "zero" or estimator, default=None
        What to start from: raw predictions of zero, or a model that is fitted first.
        None takes the best constant. Classes that the model has not seen are
        unlikely.
    warm_start : bool, default=False
        Whether `fit` goes on from the fitted rounds, also on new data. The step rule
        but for its rate, `shared_trees` and the link of the loss stay what they were.
    validation_fraction : float, default=0.1
        Share of the rows held out for early stopping, if no X_val is passed; in (0, 1).
    n_iter_no_change : int or np.inf, default=None
        Early stopping: rounds without improvement after which to stop; the best round
        is kept. None: all rounds are done and kept. ``np.inf``: all are done, those up
        to the best one kept.
    tol : float, default=1e-4
        Smallest improvement on the last one that stops the waiting.
    scoring : "loss", str or callable, default="loss"
        What is monitored on validation data: the loss, or a scorer, which gets X_val as
        it was passed.
    importance_type : {"gain", "split"}, default="gain"
        What `feature_importances_` measures: summed gains, or numbers of splits.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, times the sample weights. Rows held out for validation
        keep these weights in their loss and score; those of `X_val` have the weights of
        `sample_weight_val` alone.
    n_jobs : int, default=None
        Threads of `fit` and of predictions, with joblib's meaning of negative numbers:
        −1 takes all processors. None takes what `skdl.set_config` says, which is all of
        them where nothing is said. Results do not depend on it.
    random_state : int, RandomState or None, default=None
        Seed of all draws.
    verbose : int, default=0
        1 prints some rounds with their time, 2 all. For a progress bar call
        ``set_callbacks(sklearn.callback.ProgressBar())``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    ensemble_ : Ensemble
        The learners, the start and the rule that combines them.
    estimators_ : list of list
        The learners of each round: trees, or fitted clones of `estimator`.
    n_estimators_ : int
        Rounds that are kept.
    best_iteration_ : int
        The best round on validation data, from 1; the last where there are none.
    history_ : dict of str to list of float
        "loss", with validation data "val_loss", and with `scoring` "val_score", after
        each round; also after those that early stopping has dropped.
    train_score_ : ndarray of shape (n_rounds,)
        Mean training loss after each round, as in `history_`.
    validation_score_ : ndarray of shape (n_rounds,) or None
        What is monitored, after each round: a loss, or with `scoring` a score.
    feature_importances_ : ndarray of shape (n_features,)
        Shares of the features.
    loss_function_ : Loss
        The loss, in the form for the targets.
    max_features_ : int
        Features drawn for each split; all of them where `max_features` is None.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X had some.
    n_classes_ : int
        Number of classes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdl import GradientBoostingClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GradientBoostingClassifier(n_estimators=20, random_state=0).fit(X, y)
    >>> model.predict_proba(X[:2]).shape
    (2, 3)
    """

    _registries = {
        **BaseGradientBoosting._registries,
        "loss": losses.for_task("classification"),
    }

    _parameter_constraints: dict[str, Any] = {
        **BaseGradientBoosting._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        *,
        loss: str | Loss | Callable[..., Any] = "log_loss",
        optimizer: str | Optimizer = "newton",
        learning_rate: float | str | Schedule | None = 0.1,
        n_estimators: int = 100,
        subsample: float = 1.0,
        estimator: Any = None,
        max_leaf_nodes: int | None = None,
        max_depth: int | str | None = "auto",
        min_samples_split: int = 2,
        min_samples_leaf: int = 1,
        min_child_weight: float = 1e-3,
        min_impurity_decrease: float = 0.0,
        l2_regularization: float = 0.0,
        max_features: int | float | str | None = None,
        max_bins: int = 255,
        categorical_features: Any = "from_dtype",
        monotonic_cst: Any = None,
        interaction_cst: Any = None,
        shared_trees: bool = False,
        init: Any = None,
        warm_start: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: float | None = None,
        tol: float = 1e-4,
        scoring: Any = "loss",
        importance_type: str = "gain",
        class_weight: Any = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.n_estimators = n_estimators
        self.subsample = subsample
        self.estimator = estimator
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_child_weight = min_child_weight
        self.min_impurity_decrease = min_impurity_decrease
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.shared_trees = shared_trees
        self.init = init
        self.warm_start = warm_start
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.scoring = scoring
        self.importance_type = importance_type
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Boost.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows. NaN is a missing value.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), default=None
            Weights; rows of weight 0 are left out.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation rows.
        y_val : array-like, default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a setting is out of range, a callback cannot act on boosting,
            `warm_start` cannot go on, or the loss is not finite at the start. A model
            that was fitted before is then left as it was.
        TypeError
            If a loss that is a function does not return two or three arrays.

        Warns
        -----
        ConvergenceWarning
            If no step, however short, keeps the training loss from rising; the rounds
            so far are kept.
        """
        return self._fit(Request(X, y, sample_weight, X_val, y_val, sample_weight_val))

    def _clean_target(self, y: Any, first: bool) -> Array:
        return self._codes(y, first)

    def _class_weights(self, y: Array, weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return weight
        return self._targets.weights(self.class_weight, self.classes_[y], weight)

    def _stratify(self, y: Array) -> Array | None:
        counts = np.bincount(y)
        n_val = int(np.ceil(self.validation_fraction * len(y)))
        possible = counts[counts > 0].min() >= 2 and n_val >= len(counts)
        return y if possible else None

    def _task_loss(self) -> Loss:
        return (
            self._registries["loss"]
            .get(self.loss)
            .settled()
            .for_classes(self.n_classes_, False)
        )

    def _encode(self, y: Array, loss: Loss) -> Array:
        return self._targets.encode_codes(y, loss, np.float64)

    def _n_raw(self, loss: Loss) -> int:
        return loss.n_raw(self.n_classes_)

    def _decode(self, y: Array) -> Array:
        return self.classes_[y]

    def _shape_leaves(self, leaves: Array) -> Array:
        return leaves.reshape(len(leaves), -1, self.ensemble_.n_each)

    def _scores(self, X: Any) -> Array:
        return self._raw_prediction(X)

    def _staged_scores(self, X: Any) -> Iterator[Array]:
        return self._staged_raw(X)

    def _probabilities(self, scores: Array) -> Array:
        return self._targets.probabilities(self.loss_function_.inverse_link(scores))

    def _decisions(self, scores: Array) -> Array:
        if scores.shape[1] == 1:
            return scores[:, 0]
        return scores[:, 1] - scores[:, 0] if self.n_classes_ == 2 else scores

    def decision_function(self, X: Any) -> Array:
        """Return the raw predictions: log-odds, or the inputs of the softmax.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        decisions : float64 ndarray of shape (n,) or (n, n_classes)
            One-dimensional for two classes.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        raw = self._raw_prediction(X)
        return self._decisions(raw)
