"""Losses: value, gradient, Hessian and link; shared by networks and boosting."""

from skdl.losses._boxes import BoxLoss
from skdl.losses._checks import NotFiniteError
from skdl.losses._classification import (
    BinaryCrossEntropy,
    CrossEntropy,
    Exponential,
)
from skdl.losses._custom import FunctionLoss
from skdl.losses._loss import (
    Loss,
    for_task,
    get,
    names,
    register,
    registry,
    total_weight,
)
from skdl.losses._regression import (
    AbsoluteError,
    Gamma,
    Huber,
    Poisson,
    Quantile,
    SquaredError,
)
from skdl.losses._strokes import StrokeLoss

__all__ = [
    "AbsoluteError",
    "BinaryCrossEntropy",
    "BoxLoss",
    "CrossEntropy",
    "Exponential",
    "FunctionLoss",
    "Gamma",
    "Huber",
    "Loss",
    "NotFiniteError",
    "Poisson",
    "Quantile",
    "SquaredError",
    "StrokeLoss",
    "for_task",
    "get",
    "names",
    "register",
    "registry",
    "total_weight",
]
