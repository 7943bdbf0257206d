"""Coordinate descent: lasso, orders, no gradients."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso
from sklearn.preprocessing import scale

from skdl.optimizers import Coordinate, minimize
from skdl.optimizers._function import Function

ORDERS = ["cyclic", "random", "greedy"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("alpha", [0.1, 1.0, 10.0])
def test_lasso(order, alpha):
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X), scale(y) * 77

    def objective(w):
        error = X @ w - y
        return 0.5 * error @ error / len(y) + alpha * np.abs(w).sum()

    def gradient(w):  # the subgradient of least length, for the greedy order
        slope = X.T @ (X @ w - y) / len(y)
        shrunk = np.sign(slope) * np.maximum(np.abs(slope) - alpha, 0)
        return np.where(np.abs(w) > 1e-9, slope + alpha * np.sign(w), shrunk)

    expected = Lasso(alpha=alpha, fit_intercept=False, tol=1e-12).fit(X, y).coef_
    result = minimize(
        objective,
        np.zeros(10),
        gradient if order == "greedy" else None,
        optimizer=Coordinate(order),
        gtol=0,
        max_iter=500,
    )
    np.testing.assert_allclose(result.x, expected, atol=2e-3)
    assert result.fun <= objective(expected) * (1 + 1e-8)
    assert np.array_equal(np.abs(result.x) < 1e-3, expected == 0)
    assert result.success


@pytest.mark.parametrize("order", ["cyclic", "random"])
def test_no_gradient_is_asked_for(order):
    def fun(x):
        return float(np.abs(x - [1, 2, 3]).sum() + x @ x)

    result = minimize(fun, np.zeros(3), optimizer=Coordinate(order))
    np.testing.assert_allclose(result.x, [0.5, 0.5, 0.5], atol=1e-6)
    assert result.njev == 0
    assert "jac" not in result


def test_greedy_takes_the_steepest_coordinate():
    seen = []
    curvature = np.array([1.0, 10.0, 5.0])

    def fun(x):
        seen.append(x.copy())
        return 0.5 * float(curvature @ x**2), curvature * x

    minimize(fun, [1.0, 1.0, 1.0], optimizer=Coordinate("greedy"), max_iter=1)
    moved = [np.flatnonzero(b - a) for a, b in pairwise(seen)]
    order = [int(m[0]) for m in moved if len(m) == 1]
    assert list(dict.fromkeys(order)) == [1, 2, 0]


def test_separable_functions_take_one_time_round():
    def fun(x):
        return float(((x - [1, -2, 3]) ** 2 * [1, 100, 1e-2]).sum())

    result = minimize(fun, np.zeros(3), optimizer=Coordinate(xtol=1e-8), max_iter=1)
    np.testing.assert_allclose(result.x, [1, -2, 3], rtol=1e-6)


def test_random_orders_follow_the_seed():
    def fun(x):
        return float(x @ x + (x[0] - x[1] * x[2]) ** 2)

    def path(seed):
        start = [3.0, 2.0, -1.0]
        return minimize(
            fun, start, optimizer=Coordinate("random"), max_iter=4, random_state=seed
        ).path

    np.testing.assert_array_equal(path(1), path(1))
    assert any(not np.array_equal(path(0), path(seed)) for seed in (1, 2, 3))


def test_a_function_that_falls_without_end_or_is_flat():
    result = minimize(lambda x: -float(x[0]), [0.0, 1.0], optimizer="coordinate",
                      max_iter=2)  # fmt: skip
    assert result.fun < -1e3
    assert result.x[1] == 1.0


def test_walls():
    def fun(x):
        with np.errstate(all="ignore"):
            return float(5 * x @ x - np.log(x).sum())

    result = minimize(fun, [100.0, 1e-3], optimizer="coordinate")
    np.testing.assert_allclose(result.x, 0.1**0.5, rtol=1e-4)


def test_the_next_step_begins_with_the_length_of_the_last():
    target = np.array([3.0, -40.0])
    optimizer = Coordinate(step=0.01)
    state, theta = optimizer.init(2), np.zeros(2)
    problem = Function(lambda x: float(((x - target) ** 2).sum()), 2)
    optimizer.run(problem, theta, state, 1, lambda: False)
    np.testing.assert_allclose(state.slots["step"], np.abs(target), rtol=1e-3)


def test_errors_of_the_function_pass():
    def fun(x):
        if x[0] > 1:
            raise RuntimeError("too far")
        return -float(x[0])

    with pytest.raises(RuntimeError, match="too far"):
        minimize(fun, [0.0], optimizer="coordinate")
