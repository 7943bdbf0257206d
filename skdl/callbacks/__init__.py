"""Callbacks, in the protocol of `sklearn.callback`; set with ``set_callbacks``.

They follow one estimator and are set on it, also where it stands inside a Pipeline or a
GridSearchCV; its clones share them, and each fit has a memory of its own.
"""

from skdl.callbacks._checkpoint import Checkpoint
from skdl.callbacks._early_stopping import EarlyStopping
from skdl.callbacks._jog import Jog
from skdl.callbacks._learning_rate_finder import LearningRateFinder, RangeTest
from skdl.callbacks._record_path import RecordPath

__all__ = [
    "Checkpoint",
    "EarlyStopping",
    "Jog",
    "LearningRateFinder",
    "RangeTest",
    "RecordPath",
]
