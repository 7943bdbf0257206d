"""Global settings: which engine computes, and on how many threads."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from numbers import Integral
from typing import Any

from skdl._warn import warn

ENGINES = ("auto", "numpy", "numba")
NUMBA_TESTED = (0, 61), (0, 68)

_global: dict[str, Any] = {"engine": "auto", "n_threads": "auto"}
_local: ContextVar[dict[str, Any] | None] = ContextVar("skdl_config", default=None)


def _checked(engine: str | None, n_threads: int | str | None) -> dict[str, Any]:
    new: dict[str, Any] = {}
    if engine is not None:
        if engine not in ENGINES:
            raise ValueError(f"engine must be one of {ENGINES}, got {engine!r}.")
        if engine == "numba" and not has_numba():
            raise ImportError(
                'engine="numba" needs Numba: pip install "skdl[fast]", '
                'or choose engine="auto" or "numpy".'
            )
        new["engine"] = engine
    if n_threads is not None:
        if n_threads != "auto":
            is_count = isinstance(n_threads, Integral) and n_threads >= 1
            if not is_count or isinstance(n_threads, bool):
                raise ValueError(
                    f'n_threads must be an integer ≥ 1, or "auto", got {n_threads!r}.'
                )
            n_threads = int(n_threads)
        new["n_threads"] = n_threads
    return new


def get_config() -> dict[str, Any]:
    """Return the current settings.

    Returns
    -------
    config : dict
        Keys `engine` ("auto", "numpy" or "numba") and `n_threads` (int or "auto").

    Examples
    --------
    >>> import skdl
    >>> with skdl.config_context(engine="numpy"):
    ...     print(skdl.get_config()["engine"])
    numpy
    """
    return {**_global, **(_local.get() or {})}


def set_config(
    *, engine: str | None = None, n_threads: int | str | None = None
) -> None:
    """Set the engine and the number of threads for the whole process.

    Parameters
    ----------
    engine : {"auto", "numpy", "numba"}, default=None
        "numpy" is the readable reference; "numba" the compiled twin of its hot
        parts; "auto" takes the compiled twin where Numba is installed. None
        leaves the setting as it is. The environment variable SKDL_ENGINE gives
        the initial value, also in worker processes.
    n_threads : int or "auto", default=None
        Threads for skdl's own parallel loops, at least 1. "auto", the initial value,
        is all the cores that this process may use, or OMP_NUM_THREADS if fewer. None
        leaves the setting as it is.

    Raises
    ------
    ValueError
        If a value is out of range.
    ImportError
        If `engine="numba"` and Numba is not installed.

    Examples
    --------
    >>> import skdl
    >>> before = skdl.get_config()
    >>> skdl.set_config(engine="numpy", n_threads=1)
    >>> skdl.get_config()
    {'engine': 'numpy', 'n_threads': 1}
    >>> skdl.set_config(**before)
    """
    _global.update(_checked(engine, n_threads))


@contextmanager
def config_context(
    *, engine: str | None = None, n_threads: int | str | None = None
) -> Iterator[None]:
    """Change the settings inside a `with` block, for the current thread alone.

    Parameters
    ----------
    engine : {"auto", "numpy", "numba"}, default=None
        See `set_config`.
    n_threads : int or "auto", default=None
        See `set_config`.

    Yields
    ------
    None

    Examples
    --------
    >>> import numpy as np
    >>> from skdl import MLPRegressor, config_context
    >>> X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    >>> with config_context(engine="numpy", n_threads=1):
    ...     net = MLPRegressor((4,), max_iter=2, n_iter_no_change="never").fit(X, y)
    >>> net.n_iter_
    2
    """
    token = _local.set({**(_local.get() or {}), **_checked(engine, n_threads)})
    try:
        yield
    finally:
        _local.reset(token)


@lru_cache(maxsize=1)
def has_numba() -> bool:
    """Return whether Numba is installed, without importing it."""
    return importlib.util.find_spec("numba") is not None


def use_numba(work: float = math.inf) -> bool:
    """Return whether the compiled twins are to be used now.

    Parameters
    ----------
    work : float, default=inf
        Numbers to be updated in all. Importing Numba takes some 0.35 s, and it saves
        about a nanosecond for each number, in this fit and in all later ones: with
        engine "auto" less than 2e7 does not import it.

    Returns
    -------
    use : bool
        Whether to use them.
    """
    engine = (_local.get() or _global).get("engine", _global["engine"])
    if engine == "auto":
        wanted = has_numba() and ("numba" in sys.modules or work >= 2e7)
    else:
        wanted = engine == "numba"
    return wanted and numba_fits()


@lru_cache(maxsize=1)
def numba_fits() -> bool:
    """Return whether the compiled twins work with the Numba that is installed.

    They use internals that may change with any version. One that they were not tested
    with compiles a small kernel first; where that fails a warning says so, and the
    NumPy engine computes, which gives the same results.
    """
    version = importlib.metadata.version("numba")
    numbers = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
    if NUMBA_TESTED[0] <= tuple(numbers) <= NUMBA_TESTED[1]:
        return True
    try:
        importlib.import_module("skdl.ops._numba.probe").run()
    except Exception as error:
        low, high = (".".join(map(str, v)) for v in NUMBA_TESTED)
        warn(
            f"Numba {version} differs from the versions that skdl's compiled engine "
            f"was made for ({low} to {high}; {type(error).__name__}: {error}). The "
            "NumPy engine computes instead: the same results, more slowly. Install "
            f'one of those versions, or choose set_config(engine="numpy").'
        )
        return False
    return True


@lru_cache(maxsize=1)
def n_cores() -> int:
    """Return the number of the machine's cores; asking the system takes long."""
    return os.cpu_count() or 1


def n_threads() -> int:
    """Return the number of threads for skdl's own parallel loops.

    Of "auto" it follows what cores the process may use, within a hundredth of a second.
    """
    # Every operation of a network asks.
    configured = (_local.get() or _global).get("n_threads", _global["n_threads"])
    if configured != "auto":
        return configured
    return min(_own_cores(), _allowed_threads())


_LOOK = 0.01  # seconds after which cores are counted anew: that takes a microsecond
_counted = -math.inf, 1  # when, and how many


def _own_cores() -> int:
    """Return how many cores the process may run on, now or a moment ago."""
    global _counted
    now = time.monotonic()
    at, cores = _counted
    if now - at > _LOOK:
        if hasattr(os, "sched_getaffinity"):
            cores = len(os.sched_getaffinity(0))
        else:
            cores = n_cores()
        _counted = now, cores
    return cores


@lru_cache(maxsize=1)
def _allowed_threads() -> int:
    """Return the share of the cores that joblib gives each of its processes.

    The environment is read once, as BLAS libraries do: to ask it takes a microsecond.
    """
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(allowed)) if allowed.isdigit() else sys.maxsize


# A worker process does not see the parent's `set_config`, but it inherits the
# environment: this is how joblib's processes are told.
if "SKDL_ENGINE" in os.environ:
    set_config(engine=os.environ["SKDL_ENGINE"])
