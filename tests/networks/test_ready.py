"""What is kept for predictions of few pictures, and that it is never out of date."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from skdl import config_context
from skdl._config import has_numba
from skdl.layers import (
    BatchNorm,
    Context,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    Residual,
    forward_chain,
    resolve_chain,
)
from skdl.networks import Network, _ready
from skdl.networks._excerpt import Excerpt
from skdl.networks._rates import set_rates
from skdl.ops.bits import same_bits

ENGINES = ["numpy", "numba"] if has_numba() else ["numpy"]
SHAPE = (12, 12, 3)


def drawn(dtype=np.float32, rates=None):
    """Convolutions, one of them Winograd's, a norm, and dense layers behind them."""
    layers = [
        Conv2D(32, padding=1),
        BatchNorm(),
        "relu",
        Residual([Conv2D(32, padding=1, winograd=True), "relu"]),
        MaxPool2D(4),
        Flatten(),
        Dense(70),
        "relu",
        Dense(3),
    ]
    layers, rng = resolve_chain(layers), np.random.default_rng(0)
    set_rates(layers, SHAPE, None, rates)
    network = Network(layers, SHAPE, dtype)
    network.initialize(rng)
    network.params.vector[:] += rng.normal(scale=0.02, size=network.params.size)
    network.state.vector[:] = rng.uniform(0.5, 1.5, network.state.size)
    return network


def expected(network, x):
    tree = network.tree(network.params)
    return forward_chain(network.layers, tree, x, Context(False, dtype=x.dtype))[0]


def pictures(n, dtype=np.float32):
    return np.random.default_rng(n).normal(size=(n, *SHAPE)).astype(dtype)


def close(a, b):
    return np.abs(a - b).max() < 1e-4 * np.abs(b).max()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rates", [None, {0: 0.0}, {3: 0.5}], ids=str)
def test_each_array_counts(engine, rates):
    network = drawn(rates=rates)
    with config_context(engine=engine):
        for n in (1, 3, 9):
            x = pictures(n)
            before = network.predict(x)
            assert close(before, expected(network, x))
            for vector in (network.params, network.state):
                for name in vector:
                    vector[name].flat[-1] += 3
                    y = network.predict(x)
                    assert close(y, expected(network, x)), name
                    vector[name].flat[-1] -= 3
            assert close(network.predict(x), before)


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_kept_of_large_networks(engine, monkeypatch):
    small, x = drawn(), pictures(1)
    monkeypatch.setattr(_ready, "_REMEMBERED", 0)
    large = drawn()
    with config_context(engine=engine):
        large.params["0.W"][...] *= 2
        for _ in range(2):
            assert close(large.predict(x), expected(large, x))
        assert close(small.predict(x), expected(small, x))


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("engine", ENGINES)
def test_results_are_the_callers(engine, n):
    """Scratch memory is used again; what is returned does not lie there."""
    network = drawn()
    with config_context(engine=engine):
        first = network.predict(pictures(n))
        copy = first.copy()
        other = network.predict(-pictures(n))
        assert (other != first).any()
        np.testing.assert_array_equal(first, copy)


@pytest.mark.parametrize("engine", ENGINES)
def test_many_threads(engine):
    network = drawn()
    batches = [pictures(n)[i : i + 1] for n in range(2, 9) for i in range(n)]
    with config_context(engine=engine):
        alone = [network.predict(x) for x in batches]

    def predict(x):
        with config_context(engine=engine):
            return network.predict(x)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for got, wanted in zip(pool.map(predict, batches), alone, strict=True):
                np.testing.assert_array_equal(got, wanted)


def test_it_is_not_pickled():
    network = drawn()
    before = len(pickle.dumps(network))
    network.predict(pictures(1))
    assert len(pickle.dumps(network)) == before


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
def test_same_bits_for_any_number_of_threads(n_threads):
    network = drawn()
    with config_context(engine="numba", n_threads=1):
        wanted = [network.predict(pictures(n)) for n in (1, 2, 9)]
    with config_context(engine="numba", n_threads=n_threads):
        for n, y in zip((1, 2, 9), wanted, strict=True):
            np.testing.assert_array_equal(network.predict(pictures(n)), y)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 2, 33])
def test_same_bits(n, dtype, engine):
    a = np.random.default_rng(0).normal(size=n).astype(dtype)
    a[1::2] = np.nan
    with config_context(engine=engine):
        assert same_bits(a, a.copy())
        for i in range(n):
            for other in (-a[i], a[i] + 1e-3 if i % 2 == 0 else 1.0):
                b = a.copy()
                b[i] = other
                assert not same_bits(a, b)


def test_excerpt_of_a_vector():
    params = drawn(rates={3: 0.5}).params
    names = ["8.b", "0.W", "3.0.W", "6.W"]
    excerpt = Excerpt(params, names)
    assert set(excerpt.copies) == set(names)
    for name in params:
        at = params[name].reshape(-1)
        for i in (0, -1):
            kept, at[i] = at[i], at[i] + 1
            assert excerpt.equals(params) is (name not in names)
            at[i] = kept
    for name in names:
        np.testing.assert_array_equal(excerpt.copies[name], params[name])
    params["0.W"][0] = np.nan
    assert Excerpt(params, names).equals(params)
    assert not excerpt.equals(drawn(np.float64, {3: 0.5}).params)
    assert not excerpt.equals(drawn().params)  # of another layout


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("n_layers", [None, 7])
@pytest.mark.parametrize("limit", [2**20, 0])
def test_a_picture_asks_nothing_of_blas(n_layers, limit, monkeypatch):
    """Whose sums have another order with more threads."""
    monkeypatch.setattr(_ready, "_REMEMBERED", limit)
    network, asked = drawn(), []
    monkeypatch.setattr("skdl.ops.linear.product", lambda *_: asked.append(1))
    monkeypatch.setattr(network, "computing", lambda n: asked.append(n))
    with config_context(engine="numba"):
        network.predict(pictures(1), n_layers)
    assert not asked


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
def test_dense_layers_of_pixels_ask_blas_with_one_thread(monkeypatch):
    layers = [Conv2D(16, padding=1), "relu", Dense(64), "relu", Dense(10)]
    network, entered = Network(layers, (32, 32, 3), np.float32), []
    computing = network.computing
    monkeypatch.setattr(
        network, "computing", lambda n: entered.append(n) or computing(n)
    )
    with config_context(engine="numba"):
        network.predict(np.zeros((1, 32, 32, 3), np.float32))
    assert entered == [1]


@pytest.mark.parametrize("size", [(12, 12), (300, 300)])
def test_memory_of_large_pictures_is_not_kept(size):
    layers = [*["conv2d", "relu"] * 3, Conv2D(2)]
    networks = [Network(layers, (*shape, 3), np.float32) for shape in ((12, 12), size)]
    for network in networks:
        network.initialize(np.random.default_rng(0))
        x = np.ones((1, *size, 3), np.float32)
        with config_context(engine=ENGINES[-1]):
            for _ in range(2):
                network.predict(x)
        kept = network.layers.folded.last
        held = [] if kept is None else [*kept._arenas, *kept._replays]
        assert len(held) == (size == (12, 12) and kept is not None)
