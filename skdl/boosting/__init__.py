"""Boosting: gradient boosting from residuals for any loss, and AdaBoost."""

from skdl.boosting._adaboost_classifier import AdaBoostClassifier
from skdl.boosting._adaboost_regressor import AdaBoostRegressor
from skdl.boosting._gradient_boosting_classifier import GradientBoostingClassifier
from skdl.boosting._gradient_boosting_regressor import GradientBoostingRegressor
from skdl.boosting._steps.step_rule import NewtonStep

AdaBoost = AdaBoostClassifier

__all__ = [
    "AdaBoost",
    "AdaBoostClassifier",
    "AdaBoostRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "NewtonStep",
]
