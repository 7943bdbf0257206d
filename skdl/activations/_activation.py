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

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.activations import ActivationFunction
    >>> class Square(ActivationFunction):
    ...     derivative_from = "input"
    ...     def forward(self, x, out, work):
    ...         return np.multiply(x, x, out=out)
    ...     def backward(self, dy, z, out, work):
    ...         return np.multiply(2 * z, dy, out=out)
    >>> Square()([-3, 2])
    array([9., 4.])
    >>> from skdl import MLPRegressor
    >>> model = MLPRegressor(activation=Square())  # a name or an object, everywhere
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
    """No activation: stacked linear layers collapse into one linear map.

    f(x) = x.

    Examples
    --------
    >>> from skdl.activations import Identity
    >>> Identity()([-2, 3])
    array([-2.,  3.])
    """

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        np.copyto(out, x)
        return out

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        np.copyto(out, dy)
        return out


@register("step")
class Step(ActivationFunction):
    """The threshold neuron, for prediction alone.

    f(x) = 1 where x ≥ 0, else 0.

    Its derivative is zero almost everywhere, so no gradient method can train it.

    Examples
    --------
    >>> from skdl.activations import Step
    >>> Step()([-0.1, 0, 2])
    array([0., 1., 1.])
    >>> from skdl import MLPClassifier
    >>> model = MLPClassifier(activation="step")
    >>> try:
    ...     model.fit([[0.0], [1.0]], [0, 1])
    ... except ValueError as error:
    ...     print(str(error).split(" and ")[0])
    The activation Step() has no useful derivative
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
    """The logistic function, from 0 to 1.

    f(x) = 1/(1 + e⁻ˣ). Its derivative is at most 0.25: deep stacks starve.

    Examples
    --------
    >>> from skdl.activations import Sigmoid
    >>> Sigmoid()([-1000, -1, 0, 1, 1000]).round(2)
    array([0.  , 0.27, 0.5 , 0.73, 1.  ])
    """

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.sigmoid(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.sigmoid_backward(dy, z, out, work)


@register("tanh")
class Tanh(ActivationFunction):
    """The hyperbolic tangent, from −1 to 1.

    f(x) = tanh x.

    Examples
    --------
    >>> from skdl.activations import Tanh
    >>> Tanh()([-10, -0.1, 0, 0.1, 10]).round(2)
    array([-1. , -0.1,  0. ,  0.1,  1. ])
    """

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.tanh(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.tanh_backward(dy, z, out, work)


@register("relu")
class ReLU(ActivationFunction):
    """The larger of a number and 0.

    f(x) = max(x, 0).

    Examples
    --------
    >>> from skdl.activations import ReLU
    >>> ReLU()([-2, -0.5, 0, 3])
    array([0., 0., 0., 3.])
    """

    floor = 0.0

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.relu(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.relu_backward(dy, z, out, work)


@register("relu6")
class ReLU6(ActivationFunction):
    """ReLU up to 6, for arithmetic of few bits (Howard et al. 2017).

    f(x) = min(max(x, 0), 6).

    Examples
    --------
    >>> from skdl.activations import ReLU6
    >>> ReLU6()([-2, 3, 8])
    array([0., 3., 6.])
    """

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.relu6(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.relu6_backward(dy, z, out, work)


@register("leaky_relu")
class LeakyReLU(ActivationFunction):
    """ReLU with a small slope below 0 (Maas et al. 2013).

    f(x) = x where x > 0, else slope·x.

    Parameters
    ----------
    slope : float, default=0.01
        Slope for negative inputs, in (0, 1): the sign of the output must tell the
        sign of the input.

    Raises
    ------
    ValueError
        When it is called, or built into a network, if `slope` is out of range.

    Examples
    --------
    >>> from skdl.activations import LeakyReLU
    >>> LeakyReLU()([-2, 3])
    array([-0.02,  3.  ])
    >>> LeakyReLU(slope=0.25)([-2, 3])
    array([-0.5,  3. ])
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
    """The line, and below 0 an exponential (Clevert et al. 2016).

    f(x) = x where x > 0, else α(eˣ − 1).

    Parameters
    ----------
    alpha : float, default=1.0
        Minus the limit at −∞; positive.

    Raises
    ------
    ValueError
        When it is called, or built into a network, if `alpha` is not positive.

    Examples
    --------
    >>> from skdl.activations import ELU
    >>> ELU()([-100, -1, 2]).round(2)
    array([-1.  , -0.63,  2.  ])
    >>> ELU(alpha=0.5)([-100, -1, 2]).round(2)
    array([-0.5 , -0.32,  2.  ])
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
    """The ELU that keeps mean 0 and variance 1 (Klambauer et al. 2017).

    f(x) = λ·elu(x, α) with the self-normalising λ and α.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.activations import SELU
    >>> x = np.random.default_rng(0).normal(size=100_000)
    >>> y = SELU()(x)
    >>> print(f"mean {abs(y.mean()):.1f}, standard deviation {y.std():.1f}")
    mean 0.0, standard deviation 1.0
    """

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
    """A smooth ReLU: x times the normal distribution function.

    f(x) = x·Φ(x) (Hendrycks & Gimpel 2016).

    Examples
    --------
    >>> from skdl.activations import GELU
    >>> GELU()([-1, 0, 1, 3]).round(2)
    array([-0.16,  0.  ,  0.84,  3.  ])
    """

    derivative_from = "input"

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.gelu(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.gelu_backward(dy, z, out, work)


@register("softplus")
class Softplus(ActivationFunction):
    """A smooth ReLU, whose derivative is the sigmoid.

    f(x) = ln(1 + eˣ).

    Examples
    --------
    >>> from skdl.activations import Softplus
    >>> Softplus()([-100, 0, 1, 100]).round(2)
    array([  0.  ,   0.69,   1.31, 100.  ])
    """

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.softplus(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.softplus_backward(dy, z, out, work)


@register("softmax")
class Softmax(ActivationFunction):
    """Shares of the last axis that add up to 1.

    f(x) = eˣ / Σeˣ.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.activations import Softmax
    >>> Softmax()(np.log([[1, 2, 1], [8, 1, 1]])).round(2)
    array([[0.25, 0.5 , 0.25],
           [0.8 , 0.1 , 0.1 ]])
    """

    def forward(self, x: Array, out: Array, work: Array) -> Array:
        return op.softmax(x, out)

    def backward(self, dy: Array, z: Array, out: Array, work: Array) -> Array:
        return op.softmax_backward(dy, z, out, work)
