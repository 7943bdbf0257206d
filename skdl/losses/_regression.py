"""Losses of real targets. With e = raw − y throughout, summed over outputs."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
from scipy.special import xlogy

from skdl._compat import Interval, Real
from skdl._settings import POSITIVE
from skdl._typing import Array
from skdl.losses._loss import Empty, Loss, register


@register("squared_error", "squared")
class SquaredError(Loss):
    """Half the squared error, whose best constant is the mean.

    ½e², e = raw − y. The gradient is minus the residual.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import SquaredError
    >>> y, raw = np.array([[1.0], [2.0]]), np.array([[4.0], [2.0]])
    >>> SquaredError()(y, raw)  # (½·3² + 0)/2
    2.25
    >>> SquaredError().gradient(y, raw).ravel()
    array([3., 0.])
    >>> SquaredError().init_raw(y, weight=np.array([3.0, 1.0]))
    array([1.25])
    """

    verified = True
    twin = "squared"
    moves_with_targets = True
    has_hessian = True
    constant_hessian = True

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        error = np.subtract(raw, y, out=empty(raw.shape, raw.dtype))
        loss = np.multiply(error, error, out=empty(raw.shape, raw.dtype))
        loss *= 0.5
        return loss, error

    def hessian(self, y: Array, raw: Array) -> Array:
        return np.ones_like(raw)

    def init_raw(self, y: Array, weight: Array | None = None) -> Array:
        return np.average(y, axis=0, weights=weight)


@register("absolute_error", "absolute")
class AbsoluteError(Loss):
    """The absolute error, whose best constant is the median.

    abs(e), e = raw − y; at e = 0 the gradient is taken as 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import AbsoluteError
    >>> y = np.array([[1.0], [2.0], [9.0]])
    >>> AbsoluteError()(y, np.full((3, 1), 3.0))  # (2 + 1 + 6)/3
    3.0
    >>> AbsoluteError().init_raw(y)
    array([2.])
    """

    verified = True
    moves_with_targets = True
    has_leaf_value = True

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        loss = np.subtract(raw, y, out=empty(raw.shape, raw.dtype))
        gradient = np.sign(loss, out=empty(raw.shape, raw.dtype))
        np.abs(loss, out=loss)
        return loss, gradient

    def init_raw(self, y: Array, weight: Array | None = None) -> Array:
        return weighted_quantile(y, 0.5, weight)

    def leaf_value(self, y: Array, raw: Array, weight: Array | None = None) -> Array:
        return weighted_quantile(y - raw, 0.5, weight)

    @property
    def leaf_quantile(self) -> float | None:
        return 0.5

    def of_output(self, k: int) -> Loss:
        return self


@register("huber")
class Huber(Loss):
    """Squared for small errors, linear for large ones (Huber 1964).

    ½e² where abs(e) ≤ δ, else δ(abs(e) − ½δ); e = raw − y.

    Parameters
    ----------
    delta : float, default=1.0
        Where the parabola becomes a line, in units of the target; positive.

    Raises
    ------
    ValueError
        When called, or in `fit`, if `delta` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import Huber
    >>> y, raw = np.zeros((3, 1)), np.array([[0.5], [1.0], [100.0]])
    >>> Huber().evaluate(y, raw)[0].ravel()
    array([ 0.125,  0.5  , 99.5  ])
    >>> Huber().gradient(y, raw).ravel()
    array([0.5, 1. , 1. ])
    >>> Huber(delta=10).gradient(y, raw).ravel()
    array([ 0.5,  1. , 10. ])
    """

    verified = True
    moves_with_targets = True
    has_hessian = True
    has_leaf_value = True

    _parameter_constraints: dict[str, Any] = {
        "delta": POSITIVE,
    }

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        loss = np.subtract(raw, y, out=empty(raw.shape, raw.dtype))
        gradient = empty(raw.shape, raw.dtype)
        np.clip(loss, -self.delta, self.delta, out=gradient)
        # g·e − ½g² is ½e² where g = e, and δ|e| − ½δ² where g = ±δ.
        work = np.multiply(gradient, -0.5, out=empty(raw.shape, raw.dtype))
        loss += work
        loss *= gradient
        return loss, gradient

    def hessian(self, y: Array, raw: Array) -> Array:
        return (np.abs(raw - y) <= self.delta).astype(raw.dtype)

    def leaf_value(self, y: Array, raw: Array, weight: Array | None = None) -> Array:
        # One step from the median (Friedman 2001, algorithm 4).
        residual = y - raw
        median = weighted_quantile(residual, 0.5, weight)
        cut = np.clip(residual - median, -self.delta, self.delta)
        return median + np.average(cut, axis=0, weights=weight)

    def of_output(self, k: int) -> Loss:
        return self


@register("quantile")
class Quantile(Loss):
    """The pinball loss, least at a quantile (Koenker & Bassett 1978).

    (1−q)·e where e = raw − y ≥ 0, else −q·e.

    Parameters
    ----------
    quantile : float or list of float, default=0.5
        The quantile q to predict, in (0, 1); boosting takes several at once, for one
        target, and predicts a column for each.

    Raises
    ------
    ValueError
        When called, or in `fit`, if `quantile` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import Quantile
    >>> y = np.arange(1.0, 101.0)[:, None]
    >>> Quantile(0.9).init_raw(y)
    array([90.])
    >>> Quantile([0.1, 0.5, 0.9]).init_raw(y)
    array([10., 50., 90.])
    >>> Quantile(0.9).gradient(y[:2], np.full((2, 1), 1.5)).ravel().round(2)
    array([ 0.1, -0.9])
    """

    verified = True
    moves_with_targets = True
    has_leaf_value = True

    _parameter_constraints: dict[str, Any] = {
        "quantile": [Interval(Real, 0, 1, closed="neither"), list, tuple, np.ndarray],
    }

    def __init__(self, quantile: float | list[float] = 0.5) -> None:
        self.quantile = quantile

    def check_together(self) -> None:
        levels = self._levels()
        if (
            levels.ndim != 1
            or not levels.size
            or not ((levels > 0) & (levels < 1)).all()
        ):
            raise ValueError(f"quantile must lie in (0, 1), got {self.quantile}.")

    def _levels(self) -> Array:
        return np.atleast_1d(np.asarray(self.quantile, dtype=np.float64))

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        levels = self._levels().astype(raw.dtype)
        loss = np.subtract(raw, y, out=empty(raw.shape, raw.dtype))
        gradient = np.sign(loss, out=empty(raw.shape, raw.dtype))
        gradient *= 0.5
        gradient += 0.5 - levels  # 1−q above, −q below, their mean at e = 0
        loss *= gradient
        return loss, gradient

    def init_raw(self, y: Array, weight: Array | None = None) -> Array:
        levels = self._levels()
        values = np.broadcast_to(y, (len(y), self.n_raw_for_targets(y.shape[1])))
        return self._quantiles(values, levels, weight)

    def leaf_value(self, y: Array, raw: Array, weight: Array | None = None) -> Array:
        return self._quantiles(y - raw, self._levels(), weight)

    @property
    def leaf_quantile(self) -> float | None:
        levels = self._levels()
        return float(levels[0]) if len(levels) == 1 else None

    def of_output(self, k: int) -> Loss:
        one, levels = copy.copy(self), self._levels()
        one.quantile = float(levels[k if len(levels) > 1 else 0])
        return one

    def n_raw_for_targets(self, n_targets: int) -> int:
        n_levels = len(self._levels())
        if n_levels > 1 and n_targets > 1:
            raise ValueError(
                f"Several quantiles {self.quantile} need one target, got {n_targets}."
            )
        return max(n_levels, n_targets)

    def _quantiles(self, values: Array, levels: Array, weight: Array | None) -> Array:
        if len(levels) == values.shape[1] == 1:  # a leaf: of many small ones
            return weighted_quantile(values, float(levels[0]), weight)
        levels = np.broadcast_to(levels, values.shape[1])
        columns = [
            weighted_quantile(values[:, j : j + 1], float(q), weight)
            for j, q in enumerate(levels)
        ]
        return np.concatenate(columns)


@register("poisson")
class Poisson(Loss):
    """Half the Poisson deviance with a log link, for counts.

    μ − y + y·ln(y/μ), μ = e^raw.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import Poisson
    >>> y = np.array([[0.0], [1.0], [5.0]])
    >>> raw = Poisson().init_raw(y)
    >>> Poisson().inverse_link(raw).round(6)  # the best constant is the mean
    array([2.])
    >>> Poisson().gradient(y, np.log([[2.0], [2.0], [2.0]])).ravel()
    array([ 2.,  1., -3.])
    """

    verified = True
    has_hessian = True
    out_activation = "exp"

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        gradient = np.exp(raw, out=empty(raw.shape, raw.dtype))
        gradient -= y
        loss = xlogy(y, y, out=empty(raw.shape, raw.dtype))
        loss += gradient
        work = np.multiply(y, raw, out=empty(raw.shape, raw.dtype))
        loss -= work
        return loss, gradient

    def hessian(self, y: Array, raw: Array) -> Array:
        return np.exp(raw)

    def inverse_link(self, raw: Array) -> Array:
        return np.exp(raw)

    def link(self, prediction: Array) -> Array:
        return np.log(prediction)

    def check_targets(self, y: Array) -> None:
        if (y < 0).any():
            raise ValueError(
                f"The Poisson loss needs targets ≥ 0, got a minimum of {y.min()}."
            )
        if not (y > 0).any():
            raise ValueError(
                "The Poisson loss needs a positive target; all targets are 0."
            )

    def init_raw(self, y: Array, weight: Array | None = None) -> Array:
        mean = np.average(y, axis=0, weights=weight)
        return np.log(np.maximum(mean, np.finfo(np.float64).tiny))


@register("gamma")
class Gamma(Loss):
    """Half the gamma deviance with a log link, for positive numbers.

    ln(μ/y) + y/μ − 1, μ = e^raw.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import Gamma
    >>> y = np.array([[1.0], [3.0]])
    >>> raw = Gamma().init_raw(y)
    >>> Gamma().inverse_link(raw)  # the best constant is the mean
    array([2.])
    >>> double = Gamma().evaluate(y, np.log(2 * y))[0]  # twice what is true
    >>> double.ravel().round(2)
    array([0.19, 0.19])
    """

    verified = True
    has_hessian = True
    out_activation = "exp"

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        loss = np.negative(raw, out=empty(raw.shape, raw.dtype))
        np.exp(loss, out=loss)
        loss *= y
        gradient = np.subtract(1.0, loss, out=empty(raw.shape, raw.dtype))
        loss += raw
        loss -= np.log(y) + 1.0
        return loss, gradient

    def hessian(self, y: Array, raw: Array) -> Array:
        return y * np.exp(-raw)

    def inverse_link(self, raw: Array) -> Array:
        return np.exp(raw)

    def link(self, prediction: Array) -> Array:
        return np.log(prediction)

    def check_targets(self, y: Array) -> None:
        if not (y > 0).all():
            raise ValueError(
                f"The gamma loss needs targets > 0, got a minimum of {y.min()}."
            )

    def init_raw(self, y: Array, weight: Array | None = None) -> Array:
        return np.log(np.average(y, axis=0, weights=weight))


def weighted_quantile(y: Array, q: float, weight: Array | None = None) -> Array:
    """Return the quantile of each column; with weights, of the weighted sample.

    Parameters
    ----------
    y : ndarray of shape (n, k)
        Values.
    q : float
        The quantile, in [0, 1].
    weight : ndarray of shape (n,), default=None
        Sample weights.

    Returns
    -------
    quantile : ndarray of shape (k,)
        A minimiser of the mean pinball loss.
    """
    if (
        weight is None
    ):  # as np.quantile with method="inverted_cdf", at a third of its cost
        at = min(max(math.ceil(len(y) * q - 1.0), 0), len(y) - 1)
        return np.partition(y, at, axis=0)[at]
    weight = np.broadcast_to(weight[:, None], y.shape)
    return np.quantile(y, q, axis=0, weights=weight, method="inverted_cdf")
