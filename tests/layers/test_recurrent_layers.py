"""Recurrent layers: padding, carried states, both directions, symbols."""

import numpy as np
import pytest

from skdl import losses
from skdl._ragged import Ragged
from skdl.layers import (
    GRU,
    LSTM,
    RNN,
    BatchNorm,
    Bidirectional,
    Carried,
    Chain,
    Context,
    Dense,
    Embedding,
    Residual,
    SpatialDropout,
    TiedEmbedding,
)
from skdl.networks import Network
from skdl.testing import check_gradient, check_layer
from skdl.training import Objective

KINDS = [RNN(3), RNN(3, "relu"), LSTM(3), GRU(3)]
LENGTHS = np.array([4, 1, 3, 2, 4])


def drawn(layers, shape):
    network = Network(layers, shape)
    rng = np.random.default_rng(0)
    network.initialize(rng)
    network.params.vector[:] += 0.3 * rng.normal(size=network.params.size)
    return network


@pytest.mark.parametrize(
    "layer",
    [
        *KINDS,
        LSTM(3, return_sequences=False),
        GRU(3, return_sequences=False, reverse=True),
        LSTM(3, reverse=True),
        Bidirectional(RNN(2)),
        Bidirectional(GRU(2, return_sequences=False)),
        BatchNorm(),
        Chain([RNN(3), BatchNorm(), "relu"]),
        Residual([BatchNorm(), "relu"]),
    ],
    ids=repr,
)
def test_contract_with_padding(layer):
    x = np.random.default_rng(0).normal(size=(5, 4, 2))
    check_layer(layer, (4, 2), x=x, lengths=LENGTHS)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
