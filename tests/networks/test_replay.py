"""Single samples that are predicted by calling compiled code again."""

import copy

import numpy as np
import pytest

from skdl import config_context
from skdl._config import has_numba
from skdl.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
    Rescale,
    Residual,
    replays,
    resolve_chain,
)
from skdl.networks import Network, named_layers

pytestmark = pytest.mark.skipif(not has_numba(), reason="needs Numba")

SHAPE = (12, 12, 3)
CONV = Conv2D(32, padding=1, winograd=True)
TAIL = [GlobalAvgPool(), Dropout(), Dense(20), "relu", Dense(3)]
CHAINS = {  # layers, and whether they are called again
    "plain": ([Conv2D(8), "relu", MaxPool2D(), Flatten(), Dense(3)], True),
    "padded": ([Conv2D(32, padding=1), CONV, MaxPool2D(2, padding=1), *TAIL], True),
    "norms": ([Conv2D(16), BatchNorm(), "relu", *TAIL], True),
    "depthwise": ([DepthwiseConv2D(padding=1), Conv2D(16, 1), "relu", *TAIL], True),
    "identity": ([Conv2D(32), Residual([CONV, BatchNorm()]), "relu", *TAIL], True),
    "shortcut": (
        [Residual([Conv2D(8, stride=2, padding=1)], [Conv2D(8, 1, 2)]), "relu", *TAIL],
        True,
    ),
    "nothing inside": ([Conv2D(4), Residual([]), *TAIL], True),
    "no biases": ([Conv2D(8, bias=False), *TAIL[:2], Dense(3, bias=False)], True),
    "lenet": (named_layers("lenet", SHAPE), True),
    "resnet8": (named_layers("resnet8", SHAPE), True),
    "projection": ([Conv2D(8), Residual([Conv2D(6, 1)]), *TAIL], False),
    "pixels": ([Conv2D(8), "relu", Dense(4), *TAIL], False),
    "a norm apart": ([Conv2D(8), "relu", BatchNorm(), *TAIL], False),
    "tanh": ([Conv2D(8), "tanh", *TAIL], False),
    "late ReLU": ([Conv2D(8), MaxPool2D(), "relu", *TAIL], False),
}


def drawn(layers, dtype=np.float32, seed=0):
    network, rng = Network(layers, SHAPE, dtype), np.random.default_rng(seed)
    network.initialize(rng)
    network.params.vector[:] += rng.normal(scale=0.02, size=network.params.size)
    network.state.vector[:] = rng.uniform(0.5, 1.5, network.state.size)
    return network


def pictures(n, dtype=np.float32):
    return np.random.default_rng(n).normal(size=(n, 1, *SHAPE)).astype(dtype)


def replay_of(network):
    """Return what a network has kept for single samples, the only one."""
    kept = network.layers.folded.last
    (free,) = kept._replays.values()
    (replay,) = free
    return replay


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CHAINS)
def test_the_same_bits_as_the_first_time(name, dtype, n_threads):
    layers, again = CHAINS[name]
    network = drawn(layers, dtype)
    with config_context(engine="numba", n_threads=n_threads):
        for x in pictures(5, dtype):
            got, first = network.predict(x), drawn(layers, dtype).predict(x)
            np.testing.assert_array_equal(got, first)
            if not again:
                continue
            replay = replay_of(network)
            for memory in replay._arena._buffers.values():
                memory[:] = 255  # what is not computed again is NaN
        kept = network.layers.folded.last
        found = kept is not None and bool(kept._replays)
        assert found is again
        if again:
            assert replay._raw is not None


def test_what_another_thread_predicts_meanwhile():
    """Memory is free for others as soon as a prediction is handed out."""
    network, (x, other) = drawn(CHAINS["plain"][0]), pictures(2)
    with config_context(engine="numba"):
        for _ in range(4):
            ((_, raw),) = network.predict_parts(x)
            before = raw.copy()
            network.predict(other)
            np.testing.assert_array_equal(raw, before)


@pytest.mark.parametrize("name", ["plain", "shortcut"])
def test_no_pictures(name):
    network = drawn(CHAINS[name][0])
    with config_context(engine="numba"):
        assert network.predict(np.empty((0, *SHAPE), np.float32)).shape == (0, 3)


def test_whole_numbers():
    layers = [Rescale(1 / 255), Conv2D(8), "relu", *TAIL]
    network, rng = drawn(layers), np.random.default_rng(0)
    with config_context(engine="numba"):
        for dtype in (np.uint8, np.int64, np.float32, np.float64):
            for _ in range(4):
                x = rng.integers(0, 256, (1, *SHAPE)).astype(dtype)
                np.testing.assert_array_equal(
                    network.predict(x), drawn(layers).predict(x)
                )
        types = {dtype for dtype, _ in network.layers.folded.last._replays}
    assert types == {np.dtype(t) for t in ("u1", "i8", "f4", "f8")}


def test_other_parameters_are_noticed():
    """Also where only those of layers behind the convolutions differ."""
    layers, x = CHAINS["plain"][0], pictures(1)[0]
    network = drawn(layers)
    with config_context(engine="numba"):
        for _ in range(3):
            before = network.predict(x)
        network.params["4.b"][:] += 1
        np.testing.assert_allclose(network.predict(x), before + 1, rtol=1e-5)
        network.params = copy.deepcopy(network.params)
        network.params["4.b"][:] += 1
        np.testing.assert_allclose(network.predict(x), before + 2, rtol=1e-5)


def test_pictures_that_are_not_contiguous():
    network, x = drawn(CHAINS["plain"][0]), pictures(1)[0]
    turned = np.ascontiguousarray(x.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3)
    with config_context(engine="numba"):
        wanted = network.predict(x)
        for _ in range(3):
            np.testing.assert_array_equal(network.predict(turned), wanted)


def test_a_layer_with_a_pass_of_its_own_is_not_called_again():
    class Louder(Conv2D):
        def forward(self, params, x, ctx):
            y, cache = super().forward(params, x, ctx)
            return 2 * y, cache

    class Same(Conv2D):
        pass

    assert replays(resolve_chain([Same(4), "relu"]), SHAPE)
    assert not replays(resolve_chain([Louder(4), "relu"]), SHAPE)
    assert not replays(resolve_chain([Residual([Louder(4, padding=1)])]), SHAPE)


def test_a_failure_leaves_nothing_half_noted(monkeypatch):
    network, (x, other) = drawn(CHAINS["plain"][0]), pictures(2)
    with config_context(engine="numba"):
        wanted = network.predict(x)
        with monkeypatch.context() as patch:
            patch.setattr(MaxPool2D, "forward", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                network.predict(other)
        for _ in range(3):
            np.testing.assert_array_equal(network.predict(x), wanted)
