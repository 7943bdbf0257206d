"""Mistakes that a type checker has to find.

Each line says so to mypy and to pyright; one that is found no more is an error, since
then there is nothing to ignore.
"""

from __future__ import annotations

import numpy as np

from skdl import (
    AdaBoostRegressor,
    GradientBoostingClassifier,
    MLPClassifier,
    NetworkFeatures,
)
from skdl.callbacks import EarlyStopping

X, y = np.ones((4, 2)), np.arange(4)
net, booster = MLPClassifier(), GradientBoostingClassifier()

net.fit(X, y).no_such_method()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
net.set_params(alpha=1.0).fitt(X, y)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
net.set_callbacks().predict_probs(X)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
net.histori_  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
net.history_["loss"].sum()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
net.fit(X)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
net.fit(X, y, None, X, y)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
net.fit(X, y, x_val=X)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
booster.fit(X, y).partial_fit(X, y)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
booster.decision_functions(X)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
AdaBoostRegressor().fit(X, y).history_  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
NetworkFeatures(net).predict(X)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
MLPClassifier((8,), max_iter="many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
MLPClassifier((8,), hidden=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
EarlyStopping(patient=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
