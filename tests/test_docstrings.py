"""Docstrings are complete, and true to the signatures."""

import ast
import importlib
import inspect
import pkgutil
import re

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate
from structured import TARGETS

import skdl
from skdl import (
    MLPClassifier,
    NetworkFeatures,
    RNNTagger,
    StrokeGenerator,
    config_context,
)
from skdl.text import SymbolTokenizer, Tokenizer

MODULES = [
    "skdl",
    *(
        info.name
        for info in pkgutil.walk_packages(skdl.__path__, "skdl.")
        if not any(part.startswith("_") for part in info.name.split("."))
    ),
]

# What numpydoc checks, without matters of taste: longer summaries, examples and
# cross-references everywhere, and capital letters where a formula begins.
TASTE = {"ES01", "EX01", "SA01", "RT02", "SS02", "PR08", "RT04", "GL08"}


def public_objects():
    """Return every public function, class, method and property by its full name."""
    found, seen = {}, set()
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if id(value) in seen:  # also public elsewhere
                continue
            seen.add(id(value))
            found[f"{module_name}.{name}"] = value
            if not inspect.isclass(value):
                continue
            for member, raw in vars(value).items():
                kinds = (property, classmethod, staticmethod)
                public = not member.startswith("_")
                if public and (inspect.isfunction(raw) or isinstance(raw, kinds)):
                    found[f"{module_name}.{name}.{member}"] = getattr(value, member)
    return found


OBJECTS = public_objects()
CLASSES = {name: obj for name, obj in OBJECTS.items() if inspect.isclass(obj)}
FUNCTIONS = {name: obj for name, obj in OBJECTS.items() if callable(obj)}


def is_record(obj):
    """Return whether a class is a tuple of named fields, a data class or a protocol."""
    return inspect.isclass(obj) and (
        hasattr(obj, "_fields")
        or hasattr(obj, "__dataclass_fields__")
        or getattr(obj, "_is_protocol", False)
    )


# Classes and functions, a registry's methods that stand for functions among them; not
# the methods of classes.
NAMES = {
    name: obj
    for name, obj in OBJECTS.items()
    if name.rpartition(".")[0] in MODULES
    and (inspect.isclass(obj) or inspect.isroutine(obj))
}


def test_modules_have_docstrings():
    for name in MODULES:
        text = importlib.import_module(name).__doc__
        assert text, name
        assert text.strip().split("\n")[0].endswith("."), name


@pytest.mark.parametrize("name", OBJECTS)
def test_numpydoc(name):
    obj = OBJECTS[name]
    assert inspect.getdoc(obj), f"{name} has no docstring, nor has its base"
    skipped = TASTE | ({"PR01"} if is_record(obj) else set())
    errors = [
        f"{code}: {message}"
        for code, message in validate(name)["errors"]
        if code not in skipped
    ]
    assert not errors


def has_examples(obj):
    """Return whether a class or function shows code; of a class its base's are not."""
    text = vars(obj).get("__doc__") if inspect.isclass(obj) else inspect.getdoc(obj)
    parsed = NumpyDocString(inspect.cleandoc(text or ""))
    return any(line.startswith(">>> ") for line in parsed["Examples"])


@pytest.mark.parametrize("name", NAMES)
def test_public_names_have_examples(name):
    assert has_examples(NAMES[name])


@pytest.mark.parametrize("name", [n for n, c in CLASSES.items() if is_record(c)])
def test_fields_of_records_are_described(name):
    cls = CLASSES[name]
    of_protocol = inspect.get_annotations(cls)
    of_record = getattr(cls, "__dataclass_fields__", of_protocol)
    fields = list(getattr(cls, "_fields", of_record))
    text = NumpyDocString(inspect.getdoc(cls))
    described = text["Attributes"] or text["Parameters"]
    assert [name for field in described for name in field.name.split(", ")] == fields


