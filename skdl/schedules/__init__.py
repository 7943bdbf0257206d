"""Learning-rate schedules."""

from skdl.schedules._schedule import (
    Constant,
    Cosine,
    Exponential,
    Inverse,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    Step,
    WarmUp,
    get,
    names,
    register,
    registry,
)

__all__ = [
    "Constant",
    "Cosine",
    "Exponential",
    "Inverse",
    "OneCycle",
    "ReduceOnPlateau",
    "Schedule",
    "Step",
    "WarmUp",
    "get",
    "names",
    "register",
    "registry",
]
