"""How many threads a booster takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from joblib import effective_n_jobs

from skdl._config import config_context

T = TypeVar("T")


class HasJobs(Protocol):
    """An estimator that takes threads.

    Attributes
    ----------
    n_jobs : int or None
        How many; None leaves the setting as it is, numbers mean what they mean to
        joblib.
    """

    n_jobs: int | None


def threads_of(estimator: HasJobs) -> AbstractContextManager[None]:
    """Return a context in which skdl's own work takes an estimator's `n_jobs` threads.

    Parameters
    ----------
    estimator : HasJobs
        Has `n_jobs`.

    Returns
    -------
    context : context manager
        For the current thread alone.
    """
    n_jobs = estimator.n_jobs
    return config_context(
        n_threads=None if n_jobs is None else effective_n_jobs(int(n_jobs))
    )


def on_threads_of(estimator: HasJobs, stages: Iterable[T]) -> Iterator[T]:
    """Work out one stage after another on an estimator's threads.

    Parameters
    ----------
    estimator : HasJobs
        Has `n_jobs`.
    stages : iterable
        Each item takes work.

    Yields
    ------
    stage : object
        Outside of the context: the caller's settings are not changed between them.
    """
    iterator = iter(stages)
    while True:
        with threads_of(estimator):
            try:
                stage = next(iterator)
            except StopIteration:
                return
        yield stage
