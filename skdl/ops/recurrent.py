"""Recurrent layers through time: simple, LSTM and GRU, forward and backward.

Arrays are time-major, (T, n, …); the products of the inputs of all steps, x·W + b, come
in `z`. A sequence that has ended keeps its state: ``h[t + 1] = h[t]`` from its length
on, so that the last state is that of its end. Products with the gradients of all steps
(to W, U and x) are the caller's. The NumPy reference stands here;
`skdl.ops._numba.recurrent` has its compiled twin.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from skdl._config import use_numba
from skdl._typing import Array
from skdl.ops.activation import sigmoid

Empty = Callable[..., Array]


def _twin() -> Any:
    return import_module("skdl.ops._numba.recurrent") if use_numba() else None


def ended(lengths: Array | None, n_steps: int) -> Array | None:
    """Return which sequences have ended at which step.

    Parameters
    ----------
    lengths : ndarray of int of shape (n,) or None
        Their lengths.
    n_steps : int
        T.

    Returns
    -------
    ended : ndarray of bool of shape (T, n) or None
        None where all last to the end.
    """
    if lengths is None or (lengths >= n_steps).all():
        return None
    return np.arange(n_steps)[:, None] >= lengths


def simple(
    z: Array,
    U: Array,
    h: Array,
    lengths: Array | None,
    relu: bool,
    empty: Empty = np.empty,
) -> None:
    """s_t = f(z_t + s_{t−1}·U), f = tanh or ReLU (Elman 1990).

    Parameters
    ----------
    z : ndarray of shape (T, n, H)
        Products of the inputs; overwritten.
    U : ndarray of shape (H, H)
        Weights of the state before.
    h : ndarray of shape (T + 1, n, H)
        States: ``h[0]`` is the start, the others are written.
    lengths : ndarray of int of shape (n,) or None
        Lengths of the sequences; None: all last to the end.
    relu : bool
        Whether f is ReLU.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.
    """
    if (twin := _twin()) is not None:
        return twin.simple(z, U, h, lengths, relu, empty)
    over = ended(lengths, len(z))
    for t in range(len(z)):
        z[t] += h[t] @ U
        np.maximum(z[t], 0, out=h[t + 1]) if relu else np.tanh(z[t], out=h[t + 1])
        _stay(h, t, over)


def simple_backward(
    dz: Array,
    h: Array,
    dy: Array,
    U: Array,
    dh: Array,
    lengths: Array | None,
    relu: bool,
    empty: Empty = np.empty,
) -> None:
    """Backward of `simple`: ∂L/∂z_t = (∂L/∂y_t + ∂L/∂s_t) ∘ f'.

    Parameters
    ----------
    dz : ndarray of shape (T, n, H)
        Receives the gradients of z.
    h : ndarray of shape (T + 1, n, H)
        States.
    dy : ndarray of shape (T, n, H)
        ∂L/∂(states) from above.
    U : ndarray of shape (H, H)
        Weights of the state before.
    dh : ndarray of shape (n, H)
        Gradient of the last state; becomes that of the first.
    lengths : ndarray of int of shape (n,) or None
        Lengths of the sequences; None: all last to the end.
    relu : bool
        Whether f is ReLU.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.
    """
    if (twin := _twin()) is not None:
        return twin.simple_backward(dz, h, dy, U, dh, lengths, relu, empty)
    over = ended(lengths, len(dz))
    for t in range(len(dz) - 1, -1, -1):
        dh += dy[t]
        slope = h[t + 1] > 0 if relu else 1 - h[t + 1] ** 2
        np.multiply(dh, slope, out=dz[t])
        _step_back(dz[t], dh, dz[t] @ U.T, t, over)


def lstm(
    z: Array,
    U: Array,
    h: Array,
    c: Array,
    bent: Array,
    lengths: Array | None,
    empty: Empty = np.empty,
) -> None:
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with forget gates).

    i, f, o = σ(…), g = tanh(…); c_t = f∘c_{t−1} + i∘g; h_t = o∘tanh(c_t).

    Parameters
    ----------
    z : ndarray of shape (T, n, 4H)
        Products of the inputs, in the order i, f, o, g; becomes the gates.
    U : ndarray of shape (H, 4H)
        Weights of the state before.
    h, c : ndarray of shape (T + 1, n, H)
        States and cells: the first is the start, the others are written.
    bent : ndarray of shape (T, n, H)
        Receives tanh(c_t).
    lengths : ndarray of int of shape (n,) or None
        Lengths of the sequences; None: all last to the end.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.
    """
    if (twin := _twin()) is not None:
        return twin.lstm(z, U, h, c, bent, lengths, empty)
    over = ended(lengths, len(z))
    H = h.shape[-1]
    for t in range(len(z)):
        row = z[t]
        row += h[t] @ U
        sigmoid(row[:, : 3 * H], row[:, : 3 * H])
        np.tanh(row[:, 3 * H :], out=row[:, 3 * H :])
        i, f, o, g = (row[:, k * H : (k + 1) * H] for k in range(4))
        np.multiply(f, c[t], out=c[t + 1])
        c[t + 1] += i * g
        np.tanh(c[t + 1], out=bent[t])
        np.multiply(o, bent[t], out=h[t + 1])
        _stay(h, t, over)
        _stay(c, t, over)


