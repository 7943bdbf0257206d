"""What is done to images while they are in the cache (compiled).

A sum that follows a convolution, and what a norm behind it needs: a pass over memory of
their own would take longer than the arithmetic.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from skdl._typing import Array
from skdl.ops._numba.elementwise import add
from skdl.ops._numba.images import flat
from skdl.ops._numba.moments import Moments, moments_of_blocks, wide_row


@lru_cache
def _nothing(dtype: Any) -> tuple[Array, Array]:
    """Return arrays of two and three axes in place of what is not needed."""
    return np.empty((1, 0), dtype), np.empty((0, 2, 0), dtype)


class Finish(NamedTuple):
    """What follows a convolution.

    Parameters
    ----------
    other : ndarray of the shape of the output or None
        What is added.
    floor : float
        The least value of the sum.
    moments : tuple of two ndarray of shape (n, c) or None
        Receive means, and sums of squared deviations, of the channels of each image.
    """

    other: Array | None
    floor: float
    moments: Moments | None

    def first_floor(self, dtype: Any) -> Any:
        """Return the least value of the convolution itself."""
        return dtype.type(self.floor if self.other is None else -np.inf)

    def args(self, out: Array, whole: bool, slots: int) -> tuple[Any, ...]:
        """Return what kernels take for `add_run` and `moments_of`.

        Parameters
        ----------
        out : ndarray of shape (n, h, w, c)
            The output.
        whole : bool
            Whether a thread has whole images; nothing is to be done if not.
        slots : int
            How many threads there may be.

        Returns
        -------
        args : tuple
            From `other` on.
        """
        dtype = out.dtype
        row, rooms = _nothing(dtype)
        other, adds, least = row[0], False, dtype.type(self.floor)
        if self.other is not None:
            other, adds = flat(self.other), whole
        if self.moments is None:
            return other, least, adds, row, row, False, rooms
        work = np.empty((slots, 2, wide_row(out.shape[-1])), dtype)
        return other, least, adds, *self.moments, whole, work

    def apart(self, out: Array) -> None:
        """Do it in passes over memory.

        Parameters
        ----------
        out : ndarray of shape (n, h, w, c)
            The output.
        """
        if self.other is not None:
            add(out, self.other, out, self.floor)
        if self.moments is not None and len(out):
            moments_of_blocks(out.reshape(-1), out.shape[-1], out[0].size, self.moments)
