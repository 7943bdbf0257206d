"""Sequences in all their forms, and what is no sequence."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from skdl import RNNClassifier, RNNRegressor
from skdl.text import UnknownTokenWarning, WordTokenizer

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

FAST = {"hidden_layer_sizes": 4, "max_iter": 2, "random_state": 0}
RNG = np.random.default_rng(0)
LENGTHS = [3, 5, 2, 4, 5, 1, 3, 2]
LISTS = [RNG.normal(size=(n, 2)) for n in LENGTHS]
SCALARS = [sequence[:, 0] for sequence in LISTS]
Y = np.arange(8) % 2


def padded(sequences, value=np.nan):
    """Return sequences in one array, a value behind their ends."""
    width = max(map(len, sequences))
    ends = [(0, width), *[(0, 0)] * (sequences[0].ndim - 1)]
    return np.stack(
        [
            np.pad(s, [(0, width - len(s)), *ends[1:]], constant_values=value)
            for s in sequences
        ]
    )


def masked(sequences):
    array = padded(sequences, 7.0)
    return np.ma.masked_array(array, np.isnan(padded(sequences)))


def objects(sequences):
    array = np.empty(len(sequences), object)
    array[:] = sequences
    return array


FORMS = {
    "list": LISTS,
    "tuple": tuple(LISTS),
    "lists": [sequence.tolist() for sequence in LISTS],
    "objects": objects(LISTS),
    "series": pd.Series(LISTS),
    "frames": [pd.DataFrame(sequence) for sequence in LISTS],
    "NaN": padded(LISTS),
    "masked": masked(LISTS),
    "Fortran": np.asfortranarray(padded(LISTS)),
}
SCALAR_FORMS = {
    "list": SCALARS,
    "lists": [sequence.tolist() for sequence in SCALARS],
    "objects": objects(SCALARS),
    "one column": [sequence[:, None] for sequence in SCALARS],
    "NaN": padded(SCALARS),
    "masked": masked(SCALARS),
    "frame": pd.DataFrame(padded(SCALARS), columns=[f"t{i}" for i in range(5)]),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_are_the_same(form):
    expected = RNNClassifier(**FAST).fit(LISTS, Y)
    net = RNNClassifier(**FAST).fit(FORMS[form], Y)
    np.testing.assert_array_equal(
        net.predict_proba(FORMS[form]), expected.predict_proba(LISTS)
    )
    assert net.n_features_in_ == 2


@pytest.mark.parametrize("form", SCALAR_FORMS)
def test_forms_of_single_numbers_are_the_same(form):
    expected = RNNRegressor(**FAST).fit(SCALARS, Y)
    net = RNNRegressor(**FAST).fit(SCALAR_FORMS[form], Y)
    got = net.predict(SCALAR_FORMS[form])
    np.testing.assert_array_equal(got, expected.predict(SCALARS))
    is_table = form in ("NaN", "masked", "frame")
    assert net.n_features_in_ == (5 if is_table else 1)
    assert hasattr(net, "feature_names_in_") == (form == "frame")


def test_sequences_of_one_length_are_an_array():
    X = RNG.normal(size=(8, 3, 2))
    expected = RNNClassifier(**FAST).fit(X, Y).predict_proba(X)
    got = RNNClassifier(**FAST).fit(list(X), Y).predict_proba(list(X))
    np.testing.assert_array_equal(got, expected)


def test_a_table_takes_lists_of_any_length_in_predict():
    X = padded(SCALARS, 0.0)
    net = RNNRegressor(**FAST).fit(X, Y)
    assert net.predict([X[0], X[1][:2]]).shape == (2,)
    with pytest.raises(ValueError, match="X has 3 features, but RNNRegressor is expec"):
        net.predict(X[:, :3])


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_changes_no_answer(pooling, bidirectional):
    net = RNNClassifier(**FAST, pooling=pooling, bidirectional=bidirectional)
    net.fit(LISTS, Y)
    together = net.predict_proba(LISTS)
    alone = np.concatenate([net.predict_proba([sequence]) for sequence in LISTS])
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    wider = np.pad(padded(LISTS), [(0, 0), (0, 9), (0, 0)], constant_values=np.nan)
    np.testing.assert_allclose(net.predict_proba(wider), alone, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, object])
def test_types_of_numbers(dtype):
    X = [(10 * sequence).astype(dtype) for sequence in LISTS]
    net = RNNClassifier(**FAST).fit(X, Y)
    assert net.network_.dtype == (np.float32 if dtype == np.float32 else np.float64)
    as_float = [sequence.astype(float) for sequence in X]
    expected = RNNClassifier(**FAST).fit(as_float, Y).predict_proba(as_float)
    np.testing.assert_allclose(net.predict_proba(X), expected, rtol=1e-5)


# ---- symbols

WORDS = ["abba", "cab", "bab", "a", "aaab", "cc", "ba", "acab"]


def test_strings_are_sequences_of_symbols():
    forms = [WORDS, np.array(WORDS), [list(word) for word in WORDS]]
    numbers = [[ord(c) for c in word] for word in WORDS]
    answers = [
        RNNClassifier(**FAST, embedding=3).fit(X, Y).predict_proba(X)
        for X in (*forms, numbers)
    ]
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer, answers[0])
    assert answers[0].dtype == np.float32


def test_unknown_symbols_are_counted():
    net = RNNClassifier(**FAST, embedding=3).fit(WORDS, Y)
    with pytest.warns(UnknownTokenWarning, match=r"3 of 6 tokens .* \('x', 'y', 'z'\)"):
        p = net.predict_proba(["axy", "aza"])
    assert np.isfinite(p).all()


def test_words_from_a_tokenizer():
    texts = ["it is good", "it is bad", "how good", "bad"] * 4
    net = RNNClassifier(**FAST | {"max_iter": 40}, embedding=3)
    net.set_params(optimizer__learning_rate=0.05)
    model = make_pipeline(WordTokenizer(), net).fit(texts, [1, 0, 1, 0] * 4)
    assert model.predict(["it is good", "bad"]).tolist() == [1, 0]


def test_symbols_through_callbacks_and_scorers():
    net = RNNClassifier(**FAST, embedding=3, scoring="roc_auc", early_stopping=True)
    net.fit(WORDS, Y, X_val=WORDS, y_val=Y)
    best = roc_auc_score(Y, net.predict_proba(WORDS)[:, 1])
    assert net.best_validation_score_ == best


# ---- what is wrong

HOLE = padded(LISTS)
HOLE[1, 2] = np.nan
HALF = padded(LISTS)
HALF[0, 4] = [np.nan, 1.0]
EMPTY = padded(LISTS)
EMPTY[3] = np.nan
INSIDE = np.ma.masked_array(np.zeros((8, 3, 1)), np.zeros((8, 3, 1), bool))
INSIDE[2, 0] = np.ma.masked

WRONG = {
    "features": ([*LISTS[:7], np.ones((3, 4))], "sequence 0 has 2, sequence 7 has 4"),
    "empty": ([*LISTS[:7], np.ones((0, 2))], r"Sequence 7 is empty \(shape \(0, 2\)"),
    "no features": ([np.ones((3, 0))] * 8, "Sequence 0 is empty"),
    "none": ([], "X has no sequences"),
    "numbers": ([1.0, 2.0] * 4, r"sequence 0 is a single number.*\[X\]"),
    "row": (np.arange(8.0), "Expected 2D array, got 1D array"),
    "steps differ": ([[[1, 2], [3]], *LISTS[1:]], "Sequence 0 is no array"),
    "deep": ([np.ones((2, 2, 2))] * 8, r"sequence 0 is of shape \(2, 2, 2\)"),
    "4-d": (np.ones((8, 2, 2, 2)), r"X must be a list .* got shape \(8, 2, 2, 2\)"),
    "NaN": ([*LISTS[:7], np.full((3, 2), np.nan)], "contains NaN: sequence 7, step 0"),
    "infinite": ([*LISTS[:7], [[1, 2], [np.inf, 1]]], "infinity: sequence 7, step 1"),
    "infinite array": (np.full((8, 2, 2), np.inf), "contains infinity"),
    "hole": (HOLE, "sequence 1 misses numbers at step 2, before its end at step 4"),
    "half a step": (HALF, "sequence 0 misses numbers at step 3"),
    "all NaN": (EMPTY, "sequence 3 is missing as a whole"),
    "hole in a mask": (INSIDE, "sequence 2 misses numbers at step 0"),
    "words": (WORDS, r"X holds symbols and no numbers.*set embedding="),
    "sparse": (sparse.csr_array(np.eye(8)), "Sparse data was passed|sparse"),
    "sparse parts": ([sparse.csr_array(np.eye(8))] * 8, "Sequence 0 is sparse"),
    "fewer": (LISTS[:7], r"inconsistent numbers of samples: \[7, 8\]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_sequences(case):
    X, message = WRONG[case]
    net = RNNClassifier(**FAST).fit(LISTS, Y)
    before = net.predict_proba(LISTS)
    with pytest.raises((ValueError, TypeError), match=message):
        net.fit(X, Y)
    np.testing.assert_array_equal(net.predict_proba(LISTS), before)


def test_other_features_in_predict():
    net = RNNClassifier(**FAST).fit(LISTS, Y)
    with pytest.raises(ValueError, match=r"3 features a step, .* expecting 2"):
        net.predict([np.ones((4, 3))])
    with pytest.raises(ValueError, match=r"1 features a step.*list around it: \[X\]"):
        net.predict(LISTS[0])


def test_symbols_that_do_not_fit():
    with pytest.raises(ValueError, match="one symbol at a step, got 2"):
        RNNClassifier(**FAST, embedding=3).fit(LISTS, Y)


SETTINGS = {
    "cell": ({"cell": "elman"}, "'cell' parameter of RNNClassifier"),
    "pooling": ({"pooling": "sum"}, "'pooling' parameter of RNNClassifier"),
    "no layers": ({"hidden_layer_sizes": ()}, "at least one recurrent layer"),
    "no units": ({"hidden_layer_sizes": (4, 0)}, "must be positive integers"),
    "dropout": ({"dropout": [0.1, 0.2]}, "dropout has 2 entries for 1 hidden"),
    "all dropped": ({"dropout": 1.0}, "'rate' parameter of Dropout"),
    "embedding": ({"embedding": 0}, "'embedding' parameter of RNNClassifier"),
    "sequences": ({"layers": ["lstm"]}, r"gives samples of shape \(5, 64\)"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_wrong_settings(case):
    settings, message = SETTINGS[case]
    with pytest.raises(ValueError, match=message):
        RNNClassifier(**FAST | settings).fit(LISTS, Y)
