"""Every loss in boosting: derivatives, links, what it estimates."""

import threading
from importlib import import_module

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.metrics import d2_absolute_error_score, d2_pinball_score

from skdl import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    config_context,
    losses,
)
from skdl._config import has_numba
from skdl.boosting._gradients.derivatives import derivatives
from skdl.losses._regression import weighted_quantile

RNG = np.random.default_rng(0)
N = 40
POSITIVE = RNG.uniform(0.5, 3.0, size=(N, 1))
REAL = RNG.normal(size=(N, 1))
BINARY = RNG.integers(0, 2, size=(N, 1)).astype(float)
CODES = RNG.integers(0, 3, size=N)


def logistic(y, raw):
    """The loss of two classes with one sigmoid each, as a plain function."""
    y = np.eye(raw.shape[1])[y] if y.ndim == 1 else y
    p = 1 / (1 + np.exp(-raw))
    return np.logaddexp(0, raw) - y * raw, p - y, p * (1 - p)


# loss, targets, columns of raw predictions
LOSSES = {
    "squared": (losses.SquaredError(), REAL, 1),
    "squared, two targets": (losses.SquaredError(), np.c_[REAL, POSITIVE], 2),
    "absolute": (losses.AbsoluteError(), REAL, 1),
    "huber": (losses.Huber(0.8), REAL, 1),
    "quantile": (losses.Quantile(0.2), REAL, 1),
    "quantiles": (losses.Quantile([0.1, 0.5, 0.7]), REAL, 3),
    "poisson": (losses.Poisson(), POSITIVE, 1),
    "gamma": (losses.Gamma(), POSITIVE, 1),
    "binary": (losses.BinaryCrossEntropy(), BINARY, 1),
    "binary, smoothed": (losses.BinaryCrossEntropy(0.1), BINARY, 1),
    "multinomial": (losses.CrossEntropy(), CODES, 3),
    "multinomial, smoothed": (losses.CrossEntropy(0.1), CODES, 3),
    "exponential": (losses.Exponential(), BINARY, 1),
    "function": (losses.FunctionLoss(logistic), BINARY, 1),
}
WEIGHTS = {"weighted": RNG.uniform(0.1, 3.0, size=N), "unweighted": None}


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("case", LOSSES)
def test_the_residual_is_minus_the_gradient(case, engine, weight):
    loss, y, k = LOSSES[case]
    weight = WEIGHTS[weight]
    raw = np.random.default_rng(1).normal(size=(N, k))
    along = np.random.default_rng(2).normal(size=(N, k))
    total = N if weight is None else weight.sum()
    step = 1e-6

    def at(point):
        with config_context(engine=engine):
            return derivatives(loss, y, point, weight, {})

    here, after, before = (at(raw + s * along) for s in (0, step, -step))
    slope = total * (after.loss - before.loss) / (2 * step)
    assert (here.g * along.T).sum() == pytest.approx(slope, rel=1e-6)
    assert here.loss == pytest.approx(loss(y, raw, weight), rel=1e-12)
    if here.h is None:
        assert not loss.has_hessian or loss.constant_hessian
        return
    if "multinomial" not in case:  # elsewhere outputs do not meet: no cross terms
        change = (after.g - before.g) / (2 * step)
        expected = here.h * along.T
        smooth = np.abs(np.abs(raw - y) - 0.8).T > 1e-3 if case == "huber" else True
        np.testing.assert_allclose(
            np.where(smooth, change, 0), np.where(smooth, expected, 0), atol=1e-6
        )


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("case", ["squared", "binary", "multinomial"])
def test_compiled_derivatives_are_those_of_the_reference(case, weight):
    loss, y, k = LOSSES[case]
    raw = 40 * np.random.default_rng(1).normal(size=(N, k))  # also far out
    results = []
    for engine in ("numpy", "numba"):
        with config_context(engine=engine):
            results.append(derivatives(loss, y, raw, WEIGHTS[weight], {}))
    one, two = results
    assert one.loss == pytest.approx(two.loss, rel=1e-12)
    np.testing.assert_allclose(one.g, two.g, rtol=1e-12, atol=1e-15)
    assert (one.h is None) == (two.h is None)
    if one.h is not None:
        np.testing.assert_allclose(one.h, two.h, rtol=1e-9, atol=1e-15)


