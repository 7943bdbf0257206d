"""Gradient boosting: what it computes."""

import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss, mean_pinball_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skdl import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    config_context,
    losses,
    optimizers,
    schedules,
)
from skdl.boosting import NewtonStep

X, Y = load_diabetes(return_X_y=True)
XB, YB = load_breast_cancer(return_X_y=True)
XI, YI = load_iris(return_X_y=True)
FEW = {"n_estimators": 15, "random_state": 0}


# ---- the algorithm


def test_one_full_tree_reproduces_the_data():
    model = GradientBoostingRegressor(
        n_estimators=1, learning_rate=1.0, max_depth=None, random_state=0
    ).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), Y)


def test_textbook_loop():
    model = GradientBoostingRegressor(
        estimator=DecisionTreeRegressor(max_depth=2, random_state=0),
        init="zero",
        n_estimators=20,
        learning_rate=0.3,
    ).fit(X, Y)
    a = np.zeros(len(Y))
    for _ in range(20):
        residual = Y - a
        tree = DecisionTreeRegressor(max_depth=2, random_state=0).fit(X, residual)
        a += 0.3 * tree.predict(X)
    np.testing.assert_allclose(model.predict(X), a)


def test_textbook_loop_of_classes():
    model = GradientBoostingClassifier(
        estimator=DecisionTreeRegressor(max_depth=2, random_state=0),
        optimizer="gd",
        n_estimators=20,
        learning_rate=0.3,
    ).fit(XB, YB)
    a = np.full(len(YB), np.log(YB.mean() / (1 - YB.mean())))
    for _ in range(20):
        gradient = 1 / (1 + np.exp(-a)) - YB
        tree = DecisionTreeRegressor(max_depth=2, random_state=0).fit(XB, -gradient)
        a += 0.3 * tree.predict(XB)
    np.testing.assert_allclose(model.decision_function(XB), a)


@pytest.mark.parametrize("rule", ["momentum", "nesterov", "ema"])
def test_rules_with_memory_follow_their_formulas(rule):
    base = DecisionTreeRegressor(max_depth=2, random_state=0)
    model = GradientBoostingRegressor(
        estimator=base,
        init="zero",
        optimizer=rule,
        learning_rate=0.1,
        n_estimators=8,
    ).fit(X, Y)
    beta = 0.9
    a, v = np.zeros(len(Y)), np.zeros(len(Y))
    stages = []
    for _ in range(8):
        b = clone(base).fit(X, Y - a).predict(X)  # minus the gradient
        v = beta * v + (b if rule != "ema" else (1 - beta) * b)
        a = a + 0.1 * (beta * v + b if rule == "nesterov" else v)
        stages.append(a)
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


def test_inverse_schedule_is_eta_over_k():
    model = GradientBoostingRegressor(
        learning_rate=schedules.Inverse(initial=0.5), n_estimators=4
    ).fit(X, Y)
    np.testing.assert_allclose(model.ensemble_.rates, 0.5 / np.arange(1, 5))
    default = GradientBoostingRegressor(learning_rate="inverse", n_estimators=2)
    np.testing.assert_allclose(default.fit(X, Y).ensemble_.rates, [0.1, 0.05])


def test_learning_rate_none_takes_the_optimizers():
    model = GradientBoostingRegressor(
        learning_rate=None, optimizer=optimizers.Momentum(0.07), n_estimators=2
    ).fit(X, Y)
    assert model.ensemble_.rates == [0.07, 0.07]


REGRESSION_LOSSES = {
    "squared_error": losses.SquaredError(),
    "absolute_error": losses.AbsoluteError(),
    "huber": losses.Huber(20.0),
    "quantile": losses.Quantile(0.3),
    "poisson": losses.Poisson(),
    "gamma": losses.Gamma(),
}


