"""The density of a pen's next point, against SciPy, PyTorch and finite differences."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax
from scipy.stats import multivariate_normal

from skdl.losses import StrokeLoss
from skdl.ops.mixture import LARGEST_CORRELATION, draw, mixture, nll
from skdl.testing import check_gradient

M = 3


def drawn(n=8, seed=0):
    """Return points and raw outputs of n steps."""
    rng = np.random.default_rng(seed)
    points = np.c_[rng.normal(size=(n, 2)), np.arange(n) % 2]
    return points, rng.normal(size=(n, 1 + 6 * M))


def by_scipy(point, raw, floor):
    """Return the loss of one point, density by density."""
    logit, *parts = raw[0], *np.split(raw[1:], 6)
    pi, m1, m2, s1, s2, r = parts
    s1, s2, rho = floor + np.exp(s1), floor + np.exp(s2), 0.99 * np.tanh(r)
    density = sum(
        weight
        * multivariate_normal([a, b], [[u * u, c * u * v], [c * u * v, v * v]]).pdf(
            point[:2]
        )
        for weight, a, b, u, v, c in zip(
            np.exp(log_softmax(pi)), m1, m2, s1, s2, rho, strict=True
        )
    )
    p = expit(logit)
    return -np.log(density) - np.log(p if point[2] else 1 - p)


@pytest.mark.parametrize("floor", [0.01, 0.5])
def test_values_are_those_of_scipy(floor):
    points, raw = drawn()
    loss, _ = StrokeLoss(M, floor).evaluate(points, raw)
    expected = [by_scipy(*pair, floor) for pair in zip(points, raw, strict=True)]
    np.testing.assert_allclose(loss, expected, rtol=1e-10)


@pytest.mark.reference
def test_values_and_gradients_are_those_of_pytorch():
    import torch
    from torch import distributions as d

    points, raw = drawn()
    loss, gradient = StrokeLoss(M, 0.02).evaluate(points, raw)
    z = torch.tensor(raw, requires_grad=True)
    pi, m1, m2, s1, s2, r = torch.split(z[:, 1:], M, dim=1)
    s1, s2, rho = 0.02 + s1.exp(), 0.02 + s2.exp(), 0.99 * r.tanh()
    tril = torch.stack(
        [s1, torch.zeros_like(s1), rho * s2, s2 * (1 - rho**2).sqrt()], dim=-1
    ).reshape(-1, M, 2, 2)
    normal = d.MultivariateNormal(torch.stack([m1, m2], -1), scale_tril=tril)
    moves = d.MixtureSameFamily(d.Categorical(logits=pi), normal)
    target = torch.tensor(points)
    expected = -moves.log_prob(target[:, :2])
    expected = expected - d.Bernoulli(logits=z[:, 0]).log_prob(target[:, 2])
    np.testing.assert_allclose(loss, expected.detach().numpy(), rtol=1e-10)
    expected.sum().backward()
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("floor", [0.01, 0.5])
def test_gradient(floor):
    points, raw = drawn()
    loss = StrokeLoss(M, floor)

    def total(theta):
        values, gradient = loss.evaluate(points, theta)
        return values.sum(), gradient

    check_gradient(total, raw)


def test_steps_of_sequences_are_rows():
    points, raw = drawn(8)
    loss, gradient = StrokeLoss(M).evaluate(points, raw)
    stacked = StrokeLoss(M).evaluate(points.reshape(2, 4, 3), raw.reshape(2, 4, -1))
    np.testing.assert_array_equal(stacked[0].ravel(), loss)
    np.testing.assert_array_equal(stacked[1].reshape(gradient.shape), gradient)
    assert StrokeLoss(M)(points, raw) == pytest.approx(loss.mean())


def test_far_points_and_narrow_components_stay_finite():
    points, raw = drawn()
    points[:, :2] *= 1e4
    raw[:, 1 + 3 * M : 1 + 5 * M] = -60.0
    raw[:, 1 + 5 * M :] = 40.0
    for dtype in (np.float32, np.float64):
        results = StrokeLoss(M).evaluate(points.astype(dtype), raw.astype(dtype))
        assert all(np.isfinite(part).all() for part in results)


def test_the_density_adds_up_to_one():
    _, raw = drawn(1, seed=3)
    raw[0, 1 + 3 * M : 1 + 5 * M] = 0.0

    side = np.arange(-9, 9, 0.04)  # the rule of midpoints is exact to ten digits here
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    many = np.repeat(raw[:, 1:], len(points), axis=0)
    total = np.exp(-nll(points, many, 0.01, np.empty_like(many))).sum() * 0.04**2
    assert total == pytest.approx(1.0, abs=1e-6)


def test_draws_have_the_moments_of_the_mixture():
    _, raw = drawn(1, seed=1)
    parts = mixture(raw[:, 1:], 0.01)
    n = 40_000
    many = mixture(np.repeat(raw[:, 1:], n, axis=0), 0.01)
    points = draw(many, np.random.default_rng(0))
    weight, means = parts.weight[0], np.stack([m[0] for m in parts.mean])
    expected = means @ weight
    s1, s2 = parts.scale[0][0], parts.scale[1][0]
    across = parts.correlation[0] * s1 * s2
    within = np.array(
        [[s1**2 @ weight, across @ weight], [across @ weight, s2**2 @ weight]]
    )
    cov = within + (means * weight) @ means.T - np.outer(expected, expected)
    spread = np.sqrt(np.diag(cov) / n)
    assert (np.abs(points.mean(axis=0) - expected) < 4 * spread).all()
    np.testing.assert_allclose(np.cov(points.T), cov, atol=0.05 * np.diag(cov).max())


def test_bias_sharpens():
    _, raw = drawn()
    free, sharp = mixture(raw[:, 1:], 0.0), mixture(raw[:, 1:], 0.0, bias=2.0)
    np.testing.assert_allclose(sharp.scale[0], free.scale[0] * np.exp(-2.0))
    expected = free.weight**3 / (free.weight**3).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(sharp.weight, expected)
    assert np.abs(free.correlation).max() < LARGEST_CORRELATION


def test_wrong_settings_and_targets():
    points, raw = drawn()
    with pytest.raises(ValueError, match="'n_components' parameter of StrokeLoss"):
        StrokeLoss(0)(points, raw)
    with pytest.raises(ValueError, match="'min_scale' parameter of StrokeLoss"):
        StrokeLoss(M, 0.0)(points, raw)
    points[2, 2] = 0.5
    with pytest.raises(ValueError, match=r"must be 1 where the pen .* got 0\.5"):
        StrokeLoss(M).check_targets(points)
