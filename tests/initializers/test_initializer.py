"""Every initializer: moments, bounds, fans, precision, bad settings."""

import math

import numpy as np
import pytest

from skdl import initializers
from skdl.initializers import (
    Constant,
    HeNormal,
    Initializer,
    Normal,
    Orthogonal,
    Uniform,
    VarianceScaling,
    XavierUniform,
    fans,
)
from skdl.testing import check_initializer

# shape -> (fan_in, fan_out)
FANS = {
    (): (1, 1),
    (7,): (7, 7),
    (30, 50): (30, 50),
    (3, 3, 16, 32): (144, 288),
    (5, 1, 8, 4): (40, 20),
    (4, 6, 10): (24, 40),
}
WEIGHTS = [(200, 300), (3, 3, 40, 60), (5, 1, 60, 90)]

# name -> variance times fan, fan, whether it is uniform
SCALED = {
    "xavier_uniform": (1.0, "avg", True),
    "xavier_normal": (1.0, "avg", False),
    "he_uniform": (2.0, "in", True),
    "he_normal": (2.0, "in", False),
    "lecun_uniform": (1.0, "in", True),
    "lecun_normal": (1.0, "in", False),
    "variance_scaling": (1.0, "in", False),
}


def draw(initializer, shape, seed=0, dtype=np.float64):
    return initializers.get(initializer)(shape, np.random.default_rng(seed), dtype)


def fan(shape, which):
    fan_in, fan_out = FANS.get(shape) or fans(shape)
    return {"in": fan_in, "out": fan_out, "avg": (fan_in + fan_out) / 2}[which]


def assert_moments(values, std, uniform):
    """Mean, variance and kurtosis, to six standard errors of the sample."""
    n = values.size
    kurtosis = 1.8 if uniform else 3.0
    assert abs(values.mean()) < 6 * std / math.sqrt(n)
    assert values.var() == pytest.approx(
        std**2, rel=6 * math.sqrt((kurtosis - 1) / n), abs=0
    )
    assert np.mean((values / std) ** 4) == pytest.approx(kurtosis, rel=0.1)
    if uniform:
        bound = math.sqrt(3) * std
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.99 * bound


def test_every_initializer_is_in_a_table():
    simple = {"constant", "zeros", "ones", "normal", "uniform", "orthogonal"}
    assert set(SCALED) | simple == set(initializers.names())


@pytest.mark.parametrize("shape", FANS)
def test_fans(shape):
    assert fans(shape) == FANS[shape]


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("shape", WEIGHTS)
def test_scaled(name, shape):
    scale, which, uniform = SCALED[name]
    std = math.sqrt(scale / fan(shape, which))
    assert_moments(draw(name, shape), std, uniform)


@pytest.mark.parametrize("name", [name for name in SCALED if name[0] != "v"])
def test_gain_multiplies(name):
    cls = type(initializers.get(name))
    np.testing.assert_allclose(draw(cls(3.0), (8, 9)), 3 * draw(name, (8, 9)))


@pytest.mark.parametrize("mode", ["in", "out", "avg"])
@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_variance_scaling(mode, distribution):
    shape = (3, 3, 40, 60)
    std = math.sqrt(2.5 / fan(shape, mode))
    values = draw(VarianceScaling(2.5, f"fan_{mode}", distribution), shape)
    assert_moments(values, std, distribution == "uniform")


def test_simple_distributions():
    assert (draw("zeros", (3, 2)) == 0).all()
    assert (draw("ones", (3,)) == 1).all()
    assert (draw(Constant(0.25), (2, 2)) == 0.25).all()
    assert_moments(draw("normal", (300, 200)), 0.03, uniform=False)
    assert_moments(draw(Normal(2.0, 5.0), (300, 200)) - 5.0, 2.0, uniform=False)
    assert_moments(draw("uniform", (300, 200)), 0.05 / math.sqrt(3), uniform=True)
    values = draw(Uniform(2.0, 5.0), (300, 200))
    assert_moments(values - 3.5, 1.5 / math.sqrt(3), uniform=True)


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (3, 3, 2, 6), (2, 1, 2, 9)])
@pytest.mark.parametrize("gain", [1.0, 1.7])
def test_orthogonal(shape, gain):
    q = draw(Orthogonal(gain), shape).reshape(-1, shape[-1])
    gram = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(gram, gain**2 * np.eye(len(gram)), atol=1e-13)


def test_orthogonal_is_uniform_among_the_orthogonal_ones():
    # Without fixing the signs of QR the diagonal would have a mean of its own.
    draws = np.array([np.diagonal(draw("orthogonal", (3, 3), i)) for i in range(2000)])
    standard_error = draws.std(axis=0) / math.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0)) < 4 * standard_error).all()


SETTINGS = [
    Constant(-2.0),
    Normal(0.5, 3.0),
    Uniform(1.0, 1.0),
    Orthogonal(2.0),
    VarianceScaling(0.5, "fan_out", "uniform"),
]


@pytest.mark.parametrize(
    "initializer", [*initializers.names(), *SETTINGS], ids=lambda i: repr(i)
)
def test_contract(initializer):
    check_initializer(initializer)


@pytest.mark.parametrize("name", initializers.names())
class TestEvery:
    def test_determinism(self, name):
        assert np.array_equal(draw(name, (6, 5)), draw(name, (6, 5)))
        constant = name in ("constant", "zeros", "ones")
        assert np.array_equal(draw(name, (6, 5)), draw(name, (6, 5), 1)) == constant


BAD = {
    "negative std": (Normal(-1.0), r"'std' .* \[0.0, inf\). Got -1.0"),
    "bounds": (Uniform(1.0, 0.0), "low must not exceed high, got low=1.0, high=0.0"),
    "scale": (VarianceScaling(0.0), r"'scale' .* \(0.0, inf\). Got 0.0"),
    "mode": (VarianceScaling(mode="in"), "'mode' .* str among .*'fan_in'.* Got 'in'"),
    "distribution": (VarianceScaling(distribution="beta"), "'distribution' .* among"),
    "gain": (HeNormal(-1.0), "'gain' parameter of HeNormal .* Got -1.0"),
    "nan": (XavierUniform(math.nan), "'gain' .* Got nan"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_settings(case):
    initializer, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        draw(initializer, (3, 2))


def test_orthogonal_needs_a_matrix():
    with pytest.raises(ValueError, match=r"two axes or more, got \(3,\)"):
        draw("orthogonal", (3,))


def test_no_inputs():
    assert draw("he_normal", (0, 3)).shape == (0, 3)


def test_the_draw_must_be_defined():
    with pytest.raises(TypeError, match="Initializer must define draw"):
        draw(Initializer(), (3, 2))
