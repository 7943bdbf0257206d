"""Convolutions and their gradients, NumPy and compiled, against their definition."""

from functools import lru_cache
from importlib import import_module

import numpy as np
import pytest
from convolutions import CASES, arrays, by_definition, make

from skdl import config_context
from skdl._config import has_numba
from skdl.ops.conv import conv2d, conv2d_backward_input, conv2d_backward_weights
from skdl.ops.correlation import forward_tables, input_gradient_tables
from skdl.ops.geometry import make_conv, make_transposed
from skdl.testing import check_gradient

ENGINES = ["numpy", "numba"] if has_numba() else ["numpy"]
TOLERANCE = {"f": 3e-6, "d": 1e-14}  # of the largest value


def close(got, expected, dtype="d"):
    """Compare arrays beside their largest value."""
    assert got.shape == expected.shape
    atol = TOLERANCE[dtype] * max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(got, expected, rtol=0, atol=atol)


@lru_cache
def problem(case, dtype):
    """Return the geometry, x, W, b, dy, and y, dx, dW, db by definition."""
    conv = make(case)
    given = arrays(conv, 5, dtype)
    return conv, given, by_definition(conv, *given)


def dirty(shape, dtype):
    return np.full(shape, np.nan, dtype)


@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_done_by_the_way(engine, case, n):
    """A sum has the same bits as in a pass of its own; moments are those of the end."""
    conv, rng = make(case), np.random.default_rng(1)
    x, W, b, dy = arrays(conv, n, "d")
    with config_context(engine=engine, n_threads=2):
        for floor in (-np.inf, 0.0):
            y = conv2d(conv, x, W, b, dirty(dy.shape, "d"))
            other = rng.normal(size=y.shape)
            expected = np.maximum(y + other, floor)
            moments = dirty((n, conv.filters), "d"), dirty((n, conv.filters), "d")
            out = dirty(y.shape, "d")
            conv2d(conv, x, W, b, out, floor, other=other, moments=moments)
            np.testing.assert_array_equal(out, expected)
            rows = expected.reshape(n, -1, conv.filters)
            means = rows.mean(axis=1)
            np.testing.assert_allclose(moments[0], means, atol=1e-13)
            squares = ((rows - means[:, None]) ** 2).sum(axis=1)
            np.testing.assert_allclose(moments[1], squares, rtol=1e-11, atol=1e-12)
            dx = conv2d_backward_input(conv, dy, W, dirty(x.shape, "d"))
            other = rng.normal(size=x.shape)
            out = dirty(x.shape, "d")
            conv2d_backward_input(conv, dy, W, out, None, floor, other=other)
            np.testing.assert_array_equal(out, np.maximum(dx + other, floor))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", "df")
@pytest.mark.parametrize("engine", ENGINES)
def test_forward_and_gradients(case, dtype, engine):
    conv, (x, W, b, dy), (y, dx, dW, db) = problem(case, dtype)
    with config_context(engine=engine):
        out = dirty(y.shape, dtype)
        assert conv2d(conv, x, W, b, out) is out
        close(out, y, dtype)
        close(conv2d(conv, x, W, None, dirty(y.shape, dtype)), y - b, dtype)
        relu = conv2d(conv, x, W, b, dirty(y.shape, dtype), floor=0.0)
        close(relu, np.maximum(y, 0), dtype)
        out = dirty(x.shape, dtype)
        assert conv2d_backward_input(conv, dy, W, out) is out
        close(out, dx, dtype)
        got_W, got_b = dirty(W.shape, dtype), dirty(b.shape, dtype)
        conv2d_backward_weights(conv, x, dy, got_W, got_b)
        close(got_W, dW, dtype)
        close(got_b, db, dtype)
        got_W[...] = np.nan
        conv2d_backward_weights(conv, x, dy, got_W)
        close(got_W, dW, dtype)


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("filters", [16, 5])
def test_partial_sums_of_many_pictures(filters):
    conv = make_conv((16, 16, 8), filters, 3, padding=1)
    x, _, _, dy = arrays(conv, 120, "d")  # worth several sums
    found = []
    for engine in ENGINES:
        dW, db = dirty(conv.filters_shape, "d"), dirty(filters, "d")
        with config_context(engine=engine):
            conv2d_backward_weights(conv, x, dy, dW, db)
        found.append((dW, db))
    close(found[1][0], found[0][0])
    close(found[1][1], found[0][1])


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize(
    ("case", "rows"),
    [
        ("lines of 16", 16),
        ("lines of 8", 8),
        ("lines of 8, no padding", 8),
        ("lines of 8, 1x6 stride 2", 8),
        ("lines of 7, many columns", 7),
        ("lines of 14, flat", 7),
        ("3x3 padding 1", 0),
        ("dilation 2", 0),
        ("groups", 0),
    ],
)
def test_which_neighbours_share_what_is_loaded(case, rows):
    plan = import_module("skdl.ops._numba.plan")
    conv = make(case)
    mr, nv, span = plan.correlation_plan(conv, False, np.dtype("f")).form
    if rows == 16 and not plan.fits_registers(rows, nv):
        rows = 8
    if plan.fits_registers(rows or 8, nv):
        assert ((mr, span) == (rows, 3)) if rows else span == 1
    slides = plan.weights_plan(conv, np.dtype("f")).form[2] == 3
    blocks = conv.channels % 8 == 0 and conv.axes[1].size == 3
    assert slides == (blocks and plan.MANY and nv > 0)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("tables", [forward_tables, input_gradient_tables])
