"""Going on from the fitted rounds: `warm_start`."""

import numpy as np
import pytest
from boosters import RULES, TASKS, XB, XI, YB, YI, X, Y, fitted, made, raw
from sklearn.model_selection import train_test_split

from skdl import GradientBoostingClassifier, GradientBoostingRegressor, losses
from skdl.schedules import ReduceOnPlateau


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
    with pytest.raises(
        ValueError,
        match=r"labels \[3\] that are not among the classes \[0, 1, 2\] of the first",
    ):
        model.set_params(n_estimators=7).fit(XI, YI + 1)
    with pytest.raises(ValueError, match="features"):
        model.set_params(n_estimators=7).fit(XI[:, :2], YI)


def test_warm_start_on_new_data():
    model = GradientBoostingRegressor(n_estimators=20, warm_start=True).fit(
        X[:200], Y[:200]
    )
    before = np.abs(model.predict(X[200:]) - Y[200:]).mean()
    model.set_params(n_estimators=60).fit(X[200:], Y[200:])
    assert np.abs(model.predict(X[200:]) - Y[200:]).mean() < 0.7 * before


@pytest.mark.parametrize("scoring", ["loss", "r2"])
def test_early_stopping_starts_anew_on_new_data(scoring):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    easy, hard = X[:, 0], 5 * X[:, 0] * X[:, 1] + 3 * X[:, 2] + rng.normal(size=400)
    settings = {"n_iter_no_change": 5, "scoring": scoring, "random_state": 0}
    model = GradientBoostingRegressor(n_estimators=60, warm_start=True, **settings)
    model.fit(X, easy)
    n_before, before = model.n_estimators_, model.score(X, hard)
    model.set_params(n_estimators=400).fit(X, hard)
    assert model.n_estimators_ > n_before + 20
    assert model.score(X, hard) > before + 0.3


def test_early_stopping_keeps_the_model_that_new_rounds_do_not_better():
    rng = np.random.default_rng(0)
    settings = {"n_iter_no_change": 5, "tol": 0.0, "random_state": 0}
    model = GradientBoostingRegressor(n_estimators=80, warm_start=True, **settings)
    X = rng.normal(size=(400, 3))
    model.fit(X, X[:, 0])
    n_before = model.n_estimators_
    noise = rng.normal(size=400)
    val = {"X_val": X, "y_val": X[:, 0] * 1.0001}
    model.set_params(n_estimators=200).fit(X, noise, **val)
    assert model.n_estimators_ == model.best_iteration_ == n_before


@pytest.mark.parametrize("patience", [None, 3])
@pytest.mark.parametrize("scoring", ["loss", "r2"])
def test_early_stopping_goes_on_on_the_same_data(scoring, patience):
    data = {"X": X[:300], "y": Y[:300], "X_val": X[300:], "y_val": Y[300:]}
    settings = {"scoring": scoring, "n_iter_no_change": patience, "random_state": 0}
    whole = GradientBoostingRegressor(n_estimators=120, **settings).fit(**data)
    parts = GradientBoostingRegressor(n_estimators=10, warm_start=True, **settings)
    parts.fit(**data).set_params(n_estimators=90).fit(**data)
    parts.set_params(n_estimators=120).fit(**data)
    assert whole.best_iteration_ < 90
    assert parts.best_iteration_ == whole.best_iteration_
    np.testing.assert_array_equal(parts.predict(X), whole.predict(X))


def test_another_metric_starts_a_history_of_its_own():
    model = GradientBoostingRegressor(
        n_estimators=5, warm_start=True, n_iter_no_change=5, scoring="r2"
    ).fit(X, Y)
    model.set_params(n_estimators=10, scoring="neg_mean_absolute_error").fit(X, Y)
    scores = model.validation_score_
    assert np.isnan(scores[:5]).all()
    assert (scores[5:] < 0).all()
    assert len(scores) == len(model.train_score_) > 5


def test_warm_start_refuses_fewer_rounds():
    model = GradientBoostingRegressor(n_estimators=4, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="below the 4"):
        model.set_params(n_estimators=2).fit(X, Y)


def test_a_schedule_that_watches_the_loss_goes_on_too():
    settings = {"learning_rate": ReduceOnPlateau(0.9, patience=1), "random_state": 0}
    data = {"X": X[:300], "y": Y[:300], "X_val": X[300:], "y_val": Y[300:]}
    whole = GradientBoostingRegressor(n_estimators=30, **settings).fit(**data)
    assert whole.ensemble_.rates[-1] < 0.01
    model = GradientBoostingRegressor(warm_start=True, **settings)
    for n in (8, 9, 30):
        model.set_params(n_estimators=n).fit(**data)
    assert model.ensemble_.rates == whole.ensemble_.rates


