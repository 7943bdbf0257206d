"""Validation data, the metric that is followed, and the weights that are kept."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, f1_score, log_loss, r2_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


@pytest.fixture(scope="module")
def noisy(digits):
    """Return few training rows with wrong labels among them: nets overfit here."""
    X, y = digits
    y = y.copy()
    rng = np.random.default_rng(0)
    wrong = rng.random(len(y)) < 0.2
    y[wrong] = rng.integers(0, 10, wrong.sum())
    return train_test_split(X, y, test_size=0.5, random_state=0)


def made(cls=MLPClassifier, **settings):
    settings = {"max_iter": 60, "n_iter_no_change": 5, "random_state": 0, **settings}
    net = cls((50,), alpha=0.0, batch_size=30, **settings)
    return net.set_params(optimizer__learning_rate=0.01)


# scoring -> the metric by hand
METRICS = {
    "accuracy by default": (None, lambda net, X, y: accuracy_score(y, net.predict(X))),
    "f1": (
        "f1_macro",
        lambda net, X, y: f1_score(y, net.predict(X), average="macro"),
    ),
    "probabilities": (
        "neg_log_loss",
        lambda net, X, y: -log_loss(y, net.predict_proba(X)),
    ),
    "a function": (
        lambda net, X, y: net.predict_proba(X).max(),
        lambda net, X, y: net.predict_proba(X).max(),
    ),
}


@pytest.mark.parametrize("case", METRICS)
def test_the_best_weights_are_kept(noisy, case):
    X, X_val, y, y_val = noisy
    scoring, metric = METRICS[case]
    net = made(early_stopping=True, scoring=scoring)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    scores = net.history_["val_score"]
    assert len(scores) == net.n_iter_
    assert net.best_validation_score_ == max(scores)
    assert net.best_epoch_ == int(np.argmax(scores)) + 1
    assert net.validation_scores_ is scores
    # The weights are those of the best epoch: they score as it did.
    assert metric(net, X_val, y_val) == pytest.approx(max(scores), abs=1e-7)


def test_by_the_loss(noisy):
    X, X_val, y, y_val = noisy
    net = made(early_stopping=True)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    losses = net.history_["val_loss"]
    assert net.n_iter_ < 60
    assert net.best_epoch_ == int(np.argmin(losses)) + 1 < net.n_iter_
    assert log_loss(y_val, net.predict_proba(X_val)) == pytest.approx(
        min(losses), rel=1e-5
    )
    assert net.validation_scores_ is net.history_["val_score"]
    assert net.best_validation_score_ == max(net.validation_scores_)
    kept = net.validation_scores_[net.best_epoch_ - 1]
    assert accuracy_score(y_val, net.predict(X_val)) == pytest.approx(kept)


@pytest.mark.parametrize("kind", ["regression", "multioutput", "binary", "multilabel"])
def test_other_targets(problems, kind):
    X, y = problems[kind]
    cls = MLPRegressor if kind in ("regression", "multioutput") else MLPClassifier
    score = r2_score if cls is MLPRegressor else accuracy_score
    X, X_val, y, y_val = train_test_split(X, y, random_state=0)
    net = made(cls, early_stopping=True, scoring=None)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert score(y_val, net.predict(X_val)) == pytest.approx(
        max(net.history_["val_score"]), abs=1e-9
    )


def test_when_it_stops(noisy):
    X, X_val, y, y_val = noisy
    net = made(early_stopping=True, tol=0.01, scoring=None).fit(
        X, y, X_val=X_val, y_val=y_val
    )
    scores = np.array(net.history_["val_score"])
    assert net.n_iter_ < 60
    best_before = np.maximum.accumulate(np.r_[-np.inf, scores[:-1]])
    last_gain = np.flatnonzero(scores - best_before >= 0.01)[-1]
    assert len(scores) - 1 - last_gain == net.n_iter_no_change + 1


def test_without_early_stopping_validation_data_only_inform(noisy):
    X, X_val, y, y_val = noisy
    informed = made(max_iter=8).fit(X, y, X_val=X_val, y_val=y_val)
    plain = made(max_iter=8).fit(X, y)
    np.testing.assert_array_equal(
        informed.network_.params.vector, plain.network_.params.vector
    )
    assert set(plain.history_) == {"loss", "learning_rate"}
    assert set(informed.history_) == {"loss", "learning_rate", "val_loss", "val_score"}
    assert {len(values) for values in informed.history_.values()} == {8}
    assert informed.best_epoch_ == int(np.argmin(informed.loss_curve_)) + 1
    assert informed.validation_scores_[-1] == pytest.approx(
        informed.score(X_val, y_val)
    )


def test_the_split(digits):
    X, y = digits
    settings = {"max_iter": 3, "early_stopping": True, "validation_fraction": 0.25}
    net = made(**settings).fit(X, y)
    assert net.t_ == 3 * 450
    seed = int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
    train, test = train_test_split(
        np.arange(600), test_size=0.25, random_state=seed, stratify=y
    )
    given = made(max_iter=3, early_stopping=True)
    given.fit(X[train], y[train], X_val=X[test], y_val=y[test])
    np.testing.assert_array_equal(
        net.network_.params.vector, given.network_.params.vector
    )
    assert net.history_ == given.history_
    counts = np.bincount(y[test]) / np.bincount(y)
    np.testing.assert_allclose(counts, 0.25, atol=0.02)  # stratified


def test_given_validation_data_are_not_taken_from_the_training_data(digits):
    X, y = digits
    net = made(max_iter=3, early_stopping=True).fit(X, y, X_val=X[:20], y_val=y[:20])
    assert net.t_ == 3 * 600


def test_early_stopping_beats_training_to_the_end(noisy):
    X, X_val, y, y_val = noisy
    stopped = made(early_stopping=True, scoring="loss")
    stopped.fit(X, y, X_val=X_val, y_val=y_val)
    full = made(n_iter_no_change="never").fit(X, y)
    losses = [log_loss(y_val, net.predict_proba(X_val)) for net in (stopped, full)]
    assert losses[0] < 0.8 * losses[1]


def test_never_keeps_the_best_all_the_same(noisy):
    X, X_val, y, y_val = noisy
    net = made(early_stopping=True, n_iter_no_change="never", scoring="loss")
    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert net.n_iter_ == 60
    assert net.best_epoch_ < 60
    assert log_loss(y_val, net.predict_proba(X_val)) == pytest.approx(
        min(net.history_["val_loss"]), rel=1e-5
    )


def test_batch_norm_statistics_come_back_too(noisy):
    X, X_val, y, y_val = noisy
    net = made(early_stopping=True, scoring="loss", batch_norm=True)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    assert net.best_epoch_ < net.n_iter_
    assert log_loss(y_val, net.predict_proba(X_val)) == pytest.approx(
        min(net.history_["val_loss"]), rel=1e-5
    )


# ---- partial_fit


def test_partial_fit_waits_stops_and_keeps_the_best(noisy):
    X, X_val, y, y_val = noisy
    validation = {"X_val": X_val, "y_val": y_val}
    net = made(early_stopping=True, scoring="loss")

    def run(n_epochs):
        for _ in range(n_epochs):
            net.partial_fit(X, y, **validation)

    with pytest.warns(ConvergenceWarning, match="partial_fit stopped early") as caught:
        run(80)
    assert len(caught) == 1  # once
    losses = net.history_["val_loss"]
    assert net.n_iter_ == len(losses) < 80
    assert net.best_epoch_ == int(np.argmin(losses)) + 1 < net.n_iter_
    assert log_loss(y_val, net.predict_proba(X_val)) == pytest.approx(
        min(losses), rel=1e-5
    )
    before = net.network_.params.vector.copy()
    net.partial_fit(X, y, **validation)
    np.testing.assert_array_equal(net.network_.params.vector, before)


def test_partial_fit_with_early_stopping_is_fit(noisy):
    X, X_val, y, y_val = noisy
    validation = {"X_val": X_val, "y_val": y_val}
    fitted = made(early_stopping=True, scoring="loss").fit(X, y, **validation)
    net = made(early_stopping=True, scoring="loss")
    for _ in range(fitted.n_iter_ - 1):
        net.partial_fit(X, y, **validation)
    with pytest.warns(ConvergenceWarning, match="partial_fit stopped early"):
        net.partial_fit(X, y, **validation)
    assert net.history_ == fitted.history_
    np.testing.assert_array_equal(
        net.network_.params.vector, fitted.network_.params.vector
    )


def test_partial_fit_goes_on_after_a_fit_that_stopped_early(noisy):
    X, X_val, y, y_val = noisy
    validation = {"X_val": X_val, "y_val": y_val}
    net = made(early_stopping=True).fit(X, y, **validation)
    n_iter, before = net.n_iter_, net.network_.params.vector.copy()
    net.partial_fit(X, y, **validation)
    assert net.n_iter_ == n_iter + 1
    assert (net.network_.params.vector != before).any()


def test_partial_fit_checks_its_input_also_when_it_has_stopped(noisy):
    X, X_val, y, y_val = noisy
    net = made(early_stopping=True, n_iter_no_change=1, tol=10.0)
    for _ in range(2):
        net.partial_fit(X, y, X_val=X_val, y_val=y_val)
    with pytest.warns(ConvergenceWarning, match="partial_fit stopped early"):
        net.partial_fit(X, y, X_val=X_val, y_val=y_val)
    assert net.n_iter_ == 3
    with pytest.raises(ValueError, match="contains NaN"):
        net.partial_fit(X * np.nan, y, X_val=X_val, y_val=y_val)
    net.set_params(early_stopping=False).partial_fit(X, y)
    assert net.n_iter_ == 4


def test_partial_fit_needs_validation_data_to_stop_early(iris):
    with pytest.raises(ValueError, match="under partial_fit needs validation data"):
        made(early_stopping=True).partial_fit(*iris)
    made().partial_fit(*iris)


def test_partial_fit_notes_validation_scores_without_early_stopping(noisy):
    X, X_val, y, y_val = noisy
    net = made()
    for _ in range(3):
        net.partial_fit(X, y, X_val=X_val, y_val=y_val)
    assert len(net.history_["val_score"]) == 3
    assert net.validation_scores_[-1] == pytest.approx(net.score(X_val, y_val))


# ---- through a Pipeline


def test_routing_through_a_pipeline_and_a_grid(noisy):
    X, X_val, y, y_val = noisy
    steps = [
        ("scale", StandardScaler()),
        ("net", made(max_iter=6, early_stopping=True)),
    ]
    with config_context(enable_metadata_routing=True):
        model = Pipeline(steps, transform_input=["X_val"])
        model.fit(X, y, X_val=X_val, y_val=y_val)
        scaler = StandardScaler().fit(X)
        direct = made(max_iter=6, early_stopping=True)
        direct.fit(scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val)
        assert model["net"].history_ == direct.history_

        search = GridSearchCV(model, {"net__alpha": [0.0, 1.0]}, cv=2)
        search.fit(X, y, X_val=X_val, y_val=y_val)
        best = search.best_estimator_["net"]
        assert len(best.history_["val_score"]) == best.n_iter_


# ---- what cannot be

WRONG = {
    "X_val alone": ({"X_val": np.ones((5, 4))}, "X_val was given without y_val"),
    "y_val alone": ({"y_val": np.ones(5)}, "y_val was given without X_val"),
    "weights alone": ({"sample_weight_val": np.ones(5)}, "without X_val and y_val"),
    "other width": (
        {"X_val": np.ones((3, 5)), "y_val": [0, 1, 2]},
        "X has 5 features, but MLPClassifier is expecting 4",
    ),
    "other length": ({"X_val": np.ones((3, 4)), "y_val": [0, 1]}, "inconsistent"),
    "NaN": ({"X_val": np.full((3, 4), np.nan), "y_val": [0, 1, 2]}, "contains NaN"),
    "unknown class": ({"X_val": np.ones((3, 4)), "y_val": [0, 1, 9]}, r"labels \[9\]"),
    "weights that are zero": (
        {
            "X_val": np.ones((2, 4)),
            "y_val": [0, 1],
            "sample_weight_val": [0.0, 0.0],
        },
        "at least one non-zero",
    ),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("case", WRONG)
def test_wrong_validation_data(iris, case, method):
    arguments, message = WRONG[case]
    net = made()
    with pytest.raises(ValueError, match=message):
        getattr(net, method)(*iris, **arguments)


@pytest.mark.parametrize(
    ("cls", "y", "message"),
    [
        (MLPClassifier, [0, 1, 0, 1], "cannot split 4 samples with"),
        (MLPClassifier, [0] * 8, "split 8 samples into 7 for training and 1 for"),
        (MLPRegressor, np.arange(10.0), "split 10 samples into 9 for training and 1"),
        (MLPClassifier, [0] * 30 + [1], "least populated class"),
    ],
)
def test_too_little_to_split(cls, y, message):
    X = np.random.default_rng(0).normal(size=(len(y), 2))
    with pytest.raises(ValueError, match=message):
        made(cls, early_stopping=True).fit(X, y)


def test_a_part_without_weight(iris):
    X, y = iris
    weight = np.zeros(150)
    weight[0] = 1.0  # in one part only
    with pytest.raises(ValueError, match="too small or has no weight"):
        made(early_stopping=True).fit(X, y, weight)


def test_a_scorer_does_not_miss_the_names_of_features(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    net = made(early_stopping=True, scoring="f1_macro").fit(frame, y)  # no warning
    assert net.history_["val_score"] == clone(net).fit(X, y).history_["val_score"]


def test_an_unknown_metric(iris):
    net = made(early_stopping=True, scoring="f1_makro")
    with pytest.raises(ValueError, match="'f1_makro' is not a valid scoring value"):
        net.fit(*iris)


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_the_loss_is_followed_unless_told_otherwise(problems, cls):
    """Few rows: the score stands still, or jumps, while the loss falls."""
    X, y = problems["multiclass" if cls is MLPClassifier else "regression"]
    settings = {"early_stopping": True, "max_iter": 30}
    by_default = made(cls, **settings).fit(X, y)
    by_loss = made(cls, scoring="loss", **settings).fit(X, y)
    assert by_default.history_ == by_loss.history_
    losses = by_default.history_["val_loss"]
    assert by_default.best_epoch_ == int(np.argmin(losses)) + 1


def test_default_early_stopping_does_not_stop_in_the_first_epochs():
    """Three varieties of wine, 16 rows to validate with: a score of few values."""
    X, y = load_wine(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.3, stratify=y, random_state=0
    )
    scale = StandardScaler().fit(X)
    scores = []
    for seed in range(5):
        net = MLPClassifier(early_stopping=True, random_state=seed)
        scores.append(
            net.fit(scale.transform(X), y).score(scale.transform(X_test), y_test)
        )
    assert np.mean(scores) > 0.96