@pytest.mark.parametrize("sequences", [False, True])
def test_padding_changes_nothing(kind, reverse, sequences):
    rng = np.random.default_rng(0)
    X = Ragged.of([rng.normal(size=(n, 2)) for n in LENGTHS])
    layer = kind(3, return_sequences=sequences, reverse=reverse)
    network = drawn([layer], X.shape[1:])
    together = list(network.predict(X))
    alone = [network.predict(sequence[None])[0] for sequence in X]
    for got, expected in zip(together, alone, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("layer", KINDS, ids=repr)
def test_windows_with_carried_states_are_one_sequence(layer):
    x = np.random.default_rng(0).normal(size=(5, 6, 2))
    network = drawn([layer, Dense(4), layer], (6, 2))
    tree = network.tree(network.params)
    carried, parts = Carried(), []
    for start in (0, 2, 4):
        ctx = Context(train=False)
        ctx.begin(carried=carried)
        parts.append(network.forward(tree, x[:, start : start + 2], ctx)[0])
        carried.turn()
    np.testing.assert_allclose(
        np.concatenate(parts, axis=1), network.predict(x), rtol=1e-12, atol=1e-14
    )


def test_a_reversed_layer_is_the_layer_on_reversed_sequences():
    x = np.random.default_rng(0).normal(size=(5, 4, 2))
    forwards, backwards = drawn([GRU(3)], (4, 2)), drawn([GRU(3, reverse=True)], (4, 2))
    expected = forwards.predict(x[:, ::-1])[:, ::-1]
    np.testing.assert_allclose(backwards.predict(x), expected, rtol=1e-12)
    both = drawn([Bidirectional(GRU(3))], (4, 2))
    for name in forwards.params:
        for side in ("forwards", "backwards"):
            both.params[f"0.{side}.{name[2:]}"][...] = forwards.params[name]
    joined = np.concatenate([forwards.predict(x), expected], axis=-1)
    np.testing.assert_allclose(both.predict(x), joined, rtol=1e-12)


def test_the_forget_gate_is_open_at_the_start():
    network = Network([LSTM(3)], (4, 2))
    network.initialize(np.random.default_rng(0))
    assert network.params["0.b"].tolist() == [0] * 3 + [1] * 3 + [0] * 6


@pytest.mark.parametrize("vocabulary", [5, 17, 40])
@pytest.mark.parametrize(
    "layer", [LSTM(3), GRU(3, reverse=True), Bidirectional(RNN(2)), Dense(3)], ids=repr
)
def test_a_language_model_through_time(layer, vocabulary):
    """Symbols come again and again, or hardly, in a small and in a large vocabulary."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, vocabulary // 3 + 2, (3, 6)).astype(np.uint8)
    y = rng.integers(0, 5, (3, 6))
    network = drawn([Embedding(vocabulary, 4), layer, GRU(3), Dense(5)], (6,))
    plain = network.predict(X, n_layers=1)
    expected = Network([layer, GRU(3), Dense(5)], (6, 4))
    for name in expected.params:
        at, _, rest = name.partition(".")
        expected.params[name][...] = network.params[f"{int(at) + 1}.{rest}"]
    np.testing.assert_allclose(network.predict(X), expected.predict(plain), rtol=1e-10)
    objective = Objective(network, losses.get("cross_entropy"))
    theta, lengths = network.params.vector.copy(), np.array([6, 2, 4])

    def evaluate(at):
        return objective.loss_and_gradient(at, X, y, lengths=lengths)

    check_gradient(lambda at: evaluate(at)[0], theta, evaluate(theta)[1])


# ---- symbols


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
@pytest.mark.parametrize("shape", [(), (6,), (2, 3)], ids=str)
def test_symbols(kind, shape):
    x = np.random.default_rng(0).integers(0, 7, (5, *shape)).astype(kind)
    check_layer(Embedding(7, 3), shape, x=x)
    network = drawn([Embedding(7, 3)], shape)
    np.testing.assert_array_equal(network.predict(x), network.params["0.E"][x])


@pytest.mark.parametrize(
    "inner",
    [
        [],
        [LSTM(3)],
        [SpatialDropout(0.3), GRU(4), Dense(3)],
        [Residual([GRU(3), SpatialDropout(0.3), RNN(3)])],
    ],
    ids=repr,
)
def test_one_table_for_both_ends(inner):
    x = np.random.default_rng(0).integers(0, 7, (5, 6))
    check_layer(TiedEmbedding(7, 3, inner), (6,), x=x)
    network = drawn([TiedEmbedding(7, 3, inner)], (6,))
    two = Network([Embedding(7, 3), *inner, Dense(7)], (6,))
    tied, last = network.params, len(inner) + 1
    ends = {"0.E": tied["0.E"], f"{last}.W": tied["0.E"].T, f"{last}.b": tied["0.b"]}
    for name in two.params:
        inside = f"0.{int(name[0]) - 1}{name[1:]}"
        two.params[name][...] = ends[name] if name in ends else tied[inside]
    np.testing.assert_allclose(network.predict(x), two.predict(x), rtol=1e-10)
    assert network.params.size == two.params.size - 21


def test_recurrent_layers_with_residuals_in_between():
    """Padding and states carried on go through layers inside of layers."""
    x = np.random.default_rng(0).normal(size=(5, 4, 3))
    layer = Residual([LSTM(3), SpatialDropout(0.5), Bidirectional(GRU(2)), Dense(3)])
    check_layer(layer, (4, 3), x=x, lengths=LENGTHS)
    layers = [Residual([LSTM(3)]), Residual([GRU(4)]), Residual([RNN(4), Dense(4)])]
    network = drawn(layers, (6, 3))
    x = np.random.default_rng(0).normal(size=(5, 6, 3))
    tree, carried, parts = network.tree(network.params), Carried(), []
    for start in (0, 3):
        ctx = Context(train=False)
        ctx.begin(carried=carried)
        parts.append(network.forward(tree, x[:, start : start + 3], ctx)[0])
        carried.turn()
    np.testing.assert_allclose(
        np.concatenate(parts, axis=1), network.predict(x), rtol=1e-12, atol=1e-14
    )


def test_a_dropped_unit_of_a_sequence_stays_dropped():
    """Variational dropout (Gal & Ghahramani 2016) is `SpatialDropout`."""
    network = Network([SpatialDropout(0.5)], (7, 40))
    ctx = Context(train=True, rng=np.random.default_rng(0))
    y = network.forward({}, np.ones((3, 7, 40)), ctx)[0]
    assert (y == y[:, :1]).all()
    assert set(np.unique(y)) == {0.0, 2.0}
    assert len(np.unique(y[:, 0], axis=0)) == 3


@pytest.mark.parametrize("symbol", [-1, 7])
def test_symbols_out_of_range(symbol):
    network = drawn([Embedding(7, 3)], (2,))
    with pytest.raises(ValueError, match=r"whole numbers from 0 to 6, got"):
        network.predict(np.array([[0, symbol]]))


WRONG = {
    "flat samples": (LSTM(3), (4,), r"takes sequences \(steps, features\)"),
    "no units": (GRU(0), (4, 2), "'units' parameter of GRU"),
    "activation": (RNN(2, "sigmoid"), (4, 2), "'activation' parameter of RNN"),
    "both ways": (Bidirectional("dense"), (4, 2), "takes a recurrent layer"),
    "no way back": (TiedEmbedding(5, 4, [LSTM(3)]), (4,), "must lead back to 4"),
    "no symbols": (Embedding(0), (4,), "'vocabulary' parameter of Embedding"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit(case):
    layer, shape, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        Network([layer], shape)


@pytest.mark.parametrize(
    ("layer", "std"),
    [
        (Embedding(400, 50), 1.0),
        (Embedding(400, 50, "normal"), 0.03),
        (TiedEmbedding(400, 50), 0.5),
    ],
)
def test_how_a_table_of_symbols_begins(layer, std):
    network = Network([layer], (3,), initializer="zeros")
    network.initialize(np.random.default_rng(0))
    E = network.params["0.E"]
    assert E.std() == pytest.approx(std, rel=0.02)
    assert abs(E.mean()) < 0.03 * std
