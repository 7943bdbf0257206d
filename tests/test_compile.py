"""Compiling ahead, and saying that it happens."""

import importlib
import os
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

import skdl
from skdl import config_context
from skdl.ops._compiling import compiling_is_said, say

numba = pytest.importorskip("numba")
PACKAGES = ("skdl.tree._numba", "skdl.boosting._numba")
LINE = "Compiling: up to 20 s, once after installing"


def named_values(module):
    """Yield what a module has, kernels and those in dictionaries by themselves."""
    for name, value in vars(module).items():
        many = value if isinstance(value, dict) else {"": value}
        for key, each in many.items():
            yield f"{name}{key}", getattr(each, "compiled", each)


def compiled_functions():
    """Return what Python calls and the cache keeps: name -> dispatcher."""
    images = (
        "bits",
        "conv",
        "depthwise",
        "images",
        "linear",
        "pool",
        "warp",
        "channel_norm",
        "elementwise",
        "team",
        "winograd",
        "winograd_weights",
    )
    names = [f"skdl.ops._numba.{name}" for name in ("update", *images)]
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        found = [module.name for module in pkgutil.iter_modules(path)]
        names += [f"{package}.{name}" for name in found if name != "probe"]
    return {
        f"{module}.{name}": value
        for module in names
        for name, value in named_values(importlib.import_module(module))
        if isinstance(value, numba.core.dispatcher.Dispatcher)
        and value.py_func.__module__ == module
        and value.targetoptions.get("no_cpython_wrapper") is None
    }


def signatures():
    return {name: set(f.signatures) for name, f in compiled_functions().items()}


@pytest.fixture(scope="module", autouse=True)
def _ahead():
    skdl.compile(verbose=False)


def test_everything_that_python_calls_is_compiled():
    """In a process of its own: here other tests have called functions too."""
    program = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n"
    program += "from test_compile import *; skdl.compile(verbose=False)\n"
    program += "for name, types in signatures().items(): print(name, len(types))"
    command = [sys.executable, "-c", program]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    found = dict(line.split() for line in out.stdout.splitlines())
    assert len(found) > 10
    assert [name for name, n in found.items() if n == "0"] == []


def test_code_on_disk_knows_the_files_that_it_was_made_from():
    kept = {name: f._cache for name, f in compiled_functions().items()}
    files = {n: c._cache_file for n, c in kept.items() if hasattr(c, "_cache_file")}
    assert len(files) == len(kept)
    own = {n: file._source_stamp[1:] for n, file in files.items()}  # the digests
    assert all(len(stamp) >= 1 and len(stamp[0]) == 64 for stamp in own.values())


