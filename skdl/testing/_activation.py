"""The contract of activation functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl import activations, initializers
from skdl._typing import Array
from skdl.activations import ActivationFunction
from skdl.testing._assert import (
    attributes,
    check_parameter_object,
    close,
    equal,
    finite,
    same,
)
from skdl.testing._gradient import check_gradient

SHAPES = ((5, 4), (2, 3, 2, 3))


def check_activation(
    function: str | ActivationFunction, *, rtol: float = 1e-6, seed: int = 0
) -> None:
    """Check that a function keeps the contract of `ActivationFunction`.

    `forward` and `backward` write to `out`, return it, leave what they read as it is
    and count on nothing in the memory that they get; `backward` agrees with finite
    differences; samples do not mix; single precision stays single; the object clones
    and pickles and does not change itself; the initializer that it suggests exists.

    Parameters
    ----------
    function : str or ActivationFunction
        Name or instance. The derivative of one that is not differentiable is not
        checked.
    rtol : float, default=1e-6
        Allowed relative error of the derivative.
    seed : int, default=0
        Draws the inputs, of sizes from 0.1 to 2: a kink at 0 does no harm.

    Raises
    ------
    AssertionError
        If the function breaks its contract.

    Examples
    --------
    >>> from skdl.testing import check_activation
    >>> check_activation("gelu")
    """
    function = activations.get(function)
    check_parameter_object(function)
    function = function.settled()
    before = attributes(function)
    assert function.derivative_from in ("output", "input"), (
        f'{function!r}: derivative_from must be "output" or "input", got '
        f"{function.derivative_from!r}"
    )
    assert function.initializer in initializers.registry, (
        f"{function!r} suggests the initializer {function.initializer!r}, which there "
        "is not"
    )
    rng = np.random.default_rng(seed)
    for shape in SHAPES:
        x = rng.uniform(0.1, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
        y = _check_forward(function, x)
        if function.differentiable:
            _check_derivative(function, x, y, rng.normal(size=shape), rtol, seed)
    assert attributes(function) == before, f"{function!r} changed its own attributes"


def _dirty(x: Array) -> tuple[Array, Array]:
    """Return two arrays like x that are full of NaN."""
    return np.full_like(x, np.nan), np.full_like(x, np.nan)


def _check_forward(function: ActivationFunction, x: Array) -> Array:
    name = f"{function!r}.forward"
    given = x.copy()
    out, work = _dirty(x)
    y = function.forward(x, out, work)
    assert y is out, f"{name} must write to out and return it"
    same(x, given, f"{name}: the input afterwards")
    finite(y, f"{name}: the output")
    same(function.forward(x, *_dirty(x)), y, f"{name}: the output of a second call")
    for i, row in enumerate(x):
        alone = function.forward(row[None], *_dirty(row[None]))[0]
        close(alone, y[i], f"{name}: sample {i} alone", 1e-12, 1e-15)
    single = x.astype(np.float32)
    result = function.forward(single, *_dirty(single))
    equal(result.dtype, np.dtype(np.float32), f"{name}: type of a float32 output")
    close(result, y, f"{name} in float32", 1e-4, 1e-5)
    return y


def _check_derivative(
    function: ActivationFunction, x: Array, y: Array, dy: Array, rtol: float, seed: int
) -> None:
    name = f"{function!r}.backward"
    z = y if function.derivative_from == "output" else x
    dy_given, z_given = dy.copy(), z.copy()
    out, work = _dirty(x)
    dx = function.backward(dy, z, out, work)
    assert dx is out, f"{name} must write to out and return it"
    same(dy, dy_given, f"{name}: dy afterwards")
    same(z, z_given, f"{name}: z afterwards")

    def total(at: Array) -> Any:
        return np.sum(dy * function.forward(at, *_dirty(at)))

    check_gradient(total, x, dx, rtol=rtol, seed=seed, name=name)
    dy32, z32 = dy.astype(np.float32), z.astype(np.float32)
    result = function.backward(dy32, z32, *_dirty(dy32))
    equal(result.dtype, np.dtype(np.float32), f"{name}: type of a float32 gradient")
    close(result, dx, f"{name} in float32", 1e-3, 1e-4)
