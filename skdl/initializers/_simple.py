"""Initializers that do not look at the fans."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdl._settings import NOT_NEGATIVE, NUMBER
from skdl.initializers._initializer import Initializer, register


@register("constant")
class Constant(Initializer):
    """Every entry the same: for biases. Equal weights never become different.

    Parameters
    ----------
    value : float, default=0.0
        The value.
    """

    _parameter_constraints: dict[str, Any] = {
        "value": NUMBER,
    }

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        return np.full(shape, float(self.value))


@register("zeros")
class Zeros(Initializer):
    """All zeros: for biases. As weights, the hidden units would stay equal for ever."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        return np.zeros(shape)


@register("ones")
class Ones(Initializer):
    """All ones: for scales."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        return np.ones(shape)


@register("normal")
class Normal(Initializer):
    """Normal with a fixed standard deviation, whatever the fans: the naive choice.

    Parameters
    ----------
    std : float, default=0.03
        Standard deviation; not negative.
    mean : float, default=0.0
        Mean.
    """

    _parameter_constraints: dict[str, Any] = {
        "std": NOT_NEGATIVE,
        "mean": NUMBER,
    }

    def __init__(self, std: float = 0.03, mean: float = 0.0) -> None:
        self.std = std
        self.mean = mean

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        return rng.normal(self.mean, self.std, shape)


@register("uniform")
class Uniform(Initializer):
    """Uniform between two bounds, whatever the fans.

    Parameters
    ----------
    low, high : float, default=-0.05, 0.05
        The bounds.
    """

    _parameter_constraints: dict[str, Any] = {
        "low": NUMBER,
        "high": NUMBER,
    }

    def __init__(self, low: float = -0.05, high: float = 0.05) -> None:
        self.low = low
        self.high = high

    def check_together(self) -> None:
        if self.low > self.high:
            raise ValueError(
                f"low must not exceed high, got low={self.low!r}, high={self.high!r}."
            )

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        return rng.uniform(self.low, self.high, shape)
