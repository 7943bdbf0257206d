"""Against scikit-learn's boosters and a loop of ten lines."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    make_friedman1,
    make_regression,
)
from sklearn.ensemble import GradientBoostingRegressor as ExactRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from skdl import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    config_context,
    losses,
)
from skdl.boosting._gradients.derivatives import derivatives


@pytest.fixture(autouse=True)
def one_thread():
    """Keep scikit-learn's threads from waiting for each other on tiny data."""
    with threadpool_limits(1):
        yield


SETTINGS = {"max_leaf_nodes": 15, "min_samples_leaf": 10, "l2_regularization": 0.5}
DATA = {
    "iris": (load_iris(return_X_y=True), "classifier"),
    "cancer": (load_breast_cancer(return_X_y=True), "classifier"),
    "diabetes": (load_diabetes(return_X_y=True), "regressor"),
    "linear": (make_regression(500, 10, noise=10.0, random_state=0), "regressor"),
    "friedman": (make_friedman1(500, random_state=0), "regressor"),
}


@pytest.mark.parametrize("growth", [{"max_depth": None}, {"max_depth": 4}])
@pytest.mark.parametrize("name", DATA)
def test_scores_of_hist_gradient_boosting(name, growth):
    (X, y), kind = DATA[name]
    classes = y if kind == "classifier" else None
    X, X_new, y, y_new = train_test_split(
        X, y, test_size=0.4, stratify=classes, random_state=0
    )
    ours, theirs = {
        "classifier": (GradientBoostingClassifier, HistGradientBoostingClassifier),
        "regressor": (GradientBoostingRegressor, HistGradientBoostingRegressor),
    }[kind]
    settings = {**SETTINGS, **growth}
    ours = ours(n_estimators=60, **settings).fit(X, y)
    theirs = theirs(max_iter=60, early_stopping=False, **settings).fit(X, y)
    assert ours.score(X_new, y_new) == pytest.approx(
        theirs.score(X_new, y_new), abs=0.02
    )
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=0.01)


X, Y = load_diabetes(return_X_y=True)
LOSSES = {
    "squared_error": ("squared_error", {}),
    "absolute_error": ("absolute_error", {}),
    "poisson": ("poisson", {}),
    "gamma": ("gamma", {}),
    "quantile": (losses.Quantile(0.8), {"quantile": 0.8}),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_hist_gradient_boosting(name):
    loss, more = LOSSES[name]
    settings = {"max_depth": 3, "min_samples_leaf": 10}
    ours = GradientBoostingRegressor(loss=loss, n_estimators=40, **settings).fit(X, Y)
    theirs = HistGradientBoostingRegressor(
        loss=name, max_iter=40, early_stopping=False, **settings, **more
    ).fit(X, Y)
    function = ours.loss_function_
    raw = function.link(theirs.predict(X)[:, None])
    # Signs of residuals as gradients make many splits nearly tie.
    margin = 0.03 if function.has_leaf_value else 0.01
    assert ours.train_score_[-1] == pytest.approx(function(Y[:, None], raw), rel=margin)
    distance = np.abs(ours.predict(X) - theirs.predict(X)).mean()
    assert distance < 4 * margin * Y.std()


@pytest.mark.parametrize("growth", [{"max_leaf_nodes": 31}, {"max_leaf_nodes": 8}])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_the_trees_of_hist_gradient_boosting(missing, growth):
    rng = np.random.default_rng(0)
    n = 3001  # so that no quantile falls on a row, where theirs are rounded
    X = rng.normal(size=(n, 6))  # more values than bins
    y = X[:, 0] * X[:, 1] + np.sin(3.0 * X[:, 2]) + 0.3 * rng.normal(size=n)
    X[rng.random(X.shape) < missing] = np.nan
    settings = {"min_samples_leaf": 20, "max_depth": None, **growth}
    ours = GradientBoostingRegressor(n_estimators=30, **settings).fit(X, y)
    theirs = HistGradientBoostingRegressor(
        max_iter=30, early_stopping=False, **settings
    ).fit(X, y)
    # Their gradients are float32.
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=0, atol=1e-6)


def test_exact_trees_where_each_value_has_a_bin():
    X = np.round(np.random.default_rng(0).normal(size=(200, 4)), 1)
    y = X[:, 0] * X[:, 1] + np.random.default_rng(1).normal(size=200)
    settings = {"n_estimators": 20, "learning_rate": 0.3, "max_depth": 3}
    ours = GradientBoostingRegressor(**settings).fit(X, y)
    theirs = ExactRegressor(**settings, random_state=0).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_one_full_tree_reproduces_the_data(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(300, 4)), rng.normal(size=300)
    X[:, 0] = rng.permutation(300) // 2  # 150 pairs of equal values
    model = GradientBoostingRegressor(
        n_estimators=1, learning_rate=1.0, max_depth=None
    ).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-12, atol=1e-12)
    assert model.train_score_[-1] < 1e-24


