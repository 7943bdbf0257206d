"""Batch normalisation of channels: moments, derivatives, an addition and ReLU."""

import numpy as np
import pytest

from skdl import config_context
from skdl._config import has_numba
from skdl.ops.channel_norm import (
    add,
    channel_norm,
    channel_norm_backward,
    channel_scale,
)
from skdl.testing import check_gradient

EPSILON = 1e-5
ENGINES = ["numpy", "numba"] if has_numba() else ["numpy"]
SHAPES = [
    (3, 5, 7, 3),
    (2, 9, 4, 20),
    (1, 1, 1, 6),
    (40, 13, 11, 16),  # several blocks
    (5, 6, 9, 300),
    (1000, 5),
    (70, 31, 33, 1),
]


def problem(shape, dtype, seed=0):
    """Return x with a mean, γ, β, something to add and dy."""
    rng = np.random.default_rng(seed)
    c = shape[-1]
    x = rng.normal(3.0, np.linspace(0.1, 5, c), shape)
    arrays = x, rng.normal(size=c), rng.normal(size=c), *rng.normal(size=(2, *shape))
    return tuple(array.astype(dtype) for array in arrays)


def forward(x, gamma, beta, other=None, floor=-np.inf):
    """Return y, mean, variance and 1/std in fresh memory."""
    out = np.full_like(x, np.nan)
    moments = [np.full_like(gamma, np.nan) for _ in range(3)]
    assert channel_norm(x, gamma, beta, EPSILON, out, *moments, other, floor) is out
    return out, *moments


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("shape", SHAPES)
def test_forward(shape, dtype, engine):
    x, gamma, beta, other, _ = problem(shape, dtype)
    with config_context(engine=engine):
        y, mean, variance, inv_std = forward(x, gamma, beta)
        both = forward(x, gamma, beta, other, floor=0.0)[0]
    rows = x.reshape(-1, shape[-1]).astype("d")
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if dtype == "f" else {"atol": 1e-11}
    expected = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + EPSILON) * gamma + beta
    expected = expected.reshape(shape)
    np.testing.assert_allclose(mean, rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(variance, rows.var(0), rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(inv_std, (rows.var(0) + EPSILON) ** -0.5, rtol=1e-4)
    np.testing.assert_allclose(y, expected, **tolerance)
    np.testing.assert_allclose(both, np.maximum(expected + other, 0), **tolerance)
    assert y.dtype == mean.dtype == variance.dtype == inv_std.dtype == dtype


@pytest.mark.parametrize("engine", ENGINES)
def test_a_mean_far_from_zero_leaves_the_variance_exact(engine):
    rng = np.random.default_rng(0)
    x = (1e4 + rng.normal(size=(30, 20, 20, 4))).astype("f")
    ones = np.ones(4, "f")
    with config_context(engine=engine):
        _, _, variance, _ = forward(x, ones, ones)
    np.testing.assert_allclose(variance, x.astype("d").var((0, 1, 2)), rtol=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(3, 2, 4, 3), (2, 3, 3, 20), (9, 5)])
@pytest.mark.parametrize("relu", [False, True])
def test_derivatives(shape, engine, relu):
    x, gamma, beta, other, dy = problem(shape, "d")
    after = (None, 0.0) if relu else (other, -np.inf)
    with config_context(engine=engine):
        y, mean, _, inv_std = forward(x, gamma, beta, *after)
        dgamma, dbeta, dx = (np.full_like(a, np.nan) for a in (gamma, beta, x))
        before, given = dy.copy(), (x, dy, gamma, beta, mean, inv_std)
        outputs = dgamma, dbeta, dx, y if relu else None
        assert channel_norm_backward(*given, *outputs) is dx
        np.testing.assert_array_equal(dy, before)

        def value(x, gamma, beta):
            return np.sum(dy * forward(x, gamma, beta, *after)[0])

        check_gradient(lambda x: value(x, gamma, beta), x, dx)
        check_gradient(lambda gamma: value(x, gamma, beta), gamma, dgamma)
        check_gradient(lambda beta: value(x, gamma, beta), beta, dbeta)


@pytest.mark.skipif("numba" not in ENGINES, reason="needs Numba")
@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_engines_agree_backwards(shape, dtype, relu):
    x, gamma, beta, _, dy = problem(shape, dtype)
    with config_context(engine="numpy"):
        y, mean, _, inv_std = forward(x, gamma, beta, floor=0.0)
    found = []
    for engine in ENGINES:
        dgamma, dbeta, dx = np.empty_like(gamma), np.empty_like(beta), np.empty_like(x)
        with config_context(engine=engine):
            channel_norm_backward(
                x,
                dy,
                gamma,
                beta,
                mean,
                inv_std,
                dgamma,
                dbeta,
                dx,
                y if relu else None,
            )
        found.append((dgamma, dbeta, dx))
    for one, other in zip(*found, strict=True):
        scale = np.abs(one).max() + 1e-3
        atol = 2e-5 if dtype == "f" else 1e-12
        np.testing.assert_allclose(one / scale, other / scale, atol=atol)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_nan_passes_the_relu_backwards(engine):
    x, gamma, beta, _, dy = problem((3, 4, 5, 2), "d")
    x[0, 0, 0, 0] = np.nan
    with config_context(engine=engine):
        y, mean, _, inv_std = forward(x, gamma, beta, floor=0.0)
        dgamma, dbeta, dx = (np.zeros_like(a) for a in (gamma, beta, x))
        args = x, dy, gamma, beta, mean, inv_std, dgamma, dbeta, dx, y
        channel_norm_backward(*args)
    assert np.isnan(dx[..., 0]).all()
    assert np.isfinite(dx[..., 1]).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_scale_and_relu(engine):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 7, 9, 5))
    scale, shift = rng.normal(size=(2, 5))
    x[0, 0, 0, 0] = np.nan
    with config_context(engine=engine):
        y = channel_scale(x, scale, shift, np.empty_like(x), floor=0.0)
        np.testing.assert_allclose(y, np.maximum(x * scale + shift, 0), atol=1e-14)
        same = x.copy()
        assert channel_scale(same, scale, shift, same) is same
        np.testing.assert_allclose(same, x * scale + shift, atol=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("floor", [-np.inf, 0.0])
@pytest.mark.parametrize("shape", [(3, 5), (90, 30, 50)])
def test_sums(shape, floor, engine):
    x, other = np.random.default_rng(0).normal(size=(2, *shape))
    x.flat[0] = np.nan
    with config_context(engine=engine):
        got = add(x, other, np.full_like(x, 9.0), floor)
    np.testing.assert_array_equal(got, np.maximum(x + other, floor))


@pytest.mark.skipif("numba" not in ENGINES, reason="needs Numba")
def test_the_same_bits_for_any_number_of_threads():
    x, gamma, beta, other, dy = problem((50, 17, 16, 24), "f")
    found = []
    for n_threads in (1, 2, 5):
        with config_context(engine="numba", n_threads=n_threads):
            summed = forward(x, gamma, beta, other, 0.0)[0]
            y, mean, variance, inv_std = forward(x, gamma, beta, floor=0.0)
            dgamma, dbeta, dx = (np.full_like(a, np.nan) for a in (gamma, beta, x))
            args = x, dy, gamma, beta, mean, inv_std, dgamma, dbeta, dx, y
            channel_norm_backward(*args)
        found.append((summed, y, mean, variance, dgamma, dbeta, dx))
    for others in found[1:]:
        for one, other_one in zip(found[0], others, strict=True):
            np.testing.assert_array_equal(one, other_one)
