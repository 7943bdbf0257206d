"""How functions are compiled.

Only compiled code calls an `inner` function: it needs no wrapper for Python and, as it
allocates nothing, no reference counting. A function is compiled once more with each one
that calls it, and with their callers: calls are kept few levels deep.
"""

from __future__ import annotations

from typing import Any

from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

inner = njit(
    nogil=True,
    error_model="numpy",
    _nrt=False,
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
)
entry = njit(nogil=True, cache=True, error_model="numpy", no_cfunc_wrapper=True)


@intrinsic
def few(typingctx: Any) -> Any:
    """Stand in a loop of few passes: it is not worth the vector code it would get.

    It costs no instruction; the compiler takes it for one that it may not move.
    """
    signature = types.void()

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = cgutils.ir.FunctionType(cgutils.ir.VoidType(), [])
        builder.asm(kind, "", "", [], side_effect=True)
        return context.get_dummy_value()

    return signature, codegen
