"""`minimize`: result, stopping, bad input; L-BFGS against SciPy."""

import math

import numpy as np
import pytest
from scipy.optimize import OptimizeResult, rosen, rosen_der, rosen_hess
from scipy.optimize import minimize as scipy_minimize

from skdl import optimizers
from skdl.optimizers import LBFGS, SGD, Adam, Momentum, Newton, minimize
from skdl.optimizers._function import Function
from skdl.optimizers._lbfgs import _wall
from skdl.optimizers._oracle import Point

START = np.array([-1.2, 1.0, 0.5])


def bowl(x):
    return float(x @ x), 2 * x


def rosenbrock(x):
    return rosen(x), rosen_der(x)


@pytest.mark.parametrize("name", optimizers.names())
def test_result(name):
    result = minimize(bowl, START, optimizer=name, max_iter=50)
    assert isinstance(result, OptimizeResult)
    assert set(result) == {
        *("x", "fun", "jac", "nit", "nfev", "njev", "nhev", "success", "status"),
        *("message", "path", "path_fun"),
    }
    assert result.fun == bowl(result.x)[0] < bowl(START)[0]
    assert np.array_equal(result.jac, bowl(result.x)[1])
    assert 0 < result.nit <= 50
    assert result.nfev > 1
    assert result.x is not START
    assert result.path.shape == (result.nit + 1, 3)
    assert np.array_equal(result.path[0], START)
    assert np.array_equal(result.path_fun, [bowl(x)[0] for x in result.path])
    if name == "jog":  # it goes on from minima, and the best point comes back
        assert result.fun == result.path_fun.min()
    else:
        assert np.array_equal(result.path[-1], result.x)


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


# ---- where the gradient comes from


@pytest.mark.parametrize(
    ("jac", "calls", "digits"),
    [
        (None, 7, 8),
        (False, 7, 8),
        ("3-point", 7, 8),
        ("2-point", 4, 5),
        ("cs", 4, 12),
    ],
)
def test_differences(jac, calls, digits):
    def fun(x):
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    result = minimize(fun, START, jac, max_iter=1, optimizer=SGD(1e-9))
    assert result.nfev == 2 * calls
    assert result.njev == 2
    scale = np.abs(rosen_der(result.x)).max()
    error = np.abs(result.jac - rosen_der(result.x)).max() / scale
    assert error < 10.0**-digits


def test_central_differences_have_the_width_that_costs_least_digits():
    x = np.array([0.3, -2.0, 1.5])
    function = Function(lambda x: float(np.sin(x).sum()), 3)
    gap = function.differences(x, function.value(x)) - np.cos(x)
    assert np.abs(gap).max() < 2e-10


def test_differences_in_place_of_the_pairs_gradient():
    result = minimize(rosenbrock, START, False, max_iter=1)
    assert result.nfev == 14


def test_a_gradient_is_not_asked_for_twice():
    calls = []

    def jac(x):
        calls.append(x)
        return rosen_der(x)

    result = minimize(rosen, START, jac, max_iter=9)
    assert len(calls) == result.njev == result.nfev == 10


def test_arguments_reach_all_callables():
    def fun(x, a, b):
        return float(a * x @ x + b @ x)

    def jac(x, a, b):
        return 2 * a * x + b

    def hess(x, a, b):
        return 2 * a * np.eye(len(x))

    b = np.array([1.0, -2.0, 3.0])
    result = minimize(fun, START, jac, hess, "newton", args=(3.0, b), max_iter=3)
    np.testing.assert_allclose(result.x, -b / 6, rtol=1e-10)
    assert result.nhev > 0


def test_no_path_if_not_wanted():
    result = minimize(bowl, START, max_iter=3, keep_path=False)
    assert "path" not in result
    assert len(result.path_fun) == 4


def test_a_start_at_the_minimum():
    result = minimize(bowl, np.zeros(3))
    assert (result.nit, result.nfev, result.success) == (0, 1, True)


def test_callback_of_scipys_newer_kind():
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)
        if len(seen) == 4:
            raise StopIteration

    result = minimize(rosenbrock, START, optimizer="lbfgs", callback=callback)
    assert (result.nit, result.status) == (4, 2)
    assert not result.success
    assert [step.fun for step in seen] == result.path_fun[1:].tolist()
    assert np.array_equal(seen[1].x, result.path[2])


# ---- bad input


def wrong(x):
    return rosen_der(x) * np.array([1.0, 1.0, -1.0])


def hess(x):
    return 2 * np.eye(3)


