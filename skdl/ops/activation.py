"""Activation functions and their derivatives, element by element.

Each forward function is ``f(x, out)``. Each backward function multiplies the incoming
gradient by f'(x): ``f_backward(dy, z, out, work)``, where `z` is the *output* y of the
forward function wherever f' is cheapest from there (the name of the second argument
says which it is), and the input x otherwise. `out` and `work` (scratch memory of the
shape of `dy`) are neither `dy` nor `z`.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np
from scipy.special import erf

from skdl._config import use_numba
from skdl._typing import Array
from skdl.ops.vector import row_max, row_sum

_SHARED = 2**16  # numbers that are worth several threads
SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717


def _twin(x: Array) -> Any:
    """Return compiled code for arrays that are worth several threads."""
    if x.size < _SHARED or not use_numba():
        return None
    return import_module("skdl.ops._numba.elementwise")


def sigmoid(x: Array, out: Array) -> Array:
    """1 / (1 + e^-x), through tanh: stable at both ends and vectorised by NumPy."""
    np.multiply(x, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5
    return out


def sigmoid_backward(dy: Array, y: Array, out: Array, work: Array) -> Array:
    """dy · y(1−y)."""
    np.subtract(1.0, y, out=work)
    work *= y
    return np.multiply(dy, work, out=out)


def tanh(x: Array, out: Array) -> Array:
    """Hyperbolic tangent."""
    return np.tanh(x, out=out)


def tanh_backward(dy: Array, y: Array, out: Array, work: Array) -> Array:
    """dy · (1−y²)."""
    np.multiply(y, y, out=work)
    np.subtract(1.0, work, out=work)
    return np.multiply(dy, work, out=out)


def relu(x: Array, out: Array) -> Array:
    """max(x, 0)."""
    return np.maximum(x, 0.0, out=out)


def relu_backward(dy: Array, y: Array, out: Array, work: Array) -> Array:
    """dy where y > 0, else 0."""
    if (twin := _twin(dy)) is not None:
        return twin.relu_backward(dy, y, out)
    np.greater(y, 0.0, out=work, casting="unsafe")
    return np.multiply(dy, work, out=out)


def relu6(x: Array, out: Array) -> Array:
    """min(max(x, 0), 6)."""
    np.maximum(x, 0.0, out=out)
    return np.minimum(out, 6.0, out=out)


def relu6_backward(dy: Array, y: Array, out: Array, work: Array) -> Array:
    """dy where 0 < y < 6, else 0."""
    np.greater(y, 0.0, out=work, casting="unsafe")
    np.multiply(dy, work, out=out)
    np.less(y, 6.0, out=work, casting="unsafe")
    out *= work
    return out


def leaky_relu(x: Array, slope: float, out: Array) -> Array:
    """x where x > 0, else slope·x (0 ≤ slope ≤ 1)."""
    if (twin := _twin(x)) is not None:
        return twin.leaky_relu(x, slope, out)
    np.multiply(x, slope, out=out)
    return np.maximum(x, out, out=out)


def leaky_relu_backward(
    dy: Array, y: Array, slope: float, out: Array, work: Array
) -> Array:
    """dy · (1 where y > 0, else slope)."""
    if (twin := _twin(dy)) is not None:
        return twin.relu_backward(dy, y, out, slope)
    np.greater(y, 0.0, out=work, casting="unsafe")
    work *= 1.0 - slope
    work += slope
    return np.multiply(dy, work, out=out)


def elu(x: Array, alpha: float, out: Array, work: Array) -> Array:
    """x where x > 0, else α(eˣ − 1), written as max(x, 0) + α(e^min(x, 0) − 1)."""
    np.maximum(x, 0.0, out=work)
    np.minimum(x, 0.0, out=out)
    np.expm1(out, out=out)
    out *= alpha
    out += work
    return out


def elu_backward(
    dy: Array, y: Array, alpha: float, out: Array, work: Array, slope: float = 1.0
) -> Array:
    """dy · (slope where y > 0, else y + α)."""
    # min(y, 0) + α is right for y ≤ 0 and α above; add slope − α there.
    np.greater(y, 0.0, out=work, casting="unsafe")
    work *= slope - alpha
    np.minimum(y, 0.0, out=out)
    out += alpha
    out += work
    out *= dy
    return out


def gelu(x: Array, out: Array) -> Array:
    """x·Φ(x) with the exact normal distribution function Φ."""
    np.multiply(x, math.sqrt(0.5), out=out)
    erf(out, out=out)
    out += 1.0
    out *= 0.5
    out *= x
    return out


def gelu_backward(dy: Array, x: Array, out: Array, work: Array) -> Array:
    """dy · (Φ(x) + xφ(x))."""
    np.multiply(x, math.sqrt(0.5), out=work)
    erf(work, out=work)
    work += 1.0
    work *= 0.5
    np.multiply(x, x, out=out)
    out *= -0.5
    np.exp(out, out=out)
    out *= 1.0 / math.sqrt(2.0 * math.pi)
    out *= x
    out += work
    out *= dy
    return out


def softplus(x: Array, out: Array) -> Array:
    """ln(1 + eˣ), without overflow."""
    return np.logaddexp(x, 0.0, out=out)


def softplus_backward(dy: Array, y: Array, out: Array, work: Array) -> Array:
    """dy · (1 − e^−y): the sigmoid of x, from the output."""
    np.negative(y, out=work)
    np.expm1(work, out=work)
    np.negative(work, out=work)
    return np.multiply(dy, work, out=out)


def step(x: Array, out: Array) -> Array:
    """1 where x ≥ 0, else 0: the threshold neuron."""
    return np.greater_equal(x, 0.0, out=out, casting="unsafe")


def softmax(x: Array, out: Array) -> Array:
    """exp(x) normalised over the last axis, without overflow."""
    rows, y = x.reshape(-1, x.shape[-1]), out.reshape(-1, x.shape[-1])
    column = row_max(rows, np.empty(len(rows), x.dtype))
    np.subtract(rows, column[:, None], out=y)
    np.exp(y, out=y)
    y /= row_sum(y, column)[:, None]
    return out


def softmax_backward(dy: Array, y: Array, out: Array, work: Array) -> Array:
    """y · (dy − Σ dy·y), the sum over the last axis."""
    np.multiply(dy, y, out=work)
    total = work.sum(axis=-1, keepdims=True)
    np.subtract(dy, total, out=out)
    out *= y
    return out
