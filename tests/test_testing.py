"""The checkers accept what is right and say what is wrong with the rest."""

import numpy as np
import pytest

from skdl import activations, initializers, layers, losses, optimizers, schedules
from skdl.activations import ActivationFunction
from skdl.initializers import Initializer
from skdl.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    Dense,
    DropConnect,
    Dropout,
    GlobalAvgPool,
    Layer,
    ParamSpec,
    Residual,
)
from skdl.losses import SquaredError
from skdl.networks import scaled
from skdl.optimizers import SGD, FirstOrder
from skdl.schedules import Schedule
from skdl.testing import (
    check_activation,
    check_architecture,
    check_gradient,
    check_initializer,
    check_layer,
    check_loss,
    check_optimizer,
    check_schedule,
)


def variant(base, **methods):
    """Return an object of a subclass with other methods; local, so not pickled."""

    class Broken(base):
        pass

    for name, method in methods.items():
        setattr(Broken, name, method)
    return Broken()


# ---- check_gradient


def cubic(x):
    return np.sum(x**3), 3 * x**2


FUNCTIONS = {
    "cubic": (lambda x: np.sum(x**3), lambda x: 3 * x**2),
    "exp": (lambda x: 1e3 * np.exp(x).sum(), lambda x: 1e3 * np.exp(x)),
    "kinked": (lambda x: np.abs(x).sum(), np.sign),
    "constant": (lambda x: 7.0, np.zeros_like),
    "steep": (lambda x: np.tanh(50 * x).sum(), lambda x: 50 / np.cosh(50 * x) ** 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 2, 2)])
def test_check_gradient_accepts(name, shape):
    value, gradient = FUNCTIONS[name]
    theta = np.random.default_rng(0).uniform(0.01, 1, shape)
    check_gradient(value, theta, gradient, rtol=1e-7)
    check_gradient(value, theta, gradient(theta), rtol=1e-7, seed=1)


def not_deterministic(x):
    return np.random.default_rng().normal(), x


def writes(x):
    x[0] = 0.0
    return 0.0, x


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: (cubic(x)[0], 3.00001 * x**2), r"direction 0: expected .*, got"),
        (
            lambda x: (cubic(x)[0], 3 * x[:1] ** 2),
            r"shape: expected \(2,\), got \(1,\)",
        ),
        (lambda x: (cubic(x)[0], np.array([1.0, np.nan])), "must be finite"),
        (not_deterministic, "not deterministic"),
        (writes, "changed its argument"),
    ],
)
def test_check_gradient_refuses(function, message):
    with pytest.raises(AssertionError, match=message):
        check_gradient(function, [1.0, 2.0])


def test_check_gradient_takes_the_gradient_from_the_function():
    check_gradient(cubic, [1.0, 2.0])


# ---- check_loss


class Cubic(SquaredError):
    """|e|³/3: a correct loss with a curvature of its own."""

    def evaluate(self, y, raw, empty=np.empty):
        e = raw - y
        return np.abs(e) ** 3 / 3, e * np.abs(e)

    def hessian(self, y, raw):
        return 2 * np.abs(raw - y)

    init_raw = losses.Loss.init_raw


def wrong_gradient(self, y, raw, empty=np.empty):
    return np.abs(raw - y) ** 3 / 3, np.abs(raw - y)


def changes_raw(self, y, raw, empty=np.empty):
    raw -= y
    return np.abs(raw) ** 3 / 3, raw * np.abs(raw)


def adds_to_memory(self, y, raw, empty=np.empty):
    out = empty(raw.shape, raw.dtype) * 0.0
    return Cubic.evaluate(self, y, raw)[0] + out, Cubic.evaluate(self, y, raw)[1]


def widens(self, y, raw, empty=np.empty):
    return Cubic.evaluate(self, y.astype(np.float64), raw)