ROSEN = {"fun": rosen, "jac": rosen_der}
BAD = {
    "matrix": ({"x0": np.ones((2, 2))}, r"x0 must be a finite vector.*shape \(2, 2\)"),
    "number": ({"x0": 1.0}, r"x0 must be a finite vector.*shape \(\)"),
    "complex": ({"x0": [1j, 2.0]}, "x0 must be .*real numbers.*complex128"),
    "words": ({"x0": ["a"]}, "x0 must be .*real numbers"),
    "nan": ({"x0": [0, np.nan]}, r"finite vector, got x0\[1\] = nan"),
    "max_iter": ({"max_iter": 0}, r"'max_iter' .* \[1, inf\). Got 0"),
    "half": ({"max_iter": 1.5}, r"'max_iter' .* int .*Got 1.5"),
    "gtol": ({"gtol": -1}, r"'gtol' .* must be .* Got -1"),
    "callback": ({"callback": 1}, "callback must be a callable, got 1"),
    "fun": ({"fun": 1.0}, "fun must be a callable, got 1.0"),
    "hess": ({"hess": np.eye(3)}, "hess must be a callable"),
    "jac": ({"jac": "4-point"}, "jac must be a callable.*got '4-point'"),
    "jac's number": ({"jac": 1}, "jac must be a callable.*got 1"),
    "jac's array": ({"jac": np.ones(3)}, "jac must be a callable.*got array"),
    "complex gradient": (
        {"fun": lambda x: (0.0, 1j * x)},
        "The gradient must be an array of real numbers.*complex128",
    ),
    "complex Hessian": (
        {**ROSEN, "hess": lambda x: 1j * np.eye(3), "optimizer": "newton"},
        r"hess\(x\)·v must be an array of real numbers.*complex128",
    ),
    "words for a Hessian": (
        {**ROSEN, "hess": lambda x: [["a"]], "optimizer": "newton"},
        "The Hessian must be an array of real numbers",
    ),
    "name": ({"optimizer": "adamm"}, "Unknown optimizer 'adamm'. Known names: ada"),
    "rate": ({"optimizer": SGD(-1.0)}, r"'learning_rate' .* must be"),
    "shape": ({"fun": lambda x: (0.0, x[:1])}, r"shape of x0, \(3,\), got \(1,\)"),
    "jac's shape": (
        {"fun": rosen, "jac": lambda x: np.ones((3, 1))},
        r"shape of x0, \(3,\), got \(3, 1\)",
    ),
    "no gradient": (
        {"fun": lambda x: x @ x, "jac": True},
        r"must return \(value, gradient\), got",
    ),
    "vector": ({"fun": lambda x: x}, "fun must return a number, or .* got array"),
    "nothing": ({"fun": lambda x: None}, "fun must return a number, or .* got None"),
    "complex value": ({"fun": lambda x: 1j}, "must return a real number, got 1j"),
    "value": ({"fun": lambda x: (np.nan, x)}, "not finite at x0: value nan. Start"),
    "gradient": (
        {"fun": lambda x: (0.0, x * [1, np.nan, 1])},
        "not finite at x0: entry 1 of the gradient is nan",
    ),
    "hess's shape": (
        {**ROSEN, "hess": lambda x: np.eye(2), "optimizer": "newton"},
        r"Hessian must have the shape \(3, 3\), got \(2, 2\)",
    ),
    "hessp's shape": (
        {**ROSEN, "hessp": lambda x, v: v[:2], "optimizer": "newton"},
        r"hessp\(x, v\) must have the shape of x0, \(3,\), got \(2,\)",
    ),
    "wrong sign": (
        {"fun": rosen, "jac": wrong, "check_gradient": True},
        r"gradient contradicts finite differences at x0: coordinate 2 is 100, "
        r"differences give -100",
    ),
    "wrong Hessian": (
        {**ROSEN, "hess": hess, "check_gradient": True},
        r"Hessian contradicts finite differences at x0: coordinate \d of its product",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    arguments, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        minimize(**{"fun": bowl, "x0": START, **arguments})


@pytest.mark.parametrize("factor", [1.01, 0.0, np.nan])
@pytest.mark.parametrize("i", range(3))
def test_a_wrong_entry_is_named(i, factor):
    def jac(x):
        gradient = rosen_der(x)
        gradient[i] *= factor
        return gradient

    expected = "entry" if np.isnan(factor) else "coordinate"
    with pytest.raises(ValueError, match=f"{expected} {i} "):
        minimize(rosen, START, jac, check_gradient=not np.isnan(factor))


@pytest.mark.parametrize("scale", [1e-12, 1e9])
def test_the_check_is_one_of_shares(scale):
    def fun(x):
        return scale * float(x[0] ** 4 + 1e-3 * x[1] ** 2 + x[2])

    def jac(x, factor=1.0):
        return scale * np.array([4 * x[0] ** 3, 2e-3 * factor * x[1], 1.0])

    def hess(x, factor=1.0):
        return scale * np.diag([12 * x[0] ** 2, 2e-3 * factor, 0.0])

    right = {"jac": jac, "hess": hess}
    for x0 in (START, [0.0, 1e-3, 5.0], np.zeros(3)):
        for names in (["jac"], ["hess"], ["jac", "hess"]):
            given = {name: right[name] for name in names}
            minimize(fun, x0, **given, check_gradient=True, max_iter=1)
    for name, derivative in right.items():
        wrong = {**right, name: lambda x, f=derivative: f(x, 1.02)}
        with pytest.raises(ValueError, match="differences at x0: coordinate 1 "):
            minimize(fun, START, **wrong, check_gradient=True)


def test_numpys_truth_values():
    assert minimize(rosenbrock, START, np.True_, optimizer="lbfgs").njev < 100
    with pytest.raises(ValueError, match=r"must return \(value, gradient\)"):
        minimize(rosen, START, np.True_)


def test_right_derivatives_pass_the_check():
    settings = {"check_gradient": True, "optimizer": "newton"}
    for arguments in ({"jac": rosen_der}, {"jac": rosen_der, "hess": rosen_hess}, {}):
        assert minimize(rosen, START, **arguments, **settings).success
    assert minimize(rosenbrock, START * 1e3, check_gradient=True, max_iter=1).nit == 1


def test_a_value_that_stops_being_finite():
    def fun(x):
        return (x[0], np.full(1, 2.0)) if x[0] > -1.3 else (np.inf, x)

    with pytest.raises(ValueError, match=r"diverged at update 2: value inf.*smaller"):
        minimize(fun, [-1.0], optimizer=SGD(0.1), max_iter=5)


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
    assert result.nfev == expected.nfev


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


def barrier(x):
    """Finite for x > 0 alone, with its minimum at √0.1."""
    with np.errstate(all="ignore"):
        return float(5 * x @ x - np.log(x).sum()), 10 * x - 1 / x


def test_lbfgs_steps_back_from_where_the_function_is_not_finite():
    result = minimize(barrier, [100.0, 1e-3, 5.0], optimizer="lbfgs")
    np.testing.assert_allclose(result.x, 0.1**0.5, rtol=1e-6)
    assert np.isfinite(result.path_fun).all()


def test_the_wall_rises_along_the_step():
    here = Point(np.array([1.0, 2.0]), 5.0, np.array([-3.0, 1.0]))
    step = np.array([2.0, 0.5])
    value, gradient = _wall(here, here.x + step)
    assert value > here.value
    # A parabola: from one end to the other it rises by half of its last slope.
    assert gradient @ step == pytest.approx(2 * (value - here.value))


def test_lbfgs_steps_back_from_errors_of_arithmetic():
    def fun(x):
        value = math.exp(x[0]) - 2 * x[0]  # overflows beyond 710
        return value, np.array([math.exp(x[0]) - 2])

    result = minimize(fun, [-800.0], optimizer="lbfgs")
    assert result.x == pytest.approx(math.log(2), rel=1e-6)


def quartics(x):
    scale = np.geomspace(1, 1e8, len(x))
    return 0.25 * float(scale @ x**4), scale * x**3


def test_lbfgs_begins_anew_where_its_line_search_fails():
    start, options = np.random.default_rng(29).normal(0, 3, 4), {"maxls": 2, "ftol": 0}
    scipys = scipy_minimize(
        quartics, start, method="L-BFGS-B", jac=True, options=options
    )
    assert (scipys.status, scipys.nit) == (2, 1)  # SciPy gives up
    optimizer = LBFGS(max_line_search=2, ftol=0, max_evaluations=1000)
    result = minimize(quartics, start, optimizer=optimizer)
    assert result.success
    assert result.fun < 1e-6
    for max_iter in (2, 7):
        short = minimize(quartics, start, optimizer=optimizer, max_iter=max_iter)
        np.testing.assert_array_equal(short.path, result.path[: max_iter + 1])


@pytest.mark.parametrize("optimizer", ["lbfgs", "newton", Newton("armijo")])
def test_a_wrong_gradient_is_no_success(optimizer):
    def uphill(x):
        value, gradient = rosenbrock(x)
        return value, -gradient

    result = minimize(uphill, START, optimizer=optimizer)
    assert (result.success, result.status, result.nit) == (False, 3, 0)
    assert result.message.startswith("No lower point was found: the gradient is wrong")


def test_lbfgs_obeys_the_number_of_evaluations():
    optimizer = LBFGS(max_evaluations=10)
    result = minimize(rosenbrock, START, optimizer=optimizer)
    assert 9 <= result.nfev <= 30


def test_lbfgs_obeys_the_number_of_iterations():
    assert minimize(rosenbrock, START, optimizer="lbfgs", max_iter=4).nit == 4
