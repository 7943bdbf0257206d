"""Convolutions and passes over images: skdl's compiled kernels against PyTorch's.

One thread each and CPU time, a low quartile of many calls: a busy machine changes it
less than the time on the clock. GFLOP/s stand beside those of a large matrix product.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks._runner import Numbers, measure, print_table

CONTENDERS = ("skdl", "pytorch")
SECONDS = 0.2  # for each operation


class Case(NamedTuple):
    """One row of the table: a batch, the image, and the layer."""

    batch: int
    image: tuple[int, int, int]
    filters: int
    size: int
    settings: dict[str, Any]
    dtype: str = "float32"


CASES = {
    "32x32x32 -> 32, 3x3": Case(64, (32, 32, 32), 32, 3, {"padding": 1}),
    "16x16x64 -> 64, 3x3": Case(64, (16, 16, 64), 64, 3, {"padding": 1}),
    "8x8x128 -> 128, 3x3": Case(64, (8, 8, 128), 128, 3, {"padding": 1}),
    "28x28x1 -> 6, 5x5": Case(64, (28, 28, 1), 6, 5, {"padding": 2}),
    "14x14x6 -> 16, 5x5": Case(64, (14, 14, 6), 16, 5, {}),
    "32x32x3 -> 32, 3x3": Case(64, (32, 32, 3), 32, 3, {"padding": 1}),
    "8x8x1 -> 16, 3x3, batch 32": Case(32, (8, 8, 1), 16, 3, {"padding": 1}),
    "32x32x16 -> 16, 3x3": Case(64, (32, 32, 16), 16, 3, {"padding": 1}),
    "16x16x64 -> 128, 1x1": Case(64, (16, 16, 64), 128, 1, {}),
    "32x32x32 -> 64, 3x3, stride 2": Case(
        64, (32, 32, 32), 64, 3, {"padding": 1, "stride": 2}
    ),
    "16x16x64 -> 64, 3x3, 8 groups": Case(
        64, (16, 16, 64), 64, 3, {"padding": 1, "groups": 8}
    ),
    "16x16x64, depthwise 3x3": Case(
        64, (16, 16, 64), 64, 3, {"padding": 1, "groups": 64}
    ),
    "32x32x32, depthwise 3x3, stride 2": Case(
        64, (32, 32, 32), 32, 3, {"padding": 1, "stride": 2, "groups": 32}
    ),
    "16x16x64 -> 64, 3x3, float64": Case(
        32, (16, 16, 64), 64, 3, {"padding": 1}, "float64"
    ),
}
OPERATIONS = ("forward", "to input", "to filters")
PASSES = {  # what it is, and the shape of the batch
    "max-pool 2x2, 32x32x32": ("max", (64, 32, 32, 32)),
    "max-pool 2x2, 24x24x6": ("max", (64, 24, 24, 6)),
    "average-pool 2x2, 32x32x32": ("average", (64, 32, 32, 32)),
    "norm, 32x32x32": ("norm", (64, 32, 32, 32)),
    "norm, 8x8x128": ("norm", (64, 8, 8, 128)),
    "norm, 32x32x16": ("norm", (64, 32, 32, 16)),
    "norm + ReLU, 32x32x32": ("norm relu", (64, 32, 32, 32)),
}


def least_time(function: Callable[[], Any]) -> float:
    """Return a low quartile of the CPU time of a call in milliseconds."""
    function()
    times: list[float] = []
    while sum(times) < SECONDS:
        before = time.process_time()
        function()
        times.append(time.process_time() - before)
    return 1e3 * float(np.percentile(times, 25))


def _copied(array: Any, arena: Any) -> Any:
    copy = arena.empty(array.shape)
    copy[...] = array
    return copy


def skdl_jobs(case: Case) -> dict[str, Callable[[], Any]]:
    """Return the operations in skdl."""
    from skdl import set_config
    from skdl.layers import Arena
    from skdl.ops import conv
    from skdl.ops.geometry import make_conv

    set_config(engine="numba", n_threads=1)
    rng = np.random.default_rng(0)
    geometry = make_conv(case.image, case.filters, case.size, **case.settings)
    x, W, b, dy = (
        rng.normal(size=shape).astype(case.dtype)
        for shape in (
            (case.batch, *case.image),
            geometry.filters_shape,
            (case.filters,),
            (case.batch, *geometry.output_shape),
        )
    )
    # Memory as a training step has it: kept, and at the start of a cache line.
    memory, arena = Arena(case.dtype), Arena(case.dtype)
    x, W, b, dy, y, dx, dW, db = (
        _copied(array, memory) for array in (x, W, b, dy, dy, x, W, b)
    )

    def to_filters() -> None:
        arena.reset()
        conv.conv2d_backward_weights(geometry, x, dy, dW, db, arena.empty)

    def to_input() -> None:
        arena.reset()
        conv.conv2d_backward_input(geometry, dy, W, dx, empty=arena.empty)

    def forward() -> None:
        arena.reset()
        conv.conv2d(geometry, x, W, b, y, empty=arena.empty)

    return {"forward": forward, "to input": to_input, "to filters": to_filters}


def pytorch_jobs(case: Case) -> dict[str, Callable[[], Any]]:
    """Return the operations in PyTorch, in both layouts of memory."""
    import torch

    torch.set_num_threads(1)
    dtype, settings = getattr(torch, case.dtype), case.settings
    stride, padding = settings.get("stride", 1), settings.get("padding", 0)
    groups = settings.get("groups", 1)
    h, w, c = case.image
    jobs = {}
    for kind, form in (
        ("", torch.contiguous_format),
        (", last", torch.channels_last),
    ):
        x = torch.randn(case.batch, c, h, w, dtype=dtype).contiguous(memory_format=form)
        W = torch.randn(case.filters, c // groups, case.size, case.size, dtype=dtype)
        W, b = W.contiguous(memory_format=form), torch.randn(case.filters, dtype=dtype)

        def forward(x: Any = x, W: Any = W, b: Any = b) -> Any:
            with torch.no_grad():
                return torch.nn.functional.conv2d(
                    x, W, b, stride, padding, groups=groups
                )

        dy = torch.randn_like(forward()).contiguous(memory_format=form)

        def backward(wanted: Any, x: Any = x, W: Any = W, dy: Any = dy) -> Any:
            return torch.ops.aten.convolution_backward(
                dy, x, W, [case.filters], [stride] * 2, [padding] * 2, [1, 1], False,
                [0, 0], groups, wanted,
            )  # fmt: skip

        def to_input(backward: Any = backward) -> Any:
            return backward([True, False, False])

        def to_filters(backward: Any = backward) -> Any:
            return backward([False, True, True])

        jobs["forward" + kind] = forward
        jobs["to input" + kind] = to_input
        jobs["to filters" + kind] = to_filters
    return jobs


def skdl_passes(kind: str, shape: tuple[int, ...]) -> dict[str, Callable[[], Any]]:
    """Return a pass over images and its backward pass in skdl."""
    from skdl import set_config
    from skdl.layers import Arena
    from skdl.ops import channel_norm, pool

    set_config(engine="numba", n_threads=1)
    memory, arena = Arena("float32"), Arena("float32")
    rng = np.random.default_rng(0)
    x = _copied(rng.normal(size=shape).astype(np.float32), memory)
    dx = memory.empty(shape)
    if kind.startswith("norm"):
        dy, y = _copied(x, memory), memory.empty(shape)
        gamma, beta, mean, variance, inv_std, dgamma, dbeta = np.ones(
            (7, shape[-1]), np.float32
        )
        relu = "relu" in kind
        floor = 0.0 if relu else -np.inf
        return {
            "forward": lambda: channel_norm.channel_norm(
                x, gamma, beta, 1e-5, y, mean, variance, inv_std, floor=floor
            ),
            "to input": lambda: channel_norm.channel_norm_backward(
                x,
                dy,
                gamma,
                beta,
                mean,
                inv_std,
                dgamma,
                dbeta,
                dx,
                y if relu else None,
            ),
        }
    geometry = pool.make_pool(shape[1:], 2)
    y = memory.empty((shape[0], *geometry.output_shape))
    dy = _copied(rng.normal(size=y.shape).astype(np.float32), memory)
    which = memory.empty(y.shape, np.uint16)
    if kind == "max":
        return {
            "forward": lambda: pool.max_pool(geometry, x, y, which),
            "to input": lambda: pool.max_pool_backward(geometry, which, dy, dx),
        }

    def forward() -> None:
        arena.reset()
        pool.average_pool(geometry, x, y, empty=arena.empty)

    def to_input() -> None:
        arena.reset()
        pool.average_pool_backward(geometry, dy, dx, empty=arena.empty)

    return {"forward": forward, "to input": to_input}


def pytorch_passes(kind: str, shape: tuple[int, ...]) -> dict[str, Callable[[], Any]]:
    """Return the same in PyTorch, in both layouts of memory."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    n, h, w, c = shape
    norm = torch.nn.BatchNorm2d(c)
    functions: dict[str, Callable[[Any], Any]] = {
        "max": lambda x: functional.max_pool2d(x, 2),
        "average": lambda x: functional.avg_pool2d(x, 2),
        "norm": norm,
        "norm relu": lambda x: functional.relu(norm(x), inplace=True),
    }
    function, jobs = functions[kind], {}
    for name, form in (
        ("", torch.contiguous_format),
        (", last", torch.channels_last),
    ):
        x = torch.randn(n, c, h, w).contiguous(memory_format=form).requires_grad_()
        y = function(x)
        dy = torch.randn_like(y)
        jobs["forward" + name] = lambda x=x: function(x)
        jobs["to input" + name] = lambda x=x, y=y, dy=dy: torch.autograd.grad(
            y, x, dy, retain_graph=True
        )
    return jobs


