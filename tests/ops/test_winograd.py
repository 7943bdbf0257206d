"""Winograd's convolutions beside the direct ones."""

import numpy as np
import pytest

from skdl import config_context
from skdl._config import has_numba
from skdl.layers import Context, Conv2D
from skdl.networks import Network
from skdl.ops.conv import conv2d, conv2d_backward_input, conv2d_backward_weights
from skdl.ops.geometry import make_conv
from skdl.ops.winograd import (
    FEW,
    FILTERS,
    INPUT,
    MOST_GRADIENTS,
    OUTPUT,
    fits,
    pays,
)

SINGLE = np.dtype(np.float32)
CASES = {  # pictures, their shape, filters, padding
    "odd sizes": (11, (9, 7, 32), 64, 1),
    "no padding": (8, (12, 13, 64), 32, 0),
    "padding 2": (17, (6, 6, 32), 32, 2),
    "several pictures at once": (67, (4, 4, 32), 96, 1),
    "several blocks": (2, (30, 31, 32), 32, 1),
    "uneven padding": (17, (8, 8, 32), 32, ((0, 2), (2, 1))),
    "narrow": (5, (16, 16, 16), 16, 1),
    "narrow panels, odd sizes": (9, (11, 13, 32), 48, 1),
}


def test_the_transforms_are_a_convolution():
    """Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, exact in integers but for G."""
    rng = np.random.default_rng(0)
    d, g = rng.integers(-3, 4, (6, 6)), rng.integers(-3, 4, (3, 3))
    A, B, G = np.array(OUTPUT), np.array(INPUT), np.array(FILTERS)
    got = A @ ((G @ g @ G.T) * (B @ d @ B.T)) @ A.T
    windows = np.lib.stride_tricks.sliding_window_view(d, (3, 3))
    np.testing.assert_allclose(got, np.einsum("pqij,ij->pq", windows, g), atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, True),
        ({"padding": 2}, True),
        ({"padding": 3}, False),
        ({"padding": ((0, 2), (2, 1))}, True),
        ({"padding": ((1, 3), (1, 1))}, False),
        ({"padding": ((1, 1), (0, 4))}, False),
        ({"padding": ((3, 1), (1, 1))}, False),
        ({"stride": 2}, False),
        ({"dilation": 2}, False),
        ({"groups": 2}, False),
    ],
)
def test_what_fits(settings, expected):
    assert fits(make_conv((9, 9, 32), 32, 3, **settings), SINGLE) is expected
    assert not fits(make_conv((9, 9, 32), 32, 3, **settings), np.dtype(float))
    assert not fits(make_conv((9, 9, 24), 32, 3, **settings), SINGLE)
    assert not fits(make_conv((9, 9, 32), 40, 3, **settings), SINGLE)
    assert not fits(make_conv((9, 9, 32), 32, 1), SINGLE)


def test_few_patches_go_the_direct_way():
    conv = make_conv((16, 13, 32), 32, 3, padding=1)  # 4 × 4 patches a picture
    assert not pays(conv, FEW // 16, kept=False)
    assert pays(conv, FEW // 16 + 1, kept=False)
    assert pays(conv, 1, kept=True)
    assert not pays(make_conv((9, 9, 32), 32, 3, padding=1), 99, kept=True)  # half full
    assert pays(make_conv((10, 9, 32), 32, 3, padding=1), 99, kept=True)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 16, 13, 32)).astype(np.float32)
    W = rng.normal(size=conv.filters_shape).astype(np.float32)

    def of(n, winograd):
        out = np.empty((n, *conv.output_shape), np.float32)
        return conv2d(conv, x[:n], W, None, out, winograd=winograd)

    np.testing.assert_array_equal(of(4, True), of(4, False))
    if has_numba():
        with config_context(engine="numba"):
            assert (of(5, True) != of(5, False)).any()


@pytest.mark.parametrize(
    ("filters", "output", "weights"),
    [(128, True, True), (144, True, False), (1024, True, False), (1040, False, False)],
)
def test_many_channels_go_the_direct_way(filters, output, weights):
    conv = make_conv((8, 8, 128), filters, 3, padding=1)
    assert pays(conv, 99, kept=False) is output
    assert pays(conv, 99, kept=False, most=MOST_GRADIENTS) is weights


