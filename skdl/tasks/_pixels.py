"""A class for each pixel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Array, Shape
from skdl.layers import Conv2D, Layer
from skdl.losses import Loss
from skdl.metrics import pixel_accuracy
from skdl.targets import PixelTargets
from skdl.tasks._classes import ClassTask


class PixelTask(ClassTask):
    """The class of each pixel.

    Parameters
    ----------
    targets : PixelTargets
        The classes.
    loss : Loss
        A loss of classes; it takes the form for these.
    size : tuple of (int, int)
        Height and width of the label maps to train on.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in training.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import CrossEntropy
    >>> from skdl.targets import PixelTargets
    >>> from skdl.tasks import PixelTask
    >>> y = np.array([[[0, 1], [2, 1]]])
    >>> task = PixelTask(PixelTargets.of_maps(y), CrossEntropy(), size=(2, 2))
    >>> task.head((2, 2, 8))
    [Conv2D(filters=3, kernel_size=1)]
    """

    targets: PixelTargets

    def __init__(
        self,
        targets: PixelTargets,
        loss: Loss,
        size: Shape,
        class_weight: Any = None,
    ) -> None:
        super().__init__(targets, loss, class_weight)
        self.size = size

    @property
    def metrics(self) -> Mapping[str, Callable[[Any, Any, Any], float]]:
        return {"mean_iou": self.score, "accuracy": self._accuracy}

    def _accuracy(self, y: Array, predicted: Array, weight: Array | None) -> float:
        ignored = self.targets.ignored
        return pixel_accuracy(y, predicted, ignored_label=ignored, sample_weight=weight)

    def check_weight(self, weight: Any, X: Any, y: Array, dtype: DTypeLike) -> Array:
        given = np.asarray(weight)
        if given.ndim <= 1:
            return super().check_weight(weight, X, y, dtype)
        weight = given.astype(dtype)
        if weight.shape != y.shape:
            raise ValueError(
                f"sample_weight must have shape {y.shape[:1]} (one a picture) or "
                f"{y.shape} (one a pixel), got {weight.shape}."
            )
        if not np.isfinite(weight).all() or (weight < 0).any():
            raise ValueError(
                "sample_weight has numbers that are negative, infinite or NaN."
            )
        return weight

    def element_weight(
        self, y: Array, weight: Array | None, dtype: DTypeLike
    ) -> Array | None:
        counts = self.targets.counts(y)
        if counts is None:
            return weight
        if weight is None:
            return counts.astype(dtype)
        return weight.reshape(len(y), *(weight.shape[1:] or (1, 1))) * counts

    def head(self, shape: Shape) -> list[Layer]:
        if len(shape) != 3 or shape[:2] != tuple(self.size):
            raise ValueError(
                f"The last of the layers gives samples of shape {shape}; label maps of "
                f"{self.size[0]}×{self.size[1]} pixels need pictures of that size. "
                "Where layers halve pictures, others must enlarge them again, as "
                '"unet" does; KeepSize(layers, multiple=4) around layers that halve '
                "twice takes pictures of any size."
            )
        return [Conv2D(self.loss.n_raw(len(self.classes)), 1)]

    def mixable(self, y: Array, dtype: DTypeLike) -> Array:
        raise ValueError("Label maps cannot be mixed.")

    def strata(self, y: Any) -> Any:
        return None
