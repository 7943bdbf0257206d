"""How the engine's functions are compiled.

Only compiled code calls an `inner` function: it needs no wrapper for Python and, as it
allocates nothing, no reference counting. With the many arrays of `Work` as arguments
those two took most of the compiler's time.
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
inlined = njit(
    nogil=True, error_model="numpy", _nrt=False, inline="always", no_cfunc_wrapper=True
)
