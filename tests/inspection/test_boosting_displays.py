"""Pictures of boosters."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.tree import DecisionTreeRegressor

from skdl import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
)
from skdl.inspection import (
    FeatureImportanceDisplay,
    LossCurveDisplay,
    TreeDisplay,
    export_text,
)

X, Y = load_diabetes(return_X_y=True)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_text_of_a_stump():
    model = GradientBoostingRegressor(max_depth=1, n_estimators=2)
    model.fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 1.0, 1.0])
    assert export_text(model, feature_names=["age"]).splitlines() == [
        "age <= 1.5",
        "|-- value -0.5 (2 rows)",
        "age > 1.5 or missing",
        "|-- value 0.5 (2 rows)",
    ]


def test_text_has_a_line_for_every_leaf_and_two_for_every_split():
    model = GradientBoostingRegressor(n_estimators=3, max_depth=4).fit(X, Y)
    tree = model.estimators_[2][0]
    text = export_text(model, 2)
    assert text.count("value") == tree.n_leaves
    assert len(text.splitlines()) == tree.n_leaves + 2 * (tree.n_leaves - 1)
    assert "…" in export_text(model, 2, max_depth=1)


def test_text_of_categories():
    frame = pd.DataFrame({"city": pd.Categorical(["a", "b", "c", "a", "b", "c"] * 3)})
    model = GradientBoostingRegressor(max_depth=1, n_estimators=1)
    model.fit(frame, [0.0, 5.0, 0.0, 0.0, 5.0, 0.0] * 3)
    lines = export_text(model).splitlines()
    sides = {line.split(" or ")[0] for line in lines if line.startswith("city")}
    assert sides == {"city in {b}", "city in {a, c}"}


def test_tree_picture():
    model = GradientBoostingRegressor(n_estimators=3, max_depth=3).fit(X, Y)
    display = TreeDisplay.from_estimator(model, 1)
    tree = model.estimators_[1][0]
    assert len(display.texts_) == len(tree.left)
    assert len(display.ax_.lines) == len(tree.left) - 1
    stumps = AdaBoostClassifier(n_estimators=3).fit(*load_iris(return_X_y=True))
    assert len(TreeDisplay.from_estimator(stumps, 2).texts_) == 3


def test_importance_bars():
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(10)])
    model = GradientBoostingRegressor(n_estimators=10).fit(frame, Y)
    display = FeatureImportanceDisplay.from_estimator(model, max_features=4)
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(widths, np.sort(model.feature_importances_)[-4:])
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels[-1] == f"c{model.feature_importances_.argmax()}"


def test_losses_by_stage():
    model = GradientBoostingRegressor(n_estimators=12)
    model.fit(X[:300], Y[:300], X_val=X[300:], y_val=Y[300:])
    display = LossCurveDisplay.from_estimator(model)
    assert len(display.lines_) == 2
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), model.train_score_)


def test_bad_input():
    model = GradientBoostingClassifier(n_estimators=2).fit(*load_iris(return_X_y=True))
    with pytest.raises(ValueError, match="2 rounds"):
        export_text(model, 2)
    with pytest.raises(ValueError, match="3 trees"):
        export_text(model, 0, 3)
    with pytest.raises(ValueError, match="names"):
        export_text(model, feature_names=["x"])
    with pytest.raises(ValueError, match="feature_names for 4"):
        FeatureImportanceDisplay.from_estimator(model, feature_names=["x"])
    other = GradientBoostingRegressor(
        estimator=DecisionTreeRegressor(), n_estimators=1
    ).fit(X, Y)
    with pytest.raises(ValueError, match="not a tree of skdl"):
        export_text(other)
