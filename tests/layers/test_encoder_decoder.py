"""A decoder that goes on from an encoder: gradients, padding, step by step, PyTorch."""

import numpy as np
import pytest

from skdl import losses
from skdl._ragged import Ragged
from skdl.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Context,
    Dense,
    Embedding,
    EncoderDecoder,
    Residual,
    SpatialDropout,
    forward_chain,
)
from skdl.networks import Network, describe
from skdl.testing import check_gradient
from skdl.training import Data, Objective, RowBatches

IDS, SYMBOLS = 7, 6  # of input and output
X = Ragged.of([[1, 2, 3, 4], [5], [6, 0, 2]], np.uint8)
Y = Ragged.of([[2, 1], [3, 4, 5, 1], [1]], np.uint8)


def drawn(encoder, decoder, dtype=np.float64):
    chain = [
        EncoderDecoder(
            [Embedding(IDS, 3), *encoder], [Embedding(SYMBOLS, 2), *decoder]
        ),
        Dense(SYMBOLS),
    ]
    network = Network(chain, (4,), dtype)
    rng = np.random.default_rng(0)
    network.initialize(rng)
    network.params.vector[:] += 0.3 * rng.normal(size=network.params.size)
    return network


def objective_of(network):
    """The objective of a padded batch."""
    objective = Objective(network, losses.get("cross_entropy"))
    batch = RowBatches(Data(X, Y, None, Y), 3).whole()

    def loss_and_gradient(theta):
        loss, gradient = objective.loss_and_gradient(
            theta, batch.X, batch.y, batch.weight, lengths=batch.lengths
        )
        return loss, gradient.copy()

    return loss_and_gradient


def outputs(network, rows=slice(None), targets=None):
    """Raw predictions of all targets of some rows at once."""
    x, y = X[rows], Y[rows] if targets is None else targets
    ctx = Context(False, dtype=network.dtype)
    ctx.begin(lengths=x.lengths, targets=y.pad())
    return network.forward(network.tree(network.params), x.pad(), ctx)[0]


CHAINS = {
    "rnn": ([RNN(4)], [RNN(4)]),
    "relu": ([RNN(4, "relu")], [RNN(4, "relu")]),
    "lstm": ([LSTM(4)], [LSTM(4)]),
    "gru": ([GRU(4)], [GRU(4)]),
    "reversed": ([GRU(4, reverse=True)], [GRU(4)]),
    "the last state alone": ([LSTM(4, return_sequences=False)], [LSTM(4)]),
    "stacked": ([LSTM(4), LSTM(3)], [LSTM(4), LSTM(3)]),
    "skips": ([GRU(3), Residual([GRU(3)])], [GRU(3), Residual([GRU(3)])]),
    "both ways": ([Bidirectional(GRU(3))], [GRU(3), Residual([GRU(3)])]),
}


@pytest.mark.parametrize("case", CHAINS)
def test_gradients(case):
    network = drawn(*CHAINS[case])
    loss_and_gradient = objective_of(network)
    check_gradient(loss_and_gradient, network.params.vector.copy())


