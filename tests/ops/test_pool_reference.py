"""Pooling against PyTorch."""

import numpy as np
import pytest
from test_pool import CASES, ENGINES, images, make

from skdl import config_context
from skdl.ops.pool import (
    average_pool,
    average_pool_backward,
    max_pool,
    max_pool_backward,
)

pytestmark = pytest.mark.reference

# PyTorch has no "same" padding here, and no dilation in averages.
MAXIMA = [name for name in CASES if "same" not in name]
MEANS = [name for name in MAXIMA if "dilation" not in name]
TOLERANCE = {"d": 1e-10, "f": 1e-4}


def last(tensor):
    return tensor.detach().numpy().transpose(0, 2, 3, 1)


def problem(case, dtype):
    import torch

    pool = make(case)
    x, dy = images(pool, dtype)
    tx = torch.tensor(x.transpose(0, 3, 1, 2), requires_grad=True)
    _, window, settings = CASES[case]
    options = {
        "stride": settings.get("stride"),
        "padding": settings.get("padding", 0),
        "ceil_mode": settings.get("ceil", False),
    }
    return pool, x, dy, tx, torch.tensor(dy.transpose(0, 3, 1, 2)), window, options


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", "df")
@pytest.mark.parametrize("case", MAXIMA)
def test_max_pool(case, dtype, engine):
    torch = pytest.importorskip("torch")
    pool, x, dy, tx, tdy, window, options = problem(case, dtype)
    options["dilation"] = CASES[case][2].get("dilation", 1)
    expected = torch.nn.functional.max_pool2d(tx, window, **options)
    expected.backward(tdy)
    y, which = np.empty_like(dy), np.empty(dy.shape, np.uint16)
    with config_context(engine=engine):
        max_pool(pool, x, y, which)
        dx = max_pool_backward(pool, which, dy, np.empty_like(x))
    np.testing.assert_array_equal(y, last(expected))
    np.testing.assert_allclose(dx, last(tx.grad), atol=TOLERANCE[dtype])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", "df")
@pytest.mark.parametrize("count_padding", [True, False])
@pytest.mark.parametrize("case", MEANS)
def test_average_pool(case, count_padding, dtype, engine):
    torch = pytest.importorskip("torch")
    pool, x, dy, tx, tdy, window, options = problem(case, dtype)
    expected = torch.nn.functional.avg_pool2d(
        tx, window, count_include_pad=count_padding, **options
    )
    expected.backward(tdy)
    with config_context(engine=engine):
        y = average_pool(pool, x, np.empty_like(dy), count_padding)
        dx = average_pool_backward(pool, dy, np.empty_like(x), count_padding)
    np.testing.assert_allclose(y, last(expected), atol=TOLERANCE[dtype])
    np.testing.assert_allclose(dx, last(tx.grad), atol=TOLERANCE[dtype])