@pytest.mark.parametrize("rule", ["newton", "gd"])
@pytest.mark.parametrize("name", REGRESSION_LOSSES)
def test_every_loss_falls(name, rule):
    y = Y / 100
    loss = REGRESSION_LOSSES[name]
    if name == "huber":
        loss = losses.Huber(0.2)
    model = GradientBoostingRegressor(loss=loss, optimizer=rule, **FEW).fit(X, y)
    raw = model.ensemble_.raw(X)
    assert loss(y[:, None], raw) == pytest.approx(model.train_score_[-1])
    assert model.train_score_[-1] < 0.95 * loss(
        y[:, None], np.broadcast_to(model.ensemble_.baseline, raw.shape)
    )
    assert (np.diff(model.train_score_) <= 1e-12).all()


@pytest.mark.parametrize("name", [*REGRESSION_LOSSES, "log_loss", "exponential"])
def test_residual_is_minus_the_gradient(name):
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(50, 1))
    if name in REGRESSION_LOSSES:
        loss, y = REGRESSION_LOSSES[name], rng.uniform(0.5, 3.0, size=(50, 1))
    else:
        loss = losses.get(name).for_classes(2, False)
        y = rng.integers(0, 2, size=(50, 1)).astype(float)
    if name == "huber":
        loss = losses.Huber(1.0)
    along = rng.normal(size=raw.shape)
    step = 1e-6
    slope = (loss(y, raw + step * along) - loss(y, raw - step * along)) / (2 * step)
    values, gradient, hessian = loss.derivatives(y, raw)
    assert slope == pytest.approx((gradient * along).sum() / 50, rel=1e-5)
    assert values.sum() == pytest.approx(50 * loss(y, raw))
    if hessian is not None and name != "huber":
        change = loss.gradient(y, raw + step) - loss.gradient(y, raw - step)
        np.testing.assert_allclose(change / (2 * step), hessian, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", [losses.AbsoluteError(), losses.Huber(0.7)])
@pytest.mark.parametrize("weighted", [False, True])
def test_leaf_value_is_no_worse_than_its_neighbours(loss, weighted):
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=(41, 1)), rng.normal(size=(41, 1))
    w = rng.integers(1, 5, 41).astype(float) if weighted else None
    value = loss.leaf_value(y, raw, w)
    slack = 0.02 if isinstance(loss, losses.Huber) else 0.0  # one step only
    for other in (-0.3, 0.3):
        assert loss(y, raw + value, w) <= loss(y, raw + value + other, w) + slack


def test_several_quantiles_at_once():
    levels = [0.1, 0.5, 0.9]
    model = GradientBoostingRegressor(
        loss=losses.Quantile(levels), n_estimators=60, max_depth=2
    ).fit(X, Y)
    predictions = model.predict(X)
    assert predictions.shape == (len(Y), 3)
    for j, q in enumerate(levels):
        alone = GradientBoostingRegressor(
            loss=losses.Quantile(q), n_estimators=60, max_depth=2
        ).fit(X, Y)
        np.testing.assert_allclose(predictions[:, j], alone.predict(X))
        share = (predictions[:, j] >= Y).mean()
        assert abs(share - q) < 0.08
        assert mean_pinball_loss(Y, predictions[:, j], alpha=q) < mean_pinball_loss(
            Y, np.full(len(Y), np.quantile(Y, q)), alpha=q
        )


def squared(y, raw):
    return 0.5 * (raw - y) ** 2, raw - y, np.ones_like(raw)


def test_custom_loss_is_the_same_as_its_twin():
    own = GradientBoostingRegressor(loss=squared, **FEW).fit(X, Y)
    twin = GradientBoostingRegressor(**FEW).fit(X, Y)
    np.testing.assert_allclose(own.predict(X), twin.predict(X), rtol=1e-6)
    no_hessian = GradientBoostingRegressor(
        loss=lambda y, raw: squared(y, raw)[:2], **FEW
    ).fit(X, Y)
    np.testing.assert_allclose(no_hessian.predict(X), twin.predict(X), rtol=1e-6)


