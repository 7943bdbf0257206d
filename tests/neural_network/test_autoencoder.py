"""Autoencoders: against PCA, codes and samples, pictures, noise, bad input."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skdl import Autoencoder, config_context
from skdl.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    MaxPool2D,
    Rescale,
    Reshape,
    Upsample2D,
)
from skdl.optimizers import Adam
from skdl.testing import check_gradient
from skdl.training import Data, Objective, RowBatches

PICTURES = [
    Conv2D(4, 3, 2, "same"),
    BatchNorm(),
    "relu",
    Conv2D(8, 3, padding="same"),
    "relu",
    MaxPool2D(),
]


def net(n_components=3, **settings):
    settings = {"max_iter": 3, "n_iter_no_change": "never", "batch_size": 50} | settings
    return Autoencoder(n_components, random_state=0, **settings)


@pytest.fixture(scope="module")
def fitted(digits):
    return net(8, max_iter=20).fit(digits[0])


def test_linear_layers_find_the_subspace_of_pca():
    """The best linear autoencoder is PCA (Baldi & Hornik 1989)."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 6))
    X = X + 0.1 * rng.normal(size=X.shape) + rng.normal(size=6)
    model = net(2, layers=[], optimizer="lbfgs", batch_size="auto", alpha=0.0)
    model.set_params(max_iter=500, tol=0.0).fit(X)
    pca = PCA(2).fit(X)
    expected = pca.inverse_transform(pca.transform(X))
    rebuilt = model.inverse_transform(model.transform(X))
    np.testing.assert_allclose(rebuilt, expected, atol=1e-3)
    errors = np.mean((X - expected) ** 2, axis=1)
    np.testing.assert_allclose(-model.score_samples(X), errors, atol=1e-4)


def test_better_than_pca(digits, fitted):
    X = digits[0]
    pca = PCA(8).fit(X)
    error = np.mean((X - pca.inverse_transform(pca.transform(X))) ** 2)
    assert -fitted.score(X) < 0.8 * error


def test_codes_and_samples(digits, fitted):
    X = digits[0]
    codes = fitted.transform(X)
    assert (codes.shape, codes.dtype) == ((600, 8), np.float32)
    rebuilt = fitted.inverse_transform(codes)
    assert (rebuilt.shape, rebuilt.dtype) == (X.shape, np.float32)
    np.testing.assert_allclose(
        rebuilt, fitted.network_.predict(X), rtol=1e-5, atol=1e-6
    )
    errors = np.mean((X - rebuilt).astype(float) ** 2, axis=1)
    np.testing.assert_allclose(fitted.score_samples(X), -errors, rtol=1e-5)
    assert fitted.score(X) == pytest.approx(-errors.mean(), rel=1e-5)
    weight = np.arange(600.0)
    expected = -np.average(errors, weights=weight)
    assert fitted.score(X, None, weight) == pytest.approx(expected, rel=1e-5)
    assert list(fitted.get_feature_names_out())[:2] == ["autoencoder0", "autoencoder1"]
    table = fitted.set_output(transform="pandas").transform(X[:3])
    fitted.set_output(transform="default")
    assert table.columns[-1] == "autoencoder7"
    few = fitted.inverse_transform(table)
    np.testing.assert_allclose(few, rebuilt[:3], rtol=1e-5, atol=1e-6)


def test_the_loss_is_summed_over_a_sample(digits):
    """Flat rows and pictures cost the same, and as much as ½Σe² says."""
    X = digits[0][:100].astype(float)
    flat = net(3, alpha=0.0).fit(X, X_val=X)
    pictures = net(3, alpha=0.0).fit(X.reshape(-1, 8, 8), X_val=X.reshape(-1, 8, 8, 1))
    np.testing.assert_allclose(flat.loss_curve_, pictures.loss_curve_, rtol=1e-10)
    assert flat.history_["val_loss"][-1] == pytest.approx(-32 * flat.score(X))
    assert flat.history_["val_score"][-1] == pytest.approx(flat.score(X))


