"""Trees as pickles keep them: few arrays, and the same trees again."""

import copy
import pickle
from dataclasses import fields

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.tree import DecisionTreeRegressor

from skdl import GradientBoostingClassifier, GradientBoostingRegressor
from skdl.boosting._ensemble.store import packed, unpacked
from skdl.tree import Tree

X, Y = load_diabetes(return_X_y=True)
XI, YI = load_iris(return_X_y=True)
TABLE = pd.DataFrame({"a": X[:, 2], "b": pd.Categorical(np.digitize(X[:, 3], [0.0]))})

MODELS = {
    "numbers": (GradientBoostingRegressor(n_estimators=5), X, Y),
    "categories": (GradientBoostingRegressor(n_estimators=9, subsample=0.5), TABLE, Y),
    "classes": (GradientBoostingClassifier(n_estimators=4), XI, YI),
    "shared": (GradientBoostingClassifier(n_estimators=4, shared_trees=True), XI, YI),
    "own learners": (
        GradientBoostingRegressor(n_estimators=3, estimator=DecisionTreeRegressor()),
        X,
        Y,
    ),
}


def assert_same(one, other):
    for field in fields(Tree):
        a, b = getattr(one, field.name), getattr(other, field.name)
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


@pytest.mark.parametrize("case", MODELS)
@pytest.mark.parametrize("way", [pickle.dumps, copy.deepcopy])
def test_a_copy_has_the_same_trees(case, way):
    model, X, y = MODELS[case]
    model.fit(X, y)
    again = way(model)
    again = pickle.loads(again) if isinstance(again, bytes) else again
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    for row, other in zip(model.estimators_, again.estimators_, strict=True):
        assert len(row) == len(other)
        if case == "own learners":
            continue
        for one, two in zip(row, other, strict=True):
            assert_same(one, two)
            assert one is not two


def test_a_copy_goes_on_like_the_model():
    model = GradientBoostingRegressor(n_estimators=3, warm_start=True).fit(X, Y)
    again = pickle.loads(pickle.dumps(model)).set_params(n_estimators=6).fit(X, Y)
    whole = GradientBoostingRegressor(n_estimators=6).fit(X, Y)
    np.testing.assert_array_equal(again.predict(X), whole.predict(X))


def test_a_model_can_be_mapped_from_a_file(tmp_path):
    model = GradientBoostingRegressor(n_estimators=40).fit(X, Y)
    joblib.dump(model, tmp_path / "model")
    again = joblib.load(tmp_path / "model", mmap_mode="r")
    assert not again.estimators_[3][0].threshold.flags.writeable
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_no_trees_and_trees_of_unlike_leaves():
    assert unpacked(packed([])) == []
    one = GradientBoostingRegressor(n_estimators=1).fit(X, Y).estimators_[0][0]
    two = GradientBoostingRegressor(n_estimators=1, shared_trees=True)
    two = two.fit(X, np.c_[Y, -Y]).estimators_[0][0]
    for tree, again in zip((one, two), unpacked(packed([one, two])), strict=True):
        assert_same(tree, again)


def test_the_pickle_has_few_objects():
    sizes = [
        len(
            pickle.dumps(
                GradientBoostingRegressor(n_estimators=n, max_depth=1).fit(X, Y)
            )
        )
        for n in (100, 200)
    ]
    # Three nodes a tree: 9 arrays by themselves would be more than a kilobyte.
    assert sizes[1] - sizes[0] < 100 * 400
