"""Rows of many elements in the objective and the loop: padding, windows, side outputs,
frozen arrays and arrays at a pace of their own."""

import numpy as np
import pytest

from skdl import losses, optimizers
from skdl._ragged import Ragged
from skdl.layers import BatchNorm, Carried, Dense, Layer, ParamSpec, SideOutput
from skdl.networks import Network
from skdl.testing import check_gradient
from skdl.training import Batch, Data, Objective, RowBatches, Trainer, TrainingState


class Paced(Dense):
    """A dense layer that learns at a pace of its own."""

    def __init__(self, units=3, rate=0.0):
        super().__init__(units)
        self.rate = rate

    def build(self, input_shape):
        shape, specs = super().build(input_shape)
        return shape, {k: spec._replace(rate=self.rate) for k, spec in specs.items()}


class Side(Layer):
    """Gives a linear map of its input as a side output."""

    def __init__(self, units=2, weight=0.3):
        self.units = units
        self.weight = weight

    def build(self, input_shape):
        spec = ParamSpec((input_shape[-1], self.units), "xavier_uniform")
        return input_shape, {"V": spec}

    def forward(self, params, x, ctx):
        side = SideOutput(x @ params["V"], self.weight)
        ctx.sides.append(side)
        return x, (x, side)

    def backward(self, params, grads, cache, dy, ctx):
        x, side = cache
        grads["V"][...] = x.T @ side.gradient
        return dy + side.gradient @ params["V"].T


def made(layers, input_shape, loss="squared_error", **penalties):
    network = Network(layers, input_shape)
    network.initialize(np.random.default_rng(0))
    network.params.vector[:] += 0.1
    return Objective(network, losses.get(loss), **penalties)


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def test_padding_counts_for_nothing():
    rng = np.random.default_rng(0)
    lengths = [3, 1, 4]
    X = Ragged.of([rng.normal(size=(n, 2)) for n in lengths])
    y = Ragged.of([rng.integers(0, 3, n) for n in lengths])
    weight = np.array([1.0, 2.0, 0.5])
    objective = made([Dense(4), "tanh", Dense(3)], X.shape[1:], "cross_entropy")
    batch = RowBatches(Data(X, y, weight, y), 3).whole()
    assert batch.lengths.tolist() == lengths
    theta = objective.network.params.vector
    value, gradient = objective.loss_and_gradient(
        theta, batch.X, batch.y, batch.weight, lengths=batch.lengths
    )
    gradient = gradient.copy()
    each = np.repeat(weight, lengths)
    flat = objective.loss_and_gradient(theta, X.values, y.values, each)
    assert value == pytest.approx(flat[0], rel=1e-12)
    np.testing.assert_allclose(gradient, flat[1], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5])
@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_of_sequences(batch_size, shuffle):
    X = Ragged.of([np.full((n, 1), n) for n in (3, 1, 4, 2, 5)])
    y = np.array([3, 1, 4, 2, 5])
    batches = RowBatches(Data(X, y, None, y), batch_size, shuffle)
    seen = []
    for batch in batches.epoch(np.random.default_rng(0)):
        assert batch.X.shape[1] == batch.lengths.max()
        np.testing.assert_array_equal(batch.X[:, 0, 0], batch.y)
        np.testing.assert_array_equal(batch.lengths, batch.y)
        seen.extend(batch.y)
    assert sorted(seen) == [1, 2, 3, 4, 5]
    assert (seen == list(y)) == (not shuffle or batch_size >= 5)


def test_integers_stay_integers_until_the_batch():
    X = np.arange(60, dtype=np.uint8).reshape(20, 3)
    batches = RowBatches(Data(X, X, None, X), 4)
    for batch in batches.epoch(np.random.default_rng(0)):
        assert batch.X.dtype == np.uint8
        assert batch.X.nbytes == 12


def test_a_side_output_is_trained_on_the_same_targets():
    objective = made([Dense(3), "tanh", Side(2, 0.3), Dense(2)], (4,), l2=0.1)
    X, y, weight = numbers(6, 4), numbers(6, 2, seed=2), np.arange(6.0)
    theta = objective.network.params.vector.copy()

    def value(at):
        return objective.loss_and_gradient(at, X, y, weight)[0]

    check_gradient(value, theta, objective.loss_and_gradient(theta, X, y, weight)[1])
    params = objective.network.params.like(theta)
    hidden = np.tanh(X @ params["0.W"] + params["0.b"])
    main = hidden @ params["3.W"] + params["3.b"]
    side = hidden @ params["2.V"]
    loss = losses.get("squared_error")
    penalty = 0.05 / weight.sum() * sum((params[n] ** 2).sum() for n in ("0.W", "3.W"))
    expected = loss(y, main, weight) + 0.3 * loss(y, side, weight) + penalty
    assert value(theta) == pytest.approx(expected, rel=1e-12)
    assert objective.network.predict(X).shape == (6, 2)


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_frozen_layers_have_no_gradient(frozen):
    layers = [Dense(3), "tanh", Dense(3), Dense(2)]
    at = [0, 2, 3][frozen]
    layers[at] = Paced(layers[at].units)
    objective = made(layers, (4,), l2=0.1)
    params = objective.network.params
    X, y = numbers(6, 4), numbers(6, 2, seed=2)
    n = params.n_active
    assert n == params.size - params[f"{at}.W"].size - params[f"{at}.b"].size

    def value(active):
        return objective.loss_and_gradient(active, X, y)[0]

    active = params.active.copy()
    gradient = objective.loss_and_gradient(active, X, y)[1].copy()
    assert gradient.shape == (n,)
    check_gradient(value, active, gradient)
    # The whole vector works too, and so does the network's own memory.
    whole = objective.loss_and_gradient(params.vector.copy(), X, y)[1]
    np.testing.assert_array_equal(whole[:n], gradient)
    assert not whole[n:].any()
    own = objective.loss_and_gradient(params.active, X, y)[1]
    np.testing.assert_array_equal(own, gradient)


