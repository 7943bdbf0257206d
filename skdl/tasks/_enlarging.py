"""What is missing in an enlarged picture."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from skdl._typing import Array, Shape
from skdl.layers import Conv2D, Layer, PixelShuffle
from skdl.losses import Loss
from skdl.metrics import psnr
from skdl.tasks._task import Task


class EnlargingTask(Task):
    """What to add to a simple enlargement so that the sharp picture is there.

    Parameters
    ----------
    loss : Loss
        A loss of real targets.
    factor : int
        How many times as large pictures become.
    shape : tuple of (int, int, int)
        Shape of a sharp picture to train on.

    Examples
    --------
    >>> from skdl.losses import SquaredError
    >>> from skdl.tasks import EnlargingTask
    >>> task = EnlargingTask(SquaredError(), factor=2, shape=(6, 6, 1))
    >>> [type(layer).__name__ for layer in task.head((3, 3, 4))]
    ['Conv2D', 'PixelShuffle']
    """

    def __init__(self, loss: Loss, factor: int, shape: Shape) -> None:
        super().__init__(loss)
        self.factor = factor
        self.shape = shape

    def encode(self, y: Array, dtype: DTypeLike) -> Array:
        return y.astype(dtype, copy=False)

    def head(self, shape: Shape) -> list[Layer]:
        h, w, c = self.shape
        small = h // self.factor, w // self.factor
        if len(shape) != 3 or shape[:2] != small:
            raise ValueError(
                f"The last of the layers gives samples of shape {shape}; it must give "
                f"pictures of the size of the small ones, {small[0]}×{small[1]}, which "
                "the output layer enlarges."
            )
        filters = c * self.factor**2
        # With zeros the network begins with the enlargement as it is.
        last = Conv2D(filters, 3, padding="same", initializer="zeros")
        return [last, PixelShuffle(self.factor)]

    def decode(self, prediction: Array) -> Any:
        return prediction

    def score(self, y: Array, predicted: Array, weight: Array | None = None) -> float:
        return psnr(y, predicted, data_range=1.0, sample_weight=weight)
