"""Softmax and cross-entropy in one pass beside the NumPy operation."""

from importlib import import_module

import numpy as np
import pytest

from skdl import config_context
from skdl.losses import BinaryCrossEntropy, CrossEntropy

pytest.importorskip("numba")

TOLERANCE = {"f": 1e-6, "d": 1e-14}


def problem(dtype, k, n=6):
    rng = np.random.default_rng(k)
    raw = (3 * rng.normal(size=(n, 2, k))).astype(dtype)
    return rng.integers(0, k, (n, 2)), raw, rng.uniform(0, 2, (n, 2)).astype(dtype)


@pytest.mark.parametrize("k", [1, 2, 31, 64, 333])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("dtype", "fd")
def test_loss_and_gradient(dtype, smoothing, k):
    y, raw, weight = problem(dtype, k)
    loss = CrossEntropy(smoothing)
    for given in (None, weight):
        results = []
        for engine in ("numba", "numpy"):
            with config_context(engine=engine):
                results.append(loss.weighted(y.astype("i4"), raw, given, 0.3))
        (total, gradient), (expected, right) = results
        assert gradient.dtype == raw.dtype
        assert total == pytest.approx(expected, rel=10 * TOLERANCE[dtype])
        np.testing.assert_allclose(gradient, right, rtol=0, atol=TOLERANCE[dtype])


def test_far_from_zero():
    y, raw, _ = problem("d", 40)
    for shift in (-1e6, 1e6):
        with config_context(engine="numba"):
            total, gradient = CrossEntropy().weighted(y, raw + shift, None, 1.0)
        assert total == pytest.approx(CrossEntropy().weighted(y, raw, None, 1.0)[0])
        assert np.abs(gradient.sum(axis=-1)).max() < 1e-9


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 3, 79])
def test_what_is_not_finite_is_seen(bad, place):
    y, raw, _ = problem("f", 80)
    raw[0, 0, place] = bad
    with config_context(engine="numba"), np.errstate(all="ignore"):
        assert not np.isfinite(CrossEntropy().weighted(y, raw, None, 1.0)[0])


def test_the_same_bits_on_any_number_of_threads():
    y, raw, weight = problem("f", 700, n=60)
    n, k = len(raw.reshape(-1, raw.shape[-1])), raw.shape[-1]
    results = []
    for n_threads in (1, 3):
        with config_context(engine="numba", n_threads=n_threads):
            twin = import_module("skdl.ops._numba.cross_entropy")
            assert (twin.chunks_of(n, twin.PASS * k) > 1) == (n_threads > 1)
            results.append(CrossEntropy(0.1).weighted(y, raw, weight, 0.3))
    assert results[0][0] == results[1][0]
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_own_losses_are_asked():
    class Mine(CrossEntropy):
        def evaluate(self, y, raw, empty=np.empty):
            return np.ones(raw.shape[:-1]), np.zeros_like(raw)

    y, raw, _ = problem("d", 3)
    with config_context(engine="numba"):
        assert Mine().weighted(y, raw, None, 1.0)[0] == y.size


# ---- of numbers of their own


def shares(dtype, shape, spread=3.0):
    rng = np.random.default_rng(0)
    raw = (spread * rng.normal(size=shape)).astype(dtype)
    return rng.random(shape).astype(dtype), raw, rng.uniform(0, 2, shape[0])


@pytest.mark.parametrize("shape", [(5, 64), (3, 97), (4, 8, 9, 1), (2, 500)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("dtype", "fd")
def test_binary_loss_and_gradient(dtype, smoothing, shape):
    y, raw, weight = shares(dtype, shape)
    raw.ravel()[:4] = [80, -80, 0, 1e-6]
    loss = BinaryCrossEntropy(smoothing)
    for given in (None, weight):
        results = []
        for engine in ("numba", "numpy"):
            with config_context(engine=engine):
                results.append(loss.weighted(y, raw, given, 0.3))
        (total, gradient), (expected, right) = results
        assert (gradient.dtype, gradient.shape) == (raw.dtype, raw.shape)
        assert total == pytest.approx(expected, rel=10 * TOLERANCE[dtype])
        np.testing.assert_allclose(gradient, right, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_seen_in_binary_losses(bad):
    y, raw, _ = shares("f", (3, 80))
    raw[1, 70] = bad
    with config_context(engine="numba"), np.errstate(all="ignore"):
        assert not np.isfinite(BinaryCrossEntropy().weighted(y, raw, None, 1.0)[0])


def test_the_same_bits_of_binary_losses_on_any_number_of_threads():
    y, raw, weight = shares("f", (120, 700))
    n, k = len(raw.reshape(-1, raw.shape[-1])), raw.shape[-1]
    results = []
    for n_threads in (1, 3):
        with config_context(engine="numba", n_threads=n_threads):
            twin = import_module("skdl.ops._numba.cross_entropy")
            assert (twin.chunks_of(n, twin.PASS * k) > 1) == (n_threads > 1)
            results.append(BinaryCrossEntropy().weighted(y, raw, weight, 0.3))
    assert results[0][0] == results[1][0]
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_weights_of_elements_are_heeded():
    y, raw, _ = shares("d", (5, 64))
    weight = np.random.default_rng(1).random((5, 64))
    loss, gradient = BinaryCrossEntropy().evaluate(y, raw)
    with config_context(engine="numba"):
        total, got = BinaryCrossEntropy().weighted(y, raw, weight, 2.0)
    assert total == pytest.approx(2 * (weight * loss).sum())
    np.testing.assert_allclose(got, 2 * weight * gradient, atol=1e-14)