def test_the_gradient_is_that_of_the_reconstruction(digits):
    X = digits[0][:20].astype(float)
    model = net(3, layers=[Dense(5), "tanh"], batch_size=20).initialize(X)
    objective = Objective(model.network_, model.loss_function_)
    theta = model.network_.params.vector + 0.1

    def value(at):
        rebuilt = objective.network.copy()
        rebuilt.params.vector[:] = at
        return 0.5 * np.mean(np.sum((rebuilt.predict(X) - X) ** 2, axis=1))

    batch = RowBatches(Data(X, X, None, X), 20, False, model._task.of_batch).whole()
    assert np.shares_memory(batch.y, X)  # no copy
    loss, gradient = objective.loss_and_gradient(theta, batch.X, batch.y)
    assert loss == pytest.approx(value(theta))
    check_gradient(value, theta, gradient)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_pictures_of_bytes(digits, loss, engine):
    """Scaled to [0, 1] batch by batch, rebuilt in their own shape and units."""
    X = (255 * digits[0]).astype(np.uint8).reshape(-1, 8, 8)
    with config_context(engine=engine):
        model = net(8, layers=PICTURES, loss=loss, optimizer=Adam(0.01), max_iter=20)
        model.fit(X)
    assert model.input_shape_ == (8, 8, 1)
    rebuilt = model.inverse_transform(model.transform(X))
    assert (rebuilt.shape, rebuilt.dtype) == (X.shape, np.float32)
    errors = np.mean((X.astype(float) - rebuilt) ** 2, axis=(1, 2))
    np.testing.assert_allclose(-model.score_samples(X), errors, rtol=1e-4)
    assert errors.mean() < 0.75 * 255**2 * digits[0].var(axis=0).mean()
    if loss == "binary_cross_entropy":
        assert rebuilt.min() >= 0
        assert rebuilt.max() <= 255
    flat = model.score_samples(X.reshape(len(X), -1))
    np.testing.assert_array_equal(flat, model.score_samples(X))


def test_the_start_is_the_mean(digits):
    """Before training the output is about the mean sample, also of bytes."""
    X = digits[0]
    model = net(2).initialize(X)
    bias = model.intercepts_[-1]
    np.testing.assert_allclose(bias, X.mean(axis=0), atol=1e-6)
    X = (255 * X).astype(np.uint8)
    model = net(2, loss="binary_cross_entropy").initialize(X)
    share = (X.sum(axis=0) / 255 + 1) / (len(X) + 2)
    np.testing.assert_allclose(
        1 / (1 + np.exp(-model.intercepts_[-1])), share, atol=1e-5
    )


def test_codes_of_any_shape(digits):
    X = digits[0].reshape(-1, 8, 8, 1)
    encoder = [Conv2D(3, 3, 2, "same"), "tanh"]
    model = net(None, layers=encoder).fit(X)
    assert model.code_shape_ == (4, 4, 3)
    codes = model.transform(X)
    assert codes.shape == (600, 48)
    assert len(model.get_feature_names_out()) == 48
    rebuilt = model.network_.predict(X).reshape(X.shape)
    np.testing.assert_allclose(model.inverse_transform(codes), rebuilt, atol=1e-6)


def test_a_decoder_of_ones_own(digits):
    X = digits[0].reshape(-1, 8, 8)
    encoder = [Flatten(), Dense(20), "relu"]
    decoder = [
        Dense(16),
        "relu",
        Reshape((4, 4, 1)),
        Upsample2D(2),
        Conv2D(1, padding=1),
    ]
    model = net(4, layers=encoder, decoder=decoder).fit(X)
    assert model.inverse_transform(np.zeros((2, 4))).shape == (2, 8, 8)
    assert model.n_encoder_layers_ == 4
    assert repr(clone(model)) == repr(model)
    model.set_params(layers__1__units=7, decoder__4__filters=1).fit(X)
    assert model.network_.params["1.W"].shape == (64, 7)


def test_flat_rows_as_pictures(digits):
    model = net(3, layers=PICTURES, input_shape=(8, 8)).fit(digits[0])
    assert model.input_shape_ == (8, 8, 1)
    assert model.inverse_transform(model.transform(digits[0])).shape == (600, 64)


# ---- noise


def test_denoising_keeps_the_targets_clean(digits):
    X = digits[0]
    noisy = X + 0.4 * np.random.default_rng(0).normal(size=X.shape).astype(np.float32)
    errors = {}
    for denoising in (None, 0.4):
        model = net(16, denoising=denoising, max_iter=25).fit(X)
        rebuilt = model.inverse_transform(model.transform(noisy))
        errors[denoising] = np.mean((rebuilt - X) ** 2)
    assert errors[0.4] < 0.8 * errors[None]
    assert errors[0.4] < 0.25 * np.mean((noisy - X) ** 2)


def test_noise_is_a_layer(digits):
    X = (255 * digits[0]).astype(np.uint8)
    model = net(3, denoising=0.2).fit(X)
    kinds = [type(layer) for layer in model.network_.layers[:3]]
    assert kinds == [Rescale, GaussianNoise, Dense]  # a share of the scaled numbers
    first = model.transform(X)
    np.testing.assert_array_equal(model.transform(X), first)  # not when predicting
    again = net(3, denoising=0.2).fit(X)
    np.testing.assert_array_equal(again.transform(X), first)
    dropped = net(3, denoising=Dropout(0.5)).fit(X)
    assert dropped.network_.layers[1].rate == 0.5
    named = net(3, denoising="gaussian_noise").fit(X)
    assert named.network_.layers[1].std == 0.1


# ---- as the other networks


