"""Early stopping, jogging and the learning-rate finder."""

import pickle

import numpy as np
import pytest
from joblib import parallel_backend
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_diabetes
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPClassifier, MLPRegressor
from skdl.callbacks import Checkpoint, EarlyStopping, Jog, LearningRateFinder
from skdl.callbacks import _learning_rate_finder as finder_module
from skdl.optimizers import SGD, Adam
from skdl.schedules import Cosine

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


def made(**settings):
    settings = {"max_iter": 40, "n_iter_no_change": "never", "alpha": 0, **settings}
    net = MLPClassifier((30,), batch_size=30, random_state=0, **settings)
    return net.set_params(optimizer__learning_rate=0.01)


def weights(net):
    return net.network_.params.vector


@pytest.fixture(scope="module")
def noisy(digits):
    """Return few rows with wrong labels among them: nets overfit here."""
    X, y = digits
    y = y.copy()
    rng = np.random.default_rng(0)
    wrong = rng.random(len(y)) < 0.2
    y[wrong] = rng.integers(0, 10, wrong.sum())
    X, X_val, y, y_val = train_test_split(X, y, test_size=0.5, random_state=0)
    return X, y, {"X_val": X_val, "y_val": y_val}


# ---- early stopping


@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping_by_the_validation_loss(noisy, restore):
    X, y, validation = noisy
    callback = EarlyStopping(patience=3, restore_best=restore)
    net = made().set_callbacks(callback).fit(X, y, **validation)
    losses = net.history_["val_loss"]
    best = int(np.argmin(losses))
    assert net.n_iter_ == len(losses) == best + 1 + 4 < 40
    got = log_loss(validation["y_val"], net.predict_proba(validation["X_val"]))
    assert got == pytest.approx(losses[best if restore else -1], rel=1e-5)


def test_it_does_what_the_parameter_does(noisy):
    X, y, validation = noisy
    by_callback = made().set_callbacks(EarlyStopping("val_score", 3, tol=1e-4))
    by_parameter = made(early_stopping=True, n_iter_no_change=3, scoring="accuracy")
    for net in (by_callback, by_parameter):
        net.fit(X, y, **validation)
    assert by_callback.n_iter_ == by_parameter.n_iter_ < 40
    np.testing.assert_array_equal(weights(by_callback), weights(by_parameter))


def test_by_the_training_loss(iris):
    net = made(max_iter=1000).set_callbacks(EarlyStopping("loss", 4, tol=0.01))
    net.fit(*iris)
    assert net.n_iter_ < 300


def test_without_such_an_entry(iris):
    for monitor in ("val_loss", "accuracy"):
        net = made().set_callbacks(EarlyStopping(monitor))
        with pytest.raises(ValueError, match=f"no '{monitor}', only loss, learning_r"):
            net.fit(*iris)
        assert not hasattr(net, "network_")


WRONG = {
    "patience": lambda: EarlyStopping(patience=-1),
    "tol": lambda: EarlyStopping(tol=-1),
    "scale": lambda: Jog(scale=0),
    "jog's patience": lambda: Jog(patience=-1),
    "low": lambda: LearningRateFinder(low=0),
    "high": lambda: LearningRateFinder(low=1, high=0.1),
    "steps": lambda: LearningRateFinder(n_steps=3),
    "smoothing": lambda: LearningRateFinder(smoothing=1),
    "stop": lambda: LearningRateFinder(stop_at=1),
    "every": lambda: Checkpoint("file", every=0),
}


@pytest.mark.parametrize("case", WRONG)
def test_settings_out_of_range(case):
    with pytest.raises(ValueError, match=r"must|Needed"):
        WRONG[case]()


