"""Compiled twins of the tree engine's hot loops; imported only when Numba is used."""

from skdl.ops._numba import _compilations as _compilations
