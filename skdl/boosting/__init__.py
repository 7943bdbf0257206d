"""Boosting: gradient boosting from residuals for any loss, and AdaBoost."""

from skdl.boosting._gradient_boosting_classifier import GradientBoostingClassifier
from skdl.boosting._gradient_boosting_regressor import GradientBoostingRegressor
from skdl.boosting._step_rule import NewtonStep

__all__ = [
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "NewtonStep",
]
