"""One object in a picture: is it there, and where."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from skdl._typing import Array, Shape
from skdl.layers import Layer
from skdl.losses import BoxLoss, Loss
from skdl.metrics import mean_box_iou
from skdl.networks import Network
from skdl.tasks._task import Task, flat_head


class BoxTask(Task):
    """Presence and box of an object: present, x_c, y_c, width, height.

    Parameters
    ----------
    loss : Loss
        A loss of boxes.

    Raises
    ------
    ValueError
        If it is another loss.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import BoxLoss
    >>> from skdl.tasks import BoxTask
    >>> task = BoxTask(BoxLoss())
    >>> task.decode(np.array([[0.9, 0.5, 0.5, 0.2, 0.2], [0.1, 0.5, 0.5, 0.2, 0.2]]))
    array([[1. , 0.5, 0.5, 0.2, 0.2],
           [0. , nan, nan, nan, nan]])
    """

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss)
        if loss.task != "boxes":
            raise ValueError(f"Boxes need a loss such as {BoxLoss()!r}, got {loss!r}.")

    @staticmethod
    def clean(y: ArrayLike, n: int) -> Array:
        """Return targets as an array, if they are what they may be.

        Parameters
        ----------
        y : array-like of shape (n, 5)
            Targets.
        n : int
            Number of pictures.

        Returns
        -------
        y : float64 ndarray of shape (n, 5)
            Targets, NaN where nothing is there.

        Raises
        ------
        ValueError
            If there is another number of them, presence is not 0 or 1, or a box has its
            centre outside the picture or no size.
        """
        y = np.asarray(y)
        if y.dtype.kind not in "biuf":
            y = y.astype(np.float64)  # of objects, or it says what is no number
        if y.ndim == 0 or len(y) != n:
            raise ValueError(
                f"X and y have inconsistent numbers of samples: {n} pictures, targets "
                f"of shape {y.shape}."
            )
        BoxLoss().check_targets(y)
        y = y.astype(np.float64)
        y[y[:, 0] == 0, 1:] = np.nan
        return y

    def encode(self, y: Array, dtype: DTypeLike) -> Array:
        return y.astype(dtype)

    def head(self, shape: Shape) -> list[Layer]:
        return flat_head(shape, self.loss.n_raw_for_targets(5))

    def start(self, network: Network, y: Array, weight: Array | None) -> None:
        bias = network.params[f"{len(network.layers) - 1}.b"]
        bias[:] = self.loss.init_raw(y, weight)

    def decode(self, prediction: Array) -> Array:
        y = prediction.copy()
        y[:, 0] = prediction[:, 0] > 0.5
        y[y[:, 0] == 0, 1:] = np.nan
        return y

    def score(self, y: Array, predicted: Array, weight: Array | None = None) -> float:
        return mean_box_iou(y, predicted, sample_weight=weight)

    def strata(self, y: Array) -> Any:
        present = y[:, 0]
        alone = min(np.unique(present, return_counts=True)[1]) < 2
        return None if alone else present