# ---- callbacks are shared, runs are not


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_folds_do_not_share_their_memory(noisy, n_jobs):
    X, y, _ = noisy
    grid = {"alpha": [0.0, 1.0]}
    net = made(max_iter=15)
    callback = EarlyStopping("loss", patience=1, tol=0.15)
    search = GridSearchCV(clone(net).set_callbacks(callback), grid, cv=2, n_jobs=n_jobs)
    search.fit(X, y)
    for i, alpha in enumerate(grid["alpha"]):
        alone = clone(net).set_params(alpha=alpha)
        alone.set_callbacks(EarlyStopping("loss", patience=1, tol=0.15))
        by_hand = GridSearchCV(alone, {}, cv=2).fit(X, y)
        assert search.cv_results_["mean_test_score"][i] == by_hand.best_score_
    assert search.best_estimator_.n_iter_ < 15
    assert callback._trainers == {}


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_restarts_do_not_share_their_memory(noisy, backend):
    X, y, _ = noisy
    nets = []
    for callback in (EarlyStopping("loss", 1, tol=0.15), Jog(patience=1, tol=0.2)):
        net = made(max_iter=12, n_init=3, n_jobs=2).set_callbacks(callback)
        with parallel_backend(backend):
            nets.append(clone(net).fit(X, y))
        nets.append(clone(net).set_params(n_jobs=1).fit(X, y))
        assert callback._trainers == {}
        np.testing.assert_array_equal(weights(nets[-2]), weights(nets[-1]))
        assert nets[-2].history_ == nets[-1].history_


def test_a_second_fit_begins_anew(noisy):
    X, y, _ = noisy
    net = made().set_callbacks(EarlyStopping("loss", 1, tol=0.1))
    first = net.fit(X, y).n_iter_
    assert first < 40
    assert net.fit(X, y).n_iter_ == first
    warm = clone(net).set_params(warm_start=True)
    assert warm.fit(X, y).n_iter_ == first
    assert warm.fit(X, y).n_iter_ > first


def test_in_a_pipeline(iris):
    X, y = iris
    net = made(max_iter=500).set_callbacks(EarlyStopping("loss", 2, tol=0.05))
    model = make_pipeline(StandardScaler(), net).fit(X, y)
    assert model[-1].n_iter_ < 100


def test_callbacks_pickle_with_the_estimator(iris):
    net = made(max_iter=3).set_callbacks(EarlyStopping("loss"), Jog(), Checkpoint("x"))
    other = pickle.loads(pickle.dumps(net))
    assert [type(c).__name__ for c in other._skl_callbacks] == [
        "EarlyStopping",
        "Jog",
        "Checkpoint",
    ]


def test_together_with_scikit_learns(noisy):
    X, y, validation = noisy
    monitor = ScoringMonitor(scoring="accuracy")
    net = made().set_callbacks(monitor, EarlyStopping(patience=2))
    net.fit(X, y, **validation)
    assert len(monitor.get_logs().data) == net.n_iter_ < 40


# ---- jog


def test_jog_perturbs_when_the_loss_stalls_and_keeps_the_best(iris):
    X, y = iris
    jog = Jog(scale=0.5, patience=3, tol=0.02)
    net = made(max_iter=120).set_params(batch_size=150)
    jogged = clone(net).set_callbacks(jog).fit(X, y)
    plain = clone(net).fit(X, y)
    assert len(jog.jogs_) > 1
    assert jogged.n_iter_ == 120
    first, curve = jog.jogs_[0], jogged.loss_curve_
    assert curve[:first] == plain.loss_curve_[:first]
    assert curve[first] > curve[first - 1]
    # The loss of an epoch is that before its one update.
    assert log_loss(y, jogged.predict_proba(X)) < 1.02 * min(curve)


def test_jog_is_reproducible(iris):
    nets = [made().set_callbacks(Jog(patience=2, tol=0.1)).fit(*iris) for _ in range(2)]
    np.testing.assert_array_equal(*map(weights, nets))


def test_jog_by_the_validation_loss(noisy):
    X, y, validation = noisy
    jog = Jog(patience=2, monitor="val_loss")
    net = made().set_callbacks(jog).fit(X, y, **validation)
    assert jog.jogs_
    got = log_loss(validation["y_val"], net.predict_proba(validation["X_val"]))
    assert got == pytest.approx(min(net.history_["val_loss"]), rel=1e-5)


