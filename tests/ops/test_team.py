"""Kernels whose chunks threads share: each done once, whoever helps."""

import os
import threading
import time

import numpy as np
import pytest

from skdl import config_context
from skdl._config import has_numba

if not has_numba():
    pytest.skip("needs Numba", allow_module_level=True)

from skdl.ops._numba import team
from skdl.ops._numba.team import Kernel, n_slots


@Kernel
def count(done, seen, power, first, last, slot):
    """Add 1 to each number, after some work, and note who did it."""
    for i in range(first, last):
        x = 1.0
        for _ in range(power):
            x = x * 0.999 + 0.001
        done[i] += x
        seen[i] = slot


def counted(size, n_chunks, power=10, dtype="d"):
    """Return how often each number was done, and on which places."""
    done, seen = np.zeros(size, dtype), np.full(size, -1)
    count(np.dtype(dtype), (done, seen, power), size, n_chunks)
    return done, seen


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize(("size", "n_chunks"), [(0, 1), (1, 1), (7, 3), (100, 100)])
def test_each_number_is_done_once(size, n_chunks, n_threads):
    with config_context(n_threads=n_threads):
        for dtype in "fd":
            done, seen = counted(size, n_chunks, dtype=dtype)
            np.testing.assert_allclose(done, 1.0, rtol=1e-6)
            assert ((seen >= 0) & (seen < n_slots(n_chunks))).all()


def test_read_only_arrays():
    @Kernel
    def copy(a, b, first, last, slot):
        for i in range(first, last):
            b[i] = a[i]

    a = np.arange(6.0)
    for n_threads in (1, 2):
        for writeable in (True, False):
            a.flags.writeable = writeable
            b = np.zeros(6)
            with config_context(n_threads=n_threads):
                copy("a", (a, b), 6, 3)
            np.testing.assert_array_equal(a, b)
    assert len(copy.compiled.overloads) == 1  # compiled once for all of them


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two processors")
def test_helpers_help_and_go_to_sleep(monkeypatch):
    monkeypatch.setattr(team, "POLLS", 100)
    with config_context(n_threads=2):
        seen = set()
        end = time.monotonic() + 50
        while len(seen) < 2 and time.monotonic() < end:
            seen |= set(counted(8, 8, power=300_000)[1])
        assert seen == {0, 1}
        while team._team().control[team.AWAKE] and time.monotonic() < end:
            time.sleep(0.01)
        assert not team._team().control[team.AWAKE]
        counted(8, 8)


def test_callers_do_not_wait_for_each_other():
    results = [None] * 4

    def call(i):
        with config_context(n_threads=2):
            for _ in range(50):
                results[i] = counted(20, 10, power=2000)[0]
                assert (abs(results[i] - 1) < 1e-9).all()

    threads = [threading.Thread(target=call, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert all(result is not None for result in results)
    assert not team._team().busy.locked()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_helpers_of_its_own():
    with config_context(n_threads=2):
        counted(8, 8)
        child = os.fork()
        if not child:
            right = bool((abs(counted(8, 8)[0] - 1) < 1e-9).all())
            os._exit(0 if right else 1)
        _, status = os.waitpid(child, 0)
    assert status == 0