def forgets_weight(self, y, raw, weight, scale, empty=np.empty):
    loss, gradient = self.evaluate(y, raw)
    return scale * loss.sum(), scale * gradient


def twice_of_elements(self, y, raw, empty=np.empty):
    loss, gradient = Cubic.evaluate(self, y, raw)
    return loss, gradient * (2 if raw.ndim > 2 else 1)


def weighs_the_second_axis(self, y, raw, weight, scale, empty=np.empty):
    if weight is None or raw.ndim == 2:
        return Cubic.weighted(self, y, raw, weight, scale, empty)
    loss, gradient = self.evaluate(y, raw)
    spread = weight.ravel()[: raw.shape[1], None]
    return scale * float((loss * spread).sum()), scale * gradient * spread


BROKEN_LOSSES = {
    "elements of shape .*: the gradient": {"evaluate": twice_of_elements},
    "elements of shape .*, weights of shape .*": {"weighted": weighs_the_second_axis},
    "gradient along random direction": {"evaluate": wrong_gradient},
    "changed raw": {"evaluate": changes_raw},
    "counts on cleared memory": {"evaluate": adds_to_memory},
    "type of a float32 loss": {"evaluate": widens},
    "Hessian's diagonal, output 0": {"hessian": lambda self, y, raw: raw - y},
    "hessian is not defined": {"hessian": losses.Loss.hessian},
    "weighted: the sum": {"weighted": forgets_weight},
    "init_raw": {"init_raw": lambda self, y, weight=None: np.zeros(2)},
    "inverse_link": {"link": lambda self, prediction: 2 * prediction},
}


def of_rows_alone(self, y, raw, empty=np.empty):
    if raw.ndim != 2:
        raise ValueError("takes rows")
    return Cubic.evaluate(self, y, raw)


def test_check_loss_accepts_a_correct_loss():
    check_loss(Cubic())
    check_loss(variant(Cubic, evaluate=of_rows_alone))


@pytest.mark.parametrize("message", BROKEN_LOSSES)
def test_check_loss_refuses(message):
    with pytest.raises(AssertionError, match=message):
        check_loss(variant(Cubic, **BROKEN_LOSSES[message]))


def test_check_loss_wants_both_or_neither():
    with pytest.raises(ValueError, match="both y and raw"):
        check_loss("squared_error", y=np.ones((2, 1)))


# ---- check_optimizer


def ascends(self, theta, g, s, eta):
    theta += eta * g


def allocates(self, theta, grad, state):
    theta[:] = theta - 0.01 * grad


def returns_new(self, theta, grad, state):
    return theta - 0.01 * grad


def remembers_in_self(self, theta, g, s, eta):
    self.velocity = getattr(self, "velocity", 0.0) + 1.0
    theta -= eta * g


def mixes_elements(self, theta, g, s, eta):
    theta -= eta * g * (1 + abs(g.mean()))


def remembers_in_closure():
    memory = []

    def step(self, theta, g, s, eta):
        memory.append(1)
        theta -= eta * g / len(memory)

    return step


BROKEN_OPTIMIZERS = {
    "does not lower": {"step": ascends},
    "allocated": {"update": allocates},
    "does not lower a convex": {"update": returns_new},
    "changed its own attributes": {"step": remembers_in_self},
    "in two pieces": {"step": mixes_elements},
    "second run|going on": {"step": remembers_in_closure()},
}


@pytest.mark.parametrize("message", BROKEN_OPTIMIZERS)
def test_check_optimizer_refuses(message):
    with pytest.raises(AssertionError, match=message):
        check_optimizer(variant(SGD, **BROKEN_OPTIMIZERS[message]))


def test_check_optimizer_checks_the_hyper_parameters():
    with pytest.raises(ValueError, match="learning_rate"):
        check_optimizer(SGD(-1.0))


# ---- check_layer


