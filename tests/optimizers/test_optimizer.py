"""Every optimizer keeps its contract; closed forms, clipping, bad settings."""

import math
import pickle

import numpy as np
import pytest

from skdl import config_context, optimizers
from skdl._config import has_numba
from skdl.ops.vector import BLOCK
from skdl.optimizers import (
    EMA,
    GD,
    LBFGS,
    SGD,
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    AMSGrad,
    Coordinate,
    FirstOrder,
    Jog,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    Newton,
    Optimizer,
    OptimizerState,
    RMSProp,
    RProp,
    TrustRegion,
    Wolfe,
    minimize,
)
from skdl.schedules import Inverse, OneCycle, ReduceOnPlateau, WarmUp
from skdl.testing import check_optimizer

SETTINGS = [
    SGD(0.5, clip_norm=0.1),
    SGD("inverse", clip_value=0.1),
    GD(ReduceOnPlateau(0.3)),
    Momentum("warm_up", momentum=0.5),
    Nesterov(Inverse(0.1, decay=0.01)),
    EMA(0.5, beta=0.0),
    RProp(0.1, shrink=0.3, grow=1.5, step_max=1.0),
    RMSProp("exponential", beta=0.99),
    AdaDelta(0.5, beta=0.95),
    AdaGrad("step"),
    Adam("cosine", beta_1=0.0),
    Adam(OneCycle(0.05), clip_norm=1.0),
    AdamW(weight_decay=0.0),
    NAdam(momentum_decay=0.0),
    Lion(1e-2, weight_decay=0.1),
    LBFGS(memory=3),
    Newton("armijo", damping=0.1, differences="forward"),
    Newton(Wolfe(c2=0.5), max_cg=3),
    Newton(TrustRegion(radius=0.1, max_radius=2.0)),
    Coordinate("random", step=1.0),
    Coordinate("greedy"),
    Jog(Adam(0.1), patience=2),
    Jog("newton", scale=1.0),
]
NAMES = optimizers.names()
FIRST_ORDER = [n for n in NAMES if isinstance(optimizers.get(n), FirstOrder)]


def gradient(x):
    """A curved, separable slope with minima at ±1 and flat stretches."""
    return np.tanh(3 * x) * (x**2 - 1) + 0.1 * x


def trajectory(optimizer, n_steps=30, start=None, slope=gradient):
    """Return the points after each update, one in a row."""
    theta = np.linspace(-2, 2, 9) if start is None else np.array(start, float)
    state = optimizer.init(theta.size)
    state.plan(n_steps, 1)
    points = []
    for _ in range(n_steps):
        optimizer.update(theta, slope(theta), state)
        points.append(theta.copy())
    return np.array(points)


@pytest.mark.parametrize("name", NAMES)
def test_contract(name):
    check_optimizer(name)


@pytest.mark.parametrize("optimizer", SETTINGS, ids=repr)
def test_contract_with_settings(optimizer):
    check_optimizer(optimizer, seed=1)


@pytest.mark.parametrize("name", NAMES)
def test_which_take_the_whole_sample(name):
    alone = ("lbfgs", "newton", "coordinate", "jog")  # jog: of L-BFGS
    assert optimizers.get(name).full_batch == (name in ("gd", "rprop", *alone))
    assert optimizers.get(name).incremental == (name not in alone)


# ---- closed forms, written as in the papers


def sgd(theta, g, m, t):
    return theta - 0.05 * g, m


def momentum(theta, g, v, t):
    v = 0.8 * v - g
    return theta + 0.05 * v, v


def ema(theta, g, m, t):
    m = 0.8 * m + 0.2 * g
    return theta - 0.05 * m, m


def lion(theta, g, m, t):
    direction = np.sign(0.7 * m + 0.3 * g) + 0.1 * theta
    return theta - 0.05 * direction, 0.9 * m + 0.1 * g


def adam(theta, g, memory, t):
    m, s = memory if t > 1 else (0.0, 0.0)
    m, s = 0.8 * m + 0.2 * g, 0.9 * s + 0.1 * g**2
    step = m / (1 - 0.8**t) / (np.sqrt(s / (1 - 0.9**t)) + 1e-3)
    return theta - 0.05 * step, (m, s)


