"""Losses of class labels."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from scipy.special import expit, logit

from skdl._config import use_numba
from skdl._settings import SHARE
from skdl._typing import Array
from skdl.losses._loss import Empty, Loss, register, spread
from skdl.ops.activation import softmax
from skdl.ops.vector import row_max, row_sum


@register("cross_entropy", "log_loss")
class CrossEntropy(Loss):
    """The cross-entropy of classes that exclude each other.

    −ln p of the true class, p = softmax(raw); y holds class codes 0…K−1.

    Or y holds shares q of the classes, (n, …, K), that add up to 1: −Σ q·ln p.

    A classifier with two classes or several labels uses `BinaryCrossEntropy` in its
    place: one sigmoid output per label.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        The share of each target that is spread evenly over all classes, in [0, 1)
        (Szegedy et al. 2016, §7).

    Raises
    ------
    ValueError
        When called, or in `fit`, if `label_smoothing` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import CrossEntropy
    >>> raw = np.log([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4]])
    >>> round(CrossEntropy()(np.array([0, 2]), raw), 3)  # −(ln 0.7 + ln 0.4)/2
    0.636
    >>> CrossEntropy().gradient(np.array([0, 2]), raw).round(2)  # p − y
    array([[-0.3,  0.2,  0.1],
           [ 0.1,  0.5, -0.6]])
    >>> CrossEntropy(label_smoothing=0.3).gradient(np.array([0, 2]), raw).round(2)
    array([[-0.1,  0.1,  0. ],
           [ 0. ,  0.4, -0.4]])
    """

    verified = True
    task = "classification"
    out_activation = "softmax"
    has_hessian = True
    takes_shares = True

    _parameter_constraints: dict[str, Any] = {
        "label_smoothing": SHARE,
    }

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    @property
    def twin(self) -> str:  # type: ignore[override]
        """Name of the compiled twin, which knows no smoothing."""
        return "" if self.label_smoothing else "multinomial"

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        if raw.ndim != 2:  # the elements one after another
            rows = raw.reshape(-1, raw.shape[-1])
            targets = y.reshape(rows.shape if y.ndim == raw.ndim else -1)
            loss, gradient = self.evaluate(targets, rows, empty)
            return loss.reshape(raw.shape[:-1]), gradient.reshape(raw.shape)
        n, n_classes = raw.shape
        rest = self.label_smoothing / n_classes  # the target of a class that is not y
        column = row_max(raw, empty(n, raw.dtype))
        shifted = np.subtract(raw, column[:, None], out=empty(raw.shape, raw.dtype))
        gradient = np.exp(shifted, out=empty(raw.shape, raw.dtype))
        total = row_sum(gradient, empty(n, raw.dtype))
        gradient /= total[:, None]

        if y.ndim == 2:
            return _of_shares(y, self.label_smoothing, shifted, total, gradient)
        true_class = np.add(_row_starts(n, n_classes), y, out=empty(n, np.intp))
        picked = shifted.ravel().take(true_class, out=column, mode="clip")
        loss = np.log(total, out=total)
        if rest:
            loss -= rest * shifted.sum(axis=1)
            gradient -= rest
            picked *= 1.0 - self.label_smoothing
        loss -= picked

        flat = gradient.reshape(-1)
        picked = flat.take(true_class, out=picked, mode="clip")
        picked -= 1.0 - self.label_smoothing
        flat[true_class] = picked
        return loss, gradient

    def weighted(
        self,
        y: Array,
        raw: Array,
        weight: Array | None,
        scale: float,
        empty: Empty = np.empty,
    ) -> tuple[float, Array]:
        # Of elements there are many: pixels, or symbols of a large vocabulary.
        if not (self.verified and raw.ndim > 2 and y.ndim < raw.ndim and use_numba()):
            return super().weighted(y, raw, weight, scale, empty)
        if weight is not None:
            weight = np.broadcast_to(spread(weight, y), y.shape).ravel()
        codes, rows = y.astype(np.intp, copy=False), raw.reshape(-1, raw.shape[-1])
        twin = import_module("skdl.ops._numba.cross_entropy")
        total, gradient = twin.cross_entropy(
            codes.ravel(), rows, weight, scale, self.label_smoothing, empty
        )
        return total, gradient.reshape(raw.shape)

    def hessian(self, y: Array, raw: Array) -> Array:
        p = softmax(raw, np.empty_like(raw))
        return p * (1.0 - p)

    def inverse_link(self, raw: Array) -> Array:
        return softmax(raw, np.empty_like(raw))

    def link(self, prediction: Array) -> Array:
        log_p = np.log(prediction)
        return log_p - log_p.mean(axis=-1, keepdims=True)

    def init_raw(self, y: Array, weight: Array | None = None) -> Array:
        if y.ndim == 2:
            share = np.average(y, axis=0, weights=weight)
        else:  # as many classes as the highest code says
            counts = np.bincount(y.astype(np.intp), weights=weight)
            share = counts / counts.sum()
        share = (1.0 - self.label_smoothing) * share + self.label_smoothing / len(share)
        return np.log(np.maximum(share, np.finfo(np.float64).eps))

    def for_classes(self, n_classes: int, multilabel: bool) -> Loss:
        if multilabel or n_classes <= 2:
            binary = BinaryCrossEntropy(self.label_smoothing)
            return binary.for_classes(n_classes, multilabel)
        return self


def _of_shares(
    shares: Array, smoothing: float, shifted: Array, total: Array, gradient: Array
) -> tuple[Array, Array]:
    """Return Σₖ qₖ·(ln Σ e^raw − rawₖ) and p − q; `gradient` holds p."""
    target = shares * (1.0 - smoothing)
    target += smoothing / shares.shape[1]
    gradient -= target
    target *= shifted
    loss = np.log(total, out=total)
    loss -= row_sum(target, np.empty_like(total))
    return loss, gradient


_MANY = 64  # numbers of a row: pixels, and not a few labels


@register("binary_cross_entropy")
class BinaryCrossEntropy(Loss):
    """The cross-entropy of two classes, for each output of its own.

    −y·ln p − (1−y)·ln(1−p), p = sigmoid(raw).

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Targets 0 and 1 become s/2 and 1 − s/2; in [0, 1).

    Raises
    ------
    ValueError
        When called, or in `fit`, if `label_smoothing` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import BinaryCrossEntropy
    >>> y, raw = np.array([[1.0], [0.0]]), np.log([[3.0], [3.0]])  # p = 0.75
    >>> round(BinaryCrossEntropy()(y, raw), 3)  # −(ln 0.75 + ln 0.25)/2
    0.837
    >>> BinaryCrossEntropy().gradient(y, raw).ravel().round(2)
    array([-0.25,  0.75])
    >>> BinaryCrossEntropy(label_smoothing=0.2).gradient(y, raw).ravel().round(2)
    array([-0.15,  0.65])
    """

    verified = True
    task = "classification"
    out_activation = "logistic"
    has_hessian = True
    takes_shares = True

    _parameter_constraints: dict[str, Any] = {
        "label_smoothing": SHARE,
    }

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    # Not a parameter: `for_classes` chooses it.
    _multilabel = False

    @property
    def twin(self) -> str:  # type: ignore[override]
        """Name of the compiled twin, which knows no smoothing."""
        return "" if self.label_smoothing else "binary"

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        target = np.multiply(
            y, 1.0 - self.label_smoothing, out=empty(raw.shape, raw.dtype)
        )
        target += 0.5 * self.label_smoothing
        gradient = expit(raw, out=empty(raw.shape, raw.dtype))
        gradient -= target
        # −y·ln p − (1−y)·ln(1−p) = ln(1 + e^raw) − y·raw
        loss = np.logaddexp(raw, 0.0, out=empty(raw.shape, raw.dtype))
        target *= raw
        loss -= target
        return loss, gradient

    def weighted(
        self,
        y: Array,
        raw: Array,
        weight: Array | None,
        scale: float,
        empty: Empty = np.empty,
    ) -> tuple[float, Array]:
        n = len(raw)
        many = raw.size >= _MANY * n > 0
        alike = y.shape == raw.shape and y.dtype == raw.dtype
        by_rows = weight is None or weight.ndim == 1
        if not (self.verified and many and alike and by_rows and use_numba()):
            return super().weighted(y, raw, weight, scale, empty)
        twin = import_module("skdl.ops._numba.cross_entropy")
        rows, targets = raw.reshape(n, -1), y.reshape(n, -1)
        total, gradient = twin.binary_cross_entropy(
            targets, rows, weight, scale, self.label_smoothing, empty
        )
        return total, gradient.reshape(raw.shape)

    def hessian(self, y: Array, raw: Array) -> Array:
        p = expit(raw)
        return p * (1.0 - p)

    def inverse_link(self, raw: Array) -> Array:
        return expit(raw)

    def link(self, prediction: Array) -> Array:
        return logit(prediction)

    def init_raw(self, y: Array, weight: Array | None = None) -> Array:
        share = (1.0 - self.label_smoothing) * np.average(y, axis=0, weights=weight)
        share += 0.5 * self.label_smoothing
        eps = np.finfo(np.float64).eps
        return logit(np.clip(share, eps, 1.0 - eps))

    def for_classes(self, n_classes: int, multilabel: bool) -> Loss:
        if n_classes > 2 and not multilabel:
            raise ValueError(
                "binary_cross_entropy takes two classes or several labels, got "
                f'{n_classes} exclusive classes; use "cross_entropy".'
            )
        loss = BinaryCrossEntropy(self.label_smoothing)
        loss._multilabel = multilabel
        return loss

    def n_raw(self, n_classes: int) -> int:
        return n_classes if self._multilabel else 1


@register("exponential")
class Exponential(Loss):
    """The bound of the 0/1 loss that AdaBoost minimises.

    exp(−m), m = (2y−1)·raw.

    For two classes; raw is half the log-odds (Friedman, Hastie & Tibshirani 2000).

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import Exponential
    >>> y, raw = np.array([[1.0], [0.0]]), np.array([[1.0], [1.0]])
    >>> Exponential().evaluate(y, raw)[0].ravel().round(2)  # right, wrong
    array([0.37, 2.72])
    >>> Exponential().inverse_link(raw).ravel().round(2)
    array([0.88, 0.88])
    """

    verified = True
    task = "classification"
    out_activation = "logistic"  # of twice the raw number
    has_hessian = True

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        gradient = np.multiply(y, -2.0, out=empty(raw.shape, raw.dtype))
        gradient += 1.0  # minus the sign of the class
        loss = np.multiply(gradient, raw, out=empty(raw.shape, raw.dtype))
        np.exp(loss, out=loss)
        gradient *= loss
        return loss, gradient

    def hessian(self, y: Array, raw: Array) -> Array:
        return np.exp((1.0 - 2.0 * y) * raw)

    def inverse_link(self, raw: Array) -> Array:
        return expit(2.0 * raw)

    def link(self, prediction: Array) -> Array:
        return 0.5 * logit(prediction)

    def init_raw(self, y: Array, weight: Array | None = None) -> Array:
        share = np.average(y, axis=0, weights=weight)
        eps = np.finfo(np.float64).eps
        return 0.5 * logit(np.clip(share, eps, 1.0 - eps))

    def for_classes(self, n_classes: int, multilabel: bool) -> Loss:
        if n_classes > 2 or multilabel:
            raise ValueError(
                f"The exponential loss is for two classes, got {n_classes}"
                f'{" labels" if multilabel else ""}; use "log_loss".'
            )
        return self

    def n_raw(self, n_classes: int) -> int:
        return 1


@lru_cache(maxsize=16)
def _row_starts(n: int, n_columns: int) -> Array:
    """Positions of the first column of each row in the flat array; read-only."""
    starts = np.arange(0, n * n_columns, n_columns, dtype=np.intp)
    starts.flags.writeable = False
    return starts
