"""Sparse X: the model of the dense matrix, on every way through an estimator."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdl import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    config_context,
)

ENGINES = ["numpy", "numba"]
FORMATS = {
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "csr matrix": sparse.csr_matrix,
    "coo": sparse.coo_array,
    "lil": sparse.lil_array,
}
N = 200


def words(n=N, n_features=30, missing=0.0, seed=0):
    """Return counts of words, a real target and classes."""
    rng = np.random.default_rng(seed)
    X = rng.poisson(0.3, size=(n, n_features)) * rng.random((n, n_features))
    X[:, 3] *= -1.0
    y = X[:, 0] - 2.0 * X[:, 1] + X[:, 2] * X[:, 3] + 0.1 * rng.normal(size=n)
    X[rng.random(X.shape) < missing] = np.nan
    return X, y, np.digitize(y, [-0.2, 0.2])


X, Y, C = words()
GR = {"n_estimators": 8, "max_depth": 3, "random_state": 0}


def same_trees(one, other):
    for row, other_row in zip(one, other, strict=True):
        for tree, like in zip(np.ravel(row), np.ravel(other_row), strict=True):
            tree, like = getattr(tree, "tree_", tree), getattr(like, "tree_", like)
            for name in vars(tree):
                np.testing.assert_array_equal(getattr(tree, name), getattr(like, name))


MODELS = {
    "regressor": (GradientBoostingRegressor, GR, Y),
    "absolute error": (GradientBoostingRegressor, {**GR, "loss": "absolute_error"}, Y),
    "several targets": (GradientBoostingRegressor, GR, np.c_[Y, -2.0 * Y]),
    "shared trees": (
        GradientBoostingRegressor,
        {**GR, "shared_trees": True},
        np.c_[Y, Y**2],
    ),
    "leaves": (
        GradientBoostingRegressor,
        {**GR, "max_leaf_nodes": 12, "max_depth": None},
        Y,
    ),
    "part of the rows": (GradientBoostingRegressor, {**GR, "subsample": 0.6}, Y),
    "drawn features": (GradientBoostingRegressor, {**GR, "max_features": 0.3}, Y),
    "momentum": (GradientBoostingRegressor, {**GR, "optimizer": "momentum"}, Y),
    "few bins": (GradientBoostingRegressor, {**GR, "max_bins": 5}, Y),
    "monotonic": (
        GradientBoostingRegressor,
        {**GR, "monotonic_cst": [1] * 5 + [0] * 25},
        Y,
    ),
    "two classes": (GradientBoostingClassifier, GR, C > 0),
    "three classes": (GradientBoostingClassifier, GR, C),
    "class weights": (
        GradientBoostingClassifier,
        {**GR, "class_weight": "balanced"},
        np.array(["a", "b", "c"])[C],
    ),
    "ada": (AdaBoostRegressor, {"n_estimators": 8, "random_state": 0}, Y),
    "ada, classes": (AdaBoostClassifier, {"n_estimators": 8, "random_state": 0}, C),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("case", MODELS)
def test_the_model_of_the_dense_matrix(case, missing, engine):
    cls, settings, y = MODELS[case]
    X = words(missing=missing)[0]
    weight = np.random.default_rng(1).integers(0, 3, size=N).astype(float)
    with config_context(engine=engine):
        dense = cls(**settings).fit(X, y, weight)
        thin = cls(**settings).fit(sparse.csr_array(X), y, weight)
        same_trees(dense.estimators_, thin.estimators_)
        for kind in FORMATS.values():
            np.testing.assert_array_equal(dense.predict(X), thin.predict(kind(X)))
        for one, other in zip(
            dense.staged_predict(X),
            thin.staged_predict(sparse.csc_array(X)),
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)
        assert dense.score(X, y) == thin.score(sparse.csr_array(X), y)
        if hasattr(thin, "apply"):
            np.testing.assert_array_equal(
                dense.apply(X), thin.apply(sparse.csr_array(X))
            )
        if hasattr(thin, "predict_proba"):
            np.testing.assert_array_equal(
                dense.predict_proba(X), thin.predict_proba(sparse.csr_array(X))
            )
    np.testing.assert_array_equal(dense.feature_importances_, thin.feature_importances_)
    # A model of dense rows takes sparse ones, and the other way round.
    np.testing.assert_array_equal(dense.predict(sparse.csr_array(X)), thin.predict(X))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int8, bool])
def test_types_of_entries(dtype):
    made = np.round(3 * X).astype(dtype)
    dense = GradientBoostingRegressor(**GR).fit(made, Y)
    thin = GradientBoostingRegressor(**GR).fit(sparse.csr_array(made), Y)
    same_trees(dense.estimators_, thin.estimators_)
    np.testing.assert_array_equal(
        dense.predict(made), thin.predict(sparse.csr_array(made))
    )


@pytest.mark.parametrize("kind", FORMATS)
def test_validation_data(kind):
    X_val, y_val, _ = words(seed=1)
    weight = np.random.default_rng(2).integers(0, 2, size=N).astype(float)
    settings = {**GR, "n_estimators": 30, "n_iter_no_change": 3, "scoring": "r2"}
    dense = GradientBoostingRegressor(**settings).fit(
        X, Y, X_val=X_val, y_val=y_val, sample_weight_val=weight
    )
    made = FORMATS[kind]
    thin = GradientBoostingRegressor(**settings).fit(
        made(X), Y, X_val=made(X_val), y_val=y_val, sample_weight_val=weight
    )
    assert dense.history_ == thin.history_
    assert dense.best_iteration_ == thin.best_iteration_


@pytest.mark.parametrize("scoring", ["loss", "accuracy"])
def test_a_part_held_out(scoring):
    settings = {**GR, "n_estimators": 30, "n_iter_no_change": 3, "scoring": scoring}
    dense = GradientBoostingClassifier(**settings).fit(X, C)
    thin = GradientBoostingClassifier(**settings).fit(sparse.coo_array(X), C)
    assert dense.history_ == thin.history_
    same_trees(dense.estimators_, thin.estimators_)


def test_going_on():
    settings = {**GR, "warm_start": True}
    dense = GradientBoostingRegressor(**settings).fit(X, Y)
    thin = GradientBoostingRegressor(**settings).fit(sparse.csr_array(X), Y)
    for made, fitted in ((X, dense), (sparse.csr_array(X), thin)):
        fitted.set_params(n_estimators=12).fit(made, Y)
    same_trees(dense.estimators_, thin.estimators_)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_categories_among_sparse_columns(missing):
    rng = np.random.default_rng(0)
    made, y, _ = words()
    made[:, 4] = rng.integers(-2, 4, size=N)  # the code of 0 is not 0
    made[:, 9] = rng.integers(0, 3, size=N)
    y = y + np.array([2.0, -1.0, 3.0])[made[:, 9].astype(int)] + made[:, 4] ** 2
    made[rng.random(made.shape) < missing] = np.nan
    settings = {**GR, "categorical_features": [4, 9]}
    dense = GradientBoostingRegressor(**settings).fit(made, y)
    thin = GradientBoostingRegressor(**settings).fit(sparse.csr_array(made), y)
    same_trees(dense.estimators_, thin.estimators_)
    assert dense.estimators_[0][0].set_of.max() >= 0
    np.testing.assert_array_equal(
        dense.predict(made), thin.predict(sparse.csc_array(made))
    )
    alone = GradientBoostingRegressor(**{**GR, "categorical_features": [0, 1]})
    two = made[:, [4, 9]]
    np.testing.assert_array_equal(
        alone.fit(sparse.csr_array(two), y).predict(sparse.csr_array(two)),
        alone.fit(two, y).predict(two),
    )


def test_a_table_of_sparse_columns():
    table = pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(X))
    table.columns = [f"word {j}" for j in range(X.shape[1])]
    thin = GradientBoostingRegressor(**GR).fit(table, Y)
    dense = GradientBoostingRegressor(**GR).fit(X, Y)
    same_trees(dense.estimators_, thin.estimators_)
    assert thin.feature_names_in_[1] == "word 1"
    np.testing.assert_array_equal(thin.predict(table), dense.predict(X))


def test_in_a_pipeline_of_text():
    texts = np.array(["red apple", "green apple", "red car", "fast car", "old tree"])
    y = np.arange(N) % 5
    model = make_pipeline(TfidfVectorizer(), GradientBoostingClassifier(**GR))
    assert model.fit(texts[y], y).score(texts[y], y) == 1.0


OTHERS = {
    "gradient": (GradientBoostingRegressor, Ridge(), Y),
    "gradient, trees": (GradientBoostingClassifier, DecisionTreeRegressor(), C),
    "ada": (AdaBoostRegressor, Ridge(), Y),
    "ada, classes": (AdaBoostClassifier, DecisionTreeClassifier(max_depth=2), C),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_learners_get_sparse_rows(case):
    cls, learner, y = OTHERS[case]
    settings = {"estimator": learner, "n_estimators": 4, "random_state": 0}
    weight = np.arange(N) % 3 + 0.0
    dense = cls(**settings).fit(X, y, weight)
    thin = cls(**settings).fit(sparse.csr_array(X), y, weight)
    # Solvers and ties differ between the forms of X within scikit-learn.
    score = dense.score(X, y)
    assert score > 0.5
    assert thin.score(sparse.csr_array(X), y) == pytest.approx(score, abs=0.1)
    assert next(iter(thin.staged_predict(sparse.csr_array(X)))).shape == y.shape
    assert thin.__sklearn_tags__().input_tags.sparse


def test_a_first_model_of_sparse_rows():
    settings = {**GR, "init": LinearRegression()}
    thin = GradientBoostingRegressor(**settings).fit(sparse.csr_array(X), Y)
    dense = GradientBoostingRegressor(**settings).fit(X, Y)
    np.testing.assert_allclose(
        thin.predict(sparse.csr_array(X)), dense.predict(X), atol=1e-3
    )


class DenseOnly(KNeighborsRegressor):
    """A regressor that says it takes dense rows alone."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


