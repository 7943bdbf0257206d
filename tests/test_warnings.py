"""A warning points to the line of the user, whatever calls whatever in between."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from test_common import ESTIMATORS, NAMES

from skdl import MLPClassifier, RNNLanguageModel, Seq2Seq, config_context, text

HERE = Path(__file__).parent


def data(estimator):
    """Return rows, and targets in a column, which estimators warn of."""
    X = np.random.default_rng(0).integers(0, 3, (12, 9)).astype(float)
    y = X[:, 0] > 0 if is_classifier(estimator) else X[:, 0]
    return X, y[:, None]


def warned(call, *args):
    """Return the warnings of a call, and check where they point to."""
    with warnings.catch_warnings(record=True) as caught, config_context(engine="numpy"):
        warnings.simplefilter("always")
        call(*args)
    places = {(Path(w.filename).parent, str(w.message)) for w in caught}
    assert {place for place, _ in places} <= {HERE}, places
    return [w.category.__name__ for w in caught]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=NAMES)
def test_fit(estimator):
    new = clone(estimator)
    X, y = data(new)
    settings = {
        "batch_size": 1000,
        "max_iter": 1,
        "n_estimators": 2,
        "n_iter_no_change": 5,
    }
    new.set_params(**{k: v for k, v in settings.items() if hasattr(new, k)})
    seen = warned(new.fit, X, y)
    quiet = isinstance(new, RNNLanguageModel) or not hasattr(new, "max_iter")
    assert "ConvergenceWarning" in seen or quiet
    again = make_pipeline(FunctionTransformer(), clone(new))
    assert warned(again.fit, X, y) == seen
    if hasattr(new, "partial_fit"):
        warned(new.partial_fit, X, y)


@pytest.mark.parametrize(
    "model",
    [
        MLPClassifier((2,)),
        RNNLanguageModel(hidden_layer_sizes=2, embedding=2),
    ],
    ids=["MLPClassifier", "RNNLanguageModel"],
)
def test_partial_fit_that_has_stopped(model):
    model.set_params(early_stopping=True, n_iter_no_change=1, tol=1e9)
    X, y = data(model)
    with_y = isinstance(model, MLPClassifier)
    args, more = ((X, y), {"y_val": y}) if with_y else ((X,), {})

    def part():
        return warned(lambda: model.partial_fit(*args, X_val=X, **more))

    seen = [*part(), *part(), *part()]
    assert seen.count("ConvergenceWarning") == 1


def test_unknown_symbols():
    texts = ["abab", "ba", "aab", "bbb"]
    model = RNNLanguageModel(hidden_layer_sizes=2, embedding=2, max_iter=1)
    assert not warned(model.fit, texts)
    for method in (model.score_samples, make_pipeline(model).score):
        assert warned(method, ["abc"]) == ["UnknownTokenWarning"]
    assert warned(text.get("char").fit(texts).transform, ["abc"])
    translator = Seq2Seq(2, cell="gru", embedding=2, max_iter=1)
    warned(translator.fit, texts, texts)
    assert warned(translator.predict, ["abc"]) == ["UnknownTokenWarning"]