def adamw(theta, g, memory, t):
    return adam(theta * (1 - 0.05 * 0.1), g, memory, t)


def rmsprop(theta, g, s, t):
    s = 0.8 * s + 0.2 * g**2
    return theta - 0.05 * g / (np.sqrt(s) + 1e-3), s


def adagrad(theta, g, s, t):
    s = s + g**2
    return theta - 0.05 * g / (np.sqrt(s) + 1e-3), s


def adadelta(theta, g, memory, t):
    s, d = memory if t > 1 else (0.0, 0.0)
    s = 0.8 * s + 0.2 * g**2
    delta = np.sqrt((d + 1e-3) / (s + 1e-3)) * g
    return theta - 0.5 * delta, (s, 0.8 * d + 0.2 * delta**2)


def nadam(theta, g, memory, t):
    def mu(t):
        return 0.8 * (1 - 0.5 * 0.96 ** (t * 0.5))

    m, s, product = memory if t > 1 else (0.0, 0.0, 1.0)
    m, s, product = 0.8 * m + 0.2 * g, 0.9 * s + 0.1 * g**2, product * mu(t)
    ahead = mu(t + 1) * m / (1 - product * mu(t + 1))
    m_hat = ahead + (1 - mu(t)) * g / (1 - product)
    step = m_hat / (np.sqrt(s / (1 - 0.9**t)) + 1e-3)
    return theta - 0.05 * step, (m, s, product)


FORMS = {
    SGD(0.05): sgd,
    GD(0.05): sgd,
    Momentum(0.05, 0.8): momentum,
    EMA(0.05, 0.8): ema,
    Lion(0.05, 0.7, 0.9, weight_decay=0.1): lion,
    Adam(0.05, 0.8, 0.9, 1e-3): adam,
    AdamW(0.05, 0.8, 0.9, 1e-3, weight_decay=0.1): adamw,
    NAdam(0.05, 0.8, 0.9, 1e-3, momentum_decay=0.5): nadam,
    RMSProp(0.05, 0.8, 1e-3): rmsprop,
    AdaGrad(0.05, 1e-3): adagrad,
    AdaDelta(0.5, 0.8, 1e-3): adadelta,
}


@pytest.mark.parametrize("optimizer", FORMS, ids=repr)
def test_closed_form(optimizer):
    theta, memory = np.linspace(-2, 2, 9), np.zeros(9)
    points = trajectory(optimizer)
    for t, point in enumerate(points, start=1):
        theta, memory = FORMS[optimizer](theta, gradient(theta), memory, t)
        np.testing.assert_allclose(point, theta, rtol=1e-10, atol=1e-12)


def test_nesterov_is_the_gradient_at_the_look_ahead_point():
    eta, beta = 0.05, 0.8
    theta, v = np.linspace(-2, 2, 9), np.zeros(9)
    for look_ahead in trajectory(Nesterov(eta, beta)):
        v = beta * v - gradient(theta + eta * beta * v)
        theta = theta + eta * v
        np.testing.assert_allclose(look_ahead, theta + eta * beta * v, rtol=1e-10)


# ---- kinships: two settings with one trajectory

KIN = {
    "momentum without memory": (Momentum(0.05, 0.0), SGD(0.05)),
    "nesterov without memory": (Nesterov(0.05, 0.0), SGD(0.05)),
    "ema without memory": (EMA(0.05, 0.0), SGD(0.05)),
    "ema is momentum": (EMA(0.5, 0.9), Momentum(0.05, 0.9)),
    "adamw without decay": (AdamW(0.05, weight_decay=0.0), Adam(0.05)),
    "a constant schedule": (Adam("constant"), Adam()),
    "a loose clip": (SGD(0.05, clip_norm=1e6, clip_value=1e6), SGD(0.05)),
}


@pytest.mark.parametrize("pair", KIN)
def test_kin(pair):
    first, second = KIN[pair]
    np.testing.assert_allclose(trajectory(first), trajectory(second), rtol=1e-12)


def test_amsgrad_is_adam_while_the_gradient_grows():
    def growing(theta):
        return 1.0 + (2.0 - theta) ** 2  # θ falls, so that it grows

    settings = {"start": [0.0], "slope": growing}
    points = trajectory(AMSGrad(), **settings)
    np.testing.assert_allclose(points, trajectory(Adam(), **settings), rtol=1e-12)


