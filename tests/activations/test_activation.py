"""Every activation: closed form, derivative, extremes, precision."""

import numpy as np
import pytest
from scipy import special, stats

from skdl import activations, config_context
from skdl.activations import ELU, SELU, ActivationFunction, LeakyReLU
from skdl.testing import check_activation, check_gradient

LAMBDA, ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717

# name -> (closed form, limits at -1e4 and 1e4)
FORMS = {
    "identity": (lambda x: x, (-1e4, 1e4)),
    "step": (lambda x: np.heaviside(x, 1.0), (0, 1)),
    "sigmoid": (special.expit, (0, 1)),
    "tanh": (lambda x: 2 * special.expit(2 * x) - 1, (-1, 1)),
    "relu": (lambda x: (x + abs(x)) / 2, (0, 1e4)),
    "relu6": (lambda x: (6 + abs(x) - abs(x - 6)) / 2, (0, 6)),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.01 * x), (-100, 1e4)),
    "elu": (lambda x: np.where(x > 0, x, special.expm1(x)), (-1, 1e4)),
    "selu": (
        lambda x: LAMBDA * np.where(x > 0, x, ALPHA * special.expm1(x)),
        (-LAMBDA * ALPHA, LAMBDA * 1e4),
    ),
    "gelu": (lambda x: x * stats.norm.cdf(x), (0, 1e4)),
    "softplus": (lambda x: -special.log_expit(-x), (0, 1e4)),
    "softmax": (lambda x: special.softmax(x, axis=-1), None),
}
SETTINGS = [LeakyReLU(0.3), ELU(0.5), ELU(3.0)]
FUNCTIONS = [activations.get(name) for name in FORMS] + SETTINGS
DIFFERENTIABLE = [f for f in FUNCTIONS if f.differentiable]
EXTREMES = np.array([-1e4, -100.0, -1e-30, 0.0, 1e-30, 100.0, 1e4])


@pytest.mark.parametrize("f", FUNCTIONS, ids=repr)
@pytest.mark.parametrize("seed", [0, 1])
def test_contract(f, seed):
    check_activation(f, seed=seed)


DTYPES = [np.float32, np.float64]


def backward(f, dy, x):
    """Return dy·f'(x) by way of memory full of NaN."""
    dirty = [np.full_like(x, np.nan) for _ in range(4)]
    y = f.forward(x, dirty[0], dirty[1])
    z = y if f.derivative_from == "output" else x
    return f.backward(dy, z, dirty[2], dirty[3])


def test_every_activation_is_in_the_table():
    assert set(FORMS) == set(activations.names())


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_closed_form(name, dtype):
    x = np.linspace(-6, 6, 40).reshape(8, 5).astype(dtype)
    y = activations.get(name)(x)
    assert y.dtype == dtype
    tolerance = 5e-6 if dtype == np.float32 else 1e-13
    expected = FORMS[name][0](x.astype(np.float64))
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("f", DIFFERENTIABLE, ids=repr)
def test_derivative(f):
    rng = np.random.default_rng(0)
    x, dy = 3 * rng.normal(size=(6, 7)), rng.normal(size=(6, 7))
    check_gradient(lambda x: np.sum(dy * f(x)), x, backward(f, dy, x), rtol=1e-8)


