"""Pictures enlarged, sharper than interpolation, in scikit-learn's manner."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_sample_image
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdl import SuperResolution
from skdl.layers import Conv2D, Flatten, MaxPool2D
from skdl.metrics import psnr
from skdl.neural_network import _super_resolution
from skdl.ops.resize import enlarge, shrink
from skdl.optimizers import Adam

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
)

LAYERS = [Conv2D(8, 3, padding="same"), "relu"]


@pytest.fixture(scope="module")
def photo():
    """Return grey parts of 16×16 pixels of a photograph, of bytes."""
    grey = load_sample_image("china.jpg")[100:292, 100:420].mean(axis=2)
    grey = np.rint(grey).astype(np.uint8)
    return grey.reshape(12, 16, 20, 16).swapaxes(1, 2).reshape(-1, 16, 16)


@pytest.fixture(scope="module")
def fitted(photo):
    net = made(max_iter=8, optimizer=Adam(5e-3))
    return net.fit(photo[::2], X_val=photo[1::2])


def made(layers=LAYERS, **settings):
    settings = {"max_iter": 2, "n_iter_no_change": "never"} | settings
    return SuperResolution(layers, batch_size=8, random_state=0, **settings)


def test_is_sharper_than_bicubic(fitted, photo):
    test = photo[1::2]
    small = shrink(test[..., None] / 255.0, 2)
    bicubic = psnr(test[..., None] / 255.0, enlarge(small, 2), data_range=1.0)
    assert fitted.bicubic_score(test) == pytest.approx(bicubic, rel=1e-5)
    assert fitted.score(test) > bicubic + 0.2
    larger = fitted.predict((255 * small[..., 0]).astype(np.float32))
    assert larger.shape == test.shape
    own = psnr(test, larger, data_range=255)
    assert fitted.score(test) == pytest.approx(own, rel=1e-4)
    weight = np.arange(len(test))
    assert fitted.score(test, None, weight) == pytest.approx(
        psnr(test, larger, data_range=255, sample_weight=weight), rel=1e-4
    )
    skimage = pytest.importorskip("skimage.metrics")
    theirs = skimage.peak_signal_noise_ratio(
        test.astype(np.float32), larger, data_range=255
    )
    assert own == pytest.approx(theirs)


def test_history_is_of_what_is_missing(fitted, photo):
    test = photo[1::2]
    mse = 2 * fitted.history_["val_loss"][-1]
    assert -10 * np.log10(mse) == pytest.approx(fitted.score(test), rel=1e-5)
    assert fitted.history_["val_score"][-1] == pytest.approx(
        fitted.score(test), rel=1e-5
    )


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("method", ["area", "bicubic"])
def test_begins_with_the_bicubic_enlargement(factor, method, photo):
    net = made(factor=factor, shrink=method).initialize(photo)
    np.testing.assert_allclose(net.score(photo), net.bicubic_score(photo), rtol=1e-6)
    x = photo[:8] / 255.0
    got = made(factor=factor).initialize(x).predict(x)
    np.testing.assert_allclose(got, enlarge(x[..., None], factor)[..., 0], atol=1e-12)
    assert net.fit(photo).score(photo) > net.bicubic_score(photo)


def test_types_and_shapes_stay(fitted, photo):
    assert fitted.predict(photo[:3]).dtype == np.uint8
    assert fitted.predict(photo[:3]).shape == (3, 32, 32)
    assert fitted.predict(photo[:3, :5, :9, None]).shape == (3, 10, 18, 1)
    flat = photo[:3].reshape(3, -1)
    larger = fitted.predict(flat)
    np.testing.assert_array_equal(larger.reshape(3, 32, 32), fitted.predict(photo[:3]))
    floats = photo[:40, :, :, None] / 255.0 * [1.0, 0.5, 0.2]
    net = made().fit(floats)
    assert net.data_range_ == 1.0
    assert net.predict(floats[:2]).shape == (2, 32, 32, 3)
    assert made().fit(floats * 7).data_range_ == pytest.approx(7 * np.ptp(floats))
    # Whole numbers are cut off at black and white.
    bright = np.zeros((1, 8, 8), np.uint8)
    bright[:, :, 4:] = 255
    assert set(np.unique(fitted.predict(bright))) >= {0, 255}


def test_scale_changes_nothing(photo):
    floats = (photo[:40] / 255).astype(np.float32)
    a, b = made().fit(photo[:40]), made().fit(floats)
    assert a.data_range_ == 255
    np.testing.assert_allclose(
        a.score(photo[40:]), b.score(photo[40:] / 255), rtol=1e-4
    )


def test_sides_that_the_factor_does_not_divide(photo):
    odd = photo[:, :15, :13]
    net = made(factor=2).fit(odd)
    padded = np.pad(odd, [(0, 0), (0, 1), (0, 1)], mode="edge")
    assert net.score(odd) == pytest.approx(net.score(padded))
    assert net.predict(odd).shape == (len(odd), 30, 26)


def test_large_pictures_go_through_in_tiles(monkeypatch, fitted):
    large = np.random.default_rng(0).random((2, 40, 30)).astype(np.float32)
    whole = fitted.predict(large)
    monkeypatch.setattr(_super_resolution, "TILE", 11)
    np.testing.assert_allclose(fitted.predict(large), whole, rtol=1e-5, atol=1e-5)


def test_as_scikit_learn(photo):
    names = {"optimizer__learning_rate": [1e-3, 1e-2]}
    search = GridSearchCV(made(max_iter=1), names, cv=2).fit(photo[:60])
    assert search.best_score_ > 10
    half = FunctionTransformer(lambda X: X / 2)
    pipe = make_pipeline(half, made()).fit(photo[:40])
    new = clone(pipe[-1])
    with pytest.raises(NotFittedError):
        new.predict(photo)
    with pytest.raises(NotFittedError):
        new.score(photo)
    again = pickle.loads(pickle.dumps(pipe[-1]))
    x = photo[:3] / 2
    np.testing.assert_array_equal(again.predict(x), pipe.predict(photo[:3]))
    stopped = made(early_stopping=True, scoring=None).fit(photo[:40])
    assert stopped.best_validation_score_ == max(stopped.validation_scores_)


def test_callbacks_see_sharp_pictures(photo):
    monitor = ScoringMonitor(scoring={"psnr": lambda net, X, y: net.score(X)})
    net = made(max_iter=2).set_callbacks(monitor).fit(photo[:40])
    assert monitor.get_logs().data[-1]["psnr"] == pytest.approx(net.score(photo[:40]))


def test_going_on(photo):
    net = made()
    net.partial_fit(photo[:40]).partial_fit(photo[40:80, :12, :10])
    assert net.n_iter_ == 2
    with pytest.raises(ValueError, match="enlarges by 2, but factor=3 now"):
        net.set_params(factor=3).partial_fit(photo)
    warm = made(warm_start=True)
    assert warm.fit(photo[:40]).fit(photo[:40]).n_iter_ == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"factor": 5}, "'factor' parameter .* must be"),
        ({"shrink": "lanczos"}, "'shrink' parameter .* must be"),
        ({"scoring": "r2"}, "'scoring' parameter .* must be"),
        ({"loss": "cross_entropy"}, "is no loss for regression"),
        ({"layers": [*LAYERS, MaxPool2D()]}, "pictures of the size of the small ones"),
        ({"layers": [*LAYERS, Flatten()]}, "pictures of the size of the small ones"),
    ],
)
def test_bad_settings(settings, message, photo):
    with pytest.raises(ValueError, match=message):
        made().set_params(**settings).fit(photo[:8])


def test_bad_pictures(fitted, photo):
    with pytest.raises(ValueError, match="number of channels must be 1"):
        fitted.predict(np.ones((2, 8, 8, 3)))
    with pytest.raises(ValueError, match="channels come last"):
        made().fit(np.ones((4, 3, 16, 16)))
    with pytest.raises(ValueError, match="make no grey square"):
        made().fit(np.ones((4, 50)))
    with pytest.raises(ValueError, match="NaN"):
        made().fit(np.full((4, 8, 8), np.nan))
