"""Batch normalisation: moments, derivatives through the statistics."""

import numpy as np
import pytest

from skdl.ops.norm import batch_norm, batch_norm_backward
from skdl.testing import check_gradient

EPSILON = 1e-5


def forward(x, gamma, beta):
    """Return y, x̂, mean, variance and 1/std in fresh memory."""
    xhat, out = np.empty_like(x), np.empty_like(x)
    mean, variance, inv_std = (np.empty_like(gamma) for _ in range(3))
    batch_norm(x, gamma, beta, EPSILON, xhat, out, mean, variance, inv_std)
    return out, xhat, mean, variance, inv_std


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    x = rng.normal(3.0, [0.1, 1.0, 10.0], (8, 3))
    return x, rng.normal(size=3), rng.normal(size=3), rng.normal(size=(8, 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward(problem, dtype):
    x, gamma, beta, _ = (part.astype(dtype) for part in problem)
    out, xhat, mean, variance, inv_std = forward(x, gamma, beta)
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, x.var(axis=0), rtol=1e-4)
    np.testing.assert_allclose(inv_std, (x.var(axis=0) + EPSILON) ** -0.5, rtol=1e-4)
    np.testing.assert_allclose(xhat, (x - mean) * inv_std, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(xhat.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(out, gamma * xhat + beta, rtol=1e-4, atol=1e-6)
    assert out.dtype == mean.dtype == inv_std.dtype == dtype


def test_derivatives(problem):
    x, gamma, beta, dy = problem
    _, xhat, _, _, inv_std = forward(x, gamma, beta)
    dgamma, dbeta, dx = np.empty(3), np.empty(3), np.empty_like(x)
    batch_norm_backward(dy, xhat, inv_std, gamma, dgamma, dbeta, dx)

    def value(x, gamma, beta):
        return np.sum(dy * forward(x, gamma, beta)[0])

    check_gradient(lambda x: value(x, gamma, beta), x, dx)
    check_gradient(lambda gamma: value(x, gamma, beta), gamma, dgamma)
    check_gradient(lambda beta: value(x, gamma, beta), beta, dbeta)


def test_dx_is_orthogonal_to_shifts_and_scalings(problem):
    x, gamma, beta, dy = problem
    _, xhat, _, _, inv_std = forward(x, gamma, beta)
    dgamma, dx = np.empty(3), np.empty_like(x)
    batch_norm_backward(dy, xhat, inv_std, gamma, dgamma, np.empty(3), dx)
    np.testing.assert_allclose(dx.sum(axis=0), 0, atol=1e-12)
    # A scaling of x changes y through ε alone.
    rest = gamma * dgamma * inv_std**3 * EPSILON
    np.testing.assert_allclose((dx * xhat).sum(axis=0), rest, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2])
def test_constant_features_stay_finite(n):
    x, gamma, beta = np.full((n, 3), 1e4), np.ones(3), np.full(3, 0.5)
    out, xhat, _, _, inv_std = forward(x, gamma, beta)
    assert (out == 0.5).all()
    dx = np.empty_like(x)
    batch_norm_backward(x, xhat, inv_std, gamma, np.empty(3), np.empty(3), dx)
    assert np.isfinite(dx).all()
