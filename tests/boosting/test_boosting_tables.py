"""Tables of every library: categories keep their identity, errors name the column."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skdl import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    MLPClassifier,
    MLPRegressor,
)

N = 240
RNG = np.random.default_rng(5)
BIG = 2**53  # from here on not every whole number is a float64


def model(**settings):
    return GradientBoostingRegressor(
        **{"n_estimators": 20, "learning_rate": 0.5, "max_depth": 2, **settings}
    )


# ---- whole numbers that no float64 tells apart


def whole_numbers(kind, values):
    """Return a column of whole numbers, None among them, as a library holds it."""
    if kind == "pandas Int64":
        return pd.DataFrame({"id": pd.array(values, dtype="Int64")})
    if kind == "pandas categorical":
        return pd.DataFrame({"id": pd.Categorical(values)})
    if kind == "pandas object":
        return pd.DataFrame({"id": pd.Series(values, dtype=object)})
    if kind == "pandas arrow":
        return pd.DataFrame({"id": pd.array(values, dtype="int64[pyarrow]")})
    if kind == "polars":
        return pl.DataFrame({"id": pl.Series(values, dtype=pl.Int64)})
    if kind == "pyarrow":
        return pa.table({"id": pa.array(values, pa.int64())})
    if kind == "pyarrow chunks":
        parts = [pa.array(part, pa.int64()) for part in (values[:7], values[7:])]
        return pa.table({"id": pa.chunked_array(parts)})
    if kind == "pyarrow dictionary":
        return pa.table({"id": pa.array(values, pa.int64()).dictionary_encode()})
    if kind == "objects":
        return np.array(values, dtype=object)[:, None]
    return [[value] for value in values]


KINDS = [
    "pandas Int64",
    "pandas categorical",
    "pandas object",
    "pandas arrow",
    "polars",
    "pyarrow",
    "pyarrow chunks",
    "pyarrow dictionary",
    "objects",
    "list",
]


@pytest.mark.parametrize("kind", KINDS)
def test_neighbouring_whole_numbers_beside_missing_ones(kind):
    group = np.arange(N) % 5  # the last one is missing
    y = np.array([0.0, 10.0, -10.0, 20.0, 5.0])[group]
    values = [None if g == 4 else BIG + int(g) for g in group]
    X = whole_numbers(kind, values)
    fitted = model(categorical_features=[0]).fit(X, y)
    np.testing.assert_allclose(fitted.predict(X), y, atol=1e-3)
    unseen, missing = fitted.predict(whole_numbers(kind, [BIG + 4, None]))
    assert unseen == missing == pytest.approx(5.0, abs=1e-3)
    assert fitted._columns.categories[0].tolist() == [BIG, BIG + 1, BIG + 2, BIG + 3]


def test_lists_of_whole_numbers_and_fractions():
    rows = [[BIG + i % 2, 0.5] for i in range(N)]
    y = np.arange(N) % 2
    fitted = model(categorical_features=[0]).fit(rows, y)
    np.testing.assert_allclose(fitted.predict(rows), y, atol=1e-3)


# ---- categorical dtypes of all libraries

CITY = RNG.permutation(np.repeat(["Bonn", "Kiel", "Ulm", "Jena"], N // 4))
SIZE = RNG.normal(size=N)
Y = np.select([CITY == "Bonn", CITY == "Jena"], [3.0, -3.0], 0.0) + SIZE


def arrow_text(city):
    return pa.array(list(city)).dictionary_encode()


TABLES = {
    "pandas": lambda city, size: pd.DataFrame(
        {"city": pd.Categorical(city), "size": size}
    ),
    "dictionary[pyarrow]": lambda city, size: pd.DataFrame(
        {"city": pd.arrays.ArrowExtensionArray(arrow_text(city)), "size": size}
    ),
    "pyarrow": lambda city, size: pa.table({"city": arrow_text(city), "size": size}),
    "pyarrow batch": lambda city, size: pa.RecordBatch.from_arrays(
        [arrow_text(city), pa.array(size)], names=["city", "size"]
    ),
    "pyarrow chunks": lambda city, size: pa.concat_tables(
        [
            pa.table({"city": arrow_text(city[::-1]), "size": size[::-1]}),
            pa.table({"city": arrow_text(city), "size": size}),
        ]
    ).slice(len(city)),
    "polars": lambda city, size: pl.DataFrame(
        {"city": city, "size": size}, schema_overrides={"city": pl.Categorical}
    ),
    "polars enum": lambda city, size: pl.DataFrame(
        {"city": city, "size": size},
        schema_overrides={"city": pl.Enum(["Oslo", "Ulm", "Kiel", "Jena", "Bonn"])},
    ),
}
ESTIMATORS = {
    "gradient": (model, Y),
    "gradient, classes": (
        lambda **s: GradientBoostingClassifier(n_estimators=20, **s),
        Y > 0,
    ),
    "ada": (
        lambda **s: AdaBoostRegressor(n_estimators=20, random_state=0, **s),
        Y,
    ),
    "ada, classes": (lambda **s: AdaBoostClassifier(n_estimators=20, **s), Y > 0),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("kind", TABLES)
def test_a_table_of_any_library_is_the_same_data(kind, name):
    make, y = ESTIMATORS[name]
    table = TABLES[kind](CITY, SIZE)
    fitted = make().fit(table, y)
    codes = np.searchsorted(["Bonn", "Jena", "Kiel", "Ulm"], CITY)
    plain = make(categorical_features=[0]).fit(np.c_[codes, SIZE], y)
    np.testing.assert_array_equal(
        fitted.predict(table), plain.predict(np.c_[codes, SIZE])
    )
    assert fitted.feature_names_in_.tolist() == ["city", "size"]
    assert fitted._columns.categories[0].tolist() == ["Bonn", "Jena", "Kiel", "Ulm"]


@pytest.mark.parametrize("kind", TABLES)
def test_names_and_constraints_in_any_library(kind):
    table = TABLES[kind](CITY, SIZE)
    settings = {"monotonic_cst": {"size": 1}, "interaction_cst": [["city"], ["size"]]}
    fitted = model(categorical_features=["city"], **settings).fit(table, Y)
    other = model(**settings).fit(TABLES["pandas"](CITY, SIZE), Y)
    np.testing.assert_array_equal(
        fitted.predict(table), other.predict(TABLES["pandas"](CITY, SIZE))
    )


@pytest.mark.parametrize("kind", TABLES)
def test_rows_in_another_order_and_new_categories(kind):
    fitted = model().fit(TABLES[kind](CITY, SIZE), Y)
    expected = fitted.predict(TABLES[kind](CITY, SIZE))
    turned = TABLES[kind](CITY[::-1], SIZE[::-1])
    np.testing.assert_array_equal(fitted.predict(turned), expected[::-1])
    few = TABLES[kind](["Ulm", "Oslo", None], SIZE[:3])
    prediction = fitted.predict(few)
    assert np.isfinite(prediction).all()
    same = TABLES[kind](["Ulm", None, "Oslo"], SIZE[:3])
    np.testing.assert_array_equal(prediction, fitted.predict(same))


def test_single_precision_stays_beside_categories():
    table = TABLES["pandas"](CITY, SIZE.astype(np.float32))
    fitted = model().fit(table, Y)
    assert fitted._columns.transform(fitted, table).dtype == np.float32


def test_floats_that_are_not_a_number_are_missing_in_any_library():
    values = np.where(np.arange(N) % 3 == 0, np.nan, np.arange(N) % 3 + 0.5)
    y = np.where(np.isnan(values), 4.0, values)
    expected = None
    for table in (
        pd.DataFrame({"v": values}),
        pd.DataFrame({"v": pd.array(values, dtype="Float64")}),
        pl.DataFrame({"v": values}),
        pa.table({"v": values}),
        values[:, None],
        values[:, None].astype(object),
    ):
        fitted = model(categorical_features=[0]).fit(table, y)
        assert fitted._columns.categories[0].tolist() == [1.5, 2.5]
        prediction = fitted.predict(table)
        np.testing.assert_allclose(prediction, y, atol=1e-3)
        expected = prediction if expected is None else expected
        np.testing.assert_array_equal(prediction, expected)


@pytest.mark.parametrize("beside", [{}, {"city": pd.Categorical(CITY)}])
def test_objects_that_are_missing(beside):
    size = pd.array(np.arange(N) % 3, dtype="Int64")
    size[::4] = pd.NA
    y = np.where(size.isna(), 7.0, size.to_numpy(float, na_value=0.0))
    table = pd.DataFrame({"size": size.astype(object), **beside})
    fitted = model().fit(table, y)
    np.testing.assert_allclose(fitted.predict(table), y, atol=0.01)
    assert fitted.feature_names_in_[0] == "size"


def test_numbers_that_are_not_finite_are_an_error_in_a_table():
    table = pd.DataFrame({"size": [1.0, np.inf, 2.0]})
    with pytest.raises(ValueError, match="infinity"):
        model().fit(table, [0.0, 1.0, 2.0])


# ---- more categories than codes


@pytest.mark.parametrize("most", [255, 20])
def test_the_rarest_categories_share_a_code(most):
    sizes = np.r_[np.full(most - 1, 3), np.full(200, 1)]
    codes = np.repeat(np.arange(len(sizes)), sizes)
    words = np.array([f"w{code:04d}" for code in codes])
    rare = codes >= most - 1
    y = np.where(rare, 50.0, codes % 2)
    X = pd.DataFrame({"word": pd.Categorical(words)})
    fitted = model(max_bins=most, n_estimators=60).fit(X, y)
    np.testing.assert_allclose(fitted.predict(X), y, atol=0.01)
    labels = fitted._columns.categories[0]
    assert len(labels) == most
    assert labels[-1] == "(rare)"
    assert labels[:-1].tolist() == np.unique(words[~rare]).tolist()


def test_frequent_categories_keep_their_own_code_wherever_they_stand():
    frequent = [7, 301, 555]
    codes = np.r_[np.arange(600), np.repeat(frequent, 50)]
    fitted = model(categorical_features=[0], max_bins=4).fit(codes[:, None], codes)
    assert fitted._columns.categories[0].tolist() == [*frequent, "(rare)"]
    rare = fitted.predict([[0], [1], [599]])
    assert len(set(rare)) == 1
    assert fitted.predict([[7]]) != rare[0]


@pytest.mark.parametrize("cls", [AdaBoostClassifier, AdaBoostRegressor])
def test_many_categories_in_adaboost(cls):
    codes = np.r_[np.arange(400), np.arange(100)]
    fitted = cls(categorical_features=[0], n_estimators=5).fit(
        codes[:, None], codes < 100
    )
    assert fitted.score(codes[:, None], codes < 100) > 0.9


# ---- errors

TEXT = {
    "pandas": pd.DataFrame({"a": [1.0, 2.0], "b": ["u", "v"]}),
    "pandas object": pd.DataFrame({"a": [1.0, 2.0], "b": ["u", 3.0]}, dtype=object),
    "polars": pl.DataFrame({"a": [1.0, 2.0], "b": ["u", "v"]}),
    "pyarrow": pa.table({"a": [1.0, 2.0], "b": ["u", "v"]}),
}


@pytest.mark.parametrize("kind", TEXT)
@pytest.mark.parametrize("cls", [GradientBoostingRegressor, AdaBoostClassifier])
def test_text_without_a_categorical_dtype(kind, cls):
    with pytest.raises(ValueError, match=r"Column 'b' holds no numbers .*categorical"):
        cls().fit(TEXT[kind], [0, 1])
    fitted = cls().fit(TABLES["pandas"](CITY, SIZE)[["size"]], Y > 0)
    with pytest.raises(ValueError, match="Column 'size' holds no numbers"):
        fitted.predict(pd.DataFrame({"size": ["u", "v"]}))


WORDS = {
    "array": (np.array([["1", "u"], ["2", "v"]]), 1),
    "objects": (np.array([[1, "u"], [None, "v"]], dtype=object), 1),
    "list": ([[1.0, "u"], [2.0, "v"]], 1),
    "batch": (pa.RecordBatch.from_pydict({"a": [1.0, 2.0], "b": ["u", "v"]}), "'b'"),
}


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize(
    "cls", [GradientBoostingRegressor, AdaBoostClassifier, MLPRegressor, MLPClassifier]
)
def test_words_without_a_dtype(kind, cls):
    X, column = WORDS[kind]
    with pytest.raises(ValueError, match=f"Column {column} holds no numbers .*'u'"):
        cls().fit(X, [0, 1])


@pytest.mark.parametrize("kind", TEXT)
def test_words_in_tables_for_a_network(kind):
    with pytest.raises(ValueError, match=r"Column 'b' holds no numbers .*Encoder"):
        MLPClassifier().fit(TEXT[kind], [0, 1])


def test_validation_rows_of_a_batch_reach_the_scorer():
    batch, seen = TABLES["pyarrow batch"](CITY, SIZE), []

    def scorer(fitted, X, y):
        seen.append(X)
        return fitted.score(X, y)

    settings = {"n_iter_no_change": 3, "scoring": scorer, "random_state": 0}
    fitted = model(**settings).fit(batch, Y)
    assert seen[0].column_names == ["city", "size"]
    given = model(**settings).fit(batch, Y, X_val=batch, y_val=Y)
    assert seen[-1].num_rows == len(Y)
    assert fitted.n_features_in_ == given.n_features_in_ == 2


TIMES = {
    "pandas": pd.DataFrame({"t": pd.date_range("2026", periods=4)}),
    "polars": pl.DataFrame({"t": pd.date_range("2026", periods=4).to_list()}),
    "pyarrow": pa.table({"t": pd.date_range("2026", periods=4)}),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_are_no_numbers(kind):
    with pytest.raises(ValueError, match=r"Column 't' holds no numbers .*time"):
        model().fit(TIMES[kind], np.arange(4.0))
    with pytest.raises(ValueError, match=r"Column 't' holds no numbers .*time"):
        MLPRegressor().fit(TIMES[kind], np.arange(4.0))


@pytest.mark.parametrize("cls", [GradientBoostingRegressor, MLPRegressor])
@pytest.mark.parametrize("dtype", ["datetime64[s]", "timedelta64[D]"])
def test_arrays_of_times_are_no_numbers(dtype, cls):
    with pytest.raises(ValueError, match=r"X holds no numbers .*is time"):
        cls().fit(np.arange(4).reshape(-1, 1).astype(dtype), np.arange(4.0))


@pytest.mark.parametrize("cls", [GradientBoostingRegressor, AdaBoostRegressor])
def test_a_lazy_table_has_no_rows_yet(cls):
    lazy = pl.LazyFrame({"a": SIZE})
    with pytest.raises(TypeError, match=r"polars LazyFrame.*X\.collect\(\)"):
        cls().fit(lazy, Y)
    fitted = cls().fit(lazy.collect(), Y)
    with pytest.raises(TypeError, match="LazyFrame"):
        fitted.predict(lazy)


def test_a_network_says_so_too():
    with pytest.raises(TypeError, match="LazyFrame"):
        MLPRegressor().fit(pl.LazyFrame({"a": SIZE}), Y)


def test_values_that_are_no_categories():
    X = np.empty((4, 1), dtype=object)
    X[:, 0] = [[1], [2], [1], [2]]
    with pytest.raises(ValueError, match="no categories: unhashable"):
        model(categorical_features=[0]).fit(X, np.arange(4.0))


def test_the_error_of_another_type_names_the_column():
    fitted = model().fit(TABLES["pandas"](CITY, SIZE), Y)
    numbers = pd.DataFrame({"city": pd.Categorical([1, 2]), "size": [0.0, 1.0]})
    with pytest.raises(TypeError, match=r"'city' holds values of type Number .* str"):
        fitted.predict(numbers)
