"""AdaBoost."""

import pickle

import numpy as np
import pytest
import sklearn.ensemble as reference
from sklearn.callback import ScoringMonitor
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    make_hastie_10_2,
)
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdl import AdaBoost, AdaBoostClassifier, AdaBoostRegressor, config_context

DATA = {
    "iris": load_iris(return_X_y=True),
    "cancer": load_breast_cancer(return_X_y=True),
    "digits": tuple(part[:500] for part in load_digits(return_X_y=True)),
}


def test_alias():
    assert AdaBoost is AdaBoostClassifier


@pytest.mark.parametrize("rate", [1.0, 0.5])
@pytest.mark.parametrize("name", DATA)
def test_samme_stage_by_stage(name, rate):
    X, y = DATA[name]
    stump = DecisionTreeClassifier(max_depth=1)
    settings = {"n_estimators": 12, "learning_rate": rate, "random_state": 0}
    ours = AdaBoostClassifier(stump, **settings).fit(X, y)
    theirs = reference.AdaBoostClassifier(stump, **settings).fit(X, y)
    np.testing.assert_allclose(ours.estimator_weights_, theirs.estimator_weights_)
    np.testing.assert_allclose(ours.estimator_errors_, theirs.estimator_errors_)
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_)
    for method in ("staged_decision_function", "staged_predict_proba"):
        pairs = zip(getattr(ours, method)(X), getattr(theirs, method)(X), strict=True)
        for one, other in pairs:
            np.testing.assert_allclose(one, other, atol=1e-12)
    for one, other in zip(
        ours.staged_predict(X), theirs.staged_predict(X), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_fast_stumps_choose_what_exact_stumps_choose(engine):
    X, y = DATA["iris"]  # few values: the bins are exact
    with config_context(engine=engine):
        fast = AdaBoostClassifier(n_estimators=8).fit(X, y)
    exact = AdaBoostClassifier(
        DecisionTreeClassifier(max_depth=1), n_estimators=8, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(
        fast.estimator_errors_[:2], exact.estimator_errors_[:2], rtol=1e-6
    )
    assert fast.score(X, y) >= exact.score(X, y) - 0.02


def test_bound_is_the_product_and_lies_above_the_error():
    X, y = make_hastie_10_2(2000, random_state=0)
    model = AdaBoostClassifier(n_estimators=100).fit(X, y)
    e = model.estimator_errors_
    product = np.cumprod(2 * np.sqrt(e * (1 - e)))
    np.testing.assert_allclose(model.training_error_bound_, product)
    errors = 1 - np.array(list(model.staged_score(X, y)))
    assert (errors <= model.training_error_bound_).all()
    assert errors[-1] < 0.15


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_bound_holds_for_several_classes_weights_and_rates(name, depth, rate):
    X, y = DATA[name]
    w = np.random.default_rng(0).random(len(y))
    model = AdaBoostClassifier(n_estimators=15, max_depth=depth, learning_rate=rate)
    model.fit(X, y, w)
    errors = [1 - score for score in model.staged_score(X, y, w)]
    assert (np.array(errors) <= model.training_error_bound_ + 1e-12).all()


@pytest.mark.parametrize("model", [AdaBoostClassifier, AdaBoostRegressor])
def test_staged_scores_want_a_target_for_each_row(model):
    X, y = next(iter(DATA.values()))
    fitted = model(n_estimators=2).fit(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        list(fitted.staged_score(X, y[:1]))


def test_last_stage_is_the_prediction():
    for X, y in DATA.values():
        model = AdaBoostClassifier(n_estimators=10, max_depth=2).fit(X, y)
        np.testing.assert_allclose(
            list(model.staged_decision_function(X))[-1],
            model.decision_function(X),
            atol=1e-12,
        )
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_range_of_decisions(n_classes):
    X = np.arange(36.0)[:, None]
    y = np.arange(36) // (36 // n_classes)
    tree = DecisionTreeClassifier()  # one full tree: all votes are for the true class
    models = [
        AdaBoostClassifier(max_depth=4),
        AdaBoostClassifier(tree),
        reference.AdaBoostClassifier(tree),
    ]
    if n_classes == 2:
        expected = np.where(y == 1, 2.0, -2.0)
    else:
        expected = np.where(y[:, None] == np.arange(n_classes), 1, -1 / (n_classes - 1))
    for model in models:
        np.testing.assert_allclose(model.fit(X, y).decision_function(X), expected)


def test_engines_and_threads_agree():
    X, y = make_hastie_10_2(3000, random_state=0)
    models = []
    for engine, k in (("numpy", 1), ("numba", 1), ("numba", 2)):
        with config_context(engine=engine, n_threads=k):
            models.append(AdaBoostClassifier(n_estimators=20).fit(X, y))
    for other in models[1:]:
        np.testing.assert_allclose(
            models[0].estimator_errors_, other.estimator_errors_, rtol=1e-9
        )
        np.testing.assert_array_equal(models[0].predict(X), other.predict(X))


def test_strings_missing_values_and_pickle():
    X, y = DATA["cancer"]
    X = X.copy()
    X[::7, 3] = np.nan
    labels = np.array(["no", "yes"])[y]
    model = AdaBoostClassifier(n_estimators=20).fit(X, labels)
    assert model.score(X, labels) > 0.95
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_perfect_learner_ends_it():
    X = np.arange(10.0)[:, None]
    model = AdaBoostClassifier(n_estimators=5).fit(X, X[:, 0] > 4)
    assert len(model.estimators_) == 1
    assert model.estimator_errors_.tolist() == [0.0]
    assert model.score(X, X[:, 0] > 4) == 1.0


def test_callbacks():
    X, y = DATA["iris"]
    monitor = ScoringMonitor(scoring="accuracy")
    model = AdaBoostClassifier(n_estimators=4).set_callbacks(monitor).fit(X, y)
    scores = [
        r["accuracy"] for r in monitor.get_logs().data if r["task_name"] == "tree"
    ]
    assert len(scores) == 4
    assert scores[-1] == pytest.approx(model.score(X, y))


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
def test_r2_equals_scikit_learns(loss):
    X, y = load_diabetes(return_X_y=True)
    base = DecisionTreeRegressor(max_depth=3)
    settings = {"n_estimators": 10, "loss": loss, "random_state": 0}
    ours = AdaBoostRegressor(base, **settings).fit(X, y)
    theirs = reference.AdaBoostRegressor(base, **settings).fit(X, y)
    n = len(ours.estimators_)
    np.testing.assert_allclose(ours.estimator_errors_, theirs.estimator_errors_[:n])
    np.testing.assert_allclose(ours.estimator_weights_, theirs.estimator_weights_[:n])
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X))
    for one, other in zip(
        ours.staged_predict(X), theirs.staged_predict(X), strict=True
    ):
        np.testing.assert_allclose(one, other)


def test_fast_r2():
    X, y = load_diabetes(return_X_y=True)
    model = AdaBoostRegressor(random_state=0).fit(X, y)
    assert model.score(X, y) > 0.5
    again = AdaBoostRegressor(random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))
    assert model.feature_importances_.sum() == pytest.approx(1.0)


