"""Going on from the fitted rounds: `warm_start`."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from skdl import GradientBoostingClassifier, GradientBoostingRegressor, losses
from skdl.schedules import ReduceOnPlateau

X, Y = load_diabetes(return_X_y=True)
XB, YB = load_breast_cancer(return_X_y=True)
XI, YI = load_iris(return_X_y=True)


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


def test_a_schedule_that_watches_the_loss_goes_on_too():
    settings = {"learning_rate": ReduceOnPlateau(0.9, patience=1), "random_state": 0}
    data = {"X": X[:300], "y": Y[:300], "X_val": X[300:], "y_val": Y[300:]}
    whole = GradientBoostingRegressor(n_estimators=30, **settings).fit(**data)
    assert whole.ensemble_.rates[-1] < 0.01
    model = GradientBoostingRegressor(warm_start=True, **settings)
    for n in (8, 9, 30):
        model.set_params(n_estimators=n).fit(**data)
    assert model.ensemble_.rates == whole.ensemble_.rates
