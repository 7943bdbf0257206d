"""A pool of threads for work that releases the GIL."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import Event
from typing import Any

from skdl._config import n_threads

_pools: list[ThreadPoolExecutor] = []
# A forked child has no threads: it must not wait for those of its parent.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)


def submit(function: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run a function on a thread of the pool.

    Parameters
    ----------
    function : callable
        What to run; it releases the GIL where it takes long.
    *args : object
        Its arguments.

    Returns
    -------
    future : Future
        Its result to be.
    """
    if not _pools:
        _pools.append(ThreadPoolExecutor(os.cpu_count() or 1, "skdl"))
    return _pools[0].submit(function, *args)


def release(future: Future[Any]) -> None:
    """Wait for a task if it runs, cancel it if it does not.

    Parameters
    ----------
    future : Future
        What `submit` returned.
    """
    if not future.cancel():
        future.result()


def run_chunks(
    function: Callable[[int], Any], n_chunks: int, limit: int | None = None
) -> None:
    """Call ``function(0)`` … ``function(n_chunks − 1)``, on several threads.

    The other threads see the caller's context: `config_context`, NumPy's `errstate`.

    Parameters
    ----------
    function : callable
        Writes its result to memory of its own, so that the order does not matter.
    n_chunks : int
        Number of calls; chosen from the data, never from the number of threads.
    limit : int, default=None
        At most so many threads; None takes those of the configuration.

    Raises
    ------
    Exception
        The first chunk's of those that fail; no other chunks are begun then. An
        interrupt of the caller's thread comes first.
    """
    chunks = itertools.count()
    failures: dict[int, Exception] = {}
    stop = Event()

    def work() -> None:
        while not stop.is_set() and (chunk := next(chunks)) < n_chunks:
            try:
                function(chunk)
            except Exception as error:
                failures[chunk] = error
                stop.set()

    n_workers = min(n_threads() if limit is None else limit, n_chunks)
    helpers = [submit(copy_context().run, work) for _ in range(n_workers - 1)]
    try:
        work()
    finally:  # also when interrupted
        stop.set()
        for helper in helpers:
            release(helper)
    if failures:
        raise failures[min(failures)]
