"""Helpers that come late."""

import gc

import numpy as np

from skdl import config_context
from skdl.ops._threads import Task
from skdl.tree import BinMapper, TreeParams, make_grower


def test_a_helper_that_comes_late_finds_its_memory(monkeypatch):
    engine = __import__("skdl.tree._numba.engine", fromlist=["engine"])
    late = []

    def keep(function, *args):
        late.append((function, args))
        return Task(function, args)  # never started: the next tree takes it back

    monkeypatch.setattr(engine, "CREW_WORK", 0)
    monkeypatch.setattr(engine, "submit", keep)
    rng = np.random.default_rng(0)
    X, g = rng.normal(size=(300, 40)), rng.normal(size=(1, 300))
    with config_context(engine="numba", n_threads=2):
        binned = BinMapper().fit_transform(X, rng)
        grower = make_grower(binned, TreeParams(max_leaf_nodes=7))
        grower.grow(g, None)
        leaves = grower.grow(g, None).tree.n_leaves
    del grower, binned
    gc.collect()
    assert leaves == 7
    assert len(late) == 2
    for function, args in late:  # each was dismissed before it came
        assert function(*args) == 0
