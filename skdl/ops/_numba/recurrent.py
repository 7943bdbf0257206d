"""Recurrent layers through time on the register tile (compiled).

Each thread takes its rows of the batch through all steps in one call, so that nothing
waits inside of a sequence; gates are computed in place while their rows are in the
cache. Rows go from the longest sequence to the shortest, so that at each step the first
few are those that go on. The bits of a row do not depend on how rows are shared out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from skdl._config import n_threads
from skdl._typing import Array
from skdl.ops._numba._inner import entry, inner
from skdl.ops._numba.curves import sigmoid, tanh
from skdl.ops._numba.images import fill_panels
from skdl.ops._numba.tile import FROM_B, fill_rows, tile
from skdl.ops._numba.vector import BYTES
from skdl.ops._threads import run_chunks

Empty = Callable[..., Array]

_SHARED = 1_000_000  # multiplications that are worth one more thread

# Batches are small: four rows a tile, so that few are computed in vain, and as many
# columns as it takes to hide how long a multiplication lasts.
MR_STEP, NV_STEP = 4, 2 if BYTES == 64 else 3


@inner
def product(a, a0, rows, n, k, panels, n_columns, c, outs, step):  # type: ignore[no-untyped-def]
    """c = b + a·W for the first n rows."""
    n_panels, depth, nr = panels.shape
    flat, floor = panels.reshape(panels.size), a.dtype.type(-np.inf)
    for p in range(n_panels):
        b0, left = (p * depth + 1) * nr, n_columns - p * nr
        for r in range(0, n, MR_STEP):
            tile(MR_STEP, NV_STEP, FROM_B, a, a0, rows, r, step, 0, flat, b0,
                 c, p * nr, outs, r, 1, k, 1, 0, nr, left, floor)  # fmt: skip


@inner
def stay(state, t, which, first):  # type: ignore[no-untyped-def]
    """Keep the states of the rows whose sequences have ended."""
    for i in which[first:]:
        before, after = state[t, i], state[t + 1, i]
        for j in range(before.size):
            after[j] = before[j]


# ---- f(z + s·U)


@entry
def simple_forward(z, h, s, U, which, goes_on, rows, outs, step, relu):  # type: ignore[no-untyped-def]
    """Twin of `skdl.ops.recurrent.simple`; `s` is scratch memory of shape (n, H)."""
    T, n, H = z.shape
    s1, h1, zero = s.reshape(s.size), h.reshape(h.size), z.dtype.type(0)
    for t in range(T):
        product(h1, t * n * H, rows, goes_on[t], H, U, H, s1, rows, step)
        for i in which[: goes_on[t]]:
            row, of_h, out = z[t, i], s[i], h[t + 1, i]
            if relu:
                for j in range(H):
                    value = row[j] + of_h[j]
                    out[j] = zero if value < zero else value
            else:
                for j in range(H):
                    out[j] = tanh(row[j] + of_h[j])
        stay(h, t, which, goes_on[t])


@entry
def simple_back(dz, h, dy, dh, s, UT, which, goes_on, rows, outs, step, relu):  # type: ignore[no-untyped-def]
    """Twin of `skdl.ops.recurrent.simple_backward`; `s` begins as zeros.

    The gradient of a state is dh + s: dh stays where a sequence has ended, s comes from
    the step behind.
    """
    T, n, H = dz.shape
    dz1, s1 = dz.reshape(dz.size), s.reshape(s.size)
    zero, one = dz.dtype.type(0), dz.dtype.type(1)
    for t in range(T - 1, -1, -1):
        for i in which[goes_on[t] :]:
            dz[t, i] = zero
            add_rows(dh[i], dy[t, i])
        for i in which[: goes_on[t]]:
            to, up, of_h, back, y = dz[t, i], dy[t, i], dh[i], s[i], h[t + 1, i]
            if relu:
                for j in range(H):
                    d = up[j] + of_h[j] + back[j]
                    to[j] = d if y[j] > zero else zero
                    of_h[j] = zero
            else:
                for j in range(H):
                    to[j] = (up[j] + of_h[j] + back[j]) * (one - y[j] * y[j])
                    of_h[j] = zero
        product(dz1, t * n * H, rows, goes_on[t], H, UT, H, s1, rows, step)
    for i in which:
        add_rows(dh[i], s[i])


@inner
def add_rows(a, b):  # type: ignore[no-untyped-def]
    """a += b."""
    for j in range(a.size):
        a[j] += b[j]


# ---- LSTM: gates in the order i, f, o, g


@entry
def lstm_forward(z, h, c, bent, s, U, which, goes_on, rows, outs, step):  # type: ignore[no-untyped-def]
    """Twin of `skdl.ops.recurrent.lstm`; `s` is scratch memory of shape (n, 4H)."""
    T, n, H = bent.shape
    s1, h1 = s.reshape(s.size), h.reshape(h.size)
    for t in range(T):
        product(h1, t * n * H, rows, goes_on[t], H, U, 4 * H, s1, outs, step)
        for i in which[: goes_on[t]]:
            row, of_h = z[t, i], s[i]
            for j in range(3 * H):
                row[j] = sigmoid(row[j] + of_h[j])
            for j in range(3 * H, 4 * H):
                row[j] = tanh(row[j] + of_h[j])
            before, after, turned, out = c[t, i], c[t + 1, i], bent[t, i], h[t + 1, i]
            for j in range(H):
                value = row[H + j] * before[j] + row[j] * row[3 * H + j]
                after[j] = value
                turned[j] = tanh(value)
                out[j] = row[2 * H + j] * turned[j]
        stay(h, t, which, goes_on[t])
        stay(c, t, which, goes_on[t])


@entry
def lstm_back(z, c, bent, dy, dh, dc, s, UT, which, goes_on, rows, outs, step):  # type: ignore[no-untyped-def]
    """Twin of `skdl.ops.recurrent.lstm_backward`; `s` begins as zeros."""
    T, n, H = bent.shape
    z1, s1 = z.reshape(z.size), s.reshape(s.size)
    zero, one = z.dtype.type(0), z.dtype.type(1)
    for t in range(T - 1, -1, -1):
        for i in which[goes_on[t] :]:
            z[t, i] = zero
            add_rows(dh[i], dy[t, i])
        for i in which[: goes_on[t]]:
            row, turned, before = z[t, i], bent[t, i], c[t, i]
            up, of_h, of_c, back = dy[t, i], dh[i], dc[i], s[i]
            for j in range(H):
                a, f, o, g = row[j], row[H + j], row[2 * H + j], row[3 * H + j]
                d = up[j] + of_h[j] + back[j]
                of_h[j] = zero
                e = of_c[j] + d * o * (one - turned[j] * turned[j])
                row[2 * H + j] = d * turned[j] * o * (one - o)
                row[H + j] = e * before[j] * f * (one - f)
                row[j] = e * g * a * (one - a)
                row[3 * H + j] = e * a * (one - g * g)
                of_c[j] = e * f
        product(z1, 4 * t * n * H, outs, goes_on[t], 4 * H, UT, H, s1, rows, step)
    for i in which:
        add_rows(dh[i], s[i])


# ---- GRU: gates in the order r, u, n


@entry
def gru_forward(z, h, kept, s, U, which, goes_on, rows, outs, step):  # type: ignore[no-untyped-def]
    """Twin of `skdl.ops.recurrent.gru`; `s` is scratch memory of shape (n, 3H)."""
    T, n, H = kept.shape
    s1, h1 = s.reshape(s.size), h.reshape(h.size)
    for t in range(T):
        product(h1, t * n * H, rows, goes_on[t], H, U, 3 * H, s1, outs, step)
        for i in which[: goes_on[t]]:
            row, of_h = z[t, i], s[i]
            before, after, keep = h[t, i], h[t + 1, i], kept[t, i]
            for j in range(2 * H):
                row[j] = sigmoid(row[j] + of_h[j])
            for j in range(H):
                keep[j] = of_h[2 * H + j]
                new = tanh(row[2 * H + j] + row[j] * keep[j])
                row[2 * H + j] = new
                after[j] = new + row[H + j] * (before[j] - new)
        stay(h, t, which, goes_on[t])


@entry
def gru_back(z, h, kept, dz, dy, dh, s, UT, which, goes_on, rows, outs, step):  # type: ignore[no-untyped-def]
    """Twin of `skdl.ops.recurrent.gru_backward`; `s` begins as zeros."""
    T, n, H = kept.shape
    dz1, s1 = dz.reshape(dz.size), s.reshape(s.size)
    zero, one = z.dtype.type(0), z.dtype.type(1)
    for t in range(T - 1, -1, -1):
        for i in which[goes_on[t] :]:
            z[t, i] = zero
            dz[t, i] = zero
            add_rows(dh[i], dy[t, i])
        for i in which[: goes_on[t]]:
            row, to, before, keep = z[t, i], dz[t, i], h[t, i], kept[t, i]
            up, of_h, back = dy[t, i], dh[i], s[i]
            for j in range(H):
                r, u, new = row[j], row[H + j], row[2 * H + j]
                d = up[j] + of_h[j] + back[j]
                e = d * (one - u) * (one - new * new)
                of_r = e * keep[j] * r * (one - r)
                of_u = d * (before[j] - new) * u * (one - u)
                row[j] = of_r
                row[H + j] = of_u
                row[2 * H + j] = e
                to[j] = of_r
                to[H + j] = of_u
                to[2 * H + j] = e * r
                of_h[j] = d * u
        product(dz1, 3 * t * n * H, outs, goes_on[t], 3 * H, UT, H, s1, rows, step)
    for i in which:
        add_rows(dh[i], s[i])


# ---- what calls them


class _Share(NamedTuple):
    """The rows that a thread takes through time, longest sequences first.

    `which` has their numbers, `goes_on` how many go on at each step, `rows` and `outs`
    where they begin in arrays of H and of G columns.
    """

    which: Array
    goes_on: Array
    rows: Array
    outs: Array


_STEP = np.zeros(1, np.int64)


def _shares(n: int, n_steps: int, H: int, G: int, lengths: Array | None) -> Any:
    threads = min(n_threads(), max(1, n * n_steps * H * G // _SHARED))
    if lengths is None:
        return _even_shares(n, n_steps, H, G, threads)
    order = np.argsort(-lengths, kind="stable")
    steps = np.arange(n_steps)[:, None]
    return [
        _share(order[i::threads], (lengths[order[i::threads]] > steps).sum(1), H, G)
        for i in range(min(threads, n))
    ]


@lru_cache(maxsize=64)
def _even_shares(n: int, n_steps: int, H: int, G: int, threads: int) -> list[_Share]:
    size = -(-n // threads)
    size += -size % MR_STEP  # full tiles
    return [
        _share(np.arange(i, min(n, i + size)), np.full(n_steps, min(n - i, size)), H, G)
        for i in range(0, n, size)
    ]


def _share(which: Array, goes_on: Array, H: int, G: int) -> _Share:
    rows = fill_rows(which.astype(np.int64), MR_STEP)
    return _Share(which.astype(np.int64), goes_on.astype(np.int64), rows * H, rows * G)


@lru_cache(maxsize=64)
def _picks(k: int, apart: int) -> Array:
    return np.append(-1, np.arange(k, dtype=np.int64) * apart)


def pack(W: Array, bias: Array | None, transposed: bool, empty: Empty) -> Array:
    """Lay W, or Wᵀ, out in panels as the tile reads it.

    Parameters
    ----------
    W : ndarray of shape (H, G)
        Weights.
    bias : ndarray of shape (G,) or None
        What the sums start from.
    transposed : bool
        Whether to lay out Wᵀ.
    empty : callable
        ``empty(shape, dtype)`` gives memory.

    Returns
    -------
    panels : ndarray of shape (n_panels, depth, columns of a tile)
        The panels.
    """
    (k, n), apart = W.shape, 1
    picks = _picks(k, n)
    if transposed:
        k, n, apart = n, k, n
        picks = _picks(k, 1)
    nr = NV_STEP * BYTES // W.itemsize
    panels = empty((1, -(-n // nr), k + 1, nr), W.dtype)
    if bias is None:
        bias = _zeros(n, W.dtype)
    biases = np.ascontiguousarray(bias, W.dtype).reshape(1, -1)
    fill_panels(W.dtype, W.reshape(-1), picks, apart, 0, biases, panels)
    return panels[0]


@lru_cache(maxsize=64)
def _zeros(n: int, dtype: Any) -> Array:
    return np.zeros(n, dtype)


def _zeroed(shape: Any, dtype: Any, empty: Empty) -> Array:
    array = empty(shape, dtype)
    array[...] = 0
    return array


def through_time(
    kernel: Any,
    arrays: tuple[Array, ...],
    panels: Array,
    shape: tuple[int, int],
    lengths: Array | None,
    *more: Any,
) -> None:
    """Call a kernel for the rows of each share, on several threads where that pays.

    Parameters
    ----------
    kernel : dispatcher
        One of those above.
    arrays : tuple of ndarray
        What it works on; the first one is of shape (T, n, …).
    panels : ndarray
        From `pack`.
    shape : tuple of (int, int)
        H and G.
    lengths : ndarray of int of shape (n,) or None
        Lengths of the sequences.
    *more : object
        Its last arguments.
    """
    T, n = arrays[0].shape[:2]
    shares = _shares(n, T, *shape, lengths)

    def work(i: int) -> None:
        kernel(*arrays, panels, *shares[i], _STEP, *more)

    run_chunks(work, len(shares))


def simple(
    z: Array, U: Array, h: Array, lengths: Array | None, relu: bool, empty: Empty
) -> None:
    """Twin of `skdl.ops.recurrent.simple`."""
    panels = pack(U, None, False, empty)
    arrays = z, h, empty(z.shape[1:], z.dtype)
    through_time(simple_forward, arrays, panels, U.shape, lengths, relu)


def simple_backward(
    dz: Array, h: Array, dy: Array, U: Array, dh: Array, lengths: Array | None,
    relu: bool, empty: Empty,
) -> None:  # fmt: skip
    """Twin of `skdl.ops.recurrent.simple_backward`."""
    arrays = dz, h, dy, dh, _zeroed(dh.shape, dh.dtype, empty)
    panels = pack(U, None, True, empty)
    through_time(simple_back, arrays, panels, U.shape, lengths, relu)


def lstm(
    z: Array, U: Array, h: Array, c: Array, bent: Array, lengths: Array | None,
    empty: Empty,
) -> None:  # fmt: skip
    """Twin of `skdl.ops.recurrent.lstm`."""
    panels = pack(U, None, False, empty)
    arrays = z, h, c, bent, empty(z.shape[1:], z.dtype)
    through_time(lstm_forward, arrays, panels, U.shape, lengths)


def lstm_backward(
    z: Array, c: Array, bent: Array, dy: Array, U: Array, dh: Array, dc: Array,
    lengths: Array | None, empty: Empty,
) -> None:  # fmt: skip
    """Twin of `skdl.ops.recurrent.lstm_backward`."""
    arrays = z, c, bent, dy, dh, dc, _zeroed(dh.shape, dh.dtype, empty)
    panels = pack(U, None, True, empty)
    through_time(lstm_back, arrays, panels, U.shape, lengths)


def gru(
    z: Array, U: Array, v: Array, h: Array, kept: Array, lengths: Array | None,
    empty: Empty,
) -> None:  # fmt: skip
    """Twin of `skdl.ops.recurrent.gru`."""
    arrays = z, h, kept, empty(z.shape[1:], z.dtype)
    panels = pack(U, v, False, empty)
    through_time(gru_forward, arrays, panels, U.shape, lengths)


def gru_backward(
    z: Array, h: Array, kept: Array, dz: Array, dy: Array, U: Array, dh: Array,
    lengths: Array | None, empty: Empty,
) -> None:  # fmt: skip
    """Twin of `skdl.ops.recurrent.gru_backward`."""
    arrays = z, h, kept, dz, dy, dh, _zeroed(dh.shape, dh.dtype, empty)
    panels = pack(U, None, True, empty)
    through_time(gru_back, arrays, panels, U.shape, lengths)
