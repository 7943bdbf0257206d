"""A run that was cut off goes on where it stood, with the same bits."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score

from skdl import GradientBoostingClassifier, MLPClassifier, MLPRegressor
from skdl.callbacks import Checkpoint, EarlyStopping, Jog, LearningRateFinder
from skdl.schedules import Cosine, ReduceOnPlateau

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

RICH = {"dropout": 0.2, "batch_norm": True, "early_stopping": True, "alpha": 0.01}


class CutOff(Exception):
    pass


class Cut:
    """Raise at the end of an epoch of a run, counted from its beginning."""

    def __init__(self, epoch, error=CutOff):
        self.epoch, self.error = epoch, error

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and context.task_id + 1 == self.epoch:
            raise self.error


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "net.skdl"


def made(**settings):
    settings = {"max_iter": 12, "random_state": 0, "batch_size": 20, **settings}
    return MLPClassifier((8,), **settings)


def assert_same(a, b):
    np.testing.assert_array_equal(a.network_.params.vector, b.network_.params.vector)
    np.testing.assert_array_equal(a.network_.state.vector, b.network_.state.vector)
    assert a.history_ == b.history_
    assert (a.n_iter_, a.t_, a.best_epoch_) == (b.n_iter_, b.t_, b.best_epoch_)
    rngs = [net._training_state.rng.bit_generator.state for net in (a, b)]
    assert rngs[0] == rngs[1]


RUNS = {
    "plain": {},
    "rich": RICH,
    "no seed": {"random_state": None},
    "momentum": {"optimizer": "momentum"},
    "nadam": {"optimizer": "nadam"},
    "schedule": {"optimizer__learning_rate": Cosine(0.05)},
    "plateau": {
        "optimizer__learning_rate": ReduceOnPlateau(0.1, patience=0),
        "early_stopping": True,
    },
    "stops early": {**RICH, "n_iter_no_change": 6, "max_iter": 99, "tol": 0.1},
    "single precision": {**RICH, "dtype": "float32"},
}


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("cuts", [(5,), (2, 4)])
@pytest.mark.parametrize("case", RUNS)
def test_resumed_is_uninterrupted(iris, path, case, cuts, every):
    X, y = iris
    net = made().set_params(**RUNS[case])
    net.set_callbacks(Checkpoint(path, every))
    for cut in cuts:
        cut_off = clone(net).set_callbacks(Cut(cut), Checkpoint(path, every))
        with pytest.raises(CutOff):
            cut_off.fit(X, y)
        assert not hasattr(cut_off, "network_")
    resumed = clone(net).fit(X, y)
    if case == "no seed":
        seed = resumed._training_state.seed
        assert resumed.n_iter_ == 12
        assert isinstance(seed, int)
        return
    whole = made().set_params(**RUNS[case]).fit(X, y)
    assert_same(resumed, whole)
    if case == "stops early":
        assert whole.n_iter_ < 99
    np.testing.assert_array_equal(resumed.predict_proba(X), whole.predict_proba(X))


CALLBACKS = {
    "early stopping": lambda: EarlyStopping("val_loss", patience=2, tol=0.01),
    "jog": lambda: Jog(patience=1, tol=0.05),
    "rate finder": lambda: LearningRateFinder(n_steps=20),
}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("case", CALLBACKS)
def test_other_callbacks_are_resumed_too(iris, path, case, first):
    X, y = iris
    arguments = {
        "X_val": X[::3],
        "y_val": (y[::3] + 1) % 3 if case[0] == "e" else y[::3],
    }

    def callbacks(*extra):
        ours = [Checkpoint(path, every=1), CALLBACKS[case]()]
        return [*(ours if first else ours[::-1]), *extra]

    for cut in (2, 2):
        with pytest.raises(CutOff):
            made(max_iter=20).set_callbacks(*callbacks(Cut(cut))).fit(X, y, **arguments)
    resumed = made(max_iter=20).set_callbacks(*callbacks()).fit(X, y, **arguments)
    whole = made(max_iter=20).set_callbacks(CALLBACKS[case]()).fit(X, y, **arguments)
    assert_same(resumed, whole)
    np.testing.assert_array_equal(
        Checkpoint.load(path).predict_proba(X), whole.predict_proba(X)
    )


def test_sample_weights_sparse_and_regression(curve, path):
    X, y = curve
    X, weight = sparse.csr_array(X), np.linspace(1, 2, len(y))
    net = MLPRegressor((8,), max_iter=6, random_state=0, dropout=0.1, batch_size=30)
    with pytest.raises(CutOff):
        clone(net).set_callbacks(Cut(4), Checkpoint(path, every=1)).fit(X, y, weight)
    resumed = clone(net).set_callbacks(Checkpoint(path, every=1)).fit(X, y, weight)
    assert_same(resumed, clone(net).fit(X, y, weight))


def test_an_interrupted_run_goes_on_with_the_same_bits(iris, path):
    X, y = iris
    net = made(**RICH)
    whole = clone(net).fit(X, y)
    cut_off = clone(net).set_callbacks(
        Cut(5, KeyboardInterrupt), Checkpoint(path, every=1)
    )
    with pytest.warns(UserWarning, match="interrupted in epoch 6"):
        cut_off.fit(X, y)
    assert cut_off.n_iter_ == 5
    assert_same(clone(net).set_callbacks(Checkpoint(path, every=1)).fit(X, y), whole)


def test_a_killed_process(path):
    """The real thing: a process dies in its fourth epoch, this one goes on."""
    net = "MLPClassifier((8,), max_iter=8, dropout=0.2, batch_size=20, random_state=0)"
    code = f"""
