"""Real targets: one, several, or an array of them a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.metrics import r2_score
from sklearn.utils import assert_all_finite

from skdl._typing import Array, Shape
from skdl.targets._column import as_vector

# What rounding may cost, as a share of the targets' standard deviation.
_LOST = 1e-3


class RealTargets:
    """Real numbers.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample's target: () for one number, (k,) for several, (h, w, c) for
        a picture.
    center : float64 ndarray of shape (k,), default=None
        What is taken from the targets before they are rounded to single precision, and
        added to predictions again.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.targets import RealTargets
    >>> y = 2e9 + np.arange(4.0)  # seconds, as Unix counts them
    >>> plain = RealTargets.of(y)
    >>> plain.encode(y, np.float32).ravel() - np.float32(2e9)
    array([0., 0., 0., 0.], dtype=float32)
    >>> targets = plain.centered_for(y, np.float32)
    >>> encoded = targets.encode(y, np.float32)
    >>> encoded.ravel()
    array([-1.5, -0.5,  0.5,  1.5], dtype=float32)
    >>> targets.decode(encoded) - 2e9
    array([0., 1., 2., 3.])
    """

    def __init__(self, shape: Shape, center: Array | None = None) -> None:
        self.shape = shape
        self.center = center

    @classmethod
    def of(cls, y: Array) -> RealTargets:
        """Find the shape of targets.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Targets.

        Returns
        -------
        targets : RealTargets
            How to encode them.
        """
        return cls(y.shape[1:])

    @staticmethod
    def clean(y: Any) -> Array:
        """Return `y` as an array; one column becomes a vector, with a warning.

        Parameters
        ----------
        y : array-like of shape (n, ...)
            Targets.

        Returns
        -------
        y : ndarray of shape (n, ...)
            Targets.
        """
        y = np.asarray(y)
        return as_vector(y) if y.ndim == 2 and y.shape[1] == 1 else y

    @property
    def raw_shape(self) -> Shape:
        """Shape of one sample's raw prediction."""
        return self.shape or (1,)

    def centered_for(self, y: Array, dtype: DTypeLike) -> RealTargets:
        """Return targets that keep their detail in a precision.

        Unix times differ by seconds and are near 2·10⁹, where single precision tells
        apart numbers of 128 s. Such targets are centred before they are rounded, others
        are taken as they are.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Targets.
        dtype : dtype
            The precision.

        Returns
        -------
        targets : RealTargets
            With a centre where rounding would cost more than a thousandth of the
            standard deviation.
        """
        if np.dtype(dtype) == np.float64:
            return RealTargets(self.shape)
        precise = y.reshape(len(y), *self.raw_shape).astype(np.float64, copy=False)
        axes = tuple(range(precise.ndim - 1))
        largest = np.maximum(
            precise.max(axes, initial=0.0), -precise.min(axes, initial=0.0)
        )
        lost = float(np.finfo(dtype).eps) * largest
        if (lost <= _LOST * precise.std(axes)).all():
            return RealTargets(self.shape)
        return RealTargets(self.shape, precise.mean(axes))

    def encode(self, y: Array, dtype: DTypeLike) -> Array:
        """Return targets as the loss takes them.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Targets.
        dtype : dtype
            Type of the result.

        Returns
        -------
        encoded : ndarray of shape (n, ..., k)
            Their numbers.

        Raises
        ------
        ValueError
            If their shape is another than that of the first ones, or a number is too
            large for the type.
        """
        if y.shape[1:] != self.shape:
            if len(self.shape) <= 1 and y.ndim <= 2:
                width = y.shape[1] if y.ndim == 2 else 1
                raise ValueError(
                    f"y must have {self.raw_shape[0]} outputs, got {width}."
                )
            raise ValueError(
                f"y must have samples of shape {self.shape}, got {y.shape[1:]}."
            )
        y = y.reshape(len(y), *self.raw_shape)
        if self.center is not None:
            y = y.astype(np.float64) - self.center
        with np.errstate(over="ignore"):  # the error says it better
            encoded = np.ascontiguousarray(y.astype(dtype, copy=False))
        if encoded.dtype != y.dtype:
            assert_all_finite(encoded, input_name="y")
        return encoded

    def decode(self, prediction: Array) -> Array:
        """Return predictions in the shape of the targets.

        Parameters
        ----------
        prediction : ndarray of shape (n, ..., k)
            What the inverse link gives.

        Returns
        -------
        y : ndarray of shape (n, ...)
            Predictions; float64 where the targets were centred.
        """
        if self.center is not None:
            prediction = prediction.astype(np.float64) + self.center
        return prediction if self.shape else prediction[:, 0]

    def score(self, y: Array, predicted: Array, weight: Array | None = None) -> float:
        """Return R², the mean over outputs.

        Parameters
        ----------
        y, predicted : ndarray of shape (n, ...)
            Targets, true and predicted.
        weight : ndarray of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        r2 : float
            At most 1.
        """
        y, predicted = y.reshape(len(y), -1), predicted.reshape(len(y), -1)
        return float(r2_score(y, predicted, sample_weight=weight))