# ---- the textbook's algorithm with any regressor

BASES = {
    "tree": DecisionTreeRegressor(max_depth=2, random_state=0),
    "drawn tree": DecisionTreeRegressor(max_depth=2, max_features=2, random_state=1),
    "ridge": Ridge(10.0),
}
TEXTBOOK = {
    "squared_error": (GradientBoostingRegressor, losses.SquaredError(), Y),
    "absolute_error": (GradientBoostingRegressor, losses.AbsoluteError(), Y),
    "poisson": (GradientBoostingRegressor, losses.Poisson(), Y / 50),
    "exponential": (GradientBoostingClassifier, losses.Exponential(), Y > 140),
    # No class is rare: two features that set the same few rows apart gain the same, but
    # for rounding.
    "log_loss": (
        GradientBoostingClassifier,
        losses.CrossEntropy(),
        np.digitize(Y, [90, 150, 210]),
    ),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("loss", TEXTBOOK)
def test_textbook_algorithm(loss, base, weighted):
    cls, function, y = TEXTBOOK[loss]
    base = BASES[base]
    w = np.random.default_rng(0).uniform(0.5, 2.0, size=len(y)) if weighted else None
    model = cls(
        loss=loss,
        estimator=base,
        optimizer="gd",
        learning_rate=0.2,
        n_estimators=6,
        random_state=0,
    )
    # The compiled gradients differ in last digits, on which a near tie of the learners'
    # splits may hang.
    with config_context(engine="numpy"):
        model.fit(X, y, w)

    classes, target = np.unique(y, return_inverse=True)
    if cls is GradientBoostingRegressor or len(classes) == 2:
        target = np.asarray(y, float)[:, None]
    a = np.tile(function.init_raw(target, w), (len(y), 1))
    for t in range(6):
        residual = -function.gradient(target, a)
        for j in range(a.shape[1]):
            b = clone(model.estimators_[t][j])  # each has a seed of its own
            b = b.fit(X, residual[:, j], sample_weight=w)
            a[:, j] += 0.2 * b.predict(X)
    np.testing.assert_allclose(model.ensemble_.raw(X), a, rtol=1e-12, atol=1e-12)
    d = derivatives(model.loss_function_, target, a, w, {})
    assert model.train_score_[-1] == pytest.approx(d.loss, rel=1e-12)


def test_a_base_learner_without_weights():
    model = GradientBoostingRegressor(estimator=SVR(), n_estimators=3).fit(X, Y)
    assert model.score(X, Y) > 0
    with pytest.raises(AttributeError, match="feature_importances_"):
        _ = model.feature_importances_
    with pytest.raises(ValueError, match="apply"):
        model.apply(X)


@pytest.mark.parametrize("seed", [None, 3])
def test_base_learners_draw_anew_in_each_round(seed):
    base = DecisionTreeRegressor(max_depth=3, max_features=1, random_state=seed)
    model = GradientBoostingRegressor(estimator=base, n_estimators=4)
    fits = [clone(model).set_params(random_state=s).fit(X, Y) for s in (0, 0, 1)]
    one, same, other = (model.predict(X) for model in fits)
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    seeds = [tree.random_state for (tree,) in fits[0].estimators_]
    assert len(set(seeds)) == 4
    assert base.random_state == seed
    assert fits[0].feature_importances_.sum() == pytest.approx(1.0)


def test_counts_of_many_magnitudes_are_learned_like_in_scikit_learn():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(20_000, 3))
    mean = np.exp(2.0 * (X[:, 0] + np.sin(2.0 * X[:, 1]) * X[:, 2]))
    y = rng.poisson(mean).astype(float)
    settings = {"loss": "poisson", "max_leaf_nodes": 31}
    peer = HistGradientBoostingRegressor(
        max_iter=50, early_stopping=False, **settings
    ).fit(X, y)
    model = GradientBoostingRegressor(
        n_estimators=50, min_samples_leaf=20, max_depth=None, **settings
    ).fit(X, y)

    def error(fitted):
        return np.median(np.abs(np.log(fitted.predict(X) / mean)))

    assert error(model) < 1.2 * error(peer)
