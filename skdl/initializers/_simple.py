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
        What every entry is.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import Constant
    >>> Constant(0.1)((3,), np.random.default_rng(0))
    array([0.1, 0.1, 0.1])
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
    """All zeros: for biases. As weights, the hidden units would stay equal for ever.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import Zeros
    >>> Zeros()((3,), np.random.default_rng(0), np.float32)
    array([0., 0., 0.], dtype=float32)
    """

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        return np.zeros(shape)


@register("ones")
class Ones(Initializer):
    """All ones: for scales.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import Ones
    >>> Ones()((3,), np.random.default_rng(0))
    array([1., 1., 1.])
    """

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        return np.ones(shape)


@register("normal")
class Normal(Initializer):
    """Normal with a fixed standard deviation, whatever the fans: the naive choice.

    Parameters
    ----------
    std : float, default=0.03
        Standard deviation; not negative. In deep networks too small a one lets
        activations fade from layer to layer, too large a one lets them grow.
    mean : float, default=0.0
        What entries lie around; weights want 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import Normal
    >>> W = Normal(std=0.5, mean=1)((200, 300), np.random.default_rng(0))
    >>> print(f"mean {W.mean():.1f}, standard deviation {W.std():.1f}")
    mean 1.0, standard deviation 0.5
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
        Entries are drawn evenly between them.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import Uniform
    >>> W = Uniform(-0.2, 0.4)((200, 300), np.random.default_rng(0))
    >>> print(f"from {W.min():.2f} to {W.max():.2f}")
    from -0.20 to 0.40
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
