"""Activation functions as parameter objects, and their registry."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from skdl._base import ParameterObject
from skdl._compat import Interval, Real
from skdl._registry import Registry
from skdl._settings import POSITIVE
from skdl._typing import Array
from skdl.ops import activation as op


class ActivationFunction(ParameterObject):
    """Base of activation functions.

    A subclass gives `forward` and `backward` and says whether its derivative is
    computed from its output or its input.

    Attributes
    ----------
    derivative_from : {"output", "input"}
        What `backward` receives as `z`.
    initializer : str
        What ``initializer="auto"`` chooses before this activation. Xavier for most,
        also for ReLU: on nets of a few layers it learns faster than He's larger start.
    floor : float or None
        A function that is max(x, floor) says so: the layer before can do it in passing.
    differentiable : bool
        False for functions without a useful derivative; training with one is refused.
    """

    derivative_from: ClassVar[Literal["output", "input"]] = "output"
    initializer: ClassVar[str] = "xavier_uniform"
    differentiable: ClassVar[bool] = True
    floor: ClassVar[float | None] = None

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        """Write f(x) into `out`.

        Parameters
        ----------
        x : ndarray of shape (n, ...)
            Input.
        out, work : ndarray of the same shape
            Result and scratch memory.

        Returns
        -------
        out : ndarray of the same shape
            f(x).
        """
        raise TypeError(f"{type(self).__name__} must define forward(x, out, work).")

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        """Write dy · f'(x) into `out`.

        Parameters
        ----------
        dy : ndarray of shape (n, ...)
            Gradient with respect to the output.
        z : ndarray of the same shape
            Output or input of the forward pass, as `derivative_from` says.
        out, work : ndarray of the same shape
            Result and scratch memory; neither is the memory of `dy`.

        Returns
        -------
        out : ndarray of the same shape
            Gradient with respect to the input.
        """
        raise TypeError(
            f"{type(self).__name__} must define backward(dy, z, out, work)."
        )

    def __call__(self, x: Any) -> Array:
        """Return f(x) as a new floating array.

        Parameters
        ----------
        x : array-like
            Input.

        Returns
        -------
        y : ndarray
            f(x).
        """
        x = np.asarray(x)
        if x.dtype.kind != "f":
            x = x.astype(np.float64)
        return self.settled().forward(x, np.empty_like(x), np.empty_like(x))


registry: Registry[ActivationFunction] = Registry("activation", ActivationFunction)
register = registry.register
get = registry.get
names = registry.names


@register("identity", "linear")
class Identity(ActivationFunction):
    """f(x) = x. Stacked linear layers collapse into one linear map."""

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        np.copyto(out, x)
        return out

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        np.copyto(out, dy)
        return out


@register("step")
class Step(ActivationFunction):
    """f(x) = 1 where x ≥ 0, else 0: the threshold neuron, for prediction alone.

    Its derivative is zero almost everywhere, so no gradient method can train it.
    """

    differentiable = False

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.step(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        raise ValueError(
            "The step activation has a zero derivative and cannot be trained; "
            'use "sigmoid" or "tanh" while training.'
        )


@register("sigmoid", "logistic")
class Sigmoid(ActivationFunction):
    """f(x) = 1/(1 + e⁻ˣ). Its derivative is at most 0.25: deep stacks starve."""

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.sigmoid(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.sigmoid_backward(dy, z, out, work)


@register("tanh")
class Tanh(ActivationFunction):
    """f(x) = tanh x."""

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.tanh(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.tanh_backward(dy, z, out, work)


@register("relu")
class ReLU(ActivationFunction):
    """f(x) = max(x, 0)."""

    floor = 0.0

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.relu(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.relu_backward(dy, z, out, work)


@register("relu6")
class ReLU6(ActivationFunction):
    """f(x) = min(max(x, 0), 6), for arithmetic of few bits (Howard et al. 2017)."""

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.relu6(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.relu6_backward(dy, z, out, work)


@register("leaky_relu")
class LeakyReLU(ActivationFunction):
    """f(x) = x where x > 0, else slope·x (Maas et al. 2013).

    Parameters
    ----------
    slope : float, default=0.01
        Slope for negative inputs, in (0, 1): the sign of the output must tell the
        sign of the input.

    Raises
    ------
    ValueError
        When it is called, or built into a network, if `slope` is out of range.
    """

    _parameter_constraints: dict[str, Any] = {
        "slope": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.leaky_relu(x, self.slope, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.leaky_relu_backward(dy, z, self.slope, out, work)


@register("elu")
class ELU(ActivationFunction):
    """f(x) = x where x > 0, else α(eˣ − 1) (Clevert et al. 2016).

    Parameters
    ----------
    alpha : float, default=1.0
        Minus the limit at −∞; positive.

    Raises
    ------
    ValueError
        When it is called, or built into a network, if `alpha` is not positive.
    """

    _parameter_constraints: dict[str, Any] = {
        "alpha": POSITIVE,
    }

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.elu(x, self.alpha, out, work)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.elu_backward(dy, z, self.alpha, out, work)


@register("selu")
class SELU(ActivationFunction):
    """f(x) = λ·elu(x, α) with the self-normalising λ, α of Klambauer et al. 2017."""

    initializer = "lecun_normal"

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        op.elu(x, op.SELU_ALPHA, out, work)
        out *= op.SELU_SCALE
        return out

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        # With y = λ·elu(x): f' = λ where y > 0, else y + λα.
        scale = op.SELU_SCALE
        return op.elu_backward(dy, z, scale * op.SELU_ALPHA, out, work, scale)


@register("gelu")
class GELU(ActivationFunction):
    """f(x) = x·Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016)."""

    derivative_from = "input"

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.gelu(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.gelu_backward(dy, z, out, work)


@register("softplus")
class Softplus(ActivationFunction):
    """f(x) = ln(1 + eˣ), a smooth ReLU; its derivative is the sigmoid."""

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.softplus(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.softplus_backward(dy, z, out, work)


@register("softmax")
class Softmax(ActivationFunction):
    """f(x) = eˣ / Σeˣ over the last axis."""

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.softmax(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.softmax_backward(dy, z, out, work)
