"""Step rules in function space, and their learning rates."""

import numpy as np
import pytest
from boosters import FEW, XB, YB, X, Y, fitted, made, raw
from sklearn.base import clone
from sklearn.tree import DecisionTreeRegressor

from skdl import GradientBoostingClassifier, GradientBoostingRegressor
from skdl.boosting import NewtonStep
from skdl.optimizers import EMA, GD, Momentum, Nesterov
from skdl.schedules import Inverse, ReduceOnPlateau, Step


@pytest.mark.parametrize("n_rounds", [5, 14])
@pytest.mark.parametrize("rule", ["momentum", "nesterov", "ema"])
def test_rules_with_memory_follow_their_formulas(rule, n_rounds):
    base = DecisionTreeRegressor(max_depth=2, random_state=0)
    model = GradientBoostingRegressor(
        estimator=base,
        init="zero",
        optimizer=rule,
        learning_rate=0.1,
        n_estimators=n_rounds,
    ).fit(X, Y)
    beta = 0.9
    a, v = np.zeros(len(Y)), np.zeros(len(Y))
    stages, n_restarts = [], 0
    for _ in range(n_rounds):
        b = clone(base).fit(X, Y - a).predict(X)  # minus the gradient
        for memory in (beta, 0.0):
            v_new = memory * v + (b if rule != "ema" else (1 - beta) * b)
            a_new = a + 0.1 * (beta * v_new + b if rule == "nesterov" else v_new)
            if ((Y - a_new) ** 2).sum() <= ((Y - a) ** 2).sum():
                break
            n_restarts += 1
        a, v = a_new, v_new
        stages.append(a)
    assert (n_restarts > 0) == (n_rounds == 14 and rule != "ema")
    assert len(model.ensemble_.corrections) == n_restarts
    np.testing.assert_allclose(model.predict(X), a)
    np.testing.assert_allclose(list(model.staged_predict(X)), stages)


def test_newton_leaf_is_the_newton_step():
    model = GradientBoostingClassifier(
        n_estimators=1, max_depth=1, learning_rate=1.0, l2_regularization=2.0
    ).fit(XB, YB)
    start = np.log(YB.mean() / (1 - YB.mean()))
    p = YB.mean()
    leaf = model.apply(XB)[:, 0, 0]
    for number in np.unique(leaf):
        rows = leaf == number
        step = (YB[rows] - p).sum() / (rows.sum() * p * (1 - p) + 2.0)
        np.testing.assert_allclose(model.decision_function(XB)[rows], start + step)


def test_newton_with_own_learners_is_gd():
    base = DecisionTreeRegressor(max_depth=2, random_state=0)
    one, other = (
        made("two classes", optimizer=rule, estimator=base).fit(XB, YB)
        for rule in ("newton", "gd")
    )
    np.testing.assert_array_equal(raw(one, XB), raw(other, XB))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"optimizer": "momentum", "optimizer__momentum": 0.0}, {"optimizer": "gd"}),
        ({"optimizer": "gd"}, {"optimizer": "newton"}),  # squared error: the same
        ({"optimizer": "sgd"}, {"optimizer": "gd"}),
        ({"learning_rate": None, "optimizer": GD(0.1)}, {"optimizer": "gd"}),
        ({"optimizer": Nesterov(momentum=0.0)}, {"optimizer": "gd"}),
        ({"optimizer": EMA(beta=0.0)}, {"optimizer": "gd"}),
        ({"learning_rate": "constant"}, {"learning_rate": 0.1}),
    ],
)
def test_rules_that_are_the_same(one, other):
    first, second = (
        made("regression").set_params(**params).fit(X, Y) for params in (one, other)
    )
    np.testing.assert_allclose(first.predict(X), second.predict(X), rtol=1e-10)


def test_newton_needs_fewer_trees_than_gd():
    newton, gd = (
        GradientBoostingClassifier(optimizer=rule, **FEW).fit(XB, YB).train_score_[-1]
        for rule in ("newton", "gd")
    )
    assert newton < 0.7 * gd


def test_nesterov_is_ahead_of_gd():
    scores = {
        rule: GradientBoostingRegressor(
            optimizer=rule, learning_rate=0.02, n_estimators=40
        )
        .fit(X, Y)
        .train_score_[-1]
        for rule in ("gd", "momentum", "nesterov")
    }
    assert scores["nesterov"] < 0.6 * scores["gd"]
    assert scores["momentum"] < 0.6 * scores["gd"]


def test_newton_step_is_public():
    model = GradientBoostingClassifier(optimizer=NewtonStep(), **FEW).fit(XB, YB)
    same = GradientBoostingClassifier(**FEW).fit(XB, YB)
    np.testing.assert_array_equal(model.predict_proba(XB), same.predict_proba(XB))


def test_the_rule_is_not_changed_by_fit():
    rule = Momentum(0.05, momentum=0.5)
    model = made("regression", optimizer=rule, learning_rate=None).fit(X, Y)
    assert model.optimizer is rule
    assert vars(rule) == vars(Momentum(0.05, momentum=0.5))
    assert model.ensemble_.rule is not rule


@pytest.mark.parametrize(
    "rule", ["adam", "rmsprop", "adagrad", "rprop", "lion", "lbfgs"]
)
def test_rules_that_need_each_rows_own_gradient_say_why(rule):
    match = r"no linear combination of the gradients.*Choose one of .*nesterov, newton"
    with pytest.raises(ValueError, match=match):
        made("regression", optimizer=rule).fit(X, Y)


# ---- learning rates


RATES = {
    "inverse": (Inverse(0.5), [0.5, 0.25, 0.5 / 3, 0.125]),
    "by name": ("inverse", [0.1, 0.05, 0.1 / 3, 0.025]),
    "steps": (Step(0.8, 2, 0.5), [0.8, 0.8, 0.4, 0.4]),
    "number": (0.3, [0.3] * 4),
}


@pytest.mark.parametrize("case", RATES)
def test_learning_rates(case):
    rate, expected = RATES[case]
    model = fitted("regression", learning_rate=rate, n_estimators=4)
    np.testing.assert_allclose(model.ensemble_.rates, expected)
    np.testing.assert_allclose(model.ensemble_.coefficients(), expected)


def test_reduce_on_plateau_sees_the_validation_loss():
    schedule = ReduceOnPlateau(0.9, patience=2)
    model = made("regression", learning_rate=schedule, n_estimators=40)
    model.fit(X[:300], Y[:300], X_val=X[300:], y_val=Y[300:])
    rates = model.ensemble_.rates
    assert rates[0] == 0.9
    assert rates[-1] < 0.5
    losses = model.history_["val_loss"]
    first = int(np.flatnonzero(np.diff(rates))[0])
    assert min(losses[: first - 1]) <= min(losses[first - 1 : first + 1])