@pytest.mark.parametrize("f", DIFFERENTIABLE, ids=repr)
def test_derivative_in_single_precision(f):
    rng = np.random.default_rng(0)
    x, dy = 3 * rng.normal(size=(6, 7)), rng.normal(size=(6, 7))
    got = backward(f, dy.astype(np.float32), x.astype(np.float32))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, backward(f, dy, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("f", FUNCTIONS, ids=repr)
@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_inputs(f, dtype):
    x = EXTREMES.astype(dtype)[None]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(f(x)).all()
        if f.differentiable:
            assert np.isfinite(backward(f, np.ones_like(x), x)).all()


@pytest.mark.parametrize("name", [name for name in FORMS if FORMS[name][1]])
def test_limits(name):
    limits = activations.get(name)(np.array([-1e4, 1e4]))
    np.testing.assert_allclose(limits, FORMS[name][1], rtol=1e-15)


@pytest.mark.parametrize("f", FUNCTIONS, ids=repr)
def test_input_is_left_alone_and_integers_are_taken(f):
    x = np.array([[-2, 0, 1]])
    y = f(x)
    assert y.dtype == np.float64
    assert x.tolist() == [[-2, 0, 1]]
    assert not np.shares_memory(f(y), y)


# What each derivative is at zero, where the two sides differ or the class says so.
AT_ZERO = {"relu": 0, "leaky_relu": 0.01, "elu": 1, "sigmoid": 0.25, "softplus": 0.5}


@pytest.mark.parametrize("name", AT_ZERO)
def test_derivative_at_zero(name):
    x = np.zeros((1, 1))
    got = backward(activations.get(name), np.ones((1, 1)), x)
    assert got.item() == pytest.approx(AT_ZERO[name])


def test_derivative_of_the_sigmoid_is_at_most_a_quarter():
    x = np.linspace(-20, 20, 401)[:, None]
    assert backward(activations.get("sigmoid"), np.ones_like(x), x).max() <= 0.25


def test_selu_keeps_zero_mean_and_unit_variance():
    # The fixed point of Klambauer et al. 2017: ∫ selu dN = 0, ∫ selu² dN = 1.
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    y = SELU()(nodes)
    weights = weights / weights.sum()
    assert weights @ y == pytest.approx(0, abs=2e-3)  # the kink slows quadrature
    assert weights @ y**2 == pytest.approx(1, abs=2e-3)


def test_softmax_rows_sum_to_one_whatever_the_shift():
    x = np.random.default_rng(0).normal(size=(4, 3, 5))
    y = activations.get("softmax")(x)
    np.testing.assert_allclose(y.sum(axis=-1), 1)
    np.testing.assert_allclose(activations.get("softmax")(x + 1e3), y, rtol=1e-10)


def test_step_refuses_to_be_trained():
    step = activations.get("step")
    assert not step.differentiable
    x = np.ones((1, 1))
    with pytest.raises(ValueError, match="zero derivative"):
        step.backward(x, x, x.copy(), x.copy())


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (LeakyReLU(0.0), r"'slope' parameter of LeakyReLU .* \(0.0, 1.0\). Got 0.0"),
        (LeakyReLU(1.5), "'slope' .* Got 1.5"),
        (ELU(-1.0), r"'alpha' .* \(0.0, inf\). Got -1.0"),
        (ELU(np.nan), "'alpha' .* Got nan"),
    ],
)
def test_bad_settings(f, message):
    with pytest.raises(ValueError, match=message):
        f(np.ones(3))


def test_a_users_activation():
    class Square(ActivationFunction):
        derivative_from = "input"

        def forward(self, x, out, work):
            return np.multiply(x, x, out=out)

        def backward(self, dy, z, out, work):
            np.multiply(dy, z, out=out)
            return np.multiply(out, 2.0, out=out)

    x = np.random.default_rng(0).normal(size=(3, 2))
    check_gradient(lambda x: np.sum(Square()(x)), x, backward(Square(), x * 0 + 1, x))


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_a_forgotten_method_is_named(method):
    x = np.ones(1)
    arguments = (x,) * (3 if method == "forward" else 4)
    with pytest.raises(TypeError, match=f"ActivationFunction must define {method}"):
        getattr(ActivationFunction(), method)(*arguments)


def test_relu6_is_flat_beyond_both_ends():
    x = np.array([[-1.0, 0.5, 5.9, 6.1, 100.0]])
    f = activations.get("relu6")
    np.testing.assert_array_equal(f(x), [[0, 0.5, 5.9, 6, 6]])
    np.testing.assert_array_equal(
        backward(f, 2 * np.ones_like(x), x), [[0, 2, 2, 0, 0]]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_many_numbers_are_shared_by_threads(name, dtype):
    """The engines bend the same numbers in the same way, zeros and both signs."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3, 2**15)).astype(dtype)
    x[:, ::7] = 0
    function, found = activations.get(name), []
    for engine in ("numpy", "numba"):
        with config_context(engine=engine):
            y, dx, work = (np.full_like(x, np.nan) for _ in range(3))
            function.forward(x, y, work)
            function.backward(dy, y, dx, work)
            found.append((y, dx))
    for numpy, numba in zip(*found, strict=True):
        np.testing.assert_array_equal(numpy, numba)
