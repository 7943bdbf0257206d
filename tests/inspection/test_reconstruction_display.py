"""Pictures beside what is rebuilt of them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import Autoencoder
from skdl.inspection import ReconstructionDisplay


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted(digits):
    net = Autoencoder(4, max_iter=2, n_iter_no_change="never", random_state=0)
    return net.fit(digits[0].reshape(-1, 8, 8))


def names(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_rows_of_several_models(digits, fitted):
    X = digits[0][:5]
    scaled = make_pipeline(StandardScaler(), PCA(3)).fit(digits[0])
    display = ReconstructionDisplay.from_estimator({"net": fitted, "PCA": scaled}, X)
    assert list(display.rows) == ["input", "net", "PCA"]
    assert {row.shape for row in display.rows.values()} == {(5, 8, 8, 1)}
    expected = fitted.inverse_transform(fitted.transform(X))
    np.testing.assert_allclose(display.rows["net"][..., 0], expected)
    error = np.mean((expected.reshape(5, -1) - X) ** 2)
    assert names(display)[:2] == ["input", f"net\nerror {error:.3g}"]
    sheet = display.image_.get_array()
    assert sheet.shape == (3 * 9 - 1, 5 * 9 - 1)
    np.testing.assert_allclose(sheet[:8, :8], X[0].reshape(8, 8) / X.max(), atol=1e-6)


def test_noise_has_a_row_of_its_own(digits, fitted):
    X = digits[0][:4].reshape(-1, 8, 8)
    noisy = X + 0.1
    display = ReconstructionDisplay.from_estimator(
        fitted, noisy, X_clean=X, errors=False
    )
    assert names(display) == ["clean", "input", "rebuilt"]
    np.testing.assert_allclose(display.rows["input"], noisy[..., None])


def test_from_predictions_in_colour():
    X = np.random.default_rng(0).random((3, 6, 4, 3))
    _, ax = plt.subplots()
    display = ReconstructionDisplay.from_predictions(X, X / 2, ax=ax)
    assert display.ax_ is ax
    assert display.image_.get_array().shape == (13, 14, 3)
    flat = ReconstructionDisplay.from_predictions(
        X.reshape(3, -1), {"half": X.reshape(3, -1) / 2}, image_shape=(6, 4, 3)
    )
    np.testing.assert_array_equal(flat.rows["half"], X / 2)


def test_bad_input(digits, fitted):
    X = digits[0]
    with pytest.raises(TypeError, match="Ridge has no transform and no inverse"):
        ReconstructionDisplay.from_estimator(Ridge(), X)
    with pytest.raises(NotFittedError):
        ReconstructionDisplay.from_estimator(Autoencoder(), X)
    with pytest.raises(ValueError, match=r"'rebuilt' have shape \(4, 8, 8, 1\)"):
        ReconstructionDisplay.from_predictions(X[:5], X[:4])
    with pytest.raises(ValueError, match="make no grey square"):
        ReconstructionDisplay.from_predictions(X[:, :63], X[:, :63])
    with pytest.raises(ValueError, match="or are flat rows"):
        ReconstructionDisplay.from_predictions(X[0], X[0])