# ---- what may change


def test_going_on_cannot_change_the_rule():
    model = fitted("regression", warm_start=True)
    with pytest.raises(ValueError, match="cannot go on from NewtonStep"):
        model.set_params(optimizer="momentum", n_estimators=9).fit(X, Y)


@pytest.mark.parametrize(
    ("rule", "setting"),
    [("momentum", "momentum"), ("nesterov", "momentum"), ("ema", "beta")],
)
def test_going_on_cannot_change_the_settings_of_the_rule(rule, setting):
    model = fitted("regression", rule, warm_start=True)
    before = model.predict(X)
    name = f"optimizer__{setting}"
    old = model.get_params()[name]
    model.set_params(**{name: 0.3, "n_estimators": 9})
    with pytest.raises(ValueError, match=f"another {setting} .*0.3 now.*warm_start=F"):
        model.fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), before)
    model.set_params(**{name: old, "learning_rate": 0.01}).fit(X, Y)
    assert model.ensemble_.rates[-2:] == [before_rate(rule), 0.01]


def before_rate(rule):
    return RULES[rule].get("learning_rate", 0.1)


@pytest.mark.parametrize("task", ["two targets", "three classes"])
@pytest.mark.parametrize("shared", [False, True])
def test_going_on_cannot_change_whether_trees_are_shared(task, shared):
    model = fitted(task, shared_trees=shared, warm_start=True)
    _, X, y = TASKS[task]
    before = model.predict(X)
    with pytest.raises(ValueError, match=f"{shared} to shared_trees={not shared}"):
        model.set_params(shared_trees=not shared, n_estimators=9).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    one = fitted("regression", shared_trees=shared, warm_start=True)
    one.set_params(shared_trees=not shared, n_estimators=9).fit(
        *TASKS["regression"][1:]
    )
    assert one.n_estimators_ == 9


class Doubled(losses.SquaredError):
    """A user's own link: predictions are twice the raw ones."""

    def inverse_link(self, raw):
        return 2.0 * raw

    def link(self, prediction):
        return 0.5 * prediction


def softmax_loss(y, raw):
    p = np.exp(raw - raw.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y]), p - np.eye(raw.shape[1])[y], p * (1 - p)


def residuals(y, raw):
    return 0.5 * (raw - y) ** 2, raw - y


OTHER_LINKS = {
    "log-odds to half log-odds": (XB, YB, "log_loss", "exponential"),
    "half log-odds to log-odds": (XB, YB, "exponential", "log_loss"),
    "values to logarithms": (X, Y, "squared_error", "poisson"),
    "logarithms to values": (X, Y, "gamma", "huber"),
    "own link": (X, Y, "squared_error", Doubled()),
    "own function of two classes": (XB, YB, "log_loss", softmax_loss),
    "several quantiles": (X, Y, "absolute_error", losses.Quantile([0.2, 0.8])),
}


SAME_LINK = {
    "values": (X, Y, "squared_error", "absolute_error"),
    "quantiles": (X, Y, losses.Quantile(0.2), losses.Quantile(0.4)),
    "logarithms": (X, Y, "poisson", "gamma"),
    "own function": (X, Y, "huber", residuals),
    "own function of three classes": (XI, YI, "log_loss", softmax_loss),
    "smoothed labels": (XB, YB, "log_loss", losses.CrossEntropy(0.1)),
}


def booster(y, **settings):
    few = len(np.unique(y)) < 9
    cls = GradientBoostingClassifier if few else GradientBoostingRegressor
    return cls(**{"n_estimators": 3, "warm_start": True, **settings})


@pytest.mark.parametrize("case", OTHER_LINKS)
def test_the_meaning_of_raw_predictions_cannot_change(case):
    X, y, one, other = OTHER_LINKS[case]
    model = booster(y, loss=one).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match=r"warm_start cannot go on from .* to "):
        model.set_params(loss=other, n_estimators=5).fit(X, y)
    np.testing.assert_array_equal(model.set_params(loss=one).predict(X), before)


@pytest.mark.parametrize("case", SAME_LINK)
def test_the_loss_may_change_where_the_link_does_not(case):
    X, y, one, other = SAME_LINK[case]
    model = booster(y, loss=one).fit(X, y)
    before, first = model.score(X, y), model.estimators_
    model.set_params(loss=other, n_estimators=30).fit(X, y)
    assert model.n_estimators_ == 30
    assert model.estimators_[:3] == first
    assert model.score(X, y) > before
