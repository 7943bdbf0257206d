"""Jogging: it stalls, is perturbed, and the best comes back."""

import numpy as np
import pytest

from skdl.optimizers import SGD, Adam, Coordinate, Jog, minimize


def waves(x):
    """Minima near all multiples of 2π; the deepest, −2, is at 0."""
    return 0.01 * float(x @ x) - float(np.cos(x).sum()), 0.02 * x + np.sin(x)


START = np.array([12.0, -7.0])
INNER = ["lbfgs", "newton", Adam(0.1), SGD(0.3), Coordinate()]


@pytest.mark.parametrize("inner", INNER, ids=str)
def test_it_leaves_poor_minima(inner):
    plain = minimize(waves, START, optimizer=inner, max_iter=2000)
    jogged = minimize(waves, START, optimizer=Jog(inner, 0.5), max_iter=2000)
    assert plain.fun > -1.5
    assert jogged.fun < -1.9
    assert jogged.nit == 2000
    assert jogged.fun == jogged.path_fun.min()


def test_before_the_first_jog_nothing_changes():
    plain = minimize(waves, START, optimizer=SGD(0.3), max_iter=40, gtol=0)
    jogged = minimize(waves, START, optimizer=Jog(SGD(0.3), patience=3), max_iter=40)
    same = (plain.path == jogged.path).all(axis=1)
    first = int(np.argmin(same))
    gains = -np.diff(plain.path_fun)
    # The fourth update in a row that gains less than tol is the last one before.
    assert first == np.flatnonzero(gains < 1e-4)[3] + 2
    assert same[:first].all()


@pytest.mark.parametrize("scale", [0.1, 0.5])
def test_the_size_of_a_jog(scale):
    n = 4000
    rng = np.random.default_rng(0)
    start = rng.normal(0.0, 3.0, n)

    def flat(x):
        return 1.0, np.zeros(n)

    result = minimize(flat, start, optimizer=Jog(SGD(), scale, 0), max_iter=3)
    move = result.path[3] - result.path[2]
    rms = np.sqrt(np.mean(start**2))
    assert move.std() == pytest.approx(scale * rms, rel=0.05)
    assert abs(move.mean()) < 0.05 * scale * rms


def test_from_zero_it_moves_too():
    result = minimize(waves, [0.0, 0.0], optimizer=Jog(), max_iter=30)
    assert np.abs(result.path).max() > 0.1
    assert result.fun == -2.0


def test_no_progress_at_all_ends():
    result = minimize(lambda x: (1.0, np.zeros(2)), START, optimizer=Jog(), max_iter=50)
    assert result.nit <= 50


@pytest.mark.parametrize("inner", ["lbfgs", "newton", "coordinate"])
@pytest.mark.parametrize("seed", range(3))
def test_a_jog_over_a_wall_is_shortened(inner, seed):
    def fun(x):
        return float((x - 3 * np.log(x)).sum()) if (x > 0).all() else np.nan

    def jac(x):
        return 1 - 3 / x

    jogged = Jog(inner, 1.5, patience=2, tol=0.1)
    result = minimize(fun, [1.0, 2.0], jac, optimizer=jogged, max_iter=80,
                      random_state=seed)  # fmt: skip
    assert result.nit == 80
    assert np.abs(np.diff(result.path, axis=0)).max() > 0.5
    np.testing.assert_allclose(result.x, 3.0, atol=0.05)


def test_the_seed_decides():
    paths = [
        minimize(waves, START, optimizer=Jog(), max_iter=60, random_state=seed).path
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(paths[0], paths[1])
    assert paths[0].shape != paths[2].shape or not np.array_equal(paths[0], paths[2])


def test_what_is_jogged_decides_what_is_asked():
    assert Jog("lbfgs").full_batch
    assert not Jog("lbfgs").incremental
    assert Jog("adam").incremental
    assert not Jog("adam").full_batch
    assert not Jog("coordinate").needs_gradient
    optimizer = Jog("adam").set_params(optimizer__learning_rate=0.3)
    assert optimizer.optimizer.learning_rate == 0.3
    with pytest.raises(ValueError, match=r"'learning_rate' .* must be"):
        minimize(waves, START, optimizer=Jog(SGD(-1.0)))
