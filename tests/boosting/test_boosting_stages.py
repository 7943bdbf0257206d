"""Round by round: step rules, samples, stopping, going on, and what is left behind."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from skdl import GradientBoostingClassifier, GradientBoostingRegressor, losses
from skdl.optimizers import EMA, GD, Momentum, Nesterov
from skdl.schedules import Inverse, ReduceOnPlateau, Step

X, Y = load_diabetes(return_X_y=True)
XB, YB = load_breast_cancer(return_X_y=True)
XI, YI = load_iris(return_X_y=True)
TASKS = {
    "regression": (GradientBoostingRegressor, X, Y),
    "two targets": (GradientBoostingRegressor, X, np.c_[Y, -Y]),
    "two classes": (GradientBoostingClassifier, XB, YB),
    "three classes": (GradientBoostingClassifier, XI, YI),
}
RULES = {
    "newton": {},
    "gd": {"optimizer": "gd"},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.02},
    "nesterov": {"optimizer": "nesterov", "learning_rate": 0.02},
    "ema": {"optimizer": EMA(beta=0.5)},
    "schedule": {"learning_rate": Inverse(0.5)},
    "subsample": {"subsample": 0.7, "max_features": 0.5},
    "shared": {"shared_trees": True},
    "own learners": {"estimator": DecisionTreeRegressor(max_depth=2, max_features=2)},
}


def made(task, rule="newton", **settings):
    settings = {"n_estimators": 8, "random_state": 0, **RULES[rule], **settings}
    return TASKS[task][0](**settings)


def fitted(task, rule="newton", **settings):
    return made(task, rule, **settings).fit(*TASKS[task][1:])


def raw(model, X):
    return model.ensemble_.raw(X)


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


# ---- step rules


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


def test_the_rule_is_not_changed_by_fit():
    rule = Momentum(0.05, momentum=0.5)
    model = made("regression", optimizer=rule, learning_rate=None).fit(X, Y)
    assert model.optimizer is rule
    assert vars(rule) == vars(Momentum(0.05, momentum=0.5))
    assert model.ensemble_.rule is not rule


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


# ---- going on


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("task", TASKS)
def test_more_rounds_are_one_long_fit(task, rule):
    _, X, y = TASKS[task]
    parts = made(task, rule, n_estimators=3, warm_start=True).fit(X, y)
    first = parts.estimators_
    parts.set_params(n_estimators=8).fit(X, y)
    whole = fitted(task, rule)
    np.testing.assert_allclose(raw(parts, X), raw(whole, X), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(parts.train_score_, whole.train_score_, rtol=1e-9)
    assert len(first) == 3
    assert all(a[0] is b[0] for a, b in zip(first, parts.estimators_, strict=False))


def test_going_on_after_early_stopping_starts_from_the_best_round():
    data = train_test_split(X, Y, random_state=0)
    val = {"X_val": data[1], "y_val": data[3]}
    model = made("regression", n_estimators=200, n_iter_no_change=3, warm_start=True)
    model.fit(data[0], data[2], **val)
    best, kept = model.n_estimators_, list(model.staged_predict(X))
    assert best < 197
    model.fit(data[0], data[2], **val)
    assert model.n_estimators_ >= best
    np.testing.assert_allclose(list(model.staged_predict(X))[:best], kept)
    curve = model.validation_score_
    assert model.n_estimators_ == curve.argmin() + 1 or model.n_estimators_ == best


def test_going_on_with_as_many_rounds_changes_nothing():
    model = fitted("regression", warm_start=True)
    before = model.predict(X)
    np.testing.assert_array_equal(model.fit(X, Y).predict(X), before)


def test_without_warm_start_a_fit_starts_anew():
    model = fitted("regression")
    before = model.predict(X)
    np.testing.assert_array_equal(model.fit(X, Y).predict(X), before)
    assert model.fit(X[:, :3], Y).n_features_in_ == 3


def test_going_on_on_new_data_and_with_fewer_classes():
    model = made("three classes", warm_start=True, n_estimators=4).fit(XI, YI)
    model.set_params(n_estimators=6).fit(XI[:100], YI[:100])
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.n_estimators_ == 6
    assert model.predict_proba(XI).shape == (150, 3)
    with pytest.raises(ValueError, match="which fit did not see"):
        model.set_params(n_estimators=7).fit(XI, YI + 1)
    with pytest.raises(ValueError, match="features"):
        model.set_params(n_estimators=7).fit(XI[:, :2], YI)


def test_going_on_cannot_change_the_rule():
    model = fitted("regression", warm_start=True)
    with pytest.raises(ValueError, match="cannot go on from NewtonStep"):
        model.set_params(optimizer="momentum", n_estimators=9).fit(X, Y)
    with pytest.raises(ValueError, match="from SquaredError to Poisson"):
        model.set_params(optimizer="newton", loss="poisson").fit(X, Y)
    before = model.train_score_[-1]
    model.set_params(loss="huber").fit(X, Y)  # the same link
    assert model.n_estimators_ == 9
    assert model.train_score_[-1] != before


# ---- early stopping

SCORINGS = {
    "two classes": ["loss", "accuracy", "roc_auc", "neg_log_loss", "neg_brier_score"],
    "three classes": ["loss", "accuracy", "roc_auc_ovr", "f1_macro"],
    "regression": ["loss", "r2", "neg_median_absolute_error"],
    "two targets": ["loss", "r2"],
}
PAIRS = [(task, scoring) for task, names in SCORINGS.items() for scoring in names]


@pytest.mark.parametrize(("task", "scoring"), PAIRS)
def test_the_best_round_is_kept(task, scoring):
    _, X, y = TASKS[task]
    data = train_test_split(X, y, test_size=0.4, random_state=1)
    model = made(task, n_estimators=60, n_iter_no_change=4, tol=0.0, scoring=scoring)
    model.fit(data[0], data[2], X_val=data[1], y_val=data[3])
    curve = model.validation_score_
    best = int(curve.argmin() if scoring == "loss" else curve.argmax()) + 1
    assert (
        model.n_estimators_ == model.best_iteration_ == len(model.estimators_) == best
    )
    assert len(curve) == len(model.train_score_) == min(60, best + 4)
    if scoring != "loss":
        score = get_scorer(scoring)(model, data[1], data[3])
        assert score == pytest.approx(curve[best - 1])
        assert set(model.history_) == {"loss", "val_loss", "val_score"}


def test_a_callable_scorer_sees_labels_and_a_fitted_model():
    y = np.array(["no", "yes"])[YB]
    seen = []

    def scorer(estimator, X, y):
        seen.append((len(estimator.estimators_), set(y.tolist())))
        return estimator.score(X, y)

    made("two classes", scoring=scorer, n_iter_no_change=20).fit(XB, y)
    assert seen == [(t, {"no", "yes"}) for t in range(1, 9)]


def test_weights_of_validation_rows_count():
    w = np.random.default_rng(0).integers(0, 3, size=142).astype(float)
    model = made("regression", n_iter_no_change=20).fit(
        X[:300], Y[:300], X_val=X[300:], y_val=Y[300:], sample_weight_val=w
    )
    loss = losses.SquaredError()
    stage = list(model.ensemble_.staged_raw(X[300:]))[-1]
    last = model.history_["val_loss"][model.n_estimators_ - 1]
    used = list(model.staged_predict(X[300:]))[-1][:, None]
    np.testing.assert_allclose(stage, used)
    assert last == pytest.approx(loss(Y[300:, None], used, w))


def test_a_part_is_held_out():
    model = made("three classes", n_iter_no_change=20, validation_fraction=0.2)
    model.fit(XI, YI)
    assert model.estimators_[0][0].n_node_samples[0] == 120
    again = clone(model).fit(XI, YI)
    np.testing.assert_array_equal(model.predict_proba(XI), again.predict_proba(XI))


@pytest.mark.parametrize("seed", range(6))
def test_a_class_of_one_row_may_be_held_out(seed):
    y = np.r_[YI[:-1], 3]
    model = made("three classes", n_iter_no_change=3, validation_fraction=0.5)
    model.set_params(random_state=seed).fit(XI, y)
    assert model.predict_proba(XI).shape == (150, 4)


def test_tol_is_the_least_improvement():
    data = train_test_split(X, Y, random_state=0)
    val = {"X_val": data[1], "y_val": data[3]}
    model = made("regression", n_estimators=300, n_iter_no_change=2, tol=50.0)
    model.fit(data[0], data[2], **val)
    curve = model.validation_score_
    assert len(curve) < 60
    assert curve[model.n_estimators_ - 1] - curve.min() <= 50.0


# ---- when things go wrong


def late_nan(y, raw):
    """Squared error that breaks when it is nearly solved."""
    error = raw - y
    broken = np.nan if np.mean(error**2) < 2500 else 1.0
    return 0.5 * error**2, broken * error


FAILURES = {
    "targets": ({}, X, np.full(442, np.nan), "NaN"),
    "rows": ({}, X[:3], Y, "inconsistent"),
    "rule": ({"optimizer": "adam"}, X, Y, "linear combination"),
    "loss": ({"loss": "gamma"}, X, -Y, "targets > 0"),
    "in the rounds": ({"loss": late_nan}, X, Y, "NaN or infinite"),
    "constraints": ({"monotonic_cst": [5] * 10}, X, Y, "−1, 0 and 1"),
}


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("case", FAILURES)
def test_a_failed_fit_leaves_the_model_as_it_was(case, warm_start):
    settings, bad_X, bad_y, match = FAILURES[case]
    model = fitted("regression", warm_start=warm_start)
    before, state = model.predict(X), set(vars(model))
    model.set_params(n_estimators=60, **settings)
    with pytest.raises(ValueError, match=match):
        model.fit(bad_X, bad_y)
    assert set(vars(model)) == state
    assert model.n_estimators_ == 8
    np.testing.assert_array_equal(model.predict(X), before)


class Interrupting(losses.SquaredError):
    """Press Ctrl-C at a call."""

    def __init__(self, at=0):
        self.at = at

    def evaluate(self, y, raw, empty=np.empty):
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return super().evaluate(y, raw, empty)


@pytest.mark.parametrize("at", [2, 5])
def test_an_interrupt_keeps_the_rounds_done(at):
    model = made("regression", loss=Interrupting(at))
    with pytest.warns(UserWarning, match=f"after {at - 2} rounds"):
        model.fit(X, Y)
    assert model.n_estimators_ == at - 2 == len(model.train_score_)
    if at > 2:
        same = fitted("regression", n_estimators=at - 2)
        np.testing.assert_allclose(model.predict(X), same.predict(X), rtol=1e-6)


def test_an_interrupt_keeps_the_rounds_of_the_fit_before():
    val = {"X_val": X[300:], "y_val": Y[300:]}
    model = made("regression", loss=Interrupting(), warm_start=True).fit(X, Y)
    model.set_params(n_estimators=20, loss=Interrupting(4))
    with pytest.warns(UserWarning, match=r"after \d+ rounds"):
        model.fit(X, Y, **val)
    assert model.n_estimators_ >= 8
    lengths = {len(curve) for curve in model.history_.values()}
    assert len(lengths) == 1
    assert model.predict(X).shape == (442,)
