"""What a network is trained for: targets, head, loss and score in one object."""

from skdl.tasks._boxes import BoxTask
from skdl.tasks._classes import ClassTask
from skdl.tasks._enlarging import EnlargingTask
from skdl.tasks._pixels import PixelTask
from skdl.tasks._reconstruction import ReconstructionTask
from skdl.tasks._sequences import SequenceTask
from skdl.tasks._steps import StepClassTask, weight_of_steps
from skdl.tasks._strokes import StrokeTask
from skdl.tasks._symbols import SymbolTask
from skdl.tasks._task import Task
from skdl.tasks._values import ValueTask

__all__ = [
    "BoxTask",
    "ClassTask",
    "EnlargingTask",
    "PixelTask",
    "ReconstructionTask",
    "SequenceTask",
    "StepClassTask",
    "StrokeTask",
    "SymbolTask",
    "Task",
    "ValueTask",
    "weight_of_steps",
]
