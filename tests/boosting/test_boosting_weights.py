"""Weights in leaf values, in validation scores and in the least Hessian."""

import numpy as np
import pytest
from boosters import XB, YB, X, Y
from sklearn.metrics import r2_score

from skdl import GradientBoostingClassifier, GradientBoostingRegressor, losses

COUNTS = np.random.default_rng(0).integers(1, 6, size=len(Y))
SEARCHED = [
    "absolute_error",
    losses.Huber(20.0),
    losses.Huber(100.0),
    losses.Quantile(0.2),
    losses.Quantile([0.3, 0.9]),
]


@pytest.mark.parametrize("loss", SEARCHED, ids=str)
def test_a_weight_in_a_leaf_is_as_good_as_copies(loss):
    loss = losses.get(loss)
    k = loss.n_raw_for_targets(1)
    y, raw = Y[:60, None], np.tile(Y[60:120, None], k) / 2
    counts = COUNTS[:60]
    value = loss.leaf_value(y, raw, counts.astype(float))
    copies = loss.leaf_value(y.repeat(counts, axis=0), raw.repeat(counts, axis=0))
    np.testing.assert_allclose(value, copies)
    assert not np.allclose(value, loss.leaf_value(y, raw))


@pytest.mark.parametrize("cst", [None, [0, 0, 1, 1, 0, 0, 0, 0, 1, 0]])
@pytest.mark.parametrize("loss", SEARCHED, ids=str)
def test_weights_are_as_good_as_copies(loss, cst):
    settings = {"loss": loss, "n_estimators": 6, "max_depth": 2, "monotonic_cst": cst}
    weighted = GradientBoostingRegressor(**settings).fit(X, Y, COUNTS)
    copies = GradientBoostingRegressor(**settings)
    copies.fit(X.repeat(COUNTS, axis=0), Y.repeat(COUNTS))
    np.testing.assert_allclose(weighted.predict(X), copies.predict(X), rtol=1e-6)
    plain = GradientBoostingRegressor(**settings).fit(X, Y)
    assert not np.allclose(weighted.predict(X), plain.predict(X), rtol=1e-3)


def test_a_validation_score_has_weights():
    weight = np.linspace(0.1, 5.0, 142)
    model = GradientBoostingRegressor(n_estimators=6, scoring="r2")
    model.fit(X[:300], Y[:300], X_val=X[300:], y_val=Y[300:], sample_weight_val=weight)
    stages = list(model.staged_predict(X[300:]))
    scores = [r2_score(Y[300:], p, sample_weight=weight) for p in stages]
    np.testing.assert_allclose(model.history_["val_score"], scores)
    plain = [r2_score(Y[300:], p) for p in stages]
    assert np.abs(np.subtract(scores, plain)).max() > 1e-3
    mean_loss = [np.average((Y[300:] - p) ** 2, weights=weight) / 2 for p in stages]
    np.testing.assert_allclose(model.history_["val_loss"], mean_loss)


@pytest.mark.parametrize(("weight", "least"), [(2.0**-7, 4.0), (1.0, 4.0), (4.0, 1.0)])
def test_the_least_hessian_counts_weights_up_to_a_mean_of_one(weight, least):
    settings = {"n_estimators": 5, "max_depth": None}
    weighted = GradientBoostingClassifier(min_child_weight=4.0, **settings)
    weighted.fit(XB, YB, np.full(len(YB), weight))
    # All weights alike are no weights, but above 1 a leaf reaches its Hessian sooner.
    plain = GradientBoostingClassifier(min_child_weight=least, **settings).fit(XB, YB)
    np.testing.assert_allclose(weighted.predict_proba(XB), plain.predict_proba(XB))
    leaves = [tree.n_leaves for (tree,) in weighted.estimators_]
    assert leaves == [tree.n_leaves for (tree,) in plain.estimators_]


@pytest.mark.parametrize("held_out", [True, False])
def test_weights_of_classes_are_those_of_rows_held_out_and_not_of_others(held_out):
    seen = []

    def scorer(estimator, X, y, sample_weight=None):
        seen.append((y, sample_weight))
        return 0.0

    model = GradientBoostingClassifier(
        n_estimators=1, n_iter_no_change=3, class_weight={0: 9.0}, scoring=scorer
    )
    model.fit(XB, YB, **({} if held_out else {"X_val": XB, "y_val": YB}))
    y, weight = seen[-1]
    if held_out:
        np.testing.assert_array_equal(weight, np.where(y == 0, 9.0, 1.0))
    else:
        assert weight is None