# ---- learning-rate finder

RICH = {"dropout": 0.2, "batch_norm": True, "early_stopping": True}


@pytest.mark.parametrize("settings", [{}, RICH], ids=["plain", "rich"])
def test_looking_changes_nothing(digits, settings):
    finder = LearningRateFinder(apply=False)
    looked = made(max_iter=3, **settings).set_callbacks(finder).fit(*digits)
    plain = made(max_iter=3, **settings).fit(*digits)
    np.testing.assert_array_equal(weights(looked), weights(plain))
    np.testing.assert_array_equal(
        looked.network_.state.vector, plain.network_.state.vector
    )
    assert looked.history_ == plain.history_
    assert looked.t_ == plain.t_


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "momentum", "rmsprop"])
def test_it_finds_a_rate_that_learns(digits, optimizer):
    finder = LearningRateFinder(apply=False)
    net = MLPClassifier((30,), optimizer=optimizer, batch_size=30, random_state=0)
    net.set_params(max_iter=3).set_callbacks(finder).fit(*digits)
    losses, rates = finder.losses_, finder.learning_rates_
    assert len(losses) == len(rates) <= 100
    np.testing.assert_allclose(rates, np.geomspace(1e-6, 10, 100)[: len(rates)])
    low, high = rates[0], rates[np.argmin(losses)]
    assert low < finder.learning_rate_ < high
    found = clone(net).set_params(optimizer__learning_rate=finder.learning_rate_)
    lazy = clone(net).set_params(optimizer__learning_rate=1e-6)
    for other in (found, lazy):
        other.set_callbacks().fit(*digits)
    assert found.loss_ < 0.9 * lazy.loss_


def test_what_it_finds_is_used(digits):
    finder = LearningRateFinder()
    net = made(max_iter=3, optimizer=Adam(1e-9)).set_callbacks(finder).fit(*digits)
    rate = finder.learning_rate_
    assert net.history_["learning_rate"] == [rate] * 3
    assert net.optimizer.learning_rate == 0.01  # the user's own is not changed
    plain = made(max_iter=3).set_params(optimizer__learning_rate=rate).fit(*digits)
    np.testing.assert_array_equal(weights(net), weights(plain))


@pytest.mark.parametrize("schedule", ["cosine", Cosine(123.0)])
def test_a_schedule_starts_at_what_it_finds(digits, schedule):
    finder = LearningRateFinder()
    net = made(max_iter=4, optimizer=SGD())
    net.set_params(optimizer__learning_rate=schedule).set_callbacks(finder).fit(*digits)
    expected = finder.learning_rate_ * 0.5 * (1 + np.cos(np.pi * np.arange(4) / 4))
    np.testing.assert_allclose(net.history_["learning_rate"], expected)
    if not isinstance(schedule, str):
        assert net.optimizer.learning_rate.initial == schedule.initial == 123.0


@pytest.mark.parametrize("how", ["partial_fit", "warm_start"])
def test_training_that_goes_on_keeps_the_rate(digits, how):
    finder = LearningRateFinder()
    net = made(max_iter=2, warm_start=True).set_callbacks(finder)
    for _ in range(3):
        net.partial_fit(*digits) if how == "partial_fit" else net.fit(*digits)
    rates = net.history_["learning_rate"]
    assert rates == [finder.learning_rate_] * len(rates)
    assert len(rates) == (3 if how == "partial_fit" else 6)


