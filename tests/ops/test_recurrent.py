"""Recurrent layers through time: the compiled twin beside the NumPy operation."""

from importlib import import_module

import numpy as np
import pytest

from skdl import config_context
from skdl.ops import recurrent as op

pytest.importorskip("numba")

KINDS = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}
TOLERANCE = {"f": 2e-6, "d": 4e-15}  # of the largest value
SIZES = {  # steps, rows, H: tails of tiles and of vectors
    "one": (1, 1, 1),
    "odd": (4, 9, 5),
    "wide": (3, 6, 70),
}


def run(kind, engine, dtype, size, lengths, threads=1):
    """Return everything that both passes write."""
    T, n, H = size
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.normal(size=shape).astype(dtype)

    z, U, v = draw(T, n, KINDS[kind] * H), draw(H, KINDS[kind] * H), draw(3 * H)
    U /= np.sqrt(H).astype(dtype)
    h, c, dy, dh, dc = (draw(k, n, H) for k in (T + 1, T + 1, T, 1, 1))
    dh, dc, kept, dz = dh[0], dc[0], draw(T, n, H), draw(T, n, KINDS[kind] * H)
    with config_context(engine=engine, n_threads=threads):
        if kind == "lstm":
            op.lstm(z, U, h, c, kept, lengths)
            there = [h.copy(), c.copy()]
            op.lstm_backward(z, c, kept, dy, U, dh, dc, lengths)
            return [*there, z, dh, dc]
        if kind == "gru":
            op.gru(z, U, v, h, kept, lengths)
            there = [h.copy()]
            op.gru_backward(z, h, kept, dz, dy, U, dh, lengths)
            return [*there, z, dz, dh]
        op.simple(z, U, h, lengths, kind == "relu")
        op.simple_backward(dz, h, dy, U, dh, lengths, kind == "relu")
        return [h, dz, dh]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("kind", KINDS)
def test_twins(kind, dtype, padded, size):
    T, n, _ = size = SIZES[size]
    lengths = np.random.default_rng(1).integers(0, T + 1, n) if padded else None
    got = run(kind, "numba", dtype, size, lengths)
    for mine, expected in zip(
        got, run(kind, "numpy", dtype, size, lengths), strict=True
    ):
        atol = TOLERANCE[dtype] * np.abs(expected).max()
        np.testing.assert_allclose(mine, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_on_any_number_of_threads(kind, padded):
    size = (30, 17, 128 if KINDS[kind] == 1 else 80)
    lengths = np.random.default_rng(1).integers(1, 31, 17) if padded else None
    shares = import_module("skdl.ops._numba.recurrent")._shares
    with config_context(n_threads=3):
        H = size[2]
        assert len(shares(17, 30, H, KINDS[kind] * H, lengths)) > 1
    expected = run(kind, "numba", "f", size, lengths)
    for mine, one in zip(
        run(kind, "numba", "f", size, lengths, threads=3), expected, strict=True
    ):
        np.testing.assert_array_equal(mine, one)


def test_nan_stays():
    """Training that diverges is to be seen."""
    with config_context(engine="numba"):
        z, U = np.full((1, 1, 8), np.nan), np.ones((2, 8))
        h, c, kept = np.zeros((2, 1, 2)), np.zeros((2, 1, 2)), np.empty((1, 1, 2))
        op.lstm(z, U, h, c, kept, None)
    assert np.isnan(h[1]).all()


@pytest.mark.parametrize("dtype", "fd")
def test_curves(dtype):
    numba, curves = (
        pytest.importorskip("numba"),
        import_module("skdl.ops._numba.curves"),
    )
    big = 80 if dtype == "f" else 700
    x = np.geomspace(1e-30, big, 5000)
    x = np.concatenate([x, -x, np.linspace(-20, 20, 9999)]).astype(dtype)
    wide = x.astype(np.longdouble)
    exact = {
        "exp": np.exp(wide),
        "sigmoid": 1 / (1 + np.exp(-wide)),
        "tanh": np.tanh(wide),
    }
    for name, expected in exact.items():
        curve, got = getattr(curves, name), np.empty_like(x)

        @numba.njit
        def fill(x, out, curve=curve):
            for i in range(x.size):
                out[i] = curve(x[i])

        fill(x, got)
        unit = np.spacing(np.abs(expected).astype(dtype))
        assert (np.abs(got - expected) / unit).max() < 4, name