def test_tables_by_enumeration(case, tables):
    conv = make(case)
    x, W, b, dy = arrays(conv, 1, "d")
    y, dx, _, _ = by_definition(conv, x, W, b, dy)
    forward = tables is forward_tables
    image, expected = (x, y - b) if forward else (dy, dx)
    t = tables(conv.axes, conv.channels, conv.filters, conv.groups)
    f = t.frame
    framed = np.zeros((f.height, f.width, f.c))
    framed[f.top : f.top + f.h, f.left : f.left + f.w] = image[0]
    framed, flat, got = framed.ravel(), W.ravel(), np.full(t.out_size, np.nan)
    columns = np.arange(t.n_columns)
    for part in t.parts:
        entries = np.add.outer(part.steps, np.arange(part.inner)).ravel()
        for g in range(t.groups):
            from_x = np.add.outer(part.rows, entries) + g * f.c // t.groups
            picks = np.add.outer(part.picks, columns * t.apart) + g * t.group_apart
            outs = np.add.outer(part.outs, columns) + g * t.n_columns
            assert np.isnan(got[outs]).all()  # each output once
            got[outs] = framed[from_x] @ flat[picks]
    close(got.reshape(expected.shape[1:]), expected[0])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", ["3x3 stride 2 same", "groups, stride 2", "depthwise"])
def test_derivatives(engine, case):
    conv = make(case)
    x, W, b, dy = arrays(conv, 2, "d")
    dx, dW, db = np.empty_like(x), np.empty_like(W), np.empty_like(b)
    with config_context(engine=engine):
        conv2d_backward_input(conv, dy, W, dx)
        conv2d_backward_weights(conv, x, dy, dW, db)

        def value(x, W, b):
            return np.sum(dy * conv2d(conv, x, W, b, np.empty_like(dy)))

        check_gradient(lambda x: value(x, W, b), x, dx)
        check_gradient(lambda W: value(x, W, b), W, dW)
        check_gradient(lambda b: value(x, W, b), b, db)


@pytest.mark.parametrize("engine", ENGINES)
def test_transposed_convolution_is_the_adjoint(engine):
    conv = make_transposed((4, 5, 3), 6, 3, stride=2, padding=1, output_padding=1)
    assert conv.input_shape == (8, 10, 6)
    assert conv.output_shape == (4, 5, 3)
    assert conv.filters_shape == (3, 3, 6, 3)
    y, W, _, x = arrays(conv, 2, "d")
    b = np.linspace(-1, 1, 6)
    with config_context(engine=engine):
        spread = conv2d_backward_input(conv, x, W, np.empty_like(y), b)
        gathered = conv2d(conv, y, W, None, np.empty_like(x))
        np.testing.assert_allclose(np.sum((spread - b) * y), np.sum(x * gathered))
        floored = conv2d_backward_input(conv, x, W, np.empty_like(y), b, floor=0.0)
        np.testing.assert_allclose(floored, np.maximum(spread, 0), atol=1e-14)


def test_sizes_of_transposed_convolutions():
    sizes = {
        make_transposed((5, 4, 2), 3, 3).input_shape: (7, 6, 3),
        make_transposed((5, 4, 2), 3, 3, 2).input_shape: (11, 9, 3),
        make_transposed((5, 4, 2), 3, 3, 2, "same").input_shape: (10, 8, 3),
        make_transposed((5, 4, 2), 3, 3, 2, 1, 2).input_shape: (11, 9, 3),
        make_transposed((5, 4, 2), 3, 2, 2, ((1, 0), (0, 1))).input_shape: (9, 7, 3),
    }
    assert all(got == expected for got, expected in sizes.items())


