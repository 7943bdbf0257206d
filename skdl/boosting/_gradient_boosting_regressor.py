"""Gradient boosting for real targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils import check_array

from skdl import losses
from skdl._compat import RegressorMixin
from skdl._request import Request
from skdl._settings import fit_context
from skdl._typing import Array
from skdl.boosting._base import BaseGradientBoosting
from skdl.losses import Loss
from skdl.optimizers import Optimizer
from skdl.schedules import Schedule
from skdl.targets import RealTargets


class GradientBoostingRegressor(RegressorMixin, BaseGradientBoosting):
    """Gradient boosting of histogram trees for real targets and any loss.

    Boosting is gradient descent in function space: starting from the best constant,
    every round fits learners to minus the gradient of the loss at the predictions so
    far, and takes a step along them (Friedman 2001). The trees are grown on binned
    features (Ke et al. 2017).

    Parameters
    ----------
    loss : str, Loss or callable, default="squared_error"
        "squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma", an
        instance such as ``Quantile([0.1, 0.5, 0.9])``, or a function
        ``f(y, raw) -> (loss, gradient[, hessian])``.
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
        leaf for every 150, at most 31, best leaf first. Small trees win on few rows and
        large ones on many; `skdl.boosting._learners.tree_size` has the measurements.
    min_samples_split : int, default=2
        Fewest rows of a node that is split.
    min_samples_leaf : int, default=1
        Fewest rows of a leaf.
    min_child_weight : float, default=1e-3
        Smallest sum of Hessians of a leaf with ``optimizer="newton"`` and a loss whose
        Hessian varies (Poisson, gamma, one of your own); times the mean weight of rows,
        and for your own the mean Hessian, where these are below 1. All else looks at
        `min_samples_leaf` alone.
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
        None takes the best constant. Predictions that the loss does not allow are
        replaced by the nearest of those on the training rows.
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
    n_outputs_ : int
        Columns of y.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdl import GradientBoostingRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = GradientBoostingRegressor(random_state=0).fit(X, y)
    >>> model.predict(X[:3]).shape
    (3,)
    """

    _registries = {
        **BaseGradientBoosting._registries,
        "loss": losses.for_task("regression"),
    }

    _targets: RealTargets

    @property
    def n_outputs_(self) -> int:
        """Columns of y."""
        return self._targets.raw_shape[0]

    def __init__(
        self,
        *,
        loss: str | Loss | Callable[..., Any] = "squared_error",
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
        y : array-like of shape (n,) or (n, n_outputs)
            Real targets.
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
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        y = RealTargets.clean(y)
        if first:
            self._targets = RealTargets.of(y)
        return self._targets.encode(y, np.float64)

    def _task_loss(self) -> Loss:
        return self._registries["loss"].get(self.loss).settled()

    def _encode(self, y: Array, loss: Loss) -> Array:
        return y

    def _n_raw(self, loss: Loss) -> int:
        return loss.n_raw_for_targets(self.n_outputs_)

    def _decode(self, y: Array) -> Array:
        return self._targets.decode(y)

    def _values(self, raw: Array) -> Array:
        values = self.loss_function_.inverse_link(raw)
        return values[:, 0] if values.shape[1] == 1 else values

    def predict(self, X: Any) -> Array:
        """Predict targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        y : float64 ndarray of shape (n,) or (n, n_outputs)
            Predictions; with several quantiles a column for each.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        raw = self._raw_prediction(X)
        return self._values(raw)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R², or with several quantiles the mean of their D².

        D² is the share of the pinball loss that the model saves over the best constant,
        the empirical quantile (`sklearn.metrics.d2_pinball_score`): as R² it is at most
        1, and 0 for a model that knows nothing.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,) or (n, n_outputs)
            True targets.
        sample_weight : array-like of shape (n,), default=None
            Weights.

        Returns
        -------
        score : float
            R² of the predictions, averaged over outputs; or the mean of D² over the
            quantiles.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`, or `y` or the weights have
            another length.
        """
        prediction = self.predict(X)
        levels = np.ravel(getattr(self.loss_function_, "quantile", ()))
        if len(levels) < 2:
            return float(r2_score(y, prediction, sample_weight=sample_weight))
        scores = [
            d2_pinball_score(y, column, sample_weight=sample_weight, alpha=float(level))
            for level, column in zip(levels, prediction.T, strict=True)
        ]
        return float(np.mean(scores))

    def staged_predict(self, X: Any) -> Iterator[Array]:
        """Predict targets after each round.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.

        Yields
        ------
        y : float64 ndarray of shape (n,) or (n, n_outputs)
            Predictions of the first rounds.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns of X are not those of `fit`.
        """
        for raw in self._staged_raw(X):
            yield self._values(raw.copy())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
