"""Layers and networks of them against PyTorch: values, gradients, statistics."""

import numpy as np
import pytest

from skdl.layers import Activation, BatchNorm, Context, Dense, Residual
from skdl.networks import Network

pytestmark = pytest.mark.reference

CHAINS = {
    "dense": [Dense(4)],
    "dense without bias": [Dense(4, bias=False)],
    "batch norm": [BatchNorm()],
    "batch norm, other settings": [BatchNorm(momentum=0.3, epsilon=1e-2)],
    "relu net": [Dense(8), "relu", Dense(6), "relu", Dense(3)],
    "mixed net": [Dense(8), "gelu", Dense(6), "softplus", Dense(5), "elu", Dense(2)],
    "normalised net": [Dense(8, bias=False), BatchNorm(), "tanh", Dense(3)],
    "softmax inside": [Dense(8), "softmax", Dense(3)],
    "residual": [Residual([Dense(5), "tanh"]), Dense(3)],
    "projected": [Residual([Dense(7), BatchNorm(), "leaky_relu"]), "selu", Dense(3)],
    "nested": [Residual([Residual([Dense(5), "sigmoid"]), Dense(4)]), Dense(2)],
}
NAMES = {"LeakyReLU": "leaky_relu"}  # else the class name in small letters


def forward(layers, p, x, train, prefix=""):
    """Run a chain of layers in PyTorch; `p` has tensors by the network's names."""
    import torch.nn.functional as F

    for i, layer in enumerate(layers):
        at = f"{prefix}{i}."
        if isinstance(layer, Dense):
            x = x @ p[at + "W"] + p.get(at + "b", 0.0)
        elif isinstance(layer, BatchNorm):
            x = F.batch_norm(
                x,
                p[at + "running_mean"],
                p[at + "running_variance"],
                p[at + "gamma"],
                p[at + "beta"],
                training=train,
                momentum=layer.momentum,
                eps=layer.epsilon,
            )
        elif isinstance(layer, Activation):
            name = type(layer.function).__name__
            options = {"dim": -1} if name == "Softmax" else {}
            x = getattr(F, NAMES.get(name, name.lower()))(x, **options)
        else:
            assert isinstance(layer, Residual)
            skip = x @ p[at + "skip.W"] if at + "skip.W" in p else x
            x = skip + forward(layer.layers, p, x, train, at)
    return x


@pytest.mark.parametrize("case", CHAINS)
def test_training_and_prediction(case):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    network = Network(CHAINS[case], (5,))
    network.initialize(rng)
    network.params.vector[:] += 0.3 * rng.normal(size=network.params.size)
    tree, grads = network.tree(network.params), network.params.like()
    p = {name: torch.tensor(network.params[name]) for name in network.params}
    for tensor in p.values():
        tensor.requires_grad_()
    p |= {name: torch.tensor(network.state[name]) for name in network.state}

    for _ in range(3):  # the running statistics move with each batch
        x = rng.normal(1.0, 2.0, size=(16, 5))
        dy = rng.normal(size=(16, *network.output_shape))
        ctx = Context(True)
        y, caches = network.forward(tree, x, ctx)
        dx = network.backward(tree, grads.tree, caches, dy, ctx)

        x_torch = torch.tensor(x, requires_grad=True)
        for name in network.params:
            p[name].grad = None
        y_torch = forward(network.layers, p, x_torch, train=True)
        y_torch.backward(torch.tensor(dy))

        pairs = {"y": (y, y_torch.detach()), "dx": (dx, x_torch.grad)}
        pairs |= {name: (grads[name], p[name].grad) for name in network.params}
        pairs |= {name: (network.state[name], p[name]) for name in network.state}
        for name, (got, expected) in pairs.items():
            np.testing.assert_allclose(
                got, expected, rtol=1e-9, atol=1e-11, err_msg=name
            )

    with torch.no_grad():
        expected = forward(network.layers, p, torch.tensor(x), train=False)
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-9, atol=1e-12)
