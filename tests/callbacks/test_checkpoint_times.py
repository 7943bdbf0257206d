"""When a checkpoint is written, if nobody says how often: by the clock."""

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from skdl import GradientBoostingClassifier, MLPClassifier
from skdl.callbacks import Checkpoint, _checkpoint

X, Y = load_iris(return_X_y=True)
pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)
MODELS = {
    "net": MLPClassifier((4,), max_iter=60, n_iter_no_change="never", random_state=0),
    "booster": GradientBoostingClassifier(n_estimators=60, random_state=0),
}


class Time:
    """A clock that a step and a save move on."""

    def __init__(self, monkeypatch, step, save):
        self.now, self.step, self.save, self.written = 100.0, step, save, []
        monkeypatch.setattr(_checkpoint.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(_checkpoint, "_write", self.write)

    def write(self, content, path):
        self.written.append(self.now)
        self.now += self.save

    # ---- the protocol of callbacks

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name in ("epoch", "tree"):
            self.now += self.step


def run(monkeypatch, model, step, save, **settings):
    """Return when the file was written, and when training ended."""
    clock = Time(monkeypatch, step, save)
    checkpoint = Checkpoint("unused", resume=False, **settings)
    clone(MODELS[model]).set_callbacks(clock, checkpoint).fit(X, Y)
    assert not checkpoint._clocks
    return np.array(clock.written) - 100.0


@pytest.mark.parametrize("model", MODELS)
def test_quick_saves_are_seconds_apart(model, monkeypatch):
    at = run(monkeypatch, model, step=1.0, save=0.0)
    np.testing.assert_array_equal(at, [*range(5, 60, 5), 60])


@pytest.mark.parametrize("model", MODELS)
def test_slow_saves_take_a_twentieth_of_the_time(model, monkeypatch):
    at = run(monkeypatch, model, step=10.0, save=8.0)
    # The first after one step, the next after 20 × 8 s of steps, and so on; the end.
    np.testing.assert_array_equal(at, [10, 178, 346, 514, 632])


@pytest.mark.parametrize("model", MODELS)
def test_a_short_fit_is_saved_at_its_end_alone(model, monkeypatch):
    assert len(run(monkeypatch, model, step=0.05, save=0.1)) == 1


@pytest.mark.parametrize("model", MODELS)
def test_a_number_of_rounds_does_not_ask_the_clock(model, monkeypatch):
    at = run(monkeypatch, model, step=0.0, save=1.0, every=7)
    assert len(at) == 60 // 7 + 1


@pytest.mark.parametrize("model", MODELS)
def test_clones_have_clocks_of_their_own(model, monkeypatch):
    clock = Time(monkeypatch, 3.0, 0.0)
    checkpoint = Checkpoint("unused", resume=False)
    net = clone(MODELS[model]).set_callbacks(clock, checkpoint)
    for fitted in (net, clone(net)):
        clock.now, clock.written = 0.0, []
        fitted.fit(X, Y)
        assert clock.written[:2] == [6.0, 12.0]


@pytest.mark.parametrize("every", [0, -3])
def test_less_than_one_round_is_refused(every):
    with pytest.raises(
        ValueError, match="'every' parameter of Checkpoint must be an int in the range"
    ):
        Checkpoint("unused", every)


def test_a_callback_goes_to_other_processes_without_its_runs(tmp_path):
    checkpoint = Checkpoint(tmp_path / "net")
    checkpoint._clocks["a run"] = _checkpoint._Clock()
    joblib.dump(checkpoint, tmp_path / "callback")
    assert joblib.load(tmp_path / "callback")._clocks == {}