def test_custom_loss_of_classes():
    def softmax_loss(y, raw):
        p = np.exp(raw - raw.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        hot = np.eye(raw.shape[1])[y]
        return -np.log(p[np.arange(len(y)), y]), p - hot, p * (1 - p)

    model = GradientBoostingClassifier(loss=softmax_loss, **FEW).fit(XB, YB)
    assert model.score(XB, YB) > 0.97
    np.testing.assert_allclose(model.predict_proba(XB).sum(axis=1), 1.0)
    assert model.decision_function(XB).shape == (len(YB),)


def test_exponential_loss():
    model = GradientBoostingClassifier(loss="exponential", **FEW).fit(XB, YB)
    assert model.score(XB, YB) > 0.97
    margin = (2 * YB - 1) * model.decision_function(XB)
    assert np.exp(-margin).mean() == pytest.approx(model.train_score_[-1])


# ---- data


def test_weights_are_repetitions():
    w = np.random.default_rng(0).integers(0, 3, len(Y))
    weighted = GradientBoostingRegressor(**FEW).fit(X, Y, w)
    repeated = GradientBoostingRegressor(**FEW).fit(np.repeat(X, w, 0), np.repeat(Y, w))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X))


def test_class_weight_is_a_sample_weight():
    balanced = GradientBoostingClassifier(class_weight="balanced", **FEW).fit(XB, YB)
    w = np.where(YB == 1, 1 / YB.mean(), 1 / (1 - YB.mean()))
    by_hand = GradientBoostingClassifier(**FEW).fit(XB, YB, w)
    np.testing.assert_allclose(
        balanced.predict_proba(XB), by_hand.predict_proba(XB), rtol=1e-6
    )


@pytest.mark.parametrize("shared", [False, True])
def test_multi_output(shared):
    y = np.c_[Y, -2 * Y + X[:, 0]]
    model = GradientBoostingRegressor(shared_trees=shared, **FEW).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert model.score(X, y) > 0.5
    assert len(model.estimators_[0]) == (1 if shared else 2)
    if not shared:
        alone = GradientBoostingRegressor(**FEW).fit(X, Y)
        np.testing.assert_allclose(model.predict(X)[:, 0], alone.predict(X))


@pytest.mark.parametrize("shared", [False, True])
def test_multinomial(shared):
    model = GradientBoostingClassifier(shared_trees=shared, **FEW).fit(XI, YI)
    assert model.score(XI, YI) > 0.97
    loss = log_loss(YI, model.predict_proba(XI))
    assert loss == pytest.approx(model.train_score_[-1])
    np.testing.assert_array_equal(list(model.staged_predict(XI))[-1], model.predict(XI))


def test_missing_values_go_their_own_way():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 1))
    y = (x[:, 0] > 0).astype(float)
    x[:100] = np.nan
    y[:100] = 5.0
    model = GradientBoostingRegressor(n_estimators=50).fit(x, y)
    np.testing.assert_allclose(
        model.predict([[np.nan], [1.0], [-1.0]]), [5, 1, 0], atol=0.1
    )


def make_frame(n=300):
    rng = np.random.default_rng(0)
    city = rng.choice(["Bonn", "Kiel", "Ulm", "Jena"], n)
    size = rng.normal(size=n)
    effect = pd.Series({"Bonn": 3.0, "Kiel": -1.0, "Ulm": 0.0, "Jena": 2.0})
    y = effect[city].to_numpy() + size
    return {"size": size, "city": city}, y


