"""Models as `init`: classes they have not seen, predictions out of range."""

import numpy as np
import pytest
from boosters import XI, YI, X, Y
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdl import GradientBoostingClassifier, GradientBoostingRegressor, losses

EPS = np.finfo(np.float32).eps
NAMES = np.array(["setosa", "versicolor", "virginica"])


@pytest.mark.parametrize("lacking", [0, 1, 2])
@pytest.mark.parametrize(
    "init",
    [
        DummyClassifier(),
        DecisionTreeClassifier(max_depth=1, random_state=0),
        LogisticRegression(max_iter=1000),
    ],
    ids=lambda init: type(init).__name__,
)
def test_a_model_that_lacks_a_class(init, lacking):
    kept = ~np.isin(YI, lacking)
    model = GradientBoostingClassifier(init=init, n_estimators=20)
    model.fit(XI, NAMES[YI], sample_weight=kept.astype(float))
    own = clone(init).fit(XI[kept], YI[kept])
    expected = np.full((len(XI), 3), EPS)
    expected[:, own.classes_] = np.clip(own.predict_proba(XI), EPS, 1 - EPS)
    np.testing.assert_allclose(
        first_probabilities(model, XI),
        expected / expected.sum(axis=1, keepdims=True),
        rtol=1e-5,
    )
    assert model.predict_proba(XI)[:, lacking].max() < 1e-4
    assert model.score(XI[kept], NAMES[YI[kept]]) > 0.9


def first_probabilities(model, X):
    return model.loss_function_.inverse_link(model.ensemble_.start(X))


def test_one_class_of_two():
    y = np.r_[np.zeros(149), 1]  # early stopping may hold the only 1 out
    held_out = False
    for seed in range(12):
        model = GradientBoostingClassifier(
            init=DummyClassifier(),
            n_estimators=2,
            n_iter_no_change=2,
            random_state=seed,
        ).fit(XI, y)
        p = first_probabilities(model, XI)[:, 0]
        seen = model.ensemble_.init.model.class_prior_[-1] if p[0] > 1e-6 else EPS
        held_out |= seen == EPS
        np.testing.assert_allclose(p, seen, rtol=1e-5)
    assert held_out


def test_labels_alone_are_no_start_for_several_classes():
    model = GradientBoostingClassifier(init=DecisionTreeRegressor())
    with pytest.raises(ValueError, match=r"init=DecisionTreeRegressor .*predict_proba"):
        model.fit(XI, YI)


class TwoColumns(DummyRegressor):
    def predict(self, X):
        return np.ones((len(X), 2))


def test_a_model_of_another_number_of_targets():
    with pytest.raises(ValueError, match=r"TwoColumns .*\(442, 2\); 1 column"):
        GradientBoostingRegressor(init=TwoColumns()).fit(X, Y)


# ---- out of range


def line(n=200):
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 3, size=(n, 1))
    return X, rng.poisson(3 * X[:, 0]) + 1.0


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
@pytest.mark.filterwarnings("error")
def test_a_model_that_leaves_the_range_of_the_loss(loss):
    X, y = line()
    settings = {"loss": loss, "n_estimators": 20, "init": LinearRegression()}
    model = GradientBoostingRegressor(**settings).fit(X, y)
    ols = LinearRegression().fit(X, y)
    far = np.array([[-5.0], [-50.0], [2.0]])
    assert (ols.predict(far) < 0).tolist() == [True, True, False]
    start = np.exp(model.ensemble_.start(far)[:, 0])
    lowest = ols.predict(X).min()
    np.testing.assert_allclose(start, [lowest, lowest, ols.predict(far[2:])[0]])
    assert (model.predict(far) > 0).all()
    assert np.isfinite(list(model.staged_predict(far))).all()
    val = {"X_val": far, "y_val": np.ones(3)}
    model.fit(X, y, **val)
    assert np.isfinite(model.history_["val_loss"]).all()


class Late(DummyRegressor):
    def predict(self, X):
        return np.full(len(X), np.nan if len(X) < 5 else 2.0)


def test_a_model_that_predicts_nan():
    X, y = line()
    model = GradientBoostingRegressor(init=Late(), n_estimators=2).fit(X, y)
    with pytest.raises(ValueError, match="init=Late gives predictions that are not fi"):
        model.predict(X[:2])


def test_one_first_model_for_several_quantiles():
    X, y = line()
    loss = losses.Quantile([0.2, 0.8])
    model = GradientBoostingRegressor(loss=loss, init=LinearRegression()).fit(X, y)
    start = LinearRegression().fit(X, y).predict(X)
    np.testing.assert_allclose(model.ensemble_.start(X), np.c_[start, start])
