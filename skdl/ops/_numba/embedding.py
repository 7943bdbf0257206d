"""Rows of a table, looked up, and added up again (compiled)."""

from __future__ import annotations

import numpy as np

from skdl._config import n_threads
from skdl._typing import Array
from skdl.ops._numba._inner import entry
from skdl.ops._numba.images import copy_run
from skdl.ops._threads import run_chunks

_SHARED = 2**18  # numbers: what is worth a second thread
_BLOCK = 64  # columns whose sums stay in the first-level cache


@entry
def take(table, which, out, first, last):  # type: ignore[no-untyped-def]
    """``out[p] = table[which[p]]`` for p from `first` to `last` − 1; all are flat."""
    k = out.size // which.size
    for p in range(first, last):
        copy_run(table, which[p] * k, out, p * k, k)


@entry
def add_up(dy, which, out, first, last):  # type: ignore[no-untyped-def]
    """``out[which[p]] += dy[p]`` for the columns from `first` to `last` − 1."""
    zero = out.dtype.type(0)
    for i in range(out.shape[0]):
        out[i, first:last] = zero
    for p in range(which.size):
        to, row = out[which[p], first:last], dy[p, first:last]
        for j in range(to.size):
            to[j] += row[j]


def take_rows(table: Array, which: Array, out: Array) -> Array:
    """Twin of `skdl.ops.embedding.take_rows`."""
    flat = np.ascontiguousarray(which, np.intp).reshape(-1)
    n_chunks = n_threads() if out.size > _SHARED else 1
    source, target = np.ascontiguousarray(table).reshape(-1), out.reshape(-1)

    def work(i: int) -> None:
        n = len(flat)
        take(source, flat, target, n * i // n_chunks, n * (i + 1) // n_chunks)

    if flat.size:
        run_chunks(work, n_chunks)
    return out


def add_up_rows(dy: Array, which: Array, out: Array) -> Array:
    """Twin of `skdl.ops.embedding.add_up_rows`: each thread has columns of its own."""
    flat, k = np.ascontiguousarray(which, np.intp).reshape(-1), out.shape[-1]
    n_chunks = min(n_threads(), -(-k // _BLOCK)) if dy.size > _SHARED else 1
    size = -(-k // n_chunks)
    size += -size % 16  # whole vectors
    rows = dy.reshape(-1, k)

    def work(i: int) -> None:
        add_up(rows, flat, out, min(k, i * size), min(k, (i + 1) * size))

    run_chunks(work, n_chunks)
    return out
