"""Round by round: stages, samples, and where it starts."""

import numpy as np
import pytest
from boosters import RULES, TASKS, X, Y, fitted, made
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor

from skdl import GradientBoostingClassifier

# ---- stages


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("task", TASKS)
def test_the_last_stage_is_the_model(task, rule):
    cls, X, _ = TASKS[task]
    model = fitted(task, rule)
    names = ["predict"]
    if cls is GradientBoostingClassifier:
        names += ["predict_proba", "decision_function"]
    for name in names:
        stages = list(getattr(model, f"staged_{name}")(X))
        assert len(stages) == 8 == model.n_estimators_ == len(model.estimators_)
        last = getattr(model, name)(X)
        if last.dtype.kind == "f":
            np.testing.assert_allclose(stages[-1], last, rtol=1e-9)
        else:
            np.testing.assert_array_equal(stages[-1], last)
        assert not np.array_equal(stages[0], stages[-1]) or name == "predict"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("task", TASKS)
def test_a_stage_is_a_shorter_fit(task, rule):
    cls, X, _ = TASKS[task]
    name = "predict_proba" if cls is GradientBoostingClassifier else "predict"
    stage = list(getattr(fitted(task, rule), f"staged_{name}")(X))[4]
    short = fitted(task, rule, n_estimators=5)
    np.testing.assert_allclose(getattr(short, name)(X), stage, rtol=1e-9)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("task", TASKS)
def test_train_scores_are_the_losses_of_the_stages(task, rule):
    cls, X, y = TASKS[task]
    model = fitted(task, rule)
    loss = model.loss_function_
    target = np.asarray(y, float).reshape(len(y), -1) if task != "three classes" else y
    stages = [loss(target, stage) for stage in model.ensemble_.staged_raw(X)]
    np.testing.assert_allclose(model.train_score_, stages, rtol=1e-9)
    assert model.history_ == {"loss": list(model.train_score_)}
    assert model.validation_score_ is None
    if cls is GradientBoostingClassifier:
        expected = log_loss(y, model.predict_proba(X))
        assert model.train_score_[-1] == pytest.approx(expected)


# ---- subsample


@pytest.mark.parametrize("rule", ["newton", "own learners"])
def test_subsample_draws_without_replacement_anew_in_each_round(rule):
    model = fitted("regression", rule, subsample=0.3, max_depth=None)
    if rule == "newton":
        counts = [tree.n_node_samples[0] for (tree,) in model.estimators_]
    else:
        counts = [learner.tree_.n_node_samples[0] for (learner,) in model.estimators_]
    assert counts == [int(0.3 * 442)] * 8
    one, two = (
        learner.predict(X) if rule != "newton" else learner.threshold
        for (learner,) in model.estimators_[:2]
    )
    assert not np.array_equal(one, two, equal_nan=True)


def test_subsample_of_one_row():
    model = made("regression", subsample=0.01).fit(X[:20], Y[:20])
    assert {tree.n_leaves for (tree,) in model.estimators_} == {1}


# ---- where it starts


def test_zero_start():
    model = fitted("regression", init="zero", learning_rate=1.0, max_depth=None)
    assert model.ensemble_.baseline.tolist() == [0.0]
    np.testing.assert_allclose(model.predict(X), Y)


@pytest.mark.parametrize("weight", [None, np.linspace(0.5, 2, 442)])
def test_a_model_as_start(weight):
    model = made("regression", init=Ridge(), n_estimators=1).fit(X, Y, weight)
    ridge = Ridge().fit(X, Y, weight)
    rest = made("regression", init="zero", n_estimators=1).fit(
        X, Y - ridge.predict(X), weight
    )
    expected = ridge.predict(X) + rest.predict(X)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9)
    assert model.init is not model.ensemble_.init
    with pytest.raises(AttributeError):
        _ = model.init.coef_


def test_a_start_goes_through_the_link():
    y = Y / 100
    model = made("regression", loss="poisson", init=DummyRegressor(), n_estimators=2)
    plain = made("regression", loss="poisson", n_estimators=2)
    np.testing.assert_allclose(model.fit(X, y).predict(X), plain.fit(X, y).predict(X))


@pytest.mark.parametrize("task", ["two classes", "three classes"])
def test_a_classifier_as_start(task):
    _, X, y = TASKS[task]
    start = GaussianNB()
    model = made(task, init=start, n_estimators=1, learning_rate=1e-12).fit(X, y)
    expected = start.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-6)


def test_a_start_without_weights():
    model = made("regression", init=KNeighborsRegressor())
    model.fit(X, Y)
    with pytest.raises(ValueError, match=r"init=KNeighbors.* takes no sample"):
        model.fit(X, Y, np.arange(442.0))
