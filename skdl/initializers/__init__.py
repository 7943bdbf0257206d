"""Starting weights: Xavier, He, LeCun, orthogonal and simple distributions."""

from skdl.initializers._initializer import (
    Initializer,
    fans,
    get,
    names,
    register,
    registry,
)
from skdl.initializers._kernel import Kernel
from skdl.initializers._orthogonal import Orthogonal
from skdl.initializers._simple import Constant, Normal, Ones, Uniform, Zeros
from skdl.initializers._variance_scaling import (
    HeNormal,
    HeUniform,
    LeCunNormal,
    LeCunUniform,
    VarianceScaling,
    XavierNormal,
    XavierUniform,
)

__all__ = [
    "Constant",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "Kernel",
    "LeCunNormal",
    "LeCunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "Uniform",
    "VarianceScaling",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "fans",
    "get",
    "names",
    "register",
    "registry",
]
