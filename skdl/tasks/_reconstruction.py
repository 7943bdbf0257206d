"""Samples that are their own targets."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Array, Shape
from skdl.layers import Flatten, Layer, Reshape
from skdl.losses import Loss
from skdl.networks import Network
from skdl.tasks._task import Task

_ROWS = 2000  # enough to tell where the output layer should start


class ReconstructionTask(Task):
    """Each sample again, all its numbers side by side.

    Parameters
    ----------
    loss : Loss
        A loss of real targets, or one of labels that takes numbers from 0 to 1.
    shape : tuple of int
        Shape of one sample, as the network gives it.
    given_shape : tuple of int
        Shape of one sample, as the user has it.
    divisor : float or None
        What samples are divided by before they are compared; None leaves them.
    dtype : dtype
        Type of the network.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import SquaredError
    >>> from skdl.tasks import ReconstructionTask
    >>> task = ReconstructionTask(SquaredError(), (4,), (4,), None, np.float64)
    >>> task.head((4,))
    []
    """

    def __init__(
        self,
        loss: Loss,
        shape: Shape,
        given_shape: Shape,
        divisor: float | None,
        dtype: DTypeLike,
    ) -> None:
        super().__init__(loss)
        self.dtype = np.dtype(dtype)
        self.shape = shape
        self.given_shape = given_shape
        self.divisor = divisor

    def encode(self, y: Any, dtype: DTypeLike) -> Any:
        if self.loss.takes_shares:
            factor = 1.0 if self.divisor is None else 1.0 / self.divisor
            low, high = factor * y.min(), factor * y.max()
            if low < 0 or high > 1:
                raise ValueError(
                    f"{type(self.loss).__name__} compares numbers from 0 to 1, those "
                    f"of X reach from {low:g} to {high:g}; scale them (MinMaxScaler), "
                    'or use loss="squared_error".'
                )
        return y  # what the loss takes is made batch by batch

    def of_batch(self, y: Any, empty: Callable[..., Array] = np.empty) -> Any:
        rows = y.reshape(len(y), -1)
        if self.divisor is None and rows.dtype.kind == "f":
            return rows
        out, factor = empty(rows.shape, self.dtype), 1.0 / (self.divisor or 1.0)
        return np.multiply(rows, factor, out=out, dtype=out.dtype, casting="unsafe")

    def head(self, shape: Shape) -> list[Layer]:
        if shape != self.shape:
            raise ValueError(
                f"The decoder ends in samples of shape {shape}, those of X have "
                f"{self.shape}: {_hint(shape, self.shape)}"
            )
        return [Flatten()] if len(shape) > 1 else []

    def start(self, network: Network, y: Any, weight: Array | None) -> None:
        last = len(network.layers) - 1
        while last > 0 and isinstance(network.layers[last], (Flatten, Reshape)):
            last -= 1
        bias = f"{last}.b"
        if bias not in network.params:
            return
        step = -(-len(y) // _ROWS)
        rows = self.of_batch(y[::step])
        weight = None if weight is None else weight[::step]
        if weight is not None and not weight.any():
            return
        values = rows.reshape(-1, network.params[bias].size)  # of pictures the channels
        if weight is not None:
            weight = np.repeat(weight, len(values) // len(rows))
        if self.loss.takes_shares:
            # A number that has been 0 so far need not stay it: one 0 and one 1 more.
            ends = np.repeat([[0.0], [1.0]], values.shape[1], axis=1)
            values = np.concatenate([values, ends])
            weight = None if weight is None else np.append(weight, np.ones(2))
        network.params[bias][:] = self.loss.init_raw(values, weight)

    def decode(self, prediction: Array) -> Array:
        """Return samples in the shape and in the units of X.

        Parameters
        ----------
        prediction : ndarray of shape (n, n_features)
            What the loss's inverse link gives.

        Returns
        -------
        samples : ndarray of shape (n, ...)
            The samples.
        """
        if self.divisor is not None:
            prediction = prediction * prediction.dtype.type(self.divisor)
        return prediction.reshape(len(prediction), *self.given_shape)

    def errors(self, y: Any, predicted: Array) -> Array:
        """Return the mean squared difference of each sample.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Samples.
        predicted : ndarray of shape (n, ...)
            From `decode`.

        Returns
        -------
        errors : ndarray of shape (n,)
            In the squared units of the samples, in double precision.
        """
        difference = predicted.reshape(len(y), -1) - y.reshape(len(y), -1)
        squares = np.einsum("ij,ij->i", difference, difference, dtype=np.float64)
        return squares / difference.shape[1]

    def score(self, y: Any, predicted: Array, weight: Array | None = None) -> float:
        """Return minus the mean reconstruction error.

        Parameters
        ----------
        y, predicted : ndarray of shape (n, ...)
            Samples, true and rebuilt.
        weight : ndarray of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            At most 0.
        """
        return -float(np.average(self.errors(y, predicted), weights=weight))


def _hint(shape: Shape, wanted: Shape) -> str:
    """Say which layer leads from the decoder's end to the samples."""
    if len(wanted) == 1:
        flatten = "" if len(shape) == 1 else "Flatten() and "
        return f"end it with {flatten}Dense({wanted[0]})."
    if shape[:-1] == wanted[:-1]:
        return f"end it with Conv2D({wanted[-1]}, 1)."
    if math.prod(shape) == math.prod(wanted):
        return f"end it with Reshape({wanted})."
    return (
        "enlarge pictures by Upsample2D or ConvTranspose2D, whose output_size says "
        "what comes out."
    )
