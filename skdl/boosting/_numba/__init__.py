"""Compiled twins of the losses' derivatives; imported only when Numba is used."""

from skdl.ops._numba import _compilations as _compilations
