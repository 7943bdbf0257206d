"""Real numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Array, Shape
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.networks import Network
from skdl.targets import RealTargets
from skdl.tasks._task import Task, flat_head


class ValueTask(Task):
    """One or several real numbers a sample, or an array of them.

    Parameters
    ----------
    targets : RealTargets
        Their shape, and what is taken from them.
    loss : Loss
        A loss of real targets.

    Raises
    ------
    ValueError
        If the targets were centred and the loss does not move with them.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import SquaredError
    >>> from skdl.targets import RealTargets
    >>> from skdl.tasks import ValueTask
    >>> y = np.array([[1.0, 2.0], [3.0, 5.0]])
    >>> task = ValueTask(RealTargets.of(y), SquaredError())
    >>> task.head((8,))
    [Dense(units=2)]
    >>> task.score(y, y)
    1.0
    """

    def __init__(self, targets: RealTargets, loss: Loss) -> None:
        super().__init__(loss)
        self.targets = targets
        if targets.center is not None and not loss.moves_with_targets:
            raise ValueError(
                f"The network was trained on centred targets; {type(loss).__name__} "
                "cannot go on with them. Fit anew with warm_start=False."
            )

    @classmethod
    def of(cls, y: Array, loss: Loss, dtype: DTypeLike) -> ValueTask:
        """Return the task for targets that are seen for the first time.

        Parameters
        ----------
        y : ndarray of shape (n, ...)
            Targets.
        loss : Loss
            The loss.
        dtype : dtype
            Type of the network.

        Returns
        -------
        task : ValueTask
            The task.
        """
        targets = RealTargets.of(y)
        if loss.moves_with_targets:
            targets = targets.centered_for(y, dtype)
        return cls(targets, loss)

    def encode(self, y: Array, dtype: DTypeLike) -> Array:
        return self.targets.encode(y, dtype)

    def head(self, shape: Shape) -> list[Layer]:
        wanted = self.targets.raw_shape
        if len(wanted) == 1:
            return flat_head(shape, wanted[0])
        if shape != wanted:
            raise ValueError(
                f"The last of the layers gives samples of shape {shape}, the targets "
                f"have {wanted}."
            )
        return []

    def start(self, network: Network, y: Array, weight: Array | None) -> None:
        bias = f"{len(network.layers) - 1}.b"
        if len(self.targets.raw_shape) == 1 and bias in network.params:
            network.params[bias][:] = self.loss.init_raw(y, weight)

    def decode(self, prediction: Array) -> Array:
        return self.targets.decode(prediction)

    def score(self, y: Array, predicted: Array, weight: Array | None = None) -> float:
        return self.targets.score(np.asarray(y), predicted, weight)
