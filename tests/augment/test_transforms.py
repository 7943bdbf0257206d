"""Every transform keeps its contract; what each does, against a slow formula."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.base import clone

from skdl import augment, config_context
from skdl.augment import (
    Brightness,
    CropResize,
    Cutout,
    Flip,
    Mixup,
    Rotate,
    Shift,
    Transform,
)
from skdl.layers import Arena

NAMES = augment.names()
TYPES = [np.uint8, np.float32, np.float64, np.int16]


def pictures(n=12, h=9, w=7, c=2, dtype=np.float64, seed=0):
    x = np.random.default_rng(seed).random((n, h, w, c))
    return (x * 255).astype(dtype) if np.dtype(dtype).kind in "iu" else x.astype(dtype)


def applied(transform, x, seed=0, empty=np.empty):
    y = np.eye(3)[np.arange(len(x)) % 3]
    return transform.settled()(x, y, None, np.random.default_rng(seed), empty)


# ---- the contract


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", NAMES)
def test_contract(name, dtype):
    x = pictures(dtype=dtype)
    before = x.copy()
    out, y, weight = applied(augment.get(name), x)
    np.testing.assert_array_equal(x, before)
    assert out.shape == x.shape
    assert out.dtype == dtype
    assert weight is None
    np.testing.assert_allclose(y.sum(axis=1), 1)
    assert np.abs(out - x.astype(float)).max() > 0
    assert out.min() >= 0
    assert out.max() <= (255 if dtype == np.uint8 else 1.2 * x.max() + 1)
    # The same seed gives the same bits, another one does not.
    np.testing.assert_array_equal(applied(augment.get(name), x)[0], out)
    assert (applied(augment.get(name), x, seed=1)[0] != out).any()
    # Samples differ in what is done to them.
    same = np.repeat(x[:1], 30, axis=0)
    several = applied(augment.get(name), same, seed=3)[0]
    if name != "mixup":  # which mixes equal pictures
        assert len(np.unique(several.reshape(30, -1), axis=0)) > 1


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_reused(name):
    x, arena = pictures(dtype=np.uint8), Arena(np.float64)
    starts = []
    for _ in range(2):
        arena.reset()
        out = applied(augment.get(name), x, empty=arena.empty)[0]
        starts.append(out.ctypes.data)
        np.testing.assert_array_equal(out, applied(augment.get(name), x)[0])
    assert starts[0] == starts[1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", TYPES)
def test_engines_agree(name, dtype):
    x = pictures(dtype=dtype)
    outs = []
    for engine in ("numpy", "numba"):
        with config_context(engine=engine):
            outs.append(applied(augment.get(name), x)[0].astype(float))
    # Whole numbers may be rounded to either side of one half.
    atol = 1 if np.dtype(dtype).kind in "iu" else 2e-6
    np.testing.assert_allclose(*outs, atol=atol)
    assert np.abs(outs[0] - outs[1]).mean() < 1e-2


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_threads_change_no_bit(name, n_threads):
    x = pictures(n=200, h=16, w=16, dtype=np.float32)
    expected = applied(augment.get(name), x)[0]
    with config_context(n_threads=n_threads):
        np.testing.assert_array_equal(applied(augment.get(name), x)[0], expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 1)])
def test_tiny_pictures(name, shape):
    x = pictures(5, *shape, 1)
    out = applied(augment.get(name), x)[0]
    assert np.isfinite(out).all()


NEUTRAL = [
    Shift(0),
    Shift(0.0),
    Flip(share=0.0),
    Flip(horizontal=False),
    Rotate(0.0),
    CropResize(1.0),
    Brightness(0.0),
]


@pytest.mark.parametrize("transform", NEUTRAL, ids=repr)
@pytest.mark.parametrize("dtype", TYPES)
def test_nothing_to_do(transform, dtype):
    x = pictures(dtype=dtype)
    np.testing.assert_allclose(applied(transform, x)[0], x, rtol=1e-6)


# ---- what each does


def test_shift_moves_by_whole_pixels():
    x = pictures(n=200, dtype=np.uint8)
    out = applied(Shift(2, fill=7), x)[0]
    seen = set()
    for picture, moved in zip(x, out, strict=True):
        found = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if (
                moved == ndimage.shift(picture, (down, right, 0), order=0, cval=7)
            ).all()
        ]
        assert len(found) == 1
        seen.update(found)
    assert len(seen) == 25  # all of them, from −2 to 2 in both directions


def test_shift_by_a_share_of_the_side():
    x = np.zeros((400, 10, 20, 1))
    x[:, 5, 10] = 1
    _, row, column, _ = np.nonzero(applied(Shift(0.2), x)[0])
    assert (row.min(), row.max()) == (3, 7)
    assert (column.min(), column.max()) == (6, 14)


def test_flip():
    x = pictures(n=400)
    out = applied(Flip(share=0.25), x)[0]
    flipped = (out == x[:, :, ::-1]).all(axis=(1, 2, 3))
    kept = (out == x).all(axis=(1, 2, 3))
    assert (flipped | kept).all()
    assert 0.18 < flipped.mean() < 0.32
    out = applied(Flip(horizontal=False, vertical=True, share=1.0), x)[0]
    np.testing.assert_array_equal(out, x[:, ::-1])
    out = applied(Flip(vertical=True, share=1.0), x)[0]
    np.testing.assert_array_equal(out, x[:, ::-1, ::-1])


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_rotate(engine):
    x = pictures(n=20, h=11, w=13)
    # SciPy leaves what is not between pixels to the fill; so have a border of it.
    x[:, [0, -1]] = x[:, :, [0, -1]] = 0.5
    with config_context(engine=engine):
        out = applied(Rotate(40, fill=0.5), x, seed=5)[0]
    angles = np.random.default_rng(5).uniform(-40, 40, 20)
    assert np.ptp(angles) > 50
    for picture, turned, angle in zip(x, out, angles, strict=True):
        expected = ndimage.rotate(
            picture, angle, reshape=False, order=1, mode="constant", cval=0.5
        )
        np.testing.assert_allclose(turned, expected, atol=1e-12)


def test_a_quarter_turn():
    x = pictures(n=30, h=8, w=8)
    angles = np.full(30, 90.0)

    class Fixed:
        def uniform(self, low, high, n):
            return angles

    out = Rotate(90).settled().pictures(x, Fixed())
    np.testing.assert_allclose(out, np.rot90(x, axes=(1, 2)), atol=1e-12)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_crop_resize(engine):
    # A slope: a part of it, enlarged, is a flatter one that starts elsewhere.
    h, w = 20, 30
    rows, columns = np.mgrid[:h, :w]
    x = np.broadcast_to(np.stack([rows, columns], axis=-1) * 1.0, (300, h, w, 2))
    with config_context(engine=engine):
        out = applied(CropResize(0.5), np.ascontiguousarray(x))[0]
    down = (out[:, 12, 0, 0] - out[:, 8, 0, 0]) / 4
    right = (out[:, 0, 20, 1] - out[:, 0, 10, 1]) / 10
    np.testing.assert_allclose(down, right, atol=1e-9)
    assert 0.5 <= down.min() < 0.52
    assert 0.98 < down.max() <= 1
    # The part lies within the picture, anywhere in it.
    first = out[:, 8, 0, 0] - 8 * down + 0.5 * (1 - down)
    place = first / (h * (1 - down))
    assert place.min() > -1e-9
    assert place.max() < 1 + 1e-9
    assert np.ptp(place) > 0.9
    assert out.min() >= 0
    assert out.max() <= w - 1


def test_brightness_multiplies():
    x = pictures(n=100)
    factor = applied(Brightness(0.3), x)[0] / x
    np.testing.assert_allclose(factor, factor[:, :1, :1, :1] * np.ones_like(x))
    assert factor.min() >= 0.7
    assert factor.max() <= 1.3
    assert np.ptp(factor[:, 0, 0, 0]) > 0.5
    bytes_ = np.full((100, 2, 2, 1), 250, np.uint8)
    out = applied(Brightness(0.3), bytes_)[0]
    assert out.max() == 255  # and not 250·1.3 − 256
    assert out.min() < 200


@pytest.mark.parametrize(("size", "side"), [(3, 3), (0.5, 4), (4, 4)])
def test_cutout_leaves_a_square_hole(size, side):
    x = pictures(n=300, h=8, w=10)
    out = applied(Cutout(size, fill=-1), x)[0]
    hole = (out == -1).all(axis=3)
    np.testing.assert_array_equal(out[~hole], x[~hole])
    heights = hole.any(axis=2).sum(axis=1)
    widths = hole.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(heights * widths, hole.sum(axis=(1, 2)))
    assert heights.max() == widths.max() == side
    assert 1 <= heights.min() < side  # partly outside
    assert hole.any(axis=0).all()


def test_mixup_mixes_pictures_targets_and_weights():
    rng = np.random.default_rng(0)
    n = 50
    x = rng.random((n, 2, 2, 1))
    y, weight = x.reshape(n, -1) * 3 + 1, rng.random(n)
    weight[:5] = 0
    # An affine function of the picture stays one where all weights are alike.
    mixed, targets, same = Mixup(1.0).settled()(x, y, None, rng)
    np.testing.assert_allclose(targets, mixed.reshape(n, -1) * 3 + 1)
    assert same is None
    assert np.abs(mixed - x).max() > 0.1
    # Weighted sums of targets and weights are kept, each pair shares in both.
    seed = np.random.default_rng(3)
    share, partner = seed.beta(1.0, 1.0, n), seed.permutation(n)
    mixed, targets, weights = Mixup(1.0).settled()(
        x, y, weight, np.random.default_rng(3)
    )
    other = weight[partner]
    np.testing.assert_allclose(weights, share * weight + (1 - share) * other)
    total = (share * weight)[:, None] * y + ((1 - share) * other)[:, None] * y[partner]
    np.testing.assert_allclose(weights[:, None] * targets, total, atol=1e-12)
    np.testing.assert_allclose(
        mixed[:, 0, 0, 0], share * x[:, 0, 0, 0] + (1 - share) * x[partner, 0, 0, 0]
    )


def test_small_alpha_mixes_little():
    x = pictures(n=300)
    far = [np.abs(applied(Mixup(a), x)[0] - x).mean() for a in (0.05, 0.4, 4.0)]
    assert far[0] < far[1] < far[2]


# ---- settings

WRONG = [
    Shift(-1),
    Shift(1.5),
    Flip(share=2.0),
    Flip(horizontal="yes"),
    Rotate(200),
    CropResize(0.0),
    Brightness(1.0),
    Cutout(0),
    Cutout(1.5),
    Mixup(0.0),
    Mixup("a"),
]


@pytest.mark.parametrize("transform", WRONG, ids=repr)
def test_wrong_settings(transform):
    with pytest.raises(ValueError, match=f"parameter of {type(transform).__name__}"):
        augment.resolve([transform])


def test_resolve():
    given = [Shift(np.int64(2)), "flip"]
    shift, flip = augment.resolve(given)
    assert type(shift.largest) is int
    assert isinstance(flip, Flip)
    assert shift is not given[0]
    assert augment.resolve(None) == []
    with pytest.raises(ValueError, match=r"Unknown transform 'flop'.*'flip'"):
        augment.resolve(["flop"])
    with pytest.raises(TypeError, match="in a list"):
        augment.resolve("flip")
    with pytest.raises(TypeError, match="in a list"):
        augment.resolve(Flip())


def test_ones_own():
    class Negative(Transform):
        def pictures(self, x, rng, empty=np.empty):
            return np.subtract(255, x, out=empty(x.shape, x.dtype))

    x = pictures(dtype=np.uint8)
    np.testing.assert_array_equal(applied(Negative(), x)[0], 255 - x)
    with pytest.raises(TypeError, match="must define pictures"):
        applied(Transform(), x)
    assert clone(Shift(3)).largest == 3
