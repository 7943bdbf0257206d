"""A chain of layers with its arrays: layout, prediction, copies, pickles."""

import copy
import pickle
import threading

import joblib
import numpy as np
import pytest
from scipy import sparse

from skdl.layers import BatchNorm, Dense, Dropout, Layer, Residual
from skdl.networks import Network

CHAIN = [Dense(6), BatchNorm(), "relu", Dropout(0.5), Residual([Dense(4)]), Dense(2)]


def made(chain=CHAIN, n_in=3, dtype=np.float64):
    network = Network(chain, (n_in,), dtype)
    rng = np.random.default_rng(0)
    network.initialize(rng)
    network.state.vector[:] += rng.uniform(0, 1, network.state.size)
    return network


def test_layout():
    network = made()
    assert network.output_shape == (2,)
    assert network.params["4.0.W"].shape == (6, 4)
    assert network.params["4.skip.W"].shape == (6, 4)
    n_weights = 3 * 6 + 6 * 4 + 6 * 4 + 4 * 2
    assert network.params.n_weights == n_weights
    assert network.params.size == n_weights + 6 + 6 + 6 + 4 + 2
    assert network.state.size == 12


def test_the_layers_are_copies():
    dense = Dense(3)
    network = Network([dense, "relu"], (2,))
    dense.units = 99
    assert network.layers[0].units == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types(dtype):
    network = made(dtype=dtype)
    assert network.params.vector.dtype == network.state.vector.dtype == dtype
    for given in (np.float32, np.float64, np.int64, np.uint8):
        assert network.predict(np.ones((4, 3), given)).dtype == dtype


def test_the_same_seed_gives_the_same_weights():
    a, b = made(), made()
    np.testing.assert_array_equal(a.params.vector, b.params.vector)
    b.initialize(np.random.default_rng(1))
    assert (a.params.vector != b.params.vector).any()


def test_predict_in_chunks_is_predict_at_once():
    network = made([Dense(600), "tanh", Dense(3)])
    X = np.random.default_rng(0).normal(size=(1500, 3))
    whole = network.predict(X)
    parts = np.concatenate([network.predict(X[i : i + 7]) for i in range(0, 1500, 7)])
    np.testing.assert_allclose(whole, parts, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        network.predict(sparse.csr_array(X)), whole, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("n_layers", [0, 1, 3, 6, None])
def test_inner_layers(n_layers):
    network = made()
    X = np.random.default_rng(0).normal(size=(5, 3))
    got = network.predict(X, n_layers)
    assert got.shape == (5, {0: 3, 1: 6, 3: 6, 6: 2, None: 2}[n_layers])
    assert not np.shares_memory(got, X)
    if n_layers == 1:
        expected = X @ network.params["0.W"] + network.params["0.b"]
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_predict_writes_nothing_into_network_or_input():
    network = made()
    before = network.snapshot()
    X = np.random.default_rng(0).normal(size=(200, 3))
    X.flags.writeable = network.params.vector.flags.writeable = False
    network.state.vector.flags.writeable = False
    network.predict(X)
    for old, new in zip(before, network.snapshot(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_threads_predict_alike():
    network = made([Dense(300), BatchNorm(), "relu", Dense(3)])
    X = np.random.default_rng(0).normal(size=(3000, 3))
    expected, results = network.predict(X), [None] * 6

    def work(i):
        results[i] = [network.predict(X) for _ in range(3)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        for got in result:
            np.testing.assert_array_equal(got, expected)


COPIES = {
    "copy": lambda network: network.copy(),
    "deepcopy": copy.deepcopy,
    "pickle": lambda network: pickle.loads(pickle.dumps(network)),
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_are_independent_and_whole(how):
    network = made()
    X = np.random.default_rng(0).normal(size=(5, 3))
    other = COPIES[how](network)
    np.testing.assert_array_equal(other.predict(X), network.predict(X))
    other.params.vector[:] = 0  # the named arrays are views into this vector
    assert not other.predict(X).any()
    assert all(not other.params[name].any() for name in other.params)
    assert network.predict(X).any()


def test_memory_mapped_read_only(tmp_path):
    network = made()
    X = np.random.default_rng(0).normal(size=(5, 3))
    joblib.dump(network, tmp_path / "network")
    loaded = joblib.load(tmp_path / "network", mmap_mode="r")
    assert not loaded.params.vector.flags.writeable
    np.testing.assert_array_equal(loaded.predict(X), network.predict(X))


def test_snapshot_and_restore():
    network = made()
    X = np.random.default_rng(0).normal(size=(5, 3))
    before, kept = network.predict(X), network.snapshot()
    vector = network.params.vector
    network.params.vector[:] += 1
    network.state.vector[:] += 1
    assert (network.predict(X) != before).any()
    network.restore(kept)
    assert network.params.vector is vector  # in place
    np.testing.assert_array_equal(network.predict(X), before)


def test_a_layer_that_does_not_fit_is_named():
    class Flat(Layer):
        def build(self, input_shape):
            return (*input_shape, 2), {}

    with pytest.raises(
        ValueError, match=r"Layer 1 \(Dense\(units=3\)\): a dense layer"
    ):
        Network([Flat(), Dense(3)], (4,))


def test_sparse_is_for_a_first_dense_layer():
    assert Network([Dense(3)], (4,)).accepts_sparse
    assert not Network(["relu", Dense(3)], (4,)).accepts_sparse
    assert not Network([], (4,)).accepts_sparse
