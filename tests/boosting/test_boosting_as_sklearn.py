"""Boosting among scikit-learn's tools: searches, files, seeds, threads."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from boosters import TASKS, XB, XI, YI, X, Y, made, raw
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skdl import (
    config_context,
    losses,
)
from skdl.optimizers import Momentum
from skdl.schedules import Inverse

# Everything that draws random numbers.
RICH = {
    "subsample": 0.7,
    "max_features": 0.5,
    "n_iter_no_change": 20,
    "learning_rate": Inverse(0.5),
    "optimizer": "nesterov",
}


# ---- the same bits


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("settings", [{}, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize("task", TASKS)
def test_same_bits_on_any_number_of_threads(task, settings, engine):
    _, X, y = TASKS[task]
    X = np.tile(X, (1, 3))  # enough work for several threads
    fits = []
    for n_threads in (1, 2, 4):
        with config_context(n_threads=n_threads, engine=engine):
            model = made(task, **settings).fit(X, y)
            fits.append((raw(model, X), model.train_score_))
    for other in fits[1:]:
        np.testing.assert_array_equal(fits[0][0], other[0])
        np.testing.assert_array_equal(fits[0][1], other[1])


@pytest.mark.parametrize("settings", [{}, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize("task", TASKS)
def test_engines_give_the_same_model(task, settings):
    _, X, y = TASKS[task]
    fits = []
    for engine in ("numpy", "numba"):
        with config_context(engine=engine):
            fits.append(raw(made(task, **settings).fit(X, y), X))
    np.testing.assert_allclose(fits[0], fits[1], rtol=1e-9, atol=1e-12)


def test_seeds():
    first, again, other = (
        made("regression", random_state=seed, **RICH).fit(X, Y).predict(X)
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    state = np.random.RandomState(0)
    one, two = (
        made("regression", random_state=state, **RICH).fit(X, Y).predict(X)
        for _ in range(2)
    )
    assert (one != two).any()


def test_numpys_global_generator_has_no_part(monkeypatch):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    made("regression", **RICH).fit(X, Y).predict(X)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_same_scores_on_several_workers(backend):
    model = made("regression", **RICH)
    alone = cross_val_score(model, X, Y, cv=2)
    with joblib.parallel_backend(backend, n_jobs=2):
        together = cross_val_score(model, X, Y, cv=2)
    np.testing.assert_array_equal(alone, together)


def test_many_threads_may_predict_with_one_model():
    model = made("three classes").fit(XI, YI)
    fresh = pickle.loads(pickle.dumps(model))  # its flat trees are not made yet
    expected = model.predict_proba(XI)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(fresh.predict_proba, [XI] * 16))
    for result in results:
        np.testing.assert_array_equal(result, expected)


# ---- files


@pytest.mark.parametrize("settings", [{}, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize("task", TASKS)
def test_copies(task, settings, tmp_path):
    _, X, y = TASKS[task]
    model = made(task, **settings).fit(X, y)
    joblib.dump(model, tmp_path / "model")
    for other in (
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
        joblib.load(tmp_path / "model"),
        joblib.load(tmp_path / "model", mmap_mode="r"),
    ):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
        np.testing.assert_array_equal(other.apply(X), model.apply(X))
        assert other.history_ == model.history_
    more = {"warm_start": True, "n_estimators": 10, "n_iter_no_change": None}
    other.set_params(**more).fit(X, y)
    assert other.n_estimators_ == 10


def test_files_are_small():
    model = made("regression", n_estimators=50).fit(X, Y)
    before = len(pickle.dumps(model))
    model.predict(X)
    assert len(pickle.dumps(model)) == pytest.approx(before, rel=0.01)
    assert before < 50 * 15 * 100 + 20_000  # 15 nodes a tree, under 100 bytes each


# ---- numbers


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool])
def test_types_of_numbers(dtype):
    data = (100 * X).astype(dtype)
    model = made("regression").fit(data, Y)
    assert model.predict(data).dtype == np.float64
    same = made("regression").fit(data.astype(np.float64), Y)
    np.testing.assert_array_equal(
        model.predict(data), same.predict(data.astype(np.float64))
    )


def test_orders_of_memory():
    expected = made("regression").fit(X, Y).predict(X)
    for data in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X.tolist()):
        model = made("regression").fit(data, Y)
        np.testing.assert_array_equal(model.predict(data), expected)


# ---- parameters

GRIDS = {
    "rule": {"optimizer": ["gd", "momentum", "ema"]},
    "its parameter": {"optimizer": ["momentum"], "optimizer__momentum": [0.1, 0.9]},
    "of a loss": {"loss": ["huber"], "loss__delta": [1.0, 50.0]},
    "of a schedule": {"learning_rate": ["inverse", Inverse(0.5), 0.1]},
    "of the trees": {"max_depth": [1, 3], "min_samples_leaf": [1, 30]},
    "of the leaves": {"loss": ["poisson"], "min_child_weight": [0.0, 20000.0]},
    "of a learner": {
        "estimator": [DecisionTreeRegressor()],
        "estimator__max_depth": [1, 3],
    },
}


@pytest.mark.parametrize("case", GRIDS)
def test_grids(case):
    search = GridSearchCV(made("regression"), GRIDS[case], cv=2).fit(X, Y)
    assert set(search.best_params_) == set(GRIDS[case])
    assert np.ptp(search.cv_results_["mean_test_score"]) > 0.001


def test_grid_over_momentum_with_the_string_left_alone():
    grid = {"gradientboostingregressor__optimizer__momentum": [0.0, 0.5, 0.9]}
    base = made("regression", optimizer="momentum", learning_rate=0.05)
    pipe = make_pipeline(StandardScaler(), base)
    search = GridSearchCV(pipe, grid, cv=2).fit(X, Y)
    scores = search.cv_results_["mean_test_score"]
    assert (np.diff(scores) > 0).all()  # few rounds: more momentum goes further
    by_hand = made("regression", optimizer=Momentum(momentum=0.5), learning_rate=0.05)
    expected = cross_val_score(make_pipeline(StandardScaler(), by_hand), X, Y, cv=2)
    assert scores[1] == pytest.approx(expected.mean())
    assert base.optimizer == "momentum"


def test_parameters_are_stored_as_they_are():
    loss, rule = losses.Quantile([0.1, 0.9]), Momentum(momentum=0.3)
    model = made("regression", loss=loss, optimizer=rule)
    assert model.get_params(deep=False)["loss"] is loss
    deep = model.get_params()
    assert deep["loss__quantile"] == [0.1, 0.9]
    assert deep["optimizer__momentum"] == 0.3
    twin = clone(model)
    assert twin.optimizer is not rule
    assert repr(twin) == repr(model)
    assert "Quantile" in repr(model)


def test_kinds():
    assert is_regressor(made("regression"))
    assert is_classifier(made("two classes"))
    assert made("regression").__sklearn_tags__().target_tags.multi_output


UNFITTED = [
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "apply",
    "staged_predict",
    "staged_predict_proba",
    "staged_decision_function",
]


@pytest.mark.parametrize("name", UNFITTED)
def test_unfitted(name):
    with pytest.raises(NotFittedError):
        list(getattr(made("two classes"), name)(XB))


def test_importances_need_a_fit():
    with pytest.raises(NotFittedError):
        _ = made("regression").feature_importances_
    with pytest.raises(NotFittedError):
        _ = made("regression").estimators_


# ---- importances and leaves


def steps(n=400):
    """Return four columns, of which 2 gives a large step and 0 two small ones."""
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(n, 4)).round(2)  # every value has a bin
    X[:, 3] = 1.0
    y = 10.0 * (X[:, 2] > 0.5) + 1.0 * (X[:, 0] > 0.3) + (X[:, 0] > 0.6)
    return X, y


def test_importances_by_gain_and_by_split():
    X, y = steps()
    settings = {"max_depth": None, "learning_rate": 1.0, "n_estimators": 1}
    gain = made("regression", **settings).fit(X, y)
    split = made("regression", importance_type="split", **settings).fit(X, y)
    assert gain.feature_importances_[2] > 0.9
    assert gain.feature_importances_[[1, 3]].tolist() == [0.0, 0.0]
    # One split on column 2, then two on column 0 in each half.
    np.testing.assert_allclose(split.feature_importances_, [0.8, 0, 0.2, 0])
    assert gain.feature_importances_.sum() == pytest.approx(1.0)
    # The gains of a tree that fits exactly add up to the whole sum of squares.
    (tree,) = gain.estimators_[0]
    assert tree.gain.sum() == pytest.approx(((y - y.mean()) ** 2).sum(), rel=1e-6)
    model = permutation_importance(gain, X, y, random_state=0, n_repeats=2)
    assert model.importances_mean.argmax() == 2


@pytest.mark.parametrize("task", TASKS)
def test_apply_and_values_make_the_prediction(task):
    _, X, y = TASKS[task]
    model = made(task).fit(X, y)
    leaves = model.apply(X).reshape(len(X), 8, -1)
    total = np.tile(model.ensemble_.baseline, (len(X), 1))
    for t, trees in enumerate(model.estimators_):
        for j, tree in enumerate(trees):
            assert (tree.left[leaves[:, t, j]] == -1).all()
            total[:, j] += 0.1 * tree.value[leaves[:, t, j], 0]
    np.testing.assert_allclose(total, raw(model, X), rtol=1e-10)


def test_partial_dependence_of_a_step():
    X, y = steps()
    model = made("regression", n_estimators=50).fit(X, y)
    found = partial_dependence(model, X, [2], custom_values={2: [0.2, 0.8]})
    assert np.diff(found["average"][0])[0] == pytest.approx(10, abs=0.2)


def test_probabilities_out_of_sample():
    model = made("three classes", n_estimators=20)
    p = cross_val_predict(model, XI, YI, method="predict_proba", cv=3)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p.argmax(axis=1) == YI).mean() > 0.9
    fitted = model.fit(XI, YI)
    np.testing.assert_allclose(
        np.exp(fitted.predict_log_proba(XI)), fitted.predict_proba(XI)
    )


def test_labels_may_be_strings():
    names = load_iris().target_names
    model = made("three classes").fit(XI, names[YI])
    same = made("three classes").fit(XI, YI)
    np.testing.assert_array_equal(model.predict(XI), names[same.predict(XI)])
    assert model.classes_.tolist() == sorted(names)
    assert list(model.staged_predict(XI))[-1].tolist() == model.predict(XI).tolist()
