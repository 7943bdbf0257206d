"""Fair timing: each contender in a process of its own, processes interleaved, medians.

BLAS and OpenMP threads of different libraries in one process spin against each other,
and a shared machine drifts: so a contender never shares a process, the contenders take
turns, and only ratios within one run are quoted.

A benchmark module has a function ``work(case, contender, seed) -> numbers``, which
the runner calls in a fresh process.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Numbers = dict[str, float]


def timed(function: Callable[[], Any], repeat: int = 3) -> tuple[float, Any]:
    """Return the median time of some calls in seconds, and the last result."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def measure(
    module: str, case: str, contenders: Sequence[str], rounds: int
) -> dict[str, Numbers]:
    """Return over rounds the medians of times, and the means of scores.

    Each round has a seed of its own. What ``module.work`` gives is a time, unless its
    name begins with "score".
    """
    results: dict[str, list[Numbers]] = {name: [] for name in contenders}
    for seed in range(rounds):
        for name in contenders:
            results[name].append(_in_process(module, case, name, seed))
    return {
        name: {key: _middle(key, [row[key] for row in rows]) for key in rows[0]}
        for name, rows in results.items()
    }


def _middle(key: str, values: list[float]) -> float:
    return (statistics.mean if key.startswith("score") else statistics.median)(values)


def _in_process(module: str, case: str, contender: str, seed: int) -> Numbers:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks._runner"]
    done = subprocess.run(
        [*command, module, case, contender, str(seed)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} {case} {contender} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def print_table(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Print a Markdown table."""
    table = [list(heads), *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in table) for i in range(len(heads))]
    print(f"\n{title}\n")
    for i, row in enumerate(table):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("| " + " | ".join(cells) + " |")
        if i == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    sys.stdout.flush()


if __name__ == "__main__":
    module_name, case_name, contender_name, seed_text = sys.argv[1:]
    work = importlib.import_module(module_name).work
    print(json.dumps(work(case_name, contender_name, int(seed_text))))
