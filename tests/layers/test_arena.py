"""Scratch memory: handed out again after reset, never twice before."""

import numpy as np
import pytest

from skdl.layers import Arena, Context


def address(array):
    return array.__array_interface__["data"][0]


def test_what_was_handed_out_comes_again_after_reset():
    arena = Arena(np.float64)
    first = [arena.empty((8, 3)), arena.empty(5), arena.empty((2, 2, 2))]
    arena.reset()
    second = [arena.empty((8, 3)), arena.empty(5), arena.empty((2, 2, 2))]
    for a, b in zip(first, second, strict=True):
        assert a is b
    assert [a.shape for a in first] == [(8, 3), (5,), (2, 2, 2)]


def test_nothing_overlaps_before_reset():
    arena = Arena(np.float32)
    for shapes in ([(8, 3), (8, 3), (5,)], [(2, 3), (9, 9), (5,)]):
        arrays = [arena.empty(shape) for shape in shapes]
        for i, array in enumerate(arrays):
            array[...] = i
        for i, array in enumerate(arrays):
            assert (array == i).all()
            assert array.flags.c_contiguous
        arena.reset()


@pytest.mark.parametrize("sizes", [[200, 37, 200, 37], [37, 200, 37], [1, 2, 3, 2, 1]])
def test_a_smaller_batch_fits_into_the_memory_of_a_larger_one(sizes):
    arena = Arena(np.float64)
    largest, addresses = 0, set()
    for n in sizes:
        array = arena.empty((n, 10))
        array[...] = n
        assert array.shape == (n, 10)
        if n <= largest:
            assert address(array) in addresses
        largest = max(largest, n)
        addresses.add(address(array))
        arena.reset()


@pytest.mark.parametrize("dtype", [None, np.float64, np.float32, np.intp, np.uint8])
def test_types(dtype):
    arena = Arena(np.float32)
    array = arena.empty((3, 5), dtype)
    assert array.dtype == (np.float32 if dtype is None else dtype)
    assert address(array) % 64 == 0
    arena.reset()
    other = arena.empty((3, 5), np.float64)  # another type in the same place
    assert other.dtype == np.float64
    other[...] = 1.0


def test_a_context_without_an_arena_gives_fresh_arrays():
    ctx = Context(train=False, dtype=np.float32)
    a, b = ctx.empty((2, 3)), ctx.empty((2, 3))
    assert a.dtype == np.float32
    assert not np.shares_memory(a, b)
    assert ctx.empty(4, np.intp).dtype == np.intp


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_uniform_numbers(dtype):
    ctx = Context(True, np.random.default_rng(0), dtype, Arena(dtype))
    u = ctx.uniform((100, 100))
    assert u.dtype == dtype
    assert 0 <= u.min() < 0.01
    assert 0.99 < u.max() < 1
    assert abs(u.mean() - 0.5) < 5 / np.sqrt(12 * u.size)
