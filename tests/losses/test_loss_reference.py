"""Losses and their gradients against torch.nn.functional."""

import numpy as np
import pytest

from skdl.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Huber,
    Poisson,
    SquaredError,
)

pytestmark = pytest.mark.reference

N = 30
RNG = np.random.default_rng(0)
RAW = 3 * RNG.normal(size=(N, 4))
CODES = RNG.integers(0, 4, N)
LABELS = (RNG.random((N, 4)) < 0.5).astype(float)
REAL = RNG.normal(size=(N, 4))
COUNTS = RNG.poisson(2.0, (N, 4)).astype(float)

# loss -> (targets, function of torch.nn.functional, its arguments, factor on it)
PAIRS = {
    CrossEntropy(): (CODES, "cross_entropy", {}, 1.0),
    CrossEntropy(0.3): (CODES, "cross_entropy", {"label_smoothing": 0.3}, 1.0),
    BinaryCrossEntropy(): (LABELS, "binary_cross_entropy_with_logits", {}, 1.0),
    # PyTorch smooths targets by hand.
    BinaryCrossEntropy(0.2): (
        LABELS,
        "binary_cross_entropy_with_logits",
        {"targets": 0.8 * LABELS + 0.1},
        1.0,
    ),
    SquaredError(): (REAL, "mse_loss", {}, 0.5),
    AbsoluteError(): (REAL, "l1_loss", {}, 1.0),
    Huber(): (REAL, "huber_loss", {}, 1.0),
    Huber(0.3): (REAL, "huber_loss", {"delta": 0.3}, 1.0),
    # PyTorch leaves out what does not depend on the prediction.
    Poisson(): (COUNTS, "poisson_nll_loss", {}, 1.0),
}


@pytest.mark.parametrize("loss", PAIRS, ids=repr)
@pytest.mark.parametrize("weighted", [False, True])
def test_value_and_gradient(loss, weighted):
    torch = pytest.importorskip("torch")
    y, name, arguments, factor = PAIRS[loss]
    arguments = dict(arguments)
    y_torch = torch.tensor(arguments.pop("targets", y))
    raw = torch.tensor(RAW, requires_grad=True)
    function = getattr(torch.nn.functional, name)
    rows = function(raw, y_torch, reduction="none", **arguments).reshape(N, -1).sum(1)
    weight = np.random.default_rng(1).random(N) if weighted else np.ones(N)
    expected = factor * (torch.tensor(weight) * rows).sum() / weight.sum()
    expected.backward()

    value, gradient = loss.weighted(
        y, RAW, weight if weighted else None, 1.0 / weight.sum()
    )
    if isinstance(loss, Poisson):
        constant = loss.evaluate(COUNTS, np.zeros_like(RAW))[0].sum(axis=1) - 4.0
        value -= weight @ constant / weight.sum()
    assert value == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, raw.grad, rtol=1e-10, atol=1e-15)
