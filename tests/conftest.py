"""Small data that many tests share, and pictures that need no screen."""

import re

import matplotlib
import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

matplotlib.use("Agg")
# Threads for tiny matrices, or for scikit-learn's trees, wait for each other on a busy
# machine. What the number of threads must not change is tested with other limits.
threadpool_limits(1)


def _frozen(*arrays):
    for array in arrays:
        array.flags.writeable = False  # shared: a test that writes fails at once
    return arrays


@pytest.fixture(scope="session")
def iris():
    """Return 150 scaled rows of 4 features, and 3 classes."""
    X, y = load_iris(return_X_y=True)
    return _frozen(StandardScaler().fit_transform(X), y)


@pytest.fixture(scope="session")
def digits():
    """Return 600 rows of 64 features in [0, 1] in single precision, and 10 classes."""
    X, y = load_digits(return_X_y=True)
    return _frozen((X[:600] / 16).astype(np.float32), y[:600])


@pytest.fixture(scope="session")
def curve():
    """Return 120 rows of 3 features and a smooth real target."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = np.sin(X[:, 0]) + 0.5 * X[:, 1] ** 2 + 0.1 * rng.normal(size=120)
    return _frozen(X, y)


@pytest.fixture(scope="session")
def problems():
    """Return small data by kind of target: X of shape (60, 4) and y."""
    X, y = make_blobs(60, 4, centers=3, cluster_std=3.0, random_state=0)
    X = StandardScaler().fit_transform(X)
    rng = np.random.default_rng(1)
    made = {
        "binary": y % 2,
        "multiclass": y,
        "multilabel": (X[:, :3] + rng.normal(size=(60, 3)) > 0).astype(int),
        "regression": X[:, 0] ** 2 + 0.1 * rng.normal(size=60),
        "multioutput": np.c_[X[:, 0] ** 2, np.sin(X[:, 1])],
    }
    _frozen(X, *made.values())
    return {kind: (X, target) for kind, target in made.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep the tests of a file in one process, unless ``--dist`` asks otherwise.

    They need the same compiled functions and the same fixtures: shared out one by one,
    all processes would compile the same function at the same time.
    """
    if config.getoption("dist") == "load":
        from xdist.scheduler import LoadFileScheduling

        return LoadFileScheduling(config, log)
    return None


def pytest_make_parametrize_id(config, val, argname):
    """Name tests by what an object prints, without its address in memory."""
    plain = val is None or isinstance(val, (str, bool, int, float))
    return None if plain else re.sub(r" at 0x[0-9a-f]+", "", str(val))
