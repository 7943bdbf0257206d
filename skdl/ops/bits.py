"""Numbers as the bits that they are."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from skdl._config import use_numba
from skdl._typing import Array


@lru_cache(maxsize=1)
def _compiled() -> Any:
    return import_module("skdl.ops._numba.bits")


def same_bits(a: Array, b: Array) -> bool:
    """Return whether all numbers are the same, NaN for NaN, and −0 for −0.

    Parameters
    ----------
    a, b : ndarray of shape (n,)
        Contiguous arrays of one type of numbers, of 4 or 8 bytes.

    Returns
    -------
    same : bool
        Whether all bits are.
    """
    integers = np.uint64 if a.itemsize == 8 else np.uint32
    a, b = a.view(integers), b.view(integers)
    if use_numba():
        return _compiled().same(a, b)
    return bool((a == b).all())
