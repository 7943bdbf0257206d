"""Whether Numba's internals are those that the compiled engine builds on.

Structs, crews and teams of threads, tiles, vectors and sums reach below Numba's public
interface, which may change with any version. Here a small kernel and four operations on
a few numbers use all that they use, and are compared with NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import boolean, float64, int64, uint64

from skdl._config import config_context
from skdl._typing import Array
from skdl.ops._numba import conv, crew, cross_entropy, pool, winograd
from skdl.ops._numba._inner import entry
from skdl.ops._numba._struct import Struct
from skdl.ops._numba.prefetch import prefetch
from skdl.ops.conv import conv2d
from skdl.ops.geometry import make_conv
from skdl.ops.pool import ENTRY, make_pool, max_pool, max_pool_backward

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
            prefetch(s.values, chunk)
            total += s.factor * s.values[chunk, 1]
        crew.finish_chunk(control)
    crew.wait_done(control, s.count)
    crew.atomic_store(control, crew.STOP, int64(s.seed))
    return total + crew.wait_ticket(control) + crew.atomic_load(control, crew.STOP)


def run() -> None:
    """Raise unless all compiles and computes what it ought to.

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
    for name, got, wanted in _trials():
        if not np.abs(got - wanted).max() < 1e-3 * np.abs(wanted).max():
            raise RuntimeError(f"a trial of {name} gave {got}, expected {wanted}")


def _trials() -> Iterator[tuple[str, Array, Array]]:
    """Yield what the compiled engine makes of a few numbers, and NumPy."""
    rng = np.random.default_rng(0)
    x, W, b = (rng.normal(size=shape).astype(np.float32) for shape in _SHAPES)
    geometry, empty = make_conv(x.shape[1:], 32, 3, padding="same"), np.empty
    out = np.empty((1, *geometry.output_shape), np.float32)
    with config_context(engine="numpy"):
        wanted = conv2d(geometry, x, W, b, out.copy(), 0.0)
    for name, twin in (("conv", conv), ("winograd", winograd)):
        got = twin.correlate_images(geometry, False, x, W, b, out, 0.0, empty)
        yield name, got, wanted

    windows = make_pool(x.shape[1:], 2)
    shape = 1, *windows.output_shape
    found = []
    for engine in ("numpy", "numba"):
        y, which, dx = np.empty(shape, x.dtype), np.empty(shape, ENTRY), x.copy()
        if engine == "numpy":
            with config_context(engine=engine):
                max_pool(windows, x, y, which)
                max_pool_backward(windows, which, y, dx)
        else:
            pool.max_pool(windows, x, y, which)
            pool.max_pool_backward(windows, which, y, dx, None)
        found.append(np.concatenate([y.ravel(), dx.ravel()]))
    yield "max_pool", found[1], found[0]

    raw = x.reshape(-1, 2)
    codes = np.arange(len(raw)) % 2
    _, gradient = cross_entropy.cross_entropy(codes, raw, None, 1.0, 0.0, empty)
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    yield "cross_entropy", gradient, p - np.eye(2)[codes]


_SHAPES = (1, 6, 6, 32), (3, 3, 32, 32), (32,)  # Winograd takes whole tiles
