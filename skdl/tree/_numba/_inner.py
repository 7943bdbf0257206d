"""How the engine's functions are compiled.

Only compiled code calls an `inner` function: it needs no wrapper for Python and, as it
allocates nothing, no reference counting. A function is compiled once more with each one
that calls it, and with their callers: calls are kept few levels deep.
"""

from __future__ import annotations

from numba import njit

inner = njit(
    nogil=True,
    error_model="numpy",
    _nrt=False,
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
)
entry = njit(nogil=True, cache=True, error_model="numpy", no_cfunc_wrapper=True)
