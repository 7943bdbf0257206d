"""No step raises the loss of its own rows, and none is longer than makes sense."""

import warnings

import numpy as np
import pytest
from boosters import XB, XI, YB, YI, X, Y
from sklearn.datasets import make_classification, make_friedman1, make_hastie_10_2
from sklearn.ensemble import GradientBoostingClassifier as Peer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.metrics import d2_absolute_error_score, log_loss, r2_score, roc_auc_score
from sklearn.tree import DecisionTreeRegressor

from skdl import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    config_context,
    losses,
)
from skdl.boosting._gradients.trust_region import LONGEST

ENGINES = ["numpy", "numba"]
XF, YF = make_friedman1(500, noise=1.0, random_state=0)


def never_rises(model):
    loss = model.train_score_
    assert len(loss) > 1
    return bool((np.diff(loss) <= 1e-9 * np.abs(loss[:-1]) + 1e-11 * loss[0]).all())


def agrees_with_itself(model, X):
    """The stored rounds give the raw predictions that training had."""
    y = model.loss_function_, model.ensemble_.raw(X)
    *_, last = model.ensemble_.staged_raw(X)
    np.testing.assert_allclose(y[1], last, rtol=1e-8, atol=1e-8 * np.abs(last).max())


# ---- classes of which one is rare


def rare(n_positive, seed, n=20_000):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    y = rng.permutation(n) < n_positive
    X[y, :2] += 3.0
    return X, y.astype(int)


@pytest.mark.parametrize("loss", ["log_loss", "exponential"])
@pytest.mark.parametrize("n_positive", [10, 40])
def test_rare_positives(n_positive, loss):
    X, y = rare(n_positive, 0)
    X_test, y_test = rare(300, 1)
    predictions = []
    for engine in ENGINES:
        with config_context(engine=engine):
            model = GradientBoostingClassifier(loss=loss).fit(X, y)
        assert never_rises(model)
        assert not model.ensemble_.corrections
        p = model.predict_proba(X_test)[:, 1]
        assert roc_auc_score(y_test, p) > 0.97
        share = np.full(len(y_test), y.mean())
        assert log_loss(y_test, p) < (0.6 if loss == "log_loss" else 1.0) * log_loss(
            y_test, share
        )
        predictions.append(p)
    np.testing.assert_allclose(*predictions, rtol=1e-6)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.5, 1.0])
def test_no_round_moves_log_odds_further_than_it_may(rate):
    X, y = rare(12, 0, n=4000)
    model = GradientBoostingClassifier(learning_rate=rate, n_estimators=5).fit(X, y)
    before = model.ensemble_.start(X)[:, 0]
    longest = 0.0
    for after in model.staged_decision_function(X):
        longest = max(longest, np.abs(after - before).max())
        before = after
    assert 0.5 * LONGEST < longest <= LONGEST * (1 + 1e-9)


def test_three_classes_of_which_one_is_rare():
    X, y = rare(20, 0, n=10_000)
    y += X[:, 4] > 0.3
    model = GradientBoostingClassifier().fit(X, y)
    assert never_rises(model)
    assert model.score(X, y) > 0.995


# ---- rates that are too long


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rate", [1.0, 1.5])
def test_long_rates_give_a_model_like_the_peers(rate, engine):
    data = make_classification(2000, 8, random_state=0)
    peer = Peer(learning_rate=rate, random_state=0).fit(*data)
    with config_context(engine=engine):
        model = GradientBoostingClassifier(learning_rate=rate).fit(*data)
    assert never_rises(model)
    assert model.score(*data) >= min(0.99, peer.score(*data))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rate", [1.0, 1.5])
def test_long_rates_on_some_of_few_rows(rate, seed, engine):
    data = make_hastie_10_2(100, random_state=0)
    settings = {"learning_rate": rate, "subsample": 0.5, "random_state": seed}
    with config_context(engine=engine):
        model = GradientBoostingClassifier(**settings).fit(*data)
    assert model.score(*data) >= 0.99
    assert model.n_estimators_ == 100