@pytest.mark.parametrize("kind", ["pandas", "polars", "codes", "named"])
def test_categories(kind):
    data, y = make_frame()
    settings = {}
    if kind == "polars":
        frame = pl.DataFrame(data, schema_overrides={"city": pl.Categorical})
    else:
        frame = pd.DataFrame(data)
        if kind == "pandas":
            frame["city"] = frame["city"].astype("category")
        if kind == "codes":
            frame = np.c_[data["size"], np.unique(data["city"], return_inverse=True)[1]]
            settings["categorical_features"] = [1]
        if kind == "named":
            settings["categorical_features"] = ["city"]
    model = GradientBoostingRegressor(n_estimators=80, **settings).fit(frame, y)
    assert model.score(frame, y) > 0.97
    root = model.estimators_[0][0]
    assert root.feature[0] == 1
    assert root.set_of[0] == 0


def test_unseen_categories_are_missing_values():
    data, y = make_frame()
    frame = pd.DataFrame(data).astype({"city": "category"})
    frame.loc[:40, "city"] = np.nan
    model = GradientBoostingRegressor(**FEW).fit(frame, y)
    other = pd.DataFrame({"size": [0.3, 0.3], "city": ["Oslo", None]}, dtype=object)
    other = other.astype({"size": float, "city": "category"})
    one, two = model.predict(other)
    assert one == two


def test_monotonic_constraints_hold_on_a_grid():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 3))
    y = np.sin(3 * x[:, 0]) + x[:, 0] - x[:, 1] ** 2 + 0.3 * rng.normal(size=500)
    for rule, loss in (("newton", "squared_error"), ("nesterov", "absolute_error")):
        model = GradientBoostingRegressor(
            loss=loss,
            optimizer=rule,
            learning_rate=0.05,
            n_estimators=60,
            max_depth=4,
            monotonic_cst=[1, -1, 0],
        ).fit(x, y)
        grid = np.linspace(-3, 3, 200)
        for at in rng.normal(size=(20, 3)):
            rows = np.tile(at, (200, 1))
            rows[:, 0] = grid
            assert (np.diff(model.predict(rows)) >= -1e-12).all()
            rows = np.tile(at, (200, 1))
            rows[:, 1] = grid
            assert (np.diff(model.predict(rows)) <= 1e-12).all()


def test_constraints_by_name():
    data, y = make_frame()
    frame = pd.DataFrame(data).astype({"city": "category"})
    model = GradientBoostingRegressor(
        monotonic_cst={"size": 1}, interaction_cst="no_interactions", **FEW
    ).fit(frame, y)
    for (tree,) in model.estimators_:
        assert len(np.unique(tree.feature[tree.feature >= 0])) <= 1


# ---- stages, stopping, going on


def test_stages_end_in_the_prediction():
    model = GradientBoostingClassifier(optimizer="nesterov", **FEW).fit(XI, YI)
    assert len(list(model.staged_predict(XI))) == 15
    np.testing.assert_allclose(
        list(model.staged_predict_proba(XI))[-1], model.predict_proba(XI)
    )
    np.testing.assert_allclose(
        list(model.staged_decision_function(XI))[-1], model.decision_function(XI)
    )


@pytest.mark.parametrize("scoring", ["loss", "neg_mean_absolute_error"])
def test_early_stopping_keeps_the_best_round(scoring):
    Xt, Xv, yt, yv = train_test_split(X, Y, random_state=0)
    model = GradientBoostingRegressor(
        n_estimators=200, n_iter_no_change=5, tol=0.0, scoring=scoring
    ).fit(Xt, yt, X_val=Xv, y_val=yv)
    curve = model.validation_score_
    best = curve.argmin() if scoring == "loss" else curve.argmax()
    assert model.n_estimators_ == best + 1 == model.best_iteration_
    assert len(curve) == best + 6
    stages = list(model.staged_predict(Xv))
    assert len(stages) == model.n_estimators_
    if scoring != "loss":
        assert -np.abs(yv - model.predict(Xv)).mean() == pytest.approx(curve[best])


