"""Fits that cannot end well say so, and leave no trace."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_hastie_10_2

from skdl import GradientBoostingClassifier, config_context

ENGINES = ["numpy", "numba"]
XI, YI = load_iris(return_X_y=True)


# ---- steps that are too long

TOO_LONG = {
    "two classes": (make_hastie_10_2(1000, random_state=0), {}),
    "three classes": ((XI, YI), {}),
    "weights": ((XI, YI), {"class_weight": {0: 1e-6, 1: 2e-6, 2: 1e-6}}),
    "some rows": ((XI, YI), {"subsample": 0.7, "random_state": 0}),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", TOO_LONG)
def test_newton_steps_that_are_too_long(case, engine):
    data, settings = TOO_LONG[case]
    model = GradientBoostingClassifier(learning_rate=4.0, **settings)
    with (
        config_context(engine=engine),
        pytest.raises(ValueError, match=r"steps are too long.* learning_rate"),
    ):
        model.fit(*data)
    assert not hasattr(model, "ensemble_")


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_that_are_all_right_are_no_failure(engine):
    X = np.arange(40.0)[:, None]
    y = X[:, 0] > 9
    model = GradientBoostingClassifier(learning_rate=1.0, n_estimators=400)
    with config_context(engine=engine):
        model.fit(X, y)  # Hessians vanish, but so do the gradients
    assert model.score(X, y) == 1.0
    assert model.train_score_[-1] < 1e-4
    assert model.estimators_[-1][0].n_leaves == 1
