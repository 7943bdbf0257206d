"""Receptive fields of fitted models."""

import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPClassifier
from skdl.inspection import receptive_field
from skdl.layers import Conv2D, GlobalAvgPool
from skdl.networks import Network, receptive_fields


def test_of_a_network():
    layers, shape = [Conv2D(2, 3), "relu", Conv2D(2, 5, 2), GlobalAvgPool()], (12, 9, 1)
    fields = receptive_field(Network(layers, shape))
    assert fields == receptive_fields(layers, shape)
    assert [f.size for f in fields] == [(3, 3), (3, 3), (7, 7), (11, 9)]


def test_of_estimators(iris):
    net = MLPClassifier((3,), max_iter=2, n_iter_no_change="never").fit(*iris)
    keys = [field.key for field in receptive_field(net)]
    assert keys == ["0", "1", "2"]
    pipe = make_pipeline(StandardScaler(), net).fit(*iris)
    assert [field.key for field in receptive_field(pipe)] == keys


def test_what_has_none(iris):
    with pytest.raises(NotFittedError):
        receptive_field(MLPClassifier())
    with pytest.raises(TypeError, match="LinearRegression has no network"):
        receptive_field(LinearRegression().fit(*iris))
    with pytest.raises(TypeError, match=r"receptive_fields"):
        receptive_field([Conv2D()])
