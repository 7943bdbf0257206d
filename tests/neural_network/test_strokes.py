"""Drawings: their density, and new ones."""

import pickle

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import kstest, norm
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.model_selection import GridSearchCV, cross_val_score

from skdl import StrokeGenerator
from skdl.layers import GRU, LSTM, Bidirectional, Branches, Delay, Residual
from skdl.ops.mixture import mixture
from skdl.optimizers import Adam

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

FAST = {
    "hidden_layer_sizes": 4,
    "cell": "gru",
    "n_components": 2,
    "max_iter": 3,
    "random_state": 0,
}


def rings(n, rng):
    """Return n points of rings of eight points each."""
    angle = np.pi / 4 * np.arange(n)
    moves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    moves += 0.1 * rng.normal(size=(n, 2))
    return np.c_[moves, np.arange(n) % 8 == 7]


@pytest.fixture(scope="module")
def drawings():
    rng = np.random.default_rng(0)
    return [rings(n, rng) for n in (24, 32, 40, 48, 9, 24)]


@pytest.fixture(scope="module")
def pen(drawings):
    """Return a generator that has learned the rings."""
    settings = {**FAST, "hidden_layer_sizes": 16, "optimizer": Adam(0.02, clip_norm=1)}
    return StrokeGenerator(**settings | {"max_iter": 120}).fit(drawings)


def weights(net):
    return net.network_.params.vector


# ---- the density


def test_it_learns(drawings, pen):
    other = [rings(48, np.random.default_rng(1)) for _ in range(5)]
    # Of moves with noise of 0.1 no density has a larger mean logarithm than this.
    best = -np.log(2 * np.pi * 0.1**2) - 1
    assert best - 0.8 < pen.score(other) < best + 0.1
    assert pen.history_["loss"][-1] < pen.history_["loss"][0] - 3


def test_sequences_are_sums_over_their_points(drawings, pen):
    """p(x₁…x_n) = Π p(x_t | x₁…x_{t−1}): what comes later changes nothing."""
    whole = pen.score_samples([drawings[0]])[0]
    parts = [pen.score_samples([drawings[0][:t]])[0] for t in (1, 5, 24)]
    assert parts[-1] == pytest.approx(whole)
    n = np.array([len(x) for x in drawings])
    assert pen.score(drawings) == pytest.approx(
        pen.score_samples(drawings).sum() / n.sum()
    )


def test_padding_changes_no_answer(drawings, pen):
    together = pen.score_samples(drawings)
    alone = [pen.score_samples([x])[0] for x in drawings]
    np.testing.assert_allclose(together, alone, rtol=1e-10)
    padded = np.full((6, 50, 3), np.nan)
    for i, x in enumerate(drawings):
        padded[i, : len(x)] = x
    np.testing.assert_allclose(pen.score_samples(padded), alone, rtol=1e-10)
    masked = np.ma.masked_invalid(padded)
    np.testing.assert_allclose(pen.score_samples(masked), alone, rtol=1e-10)


def test_units_do_not_matter(drawings):
    pen = StrokeGenerator(**FAST).fit(drawings)
    grown = [x * [50.0, 4.0, 1.0] for x in drawings]
    other = StrokeGenerator(**FAST).fit(grown)
    np.testing.assert_allclose(weights(other), weights(pen), rtol=1e-6, atol=1e-9)
    n = np.array([len(x) for x in drawings])
    np.testing.assert_allclose(
        other.score_samples(grown),
        pen.score_samples(drawings) - n * np.log(200.0),
        rtol=1e-6,
    )
    one, two = pen.sample(1, 5, random_state=0), other.sample(1, 5, random_state=0)
    np.testing.assert_allclose(two[0], one[0] * [50.0, 4.0, 1.0], rtol=1e-5)


# ---- samples


def test_samples_are_rings(pen):
    for drawing in pen.sample(3, 24, bias=1.0, random_state=0):
        assert drawing.shape == (24, 3)
        assert np.flatnonzero(drawing[:, 2]).tolist() == [7, 15, 23]
        expected = rings(24, np.random.default_rng(1))[:, :2]
        assert np.abs(drawing[:, :2] - expected).mean() < 0.25


def test_samples_have_the_distribution_that_scores_say(drawings):
    """Both ways through the network agree, state by state."""
    pen = StrokeGenerator(**FAST).fit(drawings)
    many = pen.sample(1500, 3, random_state=0)
    rows = pen._rows_to_predict(many)
    raw = pen.network_.predict(rows).values
    parts = mixture(raw[:, 1:], pen.min_scale)
    x = rows.values[:, 0] / pen._task.scale[0]
    z = (x[:, None] - parts.mean[0]) / parts.scale[0]
    u = (parts.weight * norm.cdf(z)).sum(axis=1)  # uniform, if x has this density
    assert all(kstest(u[step::3], "uniform").pvalue > 0.001 for step in range(3))
    p = expit(raw[:, 0])
    lifted = rows.values[:, 2]
    error = np.sqrt((p * (1 - p)).mean() / len(p))
    assert abs((lifted - p).mean()) < 4 * error


def test_a_prime_is_gone_on_from(pen):
    begun = rings(12, np.random.default_rng(2))
    rest = pen.sample(50, 12, bias=1.0, prime=begun, random_state=0)
    lifted = np.mean(rest, axis=0)[:, 2]
    ends = np.isin(np.arange(12), [3, 11])
    assert lifted[ends].min() > 0.7
    assert lifted[~ends].max() < 0.3
    same = pen.sample(50, 12, bias=1.0, prime=begun.tolist(), random_state=0)
    np.testing.assert_array_equal(rest, same)


