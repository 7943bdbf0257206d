"""Pooling, NumPy and compiled, against their definition."""

import numpy as np
import pytest

from skdl import config_context
from skdl._config import has_numba
from skdl.ops.pool import (
    average_pool,
    average_pool_backward,
    global_average,
    global_average_backward,
    make_pool,
    max_pool,
    max_pool_backward,
    take_maxima,
)
from skdl.testing import check_gradient

ENGINES = ["numpy", "numba"] if has_numba() else ["numpy"]
CASES = {  # input shape, window, and the other settings of make_pool
    "2x2": ((8, 6, 3), 2, {}),
    "2x2, 32 channels": ((6, 6, 32), 2, {}),
    "2x2, an odd image": ((7, 5, 16), 2, {}),
    "2x2 ceil": ((7, 5, 20), 2, {"ceil": True}),
    "3x3 stride 2": ((9, 8, 5), 3, {"stride": 2}),
    "3x3 stride 2 padding 1": ((8, 9, 18), 3, {"stride": 2, "padding": 1}),
    "3x3 stride 2 ceil": ((8, 10, 33), 3, {"stride": 2, "ceil": True}),
    "3x3 stride 2 padding 1 ceil": (
        (7, 8, 4),
        3,
        {"stride": 2, "padding": 1, "ceil": True},
    ),
    "3x3 stride 1 same": ((5, 6, 7), 3, {"stride": 1, "padding": "same"}),
    "2x2 stride 2 same": ((5, 7, 2), 2, {"padding": "same"}),
    "1 channel": ((6, 8, 1), 2, {}),
    "1 channel, overlapping": ((6, 8, 1), 3, {"stride": 2, "padding": 1}),
    "2x3 windows": ((6, 9, 4), (2, 3), {"stride": (1, 2)}),
    "gaps": ((9, 9, 17), 2, {"stride": 3}),
    "dilation 2": ((9, 8, 6), 2, {"stride": 1, "dilation": 2}),
    "whole image": ((4, 5, 40), (4, 5), {}),
}


def make(case):
    shape, window, settings = CASES[case]
    return make_pool(shape, window, **settings)


def windows_of(pool):
    """Yield each window, the entries it has on the image, and their pixels."""
    v, h = pool.axes
    for p in range(v.out):
        for q in range(h.out):
            found = []
            for i in range(v.size):
                for j in range(h.size):
                    row = p * v.stride + i * v.dilation - v.before
                    column = q * h.stride + j * h.dilation - h.before
                    if 0 <= row < v.n and 0 <= column < h.n:
                        found.append((i * h.size + j, row, column))
            yield p, q, found


