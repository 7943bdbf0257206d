"""Code as users write it: type checkers find nothing wrong with it.

``mypy tests/typed`` and ``pyright tests/typed`` check this file and its sibling.
"""

from __future__ import annotations

from typing import assert_type

import numpy as np

import skdl
from skdl import (
    AdaBoost,
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    MLPClassifier,
    MLPRegressor,
    NetworkFeatures,
)
from skdl._typing import Array
from skdl.callbacks import Checkpoint, EarlyStopping
from skdl.inspection import LossCurveDisplay, TreeDisplay, export_text
from skdl.layers import Dense, Dropout
from skdl.losses import Loss
from skdl.networks import Network
from skdl.optimizers import Adam
from skdl.schedules import Cosine

rng = np.random.default_rng(0)
X = rng.normal(size=(100, 4))
y = X[:, 0] + X[:, 1]
labels = np.where(y > 0, "yes", "no")


# ---- everything that returns the estimator returns its own type

net = MLPClassifier((16,), optimizer=Adam(Cosine(0.01)), early_stopping=True)
assert_type(net.set_params(alpha=0.1, optimizer__learning_rate=0.1), MLPClassifier)
assert_type(net.set_callbacks(EarlyStopping(), Checkpoint("net")), MLPClassifier)
assert_type(net.set_fit_request(sample_weight=True), MLPClassifier)
assert_type(net.set_score_request(sample_weight=True), MLPClassifier)
assert_type(net.fit(X, labels), MLPClassifier)
assert_type(net.fit(X, labels, X_val=X, y_val=labels), MLPClassifier)
assert_type(net.partial_fit(X, labels, classes=["no", "yes"]), MLPClassifier)
assert_type(net.initialize(X, labels).set_params().set_callbacks(), MLPClassifier)
assert_type(
    MLPRegressor(layers=[Dense(8), "relu", Dropout(0.1)]).fit(X, y), MLPRegressor
)
assert_type(
    GradientBoostingClassifier(max_depth=None).set_callbacks().fit(X, labels),
    GradientBoostingClassifier,
)
assert_type(
    GradientBoostingRegressor(loss="quantile", learning_rate="inverse").fit(X, y),
    GradientBoostingRegressor,
)
assert_type(AdaBoostClassifier().set_params(max_depth=2).fit(X, y), AdaBoostClassifier)
assert_type(AdaBoost(n_estimators=5).fit(X, labels), AdaBoostClassifier)
assert_type(AdaBoostRegressor().fit(X, y, sample_weight=None), AdaBoostRegressor)
assert_type(NetworkFeatures(net, layer=-2).fit(X, labels), NetworkFeatures)
assert_type(Adam().set_params(learning_rate=0.1), Adam)
assert_type(Cosine(0.1).set_params(initial=0.2), Cosine)


# ---- what fit leaves, and what predictions are


class Named(MLPRegressor):
    """A subclass keeps its type."""

    def named(self) -> str:
        return "named"


assert_type(Named().fit(X, y).named(), str)
assert_type(net.history_["val_loss"][-1], float)
assert_type(net.loss_curve_, list[float])
assert_type(net.coefs_, list[Array])
assert_type(net.network_, Network)
assert_type(net.n_iter_ + net.best_epoch_ + net.t_ + net.n_layers_, int)
assert_type(net.loss_function_, Loss)
assert_type(net.classes_, Array)
assert_type(net.predict_proba(X), Array)
assert_type(net.score(X, labels), float)

booster = GradientBoostingRegressor().fit(X, y)
assert_type(booster.history_, dict[str, list[float]])
assert_type(booster.n_estimators_ + booster.max_features_, int)
assert_type(booster.feature_importances_, Array)
assert_type(booster.train_score_, Array)
for stage in booster.staged_predict(X):
    assert_type(stage, Array)
votes = AdaBoostClassifier().fit(X, labels)
assert_type(votes.estimator_weights_, Array)
assert_type(votes.training_error_bound_, Array)
assert_type(votes.n_classes_, int)
assert_type(NetworkFeatures(net).fit(X, labels).get_feature_names_out(), Array)


# ---- tools

with skdl.config_context(engine="numpy"):
    text = export_text(booster, 0, decimals=2)
assert_type(text, str)
assert_type(LossCurveDisplay.from_estimator([net, booster]), LossCurveDisplay)
assert_type(TreeDisplay.from_estimator(booster).plot(), TreeDisplay)
