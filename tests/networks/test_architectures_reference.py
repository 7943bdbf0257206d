"""The architectures beside PyTorch modules: outputs, losses and gradients.

The modules are written from the papers, in the order of torchvision's parameters.
"""

import numpy as np
import pytest

from skdl.layers import Branches, Chain, Dense, Dropout, Residual, resolve_chain
from skdl.losses import CrossEntropy
from skdl.networks import Network, named_layers, scaled
from skdl.training import Objective

torch = pytest.importorskip("torch")
nn = torch.nn
F = torch.nn.functional

pytestmark = pytest.mark.reference

WIDTH = 1 / 16


def n(channels):
    return round(channels * WIDTH)


class Unit(nn.Module):
    """Convolution, batch normalisation and, maybe, ReLU."""

    def __init__(self, c, k, size, relu=True, epsilon=1e-5, **settings):
        super().__init__()
        self.conv = nn.Conv2d(c, k, size, padding=size // 2, bias=False, **settings)
        self.norm, self.relu = nn.BatchNorm2d(k, eps=epsilon), relu

    def forward(self, x):
        y = self.norm(self.conv(x))
        return F.relu(y) if self.relu else y


class Block(nn.Module):
    def __init__(self, c, filters, stride, kind):
        super().__init__()
        if kind == "basic":
            out = n(filters)
            self.inner = nn.Sequential(
                Unit(c, out, 3, stride=stride), Unit(out, out, 3, relu=False)
            )
        else:
            groups, inner = (1, n(filters)) if kind == "bottleneck" else (32, 32)
            if groups == 32:
                inner = 32 * max(1, round(2 * filters * WIDTH / 32))
            out = n(4 * filters)
            self.inner = nn.Sequential(
                Unit(c, inner, 1),
                Unit(inner, inner, 3, stride=stride, groups=groups),
                Unit(inner, out, 1, relu=False),
            )
        self.skip, self.out = nn.Identity(), out
        if stride != 1 or c != out:
            self.skip = Unit(c, out, 1, relu=False, stride=stride)

    def forward(self, x):
        return F.relu(self.inner(x) + self.skip(x))


class ResNet(nn.Module):
    def __init__(self, kind, depths, small):
        super().__init__()
        c = n(64)
        self.stem = nn.Sequential(
            *([Unit(3, c, 3)] if small else [Unit(3, c, 7, stride=2)])
        )
        self.small, blocks = small, []
        for stage, depth in enumerate(depths):
            for i in range(depth):
                stride = 2 if stage and i == 0 else 1
                blocks.append(Block(c, 64 * 2**stage, stride, kind))
                c = blocks[-1].out
        self.blocks, self.fc = nn.Sequential(*blocks), nn.Linear(c, 3)

    def forward(self, x):
        x = self.stem(x)
        x = x if self.small else F.max_pool2d(x, 3, 2, 1)
        return [self.fc(self.blocks(x).mean((2, 3)))]


class Inception(nn.Module):
    def __init__(self, c, a, b1, b3, c1, c3, p):
        super().__init__()
        e = {"epsilon": 1e-3}
        self.paths = nn.ModuleList(
            [
                Unit(c, n(a), 1, **e),
                nn.Sequential(Unit(c, n(b1), 1, **e), Unit(n(b1), n(b3), 3, **e)),
                nn.Sequential(Unit(c, n(c1), 1, **e), Unit(n(c1), n(c3), 3, **e)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), Unit(c, n(p), 1, **e)),
            ]
        )
        self.out = n(a) + n(b3) + n(c3) + n(p)

    def forward(self, x):
        return torch.cat([path(x) for path in self.paths], 1)


class Head(nn.Module):
    def __init__(self, c, parts):
        super().__init__()
        self.conv = Unit(c, n(128), 1, epsilon=1e-3)
        self.hidden = nn.Linear(n(128) * parts, n(1024))
        self.out = nn.Linear(n(1024), 3)

    def forward(self, x):
        assert x.shape[2:] == (4, 4)  # the pooling has nothing to do
        x = self.conv(x)
        # our layers and samples are channels last
        return self.out(F.relu(self.hidden(x.permute(0, 2, 3, 1).flatten(1))))


class GoogLeNet(nn.Module):
    def __init__(self):
        super().__init__()
        e = {"epsilon": 1e-3}
        self.one = Unit(3, n(64), 7, stride=2, **e)
        self.two = nn.Sequential(
            Unit(n(64), n(64), 1, **e), Unit(n(64), n(192), 3, **e)
        )
        table = {
            "3a": (64, 96, 128, 16, 32, 32),
            "3b": (128, 128, 192, 32, 96, 64),
            "4a": (192, 96, 208, 16, 48, 64),
            "4b": (160, 112, 224, 24, 64, 64),
            "4c": (128, 128, 256, 24, 64, 64),
            "4d": (112, 144, 288, 32, 64, 64),
            "4e": (256, 160, 320, 32, 128, 128),
            "5a": (256, 160, 320, 32, 128, 128),
            "5b": (384, 192, 384, 48, 128, 128),
        }
        c, self.blocks = n(192), nn.ModuleDict()
        for key, filters in table.items():
            block = Inception(c, *filters)
            self.blocks[key], c = block, block.out
            if key in ("4a", "4d"):  # stands where our layer stands
                self.blocks["head" + key] = Head(c, 16)
        self.fc = nn.Linear(c, 3)

    def forward(self, x):
        x = F.max_pool2d(self.one(x), 3, 2, ceil_mode=True)
        x, sides = F.max_pool2d(self.two(x), 3, 2, ceil_mode=True), []
        for key, block in self.blocks.items():
            if key.startswith("head"):
                sides.append(block(x))
                continue
            x = block(x)
            if key == "3b":
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            if key == "4e":
                x = F.max_pool2d(x, 2, 2, ceil_mode=True)
        return [self.fc(x.mean((2, 3))), *sides]


