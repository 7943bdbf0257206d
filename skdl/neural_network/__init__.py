"""Neural networks as estimators."""

from skdl.neural_network._autoencoder import Autoencoder
from skdl.neural_network._base import is_network
from skdl.neural_network._cnn_classifier import CNNClassifier
from skdl.neural_network._cnn_regressor import CNNRegressor
from skdl.neural_network._features import NetworkFeatures
from skdl.neural_network._language_model import RNNLanguageModel
from skdl.neural_network._mlp_classifier import MLPClassifier
from skdl.neural_network._mlp_regressor import MLPRegressor
from skdl.neural_network._object_localizer import ObjectLocalizer
from skdl.neural_network._rnn_classifier import RNNClassifier
from skdl.neural_network._rnn_regressor import RNNRegressor
from skdl.neural_network._rnn_tagger import RNNTagger
from skdl.neural_network._segmentation_classifier import SegmentationClassifier
from skdl.neural_network._seq2seq import Seq2Seq
from skdl.neural_network._stroke_generator import StrokeGenerator
from skdl.neural_network._super_resolution import SuperResolution

__all__ = [
    "Autoencoder",
    "CNNClassifier",
    "CNNRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "NetworkFeatures",
    "ObjectLocalizer",
    "RNNClassifier",
    "RNNLanguageModel",
    "RNNRegressor",
    "RNNTagger",
    "SegmentationClassifier",
    "Seq2Seq",
    "StrokeGenerator",
    "SuperResolution",
    "is_network",
]
