"""Pictures that are none, or not as a convolutional network needs them."""

import numpy as np
import pytest
from scipy import sparse

from skdl import CNNClassifier, CNNRegressor
from skdl.layers import Conv2D, Flatten

RNG = np.random.default_rng(0)
FAST = {"width": 0.25, "max_iter": 1, "random_state": 0, "n_iter_no_change": "never"}


def pictures(*shape, n=12):
    return RNG.random((n, *shape)), np.arange(n) % 2


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 28, 28), (4, 12, 20), (3, 8, 9)])
def test_channels_first_are_detected(shape):
    X, y = pictures(*shape)
    message = r"looks like \(n_samples, channels.*np.moveaxis\(X, 1, -1\)"
    with pytest.raises(ValueError, match=message):
        CNNClassifier(**FAST).fit(X, y)
    CNNClassifier(**FAST).fit(np.moveaxis(X, 1, -1), y)


def test_channels_first_against_a_shape_that_was_given():
    X, y = pictures(5, 6, 7)
    with pytest.raises(ValueError, match="moveaxis"):
        CNNClassifier(**FAST, input_shape=(6, 7, 5)).fit(X, y)
    with pytest.raises(ValueError, match=r"shape \(5, 6, 7\), but input_shape=\(5, 6"):
        CNNClassifier(**FAST, input_shape=(5, 6, 3)).fit(X, y)


def test_channels_first_at_predict():
    X, y = pictures(16, 20, 3)
    net = CNNClassifier(**FAST).fit(X, y)
    with pytest.raises(ValueError, match=r"channels must be 3.*moveaxis"):
        net.predict(np.moveaxis(X, -1, 1))


def test_flat_pictures_with_a_shape_that_has_channels_first():
    X, y = pictures(3 * 16 * 16)
    message = r"looks like \(channels, height, width\).*input_shape=\(16, 16, 3\)"
    with pytest.raises(ValueError, match=message):
        CNNClassifier(**FAST, input_shape=(3, 16, 16)).fit(X, y)


@pytest.mark.parametrize("shape", [(1, 20, 12), (3, 9, 16), (6, 6, 9)])
def test_strips_and_small_pictures_of_many_channels(shape):
    X, y = pictures(*shape)
    CNNClassifier(**FAST, input_shape=shape).fit(X, y)
    CNNClassifier(**FAST, input_shape=shape).fit(X.reshape(len(X), -1), y)


@pytest.mark.parametrize(
    ("n_features", "hint"), [(48, r"\(4, 4, 3\)"), (3072, r"\(32, 32, 3\)"), (50, "")]
)
def test_flat_rows_that_are_no_square(n_features, hint):
    X, y = pictures(n_features)
    message = rf"X has {n_features} features, which make no grey square.*{hint}"
    with pytest.raises(ValueError, match=message):
        CNNClassifier(**FAST).fit(X, y)


def test_flat_rows_of_another_length_than_the_shape():
    X, y = pictures(50)
    message = r"input_shape=\(5, 9, 1\) has 45 numbers, but .* 50 features"
    with pytest.raises(ValueError, match=message):
        CNNClassifier(**FAST, input_shape=(5, 9)).fit(X, y)


@pytest.mark.parametrize(
    "shape", [(5,), (5, 5, 1, 1), (0, 5), (5, -1, 1), (2.5, 4), ("a", 3), ()]
)
def test_wrong_input_shapes(shape):
    X, y = pictures(25)
    with pytest.raises(ValueError, match="input_shape must be"):
        CNNClassifier(**FAST, input_shape=shape).fit(X, y)


@pytest.mark.parametrize("shape", [28, "28x28", {28}])
def test_input_shapes_of_the_wrong_type(shape):
    X, y = pictures(25)
    with pytest.raises(ValueError, match="'input_shape' parameter"):
        CNNClassifier(**FAST, input_shape=shape).fit(X, y)


def test_too_small_for_the_network():
    X, y = pictures(8, 8)
    message = r"Layer 3 \(Conv2D.*smallest input that fits is \(12, 12, 1\)"
    with pytest.raises(ValueError, match=message):
        CNNClassifier("lenet", max_iter=1).fit(X, y)


def test_too_many_axes_and_no_pixels():
    X, y = pictures(4, 4, 1, 2)
    with pytest.raises(ValueError, match=r"height, width, channels.*got shape"):
        CNNClassifier(**FAST).fit(X, y)
    with pytest.raises(ValueError, match="without pixels"):
        CNNClassifier(**FAST).fit(np.empty((12, 4, 0)), y)


def test_one_picture_alone():
    X, y = pictures(8, 8, 3)
    net = CNNClassifier(**FAST).fit(X, y)
    with pytest.raises(ValueError, match=r"One picture alone needs an axis.*X\[None\]"):
        net.predict(X[0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite(value):
    X, y = pictures(5, 5)
    net = CNNRegressor(**FAST).fit(X, y)
    X[2, 1, 1] = value
    for call in (lambda: net.predict(X), lambda: CNNRegressor(**FAST).fit(X, y)):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            call()


def test_rows_and_targets_of_different_number():
    X, y = pictures(5, 5)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        CNNClassifier(**FAST).fit(X, y[:-1])
    with pytest.raises(ValueError, match="y"):
        CNNClassifier(**FAST).fit(X, None)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("lenett", "Unknown architecture 'lenett'.*Did you mean 'lenet'"),
        (["conv"], "Unknown layer 'conv'"),
        (None, "'layers' parameter"),
        ([Conv2D(filters=0), Flatten()], "filters"),
    ],
)
def test_wrong_layers(layers, message):
    X, y = pictures(5, 5)
    with pytest.raises((ValueError, TypeError), match=message):
        CNNClassifier(layers, max_iter=1).fit(X, y)


def test_width_is_for_names():
    X, y = pictures(5, 5)
    with pytest.raises(ValueError, match=r"width=2\.0 is for architectures by name"):
        CNNClassifier([Flatten()], width=2.0).fit(X, y)
    with pytest.raises(ValueError, match="'width' parameter"):
        CNNClassifier(width=0).fit(X, y)


def test_a_failed_fit_changes_nothing():
    X, y = pictures(8, 8)
    net = CNNClassifier(**FAST).fit(X, y)
    before = net.predict_proba(X)
    for wrong in (np.zeros((12, 3, 16, 16)), np.zeros((12, 50)), X[:, :0]):
        with pytest.raises(ValueError, match="X has"):
            net.fit(wrong, y)
    assert net.input_shape_ == (8, 8, 1)
    np.testing.assert_array_equal(net.predict_proba(X), before)


def test_sparse_rows():
    X, y = pictures(25)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        CNNClassifier(**FAST).fit(sparse.csr_array(X), y)


def test_pictures_of_a_list_that_differ_in_size():
    pictures = [np.zeros((8, 8)), np.zeros((8, 8)), np.zeros((8, 9))]
    with pytest.raises(ValueError, match=r"picture 2 has the shape \(8, 9\)"):
        CNNClassifier("small").fit(pictures, [0, 1, 0])
