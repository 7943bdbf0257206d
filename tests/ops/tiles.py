"""The register tile beside NumPy; also run by itself for other CPUs than this one.

``python tests/ops/tiles.py`` prints the bytes of a vector and the largest errors, for
processes that are told to compile for another CPU (NUMBA_CPU_NAME).
"""

import numpy as np
from numba import njit

from skdl.ops._numba import tile as T
from skdl.ops._numba.prefetch import prefetch
from skdl.ops._numba.tile import FROM_B, FROM_C, MR, MR_FEW, NV, tile
from skdl.ops._numba.vector import HALF, bytes_of, copy, copy_vectors


@njit(nogil=True, cache=True, error_model="numpy")
def product(few, add, a, rows, steps, b, c, outs, counts, strides, columns, floor):
    """Run tiles of one shape over all rows."""
    n_o, n_k = counts
    a_k, b_o, b_k = strides
    if few == 2:
        for r in range(0, rows.size, MR_FEW):
            if add:
                tile(MR_FEW, HALF, FROM_C, a, 1, rows, r, steps, 1, b, b_k, c, 2, outs,
                     r, n_o, n_k, a_k, b_o, b_k, columns, floor)  # fmt: skip
            else:
                tile(MR_FEW, HALF, FROM_B, a, 1, rows, r, steps, 1, b, b_k, c, 2, outs,
                     r, n_o, n_k, a_k, b_o, b_k, columns, floor)  # fmt: skip
    elif few:
        for r in range(0, rows.size, MR_FEW):
            if add:
                tile(MR_FEW, 1, FROM_C, a, 1, rows, r, steps, 1, b, b_k, c, 2, outs, r,
                     n_o, n_k, a_k, b_o, b_k, columns, floor)  # fmt: skip
            else:
                tile(MR_FEW, 1, FROM_B, a, 1, rows, r, steps, 1, b, b_k, c, 2, outs, r,
                     n_o, n_k, a_k, b_o, b_k, columns, floor)  # fmt: skip
    else:
        for r in range(0, rows.size, MR):
            if add:
                tile(MR, NV, FROM_C, a, 1, rows, r, steps, 1, b, b_k, c, 2, outs, r,
                     n_o, n_k, a_k, b_o, b_k, columns, floor)  # fmt: skip
            else:
                tile(MR, NV, FROM_B, a, 1, rows, r, steps, 1, b, b_k, c, 2, outs, r,
                     n_o, n_k, a_k, b_o, b_k, columns, floor)  # fmt: skip


@njit(cache=True)
def copy_five(a, a0, b, b0):
    """Copy five numbers, asking for them first."""
    prefetch(a, a0)
    copy(5, a, a0, b, b0)


@njit(cache=True)
def copy_two_vectors(a, a0, b, b0):
    """Copy two vectors."""
    copy_vectors(2, a, a0, b, b0)


class Problem:
    """Random tables: rows of A overlap, rows of C do not; all in odd places."""

    def __init__(self, dtype, few, columns, seed):
        self.rng = rng = np.random.default_rng(seed)
        self.few, self.columns = few, columns
        nr = bytes_of((NV, 1, HALF)[few]) // np.dtype(dtype).itemsize
        mr = MR_FEW if few else MR
        n_rows = int(rng.integers(1, 3 * mr))
        self.counts = n_outer, n_inner = tuple(rng.integers(1, 7, size=2).tolist())
        self.a_inner = int(rng.integers(1, 4))
        self.a = rng.normal(size=400).astype(dtype)
        self.rows = rng.integers(0, 300, size=n_rows)
        self.steps = np.append(-1, rng.integers(0, 60, size=n_outer))
        self.b = rng.normal(size=(n_outer, n_inner + 1, nr)).astype(dtype)
        self.outs = rng.permutation(n_rows) * (nr + 3)
        self.c = rng.normal(size=2 + n_rows * (nr + 3)).astype(dtype)
        self.filled = T.fill_rows(self.rows, mr), T.fill_rows(self.outs, mr)

    def expected(self, add, floor):
        """Return C in double precision."""
        (n_outer, n_inner), c = self.counts, self.c.astype("d")
        a, b = self.a.astype("d"), self.b.astype("d")
        for row, out in zip(self.rows, self.outs, strict=True):
            total = 0 * b[0, 0] if add else b[0, 0].copy()
            for o in range(n_outer):
                for k in range(n_inner):
                    x = a[1 + row + self.steps[1 + o] + k * self.a_inner]
                    total += x * b[o, 1 + k]
            place = slice(2 + out, 2 + out + self.columns)
            total = total[: self.columns]
            c[place] = c[place] + total if add else np.maximum(total, floor)
        return c

    def got(self, add, floor):
        """Return what the tiles make of C."""
        c, nr = self.c.copy(), self.b.shape[2]
        product(
            self.few, add, self.a, self.filled[0], self.steps, self.b.ravel(), c,
            self.filled[1], self.counts, (self.a_inner, self.b[0].size, nr),
            self.columns, c.dtype.type(floor),
        )  # fmt: skip
        return c


def cases(dtype):
    """Return (few, columns) for all numbers of columns of all shapes.

    `few` is 0 for NV vectors, 1 for one and 2 for half of one.
    """
    lanes = T.BYTES // np.dtype(dtype).itemsize
    most = NV * lanes, lanes, lanes // 2
    return [(few, n) for few in range(3) for n in range(1, most[few] + 1)]


def largest_error(dtype):
    """Return the largest error over all tails and both starts."""
    worst = 0.0
    for few, columns in cases(dtype):
        problem = Problem(dtype, few, columns, seed=columns)
        for add, floor in ((False, -np.inf), (False, 0.0), (True, 0.0)):
            error = problem.got(add, floor) - problem.expected(add, floor)
            worst = max(worst, float(np.abs(error).max()))
    return worst


if __name__ == "__main__":
    print(T.BYTES, largest_error("f"), largest_error("d"))
