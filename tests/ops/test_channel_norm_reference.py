"""Batch normalisation of channels against PyTorch."""

import numpy as np
import pytest
from test_channel_norm import ENGINES, EPSILON, forward, problem

from skdl import config_context
from skdl.ops.activation import relu_backward
from skdl.ops.channel_norm import channel_norm_backward

pytestmark = pytest.mark.reference


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("d", 1e-10), ("f", 1e-4)])
@pytest.mark.parametrize("shape", [(4, 5, 6, 3), (3, 8, 7, 40), (30, 20, 20, 16)])
def test_norm_addition_and_relu(shape, dtype, tolerance, engine):
    torch = pytest.importorskip("torch")
    x, gamma, beta, other, dy = problem(shape, dtype)
    # Rounding must not decide which side of ReLU's corner a number is on.
    before = forward(*(part.astype("d") for part in (x, gamma, beta, other)))[0]
    other[np.abs(before) < 1e-3] += 0.01

    def first(array):
        return torch.tensor(array.transpose(0, 3, 1, 2), requires_grad=True)

    tx, to = first(x), first(other)
    tg, tb = (torch.tensor(a, requires_grad=True) for a in (gamma, beta))
    expected = torch.nn.functional.batch_norm(
        tx, None, None, tg, tb, training=True, eps=EPSILON
    )
    expected = torch.relu(expected + to)
    expected.backward(first(dy).detach())
    with config_context(engine=engine):
        y, mean, _, inv_std = forward(x, gamma, beta, other, floor=0.0)
        dgamma, dbeta, dx = (np.empty_like(a) for a in (gamma, beta, x))
        dy = relu_backward(dy, y, np.empty_like(dy), np.empty_like(dy))
        args = x, dy, gamma, beta, mean, inv_std, dgamma, dbeta, dx
        channel_norm_backward(*args)
    pairs = {
        "y": (y, expected.detach().numpy().transpose(0, 2, 3, 1)),
        "dx": (dx, tx.grad.numpy().transpose(0, 2, 3, 1)),
        "other": (dy, to.grad.numpy().transpose(0, 2, 3, 1)),
        "gamma": (dgamma, tg.grad.numpy()),
        "beta": (dbeta, tb.grad.numpy()),
    }
    for name, (got, wanted) in pairs.items():
        scale = np.abs(wanted).max()
        np.testing.assert_allclose(
            got / scale, wanted / scale, rtol=0, atol=tolerance, err_msg=name
        )
