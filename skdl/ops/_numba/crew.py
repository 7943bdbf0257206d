"""A crew: threads that share the chunks of one compiled task after another.

The caller's thread grows a tree, or runs the layers of a network; now and then a step
of it falls into chunks that may run side by side (the features of a histogram, the rows
of a partition, some images). Starting a task on a Python thread pool costs more than
such a step takes. So the helpers stay inside one compiled, GIL-free call, watch a
ticket and take chunks from it.

The ticket is one 64-bit integer, ``n_chunks << 40 | taken_last << 20 | taken_first``:
taking a chunk from either end is one atomic addition, and what was there before says
whether there was one to take.
The caller takes chunks too and so never depends on a helper being awake; a helper that
comes late, or never, costs time and nothing else. Chunks write to separate memory and
the sums are integers: the result is the same for any number of threads.
"""

from __future__ import annotations

import platform
import sys
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from skdl.ops._numba._inner import inner

# Positions in the control array, one to a cache line of eight int64. A 1 at STOP sends
# the helpers home.
TICKET, DONE, STOP, KIND = 0, 8, 16, 24
CONTROL_SIZE = 32

_SPINS = 4000  # polls before a waiting thread offers its core to others

_PAUSES = platform.machine().lower() in ("x86_64", "amd64")
_yield_name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"
offer_core = types.ExternalFunction(_yield_name, types.int32())


@intrinsic
def atomic_add(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    """Add to an int64 entry; return what was there before."""
    signature = types.int64(array, types.intp, types.int64)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, sig.args[0], args[0], args[1])
        return builder.atomic_rmw("add", pointer, args[2], "seq_cst")

    return signature, codegen


@intrinsic
def atomic_load(typingctx: Any, array: Any, index: Any) -> Any:
    """Read an int64 entry that other threads change, and what they wrote before.

    Its cache line stays with the others: who waits does not hinder who works.
    """
    signature = types.int64(array, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, sig.args[0], args[0], args[1])
        return builder.load_atomic(pointer, "acquire", 8)

    return signature, codegen


@intrinsic
def atomic_store(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    """Write an int64 entry that other threads read."""
    signature = types.int64(array, types.intp, types.int64)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, sig.args[0], args[0], args[1])
        return builder.atomic_rmw("xchg", pointer, args[2], "seq_cst")

    return signature, codegen


def _pointer(
    context: Any, builder: Any, array_type: Any, array: Any, index: Any
) -> Any:
    struct = context.make_array(array_type)(context, builder, array)
    return cgutils.gep_inbounds(builder, struct.data, index)


@inner
def publish(control, kind, n_chunks):  # type: ignore[no-untyped-def]
    """Offer the chunks 0…n_chunks−1 of a task to the crew."""
    control[KIND] = kind
    atomic_store(control, DONE, 0)
    atomic_store(control, TICKET, n_chunks << 40)


@inner
def left(ticket):  # type: ignore[no-untyped-def]
    """Return how many chunks are left; less than none where several tried in vain."""
    mask = (1 << 20) - 1
    return (ticket >> 40) - ((ticket >> 20) & mask) - (ticket & mask)


@inner
def take(control, last=False):  # type: ignore[no-untyped-def]
    """Return the number of a chunk that is now the caller's, or −1.

    The first of those that are left, or the last.
    """
    if left(atomic_load(control, TICKET)) <= 0:
        return -1
    ticket = atomic_add(control, TICKET, 1 << 20 if last else 1)
    if left(ticket) <= 0:
        return -1
    mask = (1 << 20) - 1
    if last:
        return (ticket >> 40) - 1 - ((ticket >> 20) & mask)
    return ticket & mask


@inner
def finish_chunk(control):  # type: ignore[no-untyped-def]
    """Report a chunk as done."""
    atomic_add(control, DONE, 1)


@inner
def wait_done(control, n_chunks):  # type: ignore[no-untyped-def]
    """Wait until all chunks are done."""
    spins = 0
    while atomic_load(control, DONE) < n_chunks:
        spins += 1
        relax()
        if spins % _SPINS == 0:
            offer_core()


@intrinsic
def relax(typingctx: Any) -> Any:
    """Leave the processor to its other thread for some cycles, where it knows how."""
    signature = types.void()

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if _PAUSES:
            kind = cgutils.ir.FunctionType(cgutils.ir.VoidType(), [])
            pause = cgutils.get_or_insert_function(
                builder.module, kind, "llvm.x86.sse2.pause"
            )
            builder.call(pause, [])
        return context.get_dummy_value()

    return signature, codegen


@inner
def wait_ticket(control):  # type: ignore[no-untyped-def]
    """Wait for a chunk to take; return its number, or −1 when dismissed."""
    spins = 0
    while True:
        chunk = take(control)
        if chunk >= 0:
            return chunk
        if atomic_load(control, STOP):
            return -1
        spins += 1
        if spins % _SPINS == 0:
            offer_core()
