"""A chain of layers with its arrays: layout, prediction, copies, pickles."""

import copy
import pickle
import threading
from contextlib import nullcontext

import joblib
import numpy as np
import pytest
from scipy import sparse

from skdl import config_context
from skdl._config import has_numba
from skdl._ragged import Ragged
from skdl.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    GlobalAvgPool,
    Layer,
    ParamSpec,
    Residual,
    TooSmallError,
)
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
    assert network.params.penalised == [slice(0, n_weights)]
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


@pytest.mark.parametrize(
    ("chain", "shape", "x_shape", "is_little"),
    [
        ([Dense(6)], (9,), (1, 9), True),
        ([Dense(6)], (9,), (1000, 9), False),
        # A weight acts at each step, also at those that other sequences lack.
        ([Dense(6)], (50, 9), (1, 50, 9), True),
        ([Dense(6)], (5000, 9), (1, 5000, 9), False),
        ([Dense(6)], (50, 9), (1, 5000, 9), False),
        ([Embedding(9, 6), Dense(6)], (5000,), (1, 5000), False),
        ([Dense(60), Residual([Dense(60)]), Dense(99)], (9,), (1, 9), False),
        ([Residual([], shortcut=[Dense(9)])], (9,), (1, 9), True),
        ([Residual([Dense(6)])], (5000,), (1, 5000), False),  # and of the shortcut
    ],
)
def test_blas_gets_one_thread_unless_work_is_little(
    chain, shape, x_shape, is_little, monkeypatch
):
    network, entered = Network(chain, shape), []
    monkeypatch.setattr(
        network, "computing", lambda n: entered.append(n) or nullcontext()
    )
    network.predict(np.zeros(x_shape))
    assert entered == ([] if is_little else [x_shape[0]])


@pytest.mark.parametrize("engine", ["numpy", "numba"] if has_numba() else ["numpy"])
def test_compiled_convolutions_are_nothing_to_blas(engine, monkeypatch):
    layers = [Conv2D(6), GlobalAvgPool(), Dense(20)]
    network, entered = Network(layers, (8, 8, 9)), []
    monkeypatch.setattr(
        network, "computing", lambda n: entered.append(n) or nullcontext()
    )
    with config_context(engine=engine):
        network.predict(np.zeros((1, 8, 8, 9)))
        assert entered == ([] if engine == "numba" else [1])
        entered.clear()
        network.predict(np.zeros((100, 8, 8, 9)))
    assert entered == [100]


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
    class Unfit(Layer):
        def build(self, input_shape):
            raise ValueError(f"it takes no {input_shape}.")

    with pytest.raises(ValueError, match=r"^Layer 1 \(Unfit\(\)\): it takes no \(3,\)"):
        Network([Dense(3), Unfit()], (4,))


class Halve(Layer):
    """Keeps every other pixel of the first two axes."""

    def build(self, input_shape):
        if min(input_shape[:2]) < 2:
            raise TooSmallError(f"needs at least 2×2, gets {input_shape[:2]}.")
        return (input_shape[0] // 2, input_shape[1] // 2, *input_shape[2:]), {}

    def forward(self, params, x, ctx):
        h, w = x.shape[1] // 2, x.shape[2] // 2
        return x[:, : 2 * h : 2, : 2 * w : 2], None


@pytest.mark.parametrize("n_halvings", [1, 3, 5])
def test_the_smallest_input_that_fits(n_halvings):
    layers = [Halve() for _ in range(n_halvings)]
    smallest = 2**n_halvings
    assert Network(layers, (smallest, smallest, 3)).output_shape == (1, 1, 3)
    message = (
        rf"Layer {n_halvings - 1} .*needs at least 2×2.*\({smallest}, {smallest}, 3\)"
    )
    with pytest.raises(TooSmallError, match=message):
        Network(layers, (smallest - 1, smallest, 3))


def test_no_size_fits():
    class Never(Layer):
        def build(self, input_shape):
            raise TooSmallError("never enough.")

    with pytest.raises(TooSmallError, match=r"never enough\.$"):
        Network([Never()], (4, 4, 1))
    with pytest.raises(TooSmallError, match=r"never enough\.$"):
        Network([Never()], (4,))


def test_the_shape_behind_each_layer():
    network = Network([Dense(5), "relu", BatchNorm(), Dense(2)], (3, 4))
    assert network.shapes == [(3, 4), (3, 5), (3, 5), (3, 5), (3, 2)]
    assert network.output_shape == (3, 2)


def test_rows_are_predicted_by_the_bytes_of_their_activations():
    seen = []

    class Spy(Layer):
        def forward(self, params, x, ctx):
            seen.append(len(x))
            return x, None

    X = np.random.default_rng(0).normal(size=(40, 100, 100, 3))
    network = Network([Spy(), Dense(2)], X.shape[1:])
    network.initialize(np.random.default_rng(0))
    whole = network.predict(X)
    assert max(seen) * X[0].nbytes < 2e6
    assert sum(seen) == 40
    np.testing.assert_allclose(whole, X @ network.params["1.W"], atol=1e-12)
    rows = [(part, raw.copy()) for part, raw in network.predict_parts(X)]
    assert [part.start for part, _ in rows] == list(np.cumsum([0, *seen])[: len(rows)])
    np.testing.assert_array_equal(np.concatenate([raw for _, raw in rows]), whole)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, bool, np.float32])
