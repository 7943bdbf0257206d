"""Pictures of boosters."""

import itertools
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.tree import DecisionTreeRegressor
from sklearn.tree import export_text as reference_text

import skdl
from skdl import (
    AdaBoostClassifier,
    AdaBoostRegressor,
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
        "age <= 1.500",
        "|-- value -0.500 (2 rows)",
        "age > 1.500",
        "|-- value 0.500 (2 rows)",
    ]


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (0.5, 3, "0.500"),
        (1234.5678, 1, "1234.6"),
        (-2.0, 0, "-2"),
        (-0.0, 2, "0.00"),
        (-0.048, 1, "0.0"),
        (0.0012, 3, "0.001"),
        (0.0004, 3, "4.000e-04"),  # else all its digits would be zeros
        (-3.2e12, 2, "-3.20e+12"),
    ],
)
def test_decimals_are_digits_after_the_point(value, decimals, expected):
    model = GradientBoostingRegressor(n_estimators=1, max_depth=1).fit(X, Y)
    tree = model.estimators_[0][0]
    tree.value[:] = value
    assert f"value {expected} (" in export_text(model, decimals=decimals)
    texts = TreeDisplay.from_estimator(model, decimals=decimals).texts_
    assert texts[int(tree.leaves[0])].get_text().startswith(f"{expected}\n")


def test_digits_are_those_of_scikit_learn():
    X = np.array([[0.0], [0.25], [1000.5]])
    y = np.array([0.0, 0.125, 1e3])
    names = ["x0"]
    for decimals in (0, 1, 4):
        exact = DecisionTreeRegressor(max_leaf_nodes=2, random_state=0).fit(X, y)
        theirs = reference_text(exact, feature_names=names, decimals=decimals)
        ours = export_text(
            GradientBoostingRegressor(
                n_estimators=1, learning_rate=1.0, init="zero", max_leaf_nodes=2
            ).fit(X, y),
            decimals=decimals,
        )
        for pattern in (r"x0 <= *(\S+)", r"x0 > *(\S+)", r"(?:value:? \[?)([\d.]+\d)"):
            assert re.findall(pattern, ours) == re.findall(pattern, theirs)


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


def alternating(seed=0, missing=False):
    """Return a table of eight cities of alternating effects, and targets."""
    rng = np.random.default_rng(seed)
    city = rng.choice(list("abcdefgh"), 400)
    effect = pd.Series([0, 5, 1, 4, 2, 6, 3, 7], index=list("abcdefgh"))
    frame = pd.DataFrame({"city": pd.Categorical(city), "x": rng.normal(size=400)})
    if missing:
        frame.loc[::9] = np.nan
    return frame, effect[city].to_numpy()


def questions_of_leaves(text):
    """Return the questions on the way to each leaf."""
    way, ways = [], []
    for line in text.splitlines():
        depth = line.count("|")
        if "value" in line:
            ways.append(list(way))
        else:
            way = [*way[:depth], line.replace("|", "").strip()]
    return ways


@pytest.mark.parametrize("missing", [False, True])
def test_categories_that_cannot_reach_a_node_are_not_listed(missing):
    frame, y = alternating(missing=missing)
    model = GradientBoostingRegressor(max_depth=4, n_estimators=1).fit(frame, y)
    text = export_text(model)
    ways = questions_of_leaves(text)
    assert max(map(len, ways)) > 2
    for way in ways:
        asked = [question for question in way if question.startswith("city")]
        chosen = [set(re.findall(r"missing|\b[a-h]\b", question)) for question in asked]
        for above, below in itertools.pairwise(chosen):
            assert below < above
    display = TreeDisplay.from_estimator(model)
    for box, left in zip(display.texts_, display.tree.left, strict=True):
        question = box.get_text().replace("\n", " ").rsplit(" n =")[0]
        assert left < 0 or question in text


def test_missing_values_that_cannot_reach_a_node_are_not_named():
    frame, y = alternating(missing=True)
    model = GradientBoostingRegressor(max_depth=5, n_estimators=1).fit(frame, y)
    for way in questions_of_leaves(export_text(model)):
        for name in ("city", "x"):
            asked = [text for text in way if text.startswith(name)]
            named = ["missing" in text for text in asked]
            assert named == sorted(named, reverse=True)  # gone once, gone for good


def test_missing_against_the_rest_needs_no_threshold():
    X = np.r_[np.full(5, np.nan), np.full(5, 3.0)][:, None]
    model = GradientBoostingRegressor(n_estimators=1).fit(X, np.arange(10) < 5)
    assert [line for line in export_text(model).splitlines() if "x0" in line] == [
        "x0 not missing",
        "x0 missing",
    ]


def test_a_tree_by_itself_shows_the_codes_that_it_knows():
    frame, y = alternating()
    model = GradientBoostingRegressor(max_depth=3, n_estimators=1).fit(frame, y)
    text = export_text(model.estimators_[0][0])
    sides = re.findall(r"x0 (?:not )?in \{(.*)\}", text)
    assert all(set(side.split(", ")) < set("01234567") for side in sides)
    assert text.count("not in") == len(sides) / 2


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
    with pytest.raises(ValueError, match="decimals must not be negative"):
        export_text(model, decimals=-1)
    for names in (["x"], list("abcde")):
        with pytest.raises(ValueError, match=r"names for 4 features"):
            export_text(model, feature_names=names)
    with pytest.raises(ValueError, match="the tree asks for column"):
        export_text(model.estimators_[0][0], feature_names=[])
    with pytest.raises(ValueError, match="feature_names for 4"):
        FeatureImportanceDisplay.from_estimator(model, feature_names=["x"])
    other = GradientBoostingRegressor(
        estimator=DecisionTreeRegressor(), n_estimators=1
    ).fit(X, Y)
    with pytest.raises(ValueError, match="not a tree of skdl"):
        export_text(other)


ENGINES = ["numpy", "numba"] if skdl._config.has_numba() else ["numpy"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["gradient", "ada"])
def test_missing_values_are_named_where_there_were_some(kind, engine):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = X @ [3.0, 2.0, 1.0]
    X[rng.random(300) < 0.2, 1] = np.nan
    model = GradientBoostingRegressor(max_depth=4, n_estimators=3)
    if kind == "ada":
        model = AdaBoostRegressor(max_depth=4, n_estimators=3, random_state=0)
    with skdl.config_context(engine=engine):
        model.fit(X, y)
    for stage in range(3):
        text = export_text(model, stage)
        assert ("missing" in text) == ("x1" in text)
        lines = [line for line in text.splitlines() if "missing" in line]
        assert all("x1" in line for line in lines)
        # Each question about the column sends missing values to one side, if any come.
        for way in questions_of_leaves(text):
            asked = ["missing" in part for part in way if part.startswith("x1")]
            assert asked == sorted(asked, reverse=True)
        row = model.estimators_[stage]
        tree = row.tree_ if kind == "ada" else row[0]
        assert export_text(tree) == text  # a tree by itself knows
        boxes = TreeDisplay.from_estimator(model, stage).texts_
        boxes = [box.get_text() for box in boxes if "missing" in box.get_text()]
        assert all(box.startswith("x1") for box in boxes)
        plt.close("all")


def test_missing_categories_are_named_where_there_were_some():
    frame, y = alternating()
    model = GradientBoostingRegressor(max_depth=3, n_estimators=2).fit(frame, y)
    assert "missing" not in export_text(model)
    frame, y = alternating(missing=True)
    model = GradientBoostingRegressor(max_depth=3, n_estimators=2).fit(frame, y)
    assert "missing" in export_text(model)