def test_each_restart_finds_its_own(digits):
    finder = LearningRateFinder()
    nets = [
        made(max_iter=2, n_init=3, n_jobs=n_jobs).set_callbacks(finder).fit(*digits)
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(*map(weights, nets))
    assert nets[0].history_ == nets[1].history_


def test_it_needs_a_rate(iris):
    net = MLPClassifier(optimizer="lbfgs").set_callbacks(LearningRateFinder())
    with pytest.raises(ValueError, match="needs an optimizer with a learning rate"):
        net.fit(*iris)


def test_it_stops_before_the_loss_is_infinite(curve):
    X, y = curve
    finder = LearningRateFinder(high=1e10, apply=False)
    net = MLPRegressor((30,), optimizer="sgd", max_iter=2, random_state=0)
    net.set_callbacks(finder).fit(X, 1000 * y)
    assert np.isfinite(finder.losses_).all()
    assert len(finder.losses_) < 100


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "momentum"])
def test_it_finds_a_rate_in_spite_of_noise(optimizer):
    """Few rows in small batches: batches differ by more than the updates change."""
    X, y = load_diabetes(return_X_y=True)
    X, y = StandardScaler().fit_transform(X), (y - y.mean()) / y.std()
    for seed in range(6):
        finder = LearningRateFinder(apply=False)
        net = MLPRegressor((20,), optimizer=optimizer, batch_size=16, max_iter=3)
        net.set_params(random_state=seed).set_callbacks(finder).fit(X, y)
        assert 1e-4 < finder.learning_rate_ < 1, seed
        net.set_params(optimizer__learning_rate=finder.learning_rate_)
        assert net.set_callbacks().fit(X, y).loss_ < 0.45 < finder.losses_[0], seed


@pytest.mark.parametrize("what", ["range", "target"])
def test_without_a_fall_the_rate_stays(what):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 5)).astype(np.float32)
    y = rng.normal(size=4000) if what == "target" else X[:, 0]
    settings = {} if what == "target" else {"low": 1e-12, "high": 1e-9}
    finder = LearningRateFinder(**settings)
    net = MLPRegressor((3,), batch_size=8, max_iter=2, random_state=0, alpha=0)
    net.set_params(optimizer=Adam(0.003))
    if what == "target":  # begin at the best there is: the mean
        net.set_params(initializer="zeros")
        y -= y.mean()
    with pytest.warns(UserWarning, match="no learning rate .* keeps 0.003"):
        net.set_callbacks(finder).fit(X, y)
    assert np.isnan(finder.learning_rate_)
    assert net.history_["learning_rate"] == [0.003] * 2


def test_a_loss_below_zero_does_not_end_the_sweep(iris):
    """A custom loss may be negative: what counts is the change."""

    def shifted(y, raw):
        return 0.5 * (raw - y) ** 2 - 5.0, raw - y

    X, y = iris
    rates = []
    for loss in (shifted, "squared_error"):
        finder = LearningRateFinder(apply=False)
        net = MLPRegressor((5,), loss=loss, max_iter=1, random_state=0)
        net.set_callbacks(finder).fit(X, y - y.mean())
        rates.append(finder.learning_rate_)
        assert len(finder.losses_) > 60
    assert rates[0] == pytest.approx(rates[1], rel=2)


def test_the_delay_of_the_average_is_taken_into_account():
    """A loss that falls at one known rate, smoothed more and more."""
    rates = np.geomspace(1e-6, 10, 200)
    changes = -1 / (1 + np.exp(-8 * np.log10(rates / 1e-2)))
    for beta in (0.0, 0.5, 0.8, 0.9):
        smooth = finder_module._debiased_average(changes, beta)
        found = finder_module._steepest(rates, smooth, beta)
        assert found == pytest.approx(1e-2, rel=0.35)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_the_noise_of_an_average(beta):
    """Of values whose spread grows with time: by step, over many repetitions."""
    rng = np.random.default_rng(0)
    averages, variances = [], []
    for _ in range(2000):
        values = rng.normal(scale=np.geomspace(1, 5, 60))
        averages.append(finder_module._debiased_average(values, beta))
        variances.append(finder_module._noise(values, beta) ** 2)
    found, true = np.mean(variances, axis=0), np.var(averages, axis=0)
    np.testing.assert_allclose(found, true, rtol=0.25)
