"""One BLAS thread inside of a block, and as many as before after it."""

import os
import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skdl import config_context
from skdl.ops import _blas
from skdl.ops._blas import library_threads, one_blas_thread


def numbers():
    return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def three():
    with threadpool_limits(3, user_api="blas"):
        if numbers() != {3}:
            pytest.skip("threadpoolctl does not know this BLAS")
        yield


def test_inside_and_after():
    assert _blas.n_threads() == 0  # the library shares products itself
    with config_context(n_threads=8), one_blas_thread():
        assert numbers() == {1}
        assert _blas.n_threads() == 3  # the user's limit for BLAS holds
        with config_context(n_threads=2):
            assert _blas.n_threads() == 2
    assert numbers() == {3}


def test_the_libraries_get_them_back_for_a_while():
    with library_threads():
        assert numbers() == {3}  # outside nothing is changed
    with one_blas_thread():
        with library_threads():
            assert (numbers(), _blas.n_threads()) == ({3}, 0)
            with library_threads():
                pass
            assert numbers() == {3}
            with one_blas_thread():
                assert numbers() == {1}
            assert (numbers(), _blas.n_threads()) == ({3}, 0)
        assert numbers() == {1}
        with one_blas_thread(), library_threads():  # as if another thread were inside
            assert numbers() == {1}
    assert numbers() == {3}


def test_they_stay_at_one_while_another_thread_is_inside():
    inside, leave = threading.Event(), threading.Event()

    def fit():
        with one_blas_thread():
            inside.set()
            leave.wait(20)

    thread = threading.Thread(target=fit)
    with one_blas_thread():
        with library_threads():
            thread.start()
            inside.wait(20)
            assert numbers() == {1}
        assert numbers() == {1}
    assert numbers() == {1}
    leave.set()
    thread.join()
    assert numbers() == {3}


def test_nested_and_failing():
    def fail():
        with one_blas_thread():
            with one_blas_thread():
                pass
            assert numbers() == {1}
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail()
    assert numbers() == {3}


def test_the_last_of_several_threads_gives_them_back():
    inside, leave = threading.Barrier(3, timeout=20), threading.Event()

    def fit():
        with one_blas_thread():
            inside.wait()
            leave.wait(20)

    threads = [threading.Thread(target=fit) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait()
    with one_blas_thread():
        pass
    assert numbers() == {1}
    leave.set()
    for thread in threads:
        thread.join()
    assert numbers() == {3}


def test_on_any_thread():
    """Here another thread, the main one, has set the limit of three."""
    seen = []

    def fit():
        with one_blas_thread():
            seen.append(numbers())
        seen.append(numbers())

    thread = threading.Thread(target=fit)
    thread.start()
    thread.join()
    assert seen == [{1}, {3}]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_not_inside():
    with one_blas_thread():
        child = os.fork()
        if not child:
            with one_blas_thread():
                depth = _blas._held.depth
            os._exit(depth)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_libraries_that_count_by_thread_are_told_by_each(monkeypatch):
    """OpenMP's number of threads belongs to the thread that sets it."""
    told = []

    class Library:
        threading_layer = "openmp"

        def get_num_threads(self):
            return 4

        def set_num_threads(self, n):
            told.append((threading.get_ident(), n))

    monkeypatch.setattr(_blas, "_libraries", lambda: [Library()])
    _blas._is_set_by_thread.cache_clear()
    try:
        with one_blas_thread():
            thread = threading.Thread(target=_blas.helping)
            thread.start()
            thread.join()
            with one_blas_thread():
                pass
        me = threading.get_ident()
        assert [n for _, n in told] == [1, 1, 1, 4]
        assert [ident == me for ident, _ in told] == [True, False, True, True]
    finally:
        _blas._is_set_by_thread.cache_clear()
