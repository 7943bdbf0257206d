"""Checks for people who extend skdl, and for skdl's own tests.

`check_gradient` compares a derivative with finite differences along random directions;
`check_loss`, `check_optimizer` and `check_layer` hold an object against its contract.
Each raises AssertionError with a message that says what was expected and what came.
"""

from __future__ import annotations

import math
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import clone

from skdl import layers, losses, optimizers
from skdl._params import ParamVector
from skdl.layers import Arena, Context, Layer
from skdl.losses import Loss
from skdl.networks import Network
from skdl.optimizers import FirstOrder, Optimizer

Array = NDArray[Any]

__all__ = ["check_gradient", "check_layer", "check_loss", "check_optimizer"]


# ---- derivatives


def check_gradient(
    function: Callable[[Array], Any],
    theta: ArrayLike,
    gradient: ArrayLike | Callable[[Array], Any] | None = None,
    *,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    n_directions: int = 3,
    seed: int = 0,
    name: str = "The gradient",
) -> None:
    """Check a gradient against finite differences along random directions.

    Central differences with ever smaller steps are extrapolated to step zero (Ridders
    1982) in double precision, which reaches ten digits of a smooth function and is
    exact between the kinks of a piecewise linear one.

    Parameters
    ----------
    function : callable
        ``function(theta) -> value``, or ``(value, gradient)`` with `gradient` None.
        It must give the same value twice: seed what is random in it at each call.
    theta : array-like
        The point, of any shape; away from kinks.
    gradient : array-like or callable, default=None
        The gradient at `theta`, of its shape, or a function that computes it. None
        takes it from `function`.
    rtol : float, default=1e-6
        Allowed error, relative to the derivative along the direction.
    atol : float, default=1e-9
        Allowed error beyond that.
    n_directions : int, default=3
        How many random directions.
    seed : int, default=0
        Draws the directions.
    name : str, default="The gradient"
        Opens the error message.

    Raises
    ------
    AssertionError
        If the gradient is wrong, of another shape or not finite, or if `function`
        changes its argument or gives two values at one point.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.testing import check_gradient
    >>> check_gradient(lambda x: np.sum(x**3), [1.0, 2.0], lambda x: 3 * x**2)
    """
    theta = np.array(theta, dtype=np.float64)
    given = theta.copy()

    def value(at: Array) -> float:
        result = function(at)
        return float(result[0] if gradient is None else result)

    first, second = value(theta), value(theta)
    _same(theta, given, f"{name}: the function changed its argument")
    _same(second, first, f"{name}: the function is not deterministic; its values")
    if gradient is None:
        got = np.array(function(theta.copy())[1], dtype=np.float64)
    elif callable(gradient):
        got = np.array(gradient(theta.copy()), dtype=np.float64)
    else:
        got = np.array(gradient, dtype=np.float64)
    _equal(got.shape, theta.shape, f"{name}: shape")
    _finite(got, name)

    rng = np.random.default_rng(seed)
    for i in range(n_directions):
        direction = rng.normal(size=theta.shape)
        direction /= max(float(np.linalg.norm(direction)), 1e-300)

        def along(h: float, direction: Array = direction) -> float:
            return value(theta + h * direction)

        _close(
            float(np.sum(got * direction)),
            _derivative(along),
            f"{name} along random direction {i}",
            rtol,
            atol,
        )


def _derivative(f: Callable[[float], float]) -> float:
    """Return f'(0) by Ridders' extrapolation of central differences."""
    best, best_error = math.nan, math.inf
    previous: list[float] = []
    for level in range(4, 16):
        h = 0.5**level
        row = [(f(h) - f(-h)) / (2.0 * h)]
        for order, coarse in enumerate(previous, start=1):
            finer = row[-1] + (row[-1] - coarse) / (4.0**order - 1.0)
            error = max(abs(finer - row[-1]), abs(finer - coarse))
            row.append(finer)
            if error < best_error:
                best, best_error = finer, error
        previous = row
    return best


# ---- losses