def test_amsgrad_remembers_the_largest():
    def last_step(optimizer):
        gradients = iter([100.0] + [1.0] * 200)
        points = trajectory(
            optimizer, 201, [0.0], lambda _: np.array([next(gradients)])
        )
        return points[-2] - points[-1]

    assert last_step(AMSGrad(beta_2=0.9)) < 0.1 * last_step(Adam(beta_2=0.9))


def test_rprop_grows_shrinks_and_rests():
    gradients = [1.0, 3.0, -1.0, -1.0, -1.0, 2.0]
    #         grows to .12, flips: .06 and rest, holds, grows to .072, flips: rest
    moves = [-0.1, -0.12, 0.0, 0.06, 0.072, 0.0]
    theta, state = np.zeros(1), RProp(0.1).init(1)
    for g, move in zip(gradients, moves, strict=True):
        before = theta.copy()
        RProp(0.1).update(theta, np.array([g]), state)
        assert theta - before == pytest.approx(move)


def test_rprop_stays_between_its_smallest_and_its_largest_step():
    optimizer = RProp(0.1, shrink=0.5, grow=2.0, step_min=0.04, step_max=0.3)
    #                   grows   at most   flips, rests: 0.15, 0.075, 0.04, 0.04
    gradients = [1, 1, 1, 1, -1, -1e-9, 1, 1, -1, -1, 1, 1]
    sizes = [0.1, 0.2, 0.3, 0.3, 0, 0.15, 0, 0.075, 0, 0.04, 0, 0.04]
    theta, state = np.zeros(1), optimizer.init(1)
    for g, size in zip(gradients, sizes, strict=True):
        before = theta.copy()
        optimizer.update(theta, np.array([float(g)]), state)
        assert before - theta == pytest.approx(np.sign(g) * size, abs=1e-15)


def test_lion_moves_every_coordinate_by_the_rate():
    steps = np.diff(trajectory(Lion(0.01)), axis=0)
    np.testing.assert_allclose(np.abs(steps[:, [0, 1, 7, 8]]), 0.01)


def test_first_step_of_adam_is_the_rate_whatever_the_scale():
    for scale in (1e-3, 1e3):
        point = trajectory(Adam(0.01), 1, [5.0], lambda x, s=scale: np.array([s]))
        assert point.item() == pytest.approx(4.99, rel=1e-6)


# ---- clipping


def clipped(g, **settings):
    """Return the gradient that descends, by a step of rate 1 from 0."""
    theta, optimizer = np.zeros(len(g)), SGD(1.0, **settings)
    optimizer.update(theta, np.array(g, float), optimizer.init(len(g)))
    return -theta


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [3.0, -4.0]),
        ({"clip_norm": 10.0}, [3.0, -4.0]),
        ({"clip_norm": 5.0}, [3.0, -4.0]),
        ({"clip_norm": 1.0}, [0.6, -0.8]),
        ({"clip_value": 3.5}, [3.0, -3.5]),
        ({"clip_value": 2.0, "clip_norm": 1.0}, [0.5**0.5, -(0.5**0.5)]),
    ],
)
def test_clipping(settings, expected):
    np.testing.assert_allclose(clipped([3.0, -4.0], **settings), expected, rtol=1e-14)


def test_clipping_of_nothing():
    assert not clipped([0.0, 0.0], clip_norm=1.0).any()


def test_the_norm_is_that_of_all_blocks():
    g = np.random.default_rng(0).normal(size=2 * BLOCK + 5)
    got = clipped(g, clip_norm=1.0)
    np.testing.assert_allclose(got, g / np.linalg.norm(g), rtol=1e-12)


# ---- state


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_state_starts_at_zero_and_counts(name):
    optimizer = optimizers.get(name)
    state = optimizer.init(4, np.float32)
    assert (state.t, state.epoch) == (0, 0)
    assert set(state.slots) == set(optimizer.slots)
    assert not any(slot.any() for slot in state.slots.values())
    for _ in range(3):
        optimizer.update(np.ones(4, np.float32), np.ones(4, np.float32), state)
    optimizer.observe(state, 1.0)
    assert (state.t, state.epoch) == (3, 1)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_any_memory_may_hold_the_parameters(name):
    optimizer = optimizers.get(name)
    expected = trajectory(optimizer, 4)[-1]
    memory = np.zeros(11)
    theta, state = memory[1:10], optimizer.init(9)
    theta[:] = np.linspace(-2, 2, 9)
    for _ in range(4):  # another gradient's memory at each update
        optimizer.update(theta, gradient(theta), state)
    assert np.array_equal(theta, expected)
    theta = theta.copy()
    optimizer.update(theta, gradient(theta), state)
    assert np.array_equal(theta, trajectory(optimizer, 5)[-1])
    assert memory[0] == memory[-1] == 0


