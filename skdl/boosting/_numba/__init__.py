"""Compiled twins of the losses' derivatives; imported only when Numba is used."""
