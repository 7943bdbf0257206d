"""Fixed filters: beside SciPy's correlation, and in the layers they are for."""

import numpy as np
import pytest
from scipy.ndimage import correlate

from skdl.initializers import Kernel
from skdl.layers import Conv2D, DepthwiseConv2D
from skdl.networks import Network

MATRICES = {
    "edges": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "blur": [[1 / 9] * 3] * 3,
}
OWN = np.array([[1.0, 2.0, 3.0], [-4.0, 0.5, 6.0]])


def answer(layer, x):
    network = Network([layer], x.shape[1:])
    network.initialize(np.random.default_rng(0))
    return network.predict(x)


@pytest.mark.parametrize("name", MATRICES)
def test_each_channel(name):
    x = np.random.default_rng(0).random((2, 7, 9, 3))
    layer = DepthwiseConv2D(3, padding="same", bias=False, initializer=Kernel(name))
    matrix = np.array(MATRICES[name], float)[None, :, :, None]
    expected = correlate(x, matrix, mode="constant")
    np.testing.assert_allclose(answer(layer, x), expected, atol=1e-13)


def test_mean_of_the_channels():
    x = np.random.default_rng(0).random((2, 7, 9, 4))
    layer = Conv2D(2, (2, 3), bias=False, initializer=Kernel(OWN))
    y = answer(layer, x)
    expected = correlate(x.mean(axis=-1), OWN[None], origin=(0, -1, 0))[:, :6, 1:-1]
    for channel in range(2):
        np.testing.assert_allclose(y[..., channel], expected, atol=1e-13)


def test_every_draw_is_its_own_array():
    first, second = (Kernel()((3, 3, 1, 2), np.random.default_rng(0)) for _ in range(2))
    first[...] = 0
    assert second[1, 1, 0, 1] == 8
    assert Kernel()((3, 3, 1, 2), None, np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("sobel", "Got 'sobel'"),
        ([1.0, 2.0], "matrix of finite numbers"),
        ([[]], "matrix of finite numbers"),
        ([[np.nan]], "matrix of finite numbers"),
    ],
)
def test_what_is_no_filter(kernel, message):
    with pytest.raises(ValueError, match=message):
        Kernel(kernel)((3, 3, 1, 1), None)


@pytest.mark.parametrize("shape", [(5, 5, 1, 1), (3, 3), (9,), (2, 3, 1, 1)])
def test_weights_it_is_not_for(shape):
    with pytest.raises(ValueError, match="The kernel is 3×3; it is for weights"):
        Kernel("blur")(shape, None)
