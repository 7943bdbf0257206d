"""Optimizers by name, and `minimize` for any function."""

from skdl.optimizers._adagrad import AdaDelta, AdaGrad, RMSProp
from skdl.optimizers._adam import Adam, AdamW, AMSGrad, NAdam
from skdl.optimizers._coordinate import Coordinate
from skdl.optimizers._descent import EMA, GD, SGD, Momentum, Nesterov
from skdl.optimizers._first_order import FirstOrder
from skdl.optimizers._jog import Jog
from skdl.optimizers._lbfgs import LBFGS
from skdl.optimizers._minimize import minimize
from skdl.optimizers._newton import Newton
from skdl.optimizers._optimizer import (
    Optimizer,
    Problem,
    get,
    names,
    register,
    registry,
)
from skdl.optimizers._search import Armijo, StepSearch, TrustRegion, Wolfe
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
    "Armijo",
    "Coordinate",
    "FirstOrder",
    "Jog",
    "Lion",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Newton",
    "Optimizer",
    "OptimizerState",
    "Problem",
    "RMSProp",
    "RProp",
    "StepSearch",
    "TrustRegion",
    "Wolfe",
    "get",
    "minimize",
    "names",
    "register",
    "registry",
]