def test_multinomial_hessian_is_the_diagonal():
    loss, y, k = LOSSES["multinomial"]
    raw = np.random.default_rng(1).normal(size=(N, k))
    for j in range(k):
        along = 1e-6 * np.eye(k)[j]
        change = loss.gradient(y, raw + along) - loss.gradient(y, raw - along)
        h = derivatives(loss, y, raw, None, {}).h[j]
        np.testing.assert_allclose(change[:, j] / 2e-6, h, atol=1e-8)


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


# ---- fitted models


def skewed(n=500):
    """Return X and positive targets whose mean, spread and shape depend on X."""
    rng = np.random.default_rng(3)
    X = rng.uniform(-1, 1, size=(n, 3))
    mean = np.exp(1 + X[:, 0] + 0.5 * X[:, 1] ** 2)
    return X, rng.gamma(3.0, mean / 3.0), rng.poisson(mean).astype(float)


X, CONTINUOUS, COUNTS = skewed()
ALL = {
    "squared_error": CONTINUOUS,
    "absolute_error": CONTINUOUS,
    losses.Huber(1.0): CONTINUOUS,
    losses.Quantile(0.3): CONTINUOUS,
    "poisson": COUNTS,
    "gamma": CONTINUOUS,
}
RULES = ["newton", "gd", "momentum", "nesterov", "ema"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("loss", ALL, ids=str)
def test_every_loss_with_every_rule(loss, rule, weighted):
    y = ALL[loss]
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y)) if weighted else None
    rate = 0.02 if rule in ("momentum", "nesterov") else 0.1
    model = GradientBoostingRegressor(
        loss=loss, optimizer=rule, learning_rate=rate, n_estimators=20
    ).fit(X, y, weight)
    function = model.loss_function_
    raw = model.ensemble_.raw(X)
    end = function(y[:, None], raw, weight)
    start = function(y[:, None], model.ensemble_.start(X), weight)
    assert end == pytest.approx(model.train_score_[-1], rel=1e-9)
    assert end < 0.97 * start
    if rule in ("newton", "gd"):
        assert (np.diff(model.train_score_) <= 1e-12).all()
    np.testing.assert_allclose(model.predict(X), function.inverse_link(raw)[:, 0])


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_log_link(loss):
    y = ALL[loss]
    model = GradientBoostingRegressor(loss=loss, n_estimators=100).fit(X, y)
    prediction = model.predict(X)
    assert prediction.min() > 0
    np.testing.assert_allclose(np.log(prediction), model.ensemble_.raw(X)[:, 0])
    assert model.ensemble_.baseline[0] == pytest.approx(np.log(y.mean()))
    # The canonical link keeps the balance: predictions add up to the targets.
    if loss == "poisson":
        assert prediction.mean() == pytest.approx(y.mean(), rel=1e-3)
    truth = np.exp(1 + X[:, 0] + 0.5 * X[:, 1] ** 2)
    assert np.corrcoef(prediction, truth)[0, 1] > 0.8


STARTS = {
    "squared_error": np.mean,
    "absolute_error": lambda y: np.quantile(y, 0.5, method="inverted_cdf"),
    losses.Quantile(0.3): lambda y: np.quantile(y, 0.3, method="inverted_cdf"),
}


@pytest.mark.parametrize("loss", STARTS, ids=str)
def test_the_start_is_the_best_constant(loss):
    model = GradientBoostingRegressor(loss=loss, n_estimators=1).fit(X, CONTINUOUS)
    assert model.ensemble_.baseline[0] == pytest.approx(STARTS[loss](CONTINUOUS))