def test_odd_samples_score_low(digits, fitted):
    X = digits[0]
    rng = np.random.default_rng(0)
    odd = rng.permuted(X[:100], axis=1)
    scores = fitted.score_samples(np.concatenate([X, odd]))
    assert roc_auc_score(np.r_[np.ones(600), np.zeros(100)], scores) > 0.99


def test_in_a_pipeline_and_a_grid(digits):
    X, y = digits
    pipeline = make_pipeline(net(8, max_iter=10), LogisticRegression(max_iter=500))
    assert pipeline.fit(X, y).score(X, y) > 0.8
    grid = {"n_components": [1, 8], "optimizer__learning_rate": [3e-3]}
    search = GridSearchCV(net(max_iter=5), grid, cv=2).fit(X[:200])
    assert search.best_params_["n_components"] == 8


def test_early_stopping_and_validation_data(digits):
    X = digits[0]
    model = net(4, max_iter=30, early_stopping=True, n_iter_no_change=2, tol=0.3)
    model.fit(X[:400], X_val=X[400:])
    assert model.n_iter_ < 30
    loss = -32 * model.score(X[400:])
    assert loss == pytest.approx(min(model.history_["val_loss"]), rel=1e-5)
    alone = (
        net(4, early_stopping=True)
        .set_params(max_iter=3, scoring=None, n_iter_no_change="never")
        .fit(X)
    )
    assert len(alone.validation_scores_) == 3


def test_partial_fit_and_warm_start(digits):
    X = digits[0]
    whole = net(3, max_iter=4, shuffle=False).fit(X)
    pieces, warm = net(3, shuffle=False), net(3, shuffle=False, warm_start=True)
    for _ in range(4):
        pieces.partial_fit(X)
    warm.set_params(max_iter=2).fit(X).fit(X)
    for other in (pieces, warm):
        np.testing.assert_array_equal(other.transform(X), whole.transform(X))
    back = pickle.loads(pickle.dumps(whole))
    np.testing.assert_array_equal(back.score_samples(X), whole.score_samples(X))


def test_weights_count_samples(digits):
    X = digits[0][:100].astype(float)
    weight = np.r_[np.zeros(50), np.full(50, 2.0)]
    settings = {"batch_size": "auto", "optimizer": "gd", "alpha": 0.0, "max_iter": 5}
    one = net(2, **settings).fit(X, None, weight)
    other = net(2, **settings).fit(X[50:])
    np.testing.assert_allclose(one.transform(X), other.transform(X), atol=1e-10)


# ---- bad input


WRONG = {
    "no layers": (net(None), "give layers, or a number of components"),
    "components": (net(0), "'n_components' parameter of Autoencoder"),
    "decoder": (
        net(2, decoder=[Dense(5)]),
        r"ends in samples of shape \(5,\), .* X have \(4,\): end it with Dense\(4",
    ),
    "shares": (
        net(2, loss="binary_cross_entropy"),
        r"compares numbers from 0 to 1, those of X reach from -\d",
    ),
    "classes": (net(2, loss="cross_entropy"), "is no loss for reconstructions|loss"),
    "noise": (net(2, denoising=-0.1), "'std' parameter of GaussianNoise"),
    "mirror": (
        net(2, layers=[MaxPool2D()], input_shape=(1, 4)),
        r"cannot be the mirror image of the encoder|does not fit",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings(case):
    X = make_blobs(60, 4, random_state=0)[0]
    model, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        clone(model).fit(X)


def test_noise_of_another_kind(digits):
    with pytest.raises(TypeError, match="denoising must be a standard deviation"):
        net(denoising=[0.1]).fit(digits[0])


def test_pictures_that_do_not_halve(digits):
    X = digits[0].reshape(-1, 8, 8)[:, :7]
    with pytest.raises(ValueError, match=r"7×8 pixels into 3×4, .* Give decoder="):
        net(layers=[MaxPool2D()]).fit(X)
    net(layers=[Conv2D(2, 3, 2, "same")], max_iter=1).fit(X)  # that undoes itself


def test_samples_of_another_shape(digits, fitted):
    X = digits[0]
    with pytest.raises(ValueError, match="flat rows of 64 features are expected"):
        fitted.transform(X.reshape(-1, 8, 8))
    with pytest.raises(ValueError, match=r"7 numbers in a row, the codes .* have 8"):
        fitted.inverse_transform(np.zeros((3, 7)))
    pictures = net(max_iter=1).fit(X.reshape(-1, 8, 8))
    before = pictures.score(X)
    with pytest.raises(ValueError, match=r"\(8, 7, 1\), but \(8, 8, 1\) is expected"):
        pictures.score_samples(X.reshape(-1, 8, 8)[:, :, :7])
    with pytest.raises(ValueError, match="NaN"):
        pictures.fit(np.full((5, 8, 8), np.nan))
    with pytest.raises(ValueError, match="is expected"):
        pictures.partial_fit(X.reshape(-1, 8, 8)[:, :, :7])
    assert pictures.score(X) == before  # nothing has changed
