"""Is told by Numba what it compiles."""

from __future__ import annotations

from typing import Any

from numba.core import event

from skdl.ops._compiling import say


class _Compilations(event.Listener):
    """Is told when Numba compiles, and not when it loads from the cache."""

    def on_start(self, event: Any) -> None:
        if event.data["dispatcher"].py_func.__module__.startswith("skdl."):
            say()

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _Compilations())
