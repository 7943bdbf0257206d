"""The optimizer: a name, an instance, nested settings, grids; the full-batch ones."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPClassifier, MLPRegressor, optimizers
from skdl.optimizers import GD, LBFGS, SGD, Adam, Momentum
from skdl.schedules import Cosine, OneCycle, ReduceOnPlateau

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

FAST = {"hidden_layer_sizes": (8,), "max_iter": 4, "random_state": 0}


# Rates for a short run, where they are not 0.02.
RATES = dict.fromkeys(["gd", "sgd", "momentum", "nesterov", "ema"], 0.2)
RATES |= {"adadelta": 20.0, "adagrad": 0.1, "lion": 5e-3}


def weights(net):
    return net.network_.params.vector


@pytest.mark.parametrize("name", optimizers.names())
def test_every_optimizer_learns(iris, name):
    X, y = iris
    epochs = 10 if name == "coordinate" else 60  # each searches along every weight
    settings = {**FAST, "max_iter": epochs, "batch_size": "auto", "optimizer": name}
    net = MLPClassifier(**settings)
    if "optimizer__learning_rate" in net.get_params() and name != "rprop":
        net.set_params(optimizer__learning_rate=RATES.get(name, 0.02))
    net.fit(X, y)
    assert net.loss_ < 0.7 * net.loss_curve_[0]
    assert net.score(X, y) > 0.75


@pytest.mark.parametrize("name", optimizers.names())
def test_a_name_is_its_default_instance(iris, name):
    by_name = MLPClassifier(**FAST, optimizer=name).fit(*iris)
    instance = MLPClassifier(**FAST, optimizer=optimizers.get(name)).fit(*iris)
    np.testing.assert_array_equal(weights(by_name), weights(instance))


# settings of one net -> an optimizer that does the same
NESTED = {
    "a rate": ({"optimizer__learning_rate": 0.05}, Adam(0.05)),
    "another optimizer": (
        {"optimizer": "momentum", "optimizer__momentum": 0.5},
        Momentum(momentum=0.5),
    ),
    "an instance": (
        {"optimizer": SGD(0.5), "optimizer__clip_norm": 0.1},
        SGD(0.5, clip_norm=0.1),
    ),
    "a schedule by name": (
        {"optimizer": "sgd", "optimizer__learning_rate": "cosine"},
        SGD(Cosine()),
    ),
    "inside a schedule": (
        {
            "optimizer__learning_rate": "one_cycle",
            "optimizer__learning_rate__initial": 0.02,
        },
        Adam(OneCycle(0.02)),
    ),
}


@pytest.mark.parametrize("where", ["alone", "pipeline"])
@pytest.mark.parametrize("case", NESTED)
def test_nested_settings(iris, case, where):
    X, y = iris
    params, optimizer = NESTED[case]
    given = MLPClassifier(**FAST, optimizer=optimizer).fit(X, y)
    net = MLPClassifier(**FAST)
    if where == "pipeline":
        model = make_pipeline(StandardScaler(with_mean=False, with_std=False), net)
        model.set_params(**{f"mlpclassifier__{key}": v for key, v in params.items()})
        net = clone(model).fit(X, y)[-1]
    else:
        net.set_params(**params).fit(X, y)
    np.testing.assert_array_equal(weights(net), weights(given))


@pytest.mark.parametrize("where", ["alone", "pipeline"])
def test_grid_over_optimizer_and_its_rate(iris, where):
    X, y = iris
    net, prefix = MLPClassifier(**FAST), ""
    if where == "pipeline":
        net, prefix = make_pipeline(StandardScaler(), net), "mlpclassifier__"
    grid = {
        f"{prefix}optimizer": ["sgd", "adam"],
        f"{prefix}optimizer__learning_rate": [1e-3, 0.3],
    }
    search = GridSearchCV(net, grid, cv=2, error_score="raise").fit(X, y)
    for i, params in enumerate(search.cv_results_["params"]):
        rate = params[f"{prefix}optimizer__learning_rate"]
        name = params[f"{prefix}optimizer"]
        alone = clone(net).set_params(**{f"{prefix}optimizer": optimizers.get(name)})
        alone.set_params(**{f"{prefix}optimizer__learning_rate": rate})
        cv = GridSearchCV(alone, {}, cv=2).fit(X, y)
        assert search.cv_results_["mean_test_score"][i] == cv.best_score_
    best = search.best_estimator_
    best = best if where == "alone" else best[-1]
    rate = search.best_params_[f"{prefix}optimizer__learning_rate"]
    assert best.optimizer.learning_rate == rate
    assert best.history_["learning_rate"] == [rate] * best.n_iter_


def test_a_grid_in_parallel_is_the_same(iris):
    X, y = iris
    grid = {"optimizer__learning_rate": [1e-3, 1e-1], "dropout": [0.0, 0.3]}
    searches = [
        GridSearchCV(MLPClassifier(**FAST), grid, cv=2, n_jobs=n_jobs).fit(X, y)
        for n_jobs in (1, 2)
    ]
    scores = [search.cv_results_["mean_test_score"] for search in searches]
    np.testing.assert_array_equal(*scores)
    np.testing.assert_array_equal(*(weights(s.best_estimator_) for s in searches))


def test_fit_leaves_the_users_optimizer_alone(iris):
    mine = Adam(0.01)
    before = vars(mine).copy()
    net = MLPClassifier(**FAST, optimizer=mine).fit(*iris)
    assert vars(mine) == before
    assert net.optimizer is mine
    two = [clone(net).fit(*iris) for _ in range(2)]
    for other in two:
        np.testing.assert_array_equal(weights(other), weights(net))


# ---- schedules


def test_the_schedule_knows_the_length_of_the_run(iris):
    X, y = iris
    settings = {**FAST, "max_iter": 8, "batch_size": 30, "n_iter_no_change": "never"}
    net = MLPClassifier(**settings, optimizer=Adam(Cosine(0.1, unit="epoch")))
    rates = net.fit(X, y).history_["learning_rate"]
    expected = 0.05 * (1 + np.cos(np.pi * np.arange(8) / 8))
    np.testing.assert_allclose(rates, expected, rtol=1e-12)
    per_step = MLPClassifier(**settings, optimizer=Adam(Cosine(0.1)))
    rates = per_step.fit(X, y).history_["learning_rate"]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)  # 5 steps an epoch


def test_the_schedule_sees_the_validation_loss(iris):
    X, y = iris
    wrong = (y + 1) % 3  # the better the net learns y, the worse it does on these
    optimizer = Adam(ReduceOnPlateau(0.05, factor=0.5, patience=2))
    net = MLPClassifier(**{**FAST, "max_iter": 12}, optimizer=optimizer)
    rates = net.fit(X, y, X_val=X, y_val=wrong).history_["learning_rate"]
    assert rates[-1] < 0.05
    assert np.all(np.diff(net.loss_curve_) < 0)
    rates = net.fit(X, y).history_["learning_rate"]
    assert rates == [0.05] * 12


def test_a_schedule_that_needs_the_length_has_none_under_partial_fit(iris):
    net = MLPClassifier(**FAST, optimizer=Adam(Cosine(0.1)))
    with pytest.raises(ValueError, match="Cosine"):
        net.partial_fit(*iris)


# ---- clipping


@pytest.mark.parametrize(("clip", "norm"), [("clip_norm", 0.01), ("clip_value", 0.001)])
def test_clipping_bounds_a_step(curve, clip, norm):
    X, y = curve
    net = MLPRegressor(**{**FAST, "max_iter": 1}, optimizer="gd")
    net.set_params(optimizer__learning_rate=1.0, **{f"optimizer__{clip}": norm})
    start = clone(net).initialize(X, 1000 * y)
    moved = weights(net.fit(X, 1000 * y)) - weights(start)
    size = np.linalg.norm(moved) if clip == "clip_norm" else np.abs(moved).max()
    assert size == pytest.approx(norm, rel=1e-9)


# ---- meant for the whole sample


@pytest.mark.parametrize("name", ["gd", "rprop", "lbfgs"])
def test_auto_batch_is_the_whole_sample(iris, name):
    X, y = iris
    net = MLPClassifier(**FAST, optimizer=name).fit(np.tile(X, (3, 1)), np.tile(y, 3))
    if name != "lbfgs":
        assert net._training_state.optimizer_state.t == net.n_iter_ == 4
        assert net.t_ == 4 * 450
    order = np.random.default_rng(0).permutation(150)
    shuffled = MLPClassifier(**FAST, optimizer=name).fit(X[order], y[order])
    plain = MLPClassifier(**FAST, optimizer=name).fit(X, y)
    np.testing.assert_allclose(weights(shuffled), weights(plain), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["gd", "rprop"])
def test_mini_batches_are_warned_of(iris, name):
    net = MLPClassifier(**FAST, optimizer=name, batch_size=20)
    with pytest.warns(UserWarning, match=r"meant for the gradient of the whole sample"):
        net.fit(*iris)


def test_lbfgs_takes_no_mini_batches(iris):
    X, y = iris
    net = MLPClassifier(**FAST, optimizer="lbfgs", batch_size=20)
    with pytest.raises(ValueError, match="LBFGS works on the whole sample, got batch"):
        net.fit(X, y)
    net.set_params(batch_size=len(X)).fit(X, y)
    with pytest.raises(ValueError, match="partial_fit needs an optimizer that takes"):
        MLPClassifier(optimizer="lbfgs").partial_fit(X, y)


@pytest.mark.filterwarnings("error")
def test_lbfgs_converges_and_says_so(iris, capsys):
    X, y = iris
    net = MLPClassifier(
        (8,), optimizer="lbfgs", alpha=0.1, max_iter=1000, random_state=0
    )
    net.set_params(n_iter_no_change="never", verbose=100).fit(X, y)
    assert net.n_iter_ < 1000
    assert len(net.loss_curve_) == net.n_iter_
    assert np.all(np.diff(net.loss_curve_) <= 0)
    assert np.isnan(net.history_["learning_rate"]).all()
    assert "the optimizer converged after" in capsys.readouterr().out


def test_lbfgs_with_everything_else(iris):
    X, y = iris
    net = MLPClassifier(
        (8,),
        optimizer=LBFGS(memory=5),
        batch_norm=True,
        early_stopping=True,
        max_iter=30,
        random_state=0,
        dtype="float32",
    ).fit(X, y)
    assert weights(net).dtype == np.float32
    assert net.score(X, y) > 0.7
    assert set(net.history_) == {"loss", "learning_rate", "val_loss", "val_score"}


# ---- batch size


@pytest.mark.parametrize(
    ("batch_size", "steps"),
    [("auto", 1), (150, 1), (149, 2), (50, 3), (7, 22), (1, 150)],
)
def test_batch_size(iris, batch_size, steps):
    net = MLPClassifier(**{**FAST, "max_iter": 1}, batch_size=batch_size).fit(*iris)
    assert net._training_state.optimizer_state.t == steps
    assert net.t_ == 150


def test_auto_batch_is_at_most_200(digits):
    net = MLPClassifier(**{**FAST, "max_iter": 1}).fit(*digits)
    assert net._training_state.optimizer_state.t == 3


def test_a_batch_larger_than_the_sample_is_warned_of(iris):
    X, y = iris
    with pytest.warns(UserWarning, match="larger than the 150 samples"):
        large = MLPClassifier(**FAST, batch_size=1000).fit(X, y)
    plain = MLPClassifier(**FAST, batch_size=150).fit(X, y)
    np.testing.assert_array_equal(weights(large), weights(plain))


@pytest.mark.parametrize("shuffle", [False, True])
def test_shuffle(iris, shuffle):
    X, y = iris
    net = MLPClassifier(**FAST, batch_size=30, shuffle=shuffle)
    first, second = clone(net).fit(X, y), clone(net).fit(X[::-1], y[::-1])
    differ = (weights(first) != weights(second)).any()
    assert differ  # the order of the rows matters either way
    # In order: an epoch over the rows is partial_fit over its batches.
    parts = MLPClassifier(**FAST, shuffle=shuffle, batch_size=30).initialize(X, y)
    for _ in range(4):
        for start in range(0, 150, 30):
            parts.partial_fit(X[start : start + 30], y[start : start + 30])
    same = np.allclose(weights(parts), weights(first), rtol=1e-9)
    assert same != shuffle


def test_gd_is_sgd_with_one_batch(iris):
    whole = MLPClassifier(**FAST, optimizer=GD(0.1)).fit(*iris)
    sgd = MLPClassifier(**FAST, optimizer=SGD(0.1), batch_size=150).fit(*iris)
    np.testing.assert_array_equal(weights(whole), weights(sgd))
