"""The affine map of a single row (compiled): a vector times a matrix.

Reading the matrix is what takes the time; threads share its columns.
"""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.ops._numba.images import chunks_of, flat
from skdl.ops._numba.team import Kernel
from skdl.ops._numba.tile import FROM_C, tile
from skdl.ops._numba.vector import BYTES

NV_ROW = 256 // BYTES  # vectors of a panel: sums for them fit into the registers
READ = 8  # multiplications of a convolution that take as long as one here


@Kernel
def row_panels(x, W, b, start, step, y, floor, first, last, slot):  # type: ignore[no-untyped-def]
    """y = max(floor, xW + b) for the panels of columns first … last − 1."""
    n, m, wide = x.size, y.size, NV_ROW * BYTES // x.itemsize
    one = x.dtype.type(1)
    for p in range(first, last):
        j0, j1 = p * wide, min(m, (p + 1) * wide)
        for j in range(j0, j1):
            y[j] = b[j]
        if j1 - j0 == wide:
            tile(1, NV_ROW, FROM_C, x, 0, start, 0, step, 0, W, j0, y, j0, start, 0,
                 1, n, 1, 0, m, wide, one)  # fmt: skip
        else:
            sums = y[j0:j1]
            for i in range(n):
                row, factor = W[i * m + j0 : i * m + j1], x[i]
                for j in range(j1 - j0):
                    sums[j] += factor * row[j]
        for j in range(j0, j1):
            v = y[j]
            y[j] = floor if v < floor else v


_START = np.zeros(1, np.int64)


def linear_row(x: Array, W: Array, b: Array | None, out: Array, floor: float) -> Array:
    """Twin of `skdl.ops.linear.linear` for one row."""
    n, m = W.shape
    dtype, size = x.dtype, -(-m * x.itemsize // (NV_ROW * BYTES))
    b = np.zeros(m, dtype) if b is None else flat(b)
    args = flat(x), flat(W), b, _START, _START, out.reshape(-1), dtype.type(floor)
    row_panels(dtype, args, size, chunks_of(size, READ * n * m // size))
    return out
