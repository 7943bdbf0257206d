"""Tables of which an update changes the rows alone that a batch looks up."""

import copy
import pickle

import numpy as np
import pytest

from skdl import config_context, losses, optimizers
from skdl._config import has_numba
from skdl.layers import LSTM, Dense, Embedding
from skdl.networks import Network
from skdl.optimizers import SGD, Adam, FirstOrder, NAdam
from skdl.training import Objective

ENGINES = ["numpy", "numba"] if has_numba() else ["numpy"]
FIRST_ORDER = [
    n for n in optimizers.names() if isinstance(optimizers.get(n), FirstOrder)
]
STEPS = 5


def batches(n_symbols=4, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(STEPS):  # some symbols never come
        yield rng.integers(0, n_symbols, (3, 4)), rng.integers(0, 3, (3, 4))


def trained(optimizer, sparse, vocabulary=9, layer=None, rates=(), n_symbols=4):
    """Return the network after a few steps, its start, and the state."""
    layers = [Embedding(vocabulary, 2, sparse=sparse), layer or LSTM(3), Dense(3)]
    network = Network(layers, (4,))
    network.initialize(np.random.default_rng(0))
    objective = Objective(network, losses.get("cross_entropy"))
    theta, start = network.params.active, network.params["0.E"].copy()
    state = optimizer.init(theta.size)
    state.plan(STEPS, 1, rates, objective.track_rows())
    for X, y in batches(n_symbols):
        gradient = objective.loss_and_gradient(theta, X, y)[1]
        dense = Objective(network, objective.loss).loss_and_gradient(theta, X, y)[1]
        np.testing.assert_allclose(gradient, dense, rtol=1e-12, atol=1e-15)
        optimizer.update(theta, gradient, state)
    return network, start, state


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FIRST_ORDER)
def test_where_all_rows_come_the_update_is_the_dense_one(name, engine):
    with config_context(engine=engine):
        optimizer = optimizers.get(name)
        same = [
            trained(optimizer, sparse, 2, n_symbols=2)[0] for sparse in (False, True)
        ]
    np.testing.assert_allclose(
        same[0].params.vector, same[1].params.vector, rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FIRST_ORDER)
def test_other_rows_stay(name, engine):
    with config_context(engine=engine):
        network, start, state = trained(optimizers.get(name), True)
    E, place = network.params["0.E"], network.params.sparse_starts()["0.E"]
    np.testing.assert_array_equal(E[4:], start[4:])
    assert (E[:4] != start[:4]).any(axis=1).all()
    for slot in state.slots.values():
        assert (slot[place : place + E.size].reshape(E.shape)[4:] == 0).all()


@pytest.mark.parametrize("layer", [None, Dense(3)], ids=repr)
@pytest.mark.parametrize(
    "settings", [{}, {"clip_norm": 0.1}, {"clip_value": 1e-3}], ids=str
)
def test_sgd_is_the_same(settings, layer):
    made = [
        trained(SGD(0.5, **settings), sparse, layer=layer)[0].params
        for sparse in (False, True)
    ]
    for name in made[0]:
        np.testing.assert_allclose(made[1][name], made[0][name], rtol=1e-10)


def test_learning_rates_of_parts():
    plain, _, _ = trained(SGD(0.5), True)
    size, (place,) = plain.params.size, plain.params.sparse_starts().values()
    rates = [(0, place, 1.0), (place, place + 18, 0.1), (place + 18, size, 1.0)]
    got = [trained(SGD(0.5), sparse, rates=rates)[0] for sparse in (False, True)]
    np.testing.assert_allclose(got[0].params.vector, got[1].params.vector, rtol=1e-10)
    assert not np.allclose(got[0].params.vector, plain.params.vector)


def test_a_gradient_that_was_overwritten():
    """NAdam uses its memory: what is left there is not taken for a gradient."""
    trained(NAdam(), True)  # compares the gradient of every step


def test_states_are_copied_and_pickled():
    state = trained(Adam(), True)[2]
    for again in (
        copy.deepcopy(state),
        pickle.loads(pickle.dumps(state)),
        state.copy(),
    ):
        assert again.touched is None
        np.testing.assert_array_equal(again.slots["m"], state.slots["m"])


@pytest.mark.reference
def test_adam_is_sparse_adam():
    """But for epsilon, to which theirs does not apply the correction of the bias."""
    torch = pytest.importorskip("torch")
    network, start, _ = trained(Adam(0.1, epsilon=1e-15), True, layer=Dense(3))
    first = Network(network.layers, (4,))
    first.initialize(np.random.default_rng(0))
    E = torch.nn.Embedding(9, 2, sparse=True, dtype=torch.double)
    body = torch.nn.Sequential(
        *(torch.nn.Linear(*shape, dtype=torch.double) for shape in ((2, 3), (3, 3)))
    )
    with torch.no_grad():
        E.weight.copy_(torch.tensor(start))
        for i in (1, 2):
            for array, mine in ((body[i - 1].weight, "W"), (body[i - 1].bias, "b")):
                array.copy_(torch.tensor(first.params[f"{i}.{mine}"].T))
    updates = [
        torch.optim.SparseAdam(E.parameters(), lr=0.1, eps=1e-15),
        torch.optim.Adam(body.parameters(), lr=0.1, eps=1e-15),
    ]
    for X, y in batches():
        for update in updates:
            update.zero_grad()
        raw = body(E(torch.tensor(X))).reshape(-1, 3)
        torch.nn.functional.cross_entropy(raw, torch.tensor(y).ravel()).backward()
        for update in updates:
            update.step()
    np.testing.assert_allclose(network.params["0.E"], E.weight.detach(), rtol=1e-8)
