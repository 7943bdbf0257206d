"""One BLAS thread, so that the order of sums is nobody's choice but ours.

A BLAS library cuts a product into a part for each of its threads, and the kernel for
the odd rows at the end of a part may add up in another order than the main one: the
last digits then depend on the number of threads (OpenBLAS on AVX2 processors: already
for a few rows and columns). While networks compute, the libraries therefore have one
thread. Products that are worth two are cut by `linear.product`, at places that depend
on the shapes alone, and share skdl's own threads. Networks that do little but such
products give the libraries their threads back: a library's threads wait for work in a
loop, and begin it some 40 µs earlier than a thread that has to be woken.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

from skdl import _config

# No library shares a product of fewer multiplications between threads (OpenBLAS begins
# at 9,216 for a vector and 262,144 for two matrices).
SMALL = 9000


class _Held:
    """How many blocks have one thread now, and what the libraries had before."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.depth = 0
        self.before: list[int] = []
        self.lent = False  # the libraries have them for a while


_held = _Held()
# The child of a fork has none of the threads that were inside a block.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_held.__init__)  # type: ignore[misc]


@lru_cache(maxsize=1)
def _libraries() -> list[Any]:
    return ThreadpoolController().select(user_api="blas").lib_controllers


@lru_cache(maxsize=1)
def _is_set_by_thread() -> bool:
    """Return whether a library's number of threads belongs to the calling thread."""
    layers = [getattr(lib, "threading_layer", "") for lib in _libraries()]
    return "openmp" in layers


def _set(numbers: list[int]) -> None:
    for library, n in zip(_libraries(), numbers, strict=True):
        # From version 3.8 on `set_num_threads` does nothing on other threads than the
        # first that called it: a fit there would have as many as that one chose.
        at_once = getattr(library, "_real_set_num_threads", library.set_num_threads)
        at_once(n)


def _to_one() -> None:
    if max(_held.before, default=1) > 1:
        _set([1] * len(_libraries()))


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Compute with one BLAS thread inside a `with` block.

    Blocks may be nested, and entered by several threads at once: the last one to end
    gives the libraries back the threads they had before the first.

    Yields
    ------
    None
    """
    with _held.lock:
        lent, _held.lent = _held.lent, False
        if not _held.depth:
            _held.before = [library.get_num_threads() for library in _libraries()]
        if lent or _is_set_by_thread() or not _held.depth:
            _to_one()
        _held.depth += 1
    try:
        yield
    finally:
        with _held.lock:
            _held.depth -= 1
            if not _held.depth or (lent and _held.depth == 1):
                _held.lent = _held.depth == 1
                if max(_held.before, default=1) > 1:
                    _set(_held.before)


@contextmanager
def library_threads() -> Iterator[None]:
    """Give the libraries their threads back, inside of `one_blas_thread`.

    Nothing happens where several threads are inside of it, which then have enough to
    do, and outside.

    Yields
    ------
    None
    """
    with _held.lock:
        lends = _held.depth == 1 and not _held.lent
        if lends:
            _held.lent = True
            _set(_held.before)
    try:
        yield
    finally:
        with _held.lock:
            if lends and _held.lent:
                _held.lent = False
                _to_one()


def n_threads() -> int:
    """Return how many threads may share a product now.

    Returns
    -------
    n : int
        0 where the libraries share it themselves: outside of `one_blas_thread`, and in
        `library_threads`; else skdl's number of threads, or that of the libraries
        before, if fewer.
    """
    if not _held.depth or _held.lent:
        return 0
    return min(_config.n_threads(), max(_held.before, default=_config.n_threads()))


def helping() -> None:
    """Have one BLAS thread on a thread that helps with a product."""
    if _is_set_by_thread():
        _to_one()
