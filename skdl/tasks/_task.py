"""What a task is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._compat import check_sample_weight
from skdl._typing import Array, Shape
from skdl.layers import Dense, Layer
from skdl.losses import Loss
from skdl.networks import Network


class Task:
    """What a network is trained for.

    A task knows what its targets look like to the loss, which layers lead from the body
    of a network to raw predictions, what these mean to the user, and how they are
    scored. A subclass defines `encode`, `head`, `decode` and `score`.

    Parameters
    ----------
    loss : Loss
        The loss, in the form for the targets at hand.

    Examples
    --------
    >>> from skdl.layers import Dense
    >>> from skdl.losses import SquaredError
    >>> from skdl.tasks import Task
    >>> class OneNumber(Task):
    ...     def head(self, shape):
    ...         return [Dense(1)]
    >>> OneNumber(SquaredError()).head((5,))
    [Dense(units=1)]
    """

    def __init__(self, loss: Loss) -> None:
        self.loss = loss

    @property
    def classes(self) -> Array | None:
        """The classes, where targets are some; else None."""
        return None

    @property
    def metrics(self) -> Mapping[str, Callable[[Any, Any, Any], float]]:
        """Other scores by name, called as `score` with targets as the user gave them.

        They stand beside those of scikit-learn, which know labels and numbers alone.
        """
        return {}

    def encode(self, y: Any, dtype: DTypeLike) -> Any:
        """Return targets as the loss takes them.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Targets as the user gave them.
        dtype : dtype
            Type of the network.

        Returns
        -------
        encoded : ndarray of shape (n, ...) or (n, ..., k)
            Class codes, or numbers.

        Raises
        ------
        ValueError
            If they are not of the kind that the task was made for.
        """
        raise TypeError(f"{type(self).__name__} must define encode.")

    def check_weight(self, weight: Any, X: Any, y: Any, dtype: DTypeLike) -> Array:
        """Return weights as numbers, if they are what they may be.

        Parameters
        ----------
        weight : array-like
            Weights as the user gave them.
        X : {ndarray, sparse matrix} of shape (n, ...) or Ragged
            Input.
        y : ndarray of shape (n, ...)
            Targets as the user gave them.
        dtype : dtype
            Type of the network.

        Returns
        -------
        weight : ndarray of shape (n,) or (n, ...)
            Not negative.

        Raises
        ------
        ValueError
            If the weights are of another number, negative or not finite.
        """
        return check_sample_weight(weight, X, dtype=dtype, ensure_non_negative=True)

    def element_weight(
        self, y: Any, weight: Array | None, dtype: DTypeLike
    ) -> Array | None:
        """Return weights to train and to validate with: 0 for what does not count.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Targets as the user gave them.
        weight : ndarray of shape (n,) or (n, ...) or None
            Weights from `check_weight`.
        dtype : dtype
            Type of the network.

        Returns
        -------
        weight : ndarray of shape (n,) or (n, ...) or None
            Weights of the rows, or of each of their elements; None means 1 each.
        """
        return weight

    def training_weight(
        self, y: Any, weight: Any, dtype: DTypeLike, incremental: bool
    ) -> Any:
        """Return weights to train with: those of classes included.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Targets as the user gave them.
        weight : ndarray of shape (n,) or (n, ...) or None
            Weights from `element_weight`.
        dtype : dtype
            Type of the network.
        incremental : bool
            Whether these rows are a piece of a stream.

        Returns
        -------
        weight : ndarray of shape (n,) or (n, ...) or None
            Weights of the rows, or of each of their elements; None means 1 each.

        Raises
        ------
        ValueError
            If weights of classes are negative, none but zeros, or need all rows.
        """
        return weight

    def of_batch(self, y: Any, empty: Callable[..., Array] = np.empty) -> Any:
        """Return the targets of some rows, where they are made batch by batch.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Encoded targets.
        empty : callable, default=numpy.empty
            ``empty(shape, dtype)`` gives memory.

        Returns
        -------
        y : ndarray of shape (n, ...) or (n, ..., k)
            As the loss takes them.
        """
        return y

    def head(self, shape: Shape) -> list[Layer]:
        """Return the last layers of a network.

        Parameters
        ----------
        shape : tuple of int
            Shape of one sample behind the layers that the user chose.

        Returns
        -------
        layers : list of Layer
            From there to the raw predictions.

        Raises
        ------
        ValueError
            If there is no way.
        """
        raise TypeError(f"{type(self).__name__} must define head.")

    def start(self, network: Network, y: Any, weight: Array | None) -> None:
        """Set the start of the last layers, where the loss knows a good one.

        Parameters
        ----------
        network : Network
            A network with its starting weights; changed in place.
        y : ndarray of shape (n, ...)
            Encoded targets.
        weight : ndarray of shape (n,) or None
            Weights of the rows.
        """

    def go_on(self, network: Network, y: Any, weight: Array | None) -> None:
        """Let a trained network go on with other targets, which may be of new kinds.

        Parameters
        ----------
        network : Network
            A copy of the trained network; changed in place.
        y : ndarray of shape (n, ...)
            Encoded targets.
        weight : ndarray of shape (n,) or None
            Weights of the rows.
        """

    def decode(self, prediction: Any) -> Any:
        """Return predictions as the user wants them.

        Parameters
        ----------
        prediction : ndarray of shape (n, ..., k)
            What the loss's inverse link gives.

        Returns
        -------
        y : ndarray of shape (n, ...)
            Predictions.
        """
        raise TypeError(f"{type(self).__name__} must define decode.")

    def score(self, y: Any, predicted: Any, weight: Array | None = None) -> float:
        """Return how good predictions are; higher is better.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Targets as the user gave them.
        predicted : ndarray of shape (n, ...)
            From `decode`.
        weight : ndarray of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            The score.
        """
        raise TypeError(f"{type(self).__name__} must define score.")

    def mixable(self, y: Array, dtype: DTypeLike) -> Array:
        """Return encoded targets in a form whose weighted means are targets too.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Encoded targets.
        dtype : dtype
            Type of the network.

        Returns
        -------
        y : ndarray of shape (n, ..., k)
            Numbers, or shares of classes.

        Raises
        ------
        ValueError
            If the loss takes none.
        """
        return y

    def strata(self, y: Any) -> Any:
        """Return groups that a random split must leave in proportion; None for none.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Targets as the user gave them.

        Returns
        -------
        groups : ndarray of shape (n,) or None
            A label for each row.
        """
        return None


def flat_head(shape: Shape, units: int) -> list[Layer]:
    """Return a dense output layer.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample in front of it.
    units : int
        Raw predictions a sample.

    Returns
    -------
    layers : list of Layer
        The layer.

    Raises
    ------
    ValueError
        If the samples are not flat.
    """
    if len(shape) != 1:
        raise ValueError(
            f"The last of the layers gives samples of shape {shape}; the output layer "
            "takes flat ones, (n_features,). End with a layer that flattens them."
        )
    return [Dense(units)]
