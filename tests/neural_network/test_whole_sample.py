"""Optimizers that take the whole sample, in the estimators."""

import pickle
import re

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as SklearnMLP
from sklearn.neural_network import MLPRegressor as SklearnRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPClassifier, MLPRegressor
from skdl.callbacks import Jog as JogCallback
from skdl.callbacks import LearningRateFinder
from skdl.callbacks._callback import TrainingCallback
from skdl.layers import Dense, Dropout, Residual
from skdl.optimizers import LBFGS, SGD, Adam, Coordinate, Jog, Newton
from skdl.training import DivergenceError

WHOLE = {
    "lbfgs": "lbfgs",
    "newton": "newton",
    "armijo": Newton("armijo"),
    "wolfe": Newton("wolfe", differences="forward"),
    "coordinate": "coordinate",
    "jogged": Jog("newton"),
}


def made(optimizer, **settings):
    usual = {"alpha": 0.1, "max_iter": 40, "n_iter_no_change": "never"}
    return MLPClassifier((3,), optimizer=optimizer, random_state=0, **usual | settings)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_loss_falls_and_is_that_of_the_weights(iris, name, dtype):
    X, y = iris
    max_iter = 3 if name == "coordinate" else 40
    net = made(WHOLE[name], dtype=dtype, max_iter=max_iter).fit(X, y)
    assert net.network_.params.vector.dtype == dtype
    curve = net.loss_curve_
    if name != "jogged":
        slack = 1e-6 if dtype == "float32" else 0
        assert (np.diff(curve) <= slack).all()
    penalty = 0.05 * sum((w**2).sum() for w in net.coefs_) / len(y)
    expected = log_loss(y, net.predict_proba(X)) + penalty
    assert net.loss_ == pytest.approx(expected, rel=1e-4)
    assert net.loss_ == pytest.approx(min(curve), abs=1e-6)
    assert net.score(X, y) > 0.9


def test_newton_finds_the_minimum_of_a_convex_loss(iris):
    X, y = iris
    settings = {"alpha": 1.0, "max_iter": 100, "random_state": 0}
    nets = [
        MLPClassifier((), optimizer=optimizer, n_iter_no_change="never", **settings)
        for optimizer in (Newton(), LBFGS(gtol=1e-9, ftol=0), Newton("wolfe"))
    ]
    losses = [net.fit(X, y).loss_ for net in nets]
    np.testing.assert_allclose(losses, losses[1], rtol=1e-9)
    assert nets[0].n_iter_ < 0.5 * nets[1].n_iter_


def test_newton_on_least_squares_takes_one_step(curve):
    X, y = curve
    net = MLPRegressor((), optimizer="newton", alpha=0.0, max_iter=20).fit(X, y)
    design = np.c_[X, np.ones(len(y))]
    solution = np.linalg.lstsq(design, y)[0]
    np.testing.assert_allclose(net.coefs_[0][:, 0], solution[:-1], rtol=1e-6)
    assert net.loss_curve_[0] == pytest.approx(net.loss_, rel=1e-9)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize(
    "noise",
    [
        {"dropout": 0.2},
        {"layers": [Dense(4), "relu", Dropout(0.1)]},
        {"layers": [Dense(4), Residual([Dense(4), Dropout(0.5)])]},
    ],
    ids=["dropout", "layer", "within"],
)
def test_random_layers_are_not_for_them(iris, name, noise):
    X, y = iris
    fitted = made(WHOLE[name], max_iter=1).fit(X, y)
    before = fitted.predict_proba(X)
    fitted.set_params(**noise)
    kind = type(fitted.optimizer).__name__ if fitted.optimizer is not name else name
    with pytest.raises(ValueError, match=r"needs the same loss .*dropout=0") as raised:
        fitted.fit(X, y)
    assert re.match(kind, str(raised.value), re.IGNORECASE)
    np.testing.assert_array_equal(fitted.predict_proba(X), before)


def test_a_dropout_of_nothing_and_noise_of_others_pass(iris):
    X, y = iris
    made("newton", layers=[Dense(4), Dropout(0.0)], max_iter=2).fit(X, y)
    made("gd", dropout=0.2, max_iter=2).fit(X, y)
    made(Jog("adam"), dropout=0.2, max_iter=2).fit(X, y)


@pytest.mark.parametrize("name", WHOLE)
def test_mini_batches_are_not_for_them(iris, name):
    X, y = iris
    with pytest.raises(
        ValueError, match="works on the whole sample, got batch_size=50"
    ):
        made(WHOLE[name], batch_size=50).fit(X, y)
    with pytest.raises(ValueError, match="one batch at a time, got"):
        made(WHOLE[name]).partial_fit(X, y)


@pytest.mark.parametrize("name", WHOLE)
def test_a_start_that_is_not_finite(iris, name):
    X, y = iris
    net = MLPRegressor((3,), optimizer=WHOLE[name], max_iter=3)
    with pytest.raises(
        DivergenceError, match=r"epoch 1: .* finite. Scale the in"
    ) as raised:
        net.fit(1e200 * X, y)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)
    assert net.n_iter_ == len(net.loss_curve_) == 0


def test_restarts_keep_the_best(iris):
    X, y = iris
    for optimizer in ("newton", "lbfgs", Jog("lbfgs")):
        single = [
            made(optimizer, n_init=n, max_iter=15).fit(X, y).loss_ for n in (1, 3)
        ]
        assert single[1] <= single[0]
    jobs = [
        made(Jog("newton"), n_init=2, max_iter=10, n_jobs=n).fit(X, y) for n in (1, 2)
    ]
    np.testing.assert_array_equal(*[net.network_.params.vector for net in jobs])