def rows(dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    return X.astype(dtype), rng.integers(0, 3, 80), rng.uniform(1, 2, 80)


FITS = {
    "classes": lambda X, y, w: skdl.GradientBoostingClassifier(n_estimators=2).fit(
        X, y
    ),
    "weights": lambda X, y, w: skdl.GradientBoostingClassifier(
        n_estimators=2, subsample=0.5, max_features=2
    ).fit(X, y > 0, w),
    "numbers": lambda X, y, w: skdl.GradientBoostingRegressor(
        n_estimators=2, monotonic_cst=[1, 0, 0, 0]
    ).fit(np.where(X > 2, np.nan, X), X[:, 0]),
    "other losses": lambda X, y, w: skdl.GradientBoostingRegressor(
        n_estimators=2, loss="absolute_error"
    ).fit(X, X[:, 0], w),
    "sparse": lambda X, y, w: skdl.GradientBoostingClassifier(n_estimators=2).fit(
        sparse.csr_array(X), y
    ),
    "several outputs": lambda X, y, w: skdl.GradientBoostingRegressor(
        n_estimators=2, shared_trees=True
    ).fit(X, X[:, :2]),
    "AdaBoost": lambda X, y, w: skdl.AdaBoostClassifier(n_estimators=2).fit(X, y, w),
    "AdaBoost.R2": lambda X, y, w: skdl.AdaBoostRegressor(n_estimators=2).fit(
        X, X[:, 0], w
    ),
    "network": lambda X, y, w: skdl.MLPClassifier(
        (1000, 40), max_iter=1, n_iter_no_change="never"
    ).fit(X, y),
}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("net", ["small", "depthwise"])
def test_then_pictures_compile_nothing(net, dtype):
    layers = net
    if net == "depthwise":
        layers = [
            skdl.layers.DepthwiseConv2D(5, stride=2),
            "avg_pool2d",
            skdl.layers.Conv2D(40, 1),
            "flatten",
        ]
    X = np.random.default_rng(1).integers(0, 255, (10, 15, 17, 1)).astype(dtype)
    before = signatures()
    with config_context(engine="numba"):
        net = skdl.CNNClassifier(layers, max_iter=1, n_iter_no_change="never")
        net.fit(X, np.arange(10) % 2).predict(X)
    assert signatures() == before


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", FITS)
def test_then_a_fit_compiles_nothing(case, dtype, capsys):
    X, y, weight = rows(dtype)
    before = signatures()
    with config_context(engine="numba"), compiling_is_said(1):
        FITS[case](X, y, weight).predict(X)
    assert signatures() == before
    assert LINE not in capsys.readouterr().out


def test_without_numba_there_is_nothing_to_compile(monkeypatch):
    monkeypatch.setattr("skdl._config.has_numba", lambda: False)
    with pytest.raises(ImportError, match=r'pip install "skdl\[fast\]"'):
        skdl.compile()


def test_it_says_how_long_it_took(capsys):
    skdl.compile()
    assert capsys.readouterr().out.startswith("skdl: compiled in ")


# ---- saying it


def fake_kernel(module):
    def kernel(x):
        return x + 1

    kernel.__module__ = module
    return numba.njit(kernel)


def test_one_line_while_it_happens(capsys):
    kernel = fake_kernel("skdl.tree._numba.made_up")
    with compiling_is_said(verbose=2):
        kernel(1)
        assert capsys.readouterr().out.startswith(LINE)
        kernel(1.0)  # a second one says nothing more
        kernel(1)
    assert capsys.readouterr().out == ""


def test_silence(capsys):
    with compiling_is_said(verbose=0):
        fake_kernel("skdl.tree._numba.made_up")(1)
    fake_kernel("skdl.tree._numba.made_up")(1)
    with compiling_is_said(verbose=1):
        fake_kernel("somebody.elses")(1)
    assert capsys.readouterr().out == ""


ESTIMATORS = {
    "networks": lambda **s: skdl.MLPRegressor((2,), max_iter=1, **s),
    "gradient boosting": lambda **s: skdl.GradientBoostingRegressor(
        n_estimators=1, **s
    ),
    "AdaBoost": lambda **s: skdl.AdaBoostRegressor(n_estimators=1, **s),
}


class Compiles:
    """A callback: something is compiled during the fit."""

    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context):
        say()


@pytest.mark.filterwarnings("ignore:Training stopped after max_iter")
@pytest.mark.parametrize("verbose", [0, 1])
@pytest.mark.parametrize("case", ESTIMATORS)
def test_fits_that_are_verbose_say_it(case, verbose, capsys):
    X, _, _ = rows(np.float64)
    ESTIMATORS[case](verbose=verbose).set_callbacks(Compiles()).fit(X, X[:, 0])
    assert capsys.readouterr().out.count(LINE) == verbose


def test_the_first_fit_with_an_empty_cache_says_it(tmp_path):
    code = """
import numpy as np, skdl
skdl.set_config(engine="numba")
X = np.zeros((20, 40))
skdl.MLPRegressor((1000,), max_iter=1, verbose=1).fit(X, X[:, 0])
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count(LINE) == 1
