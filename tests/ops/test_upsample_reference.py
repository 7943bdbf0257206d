"""Enlarging images against PyTorch."""

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

pytestmark = pytest.mark.reference

ENGINES = ["numpy", "numba"] if has_numba() else ["numpy"]
TOLERANCE = {"d": 1e-13, "f": 1e-5}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", "df")
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_enlarging(mode, dtype, engine):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 4, 5, 6)).astype(dtype)
    dy = rng.normal(size=(2, 8, 15, 6)).astype(dtype)
    tx = torch.tensor(x.transpose(0, 3, 1, 2), requires_grad=True)
    expected = torch.nn.functional.interpolate(tx, scale_factor=(2, 3), mode=mode)
    expected.backward(torch.tensor(dy.transpose(0, 3, 1, 2)))
    with config_context(engine=engine):
        if mode == "nearest":
            pool = make_upsampling((4, 5, 6), (2, 3))
            y = upsample(pool, x, np.empty_like(dy))
            dx = upsample_backward(pool, dy, np.empty_like(x))
        else:
            down = linear_shares(4, 2, x.dtype)
            across = linear_shares(5, 3, x.dtype)
            y = resample(x, down, across, np.empty_like(dy))
            dx = resample(dy, down.T, across.T, np.empty_like(x))
    for got, theirs in ((y, expected.detach()), (dx, tx.grad)):
        theirs = theirs.numpy().transpose(0, 2, 3, 1)
        np.testing.assert_allclose(got, theirs, atol=TOLERANCE[dtype])
