"""Operations of a training step that are called again without a look-up."""

import weakref

import numpy as np
import pytest

from skdl import config_context
from skdl._config import has_numba
from skdl.layers import (
    Arena,
    BatchNorm,
    Context,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
    Residual,
)
from skdl.losses import CrossEntropy
from skdl.networks import Network
from skdl.ops.tape import Tape, noting
from skdl.training import Objective

SHAPE = (8, 8, 3)
CHAINS = {
    "pools": [
        Conv2D(16, padding=1),
        "relu",
        MaxPool2D(),
        Conv2D(8, padding=1),
        MaxPool2D(),
        Flatten(),
        Dense(3),
    ],
    "residual": [
        Conv2D(16, padding=1, bias=False),
        Residual([Conv2D(16, padding=1, winograd=True), BatchNorm(), "relu"]),
        "relu",
        Residual([DepthwiseConv2D(padding=1), "relu"], [Conv2D(16, 1)]),
        GlobalAvgPool(),
        Dense(3),
    ],
}
needs_numba = pytest.mark.skipif(not has_numba(), reason="needs Numba")


def gradients(layers, dtype, sizes=(20, 20, 20, 7, 20, 7, 33, 20)):
    """Losses and gradients of steps with batches of these sizes, weights changing."""
    network, rng = Network(layers, SHAPE, dtype), np.random.default_rng(0)
    network.initialize(rng)
    theta = network.params.vector.copy()
    objective, found = Objective(network, CrossEntropy()), []
    for i, n in enumerate(sizes):
        x = rng.normal(size=(n, *SHAPE)).astype(dtype)
        y = rng.integers(0, 3, n)
        loss, gradient = objective.loss_and_gradient(theta, x, y)
        found.append((loss, gradient.copy(), network.state.vector.copy()))
        theta -= dtype(0.1) * gradient
        if i == 5:
            theta = theta.copy()  # other parameters from here on
    return found


def never_again(self, what, n, arrays, function):
    return function()


@needs_numba
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CHAINS)
def test_the_same_bits(name, dtype, n_threads, monkeypatch):
    with config_context(engine="numba", n_threads=n_threads):
        got = gradients(CHAINS[name], dtype)
        monkeypatch.setattr(Arena, "again", never_again)
        expected = gradients(CHAINS[name], dtype)
    for one, other in zip(got, expected, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("engine", ["numpy", "numba"] if has_numba() else ["numpy"])
def test_from_the_second_step_on(engine, monkeypatch):
    played = []
    play = Tape.play
    monkeypatch.setattr(Tape, "play", lambda self: (played.append(1), play(self)))
    with config_context(engine=engine):
        gradients(CHAINS["pools"], np.float32, sizes=(4, 4, 4))
    # Two convolutions forward and back to filters, one to its input, two pools.
    assert len(played) == (2 * 9 if engine == "numba" else 0)


def test_what_is_called_again():
    arena, x, y = Arena(np.float64), np.ones(2), np.empty(2)
    calls = []

    def double(z):
        calls.append(1)
        if noting.tape is not None:
            noting.tape.note(np.multiply, x, 2, z)
        return np.multiply(x, 2, out=z)

    def step(*arrays):
        arena.reset()
        return arena.again("double", 1, arrays, lambda: double(arrays[1]))

    assert step(x, y) is step(x, y) is y
    assert len(calls) == 1
    x[:] = 5
    assert (step(x, y) == 10).all()
    other = np.empty(2)
    assert step(x, other) is other
    assert len(calls) == 2
    for _ in range(10):  # other arrays each time: nothing is noted any more
        step(x, np.empty(2))
    assert noting.tape is None
    assert len(arena._done) == 1
    before = len(calls)
    arena.empty(3)  # another place
    assert arena.again("double", 1, (x, y), lambda: double(y)) is y
    assert len(calls) == before + 1


def test_arrays_that_do_not_come_again_are_not_kept():
    arena, batches = Arena(np.float64), []

    def step(x):
        arena.reset()
        arena.again("sum", 1, (x,), lambda: noting.tape and noting.tape.note(sum, x))
        batches.append(weakref.ref(x))

    for _ in range(10):
        step(np.ones(2))
    assert [batch() for batch in batches] == [None] * 10


@needs_numba
@pytest.mark.parametrize("layer", [Conv2D(4), MaxPool2D()])
def test_arrays_of_another_order_are_read_anew(layer):
    """Compiled code takes a copy of them, which is an old one in the next step."""
    rng = np.random.default_rng(0)
    shapes = {name: spec.shape for name, spec in layer.build((6, 6, 2))[1].items()}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    x = np.asfortranarray(rng.normal(size=(3, 6, 6, 2)))
    arena = Arena(np.float64)
    ctx = Context(True, arena=arena)
    with config_context(engine="numba"):
        for _ in range(3):
            arena.reset()
            ctx.begin()
            x += 1
            y, _ = layer.forward(params, x, ctx)
            expected, _ = layer.forward(params, x.copy(order="C"), Context(True))
            np.testing.assert_array_equal(y, expected)


def test_a_copy_in_another_shape_is_made_anew():
    ctx, a = Context(True, arena=Arena(np.float64)), np.zeros((2, 3), order="F")
    for value in range(3):
        a[:] = value
        assert (ctx.reshape(a, (6,)) == value).all()


def test_memory_that_was_asked_for_on_the_way():
    """What follows gets the same memory whether a call was made again or not."""
    arena, x = Arena(np.float64), np.ones(2)
    found = []
    for _ in range(3):
        arena.reset()
        arena.again("scratch", 1, (x,), lambda: arena.empty(5))
        found.append(arena.empty(4))
    assert found[0] is found[1] is found[2]


def test_the_same_view_of_the_same_array():
    ctx = Context(True, arena=Arena(np.float64))
    a, b = np.arange(6.0), np.arange(6.0)
    view = ctx.reshape(a, (2, 3))
    assert ctx.reshape(a, (2, 3)) is view
    assert ctx.reshape(b, (2, 3)) is not view
    np.testing.assert_array_equal(ctx.reshape(b, (2, 3)), [[0, 1, 2], [3, 4, 5]])
    assert Context(True).reshape(a, (2, 3)).base is a


@needs_numba
def test_predictions_note_nothing_here(monkeypatch):
    monkeypatch.setattr(Arena, "again", lambda *_: 1 / 0)
    network = Network(CHAINS["pools"], SHAPE, np.float32)
    network.initialize(np.random.default_rng(0))
    with config_context(engine="numba"):
        network.predict(np.zeros((3, *SHAPE), np.float32))
