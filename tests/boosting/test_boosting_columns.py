"""Columns: missing values, categories, DataFrames, weights, several targets."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skdl import GradientBoostingClassifier, GradientBoostingRegressor, losses

RNG = np.random.default_rng(0)
N = 240
CITY = RNG.permutation(
    np.repeat(["Bonn", "Kiel", "Ulm", "Jena", "Hof", "Gera"], N // 6)
)
SIZE = RNG.normal(size=N)
# Sorted by name the effects alternate: an order that thresholds cannot use.
EFFECT = {"Bonn": 3.0, "Gera": -3.0, "Hof": 3.0, "Jena": -3.0, "Kiel": 3.0, "Ulm": -3.0}
Y = np.array([EFFECT[city] for city in CITY]) + SIZE
NAMES = sorted(EFFECT)
CODES = np.searchsorted(NAMES, CITY)


def frame(kind):
    """Return the same table as the library or dtype `kind` has it."""
    data = {"city": CITY, "size": SIZE}
    if kind.startswith("polars"):
        dtype = pl.Categorical if kind == "polars" else pl.Enum(NAMES)
        return pl.DataFrame(data, schema_overrides={"city": dtype})
    table = pd.DataFrame(data)
    if kind == "ordered":
        ordered = pd.Categorical(CITY, categories=NAMES[::-1], ordered=True)
        return table.assign(city=ordered)
    if kind == "integers":
        return table.assign(city=pd.Categorical(CODES * 10))
    if kind == "nullable":
        return table.astype({"city": "category", "size": "Float64"})
    return table.astype({"city": "category"})


FRAMES = ["pandas", "ordered", "integers", "nullable", "polars", "polars enum"]


def model(**settings):
    return GradientBoostingRegressor(
        **{"n_estimators": 30, "learning_rate": 0.3, "max_depth": 2, **settings}
    )


@pytest.mark.parametrize("kind", FRAMES)
def test_categorical_dtypes(kind):
    table = frame(kind)
    fitted = model().fit(table, Y)
    assert fitted.score(table, Y) > 0.99
    root = fitted.estimators_[0][0]
    assert root.feature[0] == 0
    assert root.n_node_samples.tolist()[:3] == [N, N // 2, N // 2]  # one split does it
    assert fitted.feature_names_in_.tolist() == ["city", "size"]
    plain = model(categorical_features=[0]).fit(np.c_[CODES, SIZE], Y)
    np.testing.assert_allclose(
        fitted.predict(table), plain.predict(np.c_[CODES, SIZE]), rtol=1e-9
    )


WAYS = {
    "numbers": [0],
    "names": ["city"],
    "mask": [True, False],
    "array": np.array([0]),
}


@pytest.mark.parametrize("way", WAYS)
def test_categorical_features_by(way):
    table = frame("pandas").astype({"city": object})
    fitted = model(categorical_features=WAYS[way]).fit(table, Y)
    reference = model().fit(frame("pandas"), Y)
    np.testing.assert_array_equal(
        fitted.predict(table), reference.predict(frame("pandas"))
    )


def test_categories_may_be_ignored():
    table = frame("integers").astype({"city": int})
    by_order = model(max_depth=1, n_estimators=1).fit(table, Y)
    by_set = model(max_depth=1, n_estimators=1).fit(frame("integers"), Y)
    assert by_order.score(table, Y) < 0.6 * by_set.score(frame("integers"), Y)


def test_the_codes_of_a_new_frame_do_not_matter():
    fitted = model().fit(frame("pandas"), Y)
    other = frame("ordered")[::-1]
    np.testing.assert_array_equal(
        fitted.predict(other), fitted.predict(frame("pandas"))[::-1]
    )
    few = frame("pandas")[:3].copy()
    few["city"] = few["city"].cat.remove_unused_categories()
    np.testing.assert_array_equal(
        fitted.predict(few), fitted.predict(frame("pandas"))[:3]
    )


@pytest.mark.parametrize("missing_in_fit", [False, True])
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_unseen_categories_are_missing_values(kind, missing_in_fit):
    city = [None if missing_in_fit and i % 9 == 0 else c for i, c in enumerate(CITY)]
    new = {"city": ["Oslo", None, "Bonn"], "size": [0.1] * 3}
    if kind == "pandas":
        table = pd.DataFrame({"city": pd.Categorical(city), "size": SIZE})
        new = pd.DataFrame(new).astype({"city": "category"})
    else:
        schema = {"city": pl.Categorical, "size": pl.Float64}
        table = pl.DataFrame({"city": city, "size": SIZE}, schema=schema)
        new = pl.DataFrame(new, schema=schema)
    fitted = model().fit(table, Y)
    unseen, missing, known = fitted.predict(new)
    assert unseen == missing != known
    assert np.isfinite(unseen)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_missing_values_in_frames(kind):
    size = np.where(np.arange(N) % 4 == 0, np.nan, SIZE)
    y = np.where(np.isnan(size), 7.0, 0.0)
    if kind == "pandas":
        table = frame("pandas").assign(size=pd.array(size, dtype="Float64"))
        table["city"] = table["city"].where(np.arange(N) % 5 > 0)
    else:
        values = [None if np.isnan(v) else v for v in size]
        table = frame("polars").with_columns(size=pl.Series(values))
    fitted = model().fit(table, y)
    np.testing.assert_allclose(fitted.predict(table), y, atol=0.01)
    tags = fitted.__sklearn_tags__()
    assert tags.input_tags.allow_nan


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_missing_values_learn_their_way(dtype):
    x = np.linspace(-1, 1, 200, dtype=dtype)[:, None]
    for value, side in ((1.0, 1.0), (-1.0, -1.0)):
        X, y = x.copy(), np.sign(x[:, 0])
        X[::5], y[::5] = np.nan, value
        fitted = model(n_estimators=1, learning_rate=1.0, max_depth=1).fit(X, y)
        assert fitted.predict([[np.nan]])[0] == pytest.approx(side)
        assert fitted.score(X, y) == pytest.approx(1.0)


def test_many_categories():
    codes = np.arange(N) % 200
    many = model(categorical_features=[0]).fit(codes[:, None], codes % 2)
    assert many.score(codes[:, None], codes % 2) > 0.9


def test_lists_of_strings_and_numbers():
    rows = [[city, size] for city, size in zip(CITY, SIZE, strict=True)]
    fitted = model(categorical_features=[0]).fit(rows, Y)
    assert fitted.score(rows, Y) > 0.99


def test_categories_in_validation_data():
    table = frame("pandas")
    new = table[200:].copy()
    new["city"] = new["city"].cat.rename_categories({"Bonn": "Oslo"})
    fitted = model(n_iter_no_change=5).fit(
        table[:200], Y[:200], X_val=new, y_val=Y[200:]
    )
    assert len(fitted.history_["val_loss"]) > 5


BAD = {
    "text": ({}, pd.DataFrame({"a": ["u", "v"] * 3}), "could not convert|no numbers"),
    "text beside categories": (
        {},
        pd.DataFrame({"a": ["u", "v"] * 3, "b": pd.Categorical([1, 2] * 3)}),
        "Column 'a' holds no numbers",
    ),
    "time beside categories": (
        {},
        pd.DataFrame(
            {"a": pd.date_range("2026", periods=6), "b": pd.Categorical([1, 2] * 3)}
        ),
        r"Column 'a' holds no numbers \(datetime",
    ),
    "mixed types": (
        {},
        pd.DataFrame({"a": pd.Categorical(["u", 1] * 3)}),
        "Categorical column 'a' mixes types",
    ),
    "no such name": (
        {"categorical_features": ["b"]},
        np.eye(6),
        "names the column 'b'",
    ),
    "no such number": ({"categorical_features": [6]}, np.eye(6), "column number 6"),
    "half a number": ({"categorical_features": [0.5]}, np.eye(6), "column number 0.5"),
    "short mask": ({"categorical_features": [True]}, np.eye(6), "must have shape"),
    "unknown word": ({"categorical_features": "all"}, np.eye(6), "from_dtype"),
    "infinite": ({}, np.full((6, 1), np.inf), "infinity"),
    "complex": ({}, np.full((6, 1), 1j), "Complex"),
    "no rows": ({}, np.empty((0, 3)), "0 sample"),
    "no columns": ({}, np.empty((6, 0)), "0 feature"),
    "one-dimensional": ({}, np.arange(6.0), "2D array"),
    "one-dimensional categories": (
        {"categorical_features": [0]},
        np.arange(6.0),
        "2D array",
    ),
    "constraint by no name": (
        {"monotonic_cst": {"q": 1}},
        np.eye(6),
        "names the",
    ),
    "constraint of 2": ({"monotonic_cst": [2] * 6}, np.eye(6), "−1, 0 and 1"),
    "constraint of NaN": ({"monotonic_cst": [np.nan] * 6}, np.eye(6), "−1, 0 and 1"),
    "sets of a number": ({"interaction_cst": 3}, np.eye(6), "must hold sets"),
    "sets of numbers": ({"interaction_cst": [0, 1]}, np.eye(6), "must hold sets"),
    "sets by a word": ({"interaction_cst": "none"}, np.eye(6), "pairwise"),
    "sets out of range": ({"interaction_cst": [[0, 9]]}, np.eye(6), "column number 9"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_columns(case):
    settings, X, match = BAD[case]
    with pytest.raises(ValueError, match=match):
        model(**settings).fit(X, np.arange(6.0)[: len(X)])


def test_another_type_than_in_fit():
    fitted = model(categorical_features=[0]).fit(np.c_[CODES, SIZE], Y)
    with pytest.raises((TypeError, ValueError), match=r"type|convert|numbers"):
        fitted.predict(np.array([["Bonn", 1.0]], dtype=object))
    with pytest.raises(ValueError, match="feature names"):
        model().fit(frame("pandas"), Y).predict(frame("pandas")[["size", "city"]])


DEGENERATE = {
    "one row": ([[1.0, 2.0]], [3.0], 3.0),
    "constant columns": (np.ones((9, 2)), np.arange(9.0), 4.0),
    "missing columns": (np.full((9, 2), np.nan), np.arange(9.0), 4.0),
    "constant target": (np.arange(18.0).reshape(9, 2), np.full(9, 5.0), 5.0),
}


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "poisson", "gamma"]
)
@pytest.mark.parametrize("case", DEGENERATE)
def test_nothing_to_learn(case, loss):
    X, y, expected = DEGENERATE[case]
    y = np.asarray(y) + (loss == "gamma")
    fitted = model(loss=loss).fit(X, y)
    prediction = fitted.predict(np.zeros((2, 2)))
    np.testing.assert_allclose(prediction, expected + (loss == "gamma"), rtol=1e-9)
    assert fitted.feature_importances_.tolist() == [0.0, 0.0]
    assert fitted.apply(np.zeros((2, 2))).tolist() == [[0] * 30] * 2


def test_constraints_by_name():
    table = frame("pandas")
    settings = {"monotonic_cst": {"size": 1}, "interaction_cst": [["city"], ["size"]]}
    fitted = model(max_depth=4, **settings).fit(table, Y)
    numbers = {"monotonic_cst": [0, 1], "interaction_cst": "no_interactions"}
    same = model(max_depth=4, **numbers).fit(table, Y)
    np.testing.assert_array_equal(fitted.predict(table), same.predict(table))
    for (tree,) in fitted.estimators_:
        assert len(np.unique(tree.feature[tree.feature >= 0])) <= 1


# ---- weights

WEIGHTED = {
    "squared": (GradientBoostingRegressor, {}, Y),
    "absolute": (GradientBoostingRegressor, {"loss": "absolute_error"}, Y),
    "quantile": (GradientBoostingRegressor, {"loss": losses.Quantile(0.3)}, Y),
    "poisson": (GradientBoostingRegressor, {"loss": "poisson"}, np.exp(Y / 4)),
    "gd": (
        GradientBoostingRegressor,
        {"optimizer": "gd", "loss": "gamma"},
        np.exp(Y / 4),
    ),
    "l2": (GradientBoostingRegressor, {"l2_regularization": 5.0}, Y),
    "impurity": (GradientBoostingRegressor, {"min_impurity_decrease": 0.1}, Y),
    "two classes": (GradientBoostingClassifier, {}, Y > 0),
    "three classes": (GradientBoostingClassifier, {}, np.digitize(Y, [-2, 2])),
    "shared": (
        GradientBoostingClassifier,
        {"shared_trees": True},
        np.digitize(Y, [-2, 2]),
    ),
    "exponential": (GradientBoostingClassifier, {"loss": "exponential"}, Y > 0),
}


@pytest.mark.parametrize("case", WEIGHTED)
def test_a_weight_is_a_number_of_rows(case):
    cls, settings, y = WEIGHTED[case]
    X = np.c_[SIZE, np.sin(9 * SIZE)].round(2)  # few values: the bins stay the same
    w = np.random.default_rng(2).integers(0, 4, size=N)
    settings = {"n_estimators": 10, "max_depth": 3, **settings}
    weighted = cls(**settings).fit(X, y, w)
    repeated = cls(**settings).fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    np.testing.assert_allclose(
        weighted.ensemble_.raw(X), repeated.ensemble_.raw(X), rtol=1e-7, atol=1e-9
    )
    np.testing.assert_allclose(weighted.train_score_, repeated.train_score_)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_the_scale_of_weights_does_not_matter_without_l2(scale):
    X, y = np.c_[SIZE], Y > 0
    w = np.random.default_rng(2).uniform(0.5, 1.5, size=N)
    one, other = (
        GradientBoostingClassifier(n_estimators=5, max_depth=2).fit(X, y, s * w)
        for s in (1.0, scale)
    )
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("weight", ["balanced", {"a": 1.0, "b": 3.0, "c": 0.5}])
def test_class_weights_are_sample_weights(weight):
    y = np.array(["a", "b", "c"])[np.digitize(Y, [-2, 3])]
    factor = weight
    if weight == "balanced":
        names, counts = np.unique(y, return_counts=True)
        factor = dict(zip(names, N / (3 * counts), strict=True))
    w = np.random.default_rng(2).uniform(0.5, 1.5, size=N)
    settings = {"n_estimators": 5}
    X = np.c_[SIZE, CODES]
    one = GradientBoostingClassifier(class_weight=weight, **settings).fit(X, y, w)
    other = GradientBoostingClassifier(**settings).fit(
        X, y, w * np.array([factor[label] for label in y])
    )
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("absent", [0, 1, 2])
def test_a_class_whose_rows_weigh_nothing(absent):
    y = np.digitize(Y, [-2, 2])
    X = np.c_[SIZE, CODES]
    fitted = GradientBoostingClassifier(n_estimators=5).fit(X, y, y != absent)
    assert fitted.classes_.tolist() == [0, 1, 2]
    assert fitted.predict_proba(X)[:, absent].max() < 1e-10
    assert absent not in fitted.predict(X)


WRONG_WEIGHTS = {
    "zero": (np.zeros(N), "zero"),
    "negative": (-np.ones(N), "[Nn]egative"),
    "missing": (np.full(N, np.nan), "NaN"),
    "short": (np.ones(3), "shape|inconsistent"),
}


@pytest.mark.parametrize("case", WRONG_WEIGHTS)
def test_wrong_weights(case):
    weight, match = WRONG_WEIGHTS[case]
    with pytest.raises(ValueError, match=match):
        model().fit(np.c_[SIZE], Y, weight)
    with pytest.raises(ValueError, match=match):
        model().fit(
            np.c_[SIZE], Y, X_val=np.c_[SIZE], y_val=Y, sample_weight_val=weight
        )


# ---- several targets


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "poisson"])
@pytest.mark.parametrize("rule", ["newton", "nesterov"])
def test_several_targets_are_separate_fits(loss, rule):
    X = np.c_[SIZE, CODES]
    y = np.exp(np.c_[Y, -Y, SIZE] / 4)
    settings = {"loss": loss, "optimizer": rule, "learning_rate": 0.05}
    together = model(**settings).fit(X, y)
    for j in range(3):
        alone = model(**settings).fit(X, y[:, j])
        np.testing.assert_allclose(
            together.predict(X)[:, j], alone.predict(X), rtol=1e-9
        )
    assert together.apply(X).shape == (N, 30, 3)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
def test_shared_trees(loss):
    X = np.c_[SIZE, CODES]
    y = np.c_[Y, Y, Y]
    shared = model(loss=loss, shared_trees=True).fit(X, y)
    assert {len(row) for row in shared.estimators_} == {1}
    assert shared.estimators_[0][0].value.shape[1] == 3
    assert shared.apply(X).shape == (N, 30)
    alone = model(loss=loss).fit(X, Y)  # equal targets: the same splits
    for j in range(3):
        np.testing.assert_allclose(shared.predict(X)[:, j], alone.predict(X), rtol=1e-6)
