"""Schedules against torch.optim.lr_scheduler."""

import numpy as np
import pytest

from skdl.schedules import (
    Cosine,
    Exponential,
    Inverse,
    OneCycle,
    ReduceOnPlateau,
    Step,
    WarmUp,
)

pytestmark = pytest.mark.reference

TOTAL = 50
RATE = 0.3

# skdl's schedule -> (torch's, its arguments)
PAIRS = {
    Exponential(gamma=0.9): ("ExponentialLR", {"gamma": 0.9}),
    Step(every=7, gamma=0.5): ("StepLR", {"step_size": 7, "gamma": 0.5}),
    Cosine(): ("CosineAnnealingLR", {"T_max": TOTAL}),
    Cosine(final=0.1): ("CosineAnnealingLR", {"T_max": TOTAL, "eta_min": 0.1 * RATE}),
    OneCycle(): ("OneCycleLR", {"max_lr": RATE, "total_steps": TOTAL}),
    OneCycle(rise=0.17, start=0.2, final=0.01): (
        "OneCycleLR",
        {
            "max_lr": RATE,
            "total_steps": TOTAL,
            "pct_start": 0.17,
            "div_factor": 5.0,
            "final_div_factor": 100.0,
        },
    ),
    WarmUp(length=10): (
        "LinearLR",
        {"start_factor": 0.1, "end_factor": 1.0, "total_iters": 9},
    ),
    Inverse(): ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
    Inverse(decay=0.2, power=0.7): (
        "LambdaLR",
        {"lr_lambda": lambda t: (1 + 0.2 * t) ** -0.7},
    ),
}


def torch_rates(name, arguments, losses=None):
    """Return the rate of each of TOTAL updates."""
    torch = pytest.importorskip("torch")
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=RATE)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **arguments)
    got = []
    for t in range(TOTAL):
        got.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if t < TOTAL - 1:
            scheduler.step(*([] if losses is None else [losses[t]]))
    return got


@pytest.mark.parametrize("schedule", PAIRS, ids=repr)
def test_rates(schedule):
    ours = [RATE * schedule.multiplier(t, TOTAL, {}) for t in range(TOTAL)]
    np.testing.assert_allclose(
        ours, torch_rates(*PAIRS[schedule]), rtol=1e-10, atol=1e-16
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"patience": 2, "factor": 0.5}, {}),
        ({"patience": 0, "factor": 0.9, "threshold": 0.05}, {}),
        ({"patience": 1, "factor": 0.3, "minimum": 0.1}, {"min_lr": 0.1 * RATE}),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_reduce_on_plateau(ours, theirs, seed):
    rng = np.random.default_rng(seed)
    losses = 1 / (1 + np.arange(TOTAL)) + 0.1 * rng.random(TOTAL)
    schedule, memory, rates = ReduceOnPlateau(**ours), {}, []
    for t, loss in enumerate(losses):
        rates.append(RATE * schedule.multiplier(t, TOTAL, memory))
        schedule.observe(loss, memory)
    shared = {key: value for key, value in ours.items() if key != "minimum"}
    theirs = {**shared, **theirs, "eps": 0}
    expected = torch_rates("ReduceLROnPlateau", theirs, losses)
    assert len(set(rates)) > 1
    np.testing.assert_allclose(rates, expected, rtol=1e-12)
