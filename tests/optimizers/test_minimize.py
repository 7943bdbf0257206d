"""`minimize`: result, stopping, bad input; L-BFGS against SciPy."""

import numpy as np
import pytest
from scipy.optimize import OptimizeResult, rosen, rosen_der
from scipy.optimize import minimize as scipy_minimize

from skdl import optimizers
from skdl.optimizers import LBFGS, SGD, Adam, Momentum, minimize

START = np.array([-1.2, 1.0, 0.5])


def bowl(x):
    return float(x @ x), 2 * x


def rosenbrock(x):
    return rosen(x), rosen_der(x)


@pytest.mark.parametrize("name", optimizers.names())
def test_result(name):
    result = minimize(bowl, START, optimizer=name, max_iter=50)
    assert isinstance(result, OptimizeResult)
    assert set(result) == {"x", "fun", "jac", "nit", "nfev", "success", "message"}
    assert result.fun == bowl(result.x)[0] < bowl(START)[0]
    assert np.array_equal(result.jac, bowl(result.x)[1])
    assert 0 < result.nit <= 50
    assert result.nfev > result.nit
    assert result.x is not START


def test_evaluations_of_a_first_order_optimizer():
    result = minimize(bowl, START, max_iter=7)
    assert (result.nit, result.nfev, result.success) == (7, 8, False)
    assert result.message == "Stopped after max_iter."


@pytest.mark.parametrize(
    "optimizer", [Adam(0.02), Momentum(2e-4, 0.97), LBFGS(gtol=1e-7, ftol=0)], ids=repr
)
def test_rosenbrock(optimizer):
    result = minimize(rosenbrock, START, optimizer=optimizer, max_iter=20_000)
    assert result.success
    assert result.message == "The gradient is small."
    assert np.abs(result.jac).max() <= 1e-6
    np.testing.assert_allclose(result.x, 1.0, atol=1e-5)


def test_gtol_stops():
    loose = minimize(bowl, START, optimizer=SGD(0.1), gtol=1e-2)
    tight = minimize(bowl, START, optimizer=SGD(0.1), gtol=1e-8)
    assert loose.success
    assert tight.success
    assert loose.nit < tight.nit < 1000


def test_a_gradient_of_its_own():
    joint = minimize(rosenbrock, START, max_iter=20)
    apart = minimize(rosen, START, jac=rosen_der, max_iter=20)
    assert np.array_equal(joint.x, apart.x)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("true", [True, np.True_])
def test_callback_stops(optimizer, true):
    seen = []

    def callback(x):
        seen.append(x)
        return true if len(seen) == 3 else None

    result = minimize(rosenbrock, START, optimizer=optimizer, callback=callback)
    assert result.nit == len(seen) == 3
    assert np.array_equal(seen[-1], result.x)
    assert not np.array_equal(seen[0], seen[1])


def test_callback_gets_a_copy():
    def spoil(x):
        x[:] = np.nan

    result = minimize(bowl, START, callback=spoil, max_iter=5)
    assert np.array_equal(result.x, minimize(bowl, START, max_iter=5).x)


def test_the_function_gets_a_copy():
    def spoils(x):
        value, gradient = bowl(x)
        x[:] = np.nan
        return value, gradient

    result = minimize(spoils, START, max_iter=5)
    assert np.array_equal(result.x, minimize(bowl, START, max_iter=5).x)


def test_the_users_objects_stay():
    start, optimizer = START.copy(), Adam("cosine")
    minimize(bowl, start, optimizer=optimizer, max_iter=5)
    assert np.array_equal(start, START)
    assert vars(optimizer) == vars(Adam("cosine"))


@pytest.mark.parametrize("x0", [[1, 2], (1.0, 2.0), np.float32([1, 2])])
def test_starting_points(x0):
    assert minimize(bowl, x0, max_iter=3).x.dtype == np.float64


# ---- bad input

BAD = {
    "matrix": ({"x0": np.ones((2, 2))}, "x0 must be a finite vector"),
    "nan": ({"x0": [np.nan]}, "x0 must be a finite vector"),
    "max_iter": ({"max_iter": 0}, r"'max_iter' .* \[1, inf\). Got 0"),
    "jac": ({"jac": "2-point"}, "jac must be True or a callable, got '2-point'"),
    "name": ({"optimizer": "adamm"}, "Unknown optimizer 'adamm'. Known names: ada"),
    "rate": ({"optimizer": SGD(-1.0)}, r"'learning_rate' .* must be"),
    "shape": ({"fun": lambda x: (0.0, x[:1])}, r"shape of x0, \(3,\), got \(1,\)"),
    "no gradient": ({"fun": lambda x: x @ x}, r"must return \(value, gradient\), got"),
    "value": ({"fun": lambda x: (np.nan, x)}, "diverged at update 1: value nan"),
    "gradient": ({"fun": lambda x: (0.0, x * np.nan)}, "diverged at update 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    arguments, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        minimize(**{"fun": bowl, "x0": START, **arguments})


def test_a_wrong_kind():
    with pytest.raises(TypeError, match=r"Pass an instance: SGD\(\)"):
        minimize(bowl, START, optimizer=SGD)


def test_divergence():
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(ValueError, match=r"diverged at update \d+.*smaller learn"),
    ):
        minimize(rosenbrock, START, optimizer=SGD(1.0))


# ---- L-BFGS


@pytest.mark.parametrize("memory", [3, 10])
def test_lbfgs_is_scipys(memory):
    expected = scipy_minimize(
        rosenbrock,
        START,
        method="L-BFGS-B",
        jac=True,
        options={"maxcor": memory, "gtol": 1e-8, "ftol": 1e-12, "maxiter": 100},
    )
    optimizer = LBFGS(memory=memory, gtol=1e-8, ftol=1e-12)
    result = minimize(rosenbrock, START, optimizer=optimizer, max_iter=100, gtol=0)
    assert np.array_equal(result.x, expected.x)
    assert result.nit == expected.nit
    assert result.nfev == expected.nfev + 1  # one more, for the result


class Bowl:
    """An objective in single precision, for `Optimizer.run`."""

    def value_and_gradient(self, theta):
        assert theta.dtype == np.float32
        return bowl(theta - np.float32(1))


def test_lbfgs_in_single_precision():
    theta, state = np.zeros(3, np.float32), LBFGS().init(3, np.float32)
    n_calls = []
    LBFGS().run(Bowl(), theta, state, 10, lambda: n_calls.append(1))
    np.testing.assert_allclose(theta, 1, rtol=1e-6)
    assert state.t == len(n_calls) > 0


def test_lbfgs_obeys_the_number_of_iterations():
    assert minimize(rosenbrock, START, optimizer="lbfgs", max_iter=4).nit == 4
