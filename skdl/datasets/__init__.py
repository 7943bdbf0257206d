"""Data that come with installed packages, and pictures with exact truth."""

from skdl.datasets._pictures import (
    load_faces,
    load_mnist,
    load_nuclei,
    load_photographs,
    load_textures,
)
from skdl.datasets._scenes import DigitScenes, Scene
from skdl.datasets._sequences import load_japanese_vowels
from skdl.datasets._texts import load_bible, load_names, load_python_topics

__all__ = [
    "DigitScenes",
    "Scene",
    "load_bible",
    "load_faces",
    "load_japanese_vowels",
    "load_mnist",
    "load_names",
    "load_nuclei",
    "load_photographs",
    "load_python_topics",
    "load_textures",
]
