"""Enlarging images, NumPy and compiled, against its definition."""

import numpy as np
import pytest

from skdl import config_context
from skdl._config import has_numba
from skdl.ops.upsample import (
    linear_shares,
    make_upsampling,
    resample,
    upsample,
    upsample_backward,
)
from skdl.testing import check_gradient

ENGINES = ["numpy", "numba"] if has_numba() else ["numpy"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("factor", [1, 2, (3, 2)])
@pytest.mark.parametrize("channels", [1, 5, 32])
def test_nearest(engine, factor, channels):
    rng = np.random.default_rng(0)
    pool = make_upsampling((3, 4, channels), factor)
    x, dy = (
        rng.normal(size=(2, 3, 4, channels)),
        rng.normal(size=(2, *pool.input_shape)),
    )
    down, across = pool.axes[0].size, pool.axes[1].size
    with config_context(engine=engine):
        y = upsample(pool, x, np.full_like(dy, np.nan))
        dx = upsample_backward(pool, dy, np.full_like(x, np.nan))
        np.testing.assert_array_equal(y, x.repeat(down, 1).repeat(across, 2))
        check_gradient(
            lambda x: np.sum(dy * upsample(pool, x, np.empty_like(dy))), x, dx
        )


def test_the_factor_is_whole():
    with pytest.raises(ValueError, match="factor must be"):
        make_upsampling((3, 3, 1), 1.5)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_shares_are_those_of_linear_interpolation(n, factor):
    shares = linear_shares(n, factor, np.dtype("d"))
    at = (np.arange(n * factor) + 0.5) / factor - 0.5
    old = np.random.default_rng(0).normal(size=n)
    np.testing.assert_allclose(shares @ old, np.interp(at, np.arange(n), old))
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_resample():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 6, 2, 5))
    down, across = rng.normal(size=(6, 3)), rng.normal(size=(2, 4))
    y = resample(x, down, across, np.empty_like(dy))
    np.testing.assert_allclose(y, np.einsum("pi,qj,nijc->npqc", down, across, x))
    dx = resample(dy, down.T, across.T, np.empty_like(x))
    np.testing.assert_allclose(np.sum(dx * x), np.sum(dy * y))