class Scale(Layer):
    """y = a·x: the smallest layer with a parameter."""

    def build(self, input_shape):
        return input_shape, {"a": (input_shape, "ones")}

    def forward(self, params, x, ctx):
        y = np.multiply(x, params["a"], out=ctx.empty(x.shape))
        return y, x if ctx.train else None

    def backward(self, params, grads, cache, dy, ctx):
        np.sum(dy * cache, axis=0, out=grads["a"])
        return dy * params["a"]


def with_noise(self, params, x, ctx):
    y = x + np.random.default_rng().normal(size=x.shape)
    return params["a"] * y, x if ctx.train else None


def always_caches(self, params, x, ctx):
    return params["a"] * x, x


def changes_parameters(self, params, x, ctx):
    params["a"][...] *= 1.01
    return params["a"] * x, x if ctx.train else None


def to_double(self, params, x, ctx):
    return params["a"].astype(np.float64) * x, x if ctx.train else None


def adds_gradient(self, params, grads, cache, dy, ctx):
    grads["a"][...] += (dy * cache).sum(axis=0)
    return dy * params["a"]


def wrong_da(self, params, grads, cache, dy, ctx):
    np.mean(dy * cache, axis=0, out=grads["a"])
    return dy * params["a"]


def wrong_dx(self, params, grads, cache, dy, ctx):
    np.sum(dy * cache, axis=0, out=grads["a"])
    return dy * params["a"] ** 2


def changes_dy(self, params, grads, cache, dy, ctx):
    np.sum(dy * cache, axis=0, out=grads["a"])
    dy *= params["a"]
    return dy


def wrong_shape(self, input_shape):
    return (input_shape[0] + 1,), {"a": (input_shape, "ones")}


def mixes_samples(self, params, x, ctx):
    return params["a"] * (x - x.mean(axis=0)), x if ctx.train else None


BROKEN_LAYERS = {
    "one by one": {"forward": with_noise},
    "keep no cache": {"forward": always_caches},
    "parameters after a prediction": {"forward": changes_parameters},
    "type of the output in float32": {"forward": to_double},
    "write the gradient of 0.a": {"backward": adds_gradient},
    "the gradient of a along": {"backward": wrong_da},
    "dx along": {"backward": wrong_dx},
    "dy after backward": {"backward": changes_dy},
    r"shape of the output: expected \(5, 4\)": {"build": wrong_shape},
    "predicted one by one": {"forward": mixes_samples},
}


def test_check_layer_accepts_a_correct_layer():
    check_layer(Scale(), (3,))


@pytest.mark.parametrize("message", BROKEN_LAYERS)
def test_check_layer_refuses(message):
    with pytest.raises(AssertionError, match=message):
        check_layer(variant(Scale, **BROKEN_LAYERS[message]), (3,))


LAYERS = [
    Dense(3),
    Dense(3, bias=False),
    DropConnect(4, rate=0.3),
    Dropout(0.4),
    BatchNorm(),
    Activation("gelu"),
    Activation("step"),
    Residual([Dense(3), "tanh", Dropout(0.2), Dense(7)]),
]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_check_layer_accepts(layer):
    check_layer(layer, (5,))


CHECKS = {
    activations: check_activation,
    initializers: check_initializer,
    layers: check_layer,
    losses: check_loss,
    optimizers: check_optimizer,
    schedules: check_schedule,
}


@pytest.mark.parametrize("registry", CHECKS)
def test_names_are_enough(registry):
    name = registry.names()[0]
    CHECKS[registry](name, *([(4,)] if registry is layers else []))


def test_a_user_optimizer_passes():
    class SignDescent(FirstOrder):
        def step(self, theta, g, s, eta):
            np.sign(g, out=s.work)
            s.work *= eta
            theta -= s.work

    check_optimizer(SignDescent())


