"""The loop: which rows a step gets, what an epoch notes, why a run ends."""

import pickle

import numpy as np
import pytest
from scipy import sparse

from skdl import losses, optimizers
from skdl.layers import Dense
from skdl.networks import Network
from skdl.optimizers import Adam
from skdl.schedules import Exponential
from skdl.training import (
    Best,
    Data,
    DivergenceError,
    Objective,
    RowBatches,
    Trainer,
    TrainingState,
)

N = 10


class Spy(Objective):
    """An objective that notes the rows it is given."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.batches = []

    def loss_and_gradient(self, theta, X, y, weight=None, rng=None, **options):
        dense = X.toarray() if sparse.issparse(X) else X
        self.batches.append((dense[:, 0].copy(), y[:, 0].copy(), weight))
        return super().loss_and_gradient(theta, X, y, weight, rng, **options)


def started(optimizer):
    network = Network([Dense(1, initializer="zeros")], (2,))
    rng = np.random.default_rng(0)
    network.initialize(rng)
    return TrainingState(network, optimizer.init(network.params.size), rng, 0)


def made(
    optimizer, batch_size=4, X=None, weight=None, state=None, shuffle=True, **settings
):
    """Return a loop over rows whose first feature and target are their numbers."""
    optimizer = optimizers.get(optimizer)
    if X is None:
        X = np.c_[np.arange(N), np.ones(N)].astype(float)
    y = np.arange(N, dtype=float)[:, None]
    state = state or started(optimizer)
    objective = Spy(state.network, losses.get("squared_error"))
    data = Data(X, y, weight, y)
    batches = RowBatches(data, batch_size, shuffle)
    return Trainer(state, objective, optimizer, data, batches, **settings)


SGD = optimizers.SGD(1e-3)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 4, 5, 10])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_an_epoch_takes_every_row_once(kind, batch_size, shuffle):
    X = kind(np.c_[np.arange(N), np.ones(N)].astype(float))
    weight = np.arange(1.0, N + 1)
    loop = made(SGD, batch_size, X, weight, shuffle=shuffle)
    loop.run(3)
    batches = loop.objective.batches
    assert len(batches) == 3 * loop.n_batches == 3 * -(-N // batch_size)
    for x, y, w in batches:
        np.testing.assert_array_equal(x, y)
        assert len(w) == len(y)
    sizes = [len(x) for x, _, _ in batches[: loop.n_batches]]
    assert sizes[:-1] == [batch_size] * (loop.n_batches - 1)
    epochs = np.concatenate([x for x, _, _ in batches]).reshape(3, N)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), [np.arange(N)] * 3)
    if shuffle and batch_size < N:
        assert (epochs[0] != epochs[1]).any()
        assert (epochs[1] != epochs[2]).any()
    else:
        np.testing.assert_array_equal(epochs, [np.arange(N)] * 3)
    assert loop.state.n_seen == 3 * N
    assert loop.state.epoch == 3


def test_weights_go_with_their_rows():
    loop = made(SGD, 3, weight=np.arange(N) + 0.5)
    seen = []
    plain = loop.objective.loss_and_gradient

    def spy(theta, X, y, weight=None, rng=None, **options):
        seen.append((X[:, 0].copy(), weight.copy()))
        return plain(theta, X, y, weight, rng, **options)

    loop.objective.loss_and_gradient = spy
    loop.run(2)
    for x, weight in seen:
        np.testing.assert_array_equal(weight, x + 0.5)


def test_the_loss_of_an_epoch_is_the_mean_over_its_rows():
    loop = made(optimizers.SGD(1e-12), 4, shuffle=False)
    loop.run(1)
    # From zero weights: ½y² in the mean, the batches of 4, 4 and 2 rows by their size.
    assert loop.state.history["loss"] == pytest.approx(
        [np.mean(0.5 * np.arange(N) ** 2)]
    )


def test_the_rate_of_an_epoch_is_that_of_its_first_update():
    loop = made(Adam(Exponential(0.1, 0.5)))
    loop.run(3)
    assert loop.state.history["learning_rate"] == pytest.approx([0.1, 0.05, 0.025])


# why -> settings, epochs
REASONS = {
    "max_iter": ({}, 7),
    "callback": ({"end_epoch": lambda: True}, 1),
    "no_improvement": ({"validate": lambda network: {"val_loss": 1.0}}, 4),
}


@pytest.mark.parametrize("reason", REASONS)
def test_why_it_ends(reason):
    settings, epochs = REASONS[reason]
    loop = made(SGD, monitor="val_loss", **settings)
    if reason == "no_improvement":
        loop.state.best = Best(2, tol=0.1)
    loop.run(7)
    assert loop.stop_reason == reason
    assert loop.state.epoch == epochs


def test_the_optimizer_may_end_it():
    loop = made("lbfgs", N)
    loop.run(500)
    assert loop.stop_reason == "converged"
    assert loop.state.epoch < 500
    np.testing.assert_allclose(loop.theta, [1, 0, 0], atol=1e-4)
    loss = loop.state.history["loss"]
    assert (np.diff(loss) <= 0).all()
    assert loop.state.n_seen >= N * loop.state.epoch


def test_tasks_begin_and_end_in_turn():
    calls = []
    loop = made(
        SGD,
        begin_epoch=lambda: calls.append("begin"),
        end_epoch=lambda: calls.append("end") or len(calls) >= 6,
    )
    loop.run(100)
    assert calls == ["begin", "end"] * 3


@pytest.mark.parametrize("shuffle", [False, True])
def test_endless_gradients_go_round(shuffle):
    loop = made(SGD, 5, shuffle=shuffle)
    gradients = loop.endless_gradients()
    for _ in range(7):
        loss, gradient = next(gradients)
        assert np.isfinite(loss)
        assert gradient.shape == loop.theta.shape
    rounds = [
        np.concatenate([x for x, _, _ in loop.objective.batches[i : i + 2]])
        for i in (0, 2, 4)
    ]
    for rows in rounds:
        np.testing.assert_array_equal(np.sort(rows), np.arange(N))


@pytest.mark.parametrize("optimizer", ["sgd", "lbfgs"])
def test_divergence_leaves_the_last_finite_epoch(optimizer):
    loop = made(optimizers.SGD(0.05) if optimizer == "sgd" else "lbfgs", N)
    finite = []
    plain = loop.objective.loss_and_gradient

    def breaks(theta, *args, **kwargs):
        loss, gradient = plain(theta, *args, **kwargs)
        if loop.state.epoch == 2:
            return np.nan, gradient
        return loss, gradient

    loop.objective.loss_and_gradient = breaks
    loop.end_epoch = lambda: bool(finite.append(loop.theta.copy()))
    with pytest.raises(
        DivergenceError, match="diverged in epoch 3: the loss"
    ) as raised:
        loop.run(10)
    assert raised.value.epoch == 3
    np.testing.assert_array_equal(loop.theta, finite[-1])
    assert loop.state.epoch == len(loop.state.history["loss"]) == 2
    assert loop.state.optimizer_state.t == 0  # its memory may have been infinite


def test_weights_that_overflow_are_divergence_too():
    loop = made(SGD)

    def overflow():
        loop.theta[:] = np.inf

    loop.optimizer = optimizers.SGD(1e-3)
    plain = loop.optimizer.update

    def update(theta, gradient, state):
        plain(theta, gradient, state)
        if loop.state.epoch == 1 and state.t == 2 * loop.n_batches:
            overflow()

    loop.optimizer.update = update
    with pytest.raises(DivergenceError, match="epoch 2: a weight is no longer finite"):
        loop.run(5)
    assert np.isfinite(loop.theta).all()


def test_an_interruption_is_a_reason_too():
    loop = made(SGD)

    def interrupt():
        if loop.state.epoch == 3:
            raise KeyboardInterrupt
        return False

    loop.end_epoch = interrupt
    with pytest.warns(UserWarning, match="interrupted in epoch 4"):
        loop.run(10)
    assert loop.stop_reason == "interrupted"
    assert loop.state.epoch == 3


def test_a_copied_state_goes_on_alike():
    optimizer = Adam(1e-2)
    first = made(optimizer, 3)
    first.run(3)
    states = [first.state, first.state.copy()]
    made(optimizer, 3, state=states[0]).run(3)
    assert (states[0].network.params.vector != states[1].network.params.vector).any()
    made(optimizer, 3, state=states[1]).run(3)
    np.testing.assert_array_equal(*(state.network.params.vector for state in states))
    assert states[0].history == states[1].history
    assert states[0].epoch == states[1].epoch == 6


def test_the_error_pickles():
    error = pickle.loads(pickle.dumps(DivergenceError(7, "the loss")))
    assert (error.epoch, error.what) == (7, "the loss")
    assert "smaller learning rate" in str(error)
    assert "clip" in str(error)
    assert isinstance(error, ValueError)
