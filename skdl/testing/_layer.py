"""The contract of layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from skdl import layers
from skdl._params import ParamVector
from skdl._typing import Array
from skdl.layers import Arena, Context, Layer
from skdl.networks import Network
from skdl.testing._assert import (
    attributes,
    check_parameter_object,
    close,
    equal,
    finite,
    same,
)
from skdl.testing._gradient import check_gradient


def check_layer(
    layer: str | Layer,
    input_shape: tuple[int, ...],
    *,
    x: Array | None = None,
    lengths: Array | None = None,
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
    accepted, acts as the dense one; what sequences are padded with changes nothing; the
    object clones and pickles. What the layer draws at random is drawn again with the
    same seed for each evaluation.

    Parameters
    ----------
    layer : str or Layer
        Name or instance. One that cannot be trained is checked in prediction alone.
    input_shape : tuple of int
        Shape of one sample.
    x : ndarray of shape (n_samples,) + input_shape, default=None
        The batch. None draws normal numbers; a layer that takes integers as they come
        (`Layer.accepts_integers`) needs some of its own, and gives no gradient of them.
    lengths : ndarray of int of shape (n_samples,), default=None
        How many of the steps of each sample are its own, where the rest is padding.
    n_samples : int, default=5
        Rows of the batch that is drawn.
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
    check_parameter_object(layer)
    rng = np.random.default_rng(seed)
    network = Network([layer], input_shape)
    before = [attributes(resolved) for resolved in network.layers]
    network.initialize(rng)
    # Not the starting values: a bias of zero would hide its part.
    network.params.vector[:] += 0.3 * rng.normal(size=network.params.size)
    if x is None:
        x = rng.normal(size=(n_samples, *input_shape))
    _check_predict(network, x, lengths)
    try:
        network.check_trainable()
    except ValueError:
        return
    dy = rng.normal(size=(len(x), *network.output_shape))
    step = _Step(network, dy, seed, lengths)
    _check_backward(step, x)
    _check_layer_derivatives(step, x, rtol, seed)
    _check_single_precision(step, x)
    if layer.accepts_sparse:
        _check_sparse(step, x)
    if lengths is not None:
        _check_padding(step, x)
    assert [attributes(resolved) for resolved in network.layers] == before, (
        f"{layer!r} changed its own attributes; a cache belongs in what forward returns"
    )


class _Step:
    """One training step of a network of one layer on the function Σ dy·y."""

    def __init__(
        self, network: Network, dy: Array, seed: int, lengths: Array | None = None
    ) -> None:
        self.network = network
        self.lengths = lengths
        self.dy = dy
        self.seed = seed
        self.name = repr(network.layers[0])

    def context(self, arena: Arena | None = None) -> Context:
        ctx = Context(True, None, self.network.dtype, arena)
        ctx.begin(np.random.default_rng(self.seed), self.lengths)
        return ctx

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
        same(
            network.params.vector,
            self.network.params.vector,
            f"{self.name}: parameters after a training step",
        )
        return y, None if dx is None else np.array(dx), grads


def _predict(network: Network, x: Array, lengths: Array | None) -> tuple[Array, Any]:
    ctx = Context(train=False, dtype=network.dtype)  # without an rng to draw from
    ctx.begin(lengths=lengths)
    y, caches = network.forward(network.tree(network.params), x, ctx)
    return y, caches[0]


def _check_predict(network: Network, x: Array, lengths: Array | None) -> None:
    name = repr(network.layers[0])
    given, before = x.copy(), network.snapshot()
    y, cache = _predict(network, x, lengths)
    assert cache is None, f"{name}: forward must keep no cache while predicting"
    equal(y.shape, (len(x), *network.output_shape), f"{name}: shape of the output")
    finite(y, f"{name}: the output")
    same(x, given, f"{name}: the input after forward")
    for what, old, new in zip(
        ("parameters", "running statistics"), before, network.snapshot(), strict=True
    ):
        same(new, old, f"{name}: {what} after a prediction")
    each = [None] * len(x) if lengths is None else lengths[:, None]
    pairs = zip(x, each, strict=True)
    alone = np.concatenate([_predict(network, row[None], n)[0] for row, n in pairs])
    close(alone, y, f"{name}: samples predicted one by one", 1e-9, 1e-12)


def _check_backward(step: _Step, x: Array) -> None:
    name, given, dy_given = step.name, x.copy(), step.dy.copy()
    y, dx, grads = step.gradients(x)
    equal(y.shape, step.dy.shape, f"{name}: shape of the output in training")
    same(x, given, f"{name}: the input after a training step")
    same(step.dy, dy_given, f"{name}: dy after backward")
    if x.dtype.kind == "f":
        assert dx is not None, f"{name}: backward must return dx where ctx.want_dx"
        equal(dx.shape, x.shape, f"{name}: shape of dx")
    for key in grads:
        finite(grads[key], f"{name}: backward must write the gradient of {key}; it")

    arena = Arena(step.network.dtype)
    for what in ("a second run", "fresh arena memory", "used arena memory"):
        again = step.gradients(x, None if what == "a second run" else arena)
        arena.reset()
        same(again[0], y, f"{name}: the output in {what}")
        if dx is not None:
            same(again[1], dx, f"{name}: dx in {what}")
        same(again[2].vector, grads.vector, f"{name}: the gradients in {what}")

    unwanted = step.gradients(x, want_dx=False)[2]
    same(unwanted.vector, grads.vector, f"{name}: the gradients without want_dx")


def _check_layer_derivatives(step: _Step, x: Array, rtol: float, seed: int) -> None:
    params = step.network.params
    _, dx, grads = step.gradients(x)

    def of_input(at: Array) -> float:
        return step.value(at, params.vector)

    if x.dtype.kind == "f":
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
    x32 = x.astype(np.float32) if x.dtype.kind == "f" else x
    dy32 = step.dy.astype(np.float32)
    y, dx, grads = _Step(network, dy32, step.seed, step.lengths).gradients(x32)
    prediction = _predict(network, x32, step.lengths)[0]
    for what, got in (
        ("the output", y),
        ("the prediction", prediction),
        *([] if dx is None else [("dx", dx)]),
        ("the gradient", grads.vector),
    ):
        name = f"{step.name}: type of {what} in float32"
        equal(got.dtype, np.dtype(np.float32), name)
        finite(got, f"{step.name}: {what} in float32")


def _check_padding(step: _Step, x: Array) -> None:
    """Compare a training step with that of sequences with more, and other, padding."""
    assert step.lengths is not None
    n_steps = x.shape[1]
    padding = np.arange(n_steps) >= step.lengths[:, None]
    other = np.where(_of_rank(padding, x.ndim), np.roll(x, 1, axis=0), x)
    longer = np.concatenate([other, x[:, ::-1]], axis=1)
    dy, keeps_steps = step.dy, step.dy.ndim > 2 and step.dy.shape[1] == n_steps
    if keeps_steps:  # no loss comes from padding
        dy = np.where(_of_rank(padding, dy.ndim), 0, dy)
    results = []
    for given in (x, longer):
        network = Network(step.network.layers, given.shape[1:], step.network.dtype)
        network.params.vector[:], network.state.vector[:] = step.network.snapshot()
        more = [(0, 0), (0, given.shape[1] - n_steps), *[(0, 0)] * (dy.ndim - 2)]
        incoming = np.pad(dy, more) if keeps_steps else dy
        run = _Step(network, incoming, step.seed, step.lengths)
        y, dx, grads = run.gradients(given)
        network.forward(network.tree(network.params), given, run.context())
        y = y[:, :n_steps][~padding] if keeps_steps else y
        dx = None if dx is None else dx[:, :n_steps]
        results.append((y, dx, grads.vector, network.state.vector))
    names = "the output", "dx", "the gradient", "the running statistics"
    for name, first, second in zip(names, *results, strict=True):
        if first is not None:
            close(first, second, f"{step.name}: {name} with more padding", 1e-9, 1e-12)


def _of_rank(mask: Array, ndim: int) -> Array:
    return mask.reshape(mask.shape + (1,) * (ndim - mask.ndim))


def _check_sparse(step: _Step, x: Array) -> None:
    x = x * (np.abs(x) > 0.5)
    y, _, grads = step.gradients(x, want_dx=False)
    y_sparse, _, grads_sparse = step.gradients(sparse.csr_array(x), want_dx=False)
    name = f"{step.name}: sparse input:"
    close(y_sparse, y, f"{name} the output", 1e-9, 1e-12)
    close(grads_sparse.vector, grads.vector, f"{name} the gradients", 1e-9, 1e-12)