def test_no_parameters():
    optimizer = Adam()
    optimizer.update(np.zeros(0), np.zeros(0), optimizer.init(0))


def test_a_pickled_state_holds_the_slots_once():
    state, theta = Adam().init(10_000), np.ones(10_000)
    Adam().update(theta, theta.copy(), state)
    assert len(pickle.dumps(state)) < 2 * theta.nbytes + 1000


def test_numpy_numbers_keep_single_precision():
    rates = [1e-3, np.float64(1e-3), np.float32(1e-3)]
    points = []
    for rate in rates:
        optimizer, theta = Adam(rate), np.ones(50, np.float32)
        optimizer = optimizer.settled()
        state = optimizer.init(50, np.float32)
        optimizer.update(theta, np.linspace(-1, 1, 50, dtype=np.float32), state)
        assert isinstance(optimizer.learning_rate_now(state), float)
        points.append(theta)
    assert np.array_equal(points[0], points[1])
    np.testing.assert_allclose(points[0], points[2], rtol=1e-6)


def test_learning_rate_now():
    assert SGD(0.3).learning_rate_now(SGD(0.3).init(1)) == 0.3
    assert math.isnan(LBFGS().learning_rate_now(LBFGS().init(1)))


# ---- memory belongs to one class

SAME_SLOTS = [
    (AdaGrad(), RMSProp()),  # a sum, an average
    (Adam(), NAdam()),  # a product beside them
    (Adam(), AdamW()),
    (Momentum(), Nesterov()),
    (EMA(), Lion()),
    (GD(), SGD()),
    (Adam(beta_2=0.999), Adam(beta_2=0.9)),  # sums of other weights
    (Adam(beta_1=0.9), Adam(beta_1=0.5)),
]


def after_some_updates(optimizer, n=9):
    theta, state = np.linspace(-2, 2, n), optimizer.init(n)
    for _ in range(5):
        optimizer.update(theta, gradient(theta), state)
    optimizer.observe(state, 1.0)
    return theta, state


@pytest.mark.parametrize("pair", SAME_SLOTS, ids=repr)
@pytest.mark.parametrize("swap", [False, True])
def test_another_optimizers_memory_is_not_taken(pair, swap):
    first, second = pair[::-1] if swap else pair
    theta, state = after_some_updates(first)
    resumed = second.resumed(state, 9)
    assert (resumed.t, resumed.epoch) == (0, 1)
    points = []
    for memory in (resumed, second.init(9)):
        point = theta.copy()
        second.update(point, gradient(theta), memory)
        points.append(point)
    np.testing.assert_array_equal(*points)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_ones_own_memory_is_taken_and_not_shared(name):
    optimizer = optimizers.get(name)
    theta, state = after_some_updates(optimizer)
    other_rate = optimizers.get(name).set_params(learning_rate=0.123, clip_norm=9.0)
    resumed = other_rate.resumed(state, 9)
    assert (resumed.t, resumed.epoch, resumed.memory) == (5, 1, state.memory)
    kept = {slot: vector.copy() for slot, vector in state.slots.items()}
    for slot, vector in resumed.slots.items():
        np.testing.assert_array_equal(vector, state.slots[slot])
    other_rate.update(theta, gradient(theta), resumed)
    assert state.t == 5
    for slot, vector in state.slots.items():
        np.testing.assert_array_equal(vector, kept[slot])
    if optimizer.slots:  # of another number of parameters
        assert optimizer.resumed(state, 8).t == 0