def test_huber_starts_near_its_best_constant():
    model = GradientBoostingRegressor(loss=losses.Huber(0.5), n_estimators=1)
    model.fit(X, CONTINUOUS)
    y, start = CONTINUOUS[:, None], model.ensemble_.baseline[0]
    at = [losses.Huber(0.5)(y, np.full_like(y, start + s)) for s in (-0.01, 0, 0.01)]
    assert at[1] < min(at[0], at[2])


def log_link(y, raw):
    mu = np.exp(raw)
    return mu - y * raw, mu - y, mu


class LogLink(losses.Loss):
    """The same as an object."""

    has_hessian = True

    def evaluate(self, y, raw, empty=np.empty):
        return log_link(y, raw)[:2]

    def hessian(self, y, raw):
        return log_link(y, raw)[2]


@pytest.mark.parametrize("loss", [log_link, LogLink()])
@pytest.mark.parametrize("level", [1.0, 30.0, 400.0, 1000.0, 1e6])
@pytest.mark.filterwarnings("error")
def test_the_start_of_an_own_loss_with_a_log_link(loss, level):
    y = np.random.default_rng(0).gamma(5.0, level / 5.0, size=300)
    start = losses.get(loss).init_raw(np.c_[y, 2 * y])
    np.testing.assert_allclose(start, np.log([y.mean(), 2 * y.mean()]), rtol=1e-5)
    model = GradientBoostingRegressor(loss=loss, n_estimators=3).fit(X[:300], y)
    own = GradientBoostingRegressor(loss="poisson", n_estimators=3).fit(X[:300], y)
    np.testing.assert_allclose(np.exp(model.predict(X)), own.predict(X), rtol=1e-4)


def test_a_loss_that_is_finite_nowhere():
    def nowhere(y, raw):
        return raw * np.nan, raw, raw

    with pytest.raises(ValueError, match=r'returned NaN.*init="zero"'):
        GradientBoostingRegressor(loss=nowhere).fit(X, X[:, 0])


def test_several_quantiles_are_separate_fits():
    settings = {"n_estimators": 20, "max_depth": 2}
    levels = [0.1, 0.5, 0.9]
    together = GradientBoostingRegressor(loss=losses.Quantile(levels), **settings)
    predictions = together.fit(X, CONTINUOUS).predict(X)
    for j, q in enumerate(levels):
        alone = GradientBoostingRegressor(loss=losses.Quantile(q), **settings)
        alone.fit(X, CONTINUOUS)
        np.testing.assert_allclose(predictions[:, j], alone.predict(X))


def test_quantiles_cover_their_shares():
    levels = [0.1, 0.5, 0.9]
    X, y, _ = skewed(2000)
    model = GradientBoostingRegressor(
        loss=losses.Quantile(levels), n_estimators=60, min_samples_leaf=20
    ).fit(X[:1000], y[:1000])
    low, middle, high = model.predict(X[1000:]).T
    for prediction, q in zip((low, middle, high), levels, strict=True):
        assert np.mean(y[1000:] <= prediction) == pytest.approx(q, abs=0.06)
        assert d2_pinball_score(y[1000:], prediction, alpha=q) > 0.1
    # Nothing forbids crossing; it is rare.
    assert np.mean((low <= middle) & (middle <= high)) > 0.97


def test_absolute_error_ignores_outliers():
    X, y = make_regression(400, 5, noise=5.0, random_state=0)
    spoilt = y.copy()
    spoilt[::10] += 1e4
    settings = {"n_estimators": 100, "min_samples_leaf": 10}
    robust, plain = (
        GradientBoostingRegressor(loss=loss, **settings).fit(X, spoilt).predict(X)
        for loss in ("absolute_error", "squared_error")
    )
    kept = np.arange(400) % 10 > 0
    assert d2_absolute_error_score(y[kept], robust[kept]) > 0.5
    assert d2_absolute_error_score(y[kept], plain[kept]) < 0