def check_loss(
    loss: str | Loss,
    y: ArrayLike | None = None,
    raw: ArrayLike | None = None,
    *,
    rtol: float = 1e-6,
    seed: int = 0,
) -> None:
    """Check that a loss keeps the contract of `skdl.losses.Loss`.

    The gradient and the Hessian agree with finite differences; `evaluate` leaves its
    arguments alone, keeps single precision and does not count on cleared memory;
    weights act as repetitions of rows; `init_raw` is the best constant; `link` inverts
    `inverse_link`; the object clones and pickles.

    Parameters
    ----------
    loss : str or Loss
        Name or instance.
    y : array-like of shape (n,) or (n, k), default=None
        Targets, with `raw`. None draws some, for classification in every form that the
        loss has: exclusive classes, two classes, several labels.
    raw : array-like of shape (n, k), default=None
        Raw predictions, away from kinks of the loss.
    rtol : float, default=1e-6
        Allowed relative error of the derivatives.
    seed : int, default=0
        Draws all that is random.

    Raises
    ------
    AssertionError
        If the loss breaks its contract.
    ValueError
        If only one of `y` and `raw` is given.

    Examples
    --------
    >>> from skdl.testing import check_loss
    >>> check_loss("huber")
    """
    if (y is None) != (raw is None):
        raise ValueError("Give both y and raw, or neither.")
    loss = losses.get(loss)
    rng = np.random.default_rng(seed)
    _check_parameter_object(loss)
    if y is not None and raw is not None:
        cases = [(loss, np.asarray(y), np.asarray(raw, dtype=np.float64))]
    elif loss.task == "classification":
        cases = _classification_cases(loss, rng)
    else:
        cases = [(loss, _regression_targets(loss, rng), rng.normal(size=(12, 2)))]
    for form, targets, predictions in cases:
        weight = rng.integers(1, 4, len(predictions)).astype(np.float64)
        _check_evaluate(form, targets, predictions)
        _check_loss_derivatives(form, targets, predictions, rtol, seed)
        _check_weighted(form, targets, predictions, weight)
        _check_init_raw(form, targets, weight, rng)
        _check_link(form, predictions)


def _regression_targets(loss: Loss, rng: np.random.Generator) -> Array:
    y = rng.normal(size=(12, 2))
    for candidate in (y, rng.poisson(2.0, size=y.shape).astype(float), np.exp(y)):
        try:
            loss.check_targets(candidate)
        except ValueError:
            continue
        return candidate
    raise ValueError(
        f"{type(loss).__name__} takes neither normal, Poisson nor log-normal targets; "
        "give y and raw."
    )


