"""Recurrent networks as estimators: sequences in, one answer out."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skdl import NetworkFeatures, RNNClassifier, RNNRegressor
from skdl.layers import GRU, LSTM, Embedding, PoolSteps, Residual
from skdl.networks import rnn_layers
from skdl.optimizers import SGD, Adam

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

FAST = {"hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0}
LEARNS = {
    "hidden_layer_sizes": 12,
    "optimizer": Adam(0.02),
    "batch_size": 20,
    "max_iter": 25,
    "n_iter_no_change": "never",
    "random_state": 0,
}


def weights(net):
    return net.network_.params.vector


@pytest.fixture(scope="module")
def waves():
    """Return 100 waves of 10 to 20 steps, their speeds, and which are fast."""
    rng = np.random.default_rng(0)
    speed = rng.uniform(0.3, 1.2, 100)
    starts = rng.uniform(0, 6, 100)
    X = [
        np.sin(at + v * np.arange(rng.integers(10, 21)))[:, None]
        for v, at in zip(speed, starts, strict=True)
    ]
    return X, speed, np.where(speed > 0.75, "fast", "slow")


# ---- what it learns


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"cell": "gru", "pooling": "max"},
        {"cell": "rnn", "pooling": "mean"},
        {"bidirectional": True, "dropout": 0.1},
    ],
    ids=str,
)
def test_it_learns_which_waves_are_fast(waves, settings):
    X, _, y = waves
    net = RNNClassifier(**LEARNS | settings).fit(X[:70], y[:70])
    assert net.score(X[70:], y[70:]) > 0.85
    assert net.classes_.tolist() == ["fast", "slow"]
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1.0)


def test_it_learns_the_speed_of_waves(waves):
    X, speed, _ = waves
    net = RNNRegressor(**LEARNS, cell="gru").fit(X[:70], speed[:70])
    assert net.score(X[70:], speed[70:]) > 0.8
    both = np.stack([speed, -speed], axis=1)
    assert RNNRegressor(**FAST).fit(X, both).predict(X).shape == (100, 2)


def test_it_learns_a_rule_of_symbols():
    rng = np.random.default_rng(0)
    X = ["".join(rng.choice(list("abcd"), rng.integers(3, 9))) for _ in range(200)]
    y = np.array(["ab" in word for word in X])
    net = RNNClassifier(**LEARNS, embedding=4, pooling="max", cell="rnn")
    assert net.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.95


def test_several_labels(waves):
    X, speed, _ = waves
    labels = np.stack([speed > 0.5, speed > 0.9], axis=1).astype(int)
    net = RNNClassifier(**LEARNS | {"max_iter": 60}, cell="gru").fit(X, labels)
    assert (net.predict(X) == labels).mean() > 0.85


# ---- layers


def test_layers_of_settings(waves):
    X, _, y = waves
    net = RNNClassifier(
        (5, 4), cell="gru", bidirectional=True, pooling="max", dropout=[0.1, 0.2],
        max_iter=1,
    ).fit(X, y)  # fmt: skip
    kinds = [type(layer).__name__ for layer in net.network_.layers]
    assert kinds == [
        "Bidirectional",
        "SpatialDropout",
        "Bidirectional",
        "PoolSteps",
        "Dropout",
        "Dense",
    ]
    assert net.network_.shapes[-2:] == [(8,), (1,)]


def test_layers_of_ones_own(waves):
    X, _, y = waves
    body = [LSTM(4), Residual([GRU(4)]), PoolSteps()]
    net = RNNClassifier(layers=body, max_iter=1, random_state=0).fit(X, y)
    assert net.network_.layers[1].layers[0].units == 4
    last = rnn_layers(4)
    ours = RNNClassifier(layers=last, max_iter=1, random_state=0).fit(X, y)
    theirs = RNNClassifier(4, max_iter=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(weights(ours), weights(theirs))


def test_an_embedding_among_ones_own_layers():
    X = [[0, 2, 1], [1, 1], [2], [0, 0, 1, 2]]
    net = RNNClassifier(layers=[Embedding(3, 4), LSTM(5, False)], max_iter=1)
    assert net.fit(X, [0, 1, 0, 1]).predict(X).shape == (4,)
    with pytest.raises(ValueError, match="whole numbers from 0 to 2, got 1 to 7"):
        net.predict([[1, 7]])


# ---- scikit-learn's tools


def test_cross_validation_and_grids_on_lists(waves):
    X, _, y = waves
    assert cross_val_score(RNNClassifier(**FAST), X, y, cv=2).shape == (2,)
    grid = {"cell": ["gru", "rnn"], "optimizer__learning_rate": [1e-5, 0.05]}
    search = GridSearchCV(RNNClassifier(**FAST), grid, cv=2).fit(X, y)
    assert search.best_params_["optimizer__learning_rate"] == 0.05
    assert search.predict(X[:3]).shape == (3,)


def test_sample_weights_are_repetitions(waves):
    X, speed, _ = waves
    weight = np.arange(12) % 3
    rows = np.repeat(np.arange(12), weight)
    settings = {**FAST, "hidden_layer_sizes": 3}
    net = RNNRegressor(**settings).fit(X[:12], speed[:12], weight)
    repeated = RNNRegressor(**settings).fit([X[i] for i in rows], speed[rows])
    np.testing.assert_allclose(weights(net), weights(repeated), rtol=1e-8)


def test_class_weights(waves):
    X, _, y = waves
    heavy = {"fast": 3.0, "slow": 1.0}
    net = RNNClassifier(**FAST, class_weight=heavy).fit(X, y)
    weighted = RNNClassifier(**FAST).fit(X, y, [heavy[label] for label in y])
    np.testing.assert_array_equal(weights(net), weights(weighted))


def test_going_on_is_one_run(waves):
    X, _, y = waves
    whole = RNNClassifier(**FAST, batch_size=30).fit(X, y)
    parts = RNNClassifier(**FAST, batch_size=30, warm_start=True)
    parts.set_params(max_iter=1).fit(X, y).set_params(max_iter=2).fit(X, y)
    np.testing.assert_array_equal(weights(parts), weights(whole))
    stream = RNNClassifier(**FAST, batch_size=30)
    for _ in range(3):
        stream.partial_fit(X, y, classes=["fast", "slow"])
    np.testing.assert_array_equal(weights(stream), weights(whole))


def test_early_stopping_with_validation_data(waves):
    X, _, y = waves
    net = RNNClassifier(**LEARNS | {"max_iter": 6}, early_stopping=True, scoring=None)
    net.fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    assert net.best_validation_score_ == net.score(X[60:], y[60:])
    split = RNNClassifier(**FAST, early_stopping=True).fit(X, y)
    assert len(split.history_["val_loss"]) == 3


def test_restarts_and_processes(waves):
    X, _, y = waves
    many = RNNClassifier(**FAST, n_init=3).fit(X, y)
    assert many.loss_ <= RNNClassifier(**FAST).fit(X, y).loss_
    copied = pickle.loads(pickle.dumps(many))
    np.testing.assert_array_equal(copied.predict_proba(X), many.predict_proba(X))
    np.testing.assert_array_equal(weights(clone(many).fit(X, y)), weights(many))


def test_callbacks_see_sequences(waves):
    X, _, y = waves
    monitor = ScoringMonitor(scoring="accuracy")
    RNNClassifier(**FAST).set_callbacks(monitor).fit(X, y)
    assert len(monitor.get_logs(select="all")) > 0


def test_clipped_gradients(waves):
    X, speed, _ = waves
    start = RNNRegressor(**FAST).initialize(X, speed)
    clipped = RNNRegressor(**FAST | {"max_iter": 1}, optimizer=SGD(1.0, clip_norm=1e-3))
    clipped.fit(X, speed)
    moved = np.linalg.norm(weights(clipped) - weights(start))
    assert moved == pytest.approx(1e-3, rel=1e-6)


def test_states_as_features(waves):
    X, _, y = waves
    net = RNNClassifier(**LEARNS, cell="gru")
    model = make_pipeline(NetworkFeatures(net), LogisticRegression()).fit(X, y)
    assert model[0].transform(X).shape == (100, 12)
    assert model.score(X, y) > 0.85


def test_the_number_of_steps_may_be_that_of_units_and_classes():
    X = np.random.default_rng(0).normal(size=(9, 3, 2))
    X[0, 2] = np.nan
    net = RNNClassifier(3, max_iter=2).fit(X, np.arange(9) % 3)
    assert net.predict_proba(X).shape == (9, 3)


def test_missing_symbols_behind_the_end_are_padding():
    rows = pd.DataFrame([["a", "b"], ["a", None], ["b", "a"], ["b", np.nan]])
    net = RNNClassifier(4, embedding=4, max_iter=2, random_state=0)
    net.fit(rows, [0, 1, 0, 1])
    same = clone(net).fit([["a", "b"], ["a"], ["b", "a"], ["b"]], [0, 1, 0, 1])
    np.testing.assert_array_equal(
        net.network_.params.vector, same.network_.params.vector
    )
    padded = net.predict_proba(rows[1:2])
    np.testing.assert_array_equal(padded, net.predict_proba([["a"]]))


def test_masked_ends_of_sequences_in_lists():
    whole = np.ma.array([3.0, 4.0, 5.0])
    short = np.ma.array([1.0, 2.0, 9.0], mask=[0, 0, 1])
    net = RNNClassifier(4, max_iter=2, random_state=0).fit(
        [short, whole] * 5, [0, 1] * 5
    )
    expected = net.predict_proba([[1.0, 2.0], [3.0, 4.0, 5.0]])
    np.testing.assert_array_equal(net.predict_proba([short, whole]), expected)
    with pytest.raises(ValueError, match="Sequence 1 has masked numbers between"):
        net.predict([whole, np.ma.array([1.0, 2.0, 9.0], mask=[0, 1, 0])])
