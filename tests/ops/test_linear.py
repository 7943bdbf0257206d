"""The affine map: values, derivatives, sparse input, given memory."""

import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits

from skdl import config_context
from skdl._config import has_numba
from skdl.ops import linear as module
from skdl.ops._blas import one_blas_thread
from skdl.ops.linear import (
    linear,
    linear_backward_input,
    linear_backward_weights,
    product,
)
from skdl.testing import check_gradient

FORMATS = {
    "dense": np.asarray,
    "fortran": np.asfortranarray,
    "csr_array": sparse.csr_array,
    "csc_matrix": sparse.csc_matrix,
    "coo_array": sparse.coo_array,
}


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 4)) * (rng.random((6, 4)) < 0.7)
    return x, rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(6, 3))


def dirty(*shape, dtype=np.float64):
    return np.full(shape, np.nan, dtype=dtype)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward(problem, name, dtype):
    x, W, b, _ = (part.astype(dtype) for part in problem)
    out = dirty(6, 3, dtype=dtype)
    assert linear(FORMATS[name](x), W, b, out) is out
    np.testing.assert_allclose(out, x @ W + b, rtol=1e-5)
    np.testing.assert_allclose(
        linear(FORMATS[name](x), W, None, out), x @ W, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", FORMATS)
def test_floor(problem, name):
    x, W, b, _ = problem
    got = linear(FORMATS[name](x), W, b, dirty(6, 3), floor=0.0)
    np.testing.assert_allclose(got, np.maximum(x @ W + b, 0), rtol=1e-12, atol=1e-14)
    W[0, 0] = np.nan
    assert np.isnan(linear(np.ones((2, 4)), W, b, dirty(2, 3), 0.0)[:, 0]).all()


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("n_out", [1, 10, 32, 64, 84, 128, 200])
@pytest.mark.parametrize("n_in", [1, 7, 400, 5000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_compiled_row(n_in, n_out, dtype):
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(1, n_in)), rng.normal(size=(n_in, n_out))
    x, W, b = (a.astype(dtype) for a in (x, W, rng.normal(size=n_out)))
    tolerance = (np.abs(x) @ np.abs(W)).max() * (1e-6 if dtype == np.float32 else 1e-14)
    for bias in (b, None):
        for floor in (-np.inf, 0.0):
            expected = linear(x, W, bias, dirty(1, n_out, dtype=dtype), floor)
            for n_threads in (1, 3):
                out = dirty(1, n_out, dtype=dtype)
                with config_context(n_threads=n_threads):
                    assert linear(x, W, bias, out, floor, compiled=True) is out
                np.testing.assert_allclose(out, expected, atol=tolerance)
    x[0, -1] = np.nan
    assert np.isnan(linear(x, W, b, out, 0.0, compiled=True)).all()


@pytest.mark.parametrize("name", FORMATS)
def test_derivatives(problem, name):
    x, W, b, dz = problem
    dW, db, dx = dirty(4, 3), dirty(3), dirty(6, 4)
    linear_backward_weights(dz, FORMATS[name](x), dW, db)
    assert linear_backward_input(dz, W, dx) is dx

    def value(x, W, b):
        return np.sum(dz * linear(x, W, b, np.empty((6, 3))))

    check_gradient(lambda W: value(x, W, b), W, dW)
    check_gradient(lambda b: value(x, W, b), b, db)
    check_gradient(lambda x: value(x, W, b), x, dx)


def test_without_bias(problem):
    x, _, _, dz = problem
    dW = dirty(4, 3)
    linear_backward_weights(dz, x, dW)
    np.testing.assert_allclose(dW, x.T @ dz)


# ---- large products


@pytest.mark.parametrize(
    ("m", "k", "n", "n_blocks"),
    [
        (100, 100, 100, 1),
        (400, 20, 1000, 1),  # just below what is worth two threads
        (400, 21, 1000, 2),
        (1000, 21, 400, 2),
        (2001, 300, 133, 2),
        (4001, 300, 133, 4),
        (90, 4000, 90, 1),  # blocks of fewer than 48 columns do not pay
        (100, 4000, 97, 2),
        (5000, 100, 1000, 8),
        (5000, 500, 1000, 16),
        (500, 40_000, 1, 2),
    ],
)
def test_large_products_are_cut_by_their_shape(m, k, n, n_blocks, monkeypatch):
    seen = []

    def run(function, n_chunks, limit):
        seen.append(n_chunks)
        for i in reversed(range(n_chunks)):
            function(i)

    monkeypatch.setattr(module, "run_chunks", run)
    rng = np.random.default_rng(0)
    a, b = rng.random((m, k), np.float32), rng.random((k, n), np.float32)
    out = dirty(m, n, dtype=np.float32)
    with one_blas_thread():
        assert product(a, b, out) is out
    np.testing.assert_allclose(out, a @ b, rtol=1e-4)
    assert (seen or [1]) == [n_blocks]


@pytest.mark.parametrize(("m", "n"), [(1000, 1), (777, 100), (100, 777), (5000, 5000)])
@pytest.mark.parametrize("k", [30, 10_000])
def test_cuts(m, n, k):
    bounds = module._cuts(m, n, k)
    lengths = np.diff(bounds)
    assert (bounds[0], bounds[-1]) == (0, max(m, n))
    assert len(lengths) in (1, 2, 4, 8, 16)
    assert (lengths[:-1] % 16 == 0).all()
    assert len(lengths) == 1 or lengths.min() > 0.6 * lengths.max()


@pytest.mark.parametrize("order", ["plain", "a", "b", "rows"])
def test_large_products_have_the_same_bits_on_any_threads(order):
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(333, 501)), rng.normal(size=(501, 450))
    a = {"a": np.asfortranarray(a), "rows": np.repeat(a, 2, axis=0)[::2]}.get(order, a)
    b = np.asfortranarray(b) if order == "b" else b
    found = set()
    for n_threads in (1, 2, 4):
        with (
            threadpool_limits(n_threads, user_api="blas"),
            config_context(n_threads=n_threads),
            one_blas_thread(),
        ):
            found.add(product(a, b, dirty(333, 450)).tobytes())
    assert len(found) == 1
    np.testing.assert_allclose(np.frombuffer(found.pop()).reshape(333, 450), a @ b)