class Shifted(losses.Loss):
    """A user's own loss: ½(e − 1)², whose best constant is the mean plus one."""

    has_hessian = True

    def evaluate(self, y, raw, empty=np.empty):
        error = raw - y - 1
        return 0.5 * error**2, error

    def hessian(self, y, raw):
        return np.ones_like(raw)


@pytest.mark.parametrize("rule", ["newton", "gd", "nesterov"])
def test_own_loss_as_an_object(rule):
    settings = {"optimizer": rule, "n_estimators": 20, "learning_rate": 0.05}
    own = GradientBoostingRegressor(loss=Shifted(), **settings).fit(X, CONTINUOUS)
    plain = GradientBoostingRegressor(**settings).fit(X, CONTINUOUS)
    np.testing.assert_allclose(own.predict(X), plain.predict(X) + 1, rtol=1e-6)


def squared(y, raw):
    return 0.5 * (raw - y) ** 2, raw - y, np.ones_like(raw)


# Without a Hessian leaf values are searched, to a hundredth of each step.
@pytest.mark.parametrize(
    ("own", "rtol"), [(squared, 1e-6), (lambda y, raw: squared(y, raw)[:2], 2e-3)]
)
def test_own_function_is_the_same_as_its_twin(own, rtol):
    settings = {"n_estimators": 15, "random_state": 0}
    model = GradientBoostingRegressor(loss=own, **settings).fit(X, CONTINUOUS)
    twin = GradientBoostingRegressor(**settings).fit(X, CONTINUOUS)
    np.testing.assert_allclose(model.predict(X), twin.predict(X), rtol=rtol)


def test_the_exponential_loss_is_that_of_the_margins():
    y = X[:, 0] > 0
    model = GradientBoostingClassifier(loss="exponential", n_estimators=15).fit(X, y)
    margin = (2 * y - 1) * model.decision_function(X)
    assert np.exp(-margin).mean() == pytest.approx(model.train_score_[-1])


def test_own_function_gets_targets_and_raw_predictions_as_they_are():
    seen = set()

    def spy(y, raw):
        seen.add((y.shape, raw.shape, raw.dtype.name))
        return 0.5 * (raw - y) ** 2, raw - y

    GradientBoostingRegressor(loss=spy, n_estimators=2).fit(X, CONTINUOUS)
    assert seen == {((500, 1), (500, 1), "float64")}


def test_two_classes_by_their_own_function():
    y = (X[:, 0] > 0).astype(int)
    model = GradientBoostingClassifier(loss=logistic, n_estimators=10).fit(X, y)
    assert model.score(X, y) > 0.97
    assert model.predict_proba(X).shape == (500, 2)


@pytest.mark.parametrize("loss", ["log_loss", "exponential"])
def test_probabilities_of_two_classes_are_calibrated(loss):
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(3000, 1))
    truth = 1 / (1 + np.exp(-2 * X[:, 0]))
    y = rng.random(3000) < truth
    model = GradientBoostingClassifier(
        loss=loss, n_estimators=60, max_depth=2, min_samples_leaf=50
    ).fit(X, y)
    assert np.abs(model.predict_proba(X)[:, 1] - truth).mean() < 0.04


def test_label_smoothing_keeps_probabilities_from_the_ends():
    y = (X[:, 0] > 0).astype(int)
    smooth = losses.CrossEntropy(label_smoothing=0.2)
    model = GradientBoostingClassifier(loss=smooth, n_estimators=100).fit(X, y)
    assert np.abs(model.predict_proba(X)[:, 0] - 0.5).max() == pytest.approx(
        0.4, abs=0.02
    )


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_an_own_loss_is_asked_on_the_callers_thread_alone(engine):
    threads = set()

    class Watched(losses.AbsoluteError):
        def leaf_value(self, y, raw, weight=None):
            threads.add(threading.current_thread())
            return super().leaf_value(y, raw, weight)

    target = np.c_[CONTINUOUS, -CONTINUOUS, CONTINUOUS**2]
    model = GradientBoostingRegressor(loss=Watched(), n_estimators=3)
    with config_context(engine=engine, n_threads=2):
        model.fit(X, target)
    assert threads == {threading.current_thread()}


