"""Targets as users give them, as losses take them, and back."""

from skdl.targets._classes import ClassTargets
from skdl.targets._column import as_vector
from skdl.targets._pixels import PixelTargets
from skdl.targets._sequences import SequenceTargets, same_form, sequence_form
from skdl.targets._values import RealTargets

__all__ = [
    "ClassTargets",
    "PixelTargets",
    "RealTargets",
    "SequenceTargets",
    "as_vector",
    "same_form",
    "sequence_form",
]
