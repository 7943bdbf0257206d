"""What is written down about types: fitted attributes are declared, `fit` is typed.

The type checkers themselves run over ``tests/typed``; see ``.ci/run``.
"""

import inspect
from typing import Self, get_type_hints

import pytest
from numpydoc.docscrape import ClassDoc

import skdl
from skdl._compat import BaseEstimator

ESTIMATORS = [
    value
    for name in skdl.__all__
    if inspect.isclass(value := getattr(skdl, name))
    and issubclass(value, BaseEstimator)
]
pytestmark = pytest.mark.parametrize("kind", ESTIMATORS, ids=lambda kind: kind.__name__)


def declared(kind):
    """Return the names with a type: annotations and properties, also inherited ones."""
    names = set(get_type_hints(kind, include_extras=True))
    for base in kind.__mro__:
        for name, value in vars(base).items():
            if isinstance(value, property) and "return" in value.fget.__annotations__:
                names.add(name)
    return names


def test_documented_attributes_are_declared(kind):
    documented = {entry.name for entry in ClassDoc(kind)["Attributes"]}
    documented = {name.strip() for names in documented for name in names.split(",")}
    assert "n_features_in_" in documented
    assert documented - declared(kind) == set()


def test_declared_attributes_are_documented(kind):
    documented = {entry.name for entry in ClassDoc(kind)["Attributes"]}
    documented = {name.strip() for names in documented for name in names.split(",")}
    public = {
        name
        for name in declared(kind)
        if name.endswith("_") and not name.startswith("_")
    }
    assert public - documented == set()


def test_what_returns_the_estimator_says_so(kind):
    for name in ("fit", "partial_fit", "initialize"):
        if method := getattr(kind, name, None):
            assert method.__annotations__["return"] in (Self, "Self")


def test_every_setting_has_a_type(kind):
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    assert all(p.annotation is not p.empty for p in parameters)
