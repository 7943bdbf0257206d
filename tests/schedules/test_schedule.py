"""Every schedule: closed form, monotony, bounds, bad settings, use by an optimizer."""

import math

import numpy as np
import pytest

from skdl import schedules
from skdl.optimizers import SGD, Adam
from skdl.schedules import (
    Constant,
    Cosine,
    Exponential,
    Inverse,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    Step,
    WarmUp,
)
from skdl.testing import check_schedule

TOTAL = 40


def factors(schedule, total=TOTAL):
    return np.array([schedule.multiplier(t, total, {}) for t in range(total)])


def cosine(start, end, share):
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


# schedule -> factor at t
FORMS = {
    Constant(): lambda t: 1.0,
    Inverse(): lambda t: 1 / (t + 1),
    Inverse(decay=0.5, power=0.6): lambda t: (1 + 0.5 * t) ** -0.6,
    Step(): lambda t: 0.1 ** (t // 10),
    Step(every=3, gamma=0.5): lambda t: 0.5 ** (t // 3),
    Exponential(): lambda t: 0.95**t,
    Exponential(gamma=0.5): lambda t: 0.5**t,
    Cosine(): lambda t: cosine(1, 0, t / TOTAL),
    Cosine(final=0.1): lambda t: cosine(1, 0.1, t / TOTAL),
    OneCycle(): lambda t: (
        cosine(0.04, 1, t / 11) if t <= 11 else cosine(1, 4e-6, (t - 11) / 28)
    ),
    WarmUp(length=5): lambda t: min(1.0, (t + 1) / 5),
    WarmUp(length=5, after="inverse"): lambda t: (
        (t + 1) / 5 if t < 5 else 1 / (t - 5 + 1)
    ),
    WarmUp(length=5, after=Cosine(final=0.2)): lambda t: (
        (t + 1) / 5 if t < 5 else cosine(1, 0.2, (t - 5) / (TOTAL - 5))
    ),
    ReduceOnPlateau(): lambda t: 1.0,  # as long as nothing was observed
}
PLANNED = ["cosine", "one_cycle"]


def test_every_schedule_is_in_the_table():
    assert {type(schedule) for schedule in FORMS} == {
        type(schedules.get(name)) for name in schedules.names()
    }


@pytest.mark.parametrize("schedule", FORMS, ids=repr)
@pytest.mark.parametrize("total", [TOTAL, 7])
def test_contract(schedule, total):
    check_schedule(schedule, total=total)


@pytest.mark.parametrize("schedule", FORMS, ids=repr)
def test_closed_form(schedule):
    schedule.check(TOTAL)
    expected = [FORMS[schedule](t) for t in range(TOTAL)]
    np.testing.assert_allclose(factors(schedule), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", schedules.names())
@pytest.mark.parametrize("total", [1, 2, 7, 1000])
def test_factors_stay_within_bounds(name, total):
    got = factors(schedules.get(name), total)
    assert (got >= 0).all()
    assert (got <= 1 + 1e-15).all()


def test_one_cycle_ends_where_it_says():
    schedule = OneCycle(rise=0.25, start=0.1, final=0.01)
    got = factors(schedule)
    assert got[0] == pytest.approx(0.1)
    assert got[9] == got.max() == pytest.approx(1.0)
    assert got[-1] == pytest.approx(0.001)
    assert (np.diff(got[:10]) > 0).all()
    assert (np.diff(got[9:]) < 0).all()


@pytest.mark.parametrize("name", PLANNED)
def test_beyond_the_plan_the_last_value_holds(name):
    schedule = schedules.get(name)
    later = [schedule.multiplier(t, TOTAL, {}) for t in (TOTAL, TOTAL + 100)]
    np.testing.assert_allclose(later, later[0])
    assert later[0] <= factors(schedule)[-1]


def test_inverse_fulfils_robbins_and_monro():
    """Σ η diverges, as the logarithm; Σ η² converges, to what Euler found."""
    n = 100_000
    rates = factors(Inverse(), n)
    assert rates.sum() == pytest.approx(math.log(n) + np.euler_gamma, abs=1e-4)
    assert (rates**2).sum() == pytest.approx(math.pi**2 / 6, abs=2 / n)
    # A power of one half is the edge, where the squares diverge too.
    edge = factors(Inverse(power=0.5), n)
    assert (edge**2).sum() == pytest.approx(rates.sum(), rel=1e-9)


# ---- plateau


def follow(schedule, losses):
    """Return the factor after each observed loss."""
    memory = {}
    got = []
    for t, loss in enumerate(losses):
        schedule.observe(loss, memory)
        got.append(schedule.multiplier(t + 1, 0, memory))
    return got


PLATEAUS = {
    "falls": (ReduceOnPlateau(patience=2), [4, 3, 2, 1], [1, 1, 1, 1]),
    "stalls": (
        ReduceOnPlateau(patience=1, factor=0.5),
        [1, 1, 1, 1, 1],
        [1, 1, 0.5, 0.5, 0.25],
    ),
    "no patience": (ReduceOnPlateau(patience=0, factor=0.5), [1, 2, 3], [1, 0.5, 0.25]),
    "minimum": (
        ReduceOnPlateau(patience=0, minimum=0.3, factor=0.5),
        [1, 1, 1, 1],
        [1, 0.5, 0.3, 0.3],
    ),
    "recovers": (
        ReduceOnPlateau(patience=1, factor=0.5),
        [2, 2, 1, 1, 1],
        [1, 1, 1, 1, 0.5],
    ),
    "too small a gain": (
        ReduceOnPlateau(patience=0, threshold=0.1, factor=0.5),
        [1, 0.95, 0.8],
        [1, 0.5, 0.5],
    ),
    "negative losses": (
        ReduceOnPlateau(patience=0, factor=0.5),
        [-1, -2, -2.00001, -3],
        [1, 1, 0.5, 0.5],
    ),
    "infinite start": (
        ReduceOnPlateau(patience=0, factor=0.5),
        [math.inf, 5, 4],
        [1, 1, 1],
    ),
    "after a warm-up": (
        WarmUp(length=1, after=ReduceOnPlateau(patience=0, factor=0.5)),
        [1, 1, 1],
        [1, 0.5, 0.25],
    ),
}


@pytest.mark.parametrize("case", PLATEAUS)
def test_reduce_on_plateau(case):
    schedule, losses, expected = PLATEAUS[case]
    np.testing.assert_allclose(follow(schedule, losses), expected)


def test_two_runs_share_no_memory():
    schedule = ReduceOnPlateau(patience=0)
    follow(schedule, [1, 1, 1])
    assert follow(schedule, [1]) == [1]


# ---- within an optimizer


def rates(optimizer, n_epochs, steps_per_epoch, loss=1.0):
    """Return the rate of each update of a run."""
    state = optimizer.init(1)
    state.plan(steps_per_epoch, n_epochs)
    got = []
    for _ in range(n_epochs):
        for _ in range(steps_per_epoch):
            got.append(optimizer.learning_rate_now(state))
            optimizer.update(np.zeros(1), np.zeros(1), state)
        optimizer.observe(state, loss)
    return got


def test_time_counts_updates_or_epochs():
    step = SGD(Exponential(1.0, gamma=0.5, unit="step"))
    epoch = SGD(Exponential(1.0, gamma=0.5, unit="epoch"))
    np.testing.assert_allclose(rates(step, 2, 3), 0.5 ** np.arange(6))
    np.testing.assert_allclose(rates(epoch, 2, 3), [1, 1, 1, 0.5, 0.5, 0.5])


def test_planned_length_counts_updates_or_epochs():
    step, epoch = SGD(Cosine(1.0)), SGD(Cosine(1.0, unit="epoch"))
    np.testing.assert_allclose(
        rates(step, 2, 3), [cosine(1, 0, t / 6) for t in range(6)]
    )
    np.testing.assert_allclose(
        rates(epoch, 3, 2), [cosine(1, 0, t // 2 / 3) for t in range(6)]
    )


def test_a_second_run_goes_on_and_plans_anew():
    optimizer = SGD(Cosine(1.0, unit="epoch"))
    state = optimizer.init(1)
    for _ in range(2):
        state.plan(1, 4)
        for _ in range(4):
            optimizer.observe(state, 1.0)
    assert (state.epoch, state.n_epochs) == (8, 8)


def test_the_plateau_reaches_the_optimizer():
    optimizer = SGD(ReduceOnPlateau(1.0, factor=0.5, patience=0))
    np.testing.assert_allclose(rates(optimizer, 4, 1), [1, 1, 0.5, 0.25])


@pytest.mark.parametrize("optimizer", [SGD("inverse"), Adam("inverse")])
def test_a_name_starts_from_the_optimizers_default(optimizer):
    default = type(optimizer)().learning_rate
    np.testing.assert_allclose(rates(optimizer, 1, 3), default / np.arange(1, 4))


# ---- bad settings

BAD = {
    "unit": (
        Exponential(unit="batch"),
        r"'unit' .* a str among .*epoch.* Got 'batch'",
    ),
    "initial": (
        Constant(0.0),
        r"'initial' .* \(0.0, inf\).* Got 0\.0",
    ),
    "decay": (Inverse(decay=0.0), "'decay' parameter of Inverse must be"),
    "power": (Inverse(power=-1.0), "'power' parameter of Inverse must be"),
    "every": (Step(every=0), r"'every' .* an int in the range \[1, inf\). Got 0"),
    "gamma": (Step(gamma=1.5), "'gamma' .* must be .* Got 1.5"),
    "gamma 0": (Exponential(gamma=0.0), "'gamma' .* must be"),
    "final": (Cosine(final=2.0), r"'final' .* \[0.0, 1.0\]. Got 2.0"),
    "rise": (OneCycle(rise=1.0), r"'rise' .* \(0.0, 1.0\). Got 1.0"),
    "start": (OneCycle(start=0.0), r"'start' .* \(0.0, 1.0\]. Got 0.0"),
    "cycle's final": (OneCycle(final=0.0), "'final' .* must be"),
    "length": (WarmUp(length=0), "'length' .* must be"),
    "inner": (WarmUp(length=2, after=Step(every=0)), "'every' .* must be"),
    "inner name": (
        WarmUp(after="cosin"),
        "Unknown schedule 'cosin'. Known names: c",
    ),
    "factor": (ReduceOnPlateau(factor=0.0), "'factor' .* must be"),
    "patience": (ReduceOnPlateau(patience=-1), "'patience' .* must be"),
    "nan": (Exponential(gamma=math.nan), "'gamma' .* must be .* Got nan"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_settings(case):
    schedule, message = BAD[case]
    for owner in (schedule, SGD(schedule)):
        with pytest.raises(ValueError, match=message):
            owner.settled().check(1000)


@pytest.mark.parametrize("schedule", [Cosine(), OneCycle(), WarmUp(after="cosine")])
def test_a_plan_is_needed(schedule):
    with pytest.raises(ValueError, match=r"needs a planned length .*partial_fit"):
        SGD(schedule).check(0)
    SGD(schedule).check(1000, 3)


def test_the_multiplier_must_be_defined():
    with pytest.raises(TypeError, match="Schedule must define multiplier"):
        Schedule().multiplier(0, 1, {})


def test_a_users_schedule():
    class Sawtooth(Schedule):
        def multiplier(self, t, total, memory):
            return 1.0 - 0.5 * (t % 2)

    got = rates(SGD(Sawtooth(initial=2.0, unit="step")), 1, 4)
    np.testing.assert_allclose(got, [2, 1, 2, 1])
