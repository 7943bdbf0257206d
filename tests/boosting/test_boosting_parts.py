"""Learners of other people, and what a fitted booster says of itself."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.model_selection import cross_val_score

from skdl import (
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    losses,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))
Y = X[:, 0] + np.abs(X[:, 1]) + 0.3 * RNG.normal(size=150)


class Silent(RegressorMixin, BaseEstimator):
    """Least squares whose `fit` returns nothing and takes no weights."""

    def __init__(self, column=False):
        self.column = column

    def fit(self, X, y):
        self.coef_ = np.linalg.lstsq(np.c_[X, np.ones(len(X))], y, rcond=None)[0]

    def predict(self, X):
        y = np.c_[X, np.ones(len(X))] @ self.coef_
        return y[:, None] if self.column else y


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("weight", [None, np.arange(150.0)], ids=["none", "weights"])
def test_adaboost_on_a_silent_learner(column, weight):
    model = AdaBoostRegressor(Silent(column), n_estimators=5, random_state=0)
    model.fit(X, Y, weight)
    best = Silent()
    best.fit(X, Y)
    assert model.score(X, Y) > 0.9 * best.score(X, Y) > 0.3
    assert len(model.estimators_) == len(model.estimator_weights_) > 1
    *_, last = model.staged_predict(X)
    np.testing.assert_array_equal(last, model.predict(X))
    for learner, error in zip(model.estimators_, model.estimator_errors_, strict=True):
        assert learner.predict(X).shape == ((150, 1) if column else (150,))
        assert 0 < error < 0.5


@pytest.mark.parametrize("column", [False, True])
def test_gradient_boosting_on_a_silent_learner(column):
    settings = {"estimator": Silent(column), "learning_rate": 1.0, "n_estimators": 1}
    model = GradientBoostingRegressor(**settings).fit(X, Y)
    best = Silent()
    best.fit(X, Y)
    np.testing.assert_allclose(model.predict(X), best.predict(X))
    two = GradientBoostingRegressor(**settings).fit(X, np.c_[Y, -Y])
    np.testing.assert_allclose(two.predict(X), np.c_[best.predict(X), -best.predict(X)])


class Talkative(Silent):
    """Predicts two numbers a row."""

    def predict(self, X):
        return np.ones((len(X), 2))


@pytest.mark.parametrize("cls", [AdaBoostRegressor, GradientBoostingRegressor])
def test_a_learner_of_several_outputs(cls):
    with pytest.raises(ValueError, match=r"Talkative.predict .*\(150, 2\).*one number"):
        cls(estimator=Talkative()).fit(X, Y)


# ---- score


@pytest.mark.parametrize("weight", [None, np.arange(150.0)], ids=["none", "weights"])
def test_score_of_several_quantiles(weight):
    levels = [0.1, 0.5, 0.8]
    model = GradientBoostingRegressor(loss=losses.Quantile(levels), n_estimators=40)
    model.fit(X, Y)
    prediction = model.predict(X)
    parts = [
        d2_pinball_score(Y, prediction[:, j], alpha=level, sample_weight=weight)
        for j, level in enumerate(levels)
    ]
    assert model.score(X, Y, weight) == pytest.approx(np.mean(parts))
    assert 0.3 < model.score(X, Y) < 1.0
    constant = GradientBoostingRegressor(loss=losses.Quantile(levels), n_estimators=1)
    constant.fit(np.zeros_like(X), Y)
    assert constant.score(np.zeros_like(X), Y) == pytest.approx(0.0, abs=0.02)
    scores = cross_val_score(model, X, Y, cv=2)
    assert np.isfinite(scores).all()


def test_several_quantiles_may_watch_their_score():
    model = GradientBoostingRegressor(
        loss=losses.Quantile([0.2, 0.8]), n_estimators=5, scoring=None
    )
    model.fit(X, Y, X_val=X[:50], y_val=Y[:50])
    assert model.history_["val_score"][-1] == pytest.approx(model.score(X[:50], Y[:50]))


@pytest.mark.parametrize(
    "loss", ["squared_error", losses.Quantile(0.3), losses.Quantile([0.7])]
)
def test_score_of_one_prediction(loss):
    model = GradientBoostingRegressor(loss=loss, n_estimators=10).fit(X, Y)
    weight = np.arange(150.0)
    assert model.score(X, Y) == pytest.approx(r2_score(Y, model.predict(X)))
    assert model.score(X, Y, weight) == pytest.approx(
        r2_score(Y, model.predict(X), sample_weight=weight)
    )


# ---- max_features_

DRAWN = [(None, 4), (2, 2), (9, 4), (0.5, 2), (0.1, 1), ("sqrt", 2), ("log2", 2)]


@pytest.mark.parametrize(("max_features", "expected"), DRAWN)
def test_max_features(max_features, expected):
    model = GradientBoostingRegressor(n_estimators=2, max_features=max_features)
    model.set_params(warm_start=True).fit(X, Y)
    assert model.max_features_ == expected
    model.set_params(max_features=3, n_estimators=3).fit(X, Y)
    assert model.max_features_ == 3
    classes = GradientBoostingClassifier(n_estimators=2, max_features=max_features)
    assert classes.fit(X, Y > 0).max_features_ == expected
