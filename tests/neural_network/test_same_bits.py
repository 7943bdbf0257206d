"""The same seed gives the same bits: twice, on any number of threads or processes."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from joblib import parallel_backend
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_info, threadpool_limits

from skdl import MLPClassifier, MLPRegressor, config_context
from skdl.layers import DropConnect
from skdl.ops import _blas
from skdl.optimizers import Adam
from skdl.training import Objective

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

# Everything that draws random numbers.
RICH = {
    "dropout": 0.2,
    "batch_norm": True,
    "early_stopping": True,
    "batch_size": 32,
    "alpha": 0.01,
    "l1": 0.01,
}
NETS = {
    "default": MLPClassifier(max_iter=3),
    "rich": MLPClassifier((20, 10), max_iter=3, **RICH),
    "dropconnect": MLPClassifier(layers=[DropConnect(20), "tanh"], max_iter=3),
    "lbfgs": MLPClassifier((20,), optimizer="lbfgs", max_iter=5),
    "regression": MLPRegressor((20,), max_iter=3, **RICH),
    "double": MLPClassifier((20,), dtype="float64", max_iter=3, **RICH),
}


def assert_same(a, b):
    np.testing.assert_array_equal(a.network_.params.vector, b.network_.params.vector)
    np.testing.assert_array_equal(a.network_.state.vector, b.network_.state.vector)
    for name in a.history_:
        np.testing.assert_array_equal(a.history_[name], b.history_[name])


def fitted(case, digits, **settings):
    net = clone(NETS[case]).set_params(**{"random_state": 3, **settings})
    return net.fit(*digits)


@pytest.mark.parametrize("case", NETS)
def test_twice(digits, case):
    first = fitted(case, digits)
    assert_same(first, fitted(case, digits))
    other = fitted(case, digits, random_state=4)
    assert (first.network_.params.vector != other.network_.params.vector).any()


@pytest.mark.parametrize("case", NETS)
def test_numpys_global_generator_has_no_part(digits, case, monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError("numpy.random's global generator was asked")

    for name in ("random", "rand", "randn", "normal", "uniform", "permutation"):
        monkeypatch.setattr(np.random, name, forbidden)
    first = fitted(case, digits)
    monkeypatch.undo()
    assert_same(first, fitted(case, digits))


def assert_threads_do_not_matter(net, X, y):
    results = []
    for n_threads in (1, 2, 3, 4):
        with (
            threadpool_limits(n_threads, user_api="blas"),
            config_context(n_threads=n_threads),
        ):
            fitted = clone(net).fit(X, y)
            predict = getattr(fitted, "predict_proba", fitted.predict)
            results.append((fitted, predict(X), predict(X[:1])))
    for fitted, *predictions in results[1:]:
        assert_same(fitted, results[0][0])
        for got, wanted in zip(predictions, results[0][1:], strict=True):
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("case", NETS)
def test_blas_threads(digits, case):
    assert_threads_do_not_matter(clone(NETS[case]).set_params(random_state=3), *digits)


# Products and vectors that BLAS would share, and a start from a QR decomposition.
WIDE = {
    "batches": {"batch_size": 30},
    "double": {"batch_size": 34, "dtype": "float64"},
    "all rows": {"hidden_layer_sizes": (30,), "optimizer": "lbfgs", "alpha": 0.1},
    "many weights": {
        "alpha": 0.01,
        "batch_size": 32,
        "optimizer": Adam(clip_norm=0.1),
        "initializer": "orthogonal",
    },
}


@pytest.mark.parametrize("case", WIDE)
def test_blas_threads_of_wide_networks(wide, case):
    settings = {"hidden_layer_sizes": (301, 200), **WIDE[case]}
    net = MLPClassifier(max_iter=2, random_state=0, **settings)
    n = 331 if case == "all rows" else 35  # predictions take all rows at a time
    assert_threads_do_not_matter(net, *(part[:n] for part in wide))


def test_large_flat_networks_leave_blas_its_threads(wide, monkeypatch):
    """Where a product is worth it, whose last digits then are the library's affair."""
    seen = []
    step = Objective.loss_and_gradient

    def limits():
        info = threadpool_info()
        return max(i["num_threads"] for i in info if i["user_api"] == "blas")

    def watched(*args, **kwargs):
        seen.append((_blas.n_threads(), limits()))
        return step(*args, **kwargs)

    monkeypatch.setattr(Objective, "loss_and_gradient", watched)
    nets = []
    for n_threads, batch_size in [(1, 200), (2, 200), (2, 20)]:
        net = MLPClassifier((301,), max_iter=1, random_state=0, batch_size=batch_size)
        with (
            threadpool_limits(n_threads, user_api="blas"),
            config_context(n_threads=2),
        ):
            nets.append(net.fit(*wide))
            assert limits() == n_threads
    assert seen == [(0, 1)] * 2 + [(0, 2)] * 2 + [(2, 1)] * 17
    for a, b in zip(nets[0].coefs_, nets[1].coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


@pytest.fixture(scope="module")
def wide():
    rng = np.random.default_rng(0)
    return rng.normal(size=(331, 784)).astype(np.float32), rng.integers(0, 3, 331)


KERNELS = """
import numpy as np, warnings
from threadpoolctl import threadpool_info, threadpool_limits
from skdl import MLPClassifier
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
for n, width, settings in [
    (211, 64, {}), (211, 70, {"optimizer": "lbfgs"}), (211, 64, {"dtype": "float64"}),
    (70, 901, {"hidden_layer_sizes": (130,), "batch_size": 50}),
]:
    X = rng.normal(size=(n, width)).astype(np.float32)
    y = rng.integers(0, 3, n)
    found = set()
    for n_threads in (1, 2, 3):
        with threadpool_limits(n_threads, user_api="blas"):
            net = MLPClassifier(max_iter=2, random_state=0, **settings).fit(X, y)
            numbers = [net.network_.params.vector, net.predict_proba(X)]
        found.add(b"".join(part.tobytes() for part in numbers))
    assert len(found) == 1, (width, settings)
"""


@pytest.mark.parametrize("kernels", ["Haswell", "Sandybridge"])
def test_blas_threads_on_other_processors(kernels):
    """OpenBLAS has kernels for each processor; all but the newest run on most."""
    environment = {**os.environ, "OPENBLAS_CORETYPE": kernels}
    environment.pop("OPENBLAS_NUM_THREADS", None)
    done = subprocess.run(
        [sys.executable, "-c", KERNELS], env=environment, capture_output=True, text=True
    )
    if done.returncode < 0:
        pytest.skip(f"this processor does not run the kernels of {kernels}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("case", ["default", "rich", "double"])
def test_engines(digits, case):
    nets = []
    for engine in ("numpy", "numba"):
        with config_context(engine=engine):
            nets.append(fitted(case, digits))
    assert_same(*nets)


def test_several_fits_at_once(digits):
    expected = [fitted("rich", digits, random_state=i) for i in range(4)]
    results = [None] * 4

    def work(i):
        results[i] = fitted("rich", digits, random_state=i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got, wanted in zip(results, expected, strict=True):
        assert_same(got, wanted)


def test_a_generator_as_random_state_moves_on(digits):
    rng = np.random.RandomState(0)
    net = MLPClassifier(random_state=rng, max_iter=1)
    first = net.fit(*digits).network_.params.vector.copy()
    assert (net.fit(*digits).network_.params.vector != first).any()
    net.random_state = np.random.RandomState(0)
    np.testing.assert_array_equal(net.fit(*digits).network_.params.vector, first)
    unseeded = [MLPClassifier(max_iter=1).fit(*digits).coefs_[0] for _ in range(2)]
    assert (unseeded[0] != unseeded[1]).any()


# ---- restarts


def restarts(n_jobs=None, **settings):
    settings = {"n_init": 4, "max_iter": 3, "random_state": 0, **settings}
    settings.setdefault("hidden_layer_sizes", (10,))
    return MLPClassifier(n_jobs=n_jobs, **settings)


@pytest.mark.parametrize("settings", [{}, RICH], ids=["plain", "rich"])
def test_restarts_do_not_depend_on_n_jobs(digits, settings):
    nets = [restarts(n_jobs, **settings).fit(*digits) for n_jobs in (None, 1, 2, -1)]
    with parallel_backend("threading"):
        nets.append(restarts(2, **settings).fit(*digits))
    for net in nets[1:]:
        assert_same(net, nets[0])


def test_nor_on_the_blas_threads_that_a_process_has():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 784)), rng.integers(0, 3, 200)
    with threadpool_limits(2, user_api="blas"):  # another process has one
        nets = [
            restarts(n_jobs, n_init=2, hidden_layer_sizes=(100,)).fit(X, y)
            for n_jobs in (1, 2)
        ]
    assert_same(*nets)


def test_the_best_restart_is_kept(digits):
    X, y = digits
    sequences = np.random.SeedSequence(seed_of(0)).spawn(4)
    best = restarts().fit(X, y)
    singles = []
    for sequence in sequences:
        net = restarts(n_init=1, warm_start=True).initialize(X, y)
        net._training_state.rng = np.random.default_rng(sequence)
        net.network_.initialize(net._training_state.rng)
        singles.append(net.fit(X, y))
    losses = [net.loss_ for net in singles]
    assert len(set(losses)) == 4
    assert best.loss_ == min(losses)
    assert_same(best, singles[int(np.argmin(losses))])


@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss"])
def test_with_early_stopping_the_validation_metric_decides(digits, scoring):
    X, X_val, y, y_val = train_test_split(*digits, random_state=0)
    settings = {"early_stopping": True, "scoring": scoring, "max_iter": 5}
    best = restarts(**settings).fit(X, y, X_val=X_val, y_val=y_val)
    values = []
    for sequence in np.random.SeedSequence(seed_of(0)).spawn(4):
        net = restarts(n_init=1, warm_start=True, **settings).initialize(
            X[:300], y[:300]
        )
        net._training_state.rng = np.random.default_rng(sequence)
        net.network_.initialize(net._training_state.rng)
        net.fit(X, y, X_val=X_val, y_val=y_val)
        loss = scoring == "loss"
        values.append(
            -min(net.history_["val_loss"]) if loss else net.best_validation_score_
        )
    found = best.history_["val_loss" if scoring == "loss" else "val_score"]
    found = -min(found) if scoring == "loss" else max(found)
    assert found == max(values)


def seed_of(random_state):
    return int(np.random.RandomState(random_state).randint(np.iinfo(np.int32).max))


def test_one_restart_is_the_first_of_several(digits):
    """More restarts never give a worse training loss."""
    losses = [restarts(n_init=n).fit(*digits).loss_ for n in (1, 2, 4, 8)]
    assert losses == sorted(losses, reverse=True)


def test_partial_fit_and_warm_starts_have_no_restarts(digits):
    X, y = digits
    net = restarts(warm_start=True).fit(X, y)
    net.fit(X, y)
    assert net.n_iter_ == 6
    assert restarts().partial_fit(X, y).n_iter_ == 1


# ---- predicting


def test_predicting_changes_nothing(digits):
    X, y = digits
    net = fitted("rich", digits)
    before = {name: repr(value) for name, value in vars(net).items()}
    ids = {name: id(value) for name, value in vars(net).items()}
    vector = net.network_.params.vector.copy()
    state = net.network_.state.vector.copy()
    rng = net._training_state.rng.bit_generator.state
    for predict in (net.predict, net.predict_proba, net.predict_log_proba):
        predict(X)
    net.score(X, y)
    assert {name: repr(value) for name, value in vars(net).items()} == before
    assert {name: id(value) for name, value in vars(net).items()} == ids
    np.testing.assert_array_equal(net.network_.params.vector, vector)
    np.testing.assert_array_equal(net.network_.state.vector, state)
    assert repr(net._training_state.rng.bit_generator.state) == repr(rng)


@pytest.mark.parametrize("case", ["rich", "regression"])
def test_predicting_from_several_threads(digits, case):
    X, _ = digits
    net = fitted(case, digits)
    X = np.tile(X, (4, 1))
    predict = getattr(net, "predict_proba", net.predict)
    expected, results = predict(X), [[] for _ in range(6)]

    def work(i):
        for _ in range(5):
            results[i].append(predict(X))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        assert len(result) == 5
        for got in result:
            np.testing.assert_array_equal(got, expected)


def test_predictions_are_the_users_own(digits):
    X, _ = digits
    net = fitted("rich", digits)
    first = net.predict_proba(X)
    kept = first.copy()
    net.predict_proba(X[::-1])
    np.testing.assert_array_equal(first, kept)
    first[:] = -1  # not shared with the network either
    np.testing.assert_array_equal(net.predict_proba(X), kept)
