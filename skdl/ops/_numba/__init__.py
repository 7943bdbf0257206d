"""Compiled twins of hot operations; imported only where Numba is in use.

Without fast-math, in the order of operations of their NumPy references: the same bits.
"""