def images(pool, dtype, n=3, seed=0):
    """Return images with many ties, and a gradient."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 4, size=(n, *pool.input_shape)).astype(dtype)
    return x, rng.normal(size=(n, *pool.output_shape)).astype(dtype)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("case", CASES)
def test_max_pool(case, dtype, engine):
    pool = make(case)
    x, dy = images(pool, dtype)
    y, which = np.empty_like(dy), np.empty(dy.shape, np.uint16)
    dx, masked = np.zeros_like(x), np.zeros_like(x)
    channels = np.arange(pool.channels)
    for p, q, found in windows_of(pool):
        names, rows, columns = (np.array(part) for part in zip(*found, strict=True))
        values = x[:, rows, columns]
        best = values.argmax(axis=1)  # the first of several
        y[:, p, q], which[:, p, q] = values.max(axis=1), names[best]
        for n in range(len(x)):
            at = n, rows[best[n]], columns[best[n]], channels
            dx[at] += dy[n, p, q]
            masked[at] += dy[n, p, q] * (y[n, p, q] > 0)
    got, entry = np.full_like(y, np.nan), np.full_like(which, 999)
    with config_context(engine=engine):
        assert max_pool(pool, x, got, entry) is got
        np.testing.assert_array_equal(got, y)
        np.testing.assert_array_equal(entry, which)
        np.testing.assert_array_equal(max_pool(pool, x, np.empty_like(y)), y)
        out = np.full_like(x, np.nan)
        assert max_pool_backward(pool, which, dy, out) is out
        np.testing.assert_allclose(out, dx, rtol=1e-5, atol=1e-6)
        out[...] = np.nan
        max_pool_backward(pool, which, dy, out, y)
        np.testing.assert_allclose(out, masked, rtol=1e-5, atol=1e-6)
        got[...] = np.nan
        assert take_maxima(pool, which, x, got) is got
        np.testing.assert_array_equal(got, y)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count_padding", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_average_pool(case, count_padding, engine):
    pool = make(case)
    x, dy = images(pool, "d")
    y, dx = np.empty_like(dy), np.zeros_like(x)
    v, h = pool.axes
    for p, q, found in windows_of(pool):
        count = len(found)
        if count_padding:
            down = p * v.stride + np.arange(v.size) * v.dilation
            across = q * h.stride + np.arange(h.size) * h.dilation
            count = np.sum(down < v.before + v.n + v.after)
            count *= np.sum(across < h.before + h.n + h.after)
        y[:, p, q] = sum(x[:, row, column] for _, row, column in found) / count
        for _, row, column in found:
            dx[:, row, column] += dy[:, p, q] / count
    with config_context(engine=engine):
        got = average_pool(pool, x, np.full_like(y, np.nan), count_padding)
        out = average_pool_backward(pool, dy, np.full_like(x, np.nan), count_padding)
    np.testing.assert_allclose(got, y, atol=1e-13)
    np.testing.assert_allclose(out, dx, atol=1e-13)


@pytest.mark.parametrize("engine", ENGINES)
def test_nan_is_the_largest(engine):
    pool = make("2x2")
    x, _ = images(pool, "d")
    x[1, 2:4, 2:4, 0] = [[1, np.nan], [5, 2]]
    with config_context(engine=engine):
        which = np.empty((3, *pool.output_shape), np.uint16)
        y = max_pool(pool, x, np.empty((3, *pool.output_shape)), which)
    assert np.isnan(y).sum() == 1
    assert np.isnan(y[1, 1, 1, 0])
    assert which[1, 1, 1, 0] == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n", [0, 1, 50])
@pytest.mark.parametrize("dtype", "fd")
def test_global_average(engine, n, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 5, 7, 19)).astype(dtype)
    dy = rng.normal(size=(n, 19)).astype(dtype)
    with config_context(engine=engine):
        y = global_average(x, np.full((n, 19), np.nan, dtype))
        dx = global_average_backward(dy, np.full_like(x, np.nan))
    np.testing.assert_allclose(y, x.sum(axis=(1, 2)) / 35, atol=1e-6)
    np.testing.assert_allclose(dx, np.broadcast_to(dy[:, None, None], x.shape) / 35)
    assert y.dtype == dx.dtype == dtype


@pytest.mark.parametrize("engine", ENGINES)
def test_derivatives(engine):
    pool = make("3x3 stride 2 padding 1 ceil")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *pool.input_shape))
    dy = rng.normal(size=(2, *pool.output_shape))
    y, which = np.empty_like(dy), np.empty(dy.shape, np.uint16)
    with config_context(engine=engine):
        max_pool(pool, x, y, which)
        dx = max_pool_backward(pool, which, dy, np.empty_like(x))
        check_gradient(lambda x: np.sum(dy * max_pool(pool, x, y.copy())), x, dx)

        def unpooled(y):
            return np.sum(x * max_pool_backward(pool, which, y, np.empty_like(x)))

        check_gradient(unpooled, dy, take_maxima(pool, which, x, np.empty_like(y)))
        dx = average_pool_backward(pool, dy, np.empty_like(x))
        check_gradient(lambda x: np.sum(dy * average_pool(pool, x, y.copy())), x, dx)


@pytest.mark.skipif("numba" not in ENGINES, reason="needs Numba")
def test_the_same_bits_for_any_number_of_threads():
    pool = make("3x3 stride 2 padding 1")
    x, dy = images(pool, "f", n=200)
    found = []
    for n_threads in (1, 3):
        y, which = np.empty_like(dy), np.empty(dy.shape, np.uint16)
        with config_context(engine="numba", n_threads=n_threads):
            max_pool(pool, x, y, which)
            dx = max_pool_backward(pool, which, dy, np.empty_like(x), y)
            taken = take_maxima(pool, which, dx, np.empty_like(y))
            mean = global_average(x, np.empty((200, pool.channels), "f"))
        found.append((y, which, dx, taken, mean))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_maximum_is_taken_from_the_padding(engine):
    pool = make_pool((3, 3, 1), 2, 2, 1)
    x = np.full((1, 3, 3, 1), -np.inf)
    y, which = np.empty((1, 2, 2, 1)), np.empty((1, 2, 2, 1), np.uint16)
    with config_context(engine=engine):
        max_pool(pool, x, y, which)
        got = take_maxima(pool, which, np.ones_like(x), np.full_like(y, np.nan))
    assert set(got.ravel()) <= {0.0, 1.0}  # the first entry of a corner lies outside
    assert got[0, 0, 0] == (which[0, 0, 0] == 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 7}, "does not fit into 5 pixels"),
        ({"window": 2, "padding": 2}, "nothing but padding"),
        ({"window": 0}, "the window's size must be an integer of at least 1"),
        ({"window": 2, "stride": 0}, "stride must be"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        make_pool((5, 6, 3), **settings)
