"""Saying that functions are being compiled, while it takes its seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# One entry for each block that wants to know: whether it has been told.
_told: list[list[bool]] = []


@contextmanager
def compiling_is_said(verbose: bool | int) -> Iterator[None]:
    """Print one line if anything is compiled inside of a `with` block.

    Parameters
    ----------
    verbose : bool or int
        0 prints nothing.

    Yields
    ------
    None
    """
    entry = [not verbose]
    _told.append(entry)
    try:
        yield
    finally:
        _told[:] = [other for other in _told if other is not entry]


def say() -> None:
    """Print the line, unless those who want to know have been told."""
    waiting = [entry for entry in _told if not entry[0]]
    for entry in waiting:
        entry[0] = True
    if waiting:
        print(
            "Compiling: up to 20 s, once after installing (skdl.compile() does it "
            "ahead)",
            flush=True,
        )
