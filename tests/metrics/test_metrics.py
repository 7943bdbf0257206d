"""Overlap of label maps and boxes, distance of pictures: by closed forms and others."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, jaccard_score

from skdl.metrics import (
    box_iou,
    class_iou,
    mean_box_iou,
    mean_iou,
    pixel_accuracy,
    psnr,
)

RNG = np.random.default_rng(0)
TRUE, PRED = RNG.integers(0, 4, (2, 5, 6, 7))
NOTHING = [0, np.nan, np.nan, np.nan, np.nan]


@pytest.mark.parametrize("weighted", [False, True])
def test_iou_of_classes_is_jaccards(weighted):
    weight = RNG.uniform(0, 2, 5) if weighted else None
    flat = None if weight is None else np.repeat(weight, 42)
    expected = jaccard_score(
        TRUE.ravel(), PRED.ravel(), average=None, sample_weight=flat
    )
    got = class_iou(TRUE, PRED, sample_weight=weight)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert mean_iou(TRUE, PRED, sample_weight=weight) == pytest.approx(expected.mean())
    accuracy = accuracy_score(TRUE.ravel(), PRED.ravel(), sample_weight=flat)
    assert pixel_accuracy(TRUE, PRED, sample_weight=weight) == pytest.approx(accuracy)
    if weighted:
        spread = np.broadcast_to(weight[:, None, None], TRUE.shape)
        assert mean_iou(TRUE, PRED, sample_weight=spread) == mean_iou(
            TRUE, PRED, sample_weight=weight
        )


def test_pixels_that_do_not_count():
    rest = TRUE != 3
    expected = class_iou([TRUE[rest]], [PRED[rest]], labels=[0, 1, 2])
    got = class_iou(TRUE, PRED, ignored_label=3)
    np.testing.assert_allclose(got, expected)
    assert pixel_accuracy(TRUE, PRED, ignored_label=3) == pytest.approx(
        (TRUE == PRED)[rest].mean()
    )
    assert np.isnan(pixel_accuracy(TRUE * 0, PRED, ignored_label=0))
    assert np.isnan(mean_iou(TRUE * 0, TRUE * 0, ignored_label=0))


def test_classes_that_do_not_occur():
    iou = class_iou(TRUE, PRED, labels=np.arange(6))
    assert np.isnan(iou[4:]).all()
    assert mean_iou(TRUE, PRED, labels=np.arange(6)) == pytest.approx(iou[:4].mean())


def test_iou_of_boxes_is_that_of_their_pixels():
    a, b = RNG.integers(0, 30, (2, 20, 2)), RNG.integers(1, 15, (2, 20, 2))
    boxes, masks = [], []
    for corner, size in zip(a, b, strict=True):
        boxes.append(np.hstack([corner + size / 2, size]) / 50)
        drawn = np.zeros((20, 50, 50), bool)
        for i, ((x, y), (w, h)) in enumerate(zip(corner, size, strict=True)):
            drawn[i, y : y + h, x : x + w] = True
        masks.append(drawn)
    shared = (masks[0] & masks[1]).sum((1, 2))
    union = (masks[0] | masks[1]).sum((1, 2))
    assert shared.any()
    np.testing.assert_allclose(box_iou(*boxes), shared / union, atol=1e-12)


def test_boxes_that_reach_over_the_edge_are_whole():
    assert box_iou([[0.0, 0.5, 0.4, 0.4]], [[0.1, 0.5, 0.4, 0.4]]) == pytest.approx(0.6)


def test_missed_objects_and_false_alarms_count_zero():
    box, other = [1, 0.5, 0.5, 0.4, 0.4], [1, 0.5, 0.5, 0.4, 0.2]
    true = np.array([box, box, NOTHING, NOTHING])
    pred = np.array([other, NOTHING, box, NOTHING])
    assert mean_box_iou(true, pred) == pytest.approx(0.5 / 3)
    weight = [2, 0, 1, 5]
    assert mean_box_iou(true, pred, sample_weight=weight) == pytest.approx(1 / 3)
    assert mean_box_iou(true[3:], pred[3:]) == 1.0


def test_psnr():
    a = RNG.random((3, 5, 6, 3))
    b = a + 0.1 * RNG.normal(size=a.shape)
    expected = 10 * np.log10(4 / np.mean((a - b) ** 2))
    assert psnr(a, b, data_range=2.0) == pytest.approx(expected)
    assert psnr(a, a, data_range=1.0) == np.inf
    assert psnr(a, b, data_range=2.0, sample_weight=[0, 1, 1]) == pytest.approx(
        psnr(a[1:], b[1:], data_range=2.0)
    )
    skimage = pytest.importorskip("skimage.metrics")
    bytes_ = RNG.integers(0, 256, (2, 4, 8, 8), dtype=np.uint8)
    theirs = skimage.peak_signal_noise_ratio(*bytes_, data_range=255)
    assert psnr(*bytes_, data_range=255) == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_iou(TRUE, PRED[:, :3]), "same size"),
        (lambda: mean_iou(TRUE, PRED, sample_weight=[1, 2]), "for each of 5 maps"),
        (lambda: box_iou(np.ones((2, 4)), np.ones((3, 4))), r"shape \(n, 4\)"),
        (lambda: mean_box_iou(np.ones((2, 4)), np.ones((2, 4))), r"shape \(n, 5\)"),
        (lambda: psnr(TRUE, PRED[:3], data_range=1), "same shape"),
        (lambda: psnr(TRUE, PRED, data_range=0), "must be positive"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
