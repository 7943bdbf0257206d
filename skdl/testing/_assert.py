"""Assertions that say what was expected and what came."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from sklearn.base import clone

from skdl._typing import Array


def check_parameter_object(obj: Any) -> None:
    """Check that an object clones, pickles and prints from its parameters alone."""
    copies = {
        "clone": clone(obj),
        "set_params": clone(obj).set_params(**obj.get_params(deep=False)),
    }
    if "<locals>" not in type(obj).__qualname__:  # pickle finds classes by name
        copies["pickle"] = pickle.loads(pickle.dumps(obj))
    assert repr(obj).startswith(type(obj).__name__), f"repr is {obj!r}"
    for how, other in copies.items():
        equal(type(other), type(obj), f"{obj!r}: type after {how}")
        equal(repr(other), repr(obj), f"parameters after {how}")


def attributes(obj: Any) -> dict[str, str]:
    """Return what an object's attributes print."""
    return {name: repr(value) for name, value in vars(obj).items()}


def equal(got: Any, expected: Any, what: str) -> None:
    """Check that two values are equal."""
    assert got == expected, f"{what}: expected {expected}, got {got}"


def finite(array: Array, what: str) -> None:
    """Check that an array holds finite numbers alone."""
    bad = int(np.size(array) - np.isfinite(array).sum())
    assert not bad, f"{what} must be finite, got {bad} NaN or infinite values"


def same(got: Any, expected: Any, what: str) -> None:
    """Assert the same bits."""
    assert np.array_equal(got, expected, equal_nan=True), (
        f"{what} must be the same bits, expected {expected}, got {got}"
    )


def close(
    got: Any, expected: Any, what: str, rtol: float = 1e-9, atol: float = 0.0
) -> None:
    got, expected = np.asarray(got), np.asarray(expected)
    equal(got.shape, expected.shape, f"{what}: shape")
    error = np.abs(got - expected)
    size = np.maximum(np.abs(got), np.abs(expected))
    wrong = ~(error <= rtol * size + atol)
    if wrong.any():
        i = np.unravel_index(np.argmax(np.where(wrong, error, -1.0)), error.shape)
        relative = error[i] / max(float(size[i]), 1e-300)
        where = f" at {tuple(map(int, i))}" if i else ""
        raise AssertionError(
            f"{what}{where}: expected {expected[i]:.10g}, got {got[i]:.10g}, a "
            f"relative error of {relative:.1e} where {rtol:.0e} is allowed"
        )