def test_batch_norm_validation_and_early_stopping(iris):
    X, y = iris
    for optimizer in ("newton", Jog("newton")):
        net = MLPClassifier(
            (6,),
            optimizer=optimizer,
            batch_norm=True,
            early_stopping=True,
            max_iter=30,
            random_state=0,
        ).fit(X, y)
        assert net.score(X, y) > 0.7
        assert len(net.history_["val_score"]) == net.n_iter_


def test_going_on_from_the_weights(iris):
    X, y = iris
    net = made("newton", warm_start=True, max_iter=2).fit(X, y)
    first = net.loss_
    net.set_params(max_iter=5).fit(X, y)
    assert net.loss_ < first
    assert len(net.loss_curve_) == 7


def test_in_a_grid_with_nested_settings(iris):
    X, y = iris
    search = GridSearchCV(
        make_pipeline(StandardScaler(), made("newton", max_iter=5)),
        [
            {
                "mlpclassifier__optimizer": ["newton"],
                "mlpclassifier__optimizer__search": ["armijo", "trust_region"],
            },
            {"mlpclassifier__optimizer__search__c2": [0.5],
             "mlpclassifier__optimizer": [Newton("wolfe")]},
            {"mlpclassifier__optimizer": [Jog("lbfgs")],
             "mlpclassifier__optimizer__optimizer__memory": [3]},
        ],
        cv=2,
        error_score="raise",
    )  # fmt: skip
    assert search.fit(X, y).best_score_ > 0.8


# ---- jogging


def test_the_optimizer_and_the_callback_are_one(iris):
    X, y = iris
    for inner in (Adam(0.05), "lbfgs"):
        settings = {"batch_size": "auto" if inner == "lbfgs" else 150, "max_iter": 80}
        callback = JogCallback(0.5, 3, 0.01)
        by_callback = made(inner, **settings).set_callbacks(callback).fit(X, y)
        wrapped = made(Jog(inner, 0.5, 3, 0.01), **settings).fit(X, y)
        assert len(callback.jogs_) > 1
        np.testing.assert_array_equal(
            by_callback.network_.params.vector, wrapped.network_.params.vector
        )
        assert by_callback.loss_curve_ == wrapped.loss_curve_


def test_a_jog_raises_the_loss_and_leaves_biases(iris):
    X, y = iris
    callback = JogCallback(1.0, 2, 10.0)  # no gain is enough
    seen = []

    class Weights(TrainingCallback):
        def on_epoch_end(self, estimator, trainer):
            seen.append(trainer.theta.copy())
            return False

    net = made(SGD(1e-9), batch_size=150, max_iter=9)
    net.set_callbacks(callback, Weights()).fit(X, y)
    assert callback.jogs_ == [4, 8]
    n = net.network_.params.penalised[0].stop
    moves = np.abs(np.diff(seen, axis=0))
    assert (moves[:, :n].max(axis=1) > 1e-3).tolist() == [0, 0, 0, 1, 0, 0, 0, 1]
    assert moves[:, n:].max() < 1e-6


def test_the_loss_is_that_of_the_best_epoch_and_jogging_is_no_failure_to_converge(
    iris, recwarn
):
    X, y = iris
    optimizer = Jog(Adam(0.05), 3.0, 3, 0.02)
    net = made(optimizer, batch_size=150, n_iter_no_change=10, max_iter=60).fit(X, y)
    assert net.n_iter_ == 60
    assert net.loss_ == min(net.loss_curve_) == net.best_loss_
    assert net.loss_curve_[-1] > net.loss_
    assert not [w for w in recwarn if issubclass(w.category, ConvergenceWarning)]


def test_a_stream_is_jogged_too(iris):
    X, y = iris
    net = made(Jog(Adam(0.02), patience=2, tol=0.1), batch_size=50)
    for _ in range(30):
        net.partial_fit(X, y)
    state = net._training_state
    assert len(state.optimizer_state.memory["jogs"]) > 1
    assert net.loss_ == net.loss_curve_[-1]


@pytest.mark.parametrize("first", [True, False])
def test_jog_and_the_rate_finder_get_along(iris, first):
    X, y = iris
    callbacks = [JogCallback(patience=2, tol=0.1), LearningRateFinder(n_steps=20)]
    net = made("adam", max_iter=20)
    net.set_callbacks(*(callbacks if first else callbacks[::-1])).fit(X, y)
    assert callbacks[0].jogs_
    rate = callbacks[1].learning_rate_
    assert set(net.history_["learning_rate"]) == {rate}


# ---- against scikit-learn


@pytest.mark.parametrize("hidden", [(10,), (20, 5)])
def test_the_losses_of_scikit_learn(iris, curve, hidden):
    X, y = iris
    settings = {"hidden_layer_sizes": hidden, "alpha": 0.01, "max_iter": 2000}
    settings.update(random_state=0, activation="tanh")
    theirs = SklearnMLP(solver="lbfgs", **settings).fit(X, y)
    settings["n_iter_no_change"] = "never"
    ours = MLPClassifier(optimizer="lbfgs", **settings).fit(X, y)
    assert ours.loss_ < theirs.loss_ + 1e-4
    ours = MLPRegressor(optimizer="lbfgs", **settings).fit(*curve)
    del settings["n_iter_no_change"]
    theirs = SklearnRegressor(solver="lbfgs", **settings).fit(*curve)
    assert ours.loss_ < 1.5 * theirs.loss_ + 1e-4


def test_coordinate_descent_on_a_net_without_a_gradient(curve):
    X, y = curve
    net = MLPRegressor((), optimizer=Coordinate("random"), alpha=0.0, random_state=0)
    net.fit(X, y)
    solution = np.linalg.lstsq(np.c_[X, np.ones(len(y))], y)[0]
    np.testing.assert_allclose(net.coefs_[0][:, 0], solution[:-1], atol=1e-4)
