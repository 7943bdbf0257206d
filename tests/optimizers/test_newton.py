"""Newton: one step on a quadratic, products with the Hessian, step searches."""

import math

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import rosen, rosen_der, rosen_hess, rosen_hess_prod
from scipy.sparse.linalg import aslinearoperator

from skdl.optimizers import Armijo, Newton, TrustRegion, Wolfe, minimize
from skdl.optimizers._conjugate import QuadraticModel
from skdl.optimizers._function import Function
from skdl.optimizers._oracle import Oracle
from skdl.optimizers._search import _shorter

START = np.array([-1.2, 1.0, 0.5, 2.0])
SEARCHES = ["trust_region", "armijo", "wolfe"]


def quadratic(n, condition, seed=0):
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.normal(size=(n, n)))
    A = (basis * np.geomspace(1, condition, n)) @ basis.T
    b = rng.normal(size=n)
    return A, b, lambda x: (0.5 * float(x @ A @ x) - float(b @ x), A @ x - b)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize(("n", "condition"), [(1, 1), (5, 10), (40, 100)])
@pytest.mark.parametrize("given", [None, "hess", "hessp"])
def test_a_quadratic_takes_one_step(search, n, condition, given):
    A, b, fun = quadratic(n, condition)
    derivatives = {"hess": lambda x: A, "hessp": lambda x, v: A @ v}
    more = {given: derivatives[given]} if given else {}
    start = 10 * np.random.default_rng(1).normal(size=n)
    result = minimize(fun, start, optimizer=Newton(search), gtol=1e-5, **more)
    assert result.nit == 1
    assert result.success
    np.testing.assert_allclose(result.x, np.linalg.solve(A, b), atol=1e-5)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("differences", ["central", "forward"])
def test_rosenbrock(search, differences):
    optimizer = Newton(search, differences=differences)
    result = minimize(rosen, START[:3], rosen_der, optimizer=optimizer, max_iter=200)
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, atol=1e-6)
    assert (np.diff(result.path_fun) <= 0).all()
    assert result.nhev == 0


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, aslinearoperator])
def test_forms_of_the_hessian(form):
    result = minimize(
        rosen, START, rosen_der, lambda x: form(rosen_hess(x)), "newton", max_iter=100
    )
    by_products = minimize(
        rosen, START, rosen_der, hessp=rosen_hess_prod, optimizer="newton", max_iter=100
    )
    assert result.success
    np.testing.assert_allclose(result.x, by_products.x, atol=1e-6)
    assert result.nhev <= result.nit + 1 < by_products.nhev


def test_damping_is_added_to_the_diagonal():
    A, b, fun = quadratic(6, 100)
    result = minimize(fun, np.zeros(6), optimizer=Newton("armijo", 2.5), max_iter=1)
    np.testing.assert_allclose(
        result.x, np.linalg.solve(A + 2.5 * np.eye(6), b), rtol=1e-6
    )


def test_max_cg_bounds_the_products():
    calls = []

    def hessp(x, v):
        calls.append(v)
        return rosen_hess_prod(x, v)

    minimize(
        rosen, START, rosen_der, hessp=hessp, optimizer=Newton(max_cg=2), max_iter=5
    )
    assert 5 < len(calls) <= 10


def test_one_direction_is_that_of_the_gradient():
    A, b, fun = quadratic(6, 100)
    result = minimize(fun, np.ones(6), optimizer=Newton(max_cg=1), max_iter=1)
    g = A @ np.ones(6) - b
    best = (g @ g) / (g @ A @ g)  # the exact minimum along it
    np.testing.assert_allclose(result.x, 1 - best * g, rtol=1e-6)


# ---- products


@pytest.mark.parametrize(("differences", "digits"), [("central", 9), ("forward", 6)])
def test_products_of_differences(differences, digits):
    problem = Function(rosen, 4, jac=rosen_der)
    oracle = Oracle(problem, START, differences)
    here = oracle(START)
    for scale in (1e-6, 1.0, 1e6):
        v = scale * np.array([1.0, -2.0, 0.5, 3.0])
        expected = rosen_hess_prod(START, v)
        error = np.abs(oracle.product(here, v) - expected).max()
        assert error < 10.0**-digits * np.abs(expected).max()
    assert not oracle.product(here, np.zeros(4)).any()


# ---- conjugate gradients


def model(A, g, tol=1e-12):
    calls = []

    def product(v):
        calls.append(v)
        return A @ v

    return QuadraticModel(g, product, tol, 50), calls


def value(A, g, p):
    return g @ p + 0.5 * p @ A @ p


def test_within_the_region_it_solves_the_equations():
    A, g, _ = quadratic(6, 50)
    step = model(A, g)[0].minimize(1e3)
    np.testing.assert_allclose(step.p, -np.linalg.solve(A, g), rtol=1e-8)
    assert not step.edge
    assert step.change == pytest.approx(value(A, g, step.p))


