"""Chunks on several threads."""

import threading
import time

import numpy as np
import pytest

from skdl import config_context, get_config
from skdl.ops._threads import run_chunks


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_each_chunk_is_done_once(n_threads):
    done = np.zeros(100, dtype=int)

    def add(chunk):
        done[chunk] += 1

    with config_context(n_threads=n_threads):
        run_chunks(add, 100)
    np.testing.assert_array_equal(done, 1)


def both_threads(function):
    """Return a function of two chunks that calls another once on each thread."""
    met = threading.Barrier(2, timeout=20)

    def meet(chunk):
        met.wait()
        function(chunk)

    return meet


def test_threads_see_the_context_of_their_caller():
    seen = []

    def look(chunk):
        seen.append((get_config(), np.geterr()["over"]))

    with config_context(engine="numpy", n_threads=2), np.errstate(over="raise"):
        run_chunks(both_threads(look), 2)
    assert seen == [({"engine": "numpy", "n_threads": 2}, "raise")] * 2


def test_the_first_chunk_that_fails_is_reported_and_the_others_stop():
    started = []

    def fail(chunk):
        started.append(chunk)
        if chunk < 2:
            time.sleep(0.02 * (2 - chunk))  # chunk 1 fails first
            raise ValueError(f"chunk {chunk}")
        time.sleep(0.01)

    with config_context(n_threads=2), pytest.raises(ValueError, match="chunk 0"):
        run_chunks(fail, 1000)
    assert len(started) < 100


def test_an_interrupt_of_the_caller_is_not_lost():
    main = threading.current_thread()

    def interrupt(chunk):
        if threading.current_thread() is main:
            raise KeyboardInterrupt
        raise ValueError

    with config_context(n_threads=2), pytest.raises(KeyboardInterrupt):
        run_chunks(both_threads(interrupt), 2)
