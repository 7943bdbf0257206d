"""A rest for Python's collector of cyclic garbage.

Each of its full passes looks at all objects of the program: a tenth of a second beside
scikit-learn and pandas. Loading Numba makes so many objects, and compiling so many
more, that the passes take a quarter and a tenth of the time; they find next to nothing.
"""

from __future__ import annotations

import gc
from typing import Any


class Rest:
    """A `with` block without passes; blocks of one object may be nested.

    Parameters
    ----------
    lasting : bool, default=False
        Whether what is made in the block will stay. It is then put with the old objects
        at the end, without the pass that the collector would soon make over it.
    """

    def __init__(self, lasting: bool = False) -> None:
        self._lasting = lasting
        self._depth = 0
        self._was_on = False

    def __enter__(self) -> None:
        if self._depth == 0:
            self._was_on = gc.isenabled()
            gc.disable()
        self._depth += 1

    def __exit__(self, *error: Any) -> None:
        self._depth -= 1
        if self._depth > 0 or not self._was_on:
            return
        if self._lasting and gc.get_freeze_count() == 0:  # or it would thaw another's
            gc.freeze()
            gc.unfreeze()
        gc.enable()
