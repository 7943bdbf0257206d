"""What is said about optimizers in the books holds for these."""

import numpy as np
import pytest

from skdl.optimizers import EMA, GD, SGD, Momentum, Nesterov
from skdl.schedules import Inverse

CURVATURES = np.array([0.01, 1.0])  # the long and the short axis of an ellipse


def run(optimizer, start, slope, n_steps):
    """Return the points and the velocities (θ's steps over η) of a run."""
    theta = np.array(start, float)
    state = optimizer.init(theta.size)
    points = [theta.copy()]
    for _ in range(n_steps):
        optimizer.update(theta, np.asarray(slope(theta), float), state)
        points.append(theta.copy())
    return np.array(points), state


def ellipse(theta):
    return CURVATURES * theta


@pytest.mark.parametrize("beta", [0.5, 0.9])
def test_momentum_sums_up_what_agrees_and_cancels_what_alternates(beta):
    sign = iter((-1.0) ** np.arange(1000))
    _, state = run(Momentum(1e-3, beta), [0, 0], lambda _: [1.0, next(sign)], 1000)
    along, across = np.abs(state.slots["v"])
    assert along == pytest.approx(1 / (1 - beta))
    assert across == pytest.approx(1 / (1 + beta))


def test_momentum_damps_the_oscillation_along_the_short_axis():
    rate = 2.1  # beyond 2/curvature, where plain descent swings ever wider
    plain, _ = run(GD(rate), [0, 1], ellipse, 100)
    damped, _ = run(Momentum(rate, 0.5), [0, 1], ellipse, 100)
    assert (plain[1:, 1] * plain[:-1, 1] < 0).all()
    assert (np.diff(np.abs(plain[:, 1])) > 0).all()
    assert np.abs(damped[-10:, 1]).max() < 1e-6


def test_momentum_accumulates_along_the_long_axis():
    plain, _ = run(GD(0.1), [1, 0], ellipse, 100)
    fast, _ = run(Momentum(0.1, 0.9), [1, 0], ellipse, 100)
    gone_plain, gone_fast = 1 - plain[-1, 0], 1 - fast[-1, 0]
    assert 5 * gone_plain < gone_fast < 10 * gone_plain
    steps = -np.diff(fast[:20, 0])
    assert (np.diff(steps) > 0).all()  # it gathers speed


def wall(x):
    """A gentle slope down to a steep wall that begins at 0."""
    return -1.0 + 100.0 * np.maximum(x, 0.0)


def test_nesterov_brakes_before_the_wall():
    eta, beta = 5e-3, 0.9
    heavy, _ = run(Momentum(eta, beta), [-1], wall, 60)
    speed = np.diff(heavy[:, 0])
    brakes = int(np.argmax(np.diff(speed) < 0)) + 1  # the first slower step
    assert heavy[brakes, 0] > 0  # it has already run into the wall

    ahead, _ = run(Nesterov(eta, beta), [-1], wall, 60)
    # The points seen are θ + ηβv; θ itself and its speed, from the recursion.
    theta, v, thetas = -1.0, 0.0, [-1.0]
    for look_ahead in ahead[:-1, 0]:
        assert look_ahead == pytest.approx(theta + eta * beta * v)
        v = beta * v - wall(look_ahead)
        theta += eta * v
        thetas.append(theta)
    thetas = np.array(thetas)
    speed = np.diff(thetas)
    brakes = int(np.argmax(np.diff(speed) < 0)) + 1
    assert thetas[brakes] < 0
    assert thetas.max() < 0.6 * heavy.max()


def test_a_constant_rate_keeps_a_noise_floor_and_a_falling_one_does_not():
    # f = ½x² with unit noise on its gradient, 2000 times side by side.
    n_steps, n = 1000, 2000
    floors = {}
    for rate in (0.2, 0.05, Inverse(1.0)):
        rng = np.random.default_rng(0)
        points, _ = run(
            SGD(rate),
            np.ones(n),
            lambda x, rng=rng: x + rng.normal(size=n),
            n_steps,
        )
        floors[rate] = (points**2).mean(axis=1)
    for rate in (0.2, 0.05):  # the stationary variance, at any time
        floor = rate / (2 - rate)
        np.testing.assert_allclose(floors[rate][[500, -1]], floor, rtol=0.15)
    falling = list(floors.values())[-1]
    np.testing.assert_allclose(falling[[100, 500, -1]], [1e-2, 2e-3, 1e-3], rtol=0.15)


# On ½λx² each of them is x[k+1] = a·x[k] − b·x[k−1], whose solution is a sum of powers
# of the roots of r² = a·r − b.
ETA, BETA = 0.05, 0.8


def momentum_numbers(eta, curvature):
    return 1 + BETA - eta * curvature, BETA, 1 - eta * curvature


def nesterov_numbers(eta, curvature):
    keep = 1 - eta * curvature
    return (1 + BETA) * keep, BETA * keep, (1 + BETA) * keep - BETA


def ema_numbers(eta, curvature):
    return momentum_numbers(eta * (1 - BETA), curvature)


@pytest.mark.parametrize("curvature", [0.3, 4.0, 30.0])
@pytest.mark.parametrize(
    ("optimizer", "numbers"),
    [
        (Momentum(ETA, BETA), momentum_numbers),
        (Nesterov(ETA, BETA), nesterov_numbers),
        (EMA(ETA, BETA), ema_numbers),
    ],
)
def test_paths_on_a_quadratic_are_sums_of_powers(optimizer, numbers, curvature):
    points, _ = run(optimizer, [1.0], lambda x: curvature * x, 40)
    a, b, first = numbers(ETA, curvature)
    r, s = np.roots([1.0, -a, b]).astype(complex)
    c = (first - s) / (r - s)  # from x[0] = 1 and x[1]
    k = np.arange(41)
    np.testing.assert_allclose(
        points[:, 0], (c * r**k + (1 - c) * s**k).real, atol=1e-9
    )
