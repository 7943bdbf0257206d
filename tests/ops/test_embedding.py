"""Rows of a table, looked up and added up again, NumPy and compiled."""

import numpy as np
import pytest

from skdl import config_context
from skdl._config import has_numba
from skdl.ops.embedding import add_up_rows, take_rows

ENGINES = ["numpy", "numba"] if has_numba() else ["numpy"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("shape", [(0,), (7,), (3, 5), (70, 60)], ids=str)
def test_rows(engine, dtype, shape):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(9, 70)).astype(dtype)
    which = rng.integers(0, 8, shape)  # the last row never comes
    which = np.asfortranarray(which)
    dy = rng.normal(size=(*shape, 70)).astype(dtype)
    expected = np.zeros((9, 70))
    np.add.at(expected, which, dy)
    with config_context(engine=engine):
        out = np.full((*shape, 70), np.nan, dtype)
        assert take_rows(table, which, out) is out
        np.testing.assert_array_equal(out, table[which])
        sums = np.full((9, 70), np.nan, dtype)
        assert add_up_rows(dy, which, sums) is sums
        atol = (2e-5 if dtype == "f" else 1e-13) * 10
        np.testing.assert_allclose(sums, expected, rtol=0, atol=atol)
        assert (sums[8] == 0).all()


@pytest.mark.skipif(len(ENGINES) == 1, reason="needs Numba")
def test_sums_do_not_depend_on_threads():
    rng = np.random.default_rng(0)
    which, dy = rng.integers(0, 8, 4000), rng.normal(size=(4000, 100)).astype("f")
    sums = []
    for n_threads in (1, 2, 5):
        with config_context(engine="numba", n_threads=n_threads):
            sums.append(add_up_rows(dy, which, np.empty((8, 100), "f")))
            rows = take_rows(dy, which, np.empty((4000, 100), "f"))
        np.testing.assert_array_equal(sums[-1], sums[0])
        np.testing.assert_array_equal(rows, dy[which])
