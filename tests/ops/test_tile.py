"""The register tile and its copies against NumPy, for this CPU and for others."""

import os
import platform
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

pytest.importorskip("numba")
tiles = import_module("tiles")

TOLERANCE = {"f": 3e-5, "d": 1e-13}


@pytest.mark.parametrize("dtype", "fd")
def test_all_tails_of_random_tables(dtype):
    for few, columns in tiles.cases(dtype):
        problem = tiles.Problem(dtype, few, columns, seed=columns)
        for add, floor in ((False, -np.inf), (False, 0.0), (True, 0.0)):
            np.testing.assert_allclose(
                problem.got(add, floor),
                problem.expected(add, floor),
                atol=TOLERANCE[dtype],
            )


def test_a_floor_keeps_nan():
    problem = tiles.Problem("f", few=False, columns=5, seed=0)
    problem.a[:] = np.nan
    got, nr = problem.got(False, 0.0), problem.b.shape[2]
    stored = np.add.outer(problem.outs, 2 + np.arange(5)).ravel()
    assert np.isnan(got[stored]).all()
    assert np.isfinite(np.delete(got, stored)).all()
    assert nr > 5


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names x86 CPUs")
@pytest.mark.parametrize(
    ("name", "features", "width"),
    [("haswell", "+avx2,+fma", 32), ("generic", "", 16)],
)
def test_other_cpus(name, features, width):
    if width == 32 and tiles.T.BYTES < 32:
        pytest.skip("this CPU has no AVX")
    env = {**os.environ, "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, tiles.__file__],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    used, single, double = done.stdout.split()
    assert int(used) == width
    assert float(single) < TOLERANCE["f"]
    assert float(double) < TOLERANCE["d"]


@pytest.mark.parametrize("dtype", "fd")
def test_copies(dtype):
    a = np.arange(200, dtype=dtype)
    lanes = tiles.T.BYTES // a.itemsize
    for copy, n in ((tiles.copy_five, 5), (tiles.copy_two_vectors, 2 * lanes)):
        b = np.full(200, -1, dtype)
        copy(a, 3, b, 7)
        np.testing.assert_array_equal(b[7 : 7 + n], a[3 : 3 + n])
        assert (np.delete(b, slice(7, 7 + n)) == -1).all()
