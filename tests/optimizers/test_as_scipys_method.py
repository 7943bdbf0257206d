"""Every optimizer is a method of `scipy.optimize.minimize`."""

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize
from scipy.optimize import rosen, rosen_der, rosen_hess

from skdl import optimizers
from skdl.optimizers import GD, LBFGS, Adam, Newton, minimize

START = np.array([-1.2, 1.0, 0.5])


def cone(x):
    return float(np.sqrt(1 + x**2) @ [1, 2, 3])


def slope(x):
    return x / np.sqrt(1 + x**2) * [1, 2, 3]


@pytest.mark.parametrize("name", optimizers.names())
def test_the_same_result(name):
    optimizer = optimizers.get(name)
    ours = minimize(cone, START, slope, optimizer=optimizer, max_iter=12)
    scipys = scipy_minimize(
        cone, START, method=optimizer, jac=slope, options={"maxiter": 12}
    )
    assert ours.keys() == scipys.keys()
    for key, value in ours.items():
        np.testing.assert_array_equal(scipys[key], value)


def test_all_that_scipy_hands_over():
    def fun(x, a):
        return a * rosen(x), a * rosen_der(x)

    def hess(x, a):
        return a * rosen_hess(x)

    seen = []
    result = scipy_minimize(
        fun,
        START,
        (2.0,),
        Newton(),
        jac=True,
        hess=hess,
        tol=1e-9,
        callback=seen.append,
    )
    assert result.success
    assert np.abs(result.jac).max() <= 1e-9
    assert result.nhev > 0
    assert np.array_equal(seen, result.path[1:])


def test_no_gradient():
    result = scipy_minimize(rosen, START, method=LBFGS(ftol=0, gtol=0))
    np.testing.assert_allclose(result.x, 1.0, atol=1e-5)
    assert result.nfev == 7 * result.njev


def test_tolerance_and_display(capsys):
    options = {"maxiter": 5000, "gtol": 1e-3, "disp": True}
    result = scipy_minimize(lambda x: x @ x, START, method=GD(0.1), options=options)
    assert 1e-5 < np.abs(result.jac).max() <= 1e-3
    assert capsys.readouterr().out.startswith("The gradient is small. Value ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bounds": [(0, 1)] * 3}, "Adam takes no bounds; method=.L-BFGS-B"),
        (
            {"constraints": {"type": "eq", "fun": lambda x: x[0]}},
            "Adam takes no constraints",
        ),
        ({"options": {"eps": 1e-3}}, r"Unknown options \['eps'\] for Adam; known ones"),
        ({"options": {"maxiter": 0}}, "'max_iter' .* must be"),
    ],
)
def test_what_is_not_for_them(arguments, message):
    with pytest.raises(ValueError, match=message):
        scipy_minimize(rosen, START, method=Adam(), **arguments)
