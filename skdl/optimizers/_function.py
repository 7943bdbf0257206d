"""A function of one vector as a problem: evaluated, checked and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from skdl._typing import Array

DIFFERENCES = ("2-point", "3-point", "cs")
_EPSILON = float(np.finfo(np.float64).eps)


class Function:
    """A function of one vector, as a `Problem` whose epoch is one gradient.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``: the value, or the value and the gradient.
    n : int
        Length of x.
    args : tuple, default=()
        Further arguments of all callables.
    jac : None, bool, callable or str, default=None
        Where the gradient comes from, see `minimize`.
    hess, hessp : callable, default=None
        The Hessian, or its product with a vector.
    rng : numpy.random.Generator, default=None
        For optimizers that draw random numbers.

    Attributes
    ----------
    nfev, njev, nhev : int
        Calls of `fun`, gradients and products with the Hessian (or Hessians) so far.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        n: int,
        args: tuple[Any, ...] = (),
        jac: Any = None,
        hess: Callable[..., Any] | None = None,
        hessp: Callable[..., Any] | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        for name, given in (("fun", fun), ("hess", hess), ("hessp", hessp)):
            if given is not None and not callable(given):
                raise ValueError(f"{name} must be a callable, got {given!r}.")
        if isinstance(jac, np.bool_):
            jac = bool(jac)
        named = isinstance(jac, str) and jac in DIFFERENCES
        if not (callable(jac) or jac is None or isinstance(jac, bool) or named):
            raise ValueError(
                "jac must be a callable, True (fun returns value and gradient), None "
                f"or one of {', '.join(DIFFERENCES)}, got {jac!r}."
            )
        self.n, self.args, self.rng = n, args, rng
        self._fun, self._jac = fun, jac
        self._hess, self._hessp = hess, hessp
        self.nfev = self.njev = self.nhev = 0
        self._x: Array | None = None
        self._value = np.nan
        self._gradient: Array | None = None
        self._hessian: Any = None
        self._x_of_hessian: Array | None = None
        # Without one, products are made of gradients.
        self.hessian_product = self._product if hess or hessp else None

    # ---- value

    def _look(self, theta: Array) -> None:
        """Take note of the point, and of the value there if it is a new one."""
        if self._x is not None and np.array_equal(self._x, theta):
            return
        self._x = theta.copy()
        self._value, self._gradient = self._call(theta)

    def _call(self, x: Array) -> tuple[Any, Array | None]:
        self.nfev += 1
        result = self._fun(x.copy(), *self.args)
        pair = isinstance(result, (tuple, list)) and len(result) == 2
        if self._jac is True and not pair:
            raise ValueError(
                f"With jac=True fun must return (value, gradient), got {result!r}."
            )
        if not pair:
            return self._number(result), None
        value, gradient = result
        if self._jac is None or self._jac is True:
            self.njev += 1
            return self._number(value), self._vector(gradient, "The gradient")
        return self._number(value), None

    def _number(self, value: Any) -> Any:
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in "biufc":
            raise ValueError(
                "fun must return a number, or a number and the gradient, "
                f"got {value!r}."
            )
        if array.dtype.kind == "c" and self._jac != "cs":
            raise ValueError(f"fun must return a real number, got {value!r}.")
        return array.item()

    def _vector(self, vector: Any, what: str) -> Array:
        array = _real(vector, what)
        if array.shape != (self.n,):
            raise ValueError(
                f"{what} must have the shape of x0, ({self.n},), got {array.shape}."
            )
        return array

    def value(self, theta: Array) -> float:
        """Return the value.

        Parameters
        ----------
        theta : ndarray of shape (n,)
            The point.

        Returns
        -------
        value : float
            The value; whatever `fun` gives, finite or not.
        """
        self._look(theta)
        return float(np.real(self._value))

    # ---- gradient

    def known_gradient(self, theta: Array) -> Array | None:
        """Return the gradient if it costs no differences.

        Parameters
        ----------
        theta : ndarray of shape (n,)
            The point.

        Returns
        -------
        gradient : ndarray of shape (n,) or None
            None where neither `fun` nor `jac` gives it.
        """
        self._look(theta)
        if self._gradient is None and callable(self._jac):
            self.njev += 1
            gradient = self._jac(theta.copy(), *self.args)
            self._gradient = self._vector(gradient, "The gradient")
        return self._gradient

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return value and gradient.

        Parameters
        ----------
        theta : ndarray of shape (n,)
            The point.

        Returns
        -------
        value : float
            The value.
        gradient : ndarray of shape (n,)
            A fresh array.
        """
        gradient = self.known_gradient(theta)
        if gradient is None:
            value, kind = self.value(theta), self._jac or "3-point"
            gradient = self._gradient = self.differences(theta, value, kind)
        return self.value(theta), gradient.copy()

    def gradients(self, theta: Array) -> Iterator[Array]:
        """Yield the gradient: an epoch of one.

        Parameters
        ----------
        theta : ndarray of shape (n,)
            The point.

        Yields
        ------
        gradient : ndarray of shape (n,)
            A fresh array.
        """
        yield self.value_and_gradient(theta)[1]

    def differences(self, x: Array, value: float, kind: str = "3-point") -> Array:
        """Return the gradient by finite differences.

        Parameters
        ----------
        x : ndarray of shape (n,)
            The point.
        value : float
            The value there.
        kind : {"2-point", "3-point", "cs"}, default="3-point"
            Forward or central differences, or a complex step.

        Returns
        -------
        gradient : ndarray of shape (n,)
            An estimate.
        """
        self.njev += 1
        gradient = np.empty(self.n)
        power = {"2-point": 1 / 2, "3-point": 1 / 3, "cs": 1.0}[kind]
        for i in range(self.n):
            h = _EPSILON**power * max(1.0, abs(x[i]))
            if kind == "cs":
                ahead = self._call(_moved(x.astype(complex), i, 1j * h))[0]
                gradient[i] = np.imag(ahead) / h
                continue
            if kind == "3-point":
                gradient[i] = self._central(x, i, h)[0]
                continue
            forward = _moved(x, i, h)
            ahead = float(np.real(self._call(forward)[0]))
            gradient[i] = (ahead - value) / (forward[i] - x[i])
        return gradient

    def _central(self, x: Array, i: int, h: float) -> tuple[float, float]:
        """Return slope and sum of the values on both sides along a coordinate."""
        forward, backward = _moved(x, i, h), _moved(x, i, -h)
        ahead = float(np.real(self._call(forward)[0]))
        behind = float(np.real(self._call(backward)[0]))
        return (ahead - behind) / (forward[i] - backward[i]), ahead + behind

    # ---- Hessian

    def _product(self, theta: Array, v: Array) -> Array:
        if self._hessp is not None:
            self.nhev += 1
            product = self._hessp(theta.copy(), v.copy(), *self.args)
            return self._vector(product, "hessp(x, v)")
        known = self._x_of_hessian
        if known is None or not np.array_equal(known, theta):
            self.nhev += 1
            assert self._hess is not None
            hessian = self._hess(theta.copy(), *self.args)
            if not hasattr(hessian, "dot"):
                hessian = _real(hessian, "The Hessian")
            if hessian.shape != (self.n, self.n):
                raise ValueError(
                    f"The Hessian must have the shape ({self.n}, {self.n}), "
                    f"got {hessian.shape}."
                )
            self._hessian, self._x_of_hessian = hessian, theta.copy()
        return self._vector(self._hessian.dot(v), "hess(x)·v")

    # ---- checks

    def check_derivatives(self, x: Array) -> None:
        """Raise if gradient or Hessian contradict finite differences.

        Parameters
        ----------
        x : ndarray of shape (n,)
            Where to look.

        Raises
        ------
        ValueError
            The message names the coordinate that is furthest off.
        """
        value, gradient = self.value_and_gradient(x)
        given = callable(self._jac) or self._gradient_is_given(x)
        if given:
            _compare(gradient, *self._slopes(x, value), "The gradient", "")
        if self.hessian_product is None:
            return
        v = np.random.default_rng(0).normal(size=self.n)
        h = _EPSILON ** (1 / 3) * float(1 + np.linalg.norm(x)) / np.linalg.norm(v)
        # Differences of differences lose more digits.
        noise = _EPSILON * np.abs(gradient)
        noise = noise if given else noise + _EPSILON ** (2 / 3) * abs(value)
        expected, wider = (
            (self.value_and_gradient(x + w * v)[1]
             - self.value_and_gradient(x - w * v)[1]) / (2 * w)
            for w in (h, 2 * h)
        )  # fmt: skip
        slack = 10 * (np.abs(wider - expected) + noise / h)
        got = self.hessian_product(x, v)
        _compare(got, expected, slack, "The Hessian", " of its product with a vector")
        self.value(x)

    def _slopes(self, x: Array, value: float) -> tuple[Array, Array]:
        """Return the gradient by differences, and how far off it may be.

        Another width says what curvature and rounding leave. A gradient may also be
        that of a point as near as the difference is wide: at a minimum it is rounding.
        """
        slopes, slack = np.empty(self.n), np.empty(self.n)
        for i in range(self.n):
            h = _EPSILON ** (1 / 3) * max(1.0, abs(x[i]))
            slopes[i], both = self._central(x, i, h)
            wider = self._central(x, i, 2 * h)[0]
            rounding = _EPSILON * abs(value) + abs(both - 2 * value)
            slack[i] = 10 * abs(wider - slopes[i]) + rounding / h
        return slopes, slack

    def _gradient_is_given(self, x: Array) -> bool:
        self._x = None  # what is known may come from differences
        return self.known_gradient(x) is not None


def _real(given: Any, what: str) -> Array:
    """Return a copy in double precision."""
    array = np.asarray(given)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{what} must be an array of real numbers, got {given!r} of type "
            f"{array.dtype}."
        )
    return array.astype(np.float64)


def _moved(x: Array, i: int, h: complex) -> Array:
    moved = x.copy()
    moved[i] += h
    return moved


def _compare(got: Array, expected: Array, slack: Array, what: str, of: str) -> None:
    size = np.maximum(np.abs(got), np.abs(expected))
    beyond = np.abs(got - expected) - 1e-3 * size - slack
    # The worst is the one that is furthest beyond, as a share of its size.
    share = np.where(np.isfinite(beyond), beyond / (size + (size == 0)), np.inf)
    worst = int(np.argmax(share))
    if share[worst] > 0:
        raise ValueError(
            f"{what} contradicts finite differences at x0: coordinate {worst}{of} is "
            f"{got[worst]:.6g}, differences give {expected[worst]:.6g}."
        )