def results(case, winograd, n_threads=1):
    n, shape, filters, padding = CASES[case]
    conv, rng = make_conv(shape, filters, 3, padding=padding), np.random.default_rng(0)
    x, W, b, dy = (
        rng.normal(size=shape).astype(np.float32)
        for shape in (
            (n, *shape),
            conv.filters_shape,
            (filters,),
            (n, *conv.output_shape),
        )
    )
    with config_context(engine="numba", n_threads=n_threads):
        y, floored = (
            conv2d(conv, x, W, b, np.full_like(dy, np.nan), floor, winograd=winograd)
            for floor in (-np.inf, 0.0)
        )
        dx, dW, db = (np.full_like(a, np.nan) for a in (x, W, b))
        conv2d_backward_input(conv, dy, W, dx, winograd=winograd)
        conv2d_backward_weights(conv, x, dy, dW, db, winograd=winograd)
        return y, floored, dx, dW, db


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("case", CASES)
def test_like_the_direct_way(case):
    got, expected = results(case, True), results(case, False)
    for one, other in zip(got, expected, strict=True):
        assert np.abs(one - other).max() < 2e-5 * np.abs(other).max()
        assert one.ndim == 1 or (one != other).any()
    for one, other in zip(got, results(case, True, n_threads=3), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("padding", [((1, 3), (1, 1)), ((0, 0), (0, 4)), ((3, 1), 1)])
@pytest.mark.parametrize("size", [8, 9])
def test_padding_that_does_not_fit_goes_the_direct_way(size, padding):
    """The gradient is smaller than what a patch's frame must hold."""
    padding = tuple(p if isinstance(p, tuple) else (p, p) for p in padding)
    conv = make_conv((size, size, 16), 16, 3, padding=padding)
    rng = np.random.default_rng(0)
    W = rng.normal(size=conv.filters_shape).astype(np.float32)
    dy = rng.normal(size=(20, *conv.output_shape)).astype(np.float32)
    ways = []
    with config_context(engine="numba"):
        for winograd in (False, True):
            dx = np.full((20, size, size, 16), np.nan, np.float32)
            ways.append(conv2d_backward_input(conv, dy, W, dx, winograd=winograd))
    np.testing.assert_array_equal(*ways)


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_what_is_done_by_the_way(case, n_threads, kept):
    """Filters that are kept, a sum, and moments; also of a single picture."""
    n, shape, filters, padding = CASES[case]
    conv, rng = make_conv(shape, filters, 3, padding=padding), np.random.default_rng(0)
    packed = {} if kept else None
    W = rng.normal(size=conv.filters_shape).astype(np.float32)
    b = rng.normal(size=filters).astype(np.float32)
    with config_context(engine="numba", n_threads=n_threads):
        for n_pictures in (n, 1, 2):
            x = rng.normal(size=(n_pictures, *shape)).astype(np.float32)
            other = rng.normal(size=(n_pictures, *conv.output_shape)).astype("f")
            given = conv, x, W, b
            y = conv2d(*given, np.full_like(other, np.nan), -np.inf, np.empty, True)
            direct = conv2d(*given, np.full_like(other, np.nan))
            assert np.abs(y - direct).max() < 2e-5 * np.abs(direct).max()
            out, moments = (
                np.full_like(other, np.nan),
                np.zeros((2, n_pictures, filters)),
            )
            moments = tuple(moments.astype(np.float32))
            settings = 0.0, np.empty, True, packed, other, moments
            conv2d(*given, out, *settings)
            expected = np.maximum(direct + other, 0)
            assert np.abs(out - expected).max() < 2e-5 * np.abs(direct).max()
            rows = out.reshape(n_pictures, -1, filters)
            np.testing.assert_allclose(moments[0], rows.mean(axis=1), rtol=1e-4)
            squares = rows.var(axis=1) * rows.shape[1]
            np.testing.assert_allclose(moments[1], squares, rtol=1e-4)


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("which", range(5))
def test_transforms_by_pairs(which):
    """Sums and differences in place of products are the same transforms."""
    from numba import njit

    from skdl.ops._numba.transform import MATRICES, combine
    from skdl.ops._numba.vector import BYTES

    @njit
    def transform(a, b, lanes):
        combine(which, a, 0, lanes, b, 0, lanes)

    matrix, lanes = np.array(MATRICES[which]), BYTES // 4
    a = np.random.default_rng(0).normal(size=(matrix.shape[1], lanes)).astype("f")
    b = np.full((len(matrix), lanes), np.nan, "f")
    transform(a.reshape(-1), b.reshape(-1), lanes)
    np.testing.assert_allclose(b, matrix @ a, rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
def test_the_gradient_of_filters_without_biases():
    conv, rng = make_conv((8, 8, 16), 32, 3, padding=1), np.random.default_rng(0)
    x, dy = (rng.normal(size=(17, 8, 8, c)).astype("f") for c in (16, 32))
    found = []
    for winograd in (True, False):
        dW = np.full(conv.filters_shape, np.nan, "f")
        with config_context(engine="numba"):
            conv2d_backward_weights(conv, x, dy, dW, winograd=winograd)
        found.append(dW)
    assert np.abs(found[0] - found[1]).max() < 2e-5 * np.abs(found[1]).max()


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("c", "k"), [(32, 96), (96, 32), (16, 48)])
def test_filters_in_panels(c, k, transposed):
    from skdl.ops._numba.winograd import _panels

    G, rng = np.array(FILTERS), np.random.default_rng(0)
    W = rng.normal(size=(3, 3, c, k)).astype(np.float32)
    panels, bias = _panels(W, None, transposed, np.empty)
    turned = W[::-1, ::-1].swapaxes(2, 3) if transposed else W
    expected = np.einsum("ui,vj,ijck->uvck", G, G, turned).reshape(
        36, *turned.shape[2:]
    )
    got = panels[:, :, 1:].swapaxes(1, 2).reshape(expected.shape)
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert not panels[:, :, 0].any()
    assert not bias.any()
    assert bias.shape == turned.shape[3:]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("engine", ["numpy", "numba"] if has_numba() else ["numpy"])
def test_as_a_layer(engine, dtype):
    """It computes in this way where it can, and as without the switch elsewhere."""
    rng, found = np.random.default_rng(0), []
    x = rng.normal(size=(20, 8, 8, 16)).astype(dtype)
    for winograd in (False, True):
        layers = [Conv2D(32, padding=1, winograd=winograd), "relu", Conv2D(2, 1)]
        network = Network(layers, x.shape[1:], dtype)
        network.initialize(np.random.default_rng(1))
        grads, ctx = network.params.like(), Context(True, dtype=dtype)
        with config_context(engine=engine):
            tree = network.tree(network.params)
            y, caches = network.forward(tree, x, ctx)
            dx = network.backward(tree, grads.tree, caches, np.ones_like(y), ctx)
        found.append((y, dx, grads.vector))
    same = engine == "numpy" or dtype is np.float64
    for one, other in zip(*found, strict=True):
        if same:
            np.testing.assert_array_equal(one, other)
        else:
            assert 0 < np.abs(one - other).max() < 1e-4 * np.abs(one).max()
