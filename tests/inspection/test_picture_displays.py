"""Filters, feature maps and saliency of networks for pictures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdl import CNNClassifier, CNNRegressor, MLPClassifier
from skdl.inspection import FeatureMapsDisplay, FiltersDisplay, SaliencyDisplay
from skdl.inspection._saliency import input_gradient
from skdl.layers import (
    AuxiliaryHead,
    BatchNorm,
    Branches,
    Context,
    Conv2D,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
    Residual,
    SpatialDropout,
)

DISPLAYS = [FiltersDisplay, FeatureMapsDisplay, SaliencyDisplay]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def pictures(n, channels, seed=0):
    """Return pictures with a bright square; the class says in which half."""
    rng = np.random.default_rng(seed)
    X = 0.1 * rng.random((n, 12, 10, channels))
    y = np.arange(n) % 2
    for picture, half in zip(X, y, strict=True):
        top, left = rng.integers(0, 9), rng.integers(0, 3) + 5 * half
        picture[top : top + 3, left : left + 3] += 1
    return X, y


def fit(X, y, layers=None, cls=CNNClassifier, **settings):
    layers = layers or [Conv2D(6, 3), "relu", MaxPool2D(2), Flatten(), Dense(8), "relu"]
    settings = {"max_iter": 20, "n_iter_no_change": "never", **settings}
    return cls(layers, random_state=0, batch_size=16, **settings).fit(X, y)


@pytest.fixture(scope="module")
def grey():
    X, y = pictures(64, 1)
    return fit(X, np.array(["left", "right"])[y]), X


def test_filters_are_those_of_the_layer():
    X, y = pictures(16, 3)
    layers = ["relu", Conv2D(6, (3, 2)), "relu", Conv2D(4, 1), GlobalAvgPool()]
    net = fit(X, y, layers, max_iter=1)
    display = FiltersDisplay.from_estimator(net, n_columns=3)
    W = net.network_.params["1.W"]
    np.testing.assert_array_equal(display.filters[4], W[..., 4])
    shown = display.image_.get_array()
    assert shown.shape == (2 * 3 + 1, 3 * 2 + 2, 3)
    scale = np.abs(W).max()
    np.testing.assert_allclose(shown[4:7, 3:5], 0.5 + W[..., 4] / (2 * scale))
    np.testing.assert_array_equal(shown[3], 1.0)
    inner = FiltersDisplay.from_estimator(net, layer=-3)  # the output layer is added
    assert inner.image_.get_array().shape == (4 * 1 + 3, 6 * 1 + 5)
    with pytest.raises(ValueError, match=r"Layers \[1, 3\] .* got layer=0"):
        FiltersDisplay.from_estimator(net, layer=0)


def test_filters_of_grey_pictures_have_zero_in_the_middle(grey):
    net, _ = grey
    ax = plt.figure().add_subplot()
    display = FiltersDisplay.from_estimator(net, ax=ax, cmap="gray")
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    low, high = display.image_.get_clim()
    assert -low == high == np.abs(net.coefs_[0]).max()
    assert display.image_.get_cmap().name == "gray"


def test_maps_are_the_activations(grey):
    net, X = grey
    display = FeatureMapsDisplay.from_estimator(net, X[3:4])
    first = net.network_.predict(X[3:4], 1)[0]
    np.testing.assert_array_equal(display.maps, first.transpose(2, 0, 1))
    assert display.name == "layer 0"
    pooled = FeatureMapsDisplay.from_estimator(net, X[3:4], layer=2, n_columns=2)
    assert pooled.maps.shape == (6, 5, 4)
    sheet = pooled.image_.get_array()
    assert sheet.shape == (3 * 5 + 2, 2 * 4 + 1)
    np.testing.assert_allclose(sheet[6:11, 5:], pooled.maps[3])
    each = pooled.plot(each=True, n_columns=2).image_.get_array()
    assert np.nanmax(each) == 1
    for bad, message in ((3, r"Layers \[0, 1, 2\]"), (9, "got layer=9")):
        with pytest.raises(ValueError, match=message):
            FeatureMapsDisplay.from_estimator(net, X[:1], layer=bad)
    with pytest.raises(ValueError, match="takes one picture"):
        FeatureMapsDisplay.from_estimator(net, X[:2])


# Everything that does something else in training.
DEEP = [
    Conv2D(4, 3, padding=1),
    BatchNorm(),
    "elu",
    SpatialDropout(0.3),
    Residual([Conv2D(4, 3, padding=1), BatchNorm(), Dropout(0.2), "elu"]),
    Residual([Conv2D(6, 3, 2, padding=1)], [Conv2D(6, 1, 2), BatchNorm()]),
    AuxiliaryHead([GlobalAvgPool(), Dense(3)]),
    Branches([Conv2D(2, 1), ["elu", BatchNorm(), Dropout(0.1)]]),
    Flatten(),
    DropConnect(7, 0.2),
    "elu",
]


@pytest.mark.parametrize("dtype", ["float64", "uint8"])
def test_gradients_are_those_of_predictions(dtype):
    """Against differences of predictions, and nothing changes meanwhile."""
    rng = np.random.default_rng(0)
    X, y = rng.random((24, 6, 5, 2)), np.arange(24) % 3
    if dtype == "uint8":
        X = (255 * X).astype(dtype)
    net = fit(X, y, DEEP, max_iter=4, dtype="float64")
    network = net.network_
    before = network.snapshot()
    direction = rng.normal(size=(24, 3))
    gradient = input_gradient(network, X, direction)
    for mine, its in zip(network.snapshot(), before, strict=True):
        np.testing.assert_array_equal(mine, its)
    assert gradient.shape == X.shape

    def value(x):
        raw, _ = network.at(X.shape[1:]).forward(
            network.tree(network.params), x, Context(train=False)
        )
        return (raw * direction).sum(axis=1)

    v = rng.normal(size=X.shape)
    eps = 1e-5 * (255 if dtype == "uint8" else 1)
    slope = (value(X + eps * v) - value(X - eps * v)) / (2 * eps)
    np.testing.assert_allclose((gradient * v).sum(axis=(1, 2, 3)), slope, rtol=1e-6)


def test_gradient_maps(grey):
    net, X = grey
    display = SaliencyDisplay.from_estimator(net, X[:5])
    direction = np.ones((5, 1))
    expected = np.abs(input_gradient(net.network_, X[:5], direction)).max(axis=-1)
    np.testing.assert_array_equal(display.maps, expected)
    np.testing.assert_array_equal(display.targets, net.predict(X[:5]))
    above, below = display.images_
    assert above.get_array().shape == below.get_array().shape == (12, 5 * 10 + 4)
    assert below.get_array().max() == 1
    assert [text.get_text() for text in display.ax_.texts] == list(display.targets)


@pytest.mark.parametrize("size", [1, 3])
def test_occlusion(grey, size):
    """Covering the square takes the class its probability, covering noise does not."""
    net, X = grey
    display = SaliencyDisplay.from_estimator(
        net, X[:8], method="occlusion", size=size, stride=1
    )
    for picture, drops in zip(X[:8, ..., 0], display.maps, strict=True):
        square = picture > 0.9
        assert drops[square].mean() > 3 * np.abs(drops[~square]).mean()
    if size == 1:
        covered = X[:1].copy()
        covered[0, 5, 6] = X[0].mean(axis=(0, 1))
        column = net.predict_proba(X[:1]).argmax()
        drop = (
            net.predict_proba(X[:1])[0, column] - net.predict_proba(covered)[0, column]
        )
        assert display.maps[0, 5, 6] == pytest.approx(drop, abs=1e-12)


def test_occlusion_covers_all_pixels_and_classes_add_up(grey):
    net, X = grey
    both = [
        SaliencyDisplay.from_estimator(
            net, X[:3], method="occlusion", size=5, stride=4, target=name
        ).maps
        for name in ("left", "right")
    ]
    np.testing.assert_allclose(both[0], -both[1], atol=1e-12)
    assert np.isfinite(both[0]).all()
    assert (np.abs(both[0]).max(axis=(1, 2)) > 0).all()


def test_classes_one_for_each_picture():
    X, y = pictures(60, 1)
    y = y + 2 * (X.sum(axis=(1, 2, 3)) > np.median(X.sum(axis=(1, 2, 3))))
    net = fit(X, y, max_iter=2)
    display = SaliencyDisplay.from_estimator(net, X[:4], target=[3, 0, 1, 0])
    single = SaliencyDisplay.from_estimator(net, X[:4], target=0)
    assert list(display.targets) == [3, 0, 1, 0]
    same = (display.maps == single.maps).all(axis=(1, 2))
    assert list(same) == [False, True, False, True]
    with pytest.raises(ValueError, match=r"target must be of \[0, 1, 2, 3\], got 7"):
        SaliencyDisplay.from_estimator(net, X[:4], target=7)
    with pytest.raises(ValueError, match="one for each of the 4 pictures"):
        SaliencyDisplay.from_estimator(net, X[:4], target=[1, 2])


def test_regressors():
    X, y = pictures(32, 1)
    Y = np.c_[X[:, :6].sum(axis=(1, 2, 3)), y]
    net = fit(X, Y, cls=CNNRegressor, max_iter=3)
    first, second = (
        SaliencyDisplay.from_estimator(net, X[:2], target=t).maps for t in (None, 1)
    )
    assert np.abs(first - second).max() > 0
    display = SaliencyDisplay.from_estimator(net, X[:2], method="occlusion", target=1)
    assert display.maps.min() < 0 < display.maps.max()


def test_pictures_of_other_sizes_and_pipelines():
    X, y = pictures(24, 1)
    layers = [Conv2D(4, 3), BatchNorm(), "relu", GlobalAvgPool()]
    pipe = make_pipeline(
        FunctionTransformer(np.negative),
        CNNClassifier(layers, max_iter=2, n_iter_no_change="never", random_state=0),
    ).fit(X, y)
    other = np.random.default_rng(0).random((2, 20, 17, 1))
    for method in ("gradient", "occlusion"):
        display = SaliencyDisplay.from_estimator(pipe, other, method=method)
        assert display.maps.shape == (2, 20, 17)
        alone = SaliencyDisplay.from_estimator(pipe[-1], -other, method=method)
        np.testing.assert_array_equal(display.maps, alone.maps)
    assert FeatureMapsDisplay.from_estimator(pipe, other[:1]).maps.shape == (4, 18, 15)
    assert FiltersDisplay.from_estimator(pipe).filters.shape == (4, 3, 3, 1)


@pytest.mark.parametrize("display", DISPLAYS)
def test_what_is_no_network_for_pictures(display, iris):
    more = () if display is FiltersDisplay else (np.zeros((1, 8, 8)),)
    with pytest.raises(TypeError, match="takes a fitted network for pictures"):
        display.from_estimator("net", *more)
    with pytest.raises(NotFittedError):
        display.from_estimator(CNNClassifier(), *more)
    flat = MLPClassifier((3,), max_iter=1, n_iter_no_change="never").fit(*iris)
    with pytest.raises(TypeError, match=r"samples of shape \(4,\)"):
        display.from_estimator(flat, *more)


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "magic"},
        {"size": 0},
        {"stride": -1},
        {"size": 1.5},
        {"stride": 4, "size": 3, "method": "occlusion"},  # pixels in between
    ],
)
def test_settings_out_of_range(grey, settings):
    net, X = grey
    with pytest.raises(ValueError, match=next(iter(settings))):
        SaliencyDisplay.from_estimator(net, X[:1], **settings)
