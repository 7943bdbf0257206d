"""A class for each pixel: label maps as targets, in scikit-learn's manner; tiles."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import jaccard_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdl import SegmentationClassifier
from skdl.layers import Conv2D, Flatten, GlobalAvgPool, KeepSize, MaxPool2D, Upsample2D
from skdl.losses import CrossEntropy
from skdl.metrics import mean_iou, pixel_accuracy
from skdl.networks import Network, reach_of, unet
from skdl.neural_network import _tiles
from skdl.optimizers import Adam

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
)

SMALL = unet((12, 12, 1), filters=(8, 16))
FLAT = [Conv2D(4, 3, padding="same"), "relu"]


def scenes(n, side=12, seed=0):
    """Return noisy pictures with a bright and a dark square, and maps of 0, 1, 2."""
    rng = np.random.default_rng(seed)
    y = np.zeros((n, side, side), dtype=int)
    for labels in y:
        for label in (1, 2):
            top, left = rng.integers(0, side - 4, 2)
            labels[top : top + 5, left : left + 5] = label
    X = np.array([0.5, 1.0, 0.0])[y] + 0.1 * rng.normal(size=y.shape)
    return X.astype(np.float32), y


X, Y = scenes(64)


def made(layers=SMALL, **settings):
    settings = {"max_iter": 2, "n_iter_no_change": "never"} | settings
    return SegmentationClassifier(layers, batch_size=8, random_state=0, **settings)


@pytest.fixture(scope="module")
def fitted():
    X_val, y_val = scenes(16, seed=1)
    return made(max_iter=12, optimizer=Adam(0.01)).fit(X, Y, X_val=X_val, y_val=y_val)


def made_with(params, **settings):
    return made(**settings).set_params(**params)


def test_classes_of_pixels_are_found(fitted):
    X_new, y_new = scenes(32, seed=2)
    predicted, p = fitted.predict(X_new), fitted.predict_proba(X_new)
    assert predicted.shape == y_new.shape
    assert p.shape == (*y_new.shape, 3)
    np.testing.assert_array_equal(fitted.classes_, [0, 1, 2])
    np.testing.assert_array_equal(predicted, p.argmax(axis=-1))
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-6)
    np.testing.assert_allclose(fitted.predict_log_proba(X_new), np.log(p))
    score = fitted.score(X_new, y_new)
    assert score > 0.85
    expected = jaccard_score(y_new.ravel(), predicted.ravel(), average="macro")
    assert score == pytest.approx(expected)
    assert len(fitted.history_["val_score"]) == 12


def test_masks_are_two_classes():
    masks = Y == 1
    net = made(max_iter=6, optimizer=Adam(0.01)).fit(X, masks)
    assert net.n_outputs_ == 1
    assert net.out_activation_ == "logistic"
    predicted = net.predict(X)
    assert predicted.dtype == bool
    p = net.predict_proba(X)
    np.testing.assert_array_equal(predicted, p[..., 1] > 0.5)
    named = np.where(masks, "cell", "back")
    other = made(max_iter=6, optimizer=Adam(0.01)).fit(X, named[..., None])
    np.testing.assert_array_equal(other.predict(X) == "cell", predicted)


def test_the_loss_is_the_mean_over_pixels(fitted):
    X_val, y_val = scenes(16, seed=1)
    raw = fitted.network_.predict(X_val[..., None])
    expected = CrossEntropy()(y_val, raw)
    assert fitted.history_["val_loss"][-1] == pytest.approx(expected, rel=1e-5)


# ---- weights


def gd(**settings):
    return made(optimizer="gd", dtype="float64", **settings).set_params(
        batch_size="auto"
    )


def same(a, b):
    np.testing.assert_allclose(
        a.predict_proba(X[:8]), b.predict_proba(X[:8]), rtol=1e-9
    )


def test_ignored_pixels_weigh_nothing():
    y = Y[:12].copy()
    y[:, 3:6] = -1
    weight = np.ones(y.shape)
    weight[:, 3:6] = 0
    a = gd(ignored_label=-1).fit(X[:12], y)
    same(a, gd().fit(X[:12], Y[:12], weight))
    assert -1 not in a.classes_
    changed = X[:12].copy()
    score = a.score(changed, y)
    assert score == pytest.approx(
        mean_iou(Y[:12], a.predict(X[:12]), sample_weight=weight)
    )
    # also in validation, together with weights of the pictures
    each = np.arange(12.0)
    b = gd(ignored_label=-1).fit(
        X[:12], y, each, X_val=X[:12], y_val=y, sample_weight_val=each
    )
    raw = b.network_.predict(X[:12, ..., None].astype(float))
    expected = CrossEntropy()(Y[:12], raw, weight * each[:, None, None])
    assert b.history_["val_loss"][-1] == pytest.approx(expected)
    same(b, gd().fit(X[:12], Y[:12], weight * each[:, None, None]))


def test_class_weights_are_weights_of_pixels():
    each = {0: 0.5, 2: 3.0}
    weight = np.choose(Y[:12], [0.5, 1.0, 3.0])
    same(gd(class_weight=each).fit(X[:12], Y[:12]), gd().fit(X[:12], Y[:12], weight))
    counts = np.bincount(Y[:12].ravel())
    balanced = (Y[:12].size / (3 * counts))[Y[:12]]
    twice = np.arange(1.0, 13)
    same(
        gd(class_weight="balanced").fit(X[:12], Y[:12], twice),
        gd().fit(X[:12], Y[:12], balanced * twice[:, None, None]),
    )


# ---- in scikit-learn's manner


def test_as_scikit_learn():
    flat, maps = X.reshape(64, -1), Y.reshape(64, -1)
    names = {"width": [0.25, 0.5], "optimizer__learning_rate": [1e-3]}
    search = GridSearchCV(
        made("unet", max_iter=1), names, cv=2, scoring=make_scorer(pixel_accuracy)
    )
    assert search.fit(X, Y).best_score_ > 0.3
    pipe = make_pipeline(FunctionTransformer(np.tanh), made()).fit(flat, maps)
    again = pickle.loads(pickle.dumps(pipe))
    assert again.predict(flat).shape == (64, 12, 12)
    np.testing.assert_array_equal(again.predict(flat), pipe.predict(flat))
    assert pipe.score(flat, maps) == again.score(flat, Y)
    new = clone(pipe[-1])
    for call in (new.predict, new.predict_proba, new.predict_tiles):
        with pytest.raises(NotFittedError):
            call(X)


def test_bytes_and_colours():
    colours = np.stack([X, 1 - X, X * 0], axis=-1)
    coloured = made(FLAT, max_iter=1).fit(colours, Y)
    assert coloured.network_.params["0.W"].shape == (3, 3, 3, 4)
    bytes_ = np.clip(255 * X, 0, 255).astype(np.uint8)
    net = made(FLAT, max_iter=1).fit(bytes_, Y)
    scaled = made(FLAT, max_iter=1).fit((bytes_ / 255).astype(np.float32), Y)
    np.testing.assert_allclose(
        net.predict_proba(bytes_[:4]),
        scaled.predict_proba((bytes_[:4] / 255).astype(np.float32)),
        rtol=1e-4,
    )


def test_going_on_with_pictures_of_other_sizes():
    net = made()
    net.partial_fit(X[:10], np.minimum(Y[:10], 1), classes=[0, 1, 2])
    net.partial_fit(*scenes(6, side=15))
    assert net.n_iter_ == 2
    assert net.predict(X).shape == Y.shape
    with pytest.raises(ValueError, match=r"labels \[7\] .* not among the classes"):
        net.partial_fit(X[:2], np.full((2, 12, 12), 7))
    warm = made(warm_start=True)
    assert warm.fit(X, Y).fit(X, Y).n_iter_ == 4


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [("accuracy", pixel_accuracy), ("mean_iou", mean_iou), (None, mean_iou)],
)
def test_validation_metrics(scoring, metric):
    y = Y.copy()
    y[:, 0] = 9
    net = made(scoring=scoring, ignored_label=9, max_iter=1)
    net.fit(X[:32], y[:32], X_val=X[32:], y_val=y[32:])
    expected = metric(y[32:], net.predict(X[32:]), ignored_label=9)
    assert net.history_["val_score"] == pytest.approx([expected])


def test_callbacks_see_label_maps():
    monitor = ScoringMonitor(scoring={"iou": lambda net, X, y: net.score(X, y)})
    net = made(FLAT).set_callbacks(monitor).fit(X[:20], Y[:20])
    assert len(monitor.get_logs().data) == 2
    assert monitor.get_logs().data[-1]["iou"] == net.score(X[:20], Y[:20])


def test_early_stopping_splits_the_pictures():
    net = made(FLAT, early_stopping=True, scoring="accuracy").fit(X, Y)
    assert net.best_validation_score_ == max(net.validation_scores_)
    own = made(FLAT, scoring=lambda net, X, y, sample_weight=None: 0.25, max_iter=1)
    own.fit(X, Y, X_val=X, y_val=Y)
    assert own.history_["val_score"] == [0.25]


# ---- sizes


@pytest.mark.parametrize("sides", [(9, 14), (5, 3), (1, 2), (13, 13)])
def test_sides_that_cannot_be_halved(sides, fitted):
    h, w = sides
    rng = np.random.default_rng(0)
    pictures = rng.random((3, h, w)).astype(np.float32)
    padded = np.pad(pictures, [(0, 0), (0, h % 2), (0, w % 2)], mode="edge")
    got = fitted.predict_proba(pictures)
    assert got.shape == (3, h, w, 3)
    np.testing.assert_allclose(got, fitted.predict_proba(padded)[:, :h, :w], rtol=1e-5)


def test_training_on_sides_that_cannot_be_halved():
    odd, labels = X[:, :9, :11], Y[:, :9, :11]
    net = made("unet", width=0.25, max_iter=1).fit(odd, labels)
    assert net.predict(odd).shape == labels.shape
    assert net.predict(X).shape == Y.shape


@pytest.mark.parametrize("size", [4, 6, 16])
def test_tiles_have_no_seams(size, fitted):
    net = made(max_iter=1, dtype="float64").fit(X, Y)
    reach = reach_of(net.network_)
    large, _ = scenes(2, side=45, seed=3)
    large = large.astype(np.float64)
    whole = net.predict_proba(large)
    tiles = net.predict_tiles(large, size, proba=True)
    np.testing.assert_allclose(tiles, whole, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(net.predict_tiles(large, size), net.predict(large))
    # What a tile needs, and not more: a pixel outside its reach changes nothing.
    far = large.copy()
    far[:, 30:, :] += 1.0
    changed = net.predict_proba(far)
    first = 30 - reach.pixels[0]
    np.testing.assert_array_equal(changed[:, :first], whole[:, :first])
    assert (changed[:, first + 4 :] != whole[:, first + 4 :]).any()


def test_pictures_larger_than_memory(tmp_path, fitted):
    large, _ = scenes(1, side=70, seed=3)
    X_file = np.memmap(tmp_path / "X", np.float32, "w+", shape=(1, 70, 70, 1))
    X_file[..., 0] = large
    out = np.memmap(tmp_path / "y", np.int32, "w+", shape=(1, 70, 70))
    result = fitted.predict_tiles(X_file, 16, out=out)
    assert result is out
    np.testing.assert_array_equal(np.asarray(out), fitted.predict(large))
    with pytest.raises(ValueError, match=r"out must have shape \(1, 70, 70\)"):
        fitted.predict_tiles(X_file, 16, out=out[:, :50])
    with pytest.raises(ValueError, match="tile_size"):
        fitted.predict_tiles(X_file, 0)


def test_large_pictures_go_through_in_tiles(monkeypatch, fitted):
    large, _ = scenes(2, side=40, seed=3)
    whole = fitted.predict_proba(large)
    monkeypatch.setattr(_tiles, "_LARGE", 2**10)
    monkeypatch.setattr(_tiles, "TILE", 12)
    seen = []
    predict = Network.predict
    monkeypatch.setattr(
        Network, "predict", lambda self, X: (seen.append(X.shape), predict(self, X))[1]
    )
    np.testing.assert_allclose(fitted.predict_proba(large), whole, atol=1e-5)
    assert len(seen) == 2 * 4 * 4


def test_networks_that_see_everything_have_no_tiles():
    layers = [KeepSize([MaxPool2D(12), Upsample2D(12)], 12), *FLAT]
    net = made(layers, max_iter=1).fit(X, Y)
    assert reach_of(net.network_).pixels[0] > 11
    whole = Network([GlobalAvgPool()], (8, 8, 2))
    assert reach_of(whole) is None


# ---- bad input


BAD = [
    (Y[:, :10], r"12×12 pixels, so y must be label maps of shape \(64, 12, 12\)"),
    (Y[:, :, :, None].repeat(2, axis=3), "a class for each pixel"),
    (Y[:, 0, 0], r"got \(64,\)"),
    (Y[:5], "inconsistent numbers of samples: 64 pictures"),
    (None, "requires y to be passed"),
    (Y * 0, r"1 class, \[0\]: there is nothing to tell apart"),
    (Y / 2 + 0.25, "Unknown label type: continuous"),
    (np.where(Y == 1, np.nan, Y), "Unknown label type"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_label_maps(case, fitted):
    y, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        made().fit(X, y)
    before = fitted.predict(X)
    with pytest.raises(ValueError, match=message):
        fitted.fit(X, y)
    np.testing.assert_array_equal(fitted.predict(X), before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"class_weight": {5: 1.0}}, r"labels \[5\], which are none of the classes"),
        ({"class_weight": {0: 0, 1: 0, 2: 0}}, "none but zeros"),
        ({"class_weight": {0: -1.0}}, "negative weights"),
        ({"ignored_label": 0, "class_weight": [1, 2]}, "class_weight"),
        ({"scoring": "f1"}, "'scoring' parameter .* must be"),
        ({"loss": "squared_error"}, "is no loss for classification"),
        ({"augment": ["flip"]}, "the label maps in y would have to change"),
        ({"augment": ["mixup"]}, "the label maps in y would have to change"),
        ({"layers": [*FLAT, MaxPool2D()]}, r"gives samples of shape \(6, 6, 4\)"),
        ({"layers": [*FLAT, Flatten()]}, r"gives samples of shape \(576,\)"),
        ({"layers": "lenet"}, "label maps of 12×12 pixels need pictures of that size"),
        ({"layers": [KeepSize([MaxPool2D(2)])]}, "must keep the size of pictures"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        made().set_params(**settings).fit(X, Y)


def test_bad_weights():
    with pytest.raises(ValueError, match="one a pixel"):
        made().fit(X, Y, np.ones((64, 12)))
    with pytest.raises(ValueError, match="negative, infinite or NaN"):
        made().fit(X, Y, np.full(Y.shape, -1.0))
    with pytest.raises(ValueError, match="All sample weights are zero"):
        made().fit(X, Y, np.zeros(Y.shape))
    with pytest.raises(ValueError, match="All pixels have the ignored label"):
        made(ignored_label=3).fit(X, Y, X_val=X, y_val=Y * 0 + 3)


def test_other_channels_than_in_training(fitted):
    with pytest.raises(ValueError, match="number of channels must be 1"):
        fitted.predict(np.ones((2, 12, 12, 3)))
    with pytest.raises(ValueError, match="number of channels must be 1"):
        fitted.predict_tiles(np.ones((2, 12, 12, 3)))
    with pytest.raises(ValueError, match="channels come last"):
        made().fit(np.ones((64, 3, 12, 12)), Y)


def test_unknown_labels_in_validation():
    with pytest.raises(ValueError, match=r"labels \[4\] that are not among"):
        made().fit(X, Y, X_val=X, y_val=np.where(Y == 2, 4, Y))


def test_weight_on_pictures_without_labels_alone():
    X, Y = scenes(4)
    Y[0] = -1
    weight = np.array([1.0, 0.0, 0.0, 0.0])
    net = made(ignored_label=-1)
    with pytest.raises(ValueError, match="No target would count"):
        net.fit(X, Y, weight)
    with pytest.raises(ValueError, match="No target would count"):
        net.fit(X, Y, X_val=X, y_val=Y, sample_weight_val=weight)
