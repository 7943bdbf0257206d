"""skdl's callbacks on boosters: they act, or say why they cannot."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeRegressor

from skdl import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    MLPRegressor,
)
from skdl.callbacks import Checkpoint, EarlyStopping, Jog, LearningRateFinder
from skdl.schedules import Cosine, ReduceOnPlateau

X, Y = load_diabetes(return_X_y=True)
XI, YI = load_iris(return_X_y=True)
VAL = {"X_val": X[300:], "y_val": Y[300:]}


def made(**settings):
    return GradientBoostingRegressor(**{"random_state": 0, **settings})


# ---- what cannot act

REFUSED = {
    "jog": (Jog(), "no.* weights|has none.*subsample"),
    "rate finder": (LearningRateFinder(), "has none.*grid"),
}
BOOSTERS = [
    GradientBoostingClassifier(),
    GradientBoostingRegressor(),
    AdaBoostClassifier(),
    AdaBoostRegressor(),
]


@pytest.mark.parametrize("booster", BOOSTERS, ids=lambda b: type(b).__name__)
@pytest.mark.parametrize("case", REFUSED)
def test_what_acts_on_weights_is_refused_before_any_work(case, booster):
    callback, match = REFUSED[case]
    model = clone(booster).set_callbacks(callback)
    with pytest.raises(ValueError, match=match):
        model.fit("the data are not looked at", None)
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("booster", BOOSTERS[2:], ids=lambda b: type(b).__name__)
@pytest.mark.parametrize("kind", [EarlyStopping, Checkpoint])
def test_adaboost_has_no_run_to_follow(kind, booster, tmp_path):
    callback = kind() if kind is EarlyStopping else kind(tmp_path / "file")
    model = clone(booster).set_callbacks(callback)
    with pytest.raises(ValueError, match=r"cannot follow AdaBoost.*staged.*joblib"):
        model.fit("the data are not looked at", None)


# ---- early stopping


@pytest.mark.parametrize("restore_best", [True, False])
def test_early_stopping_keeps_the_best_round(restore_best):
    stop = EarlyStopping(patience=4, restore_best=restore_best)
    model = made(n_estimators=300).set_callbacks(stop).fit(X[:300], Y[:300], **VAL)
    curve = np.array(model.history_["val_loss"])
    best = int(curve.argmin()) + 1
    assert len(curve) == best + 4 < 300
    kept = best if restore_best else len(curve)
    assert model.n_estimators_ == len(model.estimators_) == kept
    assert model.best_iteration_ == best
    short = made(n_estimators=kept).fit(X[:300], Y[:300])
    np.testing.assert_array_equal(model.predict(X), short.predict(X))
    assert not stop._trainers


@pytest.mark.parametrize("tol", [0.0, 1.0, 30.0, 1e9])
@pytest.mark.parametrize("patience", [1, 2, 7])
@pytest.mark.parametrize("scoring", ["loss", "r2"])
def test_early_stopping_is_the_boosters_own(scoring, patience, tol):
    """The same number means the same round, for the callback and the parameter."""
    tol = tol if scoring == "loss" else tol / 1e4
    settings = {"n_estimators": 150, "scoring": scoring, "tol": tol}
    own = made(**settings, n_iter_no_change=patience).fit(X[:300], Y[:300], **VAL)
    entry = "val_loss" if scoring == "loss" else "val_score"
    stop = EarlyStopping(entry, patience=patience, tol=tol)
    other = made(**settings).set_callbacks(stop).fit(X[:300], Y[:300], **VAL)
    assert own.history_ == other.history_
    assert own.n_estimators_ == other.n_estimators_ == own.best_iteration_
    assert own.best_iteration_ == other.best_iteration_
    np.testing.assert_array_equal(own.predict(X), other.predict(X))


def test_early_stopping_follows_any_entry():
    by_loss = EarlyStopping("loss", patience=0, tol=10.0)
    model = made(n_estimators=300).set_callbacks(by_loss).fit(X, Y)
    falls = -np.diff(model.train_score_)
    assert (falls[:-1] >= 10.0).all()
    assert falls[-1] < 10.0
    by_score = EarlyStopping("val_score", patience=3, tol=1e-6)
    model = GradientBoostingClassifier(n_estimators=300, scoring="accuracy")
    model.set_callbacks(by_score).fit(XI[::2], YI[::2], X_val=XI[1::2], y_val=YI[1::2])
    curve = np.array(model.history_["val_score"])
    assert len(curve) == curve.argmax() + 4
    assert model.n_estimators_ == curve.argmax() + 1


def test_early_stopping_without_its_entry_is_an_error_before_the_first_tree():
    model = made(verbose=2).set_callbacks(EarlyStopping())
    with pytest.raises(ValueError, match=r"no 'val_loss', only loss.*X_val"):
        model.fit(X, Y)
    assert not hasattr(model, "ensemble_")


def test_early_stopping_in_clones_and_on_added_rounds():
    stop = EarlyStopping("loss", patience=0, tol=50.0)
    model = made(n_estimators=60).set_callbacks(stop)
    assert np.isfinite(cross_val_score(model, X, Y, cv=3)).all()
    first = clone(model).fit(X, Y).n_estimators_
    model = made(n_estimators=first + 3, warm_start=True).fit(X, Y)
    model.set_callbacks(stop).set_params(n_estimators=60).fit(X, Y)
    assert first + 3 < model.n_estimators_ < 60


# ---- checkpoints


class CutOff(Exception):
    pass


class Cut:
    """Raise at the end of a round of a run, counted from its beginning."""

    def __init__(self, round_):
        self.round = round_

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "tree" and context.task_id + 1 == self.round:
            raise CutOff


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "booster.skdl"


TABLE = pd.DataFrame({"a": X[:, 2], "b": pd.Categorical(np.digitize(X[:, 3], [0.0]))})
CLASSES = np.array(["low", "middle", "high"])[np.digitize(Y, [100, 200])]
RUNS = {
    "plain": (made(), X, Y),
    "draws": (made(subsample=0.6, max_features=0.5), X, Y),
    "held out": (made(n_iter_no_change=4, n_estimators=200), X, Y),
    "stops early": (made(n_iter_no_change=2, n_estimators=99, tol=100.0), X, Y),
    "nesterov": (made(optimizer="nesterov", learning_rate=0.02), X, Y),
    "cosine": (made(learning_rate=Cosine(0.3)), X, Y),
    "plateau": (
        made(learning_rate=ReduceOnPlateau(0.9, patience=0), n_iter_no_change=99),
        X,
        Y,
    ),
    "own learners": (
        made(estimator=DecisionTreeRegressor(max_depth=2, max_features=2)),
        X,
        Y,
    ),
    "two targets": (made(shared_trees=True), X, np.c_[Y, X[:, 2]]),
    "columns by name": (made(monotonic_cst={"a": 1}), TABLE, Y),
    "classes": (GradientBoostingClassifier(random_state=0), X, CLASSES),
    "weighted classes": (
        GradientBoostingClassifier(class_weight="balanced", random_state=0),
        X,
        CLASSES,
    ),
}


def assert_same(one, other, X):
    raw = [
        model.ensemble_.raw(model._columns.transform(model, X))
        for model in (one, other)
    ]
    np.testing.assert_array_equal(*raw)
    assert one.history_ == other.history_
    assert one.ensemble_.rates == other.ensemble_.rates
    assert one.n_estimators_ == other.n_estimators_
    assert one.best_iteration_ == other.best_iteration_
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("case", RUNS)
def test_resumed_is_uninterrupted(case, every, path):
    model, X, y = RUNS[case]
    if model.n_estimators == 100:
        model = clone(model).set_params(n_estimators=12)
    for cut in (5, 2):
        cut_off = clone(model).set_callbacks(Cut(cut), Checkpoint(path, every))
        with pytest.raises(CutOff):
            cut_off.fit(X, y)
        assert not hasattr(cut_off, "ensemble_")
    resumed = clone(model).set_callbacks(Checkpoint(path, every)).fit(X, y)
    whole = clone(model).fit(X, y)
    assert_same(resumed, whole, X)
    loaded = Checkpoint.load(path)
    np.testing.assert_array_equal(loaded.predict(X), whole.predict(X))
    assert type(loaded) is type(whole)
    assert not hasattr(loaded, "_skl_callbacks")


@pytest.mark.parametrize("first", [True, False])
def test_early_stopping_is_resumed_too(first, path):
    def callbacks(*extra):
        ours = [Checkpoint(path, every=1), EarlyStopping(patience=4)]
        return [*(ours if first else ours[::-1]), *extra]

    data = (X[:300], Y[:300])
    for cut in (9, 9):
        with pytest.raises(CutOff):
            made(n_estimators=99).set_callbacks(*callbacks(Cut(cut))).fit(*data, **VAL)
    resumed = made(n_estimators=99).set_callbacks(*callbacks()).fit(*data, **VAL)
    whole = made(n_estimators=99).set_callbacks(EarlyStopping(patience=4))
    assert_same(resumed, whole.fit(*data, **VAL), X)


def test_a_run_without_a_seed_keeps_the_one_it_drew(path):
    model = made(random_state=None, subsample=0.5, n_estimators=6)
    with pytest.raises(CutOff):
        clone(model).set_callbacks(Cut(4), Checkpoint(path, every=1)).fit(X, Y)
    seed = Checkpoint.load(path)._seed
    resumed = clone(model).set_callbacks(Checkpoint(path, every=1)).fit(X, Y)
    assert resumed._seed == seed
    assert resumed.n_estimators_ == 6


def test_a_finished_run_is_taken_as_it_is(path):
    model = made(n_estimators=200, n_iter_no_change=3).set_callbacks(Checkpoint(path))
    first = clone(model).fit(X, Y)
    before = path.read_bytes()
    again = clone(model).fit(X, Y)
    assert_same(first, again, X)
    assert path.read_bytes() == before
    assert first.n_estimators_ < len(first.train_score_) < 200


def test_a_finished_run_goes_on_when_more_rounds_are_asked_for(path):
    model = made(n_estimators=5).set_callbacks(Checkpoint(path)).fit(X, Y)
    more = made(n_estimators=9).set_callbacks(Checkpoint(path)).fit(X, Y)
    assert_same(more, made(n_estimators=9).fit(X, Y), X)
    assert model.n_estimators_ == 5
    with pytest.raises(ValueError, match="below the 9 rounds"):
        made(n_estimators=4).set_callbacks(Checkpoint(path)).fit(X, Y)


def test_warm_start_beside_a_checkpoint(path):
    model = made(n_estimators=4, warm_start=True).set_callbacks(Checkpoint(path))
    model.fit(X, Y).set_params(n_estimators=7).fit(X, Y)
    assert_same(model, made(n_estimators=7).fit(X, Y), X)
    assert Checkpoint.load(path).n_estimators_ == 7


def test_a_file_of_something_else_is_an_error(path):
    made(n_estimators=3).set_callbacks(Checkpoint(path)).fit(X, Y)
    wrong = {
        "other settings": (made(max_depth=2), X, Y),
        "other training data": (made(), X[::-1], Y),
        "another class": (MLPRegressor(), X, Y),
    }
    for match, (model, X_other, y_other) in wrong.items():
        with pytest.raises(ValueError, match=match):
            model.set_callbacks(Checkpoint(path)).fit(X_other, y_other)
        assert not hasattr(model, "ensemble_")
    made(max_depth=2, n_estimators=2).set_callbacks(Checkpoint(path, resume=False)).fit(
        X, Y
    )
    assert Checkpoint.load(path).n_estimators_ == 2


def test_the_file_is_small_and_holds_the_model_once(path):
    model = made(n_estimators=40).set_callbacks(Checkpoint(path, every=50)).fit(X, Y)
    model.set_callbacks()
    joblib.dump(model, path.with_name("model"))
    alone = path.with_name("model").stat().st_size
    assert path.stat().st_size < 1.2 * alone + 5_000
