"""Parameter updates in one pass over memory."""

from __future__ import annotations

import numpy as np

from skdl.ops._numba._inner import entry


@entry
def adam(theta, g, m, s, beta_1, beta_2, a, b, decay):  # type: ignore[no-untyped-def]
    """θ ← decay·θ − a·m/(√s + b), m and s the sums of `skdl.optimizers.Adam`.

    Parameters
    ----------
    theta, g, m, s : ndarray of shape (n,)
        Parameters, gradient and the two sums.
    beta_1, beta_2, a, b, decay : scalar of the same type
        The numbers of the formula.
    """
    for i in range(theta.size):
        m[i] = m[i] * beta_1 + g[i]
        s[i] = s[i] * beta_2 + g[i] * g[i]
        theta[i] = theta[i] * decay - m[i] / (np.sqrt(s[i]) + b) * a


@entry
def add_scaled(out, x, factor):  # type: ignore[no-untyped-def]
    """out ← out + factor·x.

    Parameters
    ----------
    out, x : ndarray of shape (n,)
        Vectors.
    factor : scalar of the same type
        The factor.
    """
    for i in range(out.size):
        out[i] += x[i] * factor
