"""From the steps of sequences to one row each."""

from __future__ import annotations

import numpy as np

from skdl._typing import Array


def own_steps(lengths: Array | None, n: int, n_steps: int) -> Array:
    """Return which steps are a sequence's own, and no padding.

    Parameters
    ----------
    lengths : ndarray of int of shape (n,) or None
        Their lengths; None where all last to the end.
    n, n_steps : int
        Sequences, and steps of the longest.

    Returns
    -------
    own : ndarray of bool of shape (n, n_steps)
        False behind the end.
    """
    if lengths is None:
        return np.ones((n, n_steps), bool)
    return np.arange(n_steps) < lengths[:, None]


def mean_of_steps(x: Array, share: Array, out: Array) -> Array:
    """Return the mean over a sequence's own steps.

    Parameters
    ----------
    x : ndarray of shape (n, n_steps, k)
        Sequences.
    share : ndarray of shape (n, n_steps)
        One over the length; 0 behind the end.
    out : ndarray of shape (n, k)
        Receives the means.

    Returns
    -------
    out : ndarray of shape (n, k)
        The means.
    """
    np.matmul(share[:, None], x, out=out[:, None])
    return out


def mean_of_steps_backward(dy: Array, share: Array, out: Array) -> Array:
    """∂L/∂x of `mean_of_steps`.

    Parameters
    ----------
    dy : ndarray of shape (n, k)
        ∂L/∂y.
    share : ndarray of shape (n, n_steps)
        As in the forward pass.
    out : ndarray of shape (n, n_steps, k)
        Receives ∂L/∂x.

    Returns
    -------
    out : ndarray of shape (n, n_steps, k)
        ∂L/∂x.
    """
    return np.multiply(share[:, :, None], dy[:, None], out=out)


def largest_of_steps(x: Array, own: Array, work: Array, which: Array) -> Array:
    """Find the largest number of each feature among a sequence's own steps.

    Parameters
    ----------
    x : ndarray of shape (n, n_steps, k)
        Sequences.
    own : ndarray of bool of shape (n, n_steps)
        From `own_steps`.
    work : ndarray of shape (n, n_steps, k)
        Overwritten.
    which : ndarray of int of shape (n, k)
        Receives the steps, the first of several.

    Returns
    -------
    y : ndarray of shape (n, k)
        The largest numbers, in the first step's memory of `work`.
    """
    work[...] = x
    work[~own] = -np.inf
    np.argmax(work, axis=1, out=which)
    out = work[:, 0]
    out[...] = np.take_along_axis(x, which[:, None], axis=1)[:, 0]
    return out


def largest_of_steps_backward(dy: Array, which: Array, out: Array) -> Array:
    """∂L/∂x of `largest_of_steps`: the gradient goes to the largest number alone.

    Parameters
    ----------
    dy : ndarray of shape (n, k)
        ∂L/∂y.
    which : ndarray of int of shape (n, k)
        From the forward pass.
    out : ndarray of shape (n, n_steps, k)
        Receives ∂L/∂x.

    Returns
    -------
    out : ndarray of shape (n, n_steps, k)
        ∂L/∂x.
    """
    out[...] = 0
    np.put_along_axis(out, which[:, None], dy[:, None], axis=1)
    return out