@pytest.mark.skipif("numba" not in ENGINES, reason="needs Numba")
@pytest.mark.parametrize(
    "case", ["3x3 stride 2", "groups", "depthwise", "5x5 padding 2"]
)
def test_the_same_bits_for_any_number_of_threads_and_any_batch(case):
    conv = make(case)
    x, W, b, dy = arrays(conv, 64, "f")
    found = []
    for n_threads in (1, 2, 3):
        y, dx, dW, db = (np.empty_like(array) for array in (dy, x, W, b))
        with config_context(engine="numba", n_threads=n_threads):
            conv2d(conv, x, W, b, y)
            conv2d_backward_input(conv, dy, W, dx)
            conv2d_backward_weights(conv, x, dy, dW, db)
        found.append((y, dx, dW, db))
    for others in found[1:]:
        for got, expected in zip(others, found[0], strict=True):
            np.testing.assert_array_equal(got, expected)
    with config_context(engine="numba"):
        one = conv2d(conv, x[7:8].copy(), W, b, np.empty_like(dy[:1]))
    np.testing.assert_array_equal(one[0], found[0][0][7])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n", [0, 1])
def test_few_images(engine, n):
    conv = make("3x3 stride 2")
    x, W, b, dy = arrays(conv, n, "d")
    y, dx, dW, db = by_definition(conv, x, W, b, dy)
    with config_context(engine=engine):
        close(conv2d(conv, x, W, b, np.empty_like(dy)), y)
        close(conv2d_backward_input(conv, dy, W, np.empty_like(x)), dx)
        got_W, got_b = np.empty_like(W), np.empty_like(b)
        conv2d_backward_weights(conv, x, dy, got_W, got_b)
    close(got_W, dW)
    close(got_b, db)


@pytest.mark.parametrize("engine", ENGINES)
def test_nan_in_an_image_stays_there(engine):
    conv = make("3x3 padding 1")
    x, W, b, _ = arrays(conv, 3, "d")
    x[1, 2, 2, 0] = np.nan
    with config_context(engine=engine):
        y = conv2d(conv, x, W, b, np.empty((3, *conv.output_shape)), floor=0.0)
    assert np.isnan(y[1, 1:4, 1:4]).all()
    assert np.isfinite(y[[0, 2]]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"padding": "full"}, "padding must be"),
        ({"padding": -1}, "padding must be"),
        ({"padding": (1, 2, 3)}, "padding must be"),
        ({"stride": 0}, "stride must be an integer of at least 1"),
        ({"stride": 1.5}, "stride must be"),
        ({"dilation": (1, 2, 3)}, "dilation must be"),
        ({"dilation": 3}, "spans 7 pixels does not fit into 6 pixels"),
        ({"groups": 3}, "groups must divide the channels on both sides, 4 and 6"),
        ({"groups": 0}, "groups must be at least 1"),
        ({"kernel_size": (3, 8)}, "the image needs at least 8 there"),
        ({"filters": 0}, "filters must be at least 1"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        make_conv(
            **{"input_shape": (6, 7, 4), "filters": 6, "kernel_size": 3, **settings}
        )


def test_bad_settings_of_a_transposed_convolution():
    with pytest.raises(ValueError, match="output_padding must be less than the stride"):
        make_transposed((4, 4, 1), 1, 3, stride=2, output_padding=2)
    with pytest.raises(ValueError, match="leaves nothing"):
        make_transposed((1, 1, 1), 1, 3, padding=2)


@pytest.mark.parametrize("engine", ["numpy", "numba"] if has_numba() else ["numpy"])
@pytest.mark.parametrize("filters", [1, 2, 3, 7, 9, 15])
@pytest.mark.parametrize("size", [3, 5, 6])
def test_nothing_is_written_beyond_the_output(size, filters, engine):
    """The last tile of an image may have one pixel, of fewer numbers than a vector."""
    rng = np.random.default_rng(0)
    for dtype in "fd":
        for n in (1, 2, 9):
            conv = make_conv((size, size, 2), filters, 1)
            x = rng.normal(size=(n, size, size, 2)).astype(dtype)
            W = rng.normal(size=conv.filters_shape).astype(dtype)
            memory = np.full(n * size * size * filters + 64, 7.0, dtype)
            out = memory[:-64].reshape(n, *conv.output_shape)
            with config_context(engine=engine):
                conv2d(conv, x, W, None, out)
            assert (memory[-64:] == 7).all()
            np.testing.assert_allclose(out, x @ W[0, 0], rtol=1e-4, atol=1e-5)
