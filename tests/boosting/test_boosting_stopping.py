"""Validation data, and early stopping at the best round."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from boosters import FEW, TASKS, XB, XI, YB, YI, X, Y, made
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import GradientBoostingRegressor, losses

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


class Remembering:
    """A scorer that keeps what it gets, and predicts on a copy of it as well."""

    def __init__(self):
        self.seen = []

    def __call__(self, estimator, X, y, sample_weight=None):
        self.seen.append((X, y, sample_weight))
        value = estimator.score(X, y, sample_weight=sample_weight)
        if hasattr(X, "copy"):
            again = estimator.score(X.copy(), y, sample_weight=sample_weight)
            assert again == pytest.approx(value)
        return value


def frame():
    rng = np.random.default_rng(0)
    colour = rng.choice(["red", "green", "blue"], size=len(Y))
    return pd.DataFrame({"colour": pd.Categorical(colour), "x": X[:, 2]}).set_index(
        np.arange(len(Y)) + 1000
    )


def test_a_scorer_gets_validation_rows_as_they_were_given():
    data, scorer = frame(), Remembering()
    model = made("regression", scoring=scorer)
    val = data[300:]
    model.fit(data[:300], Y[:300], X_val=val, y_val=Y[300:])
    assert len(scorer.seen) == 8
    assert all(X is val for X, _, _ in scorer.seen)
    weight = np.arange(142) % 3.0
    model.fit(data[:300], Y[:300], X_val=val, y_val=Y[300:], sample_weight_val=weight)
    shown, y, w = scorer.seen[-1]
    pd.testing.assert_frame_equal(shown, val[weight > 0])
    np.testing.assert_array_equal(y, Y[300:][weight > 0])
    np.testing.assert_array_equal(w, weight[weight > 0])


@pytest.mark.parametrize("weighted", [False, True])
def test_a_scorer_gets_rows_held_out_as_they_were_given(weighted):
    data, scorer = frame(), Remembering()
    weight = np.arange(len(Y)) % 3.0 if weighted else None
    model = made("regression", scoring=scorer, n_iter_no_change=20)
    model.fit(data, Y, sample_weight=weight)
    shown, y, w = scorer.seen[-1]
    assert isinstance(shown, pd.DataFrame)
    rows = shown.index - 1000
    pd.testing.assert_frame_equal(shown, data.iloc[rows])
    np.testing.assert_array_equal(y, Y[rows])
    if weighted:
        np.testing.assert_array_equal(w, weight[rows])


def test_a_scorer_of_lists():
    scorer = Remembering()
    model = made("regression", scoring=scorer)
    model.fit(X[:300], Y[:300], X_val=X[300:].tolist(), y_val=Y[300:].tolist())
    np.testing.assert_array_equal(scorer.seen[0][0], X[300:])


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


def test_validation_data_alone_stop_nothing():
    model = GradientBoostingRegressor(**FEW).fit(
        X[:300], Y[:300], X_val=X[300:], y_val=Y[300:]
    )
    assert model.n_estimators_ == 15
    assert len(model.history_["val_loss"]) == 15


def test_validation_data_through_a_pipeline():
    Xt, Xv, yt, yv = train_test_split(X, Y, random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        pipe = make_pipeline(
            StandardScaler(),
            GradientBoostingRegressor(n_estimators=100, n_iter_no_change=4),
            transform_input=["X_val"],
        ).fit(Xt, yt, X_val=Xv, y_val=yv)
    scaler = StandardScaler().fit(Xt)
    direct = GradientBoostingRegressor(n_estimators=100, n_iter_no_change=4).fit(
        scaler.transform(Xt), yt, X_val=scaler.transform(Xv), y_val=yv
    )
    np.testing.assert_array_equal(
        pipe.predict(Xv), direct.predict(scaler.transform(Xv))
    )