def described_defaults(obj):
    """Return the defaults that a docstring gives, as text, by parameter."""
    found = {}
    for parameter in NumpyDocString(inspect.getdoc(obj))["Parameters"]:
        match = re.search(r"default[= ](.+)$", parameter.type)
        names = [name.strip() for name in parameter.name.split(",")]
        texts = [match[1]] if match else [None]
        if match and len(names) > 1 and not match[1].startswith(("(", "[")):
            texts = [text.strip() for text in match[1].split(",")]
        if len(texts) == 1:
            texts *= len(names)
        found |= dict(zip(names, texts, strict=True))
    return found


def value_of(text):
    """Return the value of a default as it is written."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        if text in ("inf", "nan"):
            return float(text)
        return text.replace("np.", "numpy.")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_defaults_are_those_of_the_signature(name):
    obj = FUNCTIONS[name]
    own = obj.__doc__ if not inspect.isclass(obj) else vars(obj).get("__doc__")
    if not own or is_record(obj):
        return  # described by its base, or by its fields
    if inspect.isclass(obj) and (
        obj.__init__ is ValueError.__init__ or issubclass(obj, Warning)
    ):
        return  # an exception that takes a message
    described = described_defaults(obj)
    for parameter in inspect.signature(obj).parameters.values():
        if parameter.name not in described:
            continue  # self; what is missing else, numpydoc has said
        text = described[parameter.name]
        if parameter.default is parameter.empty:
            assert text is None, f"{parameter.name} has no default"
            continue
        assert text is not None, f"{parameter.name} has a default"
        default = parameter.default
        if callable(default):  # numpy.empty
            default = f"{default.__module__}.{default.__name__}"
        assert value_of(text) == default, parameter.name


def texts_or_rows(cls, iris):
    """Return what an estimator can be fitted to."""
    if cls is RNNTagger:
        X, y = iris
        return X.reshape(15, 10, 4), y.reshape(15, 10)
    if cls is StrokeGenerator:
        return [np.c_[iris[0][:, :2], iris[1] > 1].reshape(15, 10, 3)]
    if not cls.__module__.startswith("skdl.text"):
        return iris
    return ([["a", "b"]] if cls is SymbolTokenizer else ["a text"],)


# A base class leaves things to define.
@pytest.mark.parametrize(
    "name",
    [n for n, cls in CLASSES.items() if hasattr(cls, "fit") and cls is not Tokenizer],
)
def test_estimators_describe_their_attributes(name, iris):
    cls = CLASSES[name]
    net = {"max_iter": 5, "n_iter_no_change": "never", "random_state": 0}
    if cls is NetworkFeatures:
        made = cls(MLPClassifier(**net))
    elif cls.__module__.startswith("skdl.neural_network"):
        made = cls(**net)
    elif cls.__module__.startswith("skdl.text"):
        made = cls()
    else:
        made = cls(n_estimators=5, random_state=0)
    if hasattr(made, "early_stopping"):
        made.set_params(early_stopping=True)
    X, *y = texts_or_rows(cls, iris)
    if cls.__name__ in TARGETS:
        y = [TARGETS[cls.__name__](X, *y)]
    with config_context(engine="numpy"):  # compiles nothing
        made.fit(X, *y)
    described = {a.name for a in NumpyDocString(inspect.getdoc(cls))["Attributes"]}
    public = re.compile(r"^[a-z]\w*[a-z]_$|^t_$")
    have = {name for name in dir(made) if public.match(name)}
    assert described - {"feature_names_in_"} == have


@pytest.mark.parametrize("name", CLASSES)
def test_every_constructor_parameter_is_stored_under_its_name(name):
    cls = CLASSES[name]
    if not hasattr(cls, "get_params") or is_record(cls):
        return
    parameters = inspect.signature(cls).parameters
    assert not any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    required = [p for p in parameters.values() if p.default is p.empty]
    instance = cls(*(f"value of {p.name}" for p in required))
    params = instance.get_params(deep=False)
    assert set(params) == set(parameters)
    for p in parameters.values():
        if p.default is not p.empty:
            assert params[p.name] is p.default
