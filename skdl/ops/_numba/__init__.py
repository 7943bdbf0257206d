"""Compiled twins of hot operations; imported only where Numba is in use.

Without fast-math. A twin that keeps the order of operations of its NumPy reference has
the same bits; products and sums over images agree with theirs up to rounding.
"""

from skdl.ops._numba import _compilations as _compilations
