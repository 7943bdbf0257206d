"""Numba's internals: a version in which they differ leads to the NumPy engine."""

import importlib
import warnings

import numpy as np
import pytest

from skdl import GradientBoostingRegressor, _config, config_context
from skdl.ops._numba import crew, probe

X = np.random.default_rng(0).normal(size=(300, 4))
Y = X[:, 0] - X[:, 1] ** 2


@pytest.fixture(autouse=True)
def forgotten():
    """Forget before and after what is known of the Numba at hand."""
    _config.numba_fits.cache_clear()
    yield
    _config.numba_fits.cache_clear()


@pytest.fixture
def untested(monkeypatch):
    monkeypatch.setattr(_config, "NUMBA_TESTED", ((0, 1), (0, 2)))


def predicted(engine):
    with config_context(engine=engine):
        model = GradientBoostingRegressor(n_estimators=5, random_state=0)
        return model.fit(X, Y).predict(X)


def test_the_probe_runs():
    probe.run()


def test_a_tested_version_is_not_probed(monkeypatch):
    monkeypatch.setattr(probe, "run", lambda: pytest.fail("probed"))
    with config_context(engine="numba"):
        assert _config.use_numba()


@pytest.mark.parametrize("engine", ["auto", "numba"])
def test_an_untested_version_that_works_is_used(untested, engine):
    with warnings.catch_warnings(), config_context(engine=engine):
        warnings.simplefilter("error")
        assert _config.use_numba()


@pytest.mark.parametrize("part", ["conv", "winograd"])
def test_an_operation_that_computes_nonsense_is_found(monkeypatch, part):
    monkeypatch.setattr(
        getattr(probe, part), "correlate_images", lambda *args: np.zeros((1, 6, 6, 32))
    )
    with pytest.raises(RuntimeError, match=f"a trial of {part} gave"):
        probe.run()


FAULTS = {
    "does not compile": lambda: (_ for _ in ()).throw(TypeError("no populate_array")),
    "computes nonsense": None,
}


@pytest.mark.parametrize("engine", ["auto", "numba"])
@pytest.mark.parametrize("fault", FAULTS)
def test_one_that_does_not_work_falls_back_to_numpy(
    untested, monkeypatch, engine, fault
):
    if FAULTS[fault] is None:
        monkeypatch.setattr(probe, "_kernel", lambda table, control: 0.0)
    else:
        monkeypatch.setattr(probe, "run", FAULTS[fault])
    expected = predicted("numpy")
    with pytest.warns(UserWarning, match=r"Numba .* differs .*0\.1 to 0\.2.*NumPy eng"):
        got = predicted(engine)
    np.testing.assert_array_equal(got, expected)
    with warnings.catch_warnings(), config_context(engine=engine):
        warnings.simplefilter("error")  # it is said once
        assert not _config.use_numba()


def test_a_module_that_cannot_be_imported_falls_back_too(untested, monkeypatch):
    def missing(name):
        raise ImportError(f"cannot import populate_array for {name}")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.warns(UserWarning, match="cannot import populate_array"):
        assert not _config.numba_fits()


def test_control_words_lie_in_lines_of_their_own():
    places = [crew.TICKET, crew.DONE, crew.STOP, crew.KIND]
    assert min(np.diff(sorted(places))) * 8 >= 64
