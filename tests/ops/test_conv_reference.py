"""Convolutions, transposed convolutions and their gradients against PyTorch."""

import numpy as np
import pytest
from convolutions import CASES, arrays, make

from skdl import config_context
from skdl._config import has_numba
from skdl.ops.conv import conv2d, conv2d_backward_input, conv2d_backward_weights
from skdl.ops.geometry import make_conv, make_transposed

pytestmark = pytest.mark.reference

ENGINES = ["numpy", "numba"] if has_numba() else ["numpy"]
TOLERANCE = {"d": 1e-10, "f": 1e-4}  # relative


def close(got, expected, dtype):
    scale = max(1e-30, np.abs(expected).max())
    np.testing.assert_allclose(
        got / scale, expected / scale, rtol=0, atol=TOLERANCE[dtype]
    )


def tensors(*given):
    """Return tensors with channels first, that want gradients."""
    import torch

    return [
        torch.tensor(array.transpose(order), requires_grad=True)
        for array, order in given
    ]


IMAGES, FILTERS, BACK = (0, 3, 1, 2), (3, 2, 0, 1), (0, 2, 3, 1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", "df")
@pytest.mark.parametrize("case", CASES)
def test_convolution(case, dtype, engine):
    torch = pytest.importorskip("torch")
    conv = make(case)
    x, W, b, dy = arrays(conv, 3, dtype)
    v, h = conv.axes
    tx, tW, tb = tensors((x, IMAGES), (W, FILTERS), (b, (0,)))
    padded = torch.nn.functional.pad(tx, (h.before, h.after, v.before, v.after))
    expected = torch.nn.functional.conv2d(
        padded,
        tW,
        tb,
        (v.stride, h.stride),
        dilation=(v.dilation, h.dilation),
        groups=conv.groups,
    )
    expected.backward(torch.tensor(dy.transpose(IMAGES)))
    dx, dW, db = np.empty_like(x), np.empty_like(W), np.empty_like(b)
    with config_context(engine=engine):
        y = conv2d(conv, x, W, b, np.empty_like(dy))
        conv2d_backward_input(conv, dy, W, dx)
        conv2d_backward_weights(conv, x, dy, dW, db)
    close(y, expected.detach().numpy().transpose(BACK), dtype)
    close(dx, tx.grad.numpy().transpose(BACK), dtype)
    close(dW, tW.grad.numpy().transpose(2, 3, 1, 0), dtype)
    close(db, tb.grad.numpy(), dtype)


TRANSPOSED = {
    "plain": ((4, 5, 3), 6, 3, {}),
    "stride 2": ((4, 5, 3), 4, 4, {"stride": 2, "padding": 1}),
    "stride 2, output padding": (
        (4, 3, 6),
        4,
        3,
        {"stride": 2, "padding": 1, "output_padding": (1, 0)},
    ),
    "stride 3, dilation 2": ((3, 4, 2), 5, 3, {"stride": 3, "dilation": 2}),
    "groups": ((4, 5, 6), 9, 3, {"stride": 2, "groups": 3, "padding": (1, 0)}),
    "2x2 up": ((3, 4, 8), 4, 2, {"stride": 2}),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", "df")
@pytest.mark.parametrize("case", TRANSPOSED)
def test_transposed_convolution(case, dtype, engine):
    torch = pytest.importorskip("torch")
    shape, filters, size, settings = TRANSPOSED[case]
    conv = make_transposed(shape, filters, size, **settings)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *shape)).astype(dtype)
    W = rng.normal(size=conv.filters_shape).astype(dtype)
    b = rng.normal(size=filters).astype(dtype)
    dy = rng.normal(size=(2, *conv.input_shape)).astype(dtype)
    tx, tW, tb = tensors((x, IMAGES), (W, FILTERS), (b, (0,)))
    expected = torch.nn.functional.conv_transpose2d(tx, tW, tb, **settings)
    expected.backward(torch.tensor(dy.transpose(IMAGES)))
    dx, dW = np.empty_like(x), np.empty_like(W)
    with config_context(engine=engine):
        y = conv2d_backward_input(conv, x, W, np.empty_like(dy), b)
        conv2d(conv, dy, W, None, dx)
        conv2d_backward_weights(conv, dy, x, dW)
    close(y, expected.detach().numpy().transpose(BACK), dtype)
    close(dx, tx.grad.numpy().transpose(BACK), dtype)
    close(dW, tW.grad.numpy().transpose(2, 3, 1, 0), dtype)
    close(dy.sum((0, 1, 2)), tb.grad.numpy(), dtype)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(("size", "dilation"), [(3, 1), (4, 1), (3, 2)])
def test_same_padding_is_that_of_pytorch(size, dilation):
    torch = pytest.importorskip("torch")
    conv = make_conv((9, 8, 2), 3, size, padding="same", dilation=dilation)
    x, W, b, dy = arrays(conv, 2, "d")
    tx, tW, tb = tensors((x, IMAGES), (W, FILTERS), (b, (0,)))
    expected = torch.nn.functional.conv2d(tx, tW, tb, padding="same", dilation=dilation)
    y = conv2d(conv, x, W, b, np.empty_like(dy))
    close(y, expected.detach().numpy().transpose(BACK), "d")
