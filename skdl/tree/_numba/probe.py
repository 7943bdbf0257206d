"""Whether Numba's internals are those that the compiled engine builds on.

`skdl.ops._numba._struct` and `crew.py` reach below Numba's public interface, which may
change with any version. Here a small kernel uses all that they use.
"""

from __future__ import annotations

import numpy as np
from numba import boolean, float64, int64, uint64

from skdl.ops._numba import crew
from skdl.ops._numba._inner import entry
from skdl.ops._numba._struct import Struct

_PROBE = Struct(
    "Probe",
    values=int64[:, ::1],
    factor=float64,
    on=boolean,
    count=int64,
    seed=uint64,
)
_open = _PROBE.opener()


@entry
def _kernel(table, control):  # type: ignore[no-untyped-def]
    s = _open(table)
    crew.publish(control, 7, s.count)
    total = 0.0
    while True:
        chunk = crew.take(control)
        if chunk < 0:
            break
        if s.on:
            total += s.factor * s.values[chunk, 1]
        crew.finish_chunk(control)
    crew.wait_done(control, s.count)
    crew.atomic_store(control, crew.STOP, int64(s.seed))
    return total + crew.wait_ticket(control) + crew.atomic_load(control, crew.STOP)


def run() -> None:
    """Raise unless the kernel compiles and computes what it ought to.

    Raises
    ------
    Exception
        Numba's own where it does not compile.
    RuntimeError
        If the result is wrong.
    """
    values = np.arange(6, dtype=np.int64).reshape(3, 2)
    filled = _PROBE.fill(values=values, factor=0.5, on=True, count=3, seed=5)
    control = np.zeros(crew.CONTROL_SIZE, np.int64)
    result = float(_kernel(filled.table, control))
    expected = 0.5 * (1 + 3 + 5) - 1 + 5
    if result != expected or control[crew.KIND] != 7 or control[crew.DONE] != 3:
        raise RuntimeError(f"a trial kernel gave {result}, expected {expected}")