def lstm_backward(
    z: Array,
    c: Array,
    bent: Array,
    dy: Array,
    U: Array,
    dh: Array,
    dc: Array,
    lengths: Array | None,
    empty: Empty = np.empty,
) -> None:
    """Backward of `lstm`.

    Parameters
    ----------
    z : ndarray of shape (T, n, 4H)
        Gates; become the gradients before them.
    c : ndarray of shape (T + 1, n, H)
        Cells.
    bent : ndarray of shape (T, n, H)
        tanh(c_t).
    dy : ndarray of shape (T, n, H)
        ∂L/∂(states) from above.
    U : ndarray of shape (H, 4H)
        Weights of the state before.
    dh, dc : ndarray of shape (n, H)
        Gradients of the last state and cell; become those of the first.
    lengths : ndarray of int of shape (n,) or None
        Lengths of the sequences; None: all last to the end.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.
    """
    if (twin := _twin()) is not None:
        return twin.lstm_backward(z, c, bent, dy, U, dh, dc, lengths, empty)
    over = ended(lengths, len(z))
    H = dh.shape[-1]
    for t in range(len(z) - 1, -1, -1):
        i, f, o, g = (z[t][:, k * H : (k + 1) * H].copy() for k in range(4))
        dh += dy[t]
        of_c = dc + dh * o * (1 - bent[t] ** 2)
        row = z[t]
        row[:, 2 * H : 3 * H] = dh * bent[t] * o * (1 - o)
        row[:, H : 2 * H] = of_c * c[t] * f * (1 - f)
        row[:, :H] = of_c * g * i * (1 - i)
        row[:, 3 * H :] = of_c * i * (1 - g**2)
        of_c *= f
        if over is not None:
            of_c[over[t]] = dc[over[t]]
        dc[...] = of_c
        if over is not None:
            row[over[t]] = 0
        _step_back(row, dh, row @ U.T, t, over)


def gru(
    z: Array,
    U: Array,
    v: Array,
    h: Array,
    kept: Array,
    lengths: Array | None,
    empty: Empty = np.empty,
) -> None:
    """Gated recurrent unit (Cho et al. 2014), the reset gate inside the product.

    r, u = σ(z + h·U + v), n = tanh(z + r∘(h·U + v)), h_t = n + u∘(h_{t−1} − n), as
    PyTorch and cuDNN have it; in the paper r acts on h before the product.

    Parameters
    ----------
    z : ndarray of shape (T, n, 3H)
        Products of the inputs, in the order r, u, n; becomes the gates.
    U : ndarray of shape (H, 3H)
        Weights of the state before.
    v : ndarray of shape (3H,)
        Biases of its product.
    h : ndarray of shape (T + 1, n, H)
        States: ``h[0]`` is the start, the others are written.
    kept : ndarray of shape (T, n, H)
        Receives h·U_n + v_n.
    lengths : ndarray of int of shape (n,) or None
        Lengths of the sequences; None: all last to the end.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.
    """
    if (twin := _twin()) is not None:
        return twin.gru(z, U, v, h, kept, lengths, empty)
    over = ended(lengths, len(z))
    H = h.shape[-1]
    for t in range(len(z)):
        row, product = z[t], h[t] @ U + v
        row[:, : 2 * H] += product[:, : 2 * H]
        sigmoid(row[:, : 2 * H], row[:, : 2 * H])
        kept[t] = product[:, 2 * H :]
        r, u, new = row[:, :H], row[:, H : 2 * H], row[:, 2 * H :]
        new += r * kept[t]
        np.tanh(new, out=new)
        h[t + 1] = new + u * (h[t] - new)
        _stay(h, t, over)


def gru_backward(
    z: Array,
    h: Array,
    kept: Array,
    dz: Array,
    dy: Array,
    U: Array,
    dh: Array,
    lengths: Array | None,
    empty: Empty = np.empty,
) -> None:
    """Backward of `gru`.

    Parameters
    ----------
    z : ndarray of shape (T, n, 3H)
        Gates; become the gradients of the inputs' products.
    h : ndarray of shape (T + 1, n, H)
        States.
    kept : ndarray of shape (T, n, H)
        From the forward pass.
    dz : ndarray of shape (T, n, 3H)
        Receives the gradients of the states' products, which differ in n.
    dy : ndarray of shape (T, n, H)
        ∂L/∂(states) from above.
    U : ndarray of shape (H, 3H)
        Weights of the state before.
    dh : ndarray of shape (n, H)
        Gradient of the last state; becomes that of the first.
    lengths : ndarray of int of shape (n,) or None
        Lengths of the sequences; None: all last to the end.
    empty : callable, default=numpy.empty
        ``empty(shape, dtype)`` gives scratch memory.
    """
    if (twin := _twin()) is not None:
        return twin.gru_backward(z, h, kept, dz, dy, U, dh, lengths, empty)
    over = ended(lengths, len(z))
    H = dh.shape[-1]
    for t in range(len(z) - 1, -1, -1):
        r, u, new = (z[t][:, k * H : (k + 1) * H].copy() for k in range(3))
        dh += dy[t]
        row, of_product = z[t], dz[t]
        row[:, 2 * H :] = dh * (1 - u) * (1 - new**2)
        row[:, :H] = row[:, 2 * H :] * kept[t] * r * (1 - r)
        row[:, H : 2 * H] = dh * (h[t] - new) * u * (1 - u)
        if over is not None:
            row[over[t]] = 0
        of_product[...] = row
        of_product[:, 2 * H :] *= r
        _step_back(of_product, dh, of_product @ U.T + dh * u, t, over)


def _stay(state: Array, t: int, over: Array | None) -> None:
    if over is not None:
        state[t + 1][over[t]] = state[t][over[t]]


def _step_back(dz: Array, dh: Array, before: Array, t: int, over: Array | None) -> None:
    """Make dh the gradient of the state before, where a sequence has not ended."""
    if over is not None:
        dz[over[t]] = 0
        before[over[t]] = dh[over[t]]
    dh[...] = before