def test_early_stopping_on_a_split_with_strings():
    y = np.array(["no", "yes"])[YB]
    model = GradientBoostingClassifier(
        n_estimators=200, n_iter_no_change=3, scoring="accuracy", random_state=0
    ).fit(XB, y)
    assert model.n_estimators_ < 200
    assert set(model.history_) == {"loss", "val_loss", "val_score"}
    assert model.score(XB, y) > 0.9


def test_validation_data_alone_stop_nothing():
    model = GradientBoostingRegressor(**FEW).fit(
        X[:300], Y[:300], X_val=X[300:], y_val=Y[300:]
    )
    assert model.n_estimators_ == 15
    assert len(model.history_["val_loss"]) == 15


@pytest.mark.parametrize("rule", ["newton", "nesterov"])
@pytest.mark.parametrize("subsample", [1.0, 0.6])
def test_warm_start_is_an_uninterrupted_run(rule, subsample):
    settings = {
        "optimizer": rule,
        "subsample": subsample,
        "max_features": 0.5,
        "random_state": 0,
    }
    whole = GradientBoostingRegressor(n_estimators=12, **settings).fit(X, Y)
    parts = GradientBoostingRegressor(n_estimators=5, warm_start=True, **settings)
    parts.fit(X, Y)
    parts.set_params(n_estimators=12).fit(X, Y)
    np.testing.assert_allclose(parts.predict(X), whole.predict(X), rtol=1e-10)
    np.testing.assert_allclose(parts.train_score_, whole.train_score_, rtol=1e-10)


def test_warm_start_on_new_data():
    model = GradientBoostingRegressor(n_estimators=20, warm_start=True).fit(
        X[:200], Y[:200]
    )
    before = np.abs(model.predict(X[200:]) - Y[200:]).mean()
    model.set_params(n_estimators=60).fit(X[200:], Y[200:])
    assert np.abs(model.predict(X[200:]) - Y[200:]).mean() < 0.7 * before


def test_init_estimator():
    line = LinearRegression()
    model = GradientBoostingRegressor(init=line, **FEW).fit(X, Y)
    first = next(iter(model.staged_predict(X)))
    wanted = LinearRegression().fit(X, Y).predict(X)
    assert np.corrcoef(first, wanted)[0, 1] > 0.99
    assert model.score(X, Y) > LinearRegression().fit(X, Y).score(X, Y)


def test_subsample_differs_and_repeats():
    settings = {"n_estimators": 5, "subsample": 0.5}
    one, two, three = (
        GradientBoostingRegressor(random_state=seed, **settings).fit(X, Y).predict(X)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.allclose(one, three)


# ---- the rest of the surface


def test_importances():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 5))
    y = 3 * x[:, 2] + 0.1 * rng.normal(size=300)
    model = GradientBoostingRegressor(**FEW).fit(x, y)
    assert model.feature_importances_.argmax() == 2
    assert model.feature_importances_.sum() == pytest.approx(1.0)
    counts = clone(model).set_params(importance_type="split").fit(x, y)
    splits = [tree.feature[tree.feature >= 0] for (tree,) in counts.estimators_]
    counted = np.bincount(np.concatenate(splits), minlength=5)
    np.testing.assert_allclose(counts.feature_importances_, counted / counted.sum())


def test_apply_gives_leaves():
    model = GradientBoostingClassifier(**FEW).fit(XI, YI)
    leaves = model.apply(XI)
    assert leaves.shape == (len(YI), 15, 3)
    tree = model.estimators_[4][1]
    assert set(np.unique(leaves[:, 4, 1])) <= set(tree.leaves)


def test_engines_give_the_same_model():
    for cls, data in (
        (GradientBoostingRegressor, (X, Y)),
        (GradientBoostingClassifier, (XB, YB)),
        (GradientBoostingClassifier, (XI, YI)),
    ):
        predictions = []
        for engine in ("numpy", "numba"):
            with config_context(engine=engine):
                model = cls(**FEW).fit(*data)
                method = getattr(model, "predict_proba", model.predict)
                predictions.append(method(data[0]))
        np.testing.assert_allclose(*predictions, rtol=1e-9)


