"""Models in one picture are named by what sets them apart."""

import re

import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import GradientBoostingRegressor, MLPClassifier, MLPRegressor
from skdl.inspection._names import named
from skdl.optimizers import Adam
from skdl.schedules import Cosine

NET = MLPClassifier()
LISTS = {
    "one": ([NET], ["MLPClassifier"]),
    "classes": ([NET, MLPRegressor()], ["MLPClassifier", "MLPRegressor"]),
    "a setting": (
        [NET, MLPClassifier(alpha=0.5)],
        ["MLPClassifier(alpha=0.0001)", "MLPClassifier(alpha=0.5)"],
    ),
    "two settings, one the same": (
        [
            MLPRegressor((5,), alpha=0.5, random_state=i, dropout=0.1 * i)
            for i in range(2)
        ],
        [
            "MLPRegressor(dropout=0.0, random_state=0)",
            "MLPRegressor(dropout=0.1, random_state=1)",
        ],
    ),
    "inner settings": (
        [MLPRegressor(optimizer=Adam(rate)) for rate in (0.1, 0.2)],
        [
            "MLPRegressor(optimizer__learning_rate=0.1)",
            "MLPRegressor(optimizer__learning_rate=0.2)",
        ],
    ),
    "inner settings of inner settings": (
        [MLPRegressor(optimizer=Adam(Cosine(rate))) for rate in (0.1, 0.2)],
        [
            "MLPRegressor(optimizer__learning_rate__initial=0.1)",
            "MLPRegressor(optimizer__learning_rate__initial=0.2)",
        ],
    ),
    "a name and an object": (
        [MLPRegressor(optimizer=each) for each in ("sgd", Adam(0.2))],
        [
            "MLPRegressor(optimizer='sgd')",
            "MLPRegressor(optimizer=Adam(learning_rate=0.2))",
        ],
    ),
    "nothing that differs": (
        [NET, MLPRegressor(), NET],
        ["MLPClassifier 1", "MLPRegressor", "MLPClassifier 2"],
    ),
    "two alike and one not": (
        [Ridge(), Ridge(), Ridge(2.0)],
        ["Ridge(alpha=1.0) 1", "Ridge(alpha=1.0) 2", "Ridge(alpha=2.0)"],
    ),
    "Pipelines": (
        [make_pipeline(StandardScaler(), Ridge(alpha)) for alpha in (1.0, 3.0)],
        ["Pipeline(alpha=1.0)", "Pipeline(alpha=3.0)"],
    ),
    "Pipelines of other models": (
        [make_pipeline(PCA(), Ridge()), make_pipeline(NET), NET],
        ["Pipeline of Ridge", "Pipeline of MLPClassifier", "MLPClassifier"],
    ),
}


@pytest.mark.parametrize("case", LISTS)
def test_names(case):
    models, names = LISTS[case]
    found = named(models, None)
    assert list(found) == names
    assert list(found.values()) == models


def test_given_names():
    assert named([NET, NET], ["a", "b"]) == {"a": NET, "b": NET}
    assert named(NET, "mine") == {"mine": NET}
    assert named({"k": NET}, None) == {"k": NET}


def test_a_long_value_is_cut():
    signs = [[0] * 30, [0] * 40]
    models = [GradientBoostingRegressor(monotonic_cst=each) for each in signs]
    one, two = named(models, None)
    assert re.fullmatch(r"GradientBoosting\w+\(monotonic_cst=\[[0, ]+…\) 1", one)
    assert two == f"{one[:-1]}2"
    assert len(one) < 90
