"""Products of a network's Hessian with a vector against PyTorch's double backward."""

import numpy as np
import pytest

from skdl.activations import Softplus
from skdl.layers import BatchNorm, Dense
from skdl.losses import CrossEntropy, SquaredError
from skdl.networks import Network
from skdl.optimizers._oracle import Oracle
from skdl.training import Objective

pytestmark = pytest.mark.reference


class Problem:
    """A network on some rows."""

    def __init__(self, objective, X, y):
        self.objective, self.X, self.y = objective, X, y

    def value_and_gradient(self, theta):
        return self.objective.loss_and_gradient(theta, self.X, self.y)


LAYERS = {
    "tanh": [Dense(7), "tanh", Dense(5), "sigmoid", Dense(3)],
    "softplus": [Dense(6), "softplus", Dense(3)],
    "batch norm": [Dense(6), BatchNorm(), "tanh", Dense(3)],
    "linear": [Dense(3)],
}


def forward(torch, network, theta, X):
    """The same network in PyTorch, from the vector of its parameters."""

    def array(name):  # where it lies in the vector
        view = network.params[name]
        offset = view.ctypes.data - network.params.vector.ctypes.data
        first = offset // view.itemsize
        return theta[first : first + view.size].reshape(view.shape)

    x = torch.tensor(X)
    for i, layer in enumerate(network.layers):
        kind = type(layer).__name__
        if kind == "Dense":
            x = x @ array(f"{i}.W") + array(f"{i}.b")
        elif kind == "BatchNorm":
            variance, mean = torch.var_mean(x, dim=0, correction=0)
            x = (x - mean) / torch.sqrt(variance + layer.epsilon)
            x = x * array(f"{i}.gamma") + array(f"{i}.beta")
        elif isinstance(layer.function, Softplus):
            x = torch.nn.functional.softplus(x)
        else:
            x = getattr(torch, type(layer.function).__name__.lower())(x)
    return x


@pytest.mark.parametrize("case", LAYERS)
@pytest.mark.parametrize("loss", [SquaredError(), CrossEntropy()], ids=str)
@pytest.mark.parametrize(("differences", "digits"), [("central", 7), ("forward", 5)])
def test_double_backward(case, loss, differences, digits):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    X, classes = rng.normal(size=(20, 4)), rng.integers(3, size=20)
    squared = isinstance(loss, SquaredError)
    y = rng.normal(size=(20, 3)) if squared else classes
    network = Network(LAYERS[case], (4,))
    network.initialize(rng)
    theta, v = network.params.vector, rng.normal(size=network.params.size)
    theta += 0.1 * rng.normal(size=theta.size)
    oracle = Oracle(Problem(Objective(network, loss), X, y), theta, differences)
    here = oracle(theta.copy())

    parameters = torch.tensor(theta.copy(), requires_grad=True)
    raw, target = forward(torch, network, parameters, X), torch.tensor(y)
    if squared:
        value = 0.5 * ((raw - target) ** 2).sum() / 20
    else:
        value = torch.nn.functional.cross_entropy(raw, target)
    gradient = torch.autograd.grad(value, parameters, create_graph=True)[0]
    np.testing.assert_allclose(here.gradient, gradient.detach(), atol=1e-12)
    product = torch.autograd.grad(gradient @ torch.tensor(v), parameters)[0].numpy()
    error = np.abs(oracle.product(here, v) - product).max() / np.abs(product).max()
    assert error < 10.0**-digits
