"""A hundred steps of each optimizer that PyTorch has too, and its clipping."""

import numpy as np
import pytest

from skdl.optimizers import (
    GD,
    SGD,
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    AMSGrad,
    Momentum,
    NAdam,
    Nesterov,
    RMSProp,
    RProp,
)

pytestmark = pytest.mark.reference

N_STEPS = 100
RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(40, 12)), RNG.normal(size=40)

# skdl's optimizer -> (torch's, its arguments); defaults are compared as they are
PAIRS = {
    SGD(): ("SGD", {"lr": 0.01}),
    GD(0.1): ("SGD", {"lr": 0.1}),
    Momentum(): ("SGD", {"lr": 0.01, "momentum": 0.9}),
    Momentum(0.05, 0.5): ("SGD", {"lr": 0.05, "momentum": 0.5}),
    Nesterov(): ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    RProp(): ("Rprop", {}),
    RProp(0.1, 0.3, 1.4, 1e-4, 0.5): (
        "Rprop",
        {"lr": 0.1, "etas": (0.3, 1.4), "step_sizes": (1e-4, 0.5)},
    ),
    RMSProp(): ("RMSprop", {"lr": 1e-3, "alpha": 0.9}),
    RMSProp(0.01, 0.99, 1e-3): ("RMSprop", {"lr": 0.01, "alpha": 0.99, "eps": 1e-3}),
    AdaGrad(): ("Adagrad", {}),
    AdaDelta(): ("Adadelta", {}),
    AdaDelta(0.5, 0.8, 1e-3): ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-3}),
    Adam(): ("Adam", {}),
    Adam(0.03, 0.7, 0.95, 1e-4): (
        "Adam",
        {"lr": 0.03, "betas": (0.7, 0.95), "eps": 1e-4},
    ),
    AMSGrad(0.03, 0.7, 0.8): (
        "Adam",
        {"lr": 0.03, "betas": (0.7, 0.8), "amsgrad": True},
    ),
    AdamW(): ("AdamW", {}),
    AdamW(0.03, weight_decay=0.3): ("AdamW", {"lr": 0.03, "weight_decay": 0.3}),
    NAdam(): ("NAdam", {}),
    NAdam(0.03, 0.7, 0.95, momentum_decay=0.2): (
        "NAdam",
        {"lr": 0.03, "betas": (0.7, 0.95), "momentum_decay": 0.2},
    ),
}


def gradient(theta, t):
    """Robust regression on ten rows at a time, with a term that is not convex."""
    rows = np.arange(10 * t, 10 * t + 10) % 40
    residual = A[rows] @ theta - B[rows]
    return A[rows].T @ np.tanh(3 * residual) / 10 - 0.1 * np.sin(5 * theta)


@pytest.fixture
def torch():
    """PyTorch in double precision: its NAdam keeps a product in the default type."""
    torch = pytest.importorskip("torch")
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("optimizer", PAIRS, ids=repr)
def test_a_hundred_steps(torch, optimizer):
    name, arguments = PAIRS[optimizer]
    start = np.linspace(-1, 1, 12)
    parameter = torch.nn.Parameter(torch.tensor(start))
    theirs = getattr(torch.optim, name)([parameter], **arguments)
    theta, state = start.copy(), optimizer.init(12)
    for t in range(N_STEPS):
        parameter.grad = torch.tensor(gradient(parameter.detach().numpy(), t))
        theirs.step()
        optimizer.update(theta, gradient(theta, t), state)
    assert np.abs(theta - start).max() > 1e-3  # it has gone somewhere
    np.testing.assert_allclose(theta, parameter.detach(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("limit", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("how", ["norm", "value"])
def test_clipping(torch, how, limit):
    g = np.random.default_rng(0).normal(size=50)
    parameter = torch.nn.Parameter(torch.zeros(50))
    parameter.grad = torch.tensor(g)
    getattr(torch.nn.utils, f"clip_grad_{how}_")([parameter], limit)
    theta, optimizer = np.zeros(50), SGD(1.0, **{f"clip_{how}": limit})
    optimizer.update(theta, g.copy(), optimizer.init(50))
    # PyTorch divides by the norm + 1e-6.
    np.testing.assert_allclose(-theta, parameter.grad, rtol=1e-6)
