"""Loads Numba, and is told by it what it compiles."""

from __future__ import annotations

from typing import Any

from skdl.ops._compiling import say
from skdl.ops._numba._collector import Rest

with Rest(lasting=True):
    from numba.core import event
    from numba.core.registry import cpu_target

    # The first function that is compiled or loaded would ask for these.
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


class _Compilations(event.Listener):
    """Is told when Numba compiles, and not when it loads from the cache."""

    def __init__(self) -> None:
        self._rest = Rest()

    def on_start(self, event: Any) -> None:
        if _is_ours(event):
            say()
            self._rest.__enter__()

    def on_end(self, event: Any) -> None:
        if _is_ours(event):
            self._rest.__exit__()


def _is_ours(event: Any) -> bool:
    return event.data["dispatcher"].py_func.__module__.startswith("skdl.")


event.register("numba:compile", _Compilations())
