"""Label maps and boxes over pictures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdl import ObjectLocalizer, SegmentationClassifier
from skdl.inspection import BoxesDisplay, SegmentationDisplay
from skdl.layers import Conv2D, Flatten
from skdl.metrics import box_iou, mean_iou

NOTHING = [0, np.nan, np.nan, np.nan, np.nan]

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def scenes():
    rng = np.random.default_rng(0)
    X = rng.random((6, 8, 10))
    return X, (X > 0.5).astype(int) + (X > 0.8)


def titles(display):
    return [ax.get_title() for ax in display.axes_.flat]


def test_label_maps_cover_pictures(scenes):
    X, y = scenes
    predicted = y.copy()
    predicted[0, :4] = 0
    display = SegmentationDisplay.from_predictions(
        X[:2], y[:2], predicted[:2], alpha=0.25, colors=["red", "blue"]
    )
    assert display.axes_.shape == (2, 3)
    picture, true, shown = (
        np.asarray(ax.images[0].get_array()) for ax in display.axes_[0]
    )
    low, high = X[:2].min(), X[:2].max()
    np.testing.assert_allclose(picture, (X[0] - low) / (high - low))
    for image, labels in ((true, y[0]), (shown, predicted[0])):
        grey = np.repeat(picture[..., None], 3, axis=2)
        np.testing.assert_allclose(image[labels == 0], grey[labels == 0])
        for label, color in ((1, "red"), (2, "blue")):
            expected = 0.75 * grey[labels == label] + 0.25 * np.array(to_rgb(color))
            np.testing.assert_allclose(image[labels == label], expected)
    iou = mean_iou(y[:1], predicted[:1])
    assert titles(display) == [
        "picture",
        "true",
        f"predicted, IoU {iou:.2f}",
        "",
        "true",
        "predicted, IoU 1.00",
    ]
    names = [text.get_text() for text in display.legend_.get_texts()]
    assert names == ["1", "2"]


def test_pixels_that_do_not_count_are_grey(scenes):
    X, y = scenes
    true = np.where(y == 2, 255, y)
    display = SegmentationDisplay.from_predictions(
        X[:1], true[:1], y[:1] > 0, classes=[0, 1], ignored_label=255
    )
    image = np.asarray(display.axes_[0, 1].images[0].get_array())
    assert (image[true[0] == 255] == 0.5).all()
    names = [text.get_text() for text in display.legend_.get_texts()]
    assert names == ["1", "does not count"]
    assert titles(display)[2] == "predicted, IoU 1.00"


def test_maps_of_an_estimator(scenes):
    X, y = scenes
    net = SegmentationClassifier([Conv2D(2, padding="same")], max_iter=1)
    pipe = make_pipeline(FunctionTransformer(np.sqrt), net).fit(X, y)
    display = SegmentationDisplay.from_estimator(pipe, X[:3], y[:3])
    np.testing.assert_array_equal(display.y_pred, pipe.predict(X[:3]))
    np.testing.assert_allclose(display.pictures[..., 0], np.sqrt(X[:3]))
    assert display.axes_.shape == (3, 3)
    axes = plt.figure().subplots(3, 2)
    alone = SegmentationDisplay.from_estimator(pipe, X[:3], axes=axes)
    assert alone.axes_[2, 1] is axes[2, 1]
    with pytest.raises(ValueError, match="3×3 matplotlib Axes, got 6"):
        SegmentationDisplay.from_estimator(pipe, X[:3], y[:3], axes=axes)


def test_maps_that_do_not_belong_to_pictures(scenes):
    X, y = scenes
    with pytest.raises(ValueError, match=r"need label maps of shape \(6, 8, 10\)"):
        SegmentationDisplay.from_predictions(X, y[:, :4], y)
    with pytest.raises(ValueError, match="X must be pictures"):
        SegmentationDisplay.from_predictions(X[0], y, y)


def test_boxes_are_where_they_are(scenes):
    X, _ = scenes
    true = np.array([[1, 0.5, 0.25, 0.4, 0.5], NOTHING, NOTHING, [1, 0, 0, 0.2, 0.2]])
    pred = np.array([[1, 0.5, 0.25, 0.2, 0.5], NOTHING, true[0], NOTHING])
    display = BoxesDisplay.from_predictions(X[:4], true, pred, n_columns=3)
    assert display.axes_.shape == (2, 3)
    iou = box_iou(true[:1, 1:], pred[:1, 1:])[0]
    assert titles(display)[:4] == [
        f"IoU {iou:.2f}",
        "nothing, rightly",
        "false alarm",
        "missed",
    ]
    drawn = [len(ax.patches) for ax in display.axes_.flat]
    assert drawn == [2, 0, 1, 1, 0, 0]
    frame = display.axes_[0, 0].patches[0]
    # Of 10 pixels across the first has its centre at 0 and its edge at -0.5.
    assert frame.get_xy() == pytest.approx((10 * 0.3 - 0.5, 8 * 0 - 0.5))
    assert (frame.get_width(), frame.get_height()) == pytest.approx((4, 4))
    names = [text.get_text() for text in display.legend_.get_texts()]
    assert names == ["true", "predicted"]


def test_boxes_of_an_estimator(scenes):
    X, _ = scenes
    y = np.array([[1, 0.5, 0.5, 0.3, 0.3]] * 5 + [NOTHING])
    net = ObjectLocalizer([Conv2D(2), Flatten()], max_iter=1).fit(X, y)
    display = BoxesDisplay.from_estimator(net, X, y)
    np.testing.assert_array_equal(display.y_pred, net.predict(X))
    assert display.axes_.shape == (2, 3)
    alone = BoxesDisplay.from_estimator(net, X)
    assert len(alone.legend_.get_texts()) == 1
    with pytest.raises(ValueError, match=r"need targets of shape \(6, 5\)"):
        BoxesDisplay.from_predictions(X, y[:4], y)
