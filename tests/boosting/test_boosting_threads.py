"""n_jobs: how many threads, and never another result."""

import numpy as np
import pytest
from joblib import cpu_count, parallel_config
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.datasets import load_diabetes
from sklearn.tree import DecisionTreeRegressor

import skdl
from skdl import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    losses,
)
from skdl._config import n_threads

X, Y = load_diabetes(return_X_y=True)
LABELS = np.digitize(Y, [100, 200])
MODELS = {
    "regression": (GradientBoostingRegressor(n_estimators=6, subsample=0.7), Y),
    "classes": (GradientBoostingClassifier(n_estimators=6, max_features=0.5), LABELS),
    "ada classes": (AdaBoostClassifier(n_estimators=6), LABELS),
    "ada regression": (AdaBoostRegressor(n_estimators=6), Y),
}
ENGINES = ["numpy", "numba"] if skdl._config.has_numba() else ["numpy"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", MODELS)
def test_results_do_not_depend_on_it(case, engine):
    model, y = MODELS[case]
    found = []
    with skdl.config_context(engine=engine):
        for n_jobs in (None, 1, 2, 3, -1, np.int64(2)):
            fitted = clone(model).set_params(n_jobs=n_jobs, random_state=0).fit(X, y)
            stages = np.stack([stage.copy() for stage in fitted.staged_predict(X)])
            raw = getattr(fitted, "decision_function", fitted.predict)(X)
            found.append((fitted.predict(X), stages, raw))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


SEARCHED = {
    "quantiles": ({"loss": losses.Quantile([0.1, 0.5, 0.9])}, Y),
    "absolute error of two": ({"loss": "absolute_error"}, np.c_[Y, -X[:, 0]]),
    "shared trees": ({"loss": "huber", "shared_trees": True}, np.c_[Y, 300 * X[:, 0]]),
    "constrained": ({"loss": "quantile", "monotonic_cst": [0, 0, 1, *[0] * 7]}, Y),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", SEARCHED)
def test_leaves_that_are_searched_in_pieces_have_the_same_values(
    case, weighted, monkeypatch
):
    settings, y = SEARCHED[case]
    weight = np.random.default_rng(0).random(len(X)) if weighted else None
    found = []
    for piece, few, n_jobs in ((1, 0, 2), (100, 0, 2), (100, 0, 1), (10**9, 10**9, 2)):
        monkeypatch.setattr("skdl.boosting._gradients.leaf_values.PIECE", piece)
        monkeypatch.setattr("skdl.boosting._learners.trees.FEW", few)
        model = GradientBoostingRegressor(n_estimators=5, n_jobs=n_jobs, **settings)
        found.append(model.fit(X, y, weight).predict(X))
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


class Spy(RegressorMixin, BaseEstimator):
    """A learner that notes how many threads it may take."""

    seen: list = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append(("fit", n_threads()))
        self.tree = DecisionTreeRegressor(max_depth=1).fit(X, y, sample_weight)
        return self

    def predict(self, X):
        self.seen.append(("predict", n_threads()))
        return self.tree.predict(X)


def threads_seen(model, method, X=X):
    Spy.seen.clear()
    result = getattr(model, method)(X)
    if method.startswith("staged"):
        outside = [n_threads() for _ in result]
        assert outside == [n_threads()] * 3  # the caller's setting in between
    assert {what for what, _ in Spy.seen} == {"predict"}
    return {n for _, n in Spy.seen}


@pytest.mark.parametrize("kind", [GradientBoostingRegressor, AdaBoostRegressor])
@pytest.mark.parametrize(
    ("n_jobs", "expected"), [(1, 1), (3, 3), (-1, cpu_count()), (None, 5)]
)
def test_number_of_threads(kind, n_jobs, expected):
    model = kind(estimator=Spy(), n_estimators=3, n_jobs=n_jobs, random_state=0)
    with skdl.config_context(n_threads=5):
        Spy.seen.clear()
        model.fit(X, Y)
        assert {n for _, n in Spy.seen} == {expected}
        assert threads_seen(model, "predict") == {expected}
        assert threads_seen(model, "staged_predict") == {expected}
        assert n_threads() == 5


def test_all_but_some_processors():
    model = GradientBoostingRegressor(estimator=Spy(), n_estimators=1, n_jobs=-2)
    Spy.seen.clear()
    model.fit(X, Y)
    assert {n for _, n in Spy.seen} == {max(1, cpu_count() - 1)}


def test_the_default_ignores_joblibs_setting():
    """It is set_config that says how many; joblib's number is one of processes."""
    model = GradientBoostingRegressor(estimator=Spy(), n_estimators=1)
    with skdl.config_context(n_threads=3), parallel_config(n_jobs=2):
        Spy.seen.clear()
        model.fit(X, Y)
    assert {n for _, n in Spy.seen} == {3}


@pytest.mark.parametrize("case", MODELS)
@pytest.mark.parametrize("n_jobs", [0, 1.5, "2"])
def test_what_is_no_number_of_threads(case, n_jobs):
    model, y = MODELS[case]
    with pytest.raises(ValueError, match="n_jobs"):
        clone(model).set_params(n_jobs=n_jobs).fit(X, y)


def test_a_failed_fit_leaves_the_setting():
    model = GradientBoostingRegressor(n_jobs=2, loss="nothing")
    before = n_threads()
    with pytest.raises(ValueError, match="nothing"):
        model.fit(X, Y)
    assert n_threads() == before


def test_it_can_be_changed_after_fit():
    model = GradientBoostingRegressor(estimator=Spy(), n_estimators=3).fit(X, Y)
    assert threads_seen(model.set_params(n_jobs=4), "predict") == {4}