def test_randomness_is_an_argument(pen):
    one = pen.sample(2, 9, random_state=1)
    two = pen.sample(2, 9, random_state=1)
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one[0], one[1])
    assert not np.array_equal(one, pen.sample(2, 9, random_state=2))


# ---- as an estimator


def test_tools_of_scikit_learn(drawings):
    scores = cross_val_score(StrokeGenerator(**FAST), drawings, cv=3)
    assert scores.shape == (3,)
    grid = {"optimizer__learning_rate": [1e-6, 0.05]}
    search = GridSearchCV(StrokeGenerator(**FAST | {"max_iter": 10}), grid, cv=2)
    assert search.fit(drawings).best_params_["optimizer__learning_rate"] == 0.05
    net = StrokeGenerator(**FAST).fit(drawings)
    copied = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(
        copied.score_samples(drawings), net.score_samples(drawings)
    )
    np.testing.assert_array_equal(weights(clone(net).fit(drawings)), weights(net))


def test_validation_and_callbacks(drawings):
    def log_likelihood(estimator, X, y):
        return {"log_likelihood": estimator.score(X)}

    monitor = ScoringMonitor(scoring=log_likelihood)
    net = StrokeGenerator(**FAST, early_stopping=True).set_callbacks(monitor)
    net.fit(drawings[:4], X_val=drawings[4:])
    assert net.history_["val_score"][-1] == pytest.approx(net.score(drawings[4:]))
    assert len(net.history_["val_loss"]) == 3
    assert len(monitor.get_logs(select="all")) > 0
    net.fit(drawings * 4)  # a part of its own
    assert len(net.history_["val_loss"]) == 3


def test_streams_and_weights(drawings):
    whole = StrokeGenerator(**FAST).fit(drawings)
    stream = StrokeGenerator(**FAST)
    for _ in range(3):
        stream.partial_fit(drawings)
    np.testing.assert_array_equal(weights(stream), weights(whole))
    weight = [1, 0, 2, 1, 1, 1]
    some = StrokeGenerator(**FAST).fit(drawings, sample_weight=weight)
    spoiled = [*drawings[:1], drawings[1] * [-1, 1, 1], *drawings[2:]]
    same = StrokeGenerator(**FAST).fit(spoiled, sample_weight=weight)
    np.testing.assert_allclose(weights(same), weights(some), atol=0.02)
    rows = np.repeat(np.arange(6), weight)
    expected = some.score([drawings[i] for i in rows])
    assert some.score(drawings, sample_weight=weight) == pytest.approx(expected)


def test_layers_of_ones_own(drawings):
    body = [LSTM(4), Residual([GRU(4)])]
    net = StrokeGenerator(layers=body, n_components=2, max_iter=1).fit(drawings)
    assert net.network_.output_shape == (48, 13)
    assert net.sample(1, 4)[0].shape == (4, 3)
    ways = Branches([[GRU(2)], [GRU(2, reverse=True)]])
    for layer in (Bidirectional(GRU(2)), Residual([GRU(4, reverse=True)]), ways):
        with pytest.raises(ValueError, match="must not look ahead"):
            StrokeGenerator(layers=[layer]).fit(drawings)
    with pytest.raises(ValueError, match="nothing carries on"):
        StrokeGenerator(layers=[Delay(), GRU(2)]).fit(drawings)
    with pytest.raises(ValueError, match="needs an output for each step"):
        StrokeGenerator(layers=[GRU(4, return_sequences=False)]).fit(drawings)


def test_single_precision_and_whole_numbers(drawings):
    net = StrokeGenerator(**FAST).fit([x.astype(np.float32) for x in drawings])
    assert net.network_.dtype == np.float32
    assert net.sample(1, 3)[0].dtype == np.float32
    whole = [(9 * x).astype(int) for x in drawings]
    whole = [np.c_[x[:, :2], x[:, 2] > 0] for x in whole]
    StrokeGenerator(**FAST).fit(whole)


# ---- what is wrong


def test_wrong_drawings(drawings):
    net = StrokeGenerator(**FAST).fit(drawings)
    before = net.score_samples(drawings)
    halves = [*drawings[:5], drawings[5] * [1, 1, 0.5]]
    cases = {
        r"two for the move .* got 2 at a step": [x[:, :2] for x in drawings],
        r"got 1 at a step. One drawing alone .* \[X\]": drawings[0],
        r"1 where the pen is lifted behind it and 0 elsewhere, got 0\.5": halves,
        "X has no sequences": [],
        "Sequence 0 is empty": [np.ones((0, 3))],
        "contains NaN": [np.full((2, 3), np.nan)],
    }
    for message, X in cases.items():
        with pytest.raises(ValueError, match=message):
            net.fit(X)
    np.testing.assert_array_equal(net.score_samples(drawings), before)
    for settings in ({"n_samples": 0}, {"length": -1}, {"bias": -0.5}):
        name = next(iter(settings))
        message = f"'{name}' parameter of StrokeGenerator.sample"
        with pytest.raises(ValueError, match=message):
            net.sample(**settings)
    with pytest.raises(ValueError, match=r"features a step"):
        net.sample(prime=[[1.0, 2.0]])
    with pytest.raises(ValueError, match="'n_components' parameter"):
        StrokeGenerator(n_components=0).fit(drawings)