class Plain(nn.Module):
    """AlexNet and VGG: convolutions (filters, size, stride, padding), pools, dense."""

    def __init__(self, plan, pool, flat):
        super().__init__()
        c, parts = 3, []
        for item in plan:
            if item == "pool":
                parts.append(nn.MaxPool2d(*pool))
            else:
                k, size, stride, padding = item
                parts += [nn.Conv2d(c, n(k), size, stride, padding), nn.ReLU()]
                c = n(k)
        self.features = nn.Sequential(*parts)
        hidden = n(4096)
        self.dense = nn.ModuleList(
            [nn.Linear(flat * c, hidden), nn.Linear(hidden, hidden)]
        )
        self.fc = nn.Linear(hidden, 3)

    def forward(self, x):
        x = self.features(x).permute(0, 2, 3, 1).flatten(1)
        for layer in self.dense:
            x = F.relu(layer(x))
        return [self.fc(x)]


def vgg(depths):
    plan = []
    for depth, k in zip(depths, (64, 128, 256, 512, 512), strict=True):
        plan += [(k, 3, 1, 1)] * depth + ["pool"]
    return Plain(plan, (2, 2), 4)


def alexnet():
    plan = [(64, 11, 4, 2), "pool", (192, 5, 1, 2), "pool", (384, 3, 1, 1)]
    return Plain([*plan, (256, 3, 1, 1), (256, 3, 1, 1), "pool"], (3, 2), 1)


# name -> module, side of the picture
CASES = {
    "resnet18": (lambda: ResNet("basic", (2, 2, 2, 2), False), 64),
    "resnet34": (lambda: ResNet("basic", (3, 4, 6, 3), True), 16),
    "resnet50": (lambda: ResNet("bottleneck", (3, 4, 6, 3), False), 64),
    "resnext50": (lambda: ResNet("grouped", (3, 4, 6, 3), False), 64),
    "googlenet": (GoogLeNet, 64),
    "vgg11": (lambda: vgg((1, 1, 2, 2, 2)), 64),
    "vgg19": (lambda: vgg((2, 2, 4, 4, 4)), 64),
    "alexnet": (alexnet, 64),
}


def without_dropout(layers):
    """Return the layers with dropout of rate 0, inside others too."""
    kept = []
    for layer in resolve_chain(layers):
        if isinstance(layer, Dropout):
            layer.rate = 0.0
        elif isinstance(layer, Branches):
            layer.branches = without_dropout(layer.branches)
        elif isinstance(layer, (Chain, Residual)):
            layer.layers = without_dropout(layer.layers)
        kept.append(layer)
    return kept


def to_torch(array):
    """(kh, kw, c, k) to (k, c, kh, kw), (n_in, n_out) to its transpose."""
    array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
    return torch.from_numpy(np.ascontiguousarray(array))


@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradients(name):
    make, side = CASES[name]
    module, shape = make().double(), (side, side, 3)
    assert scaled(64, WIDTH) == n(64)
    layers = without_dropout(named_layers(name, shape, WIDTH))
    layers = [layer.with_head(lambda shape: [Dense(3)]) for layer in layers]
    network = Network([*layers, Dense(3)], shape)
    network.initialize(np.random.default_rng(0))
    theirs = list(module.parameters())
    assert len(theirs) == len(list(network.params))
    with torch.no_grad():
        for mine, its in zip(network.params, theirs, strict=True):
            assert to_torch(network.params[mine]).shape == its.shape, mine
            its.copy_(to_torch(network.params[mine]))

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(6, *shape)), np.array([0, 1, 2, 1, 0, 1])
    module.train()
    outputs = module(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()))
    losses = [F.cross_entropy(raw, torch.from_numpy(y)) for raw in outputs]
    loss = losses[0] + 0.3 * sum(losses[1:])
    loss.backward()
    objective = Objective(network, CrossEntropy())
    value, vector = objective.loss_and_gradient(
        network.params.vector, x, y, rng=np.random.default_rng(2)
    )
    assert value == pytest.approx(loss.item(), rel=1e-10)
    gradient = network.params.like(vector)
    largest = np.abs(vector).max()
    for mine, its in zip(network.params, theirs, strict=True):
        np.testing.assert_allclose(
            to_torch(gradient[mine]), its.grad, rtol=1e-6, atol=1e-9 * largest
        )
