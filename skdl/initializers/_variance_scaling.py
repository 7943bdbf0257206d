"""Initializers that keep the variance from layer to layer.

Var(Σ xᵢwᵢ) = n·Var(x)·Var(w), so weights of variance 1/n carry the variance through a
linear layer. One class holds the maths; the named ones fix its settings.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skdl._compat import StrOptions
from skdl._settings import POSITIVE
from skdl.initializers._initializer import Initializer, fans, register

_FANS = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}


def _uniform(
    std: float, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[Any]:
    bound = math.sqrt(3.0) * std
    return rng.uniform(-bound, bound, shape)


def _normal(
    std: float, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[Any]:
    return rng.normal(0.0, std, shape)


_DISTRIBUTIONS = {"uniform": _uniform, "normal": _normal}


@register("variance_scaling")
class VarianceScaling(Initializer):
    """Zero-mean weights whose variance goes with the number of inputs or outputs.

    The variance is scale / fan.

    Parameters
    ----------
    scale : float, default=1.0
        Variance times fan; positive. 1 keeps the variance through a linear layer, 2
        makes up for a ReLU, which takes half of it.
    mode : {"fan_in", "fan_out", "fan_avg"}, default="fan_in"
        Which fan divides: inputs, so that the variance of activations is kept,
        outputs, so that of gradients is, or their mean.
    distribution : {"normal", "uniform"}, default="normal"
        Normal, or uniform between ±√3 standard deviations.

    Raises
    ------
    ValueError
        When called with a setting out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import VarianceScaling
    >>> start = VarianceScaling(scale=4, mode="fan_in")
    >>> print(f"{start((400, 100), np.random.default_rng(0)).std():.2f}")  # √(4/400)
    0.10
    >>> start = VarianceScaling(scale=4, mode="fan_out")
    >>> print(f"{start((400, 100), np.random.default_rng(0)).std():.2f}")
    0.20
    """

    _parameter_constraints: dict[str, Any] = {
        "scale": POSITIVE,
        "mode": [StrOptions(set(_FANS))],
        "distribution": [StrOptions(set(_DISTRIBUTIONS))],
    }

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "normal"
    ) -> None:
        self.scale = scale
        self.mode = mode
        self.distribution = distribution

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        std = math.sqrt(self.scale / max(1.0, _FANS[self.mode](*fans(shape))))
        return _DISTRIBUTIONS[self.distribution](std, shape, rng)


class _Named(Initializer):
    """A VarianceScaling with everything fixed but a gain on the standard deviation.

    Parameters
    ----------
    gain : float, default=1.0
        Factor on the standard deviation, and so on what comes out; positive.
    """

    _scale: ClassVar[float]
    _mode: ClassVar[str]
    _distribution: ClassVar[str]

    _parameter_constraints: dict[str, Any] = {
        "gain": POSITIVE,
    }

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        scale = self._scale * self.gain**2
        return VarianceScaling(scale, self._mode, self._distribution).draw(shape, rng)


@register("xavier_uniform", "glorot_uniform")
class XavierUniform(_Named):
    """Uniform within ±√(6/(n_in + n_out)) (Glorot & Bengio 2010, eq. 16).

    Parameters
    ----------
    gain : float, default=1.0
        Factor on the standard deviation, and so on what comes out; positive.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import XavierUniform
    >>> W = XavierUniform()((400, 200), np.random.default_rng(0))
    >>> print(f"from {W.min():.2f} to {W.max():.2f}")  # √(6/600) = 0.1
    from -0.10 to 0.10
    """

    _scale, _mode, _distribution = 1.0, "fan_avg", "uniform"


@register("xavier_normal", "glorot_normal")
class XavierNormal(_Named):
    """Normal with standard deviation √(2/(n_in + n_out)) (Glorot & Bengio 2010).

    Parameters
    ----------
    gain : float, default=1.0
        Factor on the standard deviation, and so on what comes out; positive.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import XavierNormal
    >>> W = XavierNormal()((600, 200), np.random.default_rng(0))
    >>> print(f"{W.std():.2f}")  # √(2/800)
    0.05
    """

    _scale, _mode, _distribution = 1.0, "fan_avg", "normal"


@register("he_uniform", "kaiming_uniform")
class HeUniform(_Named):
    """Uniform with standard deviation √(2/n_in), for ReLU (He et al. 2015, eq. 10).

    Parameters
    ----------
    gain : float, default=1.0
        Factor on the standard deviation, and so on what comes out; positive.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import HeUniform
    >>> W = HeUniform()((200, 300), np.random.default_rng(0))
    >>> print(f"{W.std():.2f}, at most {W.max():.2f}")  # √(2/200), √3 times that
    0.10, at most 0.17
    """

    _scale, _mode, _distribution = 2.0, "fan_in", "uniform"


@register("he_normal", "kaiming_normal")
class HeNormal(_Named):
    """Normal with standard deviation √(2/n_in), for ReLU (He et al. 2015, eq. 10).

    Parameters
    ----------
    gain : float, default=1.0
        Factor on the standard deviation, and so on what comes out; positive.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import HeNormal
    >>> W = HeNormal()((200, 300), np.random.default_rng(0))
    >>> print(f"{W.std():.2f}")  # √(2/200)
    0.10
    >>> filters = HeNormal(gain=2)((5, 5, 8, 64), np.random.default_rng(0))
    >>> print(f"{filters.std():.2f}")  # 2·√(2/(5·5·8))
    0.20
    """

    _scale, _mode, _distribution = 2.0, "fan_in", "normal"


@register("lecun_uniform")
class LeCunUniform(_Named):
    """Uniform with standard deviation √(1/n_in) (LeCun et al. 1998, §4.6).

    Parameters
    ----------
    gain : float, default=1.0
        Factor on the standard deviation, and so on what comes out; positive.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import LeCunUniform
    >>> W = LeCunUniform()((100, 300), np.random.default_rng(0))
    >>> print(f"{W.std():.2f}, at most {W.max():.2f}")  # √(1/100), √3 times that
    0.10, at most 0.17
    """

    _scale, _mode, _distribution = 1.0, "fan_in", "uniform"


@register("lecun_normal")
class LeCunNormal(_Named):
    """Normal with standard deviation √(1/n_in) (LeCun et al. 1998), for SELU.

    Parameters
    ----------
    gain : float, default=1.0
        Factor on the standard deviation, and so on what comes out; positive.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import LeCunNormal
    >>> W = LeCunNormal()((100, 300), np.random.default_rng(0))
    >>> print(f"{W.std():.2f}")  # √(1/100)
    0.10
    """

    _scale, _mode, _distribution = 1.0, "fan_in", "normal"
