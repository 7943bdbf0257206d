"""Optimizers by name, and `minimize` for any function."""

from skdl.optimizers._adagrad import AdaDelta, AdaGrad, RMSProp
from skdl.optimizers._adam import Adam, AdamW, AMSGrad, NAdam
from skdl.optimizers._descent import EMA, GD, SGD, Momentum, Nesterov
from skdl.optimizers._lbfgs import LBFGS
from skdl.optimizers._minimize import minimize
from skdl.optimizers._optimizer import (
    FirstOrder,
    Optimizer,
    Problem,
    get,
    names,
    register,
    registry,
)
from skdl.optimizers._sign import Lion, RProp
from skdl.optimizers._state import OptimizerState

__all__ = [
    "EMA",
    "GD",
    "LBFGS",
    "SGD",
    "AMSGrad",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "FirstOrder",
    "Lion",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Optimizer",
    "OptimizerState",
    "Problem",
    "RMSProp",
    "RProp",
    "get",
    "minimize",
    "names",
    "register",
    "registry",
]
