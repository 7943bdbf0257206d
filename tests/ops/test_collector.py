"""The collector of cyclic garbage rests while Numba loads and compiles, no longer."""

import gc
import subprocess
import sys

import pytest

numba = pytest.importorskip("numba")

from skdl.ops._numba._collector import Rest  # noqa: E402
from skdl.ops._numba._inner import entry, inner  # noqa: E402


@pytest.fixture(autouse=True)
def collector():
    """The tests switch it off; it is on for all others."""
    gc.enable()
    yield
    gc.enable()


@pytest.mark.parametrize("lasting", [False, True])
def test_it_rests_in_the_outermost_block(lasting):
    rest = Rest(lasting)
    with rest:
        assert not gc.isenabled()
        with rest:
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.parametrize("lasting", [False, True])
def test_it_stays_off_where_it_was_off(lasting):
    gc.disable()
    with Rest(lasting):
        pass
    assert not gc.isenabled()


def test_it_is_on_again_after_an_error():
    with pytest.raises(ValueError, match="lost"), Rest():
        raise ValueError("lost")
    assert gc.isenabled()


def test_what_lasts_is_with_the_old_objects():
    made = [[] for _ in range(1000)]
    with Rest(lasting=True):
        made = [[made] for _ in range(1000)]
    old = {id(each) for each in gc.get_objects(generation=2)}
    assert all(id(each) in old for each in made)


def test_what_somebody_froze_stays_frozen():
    gc.freeze()
    try:
        n = gc.get_freeze_count()
        with Rest(lasting=True):
            pass
        assert gc.get_freeze_count() == n > 0
    finally:
        gc.unfreeze()


def test_it_rests_while_a_function_is_compiled():
    states = []

    def part(x):
        return x + 1

    def whole(x):
        return part(x)

    # As if they were the package's: its functions alone are compiled without passes.
    part.__module__ = whole.__module__ = "skdl.ops._numba.made_up"
    part = inner(part)
    numba.core.event.register("numba:compile", listener := Listener(states))
    try:
        assert entry(whole)(1) == 2
    finally:
        numba.core.event.unregister("numba:compile", listener)
    assert states == [False] * 3 + [True]
    assert gc.isenabled()


class Listener(numba.core.event.Listener):
    """Note whether the collector is on where the compilation of a function ends."""

    def __init__(self, states):
        self.states = states

    def on_start(self, event):
        self.states.append(gc.isenabled())

    def on_end(self, event):
        self.states.append(gc.isenabled())


def test_loading_numba_leaves_it_on():
    program = "import gc, skdl.ops._numba; print(gc.isenabled(), gc.get_freeze_count())"
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == ["True", "0"]