@pytest.mark.parametrize("radius", [1e-3, 0.1, 0.5])
def test_it_is_cut_at_the_edge(radius):
    A, g, _ = quadratic(6, 50)
    step = model(A, g)[0].minimize(radius)
    assert np.linalg.norm(step.p) == pytest.approx(radius)
    assert step.edge
    assert not step.curved
    assert step.change == pytest.approx(value(A, g, step.p))
    np.testing.assert_allclose(step.residual, g + A @ step.p, atol=1e-12)
    cauchy = min(radius / np.linalg.norm(g), (g @ g) / (g @ A @ g))
    assert step.change <= value(A, g, -cauchy * g) + 1e-12


@pytest.mark.parametrize("share", [0.97, 0.999])
def test_a_region_that_is_a_little_too_small_is_not_left(share):
    A, g = np.diag([1.0, 3.0]), np.array([1.0, 2.0])
    radius = share * np.linalg.norm(np.linalg.solve(A, g))
    step = QuadraticModel(g, A.dot, 1e-12, 10).minimize(radius)
    assert step.edge
    assert np.linalg.norm(step.p) == pytest.approx(radius, rel=1e-12)


def test_products_far_from_the_origin():
    x, v = np.array([3e8, -1e8]), np.array([1e-3, 2e-3])

    class Quartic:
        def value_and_gradient(self, x):
            return float((x**4).sum()), 4 * x**3

    oracle = Oracle(Quartic(), x)
    np.testing.assert_allclose(oracle.product(oracle(x), v), 12 * x**2 * v, rtol=1e-7)


@pytest.mark.parametrize(
    ("change", "share"),
    [(1.0, 0.25), (-0.5, 0.5), (-0.9, 0.5), (1e9, 0.1), (math.inf, 0.1), (-2.0, 0.25)],
)
def test_a_failed_step_is_shortened_to_the_minimum_of_a_parabola(change, share):
    # −t + (1 + change)·t² has its minimum at 0.5/(1 + change).
    assert _shorter(-1.0, change) == pytest.approx(share)


@pytest.mark.parametrize(("accept", "taken"), [(0.2, False), (0.05, True)])
def test_the_share_of_the_promise_that_is_enough(accept, taken):
    # The model is 1 − t, the function 1 − 0.1t as far as it can be tried.
    def fun(x):
        return 1 - 0.1 * float(x[0]), np.array([-1.0])

    oracle = Oracle(Function(fun, 1), np.zeros(1))
    here = oracle(np.zeros(1))
    model = QuadraticModel(here.gradient, np.zeros_like, 1e-12, 10)
    found = TrustRegion(1.0, accept=accept).step(oracle, here, model, {})
    assert (found is not None) == taken


def test_another_radius_costs_no_product():
    A, g, _ = quadratic(6, 50)
    made, calls = model(A, g)
    made.minimize()
    n = len(calls)
    assert made.minimize(0.1).edge
    assert len(calls) == n <= 7


def test_negative_curvature_is_followed_to_the_edge():
    A, g = np.diag([1.0, -2.0, 3.0]), np.array([1.0, 0.5, 1.0])
    step = model(A, g)[0].minimize(10.0)
    assert step.curved
    assert step.edge
    assert np.linalg.norm(step.p) == pytest.approx(10.0)
    assert step.change == pytest.approx(value(A, g, step.p))
    assert step.change < value(A, g, -10 / np.linalg.norm(g) * g)
    endless = model(A, g)[0].minimize()
    assert endless.curved
    assert not endless.edge
    assert endless.p @ g < 0


def test_unknown_curvature_is_followed_to_the_edge_along_a_straight_line():
    A, g = np.diag([1.0, 3.0]), np.array([1.0, 2.0])
    products = iter([A @ -g, np.full(2, np.inf)])
    p, change, residual, edge, curved = QuadraticModel(
        g, lambda d: next(products), 1e-12, 10
    ).minimize(1.0)
    assert edge
    assert curved
    first = -(g @ g) / (g @ A @ g) * g
    assert np.linalg.norm(p) == pytest.approx(1.0)
    assert residual == pytest.approx(g + A @ first)
    # From the first iterate on, the model falls with its slope there.
    slope = residual @ (p - first)
    assert change == pytest.approx(value(A, g, first) + slope)


def test_negative_curvature_at_once_gives_the_gradient():
    g = np.array([3.0, 4.0])
    np.testing.assert_array_equal(model(-np.eye(2), g)[0].minimize().p, -g)