def test_the_memory_of_a_schedule_belongs_to_its_class():
    class Mine(ReduceOnPlateau):
        pass

    plateau = ReduceOnPlateau(0.1, factor=0.5, patience=0)
    state = Adam(plateau).init(1)
    for _ in range(3):
        Adam(plateau).observe(state, 1.0)
    rate = Adam(plateau).learning_rate_now(state)
    assert rate == 0.1 * 0.25

    def resumed_rate(schedule, optimizer=Adam):
        optimizer = optimizer(schedule)
        return optimizer.learning_rate_now(optimizer.resumed(state, 1))

    assert resumed_rate(ReduceOnPlateau(0.1, factor=0.9)) == rate
    assert resumed_rate(ReduceOnPlateau(0.1), NAdam) == rate
    assert resumed_rate(Mine(0.1)) == 0.1
    assert resumed_rate(WarmUp(0.1, length=1, after=plateau)) == 0.1

    warm = [WarmUp(length=1, after=after) for after in (plateau, Mine())]
    keys = [Adam(schedule).init(1).schedule_owner for schedule in warm]
    assert keys[0] != keys[1]


# ---- names of slots


@pytest.mark.parametrize("name", ["t", "work", "shared", "theta", "g", "a b", ""])
def test_slots_that_mean_something_else(name):
    with pytest.raises(ValueError, match=f"Mine: a slot cannot be named '{name}'"):
        type("Mine", (FirstOrder,), {"slots": ("m", name)})
    with pytest.raises(ValueError, match=f"a slot cannot be named '{name}'"):
        OptimizerState(3, np.float64, (name,))


def test_slots_are_different_names():
    with pytest.raises(ValueError, match="Mine: slots must differ"):
        type("Mine", (FirstOrder,), {"slots": ("m", "s", "m")})
    with pytest.raises(TypeError, match="Mine: slots must be a tuple of names"):
        type("Mine", (Adam,), {"slots": "m"})


# ---- bad settings

OUT_OF_RANGE = {
    "learning_rate": [0.0, -1.0, math.nan, math.inf],
    "clip_norm": [0.0, -1.0, "big"],
    "clip_value": [0.0, math.nan],
    "momentum": [1.0, -0.1, None],
    "beta": [1.0, -0.1],
    "beta_1": [1.0, "0.9"],
    "beta_2": [1.0, math.nan],
    "epsilon": [0.0, -1e-8],
    "weight_decay": [-0.1, math.nan],
    "momentum_decay": [-0.1],
    "shrink": [0.0, 1.0],
    "grow": [1.0],
    "step_min": [0.0],
    "step_max": [1e-7],
    "memory": [0, "many"],
    "gtol": [-1.0],
    "ftol": [-1.0],
    "max_line_search": [0, 1.5],
    "max_evaluations": [0, "all"],
    "damping": [-1.0, math.inf],
    "max_cg": [0, 2.5],
    "differences": ["backward", 2],
    "order": ["backward", None],
    "step": [0.0, math.nan],
    "xtol": [0.0, 1.0],
    "max_steps": [0, 2.5],
    "scale": [0.0, math.inf],
    "patience": [-1, "long"],
    "tol": [-1.0, math.nan],
}
ELSEWHERE = {  # names that a registry checks
    "search": "Unknown step search 'no'. Known names: armijo, trust_region, wolfe",
    "optimizer": "Unknown optimizer 'no'. Known names: adadelta",
}
BAD = [
    (name, parameter, value)
    for name in NAMES
    for parameter in optimizers.get(name).get_params(deep=False)
    if parameter not in ELSEWHERE
    for value in OUT_OF_RANGE[parameter]
]


@pytest.mark.parametrize(("name", "parameter", "value"), BAD)
def test_bad_settings(name, parameter, value):
    optimizer = optimizers.get(name).set_params(**{parameter: value})
    with pytest.raises(ValueError, match=rf"{parameter}\b.* must .* [gG]ot "):
        optimizer.settled()


@pytest.mark.parametrize(
    ("name", "parameter"), [("newton", "search"), ("jog", "optimizer")]
)
def test_bad_names_within(name, parameter):
    optimizer = optimizers.get(name).set_params(**{parameter: "no"})
    with pytest.raises(ValueError, match=ELSEWHERE[parameter]):
        optimizer.settled()


