"""Pictures enlarged and shrunk, against Pillow and closed forms."""

import numpy as np
import pytest
from PIL import Image

from skdl.ops.resize import enlarge, padded_to, shrink

PICTURE = np.random.default_rng(0).random((24, 36)).astype(np.float32)


def by_pillow(size, method):
    return np.asarray(Image.fromarray(PICTURE).resize(size[::-1], method))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_pillow(factor):
    x, rim = PICTURE[None, ..., None], 2 * factor
    got = enlarge(x, factor)[0, ..., 0]
    expected = by_pillow((24 * factor, 36 * factor), Image.Resampling.BICUBIC)
    inner = (slice(rim, -rim), slice(rim, -rim))  # Pillow knows nothing beyond the edge
    np.testing.assert_allclose(got[inner], expected[inner], atol=1e-5)
    small = 24 // factor, 36 // factor
    expected = by_pillow(small, Image.Resampling.BOX)
    np.testing.assert_allclose(shrink(x, factor)[0, ..., 0], expected, atol=1e-6)
    expected = by_pillow(small, Image.Resampling.BICUBIC)
    got = shrink(x, factor, "bicubic")[0, ..., 0]
    np.testing.assert_allclose(got[2:-2, 2:-2], expected[2:-2, 2:-2], atol=1e-6)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_planes_stay_planes(factor):
    y, x = np.mgrid[:12, :12] + 0.5
    plane = (3 * y - 2 * x)[None, ..., None]
    fine = (np.mgrid[: 12 * factor, : 12 * factor] + 0.5) / factor
    expected = 3 * fine[0] - 2 * fine[1]
    inner = slice(2 * factor, -2 * factor)
    got = enlarge(plane, factor)[0, ..., 0]
    np.testing.assert_allclose(got[inner, inner], expected[inner, inner], atol=1e-12)
    for method in ("area", "bicubic"):
        back = shrink(expected[None, ..., None], factor, method)[0, ..., 0]
        np.testing.assert_allclose(back[2:-2, 2:-2], plane[0, 2:-2, 2:-2, 0])


def test_one_pixel():
    one = np.full((2, 1, 1, 3), 0.3)
    np.testing.assert_allclose(enlarge(one, 3), 0.3)
    np.testing.assert_allclose(shrink(enlarge(one, 2), 2, "bicubic"), 0.3)


def test_sides_are_made_multiples():
    x = np.arange(15.0).reshape(1, 3, 5, 1)
    got = padded_to(x, 4)[0, ..., 0]
    assert got.shape == (4, 8)
    np.testing.assert_array_equal(got[:3, :5], x[0, ..., 0])
    np.testing.assert_array_equal(got[3, :5], x[0, 2, :, 0])
    assert (got[:3, 5:] == x[0, :, 4:, 0]).all()
    assert padded_to(x, 1) is x
