"""Following the best epoch, and when to stop."""

import math

import numpy as np
import pytest

from skdl._best import round_best
from skdl.layers import Dense
from skdl.networks import Network
from skdl.training import Best

# what is observed -> best value, best epoch, epoch of the stop (patience 2, tol 0.1)
RUNS = {
    "falls": ([5, 4, 3, 2, 1], 1, 5, None),
    "rises": ([1, 2, 3, 4, 5], 1, 1, 4),
    "too slowly": ([1.0, 0.95, 0.92, 0.905], 0.905, 4, 4),
    "just fast enough": ([1.0, 0.95, 0.925, 0.75, 0.74], 0.74, 5, None),
    "stands still": ([1, 1, 1, 1], 1, 1, 4),
    "recovers": ([3, 4, 4, 2, 3, 3, 3], 2, 4, 7),
    "NaN is no improvement": ([1, math.nan, math.nan, math.nan], 1, 1, 4),
    "NaN at first": ([math.nan, 1.0, 0.5], 0.5, 3, None),
}
# The same where small gains add up: they count from the last improvement.
ADDED = {
    **RUNS,
    "slowly, on and on": ([1.0, 0.94, 0.88, 0.84, 0.78, 0.74, 0.67], 0.67, 7, None),
    "up in between": ([1.0, 0.95, 1.5, 0.95], 0.95, 2, 4),
}


@pytest.fixture
def network():
    return Network([Dense(2)], (3,))


def follow(best, values, network):
    """Return the epoch of the stop, or None."""
    for epoch, value in enumerate(values, start=1):
        network.params.vector[:] = epoch
        if best.observe(value, epoch, network):
            return epoch
    return None


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("case", RUNS)
def test_runs(case, sign, network):
    values, value, epoch, stop = RUNS[case]
    best = Best(2, tol=0.1, higher_is_better=sign < 0)
    assert follow(best, [sign * v for v in values], network) == stop
    assert (best.value, best.epoch) == (sign * value, epoch)
    np.testing.assert_array_equal(best.weights[0], epoch)


@pytest.mark.parametrize("adds_up", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_gain_of_exactly_tol_is_an_improvement(sign, adds_up, network):
    """As in scikit-learn; all numbers are exact in binary."""
    best = Best(0, tol=0.25, higher_is_better=sign < 0, adds_up=adds_up)
    falling = [sign * value for value in (2.0, 1.75, 1.5, 1.25, 1.0)]
    assert follow(best, falling, network) is None
    assert best.waiting == 0
    assert best.observe(sign * (0.75 + 2**-50), 6, network)  # not quite so much
    assert (best.value, best.epoch) == (sign * (0.75 + 2**-50), 6)


def test_repeating_the_best_is_no_improvement(network):
    assert follow(Best(2, higher_is_better=True), [0.9, 0.9, 0.9, 0.9], network) == 4


def test_infinite_patience_never_stops(network):
    assert follow(Best(math.inf), list(range(100)), network) is None


def test_weights_are_kept_only_if_wanted(network):
    best = Best(2, keep_weights=False)
    follow(best, [3, 2, 1], network)
    assert best.weights is None


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("case", ADDED)
def test_small_gains_add_up_where_they_are_to(case, sign, network):
    values, value, epoch, stop = ADDED[case]
    best = Best(2, tol=0.1, higher_is_better=sign < 0, adds_up=True)
    assert follow(best, [sign * v for v in values], network) == stop
    assert (best.value, best.epoch) == (sign * value, epoch)


def test_slow_gains_stand_still_where_they_do_not_add_up(network):
    values = ADDED["slowly, on and on"][0]
    assert follow(Best(2, tol=0.1), values, network) == 4


@pytest.mark.parametrize("adds_up", [False, True])
def test_exactly_the_tolerance_is_enough(adds_up, network):
    """Powers of two: no rounding decides."""
    best = Best(0, tol=0.25, adds_up=adds_up)
    assert follow(best, [1.0, 0.75, 0.5], network) is None
    assert best.observe(0.3, 4)


@pytest.mark.parametrize("adds_up", [False, True])
def test_a_start_is_the_first_best(adds_up):
    best = Best(1, tol=0.1, adds_up=adds_up)
    best.observe(3.0, 1)
    best.observe(3.0, 2)
    best.start(2.0, 7)
    assert (best.value, best.epoch, best.waiting) == (2.0, 7, 0)
    assert not best.observe(1.95, 8)
    assert best.epoch == 8
    assert best.observe(1.93, 9)


def test_a_copy_for_fewer_epochs():
    best = Best(5)
    best.observe(3.0, 1)
    best.observe(2.0, 2)
    assert (best.kept_to(1).epoch, best.kept_to(9).epoch, best.epoch) == (1, 2, 2)


@pytest.mark.parametrize(("patience", "rounds"), [(None, None), (3, 4), (1, 2), (0, 2)])
def test_rounds_are_counted_as_in_scikit_learns_boosting(patience, rounds):
    best = round_best(patience, 0.1, False, True)
    values = [best.observe(1.0, t) for t in range(1, 9)]
    assert (values.index(True) + 1 if True in values else None) == rounds
    assert best.adds_up
    assert best.keep_weights