TOO_LONG = {
    "two classes": (make_hastie_10_2(1000, random_state=0), {}),
    "three classes": ((XI, YI), {}),
    "shared trees": ((XI, YI), {"shared_trees": True}),
    "weights": ((XI, YI), {"class_weight": {0: 1e-6, 1: 2e-6, 2: 1e-6}}),
    "some rows": ((XI, YI), {"subsample": 0.7, "random_state": 0}),
    "exponential": ((XB, YB), {"loss": "exponential"}),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", TOO_LONG)
def test_rates_that_are_too_long_are_shortened(case, engine):
    (X, y), settings = TOO_LONG[case]
    model = GradientBoostingClassifier(learning_rate=4.0, **settings)
    with config_context(engine=engine):
        model.fit(X, y)
    assert model.score(X, y) > 0.97
    if "subsample" not in settings:
        assert never_rises(model)
    agrees_with_itself(model, np.asarray(X, dtype=np.float64))
    assert model.train_score_[-1] < 0.3 * model.train_score_[0]


REGRESSIONS = {
    "squared": {"learning_rate": 9.0},
    "poisson, plain gradient": {
        "loss": "poisson",
        "optimizer": "gd",
        "learning_rate": 9.0,
    },
    "gamma": {"loss": "gamma", "learning_rate": 4.0},
    "absolute": {"loss": "absolute_error", "learning_rate": 2.5},
    "own learner": {"estimator": Ridge(), "learning_rate": 2.5},
    "momentum": {"optimizer": "momentum", "learning_rate": 3.0},
}


@pytest.mark.parametrize("case", REGRESSIONS)
def test_regression_with_rates_that_are_too_long(case):
    y = np.maximum(YF, 0.5)
    model = GradientBoostingRegressor(**REGRESSIONS[case]).fit(XF, y)
    assert never_rises(model)
    assert model.ensemble_.corrections
    agrees_with_itself(model, XF)
    assert model.score(XF, y) > 0.7


def test_a_shortened_step_is_the_longest_that_does_not_raise_the_loss():
    model = GradientBoostingRegressor(learning_rate=9.0, n_estimators=1, max_depth=1)
    model.fit(X, Y)
    leaf = model.apply(X)[:, 0]
    mean = np.array([Y[leaf == i].mean() for i in leaf])
    # ½(e − 9s·(mean of e))² falls up to 9s = 2, and s is a power of ½.
    np.testing.assert_allclose(model.predict(X), Y.mean() + 1.125 * (mean - Y.mean()))
    assert model.ensemble_.rates == [9.0]
    assert model.ensemble_.corrections[0].scale == [0.125]
    np.testing.assert_allclose(model.ensemble_.coefficients(), [1.125])


@pytest.mark.parametrize("rule", ["gd", "nesterov"])
def test_outputs_are_corrected_one_by_one(rule):
    settings = {"optimizer": rule, "loss": "absolute_error", "max_depth": 2}
    settings["n_estimators"] = 15
    targets = np.c_[Y, Y / 1e4, -Y]
    together = GradientBoostingRegressor(**settings).fit(X, targets)
    corrections = together.ensemble_.corrections.values()
    assert any(c.scale[1] < c.scale[0] for c in corrections)
    for j in range(3):
        alone = GradientBoostingRegressor(**settings).fit(X, targets[:, j])
        np.testing.assert_allclose(
            together.predict(X)[:, j], alone.predict(X), rtol=1e-9
        )


def test_validation_rows_take_the_same_steps():
    data = {"X": X[:300], "y": Y[:300], "X_val": X[300:], "y_val": Y[300:]}
    settings = {"learning_rate": 3.0, "n_estimators": 9}
    for rule in ("newton", "nesterov"):
        model = GradientBoostingRegressor(optimizer=rule, **settings).fit(**data)
        assert model.ensemble_.corrections
        stages = [
            np.mean((Y[300:] - p) ** 2) / 2 for p in model.staged_predict(X[300:])
        ]
        np.testing.assert_allclose(model.history_["val_loss"], stages)


@pytest.mark.parametrize("case", ["logistic", "log-cosh", "nesterov"])
def test_going_on_after_corrections(case):
    if case == "logistic":
        cls, X, y, settings = GradientBoostingClassifier, XI, YI, {"learning_rate": 4.0}
    else:
        cls, X, y = GradientBoostingRegressor, XF, 30 * YF
        settings = {"loss": log_cosh, "learning_rate": 0.5}
    if case == "nesterov":
        settings = {"optimizer": "nesterov", "learning_rate": 0.5}
    whole = cls(n_estimators=30, **settings).fit(X, y)
    parts = cls(n_estimators=17, warm_start=True, **settings).fit(X, y)
    assert parts.ensemble_.corrections
    parts.set_params(n_estimators=30).fit(X, y)
    np.testing.assert_allclose(
        parts.ensemble_.raw(X), whole.ensemble_.raw(X), rtol=1e-6, atol=1e-8
    )


# ---- own losses


def log_cosh(y, raw):
    error = np.abs(raw - y)
    slope = np.tanh(raw - y)
    return error + np.log1p(np.exp(-2 * error)) - np.log(2), slope, 1 - slope**2


@pytest.mark.parametrize("rate", [0.1, 1.0])
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0, 1e4])
def test_a_smooth_own_loss_that_is_flat_far_away(scale, rate):
    y = scale * YF
    model = GradientBoostingRegressor(loss=log_cosh, learning_rate=rate).fit(XF, y)
    assert never_rises(model)
    assert model.score(XF, y) > 0.8
    agrees_with_itself(model, XF)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0, 1e4])
