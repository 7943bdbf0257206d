"""What a round answers, whichever learners it holds."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from skdl import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = np.c_[X[:, 0] * 2 + X[:, 1], X[:, 1] - X[:, 2]]
SKLEARN = DecisionTreeRegressor(max_depth=2)


def rounds_of(**settings):
    model = GradientBoostingRegressor(n_estimators=3, random_state=0, **settings)
    return model.fit(X, Y).ensemble_.rounds


@pytest.mark.parametrize(
    ("settings", "shared", "columns", "n_trees"),
    [
        ({}, False, [0, 1], 2),
        ({"shared_trees": True}, True, [-1], 1),
        ({"estimator": SKLEARN}, False, [], 0),
    ],
    ids=["trees", "shared", "estimators"],
)
def test_what_a_round_answers(settings, shared, columns, n_trees):
    for row in rounds_of(**settings):
        assert row.shared == shared
        assert list(row.columns) == columns
        assert len(row.trees) == n_trees
        assert row.values(X).shape == (120, 2)
        leaves = [tree.n_leaves for tree in row.trees]
        assert row.sizes() == ({"leaves": sum(leaves)} if n_trees else {})


def test_values_of_outputs_are_those_of_their_learners():
    for row in rounds_of(estimator=SKLEARN):
        for j, learner in enumerate(row.learners):
            np.testing.assert_array_equal(row.values(X)[:, j], learner.predict(X))
    (shared, *_), (apart, *_) = rounds_of(shared_trees=True), rounds_of()
    values = shared.trees[0].value[shared.trees[0].left < 0]
    found = np.unique(shared.values(X), axis=0)
    np.testing.assert_array_equal(found, np.unique(values, axis=0))
    for j, tree in enumerate(apart.trees):
        assert set(apart.values(X)[:, j]) <= set(tree.value[tree.left < 0, 0])


def test_importances_of_trees_are_those_of_their_splits():
    for row in rounds_of():
        for kind in ("gain", "split"):
            for tree, found in zip(row.trees, row.importances(4, kind), strict=True):
                expected = np.zeros(4)
                for f, gain in zip(tree.feature, tree.gain, strict=True):
                    if f >= 0:
                        expected[f] += gain if kind == "gain" else 1
                np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    "make", [GradientBoostingRegressor, AdaBoostRegressor], ids=["gradient", "ada"]
)
def test_importances_of_other_learners(make):
    model = make(estimator=SKLEARN, n_estimators=4, random_state=0)
    model.fit(X, X.sum(axis=1))
    learners = np.ravel(np.array(model.estimators_, dtype=object))
    weights = getattr(model, "estimator_weights_", np.ones(4))
    parts = [learner.feature_importances_ for learner in learners]
    expected = np.average(parts, axis=0, weights=weights)
    if make is AdaBoostRegressor:  # which the weights matter to
        assert np.abs(expected - np.mean(parts, axis=0)).max() > 1e-3
    np.testing.assert_allclose(model.feature_importances_, expected, rtol=1e-12)
    silent = make(estimator=LinearRegression(), n_estimators=2).fit(X, Y[:, 0])
    with pytest.raises(AttributeError, match="LinearRegression has no feature_imp"):
        _ = silent.feature_importances_


def test_a_model_that_changed_its_learners():
    """Rounds of trees, then of somebody's regressors."""
    model = GradientBoostingRegressor(n_estimators=3, warm_start=True).fit(X, Y)
    model.set_params(estimator=SKLEARN, n_estimators=5).fit(X, Y)
    assert not model.ensemble_.has_trees
    *_, last = model.staged_predict(X)
    np.testing.assert_allclose(model.predict(X), last, rtol=1e-12)
    assert [len(row) for row in model.estimators_] == [2] * 5


@pytest.mark.parametrize("labels", [["no", "yes"], ["a", "b", "c"]], ids=len)
def test_votes_of_stumps_and_of_their_likes(labels):
    y = np.array(labels)[np.digitize(X[:, 0], [0.0, 0.7][: len(labels) - 1])]
    model = AdaBoostClassifier(n_estimators=5).fit(X, y)
    for voter, learner in zip(model._rounds, model.estimators_, strict=True):
        voted = np.array(labels)[voter.codes(X)]
        np.testing.assert_array_equal(voted, learner.predict(X))


@pytest.mark.parametrize("missing", ["X_val", "y_val"])
@pytest.mark.parametrize(
    "make", [GradientBoostingRegressor, GradientBoostingClassifier]
)
def test_validation_data_come_whole(make, missing):
    y = (Y[:, 0] > 0).astype(int)
    given = {"X_val": X, "y_val": y}
    del given[missing]
    with pytest.raises(ValueError, match=f"was given without {missing}; give both"):
        make().fit(X, y, **given)
    with pytest.raises(ValueError, match="sample_weight_val was given without X_val"):
        make().fit(X, y, sample_weight_val=np.ones(120))