def trainer(layers, optimizer, n_batches=4):
    objective = made(layers, (4,))
    network = objective.network
    optimizer = optimizers.get(optimizer)
    X, y = numbers(20, 4), numbers(20, 2, seed=2)
    state = TrainingState(
        network, optimizer.init(network.params.n_active), np.random.default_rng(0), 0
    )
    data = Data(X, y, None, y)
    return Trainer(state, objective, optimizer, data, RowBatches(data, 20 // n_batches))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "nesterov", "lbfgs", "lion"])
def test_training_leaves_frozen_layers_alone(optimizer):
    loop = trainer([Paced(3), "tanh", BatchNorm(), Dense(2)], optimizer)
    params = loop.state.network.params
    before = {name: params[name].copy() for name in params}
    loop.run(3)
    for name in params:
        same = np.array_equal(params[name], before[name])
        assert same == name.startswith("0."), name


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop", "lion"])
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_a_pace_multiplies_the_step(optimizer, engine):
    from skdl import config_context

    steps = {}
    for rate in (1.0, 0.25):
        loop = trainer([Paced(3, rate), "tanh", Dense(2)], optimizer, n_batches=1)
        params = loop.state.network.params
        before = params.vector.copy()
        with config_context(engine=engine):
            loop.run(1)
        moved = params.like(params.vector - before)
        steps[rate] = [moved[name].copy() for name in params]
    for name, full, quarter in zip(params, *steps.values(), strict=True):
        factor = 0.25 if name.startswith("0.") else 1.0
        np.testing.assert_allclose(quarter, factor * full, rtol=1e-6, atol=1e-12)


def test_a_pace_needs_a_learning_rate():
    loop = trainer([Paced(3, 0.25), Dense(2)], "lbfgs")
    with pytest.raises(ValueError, match="LBFGS has no learning rate"):
        loop.run(1)


class Sum(Layer):
    """Adds up the steps of a sequence, from where the last window ended."""

    def build(self, input_shape):
        return input_shape[1:], {}

    def forward(self, params, x, ctx):
        y = x.sum(axis=1)
        if ctx.carried is not None:
            before = ctx.carried.take()
            y = y if before is None else y + before
            ctx.carried.put(y.copy())
        return y, x.shape

    def backward(self, params, grads, cache, dy, ctx):
        return np.broadcast_to(dy[:, None], cache).copy()


def test_windows_go_on_from_the_last_state():
    x = numbers(2, 6, 1)
    seen = []

    class Windows:
        n_rows, n_batches, in_windows = 2, 4, True

        def epoch(self, rng):
            for _ in range(2):
                for start in (0, 3):
                    part = x[:, start : start + 3]
                    yield Batch(part, np.zeros((2, 1)), None, None, start > 0)

        def whole(self):
            raise AssertionError

    class Spy(Objective):
        def loss_and_gradient(self, *args, **options):
            result = super().loss_and_gradient(*args, **options)
            seen.append(result[0])
            return result

    network = Network([Sum(), Dense(1, bias=False, initializer="ones")], (3, 1))
    network.initialize(np.random.default_rng(0))
    objective = Spy(network, losses.get("squared_error"))
    optimizer = optimizers.SGD(1e-30)
    state = TrainingState(network, optimizer.init(1), np.random.default_rng(0), 0)
    Trainer(state, objective, optimizer, Data(x, x, None, x), Windows()).run(1)
    sums = [x[:, :3].sum(1), x.sum(1)] * 2
    np.testing.assert_allclose(seen, [0.5 * (s**2).mean() for s in sums], rtol=1e-12)


def test_states_are_taken_in_the_order_of_layers():
    carried = Carried()
    assert carried.take() is None
    carried.put("a")
    assert carried.take() is None
    carried.put("b")
    carried.turn()
    assert [carried.take(), carried.take(), carried.take()] == ["a", "b", None]