def test_threads_give_the_same_bits():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 12))
    y = x[:, 0] * x[:, 1] > 0
    bits = []
    for k in (1, 2, 5):
        with config_context(n_threads=k):
            model = GradientBoostingClassifier(**FEW).fit(x, y)
            bits.append(model.decision_function(x))
    np.testing.assert_array_equal(bits[0], bits[1])
    np.testing.assert_array_equal(bits[0], bits[2])


def test_float32_gives_what_float64_gives():
    x = X.astype(np.float32)
    one = GradientBoostingRegressor(**FEW).fit(x, Y)
    two = GradientBoostingRegressor(**FEW).fit(x.astype(np.float64), Y)
    np.testing.assert_array_equal(one.predict(x), two.predict(x.astype(np.float64)))


def test_pickle_and_copy():
    model = GradientBoostingClassifier(**FEW).fit(XI, YI)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict_proba(XI), model.predict_proba(XI))


def test_grid_of_nested_parameters():
    grid = {"optimizer": ["nesterov"], "optimizer__momentum": [0.5, 0.8]}
    search = GridSearchCV(GradientBoostingRegressor(n_estimators=5), grid, cv=2)
    search.fit(X, Y)
    assert search.best_params_["optimizer__momentum"] in (0.5, 0.8)
    model = GradientBoostingRegressor(optimizer="momentum", n_estimators=3)
    model.set_params(optimizer__momentum=0.3).fit(X, Y)
    assert model.ensemble_.rule.momentum == 0.3
    assert model.ensemble_.rates == [0.1] * 3


def test_callbacks_see_one_task_a_tree():
    monitor = ScoringMonitor(scoring="r2")
    model = GradientBoostingRegressor(n_estimators=4).set_callbacks(monitor)
    model.fit(X, Y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "tree"]
    scores = [row["r2"] for row in rows]
    assert len(scores) == 4
    assert (np.diff(scores) > 0).all()
    assert scores[-1] == pytest.approx(model.score(X, Y))


class Stop:
    """Stop after some trees."""

    def __init__(self, after):
        self.after = after

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        return context.task_name == "tree" and context.task_id + 1 == self.after

    def teardown(self, estimator, context):
        pass


def test_a_callback_may_stop():
    model = GradientBoostingRegressor(n_estimators=9).set_callbacks(Stop(3)).fit(X, Y)
    assert model.n_estimators_ == 3


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


def test_verbose_prints_rounds(capsys):
    GradientBoostingRegressor(n_estimators=3, verbose=1).fit(X, Y)
    assert capsys.readouterr().out.count("training loss") == 3


# ---- bad input


def fails(
    match, X=X, y=Y, cls=GradientBoostingRegressor, error=ValueError, fit=None, **p
):
    with pytest.raises(error, match=match):
        cls(**{"n_estimators": 2, **p}).fit(X, y, **(fit or {}))


def wrong_shape(y, raw):
    return (raw - y) ** 2, (raw - y)[:-1]


def not_a_number(y, raw):
    return (raw - y) ** 2, np.full_like(raw, np.nan)


