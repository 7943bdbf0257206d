"""The contract of learning-rate schedules."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np

from skdl import schedules
from skdl.optimizers import SGD
from skdl.schedules import Schedule
from skdl.testing._assert import (
    attributes,
    check_parameter_object,
    close,
    equal,
)


def check_schedule(schedule: str | Schedule, *, total: int = 50, seed: int = 0) -> None:
    """Check that a schedule keeps the contract of `skdl.schedules.Schedule`.

    Its factors are finite numbers, not negative, up to the planned length and beyond;
    they depend on the time, the plan and the memory alone; `multiplier` only reads the
    memory, which can be copied and pickled; a schedule that works without a planned
    length says so in `check`, another raises there; an optimizer takes steps of the
    initial rate times the factor; the object clones and pickles and does not change
    itself.

    Parameters
    ----------
    schedule : str or Schedule
        Name or instance.
    total : int, default=50
        Planned number of epochs or updates.
    seed : int, default=0
        Draws the losses that it observes.

    Raises
    ------
    AssertionError
        If the schedule breaks its contract.

    Examples
    --------
    >>> from skdl.testing import check_schedule
    >>> check_schedule("one_cycle")
    """
    schedule = schedules.get(schedule)
    check_parameter_object(schedule)
    schedule.settled().check(total)
    before = attributes(schedule)
    assert schedule.unit in ("epoch", "step"), (
        f'{schedule!r}: unit must be "epoch" or "step", got {schedule.unit!r}'
    )
    _check_factors(schedule, total)
    try:
        schedule.check(0)
    except ValueError:
        pass  # it needs a plan
    else:
        _check_factors(schedule, 0)
    _check_memory(schedule, total, seed)
    _check_rates(schedule, total)
    assert attributes(schedule) == before, f"{schedule!r} changed its own attributes"


def _factor(schedule: Schedule, t: int, total: int, memory: dict[str, Any]) -> float:
    given = copy.deepcopy(memory)
    factor = schedule.multiplier(t, total, memory)
    name = f"{schedule!r}.multiplier({t}, {total})"
    assert isinstance(factor, (int, float)), f"{name} is no number: {factor!r}"
    assert 0 <= factor < math.inf, f"{name} must be finite and ≥ 0, got {factor}"
    equal(memory, given, f"{name}: the memory afterwards")
    return factor


def _check_factors(schedule: Schedule, total: int) -> None:
    times = [*range(max(total, 20) + 1), 10 * total + 100]
    factors = [_factor(schedule, t, total, {}) for t in times]
    for t, factor in zip(times[::-1], factors[::-1], strict=True):
        again = _factor(schedule, t, total, {})
        equal(again, factor, f"{schedule!r}: the factor at {t}, asked for again")


def _check_memory(schedule: Schedule, total: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    losses = [float(loss) for loss in np.exp(-np.arange(20) / 5) + rng.random(20)]

    def follow(memory: dict[str, Any], start: int, end: int) -> list[float]:
        factors = []
        for t in range(start, end):
            schedule.observe(losses[t], memory)
            factors.append(_factor(schedule, t + 1, total, memory))
        return factors

    memory: dict[str, Any] = {}
    follow(memory, 0, 10)
    copies = copy.deepcopy(memory), pickle.loads(pickle.dumps(memory))
    expected = follow(memory, 10, 20)
    for how, other in zip(("copied", "pickled"), copies, strict=True):
        got = follow(other, 10, 20)
        equal(got, expected, f"{schedule!r}: going on with a {how} memory")


def _check_rates(schedule: Schedule, total: int) -> None:
    optimizer = SGD(schedule)
    state = optimizer.init(1)
    state.plan(1, total)
    initial: Any = schedule.initial
    if initial is None:
        initial = SGD().learning_rate
    theta = np.zeros(1)
    for t in range(min(total, 20)):
        rate = optimizer.learning_rate_now(state)
        expected = float(initial) * _factor(schedule, t, total, state.schedule_memory)
        close(rate, expected, f"{schedule!r}: the rate of update {t}")
        start = theta.copy()
        optimizer.update(theta, np.ones(1), state)
        close(start - theta, [rate], f"{schedule!r}: step {t}", 1e-6, 1e-12)
        optimizer.observe(state, 1.0 / (t + 1))