@pytest.mark.parametrize(
    ("rate", "error", "message"),
    [
        (
            "cosin",
            ValueError,
            "Unknown schedule 'cosin'. Known names: constant",
        ),
        ([0.1], TypeError, r"'learning_rate' .* Got \[0.1\]"),
        (Inverse(decay=-1.0), ValueError, "'decay' .* must be"),
    ],
)
def test_bad_schedules(rate, error, message):
    with pytest.raises(error, match=message):
        Adam(rate).settled()


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_bad_settings_stop_minimize(name):
    optimizer = optimizers.get(name).set_params(learning_rate=-1.0)
    with pytest.raises(ValueError, match="learning_rate"):
        minimize(lambda x: (0.0, x), [1.0], optimizer=optimizer)


# ---- what describes a step belongs to the class that has it


@pytest.mark.parametrize("name", NAMES)
def test_plain_steps_are_those_of_descent(name):
    optimizer = optimizers.get(name)
    assert getattr(optimizer, "plain", False) == (name in ("sgd", "gd"))
    assert getattr(optimizer, "second_order", False) is False


@pytest.mark.parametrize("base", [SGD, Momentum, Adam, AdamW])
def test_a_subclass_with_a_step_of_its_own_inherits_nothing_that_described_it(base):
    class Own(base):
        def step(self, theta, g, s, eta):
            theta -= eta * np.sign(g)

    class SameStep(base):
        pass

    assert (Own.twin, Own.linear, Own.plain) == ("", False, False)
    described = base.twin, base.linear, base.plain
    assert (SameStep.twin, SameStep.linear, SameStep.plain) == described
    with config_context(engine="numba"):  # the compiled twin would be Adam's
        point = trajectory(Own(0.1), 1, [1.0, -1.0], np.sign)
    np.testing.assert_allclose(point, [[0.9, -0.9]])


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
@pytest.mark.parametrize("optimizer", [Adam(0.01), AdamW(0.01)])
@pytest.mark.parametrize("kind", ["alike", "every other", "wide gradient"])
def test_compiled_updates_take_any_vectors(optimizer, kind):
    n, rng = 70_001, np.random.default_rng(0)  # what threads share
    gradients = rng.normal(size=(3, n)).astype("f")
    points = {}
    for engine, n_threads in (("numpy", 1), ("numba", 1), ("numba", 2)):
        theta = np.zeros(2 * n, "f")[::2] if kind == "every other" else np.zeros(n, "f")
        state = optimizer.init(n, np.float32)
        with config_context(engine=engine, n_threads=n_threads):
            for g in gradients:
                g = g.astype("d" if kind == "wide gradient" else "f")
                optimizer.update(theta, g, state)
        points[engine, n_threads] = theta
    np.testing.assert_array_equal(points["numba", 1], points["numba", 2])
    expected = points["numpy", 1]
    np.testing.assert_allclose(points["numba", 1], expected, rtol=1e-5, atol=1e-8)
    assert (np.abs(expected) > 1e-3).mean() > 0.9


# ---- the user's own


@pytest.fixture
def registered():
    """Register an optimizer as a user would, and forget it afterwards."""

    @optimizers.register("normalised")
    class Normalised(FirstOrder):
        slots = ("m",)

        def step(self, theta, g, s, eta):
            s.m *= 0.9
            s.m += g
            np.abs(s.m, out=s.work)
            s.work += 1.0
            np.divide(s.m, s.work, out=s.work)
            s.work *= eta
            theta -= s.work

    yield Normalised
    del optimizers.registry._classes["normalised"]


def test_a_users_optimizer(registered):
    check_optimizer("normalised")
    check_optimizer(registered("inverse", clip_norm=1.0))
    result = minimize(
        lambda x: (float(x @ x), 2 * x), [1.0, -2.0], optimizer="normalised"
    )
    assert result.fun < 1e-6
    with pytest.raises(ValueError, match=r"'learning_rate' .* must be"):
        registered(0.0).settled()


@pytest.mark.parametrize(
    ("base", "call", "message"),
    [
        (FirstOrder, lambda o: o.step(None, None, None, 0.1), "must define step"),
        (Optimizer, lambda o: o.run(None, None, None, 1, None), "must define run"),
    ],
)
def test_a_forgotten_method_is_named(base, call, message):
    class Mine(base):
        pass

    with pytest.raises(TypeError, match=f"Mine {message}"):
        call(Mine())
