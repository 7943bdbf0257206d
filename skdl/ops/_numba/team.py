"""A team of threads for kernels that are called one after another, as layers are.

A helper stays inside one compiled call, free of the GIL, and watches for chunks of work
as long as they keep coming; when none came for a while it goes back to Python and
sleeps. So between two kernels of a training step, or of a prediction, no thread is
woken, which takes longer than a small kernel. The caller takes chunks too and never
depends on a helper being awake.

What a helper must know (the kernel, its arguments) is the same few words for all: the
arguments lie on the caller's stack as a tuple, next to the address of a function that
knows their types, takes them apart and calls the kernel.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from threading import Lock, Thread
from typing import Any, NamedTuple

from numba import typeof, types
from numba.core import cgutils
from numba.core.cgutils import ir
from numba.extending import intrinsic

from skdl._config import n_cores, n_threads
from skdl.ops._numba._inner import entry, inner
from skdl.ops._numba.crew import (
    CONTROL_SIZE,
    TICKET,
    atomic_add,
    atomic_load,
    finish_chunk,
    left,
    offer_core,
    publish,
    relax,
    take,
    wait_done,
)
from skdl.ops.memory import aligned
from skdl.ops.tape import noting

# Words of the control array besides those of a crew.
KERNEL, CALLER, HELD, SIZE, N_CHUNKS, LIMIT = range(CONTROL_SIZE, CONTROL_SIZE + 6)
AWAKE = CONTROL_SIZE + 8
WORDS = CONTROL_SIZE + 16

POLLS = 30_000  # some 0.6 ms: layers follow each other faster
_WORD = ir.IntType(64)


@intrinsic
def _hold(typingctx: Any, args: Any) -> Any:
    """Return the address of a tuple in memory that lasts as long as the function."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        place = cgutils.alloca_once_value(builder, values[0])
        return builder.ptrtoint(place, _WORD)

    return types.intp(args), codegen


@intrinsic
def _caller_of(typingctx: Any, args: Any) -> Any:
    """Return the address of what calls a kernel with a tuple of these types.

    It is called with the addresses of the kernel and of the tuple, and three numbers
    that are the kernel's last arguments: where the chunk begins and ends, and the place
    of the thread.
    """

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        name = builder.module.get_unique_name("call_kernel")
        function = ir.Function(builder.module, _CALLER_TYPE, name)
        function.linkage = "internal"
        inside = ir.IRBuilder(function.append_basic_block())
        kernel, held, *numbers = function.args
        pointer = context.get_value_type(args).as_pointer()
        whole = inside.load(inside.inttoptr(held, pointer))
        each = [inside.extract_value(whole, i) for i in range(len(args.types))]
        kinds = (*args.types, *[types.intp] * 3)
        convention = context.call_conv
        kind = convention.get_function_type(types.none, kinds)
        kernel = inside.inttoptr(kernel, kind.as_pointer())
        convention.call_function(inside, kernel, types.none, kinds, each + numbers)
        inside.ret_void()
        return builder.ptrtoint(function, _WORD)

    return types.intp(args), codegen


_CALLER_TYPE = ir.FunctionType(ir.VoidType(), [_WORD] * 5)


