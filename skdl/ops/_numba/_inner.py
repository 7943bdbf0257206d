"""How functions are compiled.

An `entry` is called from Python, and Numba keeps its machine code on disk. What is in
other files (inner functions, intrinsics, the layout of a struct) is compiled into it,
but Numba looks at the entry's own file alone to see whether the code is still good. So
here the contents of all compiled files beside it, and of those of this folder, count.

Only compiled code calls an `inner` function: it needs no wrapper for Python and, as it
allocates nothing, no reference counting. A function is compiled once more with each one
that calls it, and with their callers: calls are kept few levels deep.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
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


@lru_cache
def _digest(folder: Path) -> str:
    """Return what changes with any file of a folder."""
    digest = sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def entry(function: Callable[..., Any]) -> Any:
    """Compile a function for callers in Python; its code is kept on disk.

    Parameters
    ----------
    function : callable
        The function.

    Returns
    -------
    compiled : dispatcher
        Compiles it when it is first called.
    """
    settings = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    compiled = njit(cache=True, **settings)(function)
    folders = {Path(__file__).parent, Path(function.__code__.co_filename).parent}
    kept: Any = getattr(compiled._cache, "_cache_file", None)
    if not hasattr(kept, "_source_stamp"):
        return njit(**settings)(function)  # another Numba: compiled anew each time
    kept._source_stamp = (kept._source_stamp, *sorted(map(_digest, folders)))
    return compiled


def emit_barrier(builder: Any) -> None:
    """Write an instruction that costs nothing and that the compiler may not copy.

    Parameters
    ----------
    builder : object
        LLVM's.
    """
    kind = cgutils.ir.FunctionType(cgutils.ir.VoidType(), [])
    builder.asm(kind, "", "", [], side_effect=True)


@intrinsic
def few(typingctx: Any) -> Any:
    """Stand in a loop of few passes: it is not worth the vector code it would get.

    It costs no instruction; the compiler takes it for one that it may not move.
    """
    signature = types.void()

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        emit_barrier(builder)
        return context.get_dummy_value()

    return signature, codegen
