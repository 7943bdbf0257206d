"""Real targets: shapes, and detail that single precision would lose."""

import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import r2_score

from skdl.targets import RealTargets


@pytest.mark.parametrize("shape", [(), (3,), (2, 4, 1)], ids=str)
def test_there_and_back(shape):
    y = np.random.default_rng(0).normal(size=(7, *shape))
    targets = RealTargets.of(y)
    encoded = targets.encode(y, np.float64)
    assert encoded.shape == (7, *(shape or (1,)))
    np.testing.assert_array_equal(targets.decode(encoded), y)
    assert targets.score(y, y) == 1.0


def test_another_shape():
    with pytest.raises(ValueError, match="y must have 3 outputs, got 1"):
        RealTargets((3,)).encode(np.zeros(5), np.float64)
    with pytest.raises(ValueError, match=r"samples of shape \(4, 4\), got \(4, 5\)"):
        RealTargets((4, 4)).encode(np.zeros((3, 4, 5)), np.float64)


@pytest.mark.parametrize("columns", [None, 2])
def test_detail_survives_single_precision(columns):
    rng = np.random.default_rng(0)
    y = 1.7e9 + rng.uniform(0, 60, 50 if columns is None else (50, columns))
    targets = RealTargets.of(y).centered_for(y, np.float32)
    encoded = targets.encode(y, np.float32)
    assert encoded.dtype == np.float32
    decoded = targets.decode(encoded)
    assert decoded.dtype == np.float64
    np.testing.assert_allclose(decoded, y, atol=1e-5, rtol=0)


@pytest.mark.parametrize("y", [np.arange(9.0), np.full(9, 3e5) + np.arange(9.0) * 1e4])
def test_what_rounds_well_is_taken_as_it_is(y):
    assert RealTargets.of(y).centered_for(y, np.float32).center is None
    assert RealTargets.of(y).centered_for(y + 1e12, np.float64).center is None


def test_score_with_weights_and_outputs():
    rng = np.random.default_rng(0)
    y, predicted = rng.normal(size=(2, 20, 3))
    weight = rng.uniform(0, 1, 20)
    got = RealTargets((3,)).score(y, predicted, weight)
    assert got == pytest.approx(r2_score(y, predicted, sample_weight=weight))


@pytest.mark.parametrize(("dtype", "most"), [(np.float64, 0.01), (np.float32, 1.5)])
def test_looking_for_a_centre_makes_no_needless_copies(dtype, most):
    y = np.random.default_rng(0).normal(size=(100_000, 2))
    targets = RealTargets.of(y)
    targets.centered_for(y, dtype)
    tracemalloc.start()
    targets.centered_for(y, dtype)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < most * y.nbytes
