"""Parameter updates in one pass over memory."""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.ops._numba._inner import entry
from skdl.ops._numba.images import chunks_of
from skdl.ops._numba.team import Kernel

SHARED = 2**16  # numbers that are worth a second thread
UPDATE = 24  # multiplications of a convolution that take as long as a number here


def change(kernel: Kernel, vectors: list[Array], numbers: list[float]) -> None:
    """Call a kernel of this file that changes each number of θ by itself.

    Parameters
    ----------
    kernel : Kernel
        It is given the vectors and the numbers.
    vectors : list of ndarray of shape (n,)
        θ, the gradient and what else there is.
    numbers : list of float
        They get the type of θ.
    """
    theta = vectors[0]
    n, kinds = len(theta), tuple(vector.dtype for vector in vectors)
    args = (*vectors, *map(theta.dtype.type, numbers))
    # For few numbers helpers would watch out in vain for the rest of the step.
    if not all(vector.flags.c_contiguous for vector in vectors):
        kernel.compiled(*args, 0, n, 0)  # compiled for these, too
        return
    kernel(kinds, args, n, chunks_of(n, UPDATE) if n > SHARED else 1)


@Kernel
def adam(theta, g, m, s, beta_1, beta_2, a, b, decay, first, last, slot):  # type: ignore[no-untyped-def]
    """θ ← decay·θ − a·m/(√s + b), m and s the sums of `skdl.optimizers.Adam`.

    Parameters
    ----------
    theta, g, m, s : ndarray of shape (n,)
        Parameters, gradient and the two sums.
    beta_1, beta_2, a, b, decay : scalar of the same type
        The numbers of the formula.
    first, last, slot : int
        Which of them; the thread's place.
    """
    theta, g, m, s = theta[first:last], g[first:last], m[first:last], s[first:last]
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
