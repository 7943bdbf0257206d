"""Weights in files: safetensors, and PyTorch's, read without PyTorch."""

from skdl.io._load import load_weights
from skdl.io._pytorch import UnsafeFileError
from skdl.io._read import read_weights
from skdl.io._safetensors import read_safetensors, write_safetensors
from skdl.io._save import save_weights

__all__ = [
    "UnsafeFileError",
    "load_weights",
    "read_safetensors",
    "read_weights",
    "save_weights",
    "write_safetensors",
]