def _classification_cases(
    loss: Loss, rng: np.random.Generator
) -> list[tuple[Loss, Array, Array]]:
    cases = []
    for n_classes, multilabel in ((3, False), (2, False), (3, True), (2, True)):
        try:
            form = loss.for_classes(n_classes, multilabel)
        except ValueError:
            continue
        k = form.n_raw(n_classes)
        if multilabel:
            _equal(k, n_classes, f"{loss!r}: n_raw for several labels")
        raw = rng.normal(size=(12, k))
        # Each class comes at least once.
        codes = rng.permutation(np.arange(12) % n_classes)
        if multilabel:
            y = rng.permuted(np.arange(12 * k).reshape(12, k) // k % 2, axis=0)
        else:
            y = codes if k > 1 else codes[:, None]
        cases.append((form, y, raw))
    assert cases, f"{type(loss).__name__}: for_classes refuses every problem"
    return cases


def _check_evaluate(loss: Loss, y: Array, raw: Array) -> None:
    name = f"{loss!r}.evaluate"
    y_given, raw_given = y.copy(), raw.copy()
    value, gradient = loss.evaluate(y, raw)
    _same(y, y_given, f"{name} changed y; it")
    _same(raw, raw_given, f"{name} changed raw; it")
    if value.shape != raw.shape:
        _equal(value.shape, raw.shape[:1], f"{name}: shape of the loss")
    _equal(gradient.shape, raw.shape, f"{name}: shape of the gradient")
    _finite(value, f"{name}: the loss")

    def dirty(shape: Any, dtype: Any = np.float64) -> Array:
        kind = np.dtype(dtype).kind
        return np.full(shape, np.nan if kind == "f" else 99, dtype=dtype)

    again = loss.evaluate(y, raw, dirty)
    _same(again[0], value, f"{name} counts on cleared memory: the loss")
    _same(again[1], gradient, f"{name} counts on cleared memory: the gradient")

    y32 = y.astype(np.float32) if y.dtype.kind == "f" else y
    single = loss.evaluate(y32, raw.astype(np.float32))
    for what, got, expected in zip(("loss", "gradient"), single, again, strict=True):
        _equal(got.dtype, np.dtype(np.float32), f"{name}: type of a float32 {what}")
        _close(got, expected, f"{name}: the {what} in float32", 1e-5, 1e-5)


def _check_loss_derivatives(
    loss: Loss, y: Array, raw: Array, rtol: float, seed: int
) -> None:
    gradient = loss.gradient(y, raw)

    def total(at: Array) -> float:
        return float(np.sum(loss.evaluate(y, at)[0]))

    name = f"{loss!r}: the gradient"
    check_gradient(total, raw, gradient, rtol=rtol, seed=seed, name=name)
    if not loss.has_hessian:
        return
    assert type(loss).hessian is not Loss.hessian, (
        f"{loss!r}: has_hessian is True, but hessian is not defined"
    )
    try:
        hessian = loss.hessian(y, raw)
    except ValueError:
        return  # A class that may have one, but this object has none.
    _equal(hessian.shape, raw.shape, f"{loss!r}: shape of the Hessian")
    both = loss.gradient_hessian(y, raw)
    _same(both[0], gradient, f"{loss!r}.gradient_hessian: the gradient")
    _same(both[1], hessian, f"{loss!r}.gradient_hessian: the Hessian")
    direction = np.random.default_rng(seed).normal(size=len(raw))
    for j in range(raw.shape[1]):

        def slope(h: float, j: int = j) -> float:
            at = raw.copy()
            at[:, j] += h * direction
            return float(direction @ loss.gradient(y, at)[:, j])

        got = float(direction**2 @ hessian[:, j])
        name = f"{loss!r}: the Hessian's diagonal, output {j}"
        _close(got, _derivative(slope), name, rtol, 1e-9)


def _check_weighted(loss: Loss, y: Array, raw: Array, weight: Array) -> None:
    name = f"{loss!r}.weighted"
    value, gradient = loss.evaluate(y, raw)
    rows = value.reshape(len(raw), -1).sum(axis=1)
    total, weighted = loss.weighted(y, raw, weight, 0.5)
    _close(total, 0.5 * float(weight @ rows), f"{name}: the sum", 1e-12)
    expected = 0.5 * weight[:, None] * gradient
    _close(weighted, expected, f"{name}: the gradient", 1e-12, 1e-15)

    times = weight.astype(np.intp)
    repeated = loss(np.repeat(y, times, axis=0), np.repeat(raw, times, axis=0))
    _close(loss(y, raw, weight), repeated, f"{loss!r}: weights as repetitions", 1e-12)
    _close(loss(y, raw, 7 * weight), repeated, f"{loss!r}: seven times the weights")


def _check_init_raw(
    loss: Loss, y: Array, weight: Array, rng: np.random.Generator
) -> None:
    if y.ndim == 1 and type(loss).init_raw is Loss.init_raw:
        return  # The general search does not know the number of classes.
    for w in (None, weight):
        best = np.asarray(loss.init_raw(y, w), dtype=np.float64)
        _finite(best, f"{loss!r}.init_raw")
        constant = np.broadcast_to(best, (len(y), len(best)))
        lowest = loss(y, constant, w)
        for size in (1e-3, 1e-1):
            step = size * rng.normal(size=(20, len(best)))
            around = min(loss(y, constant + d, w) for d in step)
            assert lowest <= around + 1e-10, (
                f"{loss!r}.init_raw: {best} has the mean loss {lowest:.10g}, but a "
                f"point {size} away has {around:.10g}"
            )


def _check_link(loss: Loss, raw: Array) -> None:
    prediction = loss.inverse_link(raw)
    _equal(prediction.shape, raw.shape, f"{loss!r}: shape of inverse_link")
    again = loss.inverse_link(loss.link(prediction))
    _close(again, prediction, f"{loss!r}: inverse_link(link(prediction))", 1e-9)


# ---- optimizers


def check_optimizer(optimizer: str | Optimizer, *, seed: int = 0) -> None:
    """Check that an optimizer keeps the contract of `skdl.optimizers.Optimizer`.

    It lowers a convex quadratic (with curvatures from 0.1 to 1), twice with the same
    bits, and never changes its own attributes; the object clones and pickles. One that
    takes one gradient at a time also: changes θ in place without a copy of it, goes on
    from a copied or pickled state with the same bits, keeps single precision, and acts
    element by element, so that a vector may be cut in blocks.

    Parameters
    ----------
    optimizer : str or Optimizer
        Name or instance.
    seed : int, default=0
        Draws the problem.

    Raises
    ------
    AssertionError
        If the optimizer breaks its contract.

    Examples
    --------
    >>> from skdl.testing import check_optimizer
    >>> check_optimizer("adam")
    """
    optimizer = optimizers.get(optimizer)
    _check_parameter_object(optimizer)
    before = _attributes(optimizer)
    optimizer.check(200, 1)
    _check_descends(optimizer, seed)
    if isinstance(optimizer, FirstOrder):
        _check_state(optimizer, seed)
        _check_element_by_element(optimizer, seed)
        _check_in_place(optimizer, seed)
    assert _attributes(optimizer) == before, (
        f"{optimizer!r} changed its own attributes; what it remembers belongs in the "
        "state"
    )


def _check_descends(optimizer: Optimizer, seed: int) -> None:
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    curvature = (basis * np.geomspace(0.1, 1.0, 8)) @ basis.T
    start = rng.normal(size=8)

    def quadratic(x: Array) -> tuple[float, Array]:
        gradient = curvature @ x
        return 0.5 * float(x @ gradient), gradient

    results = [
        optimizers.minimize(quadratic, start, optimizer=optimizer, max_iter=200)
        for _ in range(2)
    ]
    first = quadratic(start)[0]
    assert results[0].fun < first, (
        f"{optimizer!r} does not lower a convex quadratic: from {first:.6g} to "
        f"{results[0].fun:.6g} in {results[0].nit} updates"
    )
    _same(results[1].x, results[0].x, f"{optimizer!r}: the result of a second run")


def _updates(
    optimizer: FirstOrder, theta: Array, gradients: Array, state: Any
) -> Array:
    """Return a copy of `theta` after one update for each row of `gradients`."""
    theta = theta.copy()
    for gradient in gradients:
        optimizer.update(theta, gradient.astype(theta.dtype), state)
    return theta


def _check_state(optimizer: FirstOrder, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 50
    start, gradients = rng.normal(size=n), rng.normal(size=(10, n))
    state = optimizer.init(n, np.float64)
    state.plan(10, 1)
    half = _updates(optimizer, start, gradients[:5], state)
    copied, pickled = state.copy(), pickle.loads(pickle.dumps(state))
    expected = _updates(optimizer, half, gradients[5:], state)
    for what, other in (("copied", copied), ("pickled", pickled)):
        got = _updates(optimizer, half, gradients[5:], other)
        _same(got, expected, f"{optimizer!r}: going on from a {what} state")
    _finite(expected, f"{optimizer!r}: the parameters")
    rate = optimizer.learning_rate_now(state)
    assert 0 <= rate < math.inf, (
        f"{optimizer!r}: learning_rate_now must be a finite rate, got {rate}"
    )

    single = optimizer.init(n, np.float32)
    single.plan(10, 1)
    theta = _updates(optimizer, start.astype(np.float32), gradients, single)
    _finite(theta, f"{optimizer!r}: the parameters in float32")
    for slot, vector in single.slots.items():
        _equal(vector.dtype, np.dtype(np.float32), f"{optimizer!r}: type of {slot}")


def _check_element_by_element(optimizer: FirstOrder, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 2 * optimizers._optimizer.BLOCK + 17
    start, gradients = rng.normal(size=n), rng.normal(size=(4, n))
    # The norm is the one thing that the elements share.
    if "clip_norm" in optimizer.get_params():
        optimizer = clone(optimizer).set_params(clip_norm=None)

    def run(part: slice) -> Array:
        theta = start[part].copy()
        state = optimizer.init(theta.size, np.float64)
        state.plan(4, 1)
        return _updates(optimizer, theta, gradients[:, part], state)

    pieces = np.concatenate([run(slice(0, 1001)), run(slice(1001, n))])
    name = f"{optimizer!r}: the vector in two pieces"
    _close(pieces, run(slice(0, n)), name, 1e-12, 1e-15)


def _check_in_place(optimizer: FirstOrder, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 8 * optimizers._optimizer.BLOCK
    theta, gradient = rng.normal(size=n), rng.normal(size=n)
    given, memory = theta.copy(), gradient.copy()
    state = optimizer.init(n, np.float64)
    state.plan(3, 1)
    update: Callable[..., Any] = optimizer.update
    result = None
    tracemalloc.start()
    try:
        for _ in range(3):
            gradient[:] = memory
            tracemalloc.reset_peak()
            held = tracemalloc.get_traced_memory()[0]
            result = update(theta, gradient, state)
            extra = tracemalloc.get_traced_memory()[1] - held
    finally:
        tracemalloc.stop()
    assert result is None, f"{optimizer!r}.update must return None: it acts in place"
    assert not np.array_equal(theta, given), (
        f"{optimizer!r}.update left theta as it was: it must act in place"
    )
    assert extra < theta.nbytes // 2, (
        f"{optimizer!r}.update allocated {extra} bytes for {theta.nbytes} bytes of "
        "parameters; write into theta and s.work"
    )


# ---- layers


def check_layer(
    layer: str | Layer,
    input_shape: tuple[int, ...],
    *,
    n_samples: int = 5,
    rtol: float = 1e-6,
    seed: int = 0,
) -> None:
    """Check that a layer keeps the contract of `skdl.layers.Layer`.

    The output has the promised shape; the gradients of the input and of every
    parameter agree with finite differences; they are written, not added; input,
    parameters and incoming gradient stay as they are; the same seed gives the same
    bits, also in reused memory; prediction keeps no cache, changes nothing and treats
    each sample on its own; single precision stays single; sparse input, where
    accepted, acts as the dense one; the object clones and pickles. What the layer draws
    at random is drawn again with the same seed for each evaluation.

    Parameters
    ----------
    layer : str or Layer
        Name or instance. One that cannot be trained is checked in prediction alone.
    input_shape : tuple of int
        Shape of one sample.
    n_samples : int, default=5
        Rows of the batch.
    rtol : float, default=1e-6
        Allowed relative error of the derivatives.
    seed : int, default=0
        Draws parameters, input and what the layer draws.

    Raises
    ------
    AssertionError
        If the layer breaks its contract.
    ValueError
        If the layer refuses `input_shape`.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.testing import check_layer
    >>> check_layer(Dense(3), (5,))
    """
    layer = layers.get(layer)
    _check_parameter_object(layer)
    rng = np.random.default_rng(seed)
    network = Network([layer], input_shape)
    before = [_attributes(resolved) for resolved in network.layers]
    network.initialize(rng)
    # Not the starting values: a bias of zero would hide its part.
    network.params.vector[:] += 0.3 * rng.normal(size=network.params.size)
    x = rng.normal(size=(n_samples, *input_shape))
    _check_predict(network, x)
    try:
        network.check_trainable()
    except ValueError:
        return
    dy = rng.normal(size=(n_samples, *network.output_shape))
    step = _Step(network, dy, seed)
    _check_backward(step, x)
    _check_layer_derivatives(step, x, rtol, seed)
    _check_single_precision(step, x)
    if layer.accepts_sparse:
        _check_sparse(step, x)
    assert [_attributes(resolved) for resolved in network.layers] == before, (
        f"{layer!r} changed its own attributes; a cache belongs in what forward returns"
    )


class _Step:
    """One training step of a network of one layer on the function Σ dy·y."""

    def __init__(self, network: Network, dy: Array, seed: int) -> None:
        self.network = network
        self.dy = dy
        self.seed = seed
        self.name = repr(network.layers[0])

    def context(self, arena: Arena | None = None) -> Context:
        rng = np.random.default_rng(self.seed)
        return Context(True, rng, self.network.dtype, arena)

    def value(self, x: Array, theta: Array) -> float:
        network = self.network.copy()  # running statistics change
        tree = network.tree(network.params.like(theta))
        y, _ = network.forward(tree, x, self.context())
        return float(np.sum(self.dy * y))

    def gradients(
        self, x: Any, arena: Arena | None = None, want_dx: bool = True
    ) -> tuple[Array, Any, ParamVector]:
        """Return copies of y and dx, and the gradients of the parameters."""
        network = self.network.copy()
        grads = network.params.like(np.full_like(network.params.vector, np.nan))
        ctx = self.context(arena)
        ctx.want_dx = want_dx
        tree = network.tree(network.params)
        y, caches = network.forward(tree, x, ctx)
        y = np.array(y)
        dx = network.backward(tree, grads.tree, caches, self.dy, ctx)
        _same(
            network.params.vector,
            self.network.params.vector,
            f"{self.name}: parameters after a training step",
        )
        return y, None if dx is None else np.array(dx), grads


def _check_predict(network: Network, x: Array) -> None:
    name = repr(network.layers[0])
    given, before = x.copy(), network.snapshot()
    ctx = Context(train=False)  # prediction has no rng to draw from
    tree = network.tree(network.params)
    key = "0"
    y, cache = network.layers[0].forward(tree.get(key, {}), x, ctx)
    assert cache is None, f"{name}: forward must keep no cache while predicting"
    _equal(y.shape, (len(x), *network.output_shape), f"{name}: shape of the output")
    _finite(y, f"{name}: the output")
    _same(x, given, f"{name}: the input after forward")
    for what, old, new in zip(
        ("parameters", "running statistics"), before, network.snapshot(), strict=True
    ):
        _same(new, old, f"{name}: {what} after a prediction")
    alone = np.concatenate([network.predict(row[None]) for row in x])
    _close(alone, y, f"{name}: samples predicted one by one", 1e-9, 1e-12)


def _check_backward(step: _Step, x: Array) -> None:
    name, given, dy_given = step.name, x.copy(), step.dy.copy()
    y, dx, grads = step.gradients(x)
    _equal(y.shape, step.dy.shape, f"{name}: shape of the output in training")
    _same(x, given, f"{name}: the input after a training step")
    _same(step.dy, dy_given, f"{name}: dy after backward")
    assert dx is not None, f"{name}: backward must return dx where ctx.want_dx"
    _equal(dx.shape, x.shape, f"{name}: shape of dx")
    for key in grads:
        _finite(grads[key], f"{name}: backward must write the gradient of {key}; it")

    arena = Arena(step.network.dtype)
    for what in ("a second run", "fresh arena memory", "used arena memory"):
        again = step.gradients(x, None if what == "a second run" else arena)
        arena.reset()
        _same(again[0], y, f"{name}: the output in {what}")
        _same(again[1], dx, f"{name}: dx in {what}")
        _same(again[2].vector, grads.vector, f"{name}: the gradients in {what}")

    unwanted = step.gradients(x, want_dx=False)[2]
    _same(unwanted.vector, grads.vector, f"{name}: the gradients without want_dx")


def _check_layer_derivatives(step: _Step, x: Array, rtol: float, seed: int) -> None:
    params = step.network.params
    _, dx, grads = step.gradients(x)

    def of_input(at: Array) -> float:
        return step.value(at, params.vector)

    name = f"{step.name}: dx"
    check_gradient(of_input, x, dx, rtol=rtol, seed=seed, name=name)
    for key in params:

        def of_parameter(at: Array, key: str = key) -> float:
            theta = params.like(params.vector.copy())
            theta[key][...] = at
            return step.value(x, theta.vector)

        name = f"{step.name}: the gradient of {key.partition('.')[2]}"
        at, got = params[key], grads[key]
        check_gradient(of_parameter, at, got, rtol=rtol, seed=seed, name=name)


def _check_single_precision(step: _Step, x: Array) -> None:
    network = Network(step.network.layers, step.network.input_shape, np.float32)
    network.params.vector[:], network.state.vector[:] = step.network.snapshot()
    x32 = x.astype(np.float32)
    y, dx, grads = _Step(network, step.dy.astype(np.float32), step.seed).gradients(x32)
    prediction = network.forward(
        network.tree(network.params), x32, Context(False, dtype=np.float32)
    )[0]
    for what, got in (
        ("the output", y),
        ("the prediction", prediction),
        ("dx", dx),
        ("the gradient", grads.vector),
    ):
        name = f"{step.name}: type of {what} in float32"
        _equal(got.dtype, np.dtype(np.float32), name)
        _finite(got, f"{step.name}: {what} in float32")


def _check_sparse(step: _Step, x: Array) -> None:
    x = x * (np.abs(x) > 0.5)
    y, _, grads = step.gradients(x, want_dx=False)
    y_sparse, _, grads_sparse = step.gradients(sparse.csr_array(x), want_dx=False)
    name = f"{step.name}: sparse input:"
    _close(y_sparse, y, f"{name} the output", 1e-9, 1e-12)
    _close(grads_sparse.vector, grads.vector, f"{name} the gradients", 1e-9, 1e-12)


# ---- what they share


def _check_parameter_object(obj: Any) -> None:
    """Check that an object clones, pickles and prints from its parameters alone."""
    copies = {
        "clone": clone(obj),
        "set_params": clone(obj).set_params(**obj.get_params(deep=False)),
    }
    if "<locals>" not in type(obj).__qualname__:  # pickle finds classes by name
        copies["pickle"] = pickle.loads(pickle.dumps(obj))
    assert repr(obj).startswith(type(obj).__name__), f"repr is {obj!r}"
    for how, other in copies.items():
        _equal(type(other), type(obj), f"{obj!r}: type after {how}")
        _equal(repr(other), repr(obj), f"parameters after {how}")


def _attributes(obj: Any) -> dict[str, str]:
    return {name: repr(value) for name, value in vars(obj).items()}


def _equal(got: Any, expected: Any, what: str) -> None:
    assert got == expected, f"{what}: expected {expected}, got {got}"


def _finite(array: Array, what: str) -> None:
    bad = int(np.size(array) - np.isfinite(array).sum())
    assert not bad, f"{what} must be finite, got {bad} NaN or infinite values"


def _same(got: Any, expected: Any, what: str) -> None:
    """Assert the same bits."""
    assert np.array_equal(got, expected, equal_nan=True), (
        f"{what} must be the same bits, expected {expected}, got {got}"
    )


def _close(
    got: Any, expected: Any, what: str, rtol: float = 1e-9, atol: float = 0.0
) -> None:
    got, expected = np.asarray(got), np.asarray(expected)
    _equal(got.shape, expected.shape, f"{what}: shape")
    error = np.abs(got - expected)
    size = np.maximum(np.abs(got), np.abs(expected))
    wrong = ~(error <= rtol * size + atol)
    if wrong.any():
        i = np.unravel_index(np.argmax(np.where(wrong, error, -1.0)), error.shape)
        relative = error[i] / max(float(size[i]), 1e-300)
        where = f" at {tuple(map(int, i))}" if i else ""
        raise AssertionError(
            f"{what}{where}: expected {expected[i]:.10g}, got {got[i]:.10g}, a "
            f"relative error of {relative:.1e} where {rtol:.0e} is allowed"
        )
