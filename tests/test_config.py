"""Engine and threads: process-wide, in a block, and in worker processes."""

import math
import os
import subprocess
import sys
import threading

import pytest

from skdl import _config
from skdl._config import config_context, get_config, set_config


@pytest.fixture(autouse=True)
def restore():
    before = dict(_config._global)
    yield
    _config._global.update(before)


def test_set_config_keeps_what_is_not_given():
    set_config(engine="numpy")
    set_config(n_threads=3)
    assert get_config() == {"engine": "numpy", "n_threads": 3}
    assert not _config.use_numba()
    assert _config.n_threads() == 3


def test_get_config_is_a_copy():
    get_config()["engine"] = "wrong"
    assert get_config()["engine"] in _config.ENGINES


def test_contexts_nest_and_end():
    set_config(engine="auto", n_threads=2)
    with config_context(engine="numpy"):
        with config_context(n_threads=1):
            assert get_config() == {"engine": "numpy", "n_threads": 1}
        assert get_config() == {"engine": "numpy", "n_threads": 2}
    assert get_config() == {"engine": "auto", "n_threads": 2}


def test_a_context_ends_with_an_error():
    before = get_config()
    with pytest.raises(RuntimeError, match="inside"), config_context(engine="numpy"):
        raise RuntimeError("inside")
    assert get_config() == before


def test_a_context_is_the_thread_s_own():
    seen = []
    with config_context(n_threads=7):
        thread = threading.Thread(target=lambda: seen.append(get_config()["n_threads"]))
        thread.start()
        thread.join()
    assert seen == [get_config()["n_threads"]]


@pytest.mark.parametrize("setter", [set_config, config_context])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "cuda"}, "engine must be one of .*'numba'.*, got 'cuda'"),
        ({"n_threads": 0}, "n_threads must be an integer ≥ 1"),
    ],
)
def test_bad_values(setter, settings, message):
    before = get_config()
    with pytest.raises(ValueError, match=message):
        setter(**settings).__enter__()
    assert get_config() == before


def test_numba_that_is_missing(monkeypatch):
    monkeypatch.setattr(_config, "has_numba", lambda: False)
    with pytest.raises(ImportError, match=r'pip install "skdl\[fast\]"'):
        set_config(engine="numba")
    set_config(engine="auto")
    assert not _config.use_numba()


def test_auto_takes_numba_where_it_is(monkeypatch):
    monkeypatch.setattr(_config, "has_numba", lambda: True)
    set_config(engine="auto")
    assert _config.use_numba()


def test_threads_default_to_the_cores_of_this_process():
    with config_context(n_threads=5):
        assert _config.n_threads() == 5
    _config._global["n_threads"] = "auto"
    assert 1 <= _config.n_threads() <= (os.cpu_count() or 1)


def test_auto_undoes_a_number_of_threads():
    before = get_config()["n_threads"]
    initial = _config.n_threads()
    set_config(n_threads=initial + 1)
    assert _config.n_threads() == get_config()["n_threads"] == initial + 1
    set_config(n_threads=None)
    assert _config.n_threads() == initial + 1
    set_config(n_threads="auto")
    assert (_config.n_threads(), get_config()["n_threads"]) == (initial, "auto")
    set_config(**{**get_config(), "n_threads": before})
    with config_context(n_threads=3), config_context(n_threads="auto"):
        assert _config.n_threads() == initial


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "two"])
def test_numbers_of_threads_that_are_none(n):
    with pytest.raises(ValueError, match=r'integer ≥ 1, or "auto"'):
        set_config(n_threads=n)


def test_the_environment_chooses_the_first_engine():
    code = "from skdl._config import get_config; print(get_config()['engine'])"
    environment = {**os.environ, "SKDL_ENGINE": "numpy"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "numpy"


@pytest.mark.parametrize(
    ("allowed", "expected"), [("1", 1), ("0", 1), ("1000", 4), ("", 4), ("two", 4)]
)
def test_threads_keep_to_the_share_of_a_worker(monkeypatch, allowed, expected):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(4), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", allowed)
    monkeypatch.setattr(_config, "_counted", (-math.inf, 1))
    _config._allowed_threads.cache_clear()  # it is read once
    try:
        with config_context(n_threads=None):
            assert _config.n_threads() == expected
    finally:
        _config._allowed_threads.cache_clear()