def work(case_name: str, contender: str, seed: int) -> Numbers:
    """Time the operations of one case, and a large product in the same process."""
    if case_name in PASSES:
        passes = skdl_passes if contender == "skdl" else pytorch_passes
        found = {k: least_time(job) for k, job in passes(*PASSES[case_name]).items()}
        if contender == "pytorch":
            found = {k: min(found[k], found[k + ", last"]) for k in OPERATIONS[:2]}
        return found
    case = CASES[case_name]
    jobs = (skdl_jobs if contender == "skdl" else pytorch_jobs)(case)
    times = {name: least_time(job) for name, job in jobs.items()}
    if contender == "pytorch":
        times = {op: min(times[op], times[op + ", last"]) for op in OPERATIONS}
    else:
        a = np.ones((1024, 1024), case.dtype)
        product = np.empty_like(a)
        times["product"] = least_time(lambda: np.dot(a, a, out=product))
    return times


def products(case: Case) -> float:
    """Return the multiplications of one operation."""
    from skdl.ops.geometry import make_conv

    conv = make_conv(case.image, case.filters, case.size, **case.settings)
    return float(case.batch * conv.products)


def vector_width() -> int:
    """Return the bits of the vectors in use."""
    from skdl.ops._numba.vector import BYTES

    return 8 * BYTES


