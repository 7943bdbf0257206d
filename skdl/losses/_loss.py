"""What a loss is.

A loss compares targets `y` with *raw* predictions: what a network's last layer or a
sum of trees gives, of shape (n, ..., k), before the inverse link (exp, sigmoid,
softmax) turns it into what the user sees. The axes between are elements with targets of
their own: the pixels of a picture, the steps of a sequence. A loss is one function,
`evaluate`, which returns the values and the gradient together, because they share their
costly parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np

from skdl._base import ParameterObject
from skdl._registry import Registry
from skdl._typing import Array
from skdl.losses._checks import check_finite, check_pair, check_shapes
from skdl.losses._constant import best_constant

Empty = Callable[..., Array]


class Loss(ParameterObject):
    """Base of losses.

    A subclass defines `evaluate`, and where it can `hessian`, `inverse_link`, `link`,
    `init_raw` and `check_targets`.

    Attributes
    ----------
    task : {"regression", "classification", "boxes", "strokes", "any"}
        Which estimators may use it. Regression targets have the shape of the raw
        predictions, (n, ..., k). Classification targets are class codes 0…K−1 of shape
        (n, ...) with raw predictions (n, ..., K), or zeros and ones of shape
        (n, ..., k) for two classes (k=1) and for several labels.
    takes_shares : bool
        Whether targets of classes may be numbers between 0 and 1, or shares of classes.
    has_hessian : bool
        Whether `hessian` is defined.
    out_activation : str
        The name of the inverse link: "identity", "exp", "logistic", "softmax", or
        another word of a class of one's own.
    has_leaf_value : bool
        Whether `leaf_value` is defined: the best constant step is then found exactly,
        and not by a Newton step.
    constant_hessian : bool
        Whether the Hessian is 1 everywhere.
    moves_with_targets : bool
        Whether the loss is the same when a number is added to both y and raw.
    twin : str
        Name of the compiled twin of its derivatives in
        `skdl.boosting._numba.derivatives`, if it has one.
    parts : tuple of str
        Names of the columns of the loss, if each is worth a curve of its own in the
        history of a network.
    verified : bool
        Whether `evaluate` and `hessian` are known to keep the contract: boosting then
        does not look at the shapes and values that they return, and asks for leaf
        values on several threads.

    Notes
    -----
    A subclass with an `evaluate`, `hessian` or `leaf_value` of its own does not inherit
    `twin` and `verified`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import Loss
    >>> class Fourth(Loss):
    ...     def evaluate(self, y, raw, empty=np.empty):
    ...         return (raw - y) ** 4, 4 * (raw - y) ** 3
    >>> y = np.array([[1.0], [2.0], [6.0]])
    >>> round(Fourth()(y, np.full((3, 1), 2.0)), 2)  # (1 + 0 + 256)/3
    85.67
    >>> Fourth().init_raw(y).round(2)  # the constant of the smallest mean loss
    array([3.42])
    """

    task: ClassVar[
        Literal["regression", "classification", "boxes", "strokes", "any"]
    ] = "regression"
    out_activation: str = "identity"
    takes_shares: ClassVar[bool] = False
    has_hessian: ClassVar[bool] = False
    has_leaf_value: ClassVar[bool] = False
    constant_hessian: ClassVar[bool] = False
    moves_with_targets: ClassVar[bool] = False
    parts: ClassVar[tuple[str, ...]] = ()
    twin: str = ""
    verified: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if vars(cls).keys() & {"evaluate", "hessian", "derivatives", "leaf_value"}:
            for name in ("twin", "verified"):
                if name not in vars(cls):
                    setattr(cls, name, getattr(Loss, name))

    # ---- what a subclass defines

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        """Return the losses and their gradient with respect to `raw`.

        Parameters
        ----------
        y : ndarray of shape (n, ...) or (n, ..., k)
            Targets, see `task`.
        raw : ndarray of shape (n, ..., k)
            Raw predictions.
        empty : callable, default=numpy.empty
            ``empty(shape, dtype)`` gives memory for the results; a training loop
            passes memory that it reuses.

        Returns
        -------
        loss : ndarray of shape (n, ...) or (n, ..., k)
            One value per element, or per element and output.
        gradient : ndarray of shape (n, ..., k)
            ∂loss/∂raw.
        """
        raise TypeError(f"{type(self).__name__} must define evaluate(y, raw, empty).")

    def hessian(self, y: Array, raw: Array) -> Array:
        """Return the diagonal second derivatives with respect to `raw`.

        Parameters
        ----------
        y : ndarray of shape (n, ...) or (n, ..., k)
            Targets.
        raw : ndarray of shape (n, ..., k)
            Raw predictions.

        Returns
        -------
        hessian : ndarray of shape (n, ..., k)
            ∂²loss/∂raw².
        """
        raise ValueError(
            f"{type(self).__name__} has no Hessian; a second-order method needs a "
            "loss that defines hessian(y, raw)."
        )

    def inverse_link(self, raw: Array) -> Array:
        """Turn raw predictions into predictions: identity, exp, sigmoid or softmax.

        Parameters
        ----------
        raw : ndarray of shape (n, ..., k)
            Raw predictions.

        Returns
        -------
        prediction : ndarray of shape (n, ..., k)
            Values or probabilities.
        """
        return raw

    def link(self, prediction: Array) -> Array:
        """Turn predictions into raw predictions, the inverse of `inverse_link`.

        Parameters
        ----------
        prediction : ndarray of shape (n, ..., k)
            Values or probabilities.

        Returns
        -------
        raw : ndarray of shape (n, ..., k)
            Raw predictions.
        """
        return prediction

    def check_targets(self, y: Array) -> None:
        """Raise if the loss is not defined for these targets.

        Parameters
        ----------
        y : ndarray of shape (n, ...) or (n, ..., k)
            Targets.

        Raises
        ------
        ValueError
            If a target is out of the loss's range.
        """

    def init_raw(self, y: Array, weight: Array | None = None) -> Array:
        """Return the constant raw prediction of the smallest mean loss.

        Parameters
        ----------
        y : ndarray of shape (n, k)
            Targets.
        weight : ndarray of shape (n,), default=None
            Sample weights.

        Returns
        -------
        raw : ndarray of shape (k,)
            The best constant.

        Raises
        ------
        ValueError
            If no constant gives a loss that is finite.
        """
        constant = np.empty(y.shape)

        def mean_loss(value: Array) -> float:
            constant[:] = value
            return self._mean(y, constant, weight)

        center = np.average(y, axis=0, weights=weight).astype(np.float64)
        spread = np.std(y, axis=0, dtype=np.float64)
        return best_constant(mean_loss, center, np.where(spread > 0, spread, 1.0))

    def for_classes(self, n_classes: int, multilabel: bool) -> Loss:
        """Return the form of this loss for a classification problem.

        Parameters
        ----------
        n_classes : int
            Number of classes, or of labels.
        multilabel : bool
            Whether a sample may have several labels.

        Returns
        -------
        loss : Loss
            The loss to train with.

        Raises
        ------
        ValueError
            If the loss does not suit the problem.
        """
        for_task("classification").get(self)  # raises unless it suits
        return self

    def n_raw(self, n_classes: int) -> int:
        """Return the number of raw predictions a row needs in classification.

        Parameters
        ----------
        n_classes : int
            Number of classes, or of labels.

        Returns
        -------
        k : int
            Columns of `raw`.
        """
        return n_classes

    def n_raw_for_targets(self, n_targets: int) -> int:
        """Return the number of raw predictions a row needs in regression.

        Parameters
        ----------
        n_targets : int
            Columns of `y`.

        Returns
        -------
        k : int
            Columns of `raw`.
        """
        return n_targets

    def leaf_value(self, y: Array, raw: Array, weight: Array | None = None) -> Array:
        """Return the constant that, added to `raw`, makes the mean loss smallest.

        Parameters
        ----------
        y : ndarray of shape (n, k)
            Targets of the rows in a leaf.
        raw : ndarray of shape (n, k)
            Their raw predictions.
        weight : ndarray of shape (n,), default=None
            Sample weights.

        Returns
        -------
        value : ndarray of shape (k,)
            The constant.

        Raises
        ------
        ValueError
            If `has_leaf_value` is False.
        """
        raise ValueError(f"{type(self).__name__} does not define leaf_value.")

    @property
    def leaf_quantile(self) -> float | None:
        """Of one output: the quantile of y − raw that `leaf_value` is, if it is one.

        Compiled code then finds it, where the rows have no weights.
        """
        return None

    def of_output(self, k: int) -> Loss | None:
        """Return the loss of one raw prediction, where the loss is a sum over them.

        Trees of one raw prediction then look for their leaf values without the others.

        Parameters
        ----------
        k : int
            The raw prediction.

        Returns
        -------
        loss : Loss or None
            Takes y and raw of shape (n, 1); None where raw predictions are coupled.
        """
        return None

    def derivatives(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array, Array | None]:
        """Return losses, gradients and, where the loss has them, Hessians.

        Parameters
        ----------
        y : ndarray of shape (n,) or (n, k)
            Targets.
        raw : ndarray of shape (n, k)
            Raw predictions.
        empty : callable, default=numpy.empty
            See `evaluate`; losses that are not `verified` are not given it.

        Returns
        -------
        loss : ndarray of shape (n,) or (n, k)
            Values.
        gradient : ndarray of shape (n, k)
            First derivatives.
        hessian : ndarray of shape (n, k) or None
            Diagonal second derivatives.

        Raises
        ------
        TypeError, ValueError
            If a loss that is not `verified` returns what training cannot use.
        """
        name = type(self).__name__
        loss, gradient = check_pair(
            name,
            self.evaluate(y, raw, empty) if self.verified else self.evaluate(y, raw),
        )
        hessian = self.hessian(y, raw) if self.has_hessian else None
        if not self.verified:
            arrays = [a for a in (loss, gradient, hessian) if a is not None]
            check_shapes(name, arrays, raw)
            if np.isfinite(loss).all():  # else the steps are too long: another error
                check_finite(name, arrays, raw)
        return loss, gradient, hessian

    # ---- what everybody gets

    def __call__(self, y: Array, raw: Array, weight: Array | None = None) -> float:
        """Return the mean loss, weighted and normalised by the weights' sum.

        Parameters
        ----------
        y : ndarray of shape (n, ...) or (n, ..., k)
            Targets.
        raw : ndarray of shape (n, ..., k)
            Raw predictions.
        weight : ndarray of shape (n,) or (n, ...), default=None
            Weights of the rows, or of each of their elements.

        Returns
        -------
        loss : float
            Mean over rows and their elements of the sum over outputs.

        Raises
        ------
        ValueError, TypeError
            If a setting is out of range.
        """
        if self._parameter_constraints:
            self.settled()
        return self._mean(y, raw, weight)

    def _mean(self, y: Array, raw: Array, weight: Array | None) -> float:
        total = total_weight(raw, weight)
        return self.weighted(y, raw, weight, 1.0 / total)[0]

    def gradient(self, y: Array, raw: Array) -> Array:
        """Return ∂loss/∂raw of each row.

        Parameters
        ----------
        y : ndarray of shape (n, ...) or (n, ..., k)
            Targets.
        raw : ndarray of shape (n, ..., k)
            Raw predictions.

        Returns
        -------
        gradient : ndarray of shape (n, ..., k)
            The gradient.
        """
        return check_pair(type(self).__name__, self.evaluate(y, raw))[1]

    def gradient_hessian(self, y: Array, raw: Array) -> tuple[Array, Array]:
        """Return the gradient and the diagonal Hessian of each row.

        Parameters
        ----------
        y : ndarray of shape (n, ...) or (n, ..., k)
            Targets.
        raw : ndarray of shape (n, ..., k)
            Raw predictions.

        Returns
        -------
        gradient, hessian : ndarray of shape (n, ..., k)
            First and second derivatives.
        """
        return self.gradient(y, raw), self.hessian(y, raw)

    def weighted(
        self,
        y: Array,
        raw: Array,
        weight: Array | None,
        scale: float,
        empty: Empty = np.empty,
    ) -> tuple[float, Array]:
        """Return the weighted sum of losses over all elements, and its gradient.

        Parameters
        ----------
        y : ndarray of shape (n, ...) or (n, ..., k)
            Targets.
        raw : ndarray of shape (n, ..., k)
            Raw predictions.
        weight : ndarray of shape (n,) or (n, ...) or None
            Weights of the rows, or of each of their elements; None means 1 each.
        scale : float
            Common factor, such as one over the sum of weights.
        empty : callable, default=numpy.empty
            Gives memory, see `evaluate`.

        Returns
        -------
        total : float
            scale · Σᵢ weightᵢ lossᵢ.
        gradient : ndarray of shape (n, ..., k)
            Its derivative with respect to `raw`.
        """
        name = type(self).__name__
        loss, gradient = check_pair(name, self.evaluate(y, raw, empty))
        # Targets of a wrong shape show in the gradient's; all checks take 4 µs.
        if not self.verified or gradient.shape != raw.shape:
            check_shapes(name, (loss, gradient), raw)
        if weight is None:
            total = float(loss.sum())
        else:
            loss *= spread(weight, loss)
            total = float(loss.sum())
            gradient *= spread(weight, gradient)
        gradient *= scale
        return scale * total, gradient

    def part_sums(
        self, y: Array, raw: Array, weight: Array | None, scale: float
    ) -> Array:
        """Return the weighted sum of each of the loss's `parts`.

        Parameters
        ----------
        y : ndarray of shape (n, ...) or (n, ..., k)
            Targets.
        raw : ndarray of shape (n, ..., k)
            Raw predictions.
        weight : ndarray of shape (n,) or (n, ...) or None
            Weights of the rows, or of each of their elements; None means 1 each.
        scale : float
            Common factor, such as one over the sum of weights.

        Returns
        -------
        sums : ndarray of shape (n_parts,)
            They add up to what `weighted` gives.
        """
        loss, _ = self.evaluate(y, raw)
        if weight is not None:
            loss = loss * spread(weight, loss)
        return scale * loss.reshape(-1, loss.shape[-1]).sum(axis=0)

    def named_parts(self, prefix: str, values: Array) -> dict[str, float]:
        """Return the loss's `parts` as entries of a history.

        Parameters
        ----------
        prefix : str
            What their names begin with, such as "val_loss".
        values : ndarray of shape (n_parts,)
            The parts.

        Returns
        -------
        entries : dict of str to float
            Such as "val_loss_presence"; none for most losses.
        """
        pairs = zip(self.parts, values.tolist(), strict=True)
        return {f"{prefix}_{name}": value for name, value in pairs}


def total_weight(raw: Array, weight: Array | None = None) -> float:
    """Return the sum of the weights of all elements.

    Parameters
    ----------
    raw : ndarray of shape (n, ..., k)
        Raw predictions: their elements are counted.
    weight : ndarray of shape (n,) or (n, ...), default=None
        Weights of the rows, which all elements of a row share, or of each element; None
        means 1 each.

    Returns
    -------
    total : float
        The sum.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import total_weight
    >>> pictures = np.zeros((3, 4, 4, 10))  # a class for each of 4×4 pixels
    >>> total_weight(pictures)
    48.0
    >>> total_weight(pictures, np.array([1.0, 0.5, 0.0]))
    24.0
    """
    n_elements = raw.shape[0] if raw.ndim == 2 else math.prod(raw.shape[:-1])
    if weight is None:
        return float(n_elements)
    return float(weight.sum()) * (n_elements / max(weight.size, 1))


def spread(weight: Array, array: Array) -> Array:
    """Give weights the axes that make them multiply an array row by row.

    Parameters
    ----------
    weight : ndarray of shape (n,) or (n, ...)
        Weights of the rows, or of each of their elements.
    array : ndarray of shape (n, ...)
        What they multiply.

    Returns
    -------
    weight : ndarray
        A view of them.

    Raises
    ------
    ValueError
        If their shape fits neither.
    """
    if weight.shape != array.shape[: weight.ndim] or weight.ndim == 0:
        raise ValueError(
            f"Weights must have shape {array.shape[:1]} (one a row) or one for each "
            f"element of {array.shape}, got {weight.shape}."
        )
    return weight.reshape(weight.shape + (1,) * (array.ndim - weight.ndim))


registry: Registry[Loss] = Registry("loss", Loss)
register = registry.register
get = registry.get
names = registry.names


def for_task(
    task: Literal["regression", "classification", "boxes"],
) -> Registry[Loss]:
    """Return the registry as an estimator of a task sees it.

    Parameters
    ----------
    task : {"regression", "classification", "boxes"}
        What is to be predicted.

    Returns
    -------
    registry : Registry
        It lists the losses of the task, and refuses others.

    Examples
    --------
    >>> from skdl.losses import for_task
    >>> for_task("classification").names()
    ['binary_cross_entropy', 'cross_entropy', 'exponential']
    >>> for_task("boxes").get("box")
    BoxLoss()
    """
    return registry.only(lambda cls: cls.task in (task, "any"), task)
