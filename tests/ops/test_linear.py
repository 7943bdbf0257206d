"""The affine map: values, derivatives, sparse input, given memory."""

import numpy as np
import pytest
from scipy import sparse

from skdl.ops.linear import linear, linear_backward_input, linear_backward_weights
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