import os
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from skdl import MLPClassifier
from skdl.callbacks import Checkpoint

class Die(Checkpoint):
    def on_epoch_end(self, estimator, trainer):
        if trainer.state.epoch == 4:
            os._exit(9)

{net}.set_callbacks(Die({str(path)!r}, every=1)).fit(*load_iris(return_X_y=True))
"""
    died = subprocess.run([sys.executable, "-c", code], check=False)
    assert died.returncode == 9
    assert Checkpoint.load(path).n_iter_ == 3
    X, y = load_iris(return_X_y=True)
    net = eval(net)
    resumed = clone(net).set_callbacks(Checkpoint(path)).fit(X, y)
    assert_same(resumed, net.fit(X, y))


# ---- finished runs


def test_a_finished_run_is_taken_as_it_is(iris, path, monkeypatch):
    X, y = iris
    net = made(**RICH).set_callbacks(Checkpoint(path)).fit(X, y)
    monkeypatch.setattr("skdl.training.Trainer.run", None)  # no step is made
    again = made(**RICH).set_callbacks(Checkpoint(path)).fit(X, y)
    assert_same(again, net)


def test_resume_false_overwrites(iris, path):
    X, y = iris
    made(max_iter=3).set_callbacks(Checkpoint(path)).fit(X, y)
    net = made(max_iter=5, random_state=1)
    net.set_callbacks(Checkpoint(path, resume=False)).fit(X, y)
    assert net.n_iter_ == 5
    assert Checkpoint.load(path).n_iter_ == 5


def test_load(iris, path):
    X, y = iris
    net = made(**RICH).set_callbacks(Checkpoint(path)).fit(X, y)
    loaded = Checkpoint.load(str(path))
    assert repr(loaded) == repr(net)
    np.testing.assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert not hasattr(loaded, "_skl_callbacks")
    assert clone(net)._skl_callbacks  # but ours still has them
    validation = {"X_val": X, "y_val": y}
    for each in (loaded, net.set_callbacks()):
        each.partial_fit(X, y, **validation)
    assert_same(loaded, net)


def test_load_an_unfinished_run(iris, path):
    X, y = iris
    with pytest.raises(CutOff):
        made().set_callbacks(Checkpoint(path, every=1), Cut(4)).fit(X, y)
    loaded = Checkpoint.load(path)
    assert loaded.n_iter_ == 3  # the fourth had not been seen by all callbacks
    assert_same(loaded, made(max_iter=3).fit(X, y))


def test_the_file_is_for_the_latest_epoch(iris, path):
    X, y = iris
    epochs = []

    class Watch(Cut):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "epoch" and path.exists():
                epochs.append(Checkpoint.load(path).n_iter_)

    made(max_iter=7).set_callbacks(Checkpoint(path, every=2), Watch(0)).fit(X, y)
    assert epochs == [2, 2, 4, 4, 6]
    assert Checkpoint.load(path).n_iter_ == 7


def test_checkpoints_do_not_change_training(iris, path):
    X, y = iris
    saved = made(**RICH).set_callbacks(Checkpoint(path)).fit(X, y)
    assert_same(saved, made(**RICH).fit(X, y))


def test_partial_fit_is_saved_but_not_resumed(iris, path):
    X, y = iris
    net = made().set_callbacks(Checkpoint(path))
    net.partial_fit(X, y).partial_fit(X[:50], y[:50])
    assert Checkpoint.load(path).n_iter_ == 2
    fresh = made().set_callbacks(Checkpoint(path)).partial_fit(X, y)
    assert fresh.n_iter_ == 1


# ---- other runs

OTHERS = {
    "settings": lambda net: net.set_params(alpha=0.5),
    "nested settings": lambda net: net.set_params(optimizer__learning_rate=0.5),
    "seed": lambda net: net.set_params(random_state=1),
    "class": lambda net: MLPRegressor((8,), max_iter=3, batch_size=20, random_state=0),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_run_of_other_settings_is_refused(iris, path, case):
    X, y = iris
    made(max_iter=3).set_callbacks(Checkpoint(path)).fit(X, y)
    before = path.read_bytes()
    other = OTHERS[case](made(max_iter=3)).set_callbacks(Checkpoint(path))
    with pytest.raises(ValueError, match=r"belongs to an estimator of other settings"):
        other.fit(X, y)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "free", [{"max_iter": 20}, {"verbose": 1}, {"n_jobs": 2}, {"warm_start": True}]
)
def test_settings_that_may_differ(iris, path, free):
    X, y = iris
    with pytest.raises(CutOff):
        made().set_callbacks(Cut(4), Checkpoint(path, every=1)).fit(X, y)
    resumed = made(**free).set_callbacks(Checkpoint(path, every=1)).fit(X, y)
    assert_same(resumed, made(**free).fit(X, y))


def test_a_random_state_that_has_moved_on(iris, path):
    random_state = np.random.RandomState(3)
    with pytest.raises(CutOff):
        made(random_state=random_state).set_callbacks(
            Cut(4), Checkpoint(path, every=1)
        ).fit(*iris)
    net = (
        made(random_state=random_state)
        .set_callbacks(Checkpoint(path, every=1))
        .fit(*iris)
    )
    assert_same(net, made(random_state=np.random.RandomState(3)).fit(*iris))


def test_other_data_are_refused(iris, path):
    X, y = iris
    with pytest.raises(CutOff):
        made().set_callbacks(Cut(4), Checkpoint(path, every=1)).fit(X, y)
    weight = np.arange(len(y))
    for other in [(X[::2], y[::2]), (X + 1, y), (X, y[::-1]), (X, y, weight)]:
        with pytest.raises(ValueError, match="belongs to other training data"):
            made().set_callbacks(Checkpoint(path, every=1)).fit(*other)
    made().set_callbacks(Checkpoint(path, every=1)).fit(X, y)


def test_a_finished_run_is_not_taken_for_another_fold(iris, path):
    net = made(max_iter=3).set_callbacks(Checkpoint(path))
    with pytest.raises(ValueError, match="cannot serve the folds"):
        cross_val_score(net, *iris, cv=2, error_score="raise")


def test_restarts_cannot_be_kept(iris, path):
    with pytest.raises(ValueError, match="Checkpoint keeps one run, but n_init=2; set"):
        made(n_init=2).set_callbacks(Checkpoint(path)).fit(*iris)


# ---- files that are no good

FILES = {
    "empty": b"",
    "text": b"no pickle at all",
    "another pickle": pickle.dumps([1, 2, 3]),
    "another format": pickle.dumps({"format": -1}),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_checkpoint(iris, tmp_path, case):
    path = tmp_path / "file"
    path.write_bytes(FILES[case])
    with pytest.raises(ValueError, match="is no checkpoint"):
        Checkpoint.load(path)
    with pytest.raises(ValueError, match="is no checkpoint"):
        made().set_callbacks(Checkpoint(path)).fit(*iris)
    assert path.read_bytes() == FILES[case]


def test_half_a_file_is_no_checkpoint(iris, path):
    made(max_iter=2).set_callbacks(Checkpoint(path)).fit(*iris)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="is no checkpoint that can be read"):
        Checkpoint.load(path)


def test_no_file(path):
    with pytest.raises(FileNotFoundError):
        Checkpoint.load(path)


@pytest.mark.parametrize("where", ["dump", "flush", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_write_that_fails_midway_keeps_the_good_file(
    iris, path, monkeypatch, where, error
):
    X, y = iris
    made(max_iter=3).set_callbacks(Checkpoint(path)).fit(X, y)
    good = path.read_bytes()

    def half_dump(content, file, protocol):
        file.write(good[: len(good) // 2])
        raise error

    def fail(*args):
        raise error

    if where == "dump":
        monkeypatch.setattr(pickle, "dump", half_dump)
    else:
        monkeypatch.setattr(os, {"flush": "fsync", "replace": "replace"}[where], fail)
    net = made(max_iter=4, random_state=1)
    with pytest.raises(type(error)):
        net.set_callbacks(Checkpoint(path, resume=False, every=9)).fit(X, y)
    monkeypatch.undo()
    assert path.read_bytes() == good
    assert os.listdir(path.parent) == [path.name]  # nothing is left beside it
    assert Checkpoint.load(path).n_iter_ == 3


def test_a_finished_run_goes_on_when_more_epochs_are_asked_for(path, iris):
    first = made(max_iter=3).set_callbacks(Checkpoint(path)).fit(*iris)
    more = made(max_iter=7).set_callbacks(Checkpoint(path)).fit(*iris)
    whole = made(max_iter=7).fit(*iris)
    assert (first.n_iter_, more.n_iter_) == (3, 7)
    assert more.loss_curve_ == whole.loss_curve_
    assert np.array_equal(more.network_.params.vector, whole.network_.params.vector)
    again = made(max_iter=7).set_callbacks(Checkpoint(path)).fit(*iris)
    assert again.n_iter_ == 7


class Lost(Checkpoint):
    def resume_run(self, estimator):
        return "nothing to go on with"


@pytest.mark.parametrize("kind", [MLPClassifier, GradientBoostingClassifier])
def test_a_run_of_another_kind(kind, iris, tmp_path):
    model = kind().set_callbacks(Lost(tmp_path / "run"))
    with pytest.raises(TypeError, match=r"Lost\.resume_run must return a .*, or None"):
        model.fit(*iris)