@pytest.mark.parametrize(
    "model",
    [
        GradientBoostingRegressor(estimator=DenseOnly()),
        GradientBoostingRegressor(init=DenseOnly()),
        AdaBoostRegressor(estimator=DenseOnly()),
    ],
)
def test_tags_follow_the_parts(model):
    assert not model.__sklearn_tags__().input_tags.sparse
    assert type(model)().__sklearn_tags__().input_tags.sparse


def test_bad_entries_and_shapes():
    model = GradientBoostingRegressor(**GR)
    wrong = sparse.csr_array(X)
    wrong.data[3] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.fit(wrong, Y)
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(sparse.csr_array(X), Y[:-1])
    model.fit(sparse.csr_array(X), Y)
    with pytest.raises(ValueError, match="30 features"):
        model.predict(sparse.csr_array(X[:, :7]))


def test_sparse_rows_are_not_changed_and_not_made_dense(monkeypatch):
    given = sparse.csc_array(sparse.random_array((N, 5000), density=0.002, rng=0))
    given.data[::5] = 0.0  # stored zeros
    kept = [given.data.copy(), given.indices.copy(), given.indptr.copy()]
    largest = []
    plain = sparse.csr_array.toarray

    def watched(self, *args, **settings):
        largest.append(self.shape[1])
        return plain(self, *args, **settings)

    for cls in (sparse.csr_array, sparse.csc_array):
        monkeypatch.setattr(cls, "toarray", watched)
    model = GradientBoostingRegressor(**{**GR, "subsample": 0.5})
    model.fit(given, Y, X_val=given, y_val=Y).predict(given)
    assert max(largest) <= 1 + 7 * GR["n_estimators"]  # columns that trees ask for
    for array, before in zip(
        (given.data, given.indices, given.indptr), kept, strict=True
    ):
        np.testing.assert_array_equal(array, before)
