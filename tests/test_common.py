"""scikit-learn's own checks, over every public estimator there is."""

import importlib
import inspect
import pkgutil
import unittest

import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_estimator_cloneable,
    check_estimator_repr,
    check_global_output_transform_pandas,
    check_global_set_output_transform_polars,
    check_inplace_ensure_writeable,
    check_n_features_in_after_fitting,
    check_param_validation,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    parametrize_with_checks,
)
from structured import LocalizerOfNumbers, SegmentationOfLabels, StrokesOfNumbers

import skdl
from skdl import MLPClassifier, NetworkFeatures, SuperResolution, config_context
from skdl.layers import Conv2D
from skdl.optimizers import Adam

SMALL = [Conv2D(8, padding="same"), "relu"]

QUICK = {"cell": "gru", "optimizer": Adam(0.03), "max_iter": 60}

# Estimators that cannot be made without arguments, that take long, or whose
# randomness is an inner estimator's.
MADE = {
    "NetworkFeatures": lambda: NetworkFeatures(MLPClassifier(random_state=0)),
    # The defaults pass too; these are a fifth of the work.
    "RNNClassifier": lambda: skdl.RNNClassifier(8, **QUICK),
    "RNNRegressor": lambda: skdl.RNNRegressor(8, **QUICK),
    # As many symbols as there are numbers in X: a softmax that takes its time.
    "RNNLanguageModel": lambda: skdl.RNNLanguageModel(
        hidden_layer_sizes=16, embedding=8, max_iter=5
    ),
    "Seq2Seq": lambda: skdl.Seq2Seq(8, cell="gru", embedding=4, max_iter=5),
    # The checks' targets are labels and numbers.
    "ObjectLocalizer": LocalizerOfNumbers,
    "SegmentationClassifier": lambda: SegmentationOfLabels(SMALL),
    "SuperResolution": lambda: SuperResolution(SMALL),
    # The checks' rows are no drawings.
    "StrokeGenerator": lambda: StrokesOfNumbers(
        4, cell="gru", n_components=2, max_iter=3
    ),
    "RNNTagger": lambda: skdl.RNNTagger(4, **QUICK | {"max_iter": 3}),
}


def public_modules():
    """Return `skdl` and every subpackage or module without an underscore."""
    names = [
        info.name
        for info in pkgutil.walk_packages(skdl.__path__, "skdl.")
        if not any(part.startswith("_") for part in info.name.split("."))
    ]
    return [skdl, *map(importlib.import_module, names)]


def discovered():
    """Return an instance of every public class with `fit`."""
    classes = {
        value
        for module in public_modules()
        for value in map(vars(module).get, getattr(module, "__all__", ()))
        if inspect.isclass(value) and hasattr(value, "fit")
    }
    assert all(issubclass(cls, BaseEstimator) for cls in classes)
    ordered = sorted(classes, key=lambda cls: cls.__name__)
    return [MADE.get(cls.__name__, cls)() for cls in ordered]


DISCOVERED = discovered()
ESTIMATORS = [e for e in DISCOVERED if get_tags(e).input_tags.two_d_array]
TOKENIZERS = [e for e in DISCOVERED if e not in ESTIMATORS]  # take texts alone
NAMES = [type(estimator).__name__ for estimator in ESTIMATORS]
TRANSFORMERS = [e for e in ESTIMATORS if hasattr(e, "transform")]

# Not among the checks of `check_estimator`, or only for scikit-learn's own.
MORE_CHECKS = [
    check_dataframe_column_names_consistency,
    check_estimator_cloneable,
    check_estimator_repr,
    check_inplace_ensure_writeable,
    check_n_features_in_after_fitting,
    check_param_validation,
]
TRANSFORMER_CHECKS = [
    check_global_output_transform_pandas,
    check_global_set_output_transform_polars,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
]

BOOSTERS = [e for e in ESTIMATORS if type(e).__module__.startswith("skdl.boosting")]

# Checks that say themselves that they do not apply.
NOT_FOR_US = ("SCIPY_ARRAY_API is not set", "does not have a decision_function method")

# The checks train for a few epochs only, or with settings that warn for good reason.
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:batch_size=.* is larger:UserWarning",
    "ignore:.*tokens were not seen:skdl.text.UnknownTokenWarning",
    # The checks of set_output fit with names and transform without, or vice versa.
    "ignore:X (has|does not have valid) feature names:UserWarning",
)


def test_discovery_finds_the_estimators():
    assert "NetworkFeatures" in NAMES
    kinds = ("GradientBoosting", "AdaBoost", "MLP", "CNN", "RNN")
    assert {k + s for k in kinds for s in ("Classifier", "Regressor")} <= set(NAMES)


def run(check, estimator):
    try:
        check(estimator)
    except unittest.SkipTest as reason:
        assert any(known in str(reason) for known in NOT_FOR_US)  # noqa: PT017


def expected_failures(estimator):
    """Return the checks that do not hold, with our reason."""
    equivalence = [
        f"check_sample_weight_equivalence_on_{kind}_data"
        for kind in ("dense", "sparse")
    ]
    order = [f"check_methods_{kind}_invariance" for kind in ("sample_order", "subset")]
    context = "rows are steps of one sequence: answers depend on those around"
    reasons = {
        "AdaBoostRegressor": dict.fromkeys(
            equivalence, "AdaBoost.R2 learns from weighted bootstraps"
        ),
        "RNNTagger": dict.fromkeys([equivalence[0], *order], context),
    }
    return reasons.get(type(estimator).__name__, {})


# On the engine of users; `.ci/run` repeats it with SKDL_ENGINE=numpy.
@parametrize_with_checks(
    [e for e in ESTIMATORS if e not in BOOSTERS],
    expected_failed_checks=expected_failures,
)
def test_estimator(estimator, check):
    run(check, estimator)


@parametrize_with_checks(BOOSTERS, expected_failed_checks=expected_failures)
def test_booster(estimator, check):
    run(check, estimator)


# The reference takes its time: fewer trees.
@parametrize_with_checks(
    [clone(e).set_params(n_estimators=15, learning_rate=0.5) for e in BOOSTERS],
    expected_failed_checks=expected_failures,
)
def test_booster_without_numba(estimator, check):
    with config_context(engine="numpy"):
        run(check, estimator)


@pytest.mark.parametrize("check", MORE_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=NAMES)
def test_more(estimator, check):
    check(type(estimator).__name__, estimator)


@pytest.mark.parametrize("check", [check_estimator_cloneable, check_estimator_repr])
@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda e: type(e).__name__)
def test_tokenizer(tokenizer, check):
    check(type(tokenizer).__name__, tokenizer)


@pytest.mark.parametrize("check", TRANSFORMER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=lambda e: type(e).__name__)
def test_transformer(estimator, check):
    check(type(estimator).__name__, estimator)
