"""Neural networks as estimators."""

from skdl.neural_network._cnn_classifier import CNNClassifier
from skdl.neural_network._cnn_regressor import CNNRegressor
from skdl.neural_network._features import NetworkFeatures
from skdl.neural_network._mlp_classifier import MLPClassifier
from skdl.neural_network._mlp_regressor import MLPRegressor

__all__ = [
    "CNNClassifier",
    "CNNRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "NetworkFeatures",
]
