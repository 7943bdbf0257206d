"""The next point of a drawing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy.special import logit

from skdl._ragged import Ragged
from skdl._typing import Array, Shape
from skdl.layers import Dense, Layer
from skdl.losses import StrokeLoss
from skdl.networks import Network
from skdl.ops.mixture import split
from skdl.tasks._steps import weight_of_steps
from skdl.tasks._task import Task


class StrokeTask(Task):
    """The density of the next point of a pen; targets and predictions are `Ragged`.

    Parameters
    ----------
    loss : StrokeLoss
        The loss.
    scale : ndarray of shape (2,)
        What moves are divided by.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import StrokeLoss
    >>> from skdl.tasks import StrokeTask
    >>> task = StrokeTask(StrokeLoss(2), np.ones(2))
    >>> task.head((9, 16))
    [Dense(units=13)]
    """

    loss: StrokeLoss

    def __init__(self, loss: StrokeLoss, scale: Array) -> None:
        super().__init__(loss)
        self.scale = scale

    def encode(self, y: Any, dtype: DTypeLike) -> Any:
        return Ragged((y.values / [*self.scale, 1.0]).astype(dtype), y.offsets)

    def head(self, shape: Shape) -> list[Layer]:
        if len(shape) != 2:
            raise ValueError(
                f"The last of the layers gives samples of shape {shape}; points need "
                "sequences, (n_steps, n_features): let recurrent layers return them."
            )
        return [Dense(self.loss.n_raw_for_targets(3))]

    def start(self, network: Network, y: Any, weight: Any) -> None:
        bias = f"{len(network.layers) - 1}.b"
        if bias not in network.params:
            return
        b = network.params[bias]
        points, weight = y.values, weight_of_steps(weight, y)
        share = np.average(points[:, 2], weights=weight)
        b[0] = logit(np.clip(share, 1e-3, 1 - 1e-3))
        # Components begin at moves that occur, from the left to the right.
        order = np.argsort(points[:, 0], kind="stable")
        m = self.loss.n_components
        counts = np.ones(len(points)) if weight is None else weight[order]
        before = np.cumsum(counts, dtype=np.float64)
        places = np.searchsorted(before, (np.arange(m) + 0.5) / m * before[-1])
        chosen = points[order[places]]
        _, m1, m2, s1, s2, _ = split(b[None, 1:])
        m1[:], m2[:] = chosen[:, 0], chosen[:, 1]
        s1[:] = s2[:] = np.log(0.5)

    def decode(self, prediction: Array) -> Array:
        return prediction

    def score(self, y: Any, predicted: Any, weight: Any = None) -> float:
        """Return the mean log-likelihood of a point.

        Parameters
        ----------
        y : Ragged
            Points, as the user gave them.
        predicted : Ragged
            Raw predictions.
        weight : ndarray of shape (n,), default=None
            Weights of the sequences.

        Returns
        -------
        score : float
            In nats a point.
        """
        values = self.log_likelihood(y, predicted)
        return float(np.average(values, weights=weight_of_steps(weight, y)))

    def log_likelihood(self, y: Ragged, raw: Ragged) -> Array:
        """Return the log-likelihood of each point, in the units of the user.

        Parameters
        ----------
        y : Ragged
            Points, as the user gave them.
        raw : Ragged
            Raw predictions.

        Returns
        -------
        log_p : ndarray of shape (n_points,)
            Of all points, one sequence after the other.
        """
        target = self.encode(y, raw.dtype).values
        loss = self.loss.evaluate(target, raw.values)[0].astype(np.float64)
        return -loss - float(np.log(self.scale).sum())