def test_a_smooth_own_loss_on_some_of_the_rows(scale):
    y = scale * YF
    model = GradientBoostingRegressor(loss=log_cosh, subsample=0.5, random_state=0)
    model.fit(XF, y)
    assert model.train_score_[-1] < 0.5 * model.train_score_[0]
    assert model.score(XF, y) > 0.7


def own_logistic(y, raw):
    p = np.exp(raw - raw.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    true = np.eye(raw.shape[1])[y]
    top = np.where(true > 0, p, 1.0).min(axis=1)
    return -np.log(np.maximum(top, 1e-300)), p - true, p * (1 - p)


def test_an_own_loss_of_classes_of_which_one_is_rare():
    X, y = rare(20, 0, n=10_000)
    model = GradientBoostingClassifier(loss=own_logistic).fit(X, y)
    assert never_rises(model)
    assert roc_auc_score(y, model.predict_proba(X)[:, 1]) > 0.99


def overflowing(y, raw):
    mean = np.exp(raw)
    return mean - y * raw, mean - y, np.ones_like(raw)  # too small a Hessian


@pytest.mark.filterwarnings("error")
def test_an_own_loss_that_a_long_step_makes_infinite():
    y = np.exp(2 * XF[:, 0] + 8)
    model = GradientBoostingRegressor(loss=overflowing, n_estimators=30).fit(XF, y)
    assert never_rises(model)
    assert np.corrcoef(model.ensemble_.raw(XF)[:, 0], np.log(y))[0, 1] > 0.9


def uphill(y, raw):
    return 0.5 * (raw - y) ** 2, y - raw


@pytest.mark.parametrize("start", [0, 4])
@pytest.mark.parametrize("rule", ["newton", "gd", "nesterov"])
def test_without_progress_the_rounds_so_far_are_kept(rule, start):
    model = GradientBoostingRegressor(optimizer=rule, warm_start=True)
    before = np.full(len(Y), Y.mean())
    if start:
        before = model.set_params(n_estimators=start).fit(X, Y).predict(X)
    model.set_params(loss=uphill, n_estimators=50)
    with pytest.warns(
        ConvergenceWarning, match=f"after {start} rounds, which are kept"
    ):
        model.fit(X, Y)
    assert model.n_estimators_ == len(model.train_score_) == start
    np.testing.assert_allclose(model.predict(X), before)


class Awkward(DecisionTreeRegressor):
    """Goes the wrong way for some seeds."""

    seeds = set()

    def predict(self, X):
        self.seeds.add(self.random_state)
        return super().predict(X) * (1 if self.random_state % 3 else -1)


def test_learners_that_fail_are_drawn_again():
    model = GradientBoostingRegressor(
        estimator=Awkward(max_depth=2), n_estimators=20, random_state=0
    ).fit(X, Y)
    assert never_rises(model)
    assert model.n_estimators_ == 20
    assert all(learner.random_state % 3 for (learner,) in model.estimators_)
    assert any(seed % 3 == 0 for seed in Awkward.seeds)


# ---- rules with memory, where learners cannot turn back


@pytest.mark.parametrize("loss", ["squared_error", losses.Huber(0.3)])
@pytest.mark.parametrize("rule", ["momentum", "nesterov", "ema"])
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_memory_with_a_monotonic_constraint(rule, loss, rate):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(1000, 1))
    y = X[:, 0] + rng.normal(scale=0.1, size=1000)
    settings = {"loss": loss, "learning_rate": rate, "monotonic_cst": [1]}
    model = GradientBoostingRegressor(optimizer=rule, **settings).fit(X, y)
    plain = GradientBoostingRegressor(optimizer="gd", **settings).fit(X, y)
    assert never_rises(model)
    assert r2_score(y, model.predict(X)) > r2_score(y, plain.predict(X)) - 0.08
    assert (np.diff(model.predict(np.sort(X, axis=0))) >= -1e-9).all()
    agrees_with_itself(model, X)


