"""Compiled twins of the tree engine's hot loops; imported only when Numba is used."""