def main(rounds: int, only: str | None = None) -> None:
    """Print the table.

    Parameters
    ----------
    rounds : int
        Processes a contender.
    only : str, default=None
        Run the cases whose name has this in it.
    """
    chosen = [name for name in (*CASES, *PASSES) if not only or only in name]
    rows: dict[bool, list[list[str]]] = {True: [], False: []}
    for name in chosen:
        found = measure("benchmarks.kernels", name, CONTENDERS, rounds)
        ours, theirs = found["skdl"], found["pytorch"]
        cells = {
            op: f"{ours[op]:.2f} / {theirs[op]:.2f} = {ours[op] / theirs[op]:.2f}"
            for op in theirs
        }
        if name in CASES:
            flops = 2e-6 * products(CASES[name])
            large = 2e-6 * 1024**3 / ours["product"]
            for op in cells:
                speed = flops / ours[op]
                cells[op] += f"; {speed:.0f} ({speed / large:.0%})"
            cells["product"] = f"{large:.0f}"
        rows[name in CASES].append([name, *cells.values()])
    print_table(
        f"Convolutions. Vectors of {vector_width()} bits; one thread, ms of CPU time: "
        "skdl / PyTorch = ratio; GFLOP/s (beside a large product)",
        ["case", *OPERATIONS, "large product"],
        rows[True],
    )
    print_table("Passes over images", ["case", *OPERATIONS[:2]], rows[False])
