"""Docstrings of inherited methods in the words of a class whose rows are no tables."""

from __future__ import annotations

from types import FunctionType
from typing import Any

# What the docstrings of `BaseNetwork` say, and what those of pictures say instead.
OF_PICTURES = {
    "{array-like, sparse matrix} of shape (n_samples, n_features)": (
        "array-like of shape (n_samples, h, w, c), (n_samples, h, w) or flat"
    ),
    "{array-like, sparse matrix} of shape (n_val, n_features)": (
        "array-like of shape (n_val, h, w, c), (n_val, h, w) or flat"
    ),
    "    Training data.": "    Training pictures.",
    "    Validation data": "    Validation pictures",
    "    Data.": "    Pictures; of other sizes, if the network ends in global pooling.",
    "    Data of the kind": "    Pictures of the kind",
    "Weights of the rows": "Weights of the pictures",
    "over the given rows": "over the given pictures",
}


def reword(cls: Any, words: dict[str, str]) -> None:
    """Give a class its own docstrings of the methods that it inherits.

    Parameters
    ----------
    cls : type
        The class; methods of its own stay as they are.
    words : dict of str to str
        What is replaced by what.
    """
    for name in dir(cls):
        method = getattr(cls, name, None)
        if name.startswith("_") or name in cls.__dict__:
            continue
        if not isinstance(method, FunctionType):
            continue
        doc = method.__doc__ or ""
        for old, new in words.items():
            doc = doc.replace(old, new)
        if doc != (method.__doc__ or ""):
            setattr(cls, name, _copy(method, doc, cls))


def _copy(method: FunctionType, doc: str, cls: Any) -> FunctionType:
    copy = FunctionType(
        method.__code__,
        method.__globals__,
        method.__name__,
        method.__defaults__,
        method.__closure__,
    )
    copy.__kwdefaults__ = method.__kwdefaults__
    copy.__dict__.update(method.__dict__)
    copy.__annotations__ = method.__annotations__
    copy.__module__ = cls.__module__
    copy.__qualname__ = f"{cls.__qualname__}.{method.__name__}"
    copy.__doc__ = doc
    return copy
