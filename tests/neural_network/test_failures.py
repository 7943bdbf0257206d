"""Training that fails: divergence, interruption, and what is left of the model."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skdl import MLPClassifier, MLPRegressor
from skdl.layers import Dense
from skdl.optimizers import SGD
from skdl.schedules import Schedule
from skdl.training import DivergenceError

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


class Callback:
    """A callback that does something at the end of an epoch."""

    def __init__(self, epoch, action):
        self.epoch, self.action = epoch, action

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and context.task_id + 1 == self.epoch:
            self.action()


def interrupt():
    raise KeyboardInterrupt


def made(**settings):
    return MLPClassifier((8,), **{"max_iter": 5, "random_state": 0, **settings})


def weights(net):
    return net.network_.params.vector


def memory(net):
    """Return the whole state of an estimator, by value."""
    return pickle.dumps({**vars(net), "_training_state": net._training_state})


# ---- divergence

# A rate so large that a few epochs overflow.
WILD = {"optimizer": SGD(1e6), "max_iter": 50}


def diverging(**settings):
    return MLPRegressor((8,), **{"random_state": 0, **WILD, **settings})


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_divergence_names_the_epoch_and_the_remedy(curve, method):
    net = diverging()

    def train():
        for _ in range(50):
            getattr(net, method)(*curve)

    with pytest.raises(DivergenceError) as raised:
        train()
    error = raised.value
    assert f"diverged in epoch {error.epoch}: " in str(error)
    assert error.epoch == net.n_iter_ + 1
    assert "smaller learning rate (optimizer__learning_rate)" in str(error)
    assert "clip the gradients (optimizer__clip_norm=1.0)" in str(error)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", [{}, {"batch_norm": True}, {"batch_size": 30}])
def test_the_last_finite_weights_are_kept(curve, settings, dtype):
    X, y = curve
    net = diverging(dtype=dtype, **settings)
    if settings.get("batch_norm"):
        net.set_params(optimizer__learning_rate=1e30)
    with pytest.raises(DivergenceError) as raised:
        net.fit(X, y)
    assert np.isfinite(weights(net)).all()
    assert np.isfinite(net.network_.state.vector).all()
    assert net.n_iter_ == len(net.loss_curve_) == raised.value.epoch - 1
    assert np.isfinite(net.loss_curve_).all()
    if net.n_iter_:  # they are those at the end of the last good epoch
        good = clone(net).set_params(max_iter=net.n_iter_).fit(X, y)
        np.testing.assert_array_equal(weights(net), weights(good))
    else:
        np.testing.assert_array_equal(
            weights(net), weights(clone(net).initialize(X, y))
        )


class Leap(Schedule):
    """A rate that is right for three epochs and far too large afterwards."""

    def multiplier(self, t, total, memory):
        return 1.0 if t < 3 else 1e200


def test_running_statistics_are_those_of_the_last_good_epoch(curve):
    X, y = curve
    net = MLPRegressor(
        (8,), batch_norm=True, batch_size=30, optimizer=SGD(Leap(0.01)), random_state=0
    )
    with pytest.raises(DivergenceError):  # after some batches of the fourth epoch
        net.fit(X, y)
    good = clone(net).set_params(max_iter=3).fit(X, y)
    assert net.n_iter_ == 3
    assert good.network_.state.size == 16
    np.testing.assert_array_equal(weights(net), weights(good))
    for name in good.network_.state:
        np.testing.assert_array_equal(
            net.network_.state[name], good.network_.state[name]
        )
    np.testing.assert_array_equal(net.predict(X), good.predict(X))


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_divergence_leaves_a_fitted_model_as_it_was(curve, method, warm_start):
    X, y = curve
    net = diverging(optimizer=SGD(1e-3), warm_start=warm_start, max_iter=4)
    net.fit(X, y)
    before, predictions = memory(net), net.predict(X)
    net.set_params(optimizer=SGD(1e308))
    with pytest.raises(DivergenceError):
        getattr(net, method)(X, 100 * y)
    net.set_params(optimizer=SGD(1e-3), max_iter=4)
    assert memory(net) == before
    np.testing.assert_array_equal(net.predict(X), predictions)
    net.fit(X, y)  # and it can go on
    assert net.n_iter_ == (8 if warm_start else 4)


def test_partial_fit_that_diverges_in_the_end_keeps_the_epoch_before(curve):
    X, y = curve
    net, kept = diverging(), []

    def train():
        for _ in range(50):
            net.partial_fit(X, y)
            kept.append(weights(net).copy())

    with pytest.raises(DivergenceError):
        train()
    assert net.n_iter_ == len(kept) > 0
    np.testing.assert_array_equal(weights(net), kept[-1])


def test_remedies_help(curve):
    X, y = curve
    with pytest.raises(DivergenceError):
        diverging(optimizer=SGD(10.0)).fit(X, 1000 * y)
    for remedy in ({"clip_norm": 1.0, "learning_rate": 0.1}, {"learning_rate": 1e-8}):
        net = diverging(optimizer=SGD(10.0), max_iter=5)
        net.set_params(**{f"optimizer__{name}": v for name, v in remedy.items()})
        assert np.isfinite(net.fit(X, 1000 * y).loss_curve_).all()


def test_divergence_in_a_restart(curve):
    net = diverging(n_init=2)
    for n_jobs in (1, 2):
        with pytest.raises(DivergenceError, match="diverged in epoch"):
            clone(net).set_params(n_jobs=n_jobs).fit(*curve)


def test_divergence_in_cross_validation_says_why(curve):
    with pytest.raises(ValueError, match="All the 2 fits failed") as raised:
        cross_val_score(diverging(), *curve, cv=2)
    assert "Training diverged in epoch" in str(raised.value)


def test_a_validation_loss_may_overflow(curve):
    X, y = curve
    net = diverging(optimizer="sgd", loss="poisson", max_iter=3, early_stopping=True)
    net.fit(X, np.abs(y), X_val=1e6 * X, y_val=np.abs(y))
    assert np.isfinite(weights(net)).all()
    assert np.isinf(net.history_["val_loss"]).any()
    assert np.isnan(net.history_["val_score"]).any()


# ---- KeyboardInterrupt


@pytest.mark.parametrize("epoch", [1, 3])
@pytest.mark.parametrize(
    "settings",
    [{}, {"early_stopping": True}, {"optimizer": "lbfgs"}, {"n_init": 1, "verbose": 1}],
    ids=str,
)
def test_an_interrupted_fit_is_a_usable_model(iris, capsys, epoch, settings):
    X, y = iris
    net = made(**settings).set_callbacks(Callback(epoch, interrupt))
    with pytest.warns(
        UserWarning, match=f"interrupted in epoch {epoch + 1}; the model"
    ):
        net.fit(X, y)
    assert net.n_iter_ == epoch == len(net.loss_curve_)
    assert set(net.predict(X)) <= {0, 1, 2}
    shorter = made(**settings, warm_start=True).set_params(max_iter=epoch).fit(X, y)
    if not net.early_stopping:
        np.testing.assert_array_equal(weights(net), weights(shorter))
    else:
        losses = net.history_["val_loss"]
        assert net.best_epoch_ == int(np.argmin(losses)) + 1
        np.testing.assert_array_equal(net.predict(X), shorter.predict(X))
    if net.verbose:
        assert f"Interrupted after epoch {epoch}." in capsys.readouterr().out
    pickle.loads(pickle.dumps(net.set_callbacks())).predict(X)


def test_training_goes_on_after_an_interruption(iris):
    X, y = iris
    net = made(warm_start=True).set_callbacks(Callback(3, interrupt))
    with pytest.warns(UserWarning, match="interrupted in epoch 4"):
        net.fit(X, y)
    net.set_callbacks().set_params(max_iter=2).fit(X, y)
    whole = made(max_iter=5).fit(X, y)
    np.testing.assert_array_equal(weights(net), weights(whole))
    assert net.history_ == whole.history_


@pytest.mark.parametrize("batch", [0, 2])
def test_interrupted_in_the_middle_of_an_epoch(iris, batch):
    X, y = iris

    class Interrupting(SGD):
        def step(self, theta, g, s, eta):
            if s.t == 8 + batch + 1:  # third epoch
                raise KeyboardInterrupt
            super().step(theta, g, s, eta)

    net = made(optimizer=Interrupting(0.1), batch_size=40)
    with pytest.warns(UserWarning, match="interrupted in epoch 3; the model keeps"):
        net.fit(X, y)
    assert net.n_iter_ == len(net.loss_curve_) == 2
    two = made(optimizer=SGD(0.1), batch_size=40, max_iter=2).fit(X, y)
    assert (weights(net) != weights(two)).any() == (batch > 0)  # what it had by then
    assert net.score(X, y) > 0.5


def test_an_interrupted_partial_fit(iris):
    X, y = iris
    net = made().set_callbacks(Callback(1, interrupt))
    with pytest.warns(UserWarning, match="interrupted in epoch 2"):
        net.partial_fit(X, y)
    assert net.n_iter_ == 1
    net.set_callbacks().partial_fit(X, y)
    assert net.n_iter_ == 2


def test_an_interruption_ends_the_other_restarts_too(iris):
    net = made(n_init=3).set_callbacks(Callback(2, interrupt))
    with pytest.warns(UserWarning, match="interrupted in epoch 3") as caught:
        net.fit(*iris)
    assert len(caught) == 1
    assert net.n_iter_ == 2
    assert net.score(*iris) > 0


def test_interrupted_processes_leave_the_restarts_that_had_ended(iris, monkeypatch):
    class Interrupted:
        """Run some jobs, then be interrupted, as joblib is while it waits."""

        n_done = 2

        def __init__(self, **options):
            pass

        def __call__(self, jobs):
            for function, args, kwargs in jobs[: self.n_done]:
                yield function(*args, **kwargs)
            raise KeyboardInterrupt

    monkeypatch.setattr("skdl.neural_network._run.Parallel", Interrupted)
    net = made(n_init=4, n_jobs=2)
    with pytest.warns(UserWarning, match="the best of 2 restarts that had ended is"):
        net.fit(*iris)
    monkeypatch.undo()
    two = made(n_init=2).fit(*iris)
    np.testing.assert_array_equal(weights(net), weights(two))
    monkeypatch.setattr("skdl.neural_network._run.Parallel", Interrupted)
    monkeypatch.setattr(Interrupted, "n_done", 0)
    with pytest.raises(KeyboardInterrupt):
        net.fit(*iris)
    np.testing.assert_array_equal(weights(net), weights(two))  # as it was


# ---- other errors


class Boom(Exception):
    pass


def boom():
    raise Boom


FAILURES = {
    "NaN in X": (ValueError, lambda X, y: {"X": X * np.nan, "y": y}, {}),
    "wrong y": (ValueError, lambda X, y: {"X": X, "y": y[:9]}, {}),
    "wrong optimizer": (TypeError, lambda X, y: {"X": X, "y": y}, {"optimizer": SGD}),
    "wrong rate": (ValueError, lambda X, y: {"X": X, "y": y}, {"optimizer": SGD(-1.0)}),
    "zero weights": (
        ValueError,
        lambda X, y: {"X": X, "y": y, "sample_weight": 0 * X[:, 0]},
        {},
    ),
    "unknown loss": (ValueError, lambda X, y: {"X": X, "y": y}, {"loss": "nonsense"}),
    "wrong layers": (ValueError, lambda X, y: {"X": X, "y": y}, {"layers": [Dense(0)]}),
    "untrainable": (ValueError, lambda X, y: {"X": X, "y": y}, {"activation": "step"}),
    "other classes": (ValueError, lambda X, y: {"X": X, "y": y + 0.5}, {}),
    "X_val alone": (ValueError, lambda X, y: {"X": X, "y": y, "X_val": X}, {}),
    "callback": (Boom, lambda X, y: {"X": X[::-1], "y": y}, {}),
}


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("case", FAILURES)
def test_a_failed_fit_leaves_a_fitted_model_as_it_was(iris, case, method, warm_start):
    X, y = iris
    error, data, settings = FAILURES[case]
    net = made(warm_start=warm_start, dropout=0.1, batch_norm=True).fit(X, y)
    kept = net.get_params(deep=False)
    before, predictions = memory(net), net.predict_proba(X)
    net.set_params(**settings)
    if case == "callback":
        net.set_callbacks(Callback(1, boom))
    with pytest.raises(error):
        getattr(net, method)(**data(X, y))
    net.set_params(**kept).set_callbacks()
    assert memory(net) == before
    np.testing.assert_array_equal(net.predict_proba(X), predictions)


def test_an_unfitted_estimator_stays_unfitted_after_bad_input(iris):
    X, y = iris
    net = made(optimizer="nonsense")
    with pytest.raises(ValueError, match="Unknown optimizer"):
        net.fit(X, y)
    assert not hasattr(net, "network_")
    with pytest.raises(ValueError, match="not fitted"):
        net.predict(X)
    assert net.set_params(optimizer="adam").fit(X, y).n_iter_ == 5