@intrinsic
def _call(typingctx, caller, kernel, held, first, last, slot):  # type: ignore[no-untyped-def]
    """Call what `_caller_of` returned."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        function = builder.inttoptr(args[0], _CALLER_TYPE.as_pointer())
        builder.call(function, args[1:])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), codegen


@inner
def _run_chunk(control, chunk, slot):  # type: ignore[no-untyped-def]
    size, n_chunks = control[SIZE], control[N_CHUNKS]
    first, last = size * chunk // n_chunks, size * (chunk + 1) // n_chunks
    _call(control[CALLER], control[KERNEL], control[HELD], first, last, slot)
    finish_chunk(control)


@entry
def share(control, kernel, size, n_chunks, limit, args):  # type: ignore[no-untyped-def]
    """Call a kernel on chunks of the numbers 0 … size − 1, and have helpers do so."""
    control[KERNEL] = kernel
    control[CALLER] = _caller_of(args)
    control[HELD] = _hold(args)
    control[SIZE] = size
    control[N_CHUNKS] = n_chunks
    control[LIMIT] = limit
    publish(control, 0, n_chunks)
    while True:
        chunk = take(control)
        if chunk < 0:
            break
        _run_chunk(control, chunk, 0)
    wait_done(control, n_chunks)


@entry
def serve(control, slot, polls):  # type: ignore[no-untyped-def]
    """Take chunks until none came for so many polls."""
    atomic_add(control, AWAKE, 1)
    idle = 0
    while idle < polls:
        idle += 1
        if left(atomic_load(control, TICKET)) > 0 and slot <= control[LIMIT]:
            chunk = take(control, last=True)
            if chunk >= 0:
                _run_chunk(control, chunk, slot)
                idle = 0
                continue
        relax()
        if idle % 128 == 0:
            offer_core()  # others may wait for it
    atomic_add(control, AWAKE, -1)


class _Team:
    """The helpers; they end with the program."""

    def __init__(self) -> None:
        self.control = aligned((WORDS,), "int64")
        self.control[:] = 0
        self.busy = Lock()  # one kernel at a time
        serve(self.control, 1, 0)  # compiled here, once
        self.doors = [Lock() for _ in range(n_cores() - 1)]
        for slot, door in enumerate(self.doors, start=1):
            door.acquire()
            name = f"skdl_team_{slot}"
            Thread(target=self._help, args=(slot, door), name=name, daemon=True).start()

    def _help(self, slot: int, door: Any) -> None:
        while True:
            door.acquire()
            serve(self.control, slot, POLLS)

    def wake(self, n_helpers: int) -> None:
        for door in self.doors[:n_helpers]:
            if door.locked():
                door.release()


_teams: list[_Team] = []
_making = Lock()


def _forget() -> None:
    """A forked child has no threads, and nobody who will open the lock."""
    global _making
    _teams.clear()
    _making = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _team() -> _Team:
    if not _teams:
        with _making:
            if not _teams:
                _teams.append(_Team())
    return _teams[0]


def n_slots(n_chunks: int) -> int:
    """Return how many threads may work on one kernel, each with a place of its own.

    Parameters
    ----------
    n_chunks : int
        Parts of the work.

    Returns
    -------
    n : int
        Places are 0 … n − 1; one where the caller's thread does all.
    """
    return n_cores() if n_chunks > 1 else 1


class Direct:
    """A compiled function that is called without a look-up of types.

    That takes half of the time of a call of Numba's dispatchers.

    Parameters
    ----------
    function : callable
        ``function(*args)`` returns nothing and raises nothing.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.compiled = entry(function)
        self._ready: dict[Hashable, Callable[..., None]] = {}

    def __call__(self, kind: Hashable, *args: Any) -> None:
        """Run it.

        Parameters
        ----------
        kind : hashable
            What the types of `args` depend on, such as a dtype: arguments of one kind
            have the types of those that came first.
        *args : tuple
            Contiguous arrays and numbers.
        """
        ready = self._ready.get(kind)
        if ready is None:
            alone = _compiled(self.compiled, _kinds(args))
            ready = self._ready[kind] = alone.entry_point
        if (tape := noting.tape) is not None:
            tape.note(ready, *args)
        ready(*args)


class Kernel:
    """A compiled function whose chunks the threads of a team share.

    Parameters
    ----------
    function : callable
        ``function(*args, first, last, slot)`` does the part from first to last of its
        work, on a thread that has the place `slot`. The order of the parts, and who
        does them, must not matter. It returns nothing and raises nothing.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.compiled = entry(function)
        self._ready: dict[Hashable, _Ready] = {}

    def __call__(
        self, kind: Hashable, args: tuple[Any, ...], size: int, n_chunks: int
    ) -> None:
        """Run it.

        Parameters
        ----------
        kind : hashable
            What the types of `args` depend on, such as a dtype: arguments of one kind
            have the types of those that came first.
        args : tuple
            Contiguous arrays and numbers.
        size : int
            The whole work.
        n_chunks : int
            Parts of it; with one the caller's thread does all.
        """
        ready = self._ready.get(kind)
        if ready is None:
            ready = self._ready[kind] = self._compile(args)
        if (tape := noting.tape) is not None:
            if n_chunks > 1:
                tape.note(self, kind, args, size, n_chunks)
            else:
                tape.note(ready.alone, *args, 0, size, 0)
        limit = min(n_threads(), n_chunks) - 1 if n_chunks > 1 else 0
        if limit > 0 and (team := _team()).busy.acquire(blocking=False):
            try:
                if team.control.item(AWAKE) < limit:
                    team.wake(limit)
                ready.share(team.control, ready.address, size, n_chunks, limit, args)
            finally:
                team.busy.release()
        else:
            ready.alone(*args, 0, size, 0)

    def _compile(self, args: tuple[Any, ...]) -> _Ready:
        """Compile for the types of some arguments, or load what was."""
        kinds = _kinds(args)
        alone = _compiled(self.compiled, (*kinds, *[types.intp] * 3))
        name = alone.fndesc.llvm_func_name
        address = int(alone.library.get_pointer_to_function(name))
        control = aligned((WORDS,), "int64")
        control[:] = 0
        serve(control, 1, 0)
        words = typeof(control), *[types.intp] * 4
        shared = _compiled(share, (*words, types.Tuple(kinds)))
        return _Ready(alone.entry_point, shared.entry_point, address)


class _Ready(NamedTuple):
    """What was compiled for some types: for one thread, for several, and where it is.

    These take their arguments as they come, as those of `Direct` do.
    """

    alone: Callable[..., None]
    share: Callable[..., None]
    address: int


def _kinds(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the types of arguments; read-only arrays are not one of their own."""
    return tuple(
        t.copy(readonly=False) if isinstance(t, types.Array) else t
        for t in map(typeof, args)
    )


def _compiled(dispatcher: Any, kinds: tuple[Any, ...]) -> Any:
    dispatcher.compile(kinds)
    return dispatcher.overloads[kinds]
