"""Deep learning and boosting that is scikit-learn all the way through."""

from skdl._config import config_context, get_config, set_config
from skdl.boosting import (
    AdaBoost,
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
)
from skdl.neural_network import MLPClassifier, MLPRegressor, NetworkFeatures

__version__ = "0.1.0"

__all__ = [
    "AdaBoost",
    "AdaBoostClassifier",
    "AdaBoostRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "NetworkFeatures",
    "config_context",
    "get_config",
    "set_config",
]
