"""Recurrent layers against PyTorch: states, gradients, padding, starts."""

import numpy as np
import pytest

from skdl.layers import GRU, LSTM, RNN, Carried, Context
from skdl.networks import Network

pytestmark = pytest.mark.reference

CASES = {
    "tanh": (RNN(5), "RNN", {}, [0]),
    "relu": (RNN(5, "relu"), "RNN", {"nonlinearity": "relu"}, [0]),
    "lstm": (LSTM(5), "LSTM", {}, [0, 1, 3, 2]),  # theirs: i, f, g, o
    "gru": (GRU(5), "GRU", {}, [0, 1, 2]),
}


def theirs(array, order):
    """Columns of gates in PyTorch's order, as rows."""
    parts = np.split(array, len(order), axis=-1)
    return np.ascontiguousarray(np.concatenate([parts[k] for k in order], -1).T)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_through_time(case, padded):
    torch = pytest.importorskip("torch")
    layer, name, options, order = CASES[case]
    rng = np.random.default_rng(0)
    network = Network([layer], (7, 3))
    network.initialize(rng)
    network.params.vector[:] += 0.3 * rng.normal(size=network.params.size)
    peer = getattr(torch.nn, name)(3, 5, batch_first=True, **options).double()
    p = {key[2:]: network.params[key] for key in network.params}
    given = {"weight_ih_l0": "W", "weight_hh_l0": "U", "bias_ih_l0": "b"}
    given |= {"bias_hh_l0": "v"} if "v" in p else {}
    with torch.no_grad():
        peer.bias_hh_l0.zero_()
        for key, mine in given.items():
            getattr(peer, key).copy_(torch.tensor(theirs(p[mine], order)))

    x, dy = rng.normal(size=(4, 7, 3)), rng.normal(size=(4, 7, 5))
    lengths = np.array([7, 2, 5, 1]) if padded else None
    if padded:
        dy[np.arange(7) >= lengths[:, None]] = 0
    starts = [rng.normal(size=(4, 5)) for _ in range(layer.n_states)]
    carried = Carried()
    carried.put(starts)
    carried.turn()
    ctx = Context(True)
    ctx.begin(lengths=lengths, carried=carried)
    tree, grads = network.tree(network.params), network.params.like()
    y, caches = network.forward(tree, x, ctx)
    dx = network.backward(tree, grads.tree, caches, dy, ctx)
    carried.turn()
    last = carried.take()

    xs = torch.tensor(x, requires_grad=True)
    start = [torch.tensor(s)[None] for s in starts]
    start = tuple(start) if len(start) > 1 else start[0]
    inputs = xs
    if padded:
        inputs = torch.nn.utils.rnn.pack_padded_sequence(
            xs, torch.tensor(lengths), batch_first=True, enforce_sorted=False
        )
    out, final = peer(inputs, start)
    if padded:
        out, _ = torch.nn.utils.rnn.pad_packed_sequence(
            out, batch_first=True, total_length=7
        )
    out.backward(torch.tensor(dy))
    final = final if isinstance(final, tuple) else (final,)
    own = np.ones((4, 7), bool) if lengths is None else np.arange(7) < lengths[:, None]
    close = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(y[own], out.detach().numpy()[own], **close)
    np.testing.assert_allclose(dx, xs.grad, **close)
    for got, expected in zip(last, final, strict=True):
        np.testing.assert_allclose(got, expected[0].detach(), **close)
    for key, mine in given.items():
        got = theirs(grads["0." + mine], order)
        np.testing.assert_allclose(got, getattr(peer, key).grad, **close, err_msg=mine)
