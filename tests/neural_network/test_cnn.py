"""Convolutional networks as estimators: pictures in, answers out."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skdl import CNNClassifier, CNNRegressor, MLPClassifier, NetworkFeatures
from skdl.layers import Conv2D, Dense, Flatten, GlobalAvgPool, MaxPool2D, Rescale

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

FAST = {"width": 0.25, "max_iter": 2, "random_state": 0, "n_iter_no_change": "never"}
MANY = {**FAST, "batch_size": 32}
ANY_SIZE = [Conv2D(6), "relu", Conv2D(8, 2), "relu", GlobalAvgPool()]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300].reshape(-1, 8, 8).astype(np.uint8), y[:300]


def weights(net):
    return net.network_.params.vector


# ---- what it learns


def test_it_learns_digits():
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(X))
    train, test = order[:1400], order[1400:]
    net = CNNClassifier(batch_size=32, max_iter=20, random_state=0)
    assert net.fit(X[train], y[train]).score(X[test], y[test]) > 0.97


def test_it_learns_where_a_spot_is():
    rng = np.random.default_rng(0)
    X = np.zeros((400, 9, 12, 1), np.float32)
    places = np.stack([rng.integers(0, 9, 400), rng.integers(0, 12, 400)], axis=1)
    X[np.arange(400), places[:, 0], places[:, 1]] = 1
    net = CNNRegressor(batch_size=32, max_iter=40, random_state=0)
    net.fit(X[:300], places[:300])
    assert net.score(X[300:], places[300:]) > 0.9


def test_several_labels(digits):
    X, y = digits
    labels = np.stack([y % 2, y > 4], axis=1).astype(int)
    net = CNNClassifier(batch_size=32, max_iter=15, random_state=0).fit(X, labels)
    assert net.predict(X).shape == labels.shape
    assert (net.predict(X) == labels).mean() > 0.9


# ---- forms of the same pictures


def test_forms_of_grey_pictures_are_the_same(digits):
    X, y = digits
    flat = X.reshape(len(X), -1)
    forms = {
        "(n, h, w)": X,
        "(n, h, w, 1)": X[..., None],
        "flat": flat,
        "frame": pd.DataFrame(flat, columns=[f"p{i}" for i in range(64)]),
        "not in order": np.asfortranarray(X),
    }
    expected = CNNClassifier(**MANY).fit(X, y)
    for name, form in forms.items():
        net = CNNClassifier(**MANY).fit(form, y)
        np.testing.assert_array_equal(weights(net), weights(expected), err_msg=name)
        np.testing.assert_array_equal(
            net.predict_proba(form), expected.predict_proba(X), err_msg=name
        )
        assert net.input_shape_ == (8, 8, 1)
        assert net.n_features_in_ == 64
        assert hasattr(net, "feature_names_in_") == (name == "frame")


def test_lists_are_pictures_too(digits):
    X, y = digits
    net = CNNClassifier(**FAST).fit(X[:50].astype(float).tolist(), y[:50].tolist())
    expected = CNNClassifier(**FAST).fit(X[:50].astype(float), y[:50])
    np.testing.assert_array_equal(weights(net), weights(expected))


def test_flat_pictures_with_a_shape(digits):
    _, y = digits
    colour = np.random.default_rng(0).random((40, 5, 7, 3))
    settings = {**FAST, "input_shape": (5, 7, 3)}
    net = CNNClassifier(**settings).fit(colour.reshape(40, -1), y[:40])
    expected = CNNClassifier(**FAST).fit(colour, y[:40])
    np.testing.assert_array_equal(weights(net), weights(expected))
    np.testing.assert_array_equal(net.predict(colour), expected.predict(colour))


def test_a_few_features_are_a_row_of_pixels():
    X = np.random.default_rng(0).random((30, 6))
    net = CNNRegressor(**FAST).fit(X, X.sum(axis=1))
    assert net.input_shape_ == (1, 6, 1)


def test_bytes_stay_bytes(digits, monkeypatch):
    X, y = digits
    seen = []
    forward = Rescale.forward

    def spied(self, params, x, ctx):
        seen.append((x.dtype, len(x)))
        return forward(self, params, x, ctx)

    monkeypatch.setattr(Rescale, "forward", spied)
    net = CNNClassifier(**MANY).fit(X, y)
    net.predict(X)
    assert {dtype for dtype, _ in seen} == {np.dtype(np.uint8)}
    assert max(n for _, n in seen[:10]) == 32
    assert net.network_.dtype == np.float32


@pytest.mark.parametrize(
    ("dtype", "largest", "divisor"),
    [
        (np.uint8, 16, 31),
        (np.uint8, 200, 255),
        (np.int64, 255, 255),
        (np.uint16, 4095, 4095),
        (np.int16, 300, 511),
    ],
)
def test_whole_numbers_are_divided(dtype, largest, divisor):
    rng = np.random.default_rng(0)
    X = rng.integers(0, largest, size=(20, 4, 4), endpoint=True).astype(dtype)
    X[0, 0, 0] = largest
    y = rng.random(20)
    net = CNNRegressor(**FAST, dtype="float64").fit(X, y)
    scaled = CNNRegressor(**FAST).fit(X / divisor, y)
    assert net.network_.layers[0].scale == 1 / divisor
    np.testing.assert_allclose(weights(net), weights(scaled), rtol=1e-9)
    # The same pictures as floating numbers, and darker ones, get the same treatment.
    np.testing.assert_allclose(net.predict(X.astype(float)), net.predict(X))
    np.testing.assert_allclose(net.predict(X // 3), scaled.predict((X // 3) / divisor))


def test_a_layer_for_whole_numbers_is_not_doubled(digits):
    X, y = digits
    layers = [Rescale(1 / 16, -0.5), Conv2D(4), "relu", Flatten()]
    net = CNNClassifier(layers, max_iter=2, random_state=0).fit(X, y)
    assert [type(layer) for layer in net.network_.layers[:2]] == [Rescale, Conv2D]
    assert net.network_.layers[0].offset == -0.5


def test_black_pictures():
    X = np.zeros((10, 6, 6), np.uint8)
    net = CNNClassifier(**FAST).fit(X, [0, 1] * 5)
    assert np.isfinite(net.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.uint8, np.float32),
        (bool, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.int64, np.float64),
    ],
)
def test_precision_follows_the_pictures(digits, dtype, expected):
    X, y = digits
    net = CNNClassifier(**FAST).fit(X.astype(dtype), y)
    assert net.network_.dtype == expected
    assert net.predict_proba(X.astype(dtype)).dtype == expected


# ---- pictures of other sizes


def test_networks_with_global_pooling_take_other_sizes(digits):
    X, y = digits
    net = CNNClassifier(ANY_SIZE, max_iter=3, random_state=0).fit(X, y)
    # A picture beside its own copy: all windows but those at the seam are the same.
    wide = np.concatenate([X, X], axis=2)
    assert net.predict_proba(wide).shape == (len(X), 10)
    probabilities = [net.predict_proba(wide[i : i + 1])[0] for i in range(5)]
    np.testing.assert_allclose(net.predict_proba(wide)[:5], probabilities, rtol=1e-5)
    # Constant pictures look the same at any size.
    grey = [np.full((1, size, size + 1), 7, np.uint8) for size in (6, 9, 30)]
    answers = [net.predict_proba(picture) for picture in grey]
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-5)
    np.testing.assert_allclose(answers[0], answers[2], rtol=1e-5)
    assert net.score(X, y, sample_weight=None) == net.score(X[:, :, :], y)


def test_training_may_go_on_with_other_sizes(digits):
    X, y = digits
    net = CNNClassifier(ANY_SIZE, max_iter=2, random_state=0, warm_start=True)
    before = weights(net.fit(X, y)).copy()
    net.fit(np.pad(X, ((0, 0), (2, 2), (1, 1))), y)
    assert net.n_iter_ == 4
    assert np.abs(weights(net) - before).max() > 0
    assert net.predict(X).shape == y.shape


def test_validation_pictures_of_another_size(digits):
    X, y = digits
    padded = np.pad(X, ((0, 0), (2, 2), (1, 1)))
    net = CNNClassifier(ANY_SIZE, max_iter=2, random_state=0)
    net.fit(X, y, X_val=padded, y_val=y)
    loss = net.loss_function_(y, net.network_.predict(padded[..., None]))
    np.testing.assert_allclose(net.history_["val_loss"][-1], loss, rtol=1e-5)
    with pytest.raises(ValueError, match=r"samples of shape \(8, 8, 1\), got \(12, 10"):
        CNNClassifier(**FAST).fit(X, y, X_val=padded, y_val=y)


def test_networks_with_flatten_do_not(digits):
    X, y = digits
    net = CNNClassifier(**FAST).fit(X, y)
    message = r"samples of shape \(8, 8, 1\), got \(12, 12, 1\).*Dense.*GlobalAvgPool"
    with pytest.raises(ValueError, match=message):
        net.predict(np.zeros((2, 12, 12), np.uint8))


def test_too_small_pictures_at_predict(digits):
    X, y = digits
    net = CNNClassifier(ANY_SIZE, max_iter=2, random_state=0).fit(X, y)
    message = r"Layer 3 \(Conv2D.*smallest input that fits is \(4, 4, 1\)"
    with pytest.raises(ValueError, match=message):
        net.predict(X[:, :3, :3])


# ---- as the other networks


def test_weights_of_rows_are_repetitions(digits):
    X, y = digits[0][:40], digits[1][:40]
    times = np.arange(40) % 3
    settings = {**FAST, "dtype": "float64", "max_iter": 5}
    weighted = CNNClassifier(**settings).fit(X, y, sample_weight=times)
    rows = np.repeat(np.arange(40), times)
    repeated = CNNClassifier(**settings).fit(X[rows], y[rows])
    np.testing.assert_allclose(weights(weighted), weights(repeated), rtol=1e-8)


def test_partial_fit_is_an_epoch_of_fit(digits):
    X, y = digits
    net = CNNClassifier(**MANY).fit(X, y)
    parts = CNNClassifier(**MANY)
    parts.partial_fit(X, y).partial_fit(X, y)
    np.testing.assert_array_equal(weights(net), weights(parts))


def test_early_stopping_warm_start_restarts_and_class_weights(digits):
    X, y = digits
    net = CNNClassifier(
        **{**FAST, "max_iter": 4},
        early_stopping=True,
        n_init=2,
        class_weight="balanced",
    ).fit(X, y)
    assert len(net.history_["val_loss"]) == net.n_iter_ == 4
    again = clone(net).set_params(warm_start=True, n_init=1).fit(X, y)
    assert again.fit(X, y).n_iter_ == 8


def test_pickles_predict_the_same(digits):
    X, y = digits
    net = CNNClassifier(**FAST).fit(X, y)
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))


def test_grids_see_architectures_widths_and_layers(digits):
    X, y = digits
    grid = {"layers": ["small", "lenet"], "width": [0.2, 0.4]}
    net = CNNClassifier(**FAST)
    X16 = np.pad(X, ((0, 0), (4, 4), (4, 4)))
    search = GridSearchCV(net, grid, cv=2).fit(X16, y)
    assert len(search.cv_results_["params"]) == 4
    layers = [Conv2D(4), "relu", MaxPool2D(), Flatten(), Dense(8), "relu"]
    net = CNNClassifier(layers, max_iter=2, random_state=0)
    scores = cross_val_score(net.set_params(layers__0__filters=5), X, y, cv=2)
    assert len(scores) == 2
    assert net.fit(X, y).network_.params["1.W"].shape == (3, 3, 1, 5)


def test_features_of_pictures_in_a_pipeline(digits):
    X, y = digits
    net = CNNClassifier(batch_size=32, max_iter=8, random_state=0)
    model = make_pipeline(NetworkFeatures(net), LogisticRegression(max_iter=2000))
    assert model.fit(X, y).score(X, y) > 0.95
    assert model[0].transform(X).shape == (300, 128)


# ---- pictures are predicted some at a time


def test_the_validation_loss_is_the_mean_over_all_weights():
    rng = np.random.default_rng(0)
    X, y = rng.random((30, 32, 32)), np.arange(30) % 3
    weight = np.where(np.arange(30) < 20, 0.1, 5.0)  # parts of very different weight
    layers = [Conv2D(16, padding=1), "relu", GlobalAvgPool()]  # 8 pictures a part
    net = CNNClassifier(layers, max_iter=1, random_state=0, n_iter_no_change="never")
    net.fit(X, y, X_val=X, y_val=y, sample_weight_val=weight)
    expected = log_loss(y, net.predict_proba(X), sample_weight=weight)
    np.testing.assert_allclose(net.history_["val_loss"][-1], expected, rtol=1e-9)


# ---- what it says of itself


@pytest.mark.parametrize("network", [CNNClassifier, CNNRegressor])
def test_docstrings_speak_of_pictures(network):
    for name in ("fit", "partial_fit", "initialize", "predict"):
        method = getattr(network, name)
        assert "(n_samples, h, w, c)" in method.__doc__
        assert "n_features" not in method.__doc__
        assert method.__qualname__ == f"{network.__name__}.{name}"
    assert (
        "sparse matrix} of shape (n_samples, n_features)" in MLPClassifier.fit.__doc__
    )


# ---- one picture at a time


def test_single_pictures_are_checked_like_many(digits):
    X, y = digits
    settings = {"max_iter": 2, "random_state": 0, "n_iter_no_change": "never"}
    net = CNNClassifier(ANY_SIZE, **settings).fit(X.astype(np.float32), y)
    many = net.predict_proba(X[:5].astype(np.float32))
    for form in (np.float32, np.uint8, np.float64):
        one = net.predict_proba(X[:1].astype(form))
        np.testing.assert_allclose(one, many[:1], rtol=1e-5)
    assert net.predict_proba(X[:1, :, :, None].astype(np.float32)).shape == (1, 10)
    wrong = X[:1].astype(np.float32)
    wrong[0, 3, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        net.predict(wrong)
    with pytest.raises(ValueError, match="infinity"):
        net.predict(np.full_like(wrong, np.inf))
    with pytest.raises(ValueError, match="number of channels must be 1"):
        net.predict(np.zeros((1, 8, 8, 3), np.float32))