@pytest.mark.parametrize("case", CHAINS)
def test_padding_and_company_change_nothing(case):
    network = drawn(*CHAINS[case])
    together = outputs(network)
    for i, length in enumerate(Y.lengths):
        alone = outputs(network, slice(i, i + 1))[0]
        np.testing.assert_allclose(together[i, :length], alone, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", CHAINS)
def test_step_by_step(case):
    network = drawn(*CHAINS[case])
    layer, tree = network.layers[0], network.tree(network.params)
    expected = outputs(network)
    ctx = Context(False)
    ctx.begin(lengths=X.lengths)
    kept = layer.encode(tree["0"], X.pad(), ctx)
    symbols, y = np.zeros(3, int), Y.pad()
    for step in range(4):
        h, kept = layer.step(tree["0"], symbols, kept, ctx)
        raw, _ = forward_chain(network.layers[1:], {"0": tree["1"]}, h, ctx)
        np.testing.assert_allclose(raw[:, 0], expected[:, step], rtol=1e-10)
        symbols = y[:, step]
    assert ctx.lengths is X.lengths
    assert ctx.carried is None


def test_a_target_is_not_known_before_its_step():
    network = drawn([LSTM(4)], [LSTM(4)])
    before, changed = outputs(network), Y.pad()
    changed[:, 2] = (changed[:, 2] + 1) % SYMBOLS
    after = outputs(network, targets=Ragged.of(list(changed)))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert (before[:, 3] != after[:, 3]).all()


def test_numbers_as_input():
    layer = EncoderDecoder([GRU(3)], [Embedding(5, 2), GRU(3)], n_steps=2)
    network = Network([layer, Dense(5)], (4, 2))
    network.initialize(np.random.default_rng(0))
    x = np.random.default_rng(1).integers(0, 9, (3, 4, 2))
    objective = Objective(network, losses.get("cross_entropy"))
    y = np.array([[1, 2], [3, 4], [0, 0]])
    theta = network.params.vector.copy()
    whole = objective.loss_and_gradient(theta, x, y)[0]
    assert objective.loss_and_gradient(theta, x.astype(float), y)[0] == whole
    check_gradient(lambda at: objective.loss_and_gradient(at, x, y), theta)


def test_what_describes_it():
    network = drawn([LSTM(4)], [LSTM(4)])
    assert network.shapes == [(4,), (1, 4), (1, SYMBOLS)]
    text = describe(network.layers, (4,))
    assert "encoder.1" in text
    assert "decoder.1" in text
    assert f"{network.params.size:,}" in text


def test_dropout_is_for_training():
    network = drawn([LSTM(4), SpatialDropout(0.5)], [LSTM(4), SpatialDropout(0.5)])
    tree, x, y = network.tree(network.params), X.pad(), Y.pad()
    raw = []
    for net, train in ((network, True), (network.predicting(), True), (network, False)):
        ctx = Context(train, np.random.default_rng(0))
        ctx.begin(ctx.rng, X.lengths, targets=y)
        raw.append(net.forward(tree, x, ctx)[0])
    assert not np.allclose(raw[0], raw[1])
    np.testing.assert_array_equal(raw[1], raw[2])


WRONG = {
    "nothing": ([], [], r"got \[\] in the encoder and \[\] in the decoder"),
    "not recurrent": ([], [Dense(3)], "each recurrent layer of the decoder"),
    "units": ([GRU(3)], [GRU(4)], r"got \[\('GRU', 3\)\] in the encoder"),
    "kinds": ([GRU(3)], [LSTM(3)], "kinds and units must be the same"),
    "number": ([GRU(3)], [GRU(3), GRU(3)], "each recurrent layer of the decoder"),
    "backwards": ([GRU(3)], [GRU(3, reverse=True)], "a decoder goes forwards"),
    "one row": ([GRU(3)], [GRU(3, return_sequences=False)], "a row for each step"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit(case):
    *chains, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        drawn(*chains)


@pytest.mark.parametrize(("name", "value"), [("n_steps", 0), ("start", -1)])
def test_settings_out_of_range(name, value):
    layer = EncoderDecoder([GRU(3)], [Embedding(), GRU(3)]).set_params(**{name: value})
    with pytest.raises(ValueError, match=f"'{name}' parameter of EncoderDecoder"):
        Network([layer], (4, 2))


def test_without_targets():
    network = drawn([GRU(3)], [GRU(3)])
    with pytest.raises(ValueError, match="reads the targets of the batch"):
        network.predict(X)


# ---- PyTorch


def theirs(array, order):
    """Columns of gates in PyTorch's order, as rows."""
    parts = np.split(array, len(order), axis=-1)
    return np.ascontiguousarray(np.concatenate([parts[k] for k in order], -1).T)


@pytest.mark.reference
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_of_pytorch(kind):
    torch = pytest.importorskip("torch")
    layer, order = {
        "RNN": (RNN(4), [0]),
        "LSTM": (LSTM(4), [0, 1, 3, 2]),  # theirs: i, f, g, o
        "GRU": (GRU(4), [0, 1, 2]),
    }[kind]
    network = drawn([layer, layer], [layer, layer])
    loss, gradient = objective_of(network)(network.params.vector.copy())

    p = {n: torch.nn.Embedding(*size).double() for n, size in
         {"0.encoder.0": (IDS, 3), "0.decoder.0": (SYMBOLS, 2)}.items()}  # fmt: skip
    encoder = getattr(torch.nn, kind)(3, 4, 2, batch_first=True).double()
    decoder = getattr(torch.nn, kind)(2, 4, 2, batch_first=True).double()
    head = torch.nn.Linear(4, SYMBOLS).double()
    pairs = {f"{n}.E": (module.weight, None) for n, module in p.items()}
    pairs |= {"1.W": (head.weight, [0]), "1.b": (head.bias, None)}
    for side, peer in (("encoder", encoder), ("decoder", decoder)):
        for i in range(2):
            pairs[f"0.{side}.{i + 1}.W"] = getattr(peer, f"weight_ih_l{i}"), order
            pairs[f"0.{side}.{i + 1}.U"] = getattr(peer, f"weight_hh_l{i}"), order
            pairs[f"0.{side}.{i + 1}.b"] = getattr(peer, f"bias_ih_l{i}"), order
            other = getattr(peer, f"bias_hh_l{i}")
            if kind == "GRU":
                pairs[f"0.{side}.{i + 1}.v"] = other, order
            else:
                torch.nn.init.zeros_(other)
    assert set(pairs) == set(network.params)
    with torch.no_grad():
        for name, (peer, gates) in pairs.items():
            mine = network.params[name]
            peer.copy_(torch.tensor(mine if gates is None else theirs(mine, gates)))

    x = torch.nn.utils.rnn.pack_padded_sequence(
        p["0.encoder.0"](torch.tensor(X.pad().astype(int))),
        torch.tensor(X.lengths),
        batch_first=True,
        enforce_sorted=False,
    )
    y = torch.tensor(Y.pad().astype(int))
    shifted = torch.nn.functional.pad(y[:, :-1], (1, 0))
    out, _ = decoder(p["0.decoder.0"](shifted), encoder(x)[1])
    own = torch.tensor(Y.mask)
    value = torch.nn.functional.cross_entropy(head(out)[own], y[own])
    value.backward()
    assert loss == pytest.approx(value.item(), rel=1e-10)
    grads = network.params.like(gradient)
    for name, (peer, gates) in pairs.items():
        mine = grads[name] if gates is None else theirs(grads[name], gates)
        np.testing.assert_allclose(mine, peer.grad, rtol=1e-8, atol=1e-12)