class Lookup(Layer):
    """A row of a table for each symbol; the mean over a sequence."""

    accepts_integers = True
    scale = 1.0
    heeds_padding = True

    def build(self, input_shape):
        return (3,), {"E": ParamSpec((7, 3), "xavier_uniform")}

    def _share(self, x, ctx):
        n, steps = x.shape
        lengths = np.full(n, steps) if ctx.lengths is None else ctx.lengths
        mask = np.arange(steps) < lengths[:, None]
        mask = mask if self.heeds_padding else np.ones_like(mask)
        return (mask / mask.sum(1, keepdims=True)).astype(ctx.dtype)[..., None]

    def forward(self, params, x, ctx):
        share = self._share(x, ctx)
        y = (params["E"][x] * share).sum(axis=1)
        return y, (x, share) if ctx.train else None

    def backward(self, params, grads, cache, dy, ctx):
        x, share = cache
        grads["E"][...] = 0
        np.add.at(grads["E"], x, self.scale * share * dy[:, None])


SYMBOLS = np.random.default_rng(0).integers(0, 7, (5, 4))


def test_a_layer_of_symbols():
    check_layer(Lookup(), (4,), x=SYMBOLS)
    check_layer(Lookup(), (4,), x=SYMBOLS, lengths=np.array([4, 1, 2, 3, 4]))

    class Wrong(Lookup):
        scale = 1.01

    with pytest.raises(AssertionError, match="the gradient of E"):
        check_layer(Wrong(), (4,), x=SYMBOLS)


# ---- check_activation


class Cube(ActivationFunction):
    """f(x) = x³."""

    derivative_from = "input"

    def forward(self, x, out, work):
        np.multiply(x, x, out=work)
        return np.multiply(work, x, out=out)

    def backward(self, dy, z, out, work):
        np.multiply(z, z, out=work)
        work *= 3
        return np.multiply(dy, work, out=out)


def returns_new_memory(self, x, out, work):
    return x**3


def works_in_the_input(self, x, out, work):
    x *= x
    return np.multiply(x, x, out=out)


def adds_to_out(self, x, out, work):
    out += x**3
    return out


def mixes_rows(self, x, out, work):
    return np.subtract(x, x.mean(axis=0), out=out)


def twice_the_slope(self, dy, z, out, work):
    return np.multiply(dy, 6 * z**2, out=out)


def overwrites_dy(self, dy, z, out, work):
    dy *= 3 * z**2
    out[...] = dy
    return out


BROKEN_ACTIVATIONS = {
    "must write to out and return it": {"forward": returns_new_memory},
    "input afterwards": {"forward": works_in_the_input},
    "must be finite": {"forward": adds_to_out},
    "sample 0 alone": {"forward": mixes_rows},
    "backward along random direction": {"backward": twice_the_slope},
    "dy afterwards": {"backward": overwrites_dy},
    "derivative_from must be": {"derivative_from": "both"},
    "suggests the initializer 'none'": {"initializer": "none"},
    r"backward along": {"derivative_from": "output"},
}


def test_check_activation_accepts():
    check_activation(Cube())
    check_activation(variant(Cube, differentiable=False, backward=None))


@pytest.mark.parametrize("message", BROKEN_ACTIVATIONS)
def test_check_activation_refuses(message):
    with pytest.raises(AssertionError, match=message):
        check_activation(variant(Cube, **BROKEN_ACTIVATIONS[message]))


# ---- check_initializer


class Half(Initializer):
    """Half of the entries are 0, the others normal."""

    def draw(self, shape, rng):
        return (rng.random(shape) < 0.5) * rng.normal(size=shape)


MEMORY = np.zeros(1000)


def in_shared_memory(self, shape, rng):
    return MEMORY[: int(np.prod(shape))].reshape(shape)


def from_the_world(self, shape, rng):
    np.random.random()  # noqa: NPY002
    return np.ones(shape)


def read_only(self, shape, rng):
    return np.broadcast_to(1.0, shape)


def notes_the_shape(self, shape, rng):
    self.shape = shape
    return np.ones(shape)