def test_bad_input():
    X, y = DATA["iris"]
    with pytest.raises(ValueError, match="1 class"):
        AdaBoostClassifier().fit(X, np.zeros(150))
    with pytest.raises(ValueError, match="takes no sample_weight"):
        AdaBoostClassifier(KNeighborsClassifier()).fit(X, y)
    with pytest.raises(ValueError, match="zero"):
        AdaBoostClassifier().fit(X, y, np.zeros(150))
    with pytest.raises(ValueError, match="no better than chance"):
        AdaBoostClassifier().fit(np.ones((4, 1)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="Negative"):
        AdaBoostRegressor().fit(X, y, -np.ones(150))


@pytest.mark.parametrize("weighted", [False, True])
def test_staged_scores_of_the_regressor(weighted):
    X, y = load_diabetes(return_X_y=True)
    w = y if weighted else None
    model = AdaBoostRegressor(n_estimators=10, random_state=0).fit(X, y)
    scores = list(model.staged_score(X, y, sample_weight=w))
    assert len(scores) == len(model.estimators_)
    assert scores[-1] == pytest.approx(model.score(X, y, sample_weight=w))
    stages = [r2_score(y, p, sample_weight=w) for p in model.staged_predict(X)]
    np.testing.assert_allclose(scores, stages)


# ---- long steps


def check_finite(model, X):
    for name in ("weights", "errors"):
        assert np.isfinite(getattr(model, f"estimator_{name}_")).all()
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("rate", [3.0, 50.0, 1000.0])
@pytest.mark.parametrize("estimator", [None, DecisionTreeClassifier(max_depth=1)])
def test_long_steps_of_the_classifier_are_finite(rate, estimator):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5))
    y = (X[:, 0] + rng.normal(size=300) > 0).astype(int)
    settings = {"n_estimators": 60, "learning_rate": rate, "random_state": 0}
    model = AdaBoostClassifier(estimator, **settings).fit(X, y)
    check_finite(model, X)
    assert np.isfinite(model.training_error_bound_).all()
    assert np.isfinite(model.decision_function(X)).all()
    stages = zip(model.staged_predict(X), model.training_error_bound_, strict=True)
    assert all(bound >= (labels != y).mean() for labels, bound in stages)


@pytest.mark.parametrize("rate", [3.0, 50.0, 1000.0])
@pytest.mark.parametrize("estimator", [None, DecisionTreeRegressor(max_depth=3)])
def test_long_steps_of_the_regressor_are_finite(rate, estimator):
    X, y = load_diabetes(return_X_y=True)
    settings = {"n_estimators": 60, "learning_rate": rate, "random_state": 0}
    check_finite(AdaBoostRegressor(estimator, **settings).fit(X, y), X)
