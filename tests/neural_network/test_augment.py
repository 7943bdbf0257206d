"""Augmentation in training: at random, reproducible, in training alone."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skdl import CNNClassifier, CNNRegressor
from skdl.augment import Cutout, Mixup, Rotate, Shift, Transform
from skdl.callbacks import Checkpoint
from skdl.losses import CrossEntropy

FAST = {
    "width": 0.25,
    "max_iter": 3,
    "batch_size": 64,
    "random_state": 0,
    "n_iter_no_change": "never",
}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300].reshape(-1, 8, 8).astype(np.uint8), y[:300]


def weights(net):
    return net.network_.params.vector


def test_the_same_seed_gives_the_same_bits(digits):
    augment = [Shift(1), "rotate", Cutout(2), Mixup()]
    nets = [CNNClassifier(**FAST, augment=augment).fit(*digits) for _ in range(2)]
    np.testing.assert_array_equal(weights(nets[0]), weights(nets[1]))
    plain = CNNClassifier(**FAST).fit(*digits)
    assert np.abs(weights(plain) - weights(nets[0])).max() > 0


def test_restarts_do_not_depend_on_processes(digits):
    nets = [
        CNNClassifier(**FAST, augment=["shift"], n_init=2, n_jobs=jobs).fit(*digits)
        for jobs in (1, 2)
    ]
    np.testing.assert_array_equal(weights(nets[0]), weights(nets[1]))


def test_a_resumed_run_draws_the_same(digits, tmp_path):
    settings = {**FAST, "augment": ["shift", "mixup"]}
    whole = CNNClassifier(**{**settings, "max_iter": 4}).fit(*digits)
    path = tmp_path / "run.pkl"
    first = CNNClassifier(**{**settings, "max_iter": 2})
    first.set_callbacks(Checkpoint(path)).fit(*digits)
    second = CNNClassifier(**{**settings, "max_iter": 4})
    second.set_callbacks(Checkpoint(path, resume=True)).fit(*digits)
    np.testing.assert_array_equal(weights(whole), weights(second))


class Seen(Transform):
    """Keeps what goes through."""

    batches = []

    def pictures(self, x, rng, empty=np.empty):
        type(self).batches.append((x.dtype, x.copy()))
        return x


def test_training_alone_in_bytes_and_in_order(digits):
    X, y = digits
    Seen.batches = []
    net = CNNClassifier(**FAST, augment=[Shift(1), Seen()])
    net.fit(X, y, X_val=X, y_val=y)
    n = len(Seen.batches)
    assert n == 3 * -(-300 // 64)
    assert {dtype for dtype, _ in Seen.batches} == {np.dtype(np.uint8)}
    originals = {picture.tobytes() for picture in X}
    share = np.mean([p.tobytes() in originals for _, b in Seen.batches for p in b])
    assert share < 0.5  # most have moved
    net.predict(X)
    net.score(X, y)
    assert len(Seen.batches) == n
    loss = net.loss_function_(y, net.network_.predict(X[..., None]))
    np.testing.assert_allclose(net.history_["val_loss"][-1], loss, rtol=1e-5)


def test_the_users_pictures_are_not_changed(digits):
    X, y = digits
    before = X.copy()
    settings = {**FAST, "shuffle": False, "batch_size": 300}
    CNNClassifier(**settings, augment=["flip", "cutout", "brightness"]).fit(X, y)
    np.testing.assert_array_equal(X, before)


def test_shifted_pictures_need_shifts():
    X, y = load_digits(return_X_y=True)
    X = np.pad(X.reshape(-1, 8, 8), ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
    rng = np.random.default_rng(0)
    moved = np.stack([np.roll(x, rng.integers(-2, 3, 2), axis=(0, 1)) for x in X])
    settings = {"batch_size": 32, "max_iter": 8, "random_state": 0, "width": 0.5}
    settings["n_iter_no_change"] = "never"
    scores = [
        CNNClassifier(augment=augment, **settings)
        .fit(X[:900], y[:900])
        .score(moved[900:], y[900:])
        for augment in (None, [Shift(2)])
    ]
    assert scores[1] > scores[0] + 0.1


def test_mixup_of_classes_labels_and_numbers(digits):
    X, y = digits
    settings = {**FAST, "max_iter": 25, "width": 1.0, "augment": [Mixup(0.2)]}
    assert CNNClassifier(**settings).fit(X, y).score(X, y) > 0.95
    two = y % 2
    assert CNNClassifier(**settings).fit(X, two).score(X, two) > 0.95
    labels = np.stack([y % 2, y > 4], axis=1).astype(int)
    assert CNNClassifier(**settings).fit(X, labels).score(X, labels) > 0.85
    assert CNNRegressor(**settings).fit(X, y * 1.0).score(X, y) > 0.6
    weight = np.random.default_rng(0).random(300)
    net = CNNClassifier(**settings, loss=CrossEntropy(label_smoothing=0.1))
    assert net.fit(X, y, weight).score(X, y) > 0.95


def test_mixup_needs_a_loss_that_takes_shares(digits):
    X, y = digits
    net = CNNClassifier(**FAST, loss="exponential", augment=["mixup"])
    with pytest.raises(ValueError, match=r"shares of classes.*Exponential"):
        net.fit(X, y % 2)


def test_grids_see_the_transforms(digits):
    grid = {"augment__0__largest": [0, 1], "augment__1": [Rotate(5), "cutout"]}
    net = CNNClassifier(**FAST, augment=["shift", "rotate"])
    search = GridSearchCV(net, grid, cv=2).fit(*digits)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_estimator_.augment[0].largest in (0, 1)


def test_partial_fit_augments(digits):
    X, y = digits
    net = CNNClassifier(**FAST, augment=["shift"]).partial_fit(X, y)
    plain = CNNClassifier(**FAST).partial_fit(X, y)
    assert np.abs(weights(net) - weights(plain)).max() > 0


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ([Shift(-1)], "'largest' parameter of Shift"),
        (["blur"], "Unknown transform 'blur'"),
        ("flip", "must come in a list"),
        ([3], "transform must be one of the names"),
    ],
)
def test_wrong_transforms(digits, augment, message):
    with pytest.raises((ValueError, TypeError), match=message):
        CNNClassifier(**FAST, augment=augment).fit(*digits)


def test_optimizers_that_need_the_same_loss_at_every_call(digits):
    net = CNNClassifier(augment=["shift"], optimizer="lbfgs", max_iter=2)
    with pytest.raises(ValueError, match="LBFGS needs the same loss"):
        net.fit(*digits)