@pytest.mark.parametrize("search", SEARCHES)
def test_it_leaves_a_saddle_and_a_maximum(search):
    def fun(x):  # minima of −¼ at x = ±1 each
        return float((x**4 / 4 - x**2 / 2).sum()), x**3 - x

    for start in ([0.9, 1e-3], [1e-3, -1e-3], [-0.2, 0.3]):
        result = minimize(fun, start, optimizer=Newton(search))
        assert result.success
        np.testing.assert_allclose(np.abs(result.x), 1.0, atol=1e-6)


# ---- step searches


def cliff(x):
    """Finite for x < 1 alone; minimum at 0.9."""
    with np.errstate(all="ignore"):
        return float(-9 * x.sum() - 0.9 * np.log(1 - x).sum()), -9 + 0.9 / (1 - x)


@pytest.mark.parametrize("search", SEARCHES)
def test_where_the_function_is_not_finite_the_step_is_too_long(search):
    result = minimize(cliff, [-50.0, 0.99], optimizer=Newton(search), max_iter=200)
    assert result.success
    np.testing.assert_allclose(result.x, 0.9, rtol=1e-6)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("known", [0, 2])
def test_where_the_hessian_is_not_finite_the_slope_is_followed(search, known):
    calls = []

    def hessp(x, v):
        calls.append(x)
        return rosen_hess_prod(x, v) if len(calls) <= known else np.full(4, np.nan)

    result = minimize(
        rosen, START, rosen_der, hessp=hessp, optimizer=Newton(search), max_iter=8
    )
    assert result.nit == 8
    assert (np.diff(result.path_fun) < 0).all()


def along(search, fun, start):
    """Return the share of the Newton step that a line search takes."""
    problem = Function(fun, 1)
    oracle = Oracle(problem, np.zeros(1))
    here = oracle(np.array([start]))
    whole = QuadraticModel(here.gradient, lambda v: oracle.product(here, v), 0.0, 1)
    point, _ = search.step(oracle, here, whole, {})
    return here, point, (point.x - here.x) / whole.minimize().p


def log_cosh(x):
    return float(np.log(np.cosh(x)).sum()), np.tanh(x)


@pytest.mark.parametrize("search", [Armijo(), Armijo(0.4, 0.3), Wolfe(), Wolfe(c2=0.1)])
@pytest.mark.parametrize("start", [0.5, 1.0, 1.5, 3.0])
def test_conditions_of_the_line_searches(search, start):
    search.settled()
    here, point, t = along(search, log_cosh, start)
    p = (point.x - here.x) / t
    slope, left = float(here.gradient @ p), float(point.gradient @ p)
    assert point.value <= here.value + search.c1 * t.item() * slope + 1e-12
    if isinstance(search, Wolfe):
        assert abs(left) <= search.c2 * abs(slope) + 1e-12
    if start == 0.5 and getattr(search, "c2", 0.9) == 0.9:
        assert t == pytest.approx(1.0)  # the whole step is good


def test_armijo_shortens_by_its_factor():
    _, _, t = along(Armijo(shrink=0.3), log_cosh, 3.0)
    assert math.log(t.item()) / math.log(0.3) == pytest.approx(3.0)
    _, _, t = along(Armijo(initial=0.7), log_cosh, 0.5)
    assert t == pytest.approx(0.7)


def test_a_first_radius_bounds_the_first_step():
    _, _, fun = quadratic(5, 10)
    start = np.full(5, 100.0)
    optimizer = Newton(TrustRegion(radius=0.5, max_radius=3.0))
    result = minimize(fun, start, optimizer=optimizer, max_iter=300)
    lengths = np.linalg.norm(np.diff(result.path, axis=0), axis=1)
    np.testing.assert_allclose(lengths[:5], [0.5, 1.0, 2.0, 3.0, 3.0])
    assert lengths.max() <= 3.0 + 1e-9
    assert result.success


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (Armijo(c1=1.0), "'c1' parameter of Armijo must be"),
        (Armijo(shrink=0.0), "'shrink' .* must be"),
        (Armijo(initial=0), "'initial' .* must be"),
        (Armijo(max_steps=0), "'max_steps' .* must be an int"),
        (Wolfe(c1=0.5, c2=0.2), "c1 must be less than c2, got c1=0.5"),
        (Wolfe(c2=1.0), "'c2' .* must be"),
        (Wolfe(max_steps=1.5), "'max_steps' .* must be an int"),
        (TrustRegion(radius=0.0), "'radius' .* must be"),
        (TrustRegion(max_radius=0.0), "'max_radius' .* must be"),
        (TrustRegion(accept=0.25), "'accept' .* must be"),
        (
            "wolf",
            "Unknown step search 'wolf'. Known names: armijo, trust_region, wolfe",
        ),
    ],
)
def test_bad_searches(search, message):
    with pytest.raises(ValueError, match=message):
        minimize(rosen, START, rosen_der, optimizer=Newton(search))


def test_nested_settings_of_a_search():
    optimizer = Newton("wolfe").set_params(search__c2=0.3)
    assert optimizer.search.c2 == 0.3
