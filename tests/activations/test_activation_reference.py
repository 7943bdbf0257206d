"""Activations and their derivatives against PyTorch."""

import numpy as np
import pytest

from skdl import activations
from skdl.activations import ELU, LeakyReLU

pytestmark = pytest.mark.reference

# activation -> (function of torch.nn.functional, its arguments)
PAIRS = {
    "sigmoid": ("sigmoid", {}),
    "tanh": ("tanh", {}),
    "relu": ("relu", {}),
    "relu6": ("relu6", {}),
    "leaky_relu": ("leaky_relu", {}),
    "elu": ("elu", {}),
    "selu": ("selu", {}),
    "gelu": ("gelu", {}),
    "softplus": ("softplus", {"threshold": 1e9}),
    "softmax": ("softmax", {"dim": -1}),
    LeakyReLU(0.3): ("leaky_relu", {"negative_slope": 0.3}),
    ELU(2.0): ("elu", {"alpha": 2.0}),
}


@pytest.mark.parametrize("function", PAIRS)
def test_value_and_derivative(function):
    torch = pytest.importorskip("torch")
    name, arguments = PAIRS[function]
    rng = np.random.default_rng(0)
    x, dy = 4 * rng.normal(size=(9, 5)), rng.normal(size=(9, 5))
    x[0] = 0.0
    x_torch = torch.tensor(x, requires_grad=True)
    y_torch = getattr(torch.nn.functional, name)(x_torch, **arguments)
    y_torch.backward(torch.tensor(dy))

    f = activations.get(function)
    y = f(x)
    z = y if f.derivative_from == "output" else x
    dx = f.backward(dy, z, np.empty_like(x), np.empty_like(x))
    np.testing.assert_allclose(y, y_torch.detach(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dx, x_torch.grad, rtol=1e-10, atol=1e-13)
