"""The first fit of a process: it loads compiled code from disk, or compiles it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks._runner import Numbers, measure, print_table

CACHES = ("warm cache", "empty cache")


def first_fit(cache: str, fit: Callable[[], Any]) -> Numbers:
    """Return the time of a process's first fit, and that of a later one.

    skdl is imported before, Numba is not.
    """
    times = []
    with tempfile.TemporaryDirectory() as folder:
        if cache == "empty cache":  # before Numba is imported
            os.environ["NUMBA_CACHE_DIR"] = folder
        for _ in range(4):
            start = time.perf_counter()
            fit()
            times.append(time.perf_counter() - start)
    return {"first": times[0], "later": min(times[1:])}


def first_fit_table(
    module: str, cases: dict[str, str], asked: tuple[float, float], rounds: int
) -> None:
    """Measure and print; `asked` is for what a first fit takes longer than later ones.

    `cases` gives the name in the table of what ``module.work`` knows.
    """
    rows = []
    for case, title in cases.items():
        for cache, row in measure(module, case, CACHES, rounds).items():
            cells = (row["first"], row["later"], row["first"] - row["later"])
            most = asked[CACHES.index(cache)]
            rows.append([title, cache, *(f"{x:.3f}" for x in cells), f"{most}"])
    heads = ("case", "cache", "first fit", "later fit", "difference", "asked")
    print_table("First fit of a process, seconds (medians)", heads, rows)
