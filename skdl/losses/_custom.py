"""A plain function as a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, logit, softmax

from skdl._typing import Array
from skdl.losses._checks import check_finite, check_shapes
from skdl.losses._loss import Empty, Loss, registry


def _identity(raw: Array) -> Array:
    return raw


def _softmax(raw: Array) -> Array:
    return softmax(raw, axis=-1)


class FunctionLoss(Loss):
    """A loss made of a function ``f(y, raw) -> (loss, gradient[, hessian])``.

    Passing the function itself as ``loss=`` of an estimator does the same.

    Parameters
    ----------
    function : callable
        Gets the targets and the raw predictions of shape (n, ..., k) (see `Loss.task`)
        and returns the losses, of shape (n, ...) or (n, ..., k), their gradient with
        respect to `raw`, of its shape, and optionally the diagonal Hessian of that
        shape. It may be called with some of the rows: those of a batch.
        A classifier with K classes gives class codes 0…K−1 of shape (n,) as `y` and
        raw predictions (n, K), also for K=2, and turns them into probabilities with a
        softmax; with several labels `y` and `raw` have a column for each, and the link
        is a sigmoid.

    Raises
    ------
    ValueError
        When evaluated, if the function returns a wrong shape, or a value that is not
        finite where the predictions are.
    TypeError
        When evaluated, if the function does not return two or three arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import FunctionLoss
    >>> def log_cosh(y, raw):
    ...     return np.log(np.cosh(raw - y)), np.tanh(raw - y)
    >>> loss = FunctionLoss(log_cosh)
    >>> y, raw = np.zeros((2, 1)), np.array([[0.0], [20.0]])
    >>> loss.gradient(y, raw).ravel()
    array([0., 1.])
    >>> from skdl import MLPRegressor
    >>> model = MLPRegressor(loss=log_cosh)  # the same
    """

    task = "any"
    has_hessian = True
    verified = True  # it looks itself

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    # Not parameters: `for_classes` chooses them.
    _inverse_link: Callable[[Array], Array] = staticmethod(_identity)
    _link: Callable[[Array], Array] = staticmethod(_identity)
    out_activation = "identity"

    def _call(self, y: Array, raw: Array) -> tuple[Array, ...]:
        name = getattr(self.function, "__name__", repr(self.function))
        result = self.function(y, raw)
        if not isinstance(result, tuple) or len(result) not in (2, 3):
            raise TypeError(
                f"The custom loss {name} must return (loss, gradient) or "
                f"(loss, gradient, hessian), got {type(result).__name__}."
            )
        arrays = tuple(np.array(part, dtype=raw.dtype) for part in result)
        check_shapes(name, arrays, raw)
        check_finite(name, arrays, raw)
        return arrays

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        loss, gradient = self._call(y, raw)[:2]
        return loss, gradient

    def derivatives(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array, Array | None]:
        arrays = self._call(y, raw)
        return arrays[0], arrays[1], arrays[2] if len(arrays) == 3 else None

    def hessian(self, y: Array, raw: Array) -> Array:
        arrays = self._call(y, raw)
        if len(arrays) < 3:
            return super().hessian(y, raw)
        return arrays[2]

    def inverse_link(self, raw: Array) -> Array:
        return self._inverse_link(raw)

    def link(self, prediction: Array) -> Array:
        return self._link(prediction)

    def for_classes(self, n_classes: int, multilabel: bool) -> Loss:
        loss = FunctionLoss(self.function)
        loss._inverse_link = expit if multilabel else _softmax
        loss._link = logit if multilabel else np.log
        loss.out_activation = "logistic" if multilabel else "softmax"
        return loss


registry.wrap = FunctionLoss
