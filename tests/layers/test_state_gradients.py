"""Gradients through the states of recurrent layers: from one chain of layers into the
one before it, and at every step."""

import numpy as np
import pytest

from skdl.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Carried,
    Context,
    Dense,
    Kept,
    Residual,
)
from skdl.networks import Network
from skdl.testing import check_gradient

KINDS = [RNN(3), RNN(3, "relu"), LSTM(3), GRU(3)]
LENGTHS = np.array([5, 2, 4])
CLOSE = {"rtol": 1e-10, "atol": 1e-13}


def drawn(layers, shape):
    network = Network(layers, shape)
    rng = np.random.default_rng(0)
    network.initialize(rng)
    network.params.vector[:] += 0.3 * rng.normal(size=network.params.size)
    return network, network.tree(network.params)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("layer", KINDS, ids=repr)
def test_two_windows_in_a_step_are_one_sequence(layer):
    network, tree = drawn([Residual([layer, Dense(3)]), layer], (6, 2))
    x, dy = numbers(4, 6, 2), numbers(4, 6, 3, seed=1)
    grads, part = network.params.like(), network.params.like()
    ctx = Context(True)
    y, caches = network.forward(tree, x, ctx)
    dx = network.backward(tree, grads.tree, caches, dy, ctx)

    carried, windows, forth, back, total = Carried(), [slice(2), slice(2, 6)], [], [], 0
    for steps in windows:
        carried = Carried(carried.kept, within_step=True)
        ctx.begin(carried=carried)
        forth.append(network.forward(tree, x[:, steps], ctx))
    for steps, (_, caches) in zip(windows[::-1], forth[::-1], strict=True):
        back.append(network.backward(tree, part.tree, caches, dy[:, steps], ctx))
        total = total + part.vector
    np.testing.assert_allclose(np.concatenate([f[0] for f in forth], 1), y, **CLOSE)
    np.testing.assert_allclose(np.concatenate(back[::-1], axis=1), dx, **CLOSE)
    np.testing.assert_allclose(total, grads.vector, **CLOSE)


@pytest.mark.parametrize("layer", KINDS, ids=repr)
def test_gradient_of_the_first_and_the_last_states(layer):
    # both directions are visited in the same order forwards and backwards
    network, tree = drawn([Bidirectional(layer), layer], (5, 2))
    x, dy = numbers(3, 5, 2), numbers(3, 5, 3, seed=1)
    shape = (3, layer.n_states, 3, 3)  # layers, arrays of a state, rows, units
    dend = numbers(*shape, seed=2)

    def run(theta):
        carried = Carried([Kept(list(state)) for state in theta.reshape(shape)])
        ctx = Context(True)
        ctx.begin(lengths=LENGTHS, carried=carried)
        y, caches = network.forward(tree, x, ctx)
        ends = np.array([kept.state for kept in carried.kept])
        return (y * dy).sum() + (ends * dend).sum(), ctx, caches, carried

    starts = [Kept(list(state)) for state in numbers(*shape, seed=3)]
    theta = np.array([kept.state for kept in starts]).ravel()
    _, ctx, caches, carried = run(theta)
    for kept, gradient in zip(carried.kept, dend, strict=True):
        kept.gradient = list(gradient)
    network.backward(tree, network.params.like().tree, caches, dy, ctx)
    found = np.array([kept.gradient for kept in carried._before]).ravel()
    check_gradient(lambda at: run(at)[0], theta, found)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_gradients_of_the_states_of_all_steps(kind, reverse, padded):
    layer = kind(3, reverse=reverse)
    network, tree = drawn([layer], (5, 2))
    x, dy = numbers(3, 5, 2), numbers(3, 5, 3, seed=1)
    lengths = LENGTHS if padded else None
    if padded:
        dy[np.arange(5) >= LENGTHS[:, None]] = 0
    ctx = Context(True)
    ctx.begin(lengths=lengths)
    ctx.flow = []
    grads, plain = network.params.like(), network.params.like()
    _, caches = network.forward(tree, x, ctx)
    dx = network.backward(tree, grads.tree, caches, dy, ctx)
    (found,) = ctx.flow
    assert found.layer is network.layers[0]
    assert found.lengths is lengths
    assert len(found.gradients) == layer.n_states

    # What is noted changes nothing.
    ctx.flow = None
    _, caches = network.forward(tree, x, ctx)
    np.testing.assert_allclose(
        network.backward(tree, plain.tree, caches, dy, ctx), dx, **CLOSE
    )
    np.testing.assert_allclose(grads.vector, plain.vector, **CLOSE)

    # Each sequence by itself, cut behind step t: what follows is a function of s_t.
    forwards, tree = drawn([kind(3)], (5, 2))
    whole = [5, 5, 5] if lengths is None else lengths
    for row, length in enumerate(whole):
        own, of_y = x[row : row + 1, :length], dy[row : row + 1, :length]
        if reverse:
            own, of_y = own[:, ::-1], of_y[:, ::-1]
        for t in range(length):

            def rest(theta, t=t, own=own, of_y=of_y):
                state = list(theta.reshape(layer.n_states, 1, 3))
                value = float((state[0] * of_y[:, t]).sum())
                if t + 1 < own.shape[1]:
                    ctx = Context(True)
                    ctx.begin(carried=Carried([Kept(state)]))
                    y, _ = forwards.forward(tree, own[:, t + 1 :], ctx)
                    value += (y * of_y[:, t + 1 :]).sum()
                return value

            ctx = Context(True)
            ctx.begin(carried=Carried())
            forwards.forward(tree, own[:, : t + 1], ctx)
            at = np.array(ctx.carried.kept[0].state).ravel()
            gradient = np.array([g[t, row] for g in found.gradients]).ravel()
            check_gradient(rest, at, gradient)
