"""A pool of threads for work that releases the GIL.

Handing a task to a thread and getting it back takes 10 to 20 µs here, half of what
`concurrent.futures` takes: products of a quarter of a millisecond are worth a second
thread.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from skdl._config import n_threads


class Task:
    """Something that a thread of the pool does, unless it is taken back first.

    Parameters
    ----------
    function : callable
        What.
    args : tuple
        Its arguments.
    """

    __slots__ = ("_ended", "_error", "_token", "args", "function")

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args
        self._token = [None]  # who takes it out may run the task
        self._ended = Lock()
        self._ended.acquire()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do it, if nobody else has and it was not taken back."""
        if not self._take():
            return
        try:
            self.function(*self.args)
        except BaseException as error:
            self._error = error
        finally:
            self._ended.release()

    def release(self) -> None:
        """Wait for the task if it runs, take it back if it does not.

        Raises
        ------
        Exception
            What the task raised.
        """
        if self._take():
            return
        with self._ended:
            pass
        if self._error is not None:
            raise self._error

    def _take(self) -> bool:
        try:
            self._token.pop()
        except IndexError:
            return False
        return True


class _Pool:
    """Threads that wait for tasks; they end with the program."""

    def __init__(self) -> None:
        self.tasks: SimpleQueue[Task] = SimpleQueue()
        for i in range(os.cpu_count() or 1):
            Thread(target=self._work, name=f"skdl_{i}", daemon=True).start()

    def _work(self) -> None:
        while True:
            self.tasks.get().run()


_pools: list[_Pool] = []
# A forked child has no threads: it must not wait for those of its parent.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)


def submit(function: Callable[..., Any], *args: Any) -> Task:
    """Run a function on a thread of the pool.

    Parameters
    ----------
    function : callable
        What to run; it releases the GIL where it takes long.
    *args : object
        Its arguments.

    Returns
    -------
    task : Task
        To wait for, or to take back.
    """
    if not _pools:
        _pools.append(_Pool())
    task = Task(function, args)
    _pools[0].tasks.put(task)
    return task


def release(task: Task) -> None:
    """Wait for a task if it runs, take it back if it does not.

    Parameters
    ----------
    task : Task
        What `submit` returned.
    """
    task.release()


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
    n_workers = min(n_threads() if limit is None else limit, n_chunks)
    if n_workers <= 1:
        for chunk in range(n_chunks):
            function(chunk)
        return
    chunks = itertools.count()
    failures: dict[int, Exception] = {}
    stop: list[bool] = []

    def work() -> None:
        while not stop and (chunk := next(chunks)) < n_chunks:
            try:
                function(chunk)
            except Exception as error:
                failures[chunk] = error
                stop.append(True)

    helpers = [submit(copy_context().run, work) for _ in range(n_workers - 1)]
    try:
        work()
    finally:  # also when interrupted
        stop.append(True)
        for helper in helpers:
            release(helper)
    if failures:
        raise failures[min(failures)]