@pytest.mark.parametrize(
    ("match", "settings"),
    [
        ("Unknown loss .*Known names", {"loss": "nonsense"}),
        ("Unknown step rule .*newton", {"optimizer": "nonsense"}),
        ("no linear combination", {"optimizer": "adam"}),
        ("no linear combination", {"optimizer": optimizers.RProp()}),
        ("no linear combination", {"optimizer": "lbfgs"}),
        ("clipping", {"optimizer": optimizers.GD(clip_norm=1.0)}),
        ("Two learning rates", {"optimizer": optimizers.GD(0.5)}),
        ("quantile must lie in", {"loss": losses.Quantile(1.0)}),
        ("quantile must lie in", {"loss": losses.Quantile([0.5, 0.0])}),
        ("targets ≥ 0", {"loss": "poisson", "y": Y - 200}),
        ("targets > 0", {"loss": "gamma", "y": Y - Y.min()}),
        ("for classes", {"loss": "log_loss"}),
        ("must return a loss of shape", {"loss": wrong_shape}),
        ("NaN or infinite", {"loss": not_a_number}),
        ("monotonic_cst must have shape", {"monotonic_cst": [1]}),
        ("−1, 0 and 1", {"monotonic_cst": [2] + [0] * 9}),
        (
            "one tree for each output",
            {"monotonic_cst": [1] * 10, "shared_trees": True, "y": np.c_[Y, Y]},
        ),
        (
            "set the constraints on that",
            {"monotonic_cst": [1] * 10, "estimator": DecisionTreeRegressor()},
        ),
        ("column number 10", {"interaction_cst": [[0, 10]]}),
        ("names the column", {"categorical_features": ["x"]}),
        ("from_dtype", {"categorical_features": "all"}),
        (
            "takes no sample_weight",
            {"estimator": KNeighborsRegressor(), "fit": {"sample_weight": Y}},
        ),
        ("All sample weights are zero|zero", {"fit": {"sample_weight": 0 * Y}}),
        ("Negative", {"fit": {"sample_weight": -Y}}),
        ("both X_val and y_val", {"fit": {"X_val": X}}),
        ("one target", {"loss": losses.Quantile([0.2, 0.8]), "y": np.c_[Y, Y]}),
        ("learning_rate", {"learning_rate": -1.0}),
        ("max_bins=10", {"max_bins": 10, "categorical_features": [0]}),
    ],
)
def test_bad_input_of_the_regressor(match, settings):
    fails(match, **settings)


@pytest.mark.parametrize(
    ("match", "settings"),
    [
        ("1 class", {"y": np.zeros(150)}),
        ("1 class", {"fit": {"sample_weight": (YI == 0).astype(float)}}),
        ("for two classes", {"loss": "exponential"}),
        ("loss for regression", {"loss": "huber"}),
        ("did not see", {"fit": {"X_val": XI, "y_val": YI + 1}}),
        ("one tree for each output", {"monotonic_cst": [1, 0, 0, 0]}),
    ],
)
def test_bad_input_of_the_classifier(match, settings):
    settings = {"X": XI, "y": YI, **settings}
    fails(match, cls=GradientBoostingClassifier, **settings)


def test_divergence_is_an_error():
    fails("Lower learning_rate", loss="poisson", optimizer="gd", learning_rate=9.0)


def test_one_row_and_constant_features():
    model = GradientBoostingRegressor(**FEW).fit([[1.0, 2.0]], [3.0])
    assert model.predict([[0.0, 0.0]]).tolist() == [3.0]
    model = GradientBoostingRegressor(**FEW).fit(np.ones((9, 2)), np.arange(9.0))
    np.testing.assert_allclose(model.predict(np.zeros((2, 2))), 4.0)
    assert model.feature_importances_.tolist() == [0.0, 0.0]


def test_a_failed_fit_leaves_the_model_as_it_was():
    model = GradientBoostingRegressor(**FEW).fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="targets > 0"):
        model.set_params(loss="gamma").fit(X, Y - 500)
    np.testing.assert_array_equal(model.predict(X), before)


def test_warm_start_refuses_fewer_rounds():
    model = GradientBoostingRegressor(n_estimators=4, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="below the 4"):
        model.set_params(n_estimators=2).fit(X, Y)


def test_newton_step_is_public():
    model = GradientBoostingClassifier(optimizer=NewtonStep(), **FEW).fit(XB, YB)
    same = GradientBoostingClassifier(**FEW).fit(XB, YB)
    np.testing.assert_array_equal(model.predict_proba(XB), same.predict_proba(XB))
