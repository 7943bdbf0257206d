"""Layers: parameter objects that are chained into networks."""

from skdl.layers._activation import Activation
from skdl.layers._batch_norm import BatchNorm
from skdl.layers._context import Arena, Carried, Context, SideOutput
from skdl.layers._dense import Dense, DropConnect
from skdl.layers._dropout import Dropout
from skdl.layers._layer import (
    Layer,
    ParamSpec,
    TooSmallError,
    backward_chain,
    build_chain,
    forward_chain,
    get,
    names,
    register,
    registry,
    resolve_chain,
)
from skdl.layers._residual import Residual

__all__ = [
    "Activation",
    "Arena",
    "BatchNorm",
    "Carried",
    "Context",
    "Dense",
    "DropConnect",
    "Dropout",
    "Layer",
    "ParamSpec",
    "Residual",
    "SideOutput",
    "TooSmallError",
    "backward_chain",
    "build_chain",
    "forward_chain",
    "get",
    "names",
    "register",
    "registry",
    "resolve_chain",
]
