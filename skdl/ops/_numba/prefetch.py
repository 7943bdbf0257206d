"""Ask for memory before it is needed (compiled)."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

AHEAD = 24  # rows that a prefetch runs ahead


def emit_prefetch(builder: Any, address: Any, to_write: bool) -> None:
    """Write the instruction.

    Parameters
    ----------
    builder : object
        LLVM's.
    address : object
        A pointer of any kind.
    to_write : bool
        Whether the cache line is to be written to.
    """
    ir = cgutils.ir
    i8, i32 = ir.IntType(8), ir.IntType(32)
    address = builder.bitcast(address, i8.as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [address.type, i32, i32, i32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    hints = [ir.Constant(i32, value) for value in (int(to_write), 3, 1)]
    builder.call(function, [address, *hints])


def _code(array: Any, to_write: bool) -> tuple[Any, Any]:
    signature = types.void(array, types.uint64)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        struct = context.make_array(sig.args[0])(context, builder, args[0])
        stride = cgutils.unpack_tuple(builder, struct.strides)[0]
        ir = cgutils.ir
        i8, i64 = ir.IntType(8), ir.IntType(64)
        address = builder.ptrtoint(struct.data, i64)
        address = builder.add(address, builder.mul(args[1], stride))
        emit_prefetch(builder, builder.inttoptr(address, i8.as_pointer()), to_write)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def prefetch(typingctx: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]`` (first axis) before it is needed."""
    return _code(array, False)


@intrinsic
def prefetch_write(typingctx: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]`` before it is written to."""
    return _code(array, True)
