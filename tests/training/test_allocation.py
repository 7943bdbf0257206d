"""A warmed-up training step allocates nothing that grows with the batch."""

import tracemalloc

import numpy as np
import pytest

from skdl import losses, optimizers
from skdl.layers import Dense
from skdl.networks import Network, mlp_layers
from skdl.training import Data, Objective, RowBatches, Trainer, TrainingState

# Large enough to fill NumPy's own buffers, which have a fixed size.
D, BATCHES = 20, (2000, 8000)

# loss, outputs, hidden layers
STEPS = {
    "the default classifier": ("cross_entropy", 10, {"hidden_layer_sizes": 100}),
    "two classes": ("binary_cross_entropy", 1, {}),
    "regression": ("squared_error", 1, {"activation": "tanh"}),
    "several layers": ("cross_entropy", 3, {"hidden_layer_sizes": (30, 20)}),
    "regularised": ("cross_entropy", 3, {"dropout": 0.2, "batch_norm": True}),
}


def trainer(case, batch_size, weighted):
    """Return a training loop over a batch and a few rows more."""
    name, n_outputs, settings = STEPS[case]
    rng = np.random.default_rng(0)
    loss, optimizer = losses.get(name), optimizers.get("adam")
    n = batch_size + 10
    X = rng.normal(size=(n, D)).astype(np.float32)
    if name == "cross_entropy":
        y = rng.integers(0, n_outputs, n)
    else:
        y = rng.integers(0, 2, (n, n_outputs)).astype(np.float32)
    weight = np.ones(n, np.float32) if weighted else None
    layers = mlp_layers(**{"hidden_layer_sizes": 30, **settings})
    network = Network([*layers, Dense(n_outputs)], (D,), np.float32)
    network.initialize(rng)
    state = TrainingState(network, optimizer.init(network.params.size, "f4"), rng, 0)
    rows = Data(X, y, weight, y)
    return Trainer(
        state,
        Objective(network, loss, l2=1e-4, l1=1e-5),
        optimizer,
        rows,
        RowBatches(rows, batch_size),
    )


def peak_of_an_epoch(loop):
    """Return the bytes that an epoch holds at most on top of what was held before."""
    theta, state = loop.theta, loop.state.optimizer_state

    def epoch():
        for gradient in loop.gradients(theta):
            loop.optimizer.update(theta, gradient, state)

    for _ in range(2):
        epoch()  # warm up
    tracemalloc.start()
    try:
        peaks = []
        for _ in range(2):
            tracemalloc.reset_peak()
            held = tracemalloc.get_traced_memory()[0]
            epoch()
            peaks.append(tracemalloc.get_traced_memory()[1] - held)
    finally:
        tracemalloc.stop()
    return min(peaks)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", STEPS)
def test_a_step_allocates_nothing_that_grows_with_the_batch(case, weighted):
    small, large = (peak_of_an_epoch(trainer(case, n, weighted)) for n in BATCHES)
    # The order of the rows, one number a row, is drawn anew for each epoch. A column
    # of the batch would be four bytes a row, and any matrix of it far more.
    order = np.dtype(np.intp).itemsize * (BATCHES[1] - BATCHES[0])
    one_column = 4 * (BATCHES[1] - BATCHES[0])
    assert large - small - order < one_column
