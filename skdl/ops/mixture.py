"""Mixtures of Gaussians in the plane, as the outputs of a network (Graves 2013, §4.1).

The raw outputs of a point, of which there are 6·M for M components, give their weights
π = softmax(π̂), means μ₁, μ₂, scales σ = s + exp(σ̂) and correlations ρ = r·tanh(ρ̂).
The floor s and r < 1, which the paper does not have, bound the density.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from skdl._typing import Array

LARGEST_CORRELATION = 0.99


class Mixture(NamedTuple):
    """Mixtures of M Gaussians in the plane, one for each of N points.

    Attributes
    ----------
    weight : ndarray of shape (N, M)
        π, adding up to 1.
    mean : tuple of two ndarray of shape (N, M)
        μ₁ and μ₂.
    scale : tuple of two ndarray of shape (N, M)
        σ₁ and σ₂.
    correlation : ndarray of shape (N, M)
        ρ.
    """

    weight: Array
    mean: tuple[Array, Array]
    scale: tuple[Array, Array]
    correlation: Array


def split(raw: Array) -> list[Array]:
    """Return π̂, μ₁, μ₂, σ̂₁, σ̂₂ and ρ̂ as views into raw outputs.

    Parameters
    ----------
    raw : ndarray of shape (N, 6·M)
        Raw outputs.

    Returns
    -------
    parts : list of six ndarray of shape (N, M)
        Views.
    """
    m = raw.shape[1] // 6
    return [raw[:, k * m : (k + 1) * m] for k in range(6)]


def mixture(raw: Array, floor: float, bias: float = 0.0) -> Mixture:
    """Return the mixtures that raw outputs stand for.

    Parameters
    ----------
    raw : ndarray of shape (N, 6·M)
        Raw outputs.
    floor : float
        s, the least scale.
    bias : float, default=0.0
        b ≥ 0: the larger, the closer to what is most probable: exp(σ̂ − b) and
        softmax(π̂·(1 + b)) (Graves 2013, §5.5).

    Returns
    -------
    mixture : Mixture
        Fresh arrays, the means apart.
    """
    logit, m1, m2, s1, s2, r = split(raw)
    weight = logit * (1.0 + bias)
    weight -= weight.max(axis=1, keepdims=True)
    np.exp(weight, out=weight)
    weight /= weight.sum(axis=1, keepdims=True)
    scales = floor + np.exp(s1 - bias), floor + np.exp(s2 - bias)
    return Mixture(weight, (m1, m2), scales, LARGEST_CORRELATION * np.tanh(r))


def nll(
    points: Array,
    raw: Array,
    floor: float,
    gradient: Array,
    empty: Callable[..., Array] = np.empty,
) -> Array:
    """Return −ln of the mixtures' density at points, and its gradient.

    Parameters
    ----------
    points : ndarray of shape (N, 2)
        Where.
    raw : ndarray of shape (N, 6·M)
        Raw outputs.
    floor : float
        s, the least scale.
    gradient : ndarray of shape (N, 6·M)
        Receives the derivatives (Graves 2013, §4.1, with the bounds).
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives memory.

    Returns
    -------
    loss : ndarray of shape (N,)
        −ln Σₖ πₖ N(x | μₖ, σₖ, ρₖ).
    """
    shape = (len(raw), raw.shape[1] // 6)

    def new() -> Array:
        return empty(shape, raw.dtype)

    logit, m1, m2, s1, s2, r = split(raw)
    d_logit, d_m1, d_m2, d_s1, d_s2, d_r = split(gradient)
    t = np.tanh(r, out=new())
    rho = np.multiply(t, LARGEST_CORRELATION, out=new())
    c = np.multiply(rho, rho, out=new())
    np.subtract(1.0, c, out=c)
    np.divide(1.0, c, out=c)  # C = 1/(1 − ρ²)
    z, scale, rate = [], [], []
    for k, (m, s) in enumerate(((m1, s1), (m2, s2))):
        grown = np.exp(s, out=new())
        scale.append(np.add(grown, floor, out=new()))
        grown /= scale[k]
        rate.append(grown)  # ∂ ln σ/∂σ̂
        z.append(np.subtract(points[:, k, None], m, out=new()))
        z[k] /= scale[k]
    across = []  # C·(z₁ − ρ·z₂) and C·(z₂ − ρ·z₁)
    for one, other in ((z[0], z[1]), (z[1], z[0])):
        u = np.multiply(rho, other, out=new())
        np.subtract(one, u, out=u)
        u *= c
        across.append(u)

    # ln N = −ln 2π − ln σ₁ − ln σ₂ + ½ ln C − ½ C·Z, C·Z = Σ zₖ·acrossₖ
    q = np.multiply(z[0], across[0], out=new())
    work = np.multiply(z[1], across[1], out=new())
    q += work
    log_n = np.log(c, out=new())
    log_n -= q
    log_n *= 0.5
    for part in scale:
        log_n -= np.log(part, out=work)
    log_n -= math.log(2.0 * math.pi)
    joint = np.add(log_n, logit, out=log_n)
    share, total = _softmax(joint, new())  # γ, the responsibilities
    weight, norm = _softmax(logit, new())
    np.subtract(weight, share, out=d_logit)

    for k, (d_m, d_s) in enumerate(((d_m1, d_s1), (d_m2, d_s2))):
        np.multiply(z[k], across[k], out=work)
        work -= 1.0
        work *= rate[k]
        work *= share
        np.negative(work, out=d_s)
        np.multiply(share, across[k], out=work)
        work /= scale[k]
        np.negative(work, out=d_m)
    # ∂ ln N/∂ρ = C·(ρ + z₁·z₂ − ρ·C·Z)
    np.subtract(1.0, q, out=q)
    q *= rho
    np.multiply(z[0], z[1], out=work)
    q += work
    q *= c
    q *= share
    np.multiply(t, t, out=work)
    np.subtract(1.0, work, out=work)
    work *= -LARGEST_CORRELATION
    np.multiply(q, work, out=d_r)
    norm -= total
    return norm


def _softmax(a: Array, out: Array) -> tuple[Array, Array]:
    """Return softmax over the columns, and ln Σ exp."""
    largest = a.max(axis=1)
    np.subtract(a, largest[:, None], out=out)
    np.exp(out, out=out)
    total = out.sum(axis=1)
    out /= total[:, None]
    np.log(total, out=total)
    total += largest
    return out, total


def draw(mixtures: Mixture, rng: Any) -> Array:
    """Draw a point of each mixture.

    Parameters
    ----------
    mixtures : Mixture
        N of them.
    rng : numpy.random.Generator
        The source of randomness.

    Returns
    -------
    points : ndarray of shape (N, 2)
        One a mixture.
    """
    n = len(mixtures.weight)
    edges = mixtures.weight.cumsum(axis=1)
    which = (rng.random(n)[:, None] * edges[:, -1:] >= edges).sum(axis=1)
    which = np.minimum(which, edges.shape[1] - 1)
    rows = np.arange(n)
    (m1, m2), (s1, s2) = mixtures.mean, mixtures.scale
    rho = mixtures.correlation[rows, which]
    a, b = rng.normal(size=(2, n))
    b = rho * a + np.sqrt(1.0 - rho * rho) * b
    first = m1[rows, which] + s1[rows, which] * a
    return np.stack([first, m2[rows, which] + s2[rows, which] * b], axis=1)
