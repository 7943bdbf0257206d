"""What fitted trees and ensembles say of themselves, in a line."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from skdl import AdaBoostClassifier, GradientBoostingClassifier
from skdl import GradientBoostingRegressor as Regressor

X, Y = load_diabetes(return_X_y=True)
XI, YI = load_iris(return_X_y=True)


def test_a_tree():
    tree = Regressor(n_estimators=1, max_depth=1).fit(X[:, [3, 2]], Y).estimators_[0][0]
    assert repr(tree) == "Tree(n_leaves=2, depth=1, columns=[1], n_samples=442)"


def test_a_tree_of_many_columns():
    X = np.random.default_rng(0).normal(size=(400, 30))
    model = Regressor(n_estimators=1, max_depth=6).fit(X, X.sum(axis=1))
    assert ", …], n_samples=400)" in repr(model.estimators_[0][0])
    assert len(repr(model.estimators_[0][0])) < 100


def test_a_stump():
    model = AdaBoostClassifier(n_estimators=2).fit(XI, YI)
    assert repr(model.estimators_[0]).startswith("StumpClassifier(Tree(n_leaves=2, ")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (GradientBoostingClassifier(n_estimators=4), ["4 rounds", "12 × Tree of "]),
        (
            Regressor(n_estimators=3, estimator=DecisionTreeRegressor()),
            ["3 × DecisionTreeRegressor;", "baseline=[1.0]"],
        ),
        (
            Regressor(n_estimators=2, init=LinearRegression(), optimizer="gd"),
            ["init=LinearRegression()", "loss=SquaredError()", "rule=GD("],
        ),
    ],
    ids=["classes", "own learners", "init"],
)
def test_an_ensemble(model, words):
    ensemble = model.fit(XI, YI).ensemble_
    for word in words:
        assert word in repr(ensemble)
    assert len(repr(ensemble)) < 300


def test_leaves_and_forest():
    ensemble = Regressor(n_estimators=5).fit(X, Y).ensemble_
    leaves = [tree.n_leaves for row in ensemble.learners for tree in row]
    assert f"of {min(leaves)} to {max(leaves)} leaves" in repr(ensemble)
    n_nodes = sum(2 * n - 1 for n in leaves)
    assert repr(ensemble.forest()) == f"Forest(n_trees=5, n_nodes={n_nodes})"