@pytest.mark.parametrize("loss", ["absolute_error", "quantile", "huber"])
@pytest.mark.parametrize("rule", ["gd", "nesterov", "newton"])
@pytest.mark.parametrize("rate", [5.0, 30.0])
def test_one_way_steps_do_not_go_too_far(rule, loss, rate):
    """Rising learners cannot take back what is too steep."""
    rng = np.random.default_rng(1)
    X = rng.uniform(-1, 1, size=(600, 2))
    y = 3 * X[:, 0] + X[:, 1] ** 2 + rng.normal(scale=0.2, size=600)
    settings = {"loss": loss, "optimizer": rule, "learning_rate": rate}
    model = GradientBoostingRegressor(monotonic_cst=[1, 0], **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 30 is very long
        model.fit(X, y)
    assert never_rises(model)
    assert d2_absolute_error_score(y, model.predict(X)) > 0.75
    agrees_with_itself(model, X)


def test_one_way_steps_on_some_rows():
    rng = np.random.default_rng(2)
    X = rng.uniform(-1, 1, size=(600, 1))
    y = X[:, 0] + rng.normal(scale=0.1, size=600)
    model = GradientBoostingRegressor(
        loss="absolute_error", optimizer="gd", learning_rate=8.0, subsample=0.6,
        monotonic_cst=[1], random_state=0,
    ).fit(X, y)  # fmt: skip
    assert d2_absolute_error_score(y, model.predict(X)) > 0.6


@pytest.mark.parametrize("engine", ENGINES)
def test_where_one_way_steps_end_the_warning_says_what_helps(engine):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(200, 2))
    y = X.sum(axis=1) + 0.3 * rng.normal(size=200)  # it rises with both columns

    def fit(rate):
        model = GradientBoostingRegressor(
            loss="absolute_error",
            learning_rate=rate,
            n_estimators=60,
            monotonic_cst=[1, -1],
        )
        with config_context(engine=engine):
            return model.fit(X, y)

    with pytest.warns(ConvergenceWarning, match="Under monotonic_cst.*lower learning"):
        far = fit(0.99)
    near = fit(0.1)  # without a warning
    assert len(near.train_score_) == 60 > len(far.train_score_)
    assert near.train_score_[-1] < far.train_score_[-1]
    assert never_rises(far)
