"""The training loop of all networks."""

from skdl._best import Best
from skdl._report import Report
from skdl.training._augmented import AugmentedBatches
from skdl.training._batches import Batch, Batches, RowBatches
from skdl.training._corpus import (
    Corpus,
    Pieces,
    WindowBatches,
    cut,
    whole_sequences,
    windows,
)
from skdl.training._data import Data
from skdl.training._errors import DivergenceError
from skdl.training._objective import Objective
from skdl.training._state import TrainingState
from skdl.training._trainer import Trainer

__all__ = [
    "AugmentedBatches",
    "Batch",
    "Batches",
    "Best",
    "Corpus",
    "Data",
    "DivergenceError",
    "Objective",
    "Pieces",
    "Report",
    "RowBatches",
    "Trainer",
    "TrainingState",
    "WindowBatches",
    "cut",
    "whole_sequences",
    "windows",
]