def test_numbers_are_cast_by_the_network(kind):
    X = np.random.default_rng(0).integers(0, 2, (30, 4)).astype(kind)
    network = Network([Dense(3), "tanh"], (4,))
    network.initialize(np.random.default_rng(0))
    np.testing.assert_array_equal(network.predict(X), network.predict(X.astype(float)))


def test_a_layer_may_take_integers_as_they_are():
    seen = []

    class Lookup(Layer):
        accepts_integers = True

        def forward(self, params, x, ctx):
            seen.append(x.dtype)
            return np.eye(4)[x], None

        def build(self, input_shape):
            return (*input_shape, 4), {}

    X = np.array([[0, 3, 1]], np.uint8)
    assert Network([Lookup()], (3,)).predict(X).tolist() == [
        np.eye(4)[[0, 3, 1]].tolist()
    ]
    assert seen == [np.uint8]


def test_sequences_of_different_lengths():
    seen = []

    class Spy(Layer):
        def forward(self, params, x, ctx):
            seen.append((x.shape, list(ctx.lengths)))
            return x, None

    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, 2)) for n in (3, 1, 4)]
    X = Ragged.of(sequences)
    network = Network([Spy(), Dense(5)], X.shape[1:])
    network.initialize(rng)
    steps = network.predict(X)
    assert seen == [((3, 4, 2), [3, 1, 4])]
    for got, sequence in zip(steps, sequences, strict=True):
        np.testing.assert_allclose(got, sequence @ network.params["1.W"], atol=1e-12)

    class Last(Layer):
        def build(self, input_shape):
            return input_shape[1:], {}

        def forward(self, params, x, ctx):
            return x[np.arange(len(x)), ctx.lengths - 1], None

    last = Network([Last()], X.shape[1:]).predict(X)
    np.testing.assert_array_equal(last, [sequence[-1] for sequence in sequences])


def test_affine_maps():
    layers = [Dense(5, bias=False), BatchNorm(), Residual([Dense(3)]), Dense(2)]
    network = Network(layers, (4,))
    network.initialize(np.random.default_rng(0))
    maps = network.affine_maps()
    assert [W.shape for W, _ in maps] == [(4, 5), (5, 3), (5, 3), (3, 2)]
    assert [b.shape for _, b in maps] == [(5,), (3,), (3,), (2,)]
    assert [b.flags.writeable for _, b in maps] == [False, True, False, True]
    assert maps[3][0] is network.params["3.W"]
    assert maps[3][1] is network.params["3.b"]


class Frozen(Residual):
    """A chain whose arrays do not learn, or at another pace."""

    def __init__(self, layers=(), rate=0.0):
        super().__init__(layers)
        self.rate = rate

    def resolved(self):
        return Frozen(super().resolved().layers, self.rate)

    def build(self, input_shape):
        shape, specs = super().build(input_shape)

        def slower(spec):
            if isinstance(spec, dict):
                return {key: slower(value) for key, value in spec.items()}
            return ParamSpec(*spec)._replace(rate=self.rate)

        return shape, slower(specs)


def test_layers_that_do_not_learn():
    network = Network([Frozen([Dense(4)]), Dense(3), Frozen([Dense(3)])], (4,))
    assert not network.params.learns("0.0.W")
    assert network.params.n_active == 4 * 3 + 3
    # The last one must pass the gradient on, the first one need not be asked.
    grads = network.gradient_tree(network.params.like())
    assert list(grads) == ["1", "2"]
    with pytest.raises(ValueError, match="there is nothing to train"):
        Network([Frozen([Dense(4)])], (4,)).check_trainable()


@pytest.mark.parametrize("rate", [-1.0, np.inf, "0"])
def test_a_multiplier_out_of_range(rate):
    with pytest.raises(ValueError, match=r"'rate' parameter of The ParamSpec of 0"):
        Network([Frozen([Dense(4)], rate)], (4,))


def test_sparse_is_for_a_first_dense_layer():
    assert Network([Dense(3)], (4,)).accepts_sparse
    assert not Network(["relu", Dense(3)], (4,)).accepts_sparse
    assert not Network([], (4,)).accepts_sparse
