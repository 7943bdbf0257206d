"""Calls of compiled code, noted so that they can be made again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class _Noting(threading.local):
    """The tape of a thread that notes what it calls."""

    tape: Tape | None = None


noting = _Noting()


class Tape:
    """What was called, with the arrays that it was called with.

    Between the compiled operations of a small prediction Python looks up shapes, plans
    and memory, for longer than they compute; of another sample of the same shape, in
    the same memory, it would find the same again.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.ops.tape import Tape, noting
    >>> x, y, tape = np.ones(2), np.empty(2), Tape()
    >>> def double():  # as compiled operations do
    ...     if noting.tape is not None:
    ...         noting.tape.note(np.multiply, x, 2, y)
    ...     np.multiply(x, 2, y)
    >>> with tape.noted():
    ...     double()
    >>> x[:] = 5
    >>> tape.play()
    >>> y
    array([10., 10.])
    """

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def note(self, function: Callable[..., Any], *args: Any) -> None:
        """Keep a call.

        Parameters
        ----------
        function : callable
            What is called.
        *args : tuple
            With what; arrays are kept alive.
        """
        self._calls.append((function, args))

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note what this thread calls in a block."""
        before, noting.tape = noting.tape, self
        try:
            yield
        finally:
            noting.tape = before

    def play(self) -> None:
        """Call everything again, in order."""
        for function, args in self._calls:
            function(*args)
