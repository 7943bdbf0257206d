"""Passes over numbers, each by itself (compiled)."""

from __future__ import annotations

from typing import Any

from skdl._typing import Array
from skdl.ops._numba._inner import inner
from skdl.ops._numba.images import chunks_of, flat
from skdl.ops._numba.team import Kernel

BLOCK = 65536  # numbers of a block, about: they stay in the second-level cache
PASS = 16  # multiplications of a convolution that take as long as a number here


@Kernel
def mask_numbers(dy, y, slope, out, block, first, last, slot):  # type: ignore[no-untyped-def]
    """out = dy where y > 0, else slope · dy, for the blocks first … last − 1."""
    zero, start, end = dy.dtype.type(0), first * block, min(dy.size, last * block)
    p, q, r = dy[start:end], y[start:end], out[start:end]
    for i in range(end - start):
        v = p[i]  # read in any case: a choice of numbers, not of ways
        r[i] = v if q[i] > zero else slope * v


@Kernel
def bend_numbers(x, slope, y, block, first, last, slot):  # type: ignore[no-untyped-def]
    """y = x where x > 0, else slope · x, for the blocks first … last − 1."""
    zero, start, end = x.dtype.type(0), first * block, min(x.size, last * block)
    p, q = x[start:end], y[start:end]
    for i in range(end - start):
        v = p[i]
        q[i] = v if v > zero else slope * v


@inner
def add_run(x, other, floor, y, start, end):  # type: ignore[no-untyped-def]
    """y = max(floor, x + other) for the numbers start … end − 1."""
    p, q, out = x[start:end], other[start:end], y[start:end]
    for i in range(end - start):
        v = p[i] + q[i]
        out[i] = floor if v < floor else v


@Kernel
def add_numbers(x, other, floor, y, block, first, last, slot):  # type: ignore[no-untyped-def]
    """The same for the blocks first … last − 1."""
    add_run(x, other, floor, y, first * block, min(x.size, last * block))


def over_numbers(kernel: Kernel, args: tuple[Any, ...], block: int = BLOCK) -> None:
    """Call a kernel for ranges of whole blocks of the numbers of its first argument.

    Parameters
    ----------
    kernel : Kernel
        ``kernel(*args, block, first, last, slot)``.
    args : tuple
        Contiguous arrays and numbers.
    block : int, default=BLOCK
        Numbers of a block.
    """
    n_blocks = -(-args[0].size // block)
    n_chunks = chunks_of(n_blocks, PASS * block)
    kernel(args[0].dtype, (*args, block), n_blocks, n_chunks)


def add(x: Array, other: Array, out: Array, floor: float) -> Array:
    """Twin of `skdl.ops.channel_norm.add`."""
    least = x.dtype.type(floor)
    over_numbers(add_numbers, (flat(x), flat(other), least, out.reshape(-1)))
    return out


def relu_backward(dy: Array, y: Array, out: Array, slope: float = 0.0) -> Array:
    """Twin of `skdl.ops.activation.relu_backward`, and of that of a leaky one."""
    of_negative = dy.dtype.type(slope)
    over_numbers(mask_numbers, (flat(dy), flat(y), of_negative, out.reshape(-1)))
    return out


def leaky_relu(x: Array, slope: float, out: Array) -> Array:
    """Twin of `skdl.ops.activation.leaky_relu`."""
    over_numbers(bend_numbers, (flat(x), x.dtype.type(slope), out.reshape(-1)))
    return out