BROKEN_INITIALIZERS = {
    "shape": lambda self, shape, rng: np.ones(shape[::-1]),
    "must be finite": lambda self, shape, rng: np.full(shape, np.nan),
    "second draw": lambda self, shape, rng: np.random.default_rng().normal(size=shape),
    "share memory": in_shared_memory,
    "global generator": from_the_world,
    "read-only|share memory": read_only,
    "type": lambda self, shape, rng: np.ones(shape).tolist(),
}


def test_check_initializer_accepts():
    check_initializer(Half())
    check_initializer(Half(), [(3,), (2, 2)], seed=5)


@pytest.mark.parametrize("message", BROKEN_INITIALIZERS)
def test_check_initializer_refuses(message):
    broken = variant(Half, draw=BROKEN_INITIALIZERS[message])
    with pytest.raises((AssertionError, AttributeError), match=message):
        check_initializer(broken)


# ---- check_schedule


class Sag(Schedule):
    """Lower with every observed rise of the loss."""

    def multiplier(self, t, total, memory):
        return 0.5 ** memory.get("rises", 0) / (1 + t)

    def observe(self, loss, memory):
        memory["rises"] = memory.get("rises", 0) + (loss > memory.get("last", loss))
        memory["last"] = loss


def counts_itself(self, t, total, memory):
    self.calls = getattr(self, "calls", 0) + 1
    return 1.0 / self.calls


def writes_memory(self, t, total, memory):
    memory["t"] = t
    return 1.0


def forgets(self, loss, memory):
    self.rises = getattr(self, "rises", 0) + 1
    memory["rises"] = self.rises


BROKEN_SCHEDULES = {
    "finite and": {"multiplier": lambda self, t, total, memory: 1.0 - t / 40},
    "must be finite": {"multiplier": lambda self, t, total, memory: np.inf},
    "is no number": {"multiplier": lambda self, t, total, memory: np.ones(1)},
    "asked for again": {"multiplier": counts_itself},
    "memory afterwards": {"multiplier": writes_memory},
    "going on with a copied memory": {"observe": forgets},
    "'unit' parameter": {"unit": "week"},
}


def test_check_schedule_accepts():
    check_schedule(Sag())
    check_schedule(Sag(0.3, "step"), total=3)


@pytest.mark.parametrize("message", BROKEN_SCHEDULES)
def test_check_schedule_refuses(message):
    broken = variant(Sag, **BROKEN_SCHEDULES[message])
    if "unit" in BROKEN_SCHEDULES[message]:
        broken.unit = "week"
    with pytest.raises((AssertionError, ValueError), match=message):
        check_schedule(broken)


def stack(input_shape, width=1.0):
    return [Conv2D(scaled(4, width), 3, padding=1), "relu", GlobalAvgPool()]


SHARED = Conv2D(3)
BROKEN_ARCHITECTURES = {
    "must make new layers": lambda shape, width=1.0: [SHARED, "relu"],
    "twice the width": lambda shape, width=1.0: [Conv2D(4), "relu", GlobalAvgPool()],
    "must be an int in the range": lambda shape, width=1.0: [Conv2D(int(4 * width))],
    "not finite": lambda shape, width=1.0: [*stack(shape, width), Explode()],
}


class Explode(Layer):
    def forward(self, params, x, ctx):
        return np.full_like(x, np.inf), None

    def build(self, input_shape):
        return input_shape, {}

    def backward(self, params, grads, cache, dy, ctx):
        return dy


@pytest.mark.parametrize("name", [stack, "lenet", "resnet8", "vgg_small"])
def test_check_architecture_accepts(name):
    check_architecture(name, (16, 16, 1))


@pytest.mark.parametrize("message", BROKEN_ARCHITECTURES)
def test_check_architecture_refuses(message):
    with pytest.raises((AssertionError, ValueError), match=message):
        check_architecture(BROKEN_ARCHITECTURES[message], (8, 8, 2))