# ---- leaf values of one output by itself


class Coupled(losses.AbsoluteError):
    """An own loss whose raw predictions are not to be seen apart."""

    def of_output(self, k):
        return None


@pytest.mark.parametrize("weighted", [False, True])
def test_outputs_by_themselves_have_the_leaf_values_of_all(weighted):
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=(2, 50, 3))
    w = rng.random(50) + 0.1 if weighted else None
    for loss in (
        losses.AbsoluteError(),
        losses.Huber(0.7),
        losses.Quantile(0.3),
        losses.Quantile([0.1, 0.6, 0.9]),
    ):
        many = isinstance(loss.get_params().get("quantile"), list)
        targets = y[:, :1] if many else y
        together = loss.leaf_value(targets, raw, w)
        for k in range(3):
            own = targets if many else y[:, k : k + 1]
            alone = loss.of_output(k).leaf_value(own, raw[:, k : k + 1], w)
            np.testing.assert_allclose(alone, together[k : k + 1], rtol=1e-14)
    assert losses.SquaredError().of_output(0) is None


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_quantiles_at_once_are_those_one_after_another(engine):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = X[:, 0] + rng.normal(size=400) * (1 + X[:, 1] ** 2)
    levels = [0.1, 0.5, 0.9]
    with config_context(engine=engine):
        model = GradientBoostingRegressor(loss=losses.Quantile(levels), n_estimators=20)
        together = model.fit(X, y).predict(X)
        for k, level in enumerate(levels):
            model.set_params(loss=losses.Quantile(level))
            alone = model.fit(X, y).predict(X)
            np.testing.assert_allclose(together[:, k], alone, rtol=1e-12)


def test_coupled_outputs_are_searched_together():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    Y = X[:, :2] + 0.1 * rng.normal(size=(200, 2))
    one, other = (
        GradientBoostingRegressor(loss=loss, n_estimators=10).fit(X, Y).predict(X)
        for loss in (losses.AbsoluteError(), Coupled())
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 101])
def test_quantiles_are_those_of_numpy(n):
    rng = np.random.default_rng(n)
    y = rng.normal(size=(n, 2)).round(1)
    for q in [0.0, 0.1, 0.25, 0.3, 0.5, 1 / 3, 0.7, 0.99, 1.0]:
        np.testing.assert_array_equal(
            losses._regression.weighted_quantile(y, q),
            np.quantile(y, q, axis=0, method="inverted_cdf"),
        )


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("q", [0.001, 0.1, 0.5, 0.75, 0.999])
@pytest.mark.parametrize("ties", [False, True])
def test_compiled_quantiles_of_leaves(q, ties):
    module = import_module("skdl.boosting._numba.quantiles")
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=(2, 500))
    if ties:
        y, raw = y.round(), raw.round()
    rows = rng.permutation(500)[:400].astype(np.uint32)
    ends = np.array([1, 3, 6, 10, 150, 151, 400])
    starts = np.r_[0, ends[:-1]]
    found = np.empty(len(ends))
    module.leaf_quantiles(rows, starts, ends, y, raw, q, found)
    parts = [rows[a:b] for a, b in zip(starts, ends, strict=True)]
    expected = [weighted_quantile((y[r] - raw[r])[:, None], q)[0] for r in parts]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("loss", ["absolute_error", losses.Quantile([0.2, 0.5, 0.9])])
@pytest.mark.skipif(not has_numba(), reason="needs Numba")
def test_both_engines_find_the_same_quantiles(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 4)).round(1)
    y = (X[:, 0] + rng.normal(size=700)).round(1)
    found = []
    for engine in ("numpy", "numba"):
        with config_context(engine=engine):
            model = GradientBoostingRegressor(loss=loss, n_estimators=15)
            found.append(model.fit(X, y).predict(X))
    np.testing.assert_array_equal(*found)
