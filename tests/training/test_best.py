"""Following the best epoch, and when to stop."""

import math

import numpy as np
import pytest

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


def test_repeating_the_best_is_no_improvement(network):
    assert follow(Best(2, higher_is_better=True), [0.9, 0.9, 0.9, 0.9], network) == 4


def test_infinite_patience_never_stops(network):
    assert follow(Best(math.inf), list(range(100)), network) is None


def test_weights_are_kept_only_if_wanted(network):
    best = Best(2, keep_weights=False)
    follow(best, [3, 2, 1], network)
    assert best.weights is None
