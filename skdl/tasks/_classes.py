"""Classes, or several labels, one answer a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Array, Shape
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.targets import ClassTargets
from skdl.tasks._task import Task, flat_head


class ClassTask(Task):
    """The class of a sample, or its labels.

    Parameters
    ----------
    targets : ClassTargets
        The classes.
    loss : Loss
        A loss of classes; it takes the form for these.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes in training, as scikit-learn takes them.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import CrossEntropy
    >>> from skdl.targets import ClassTargets
    >>> from skdl.tasks import ClassTask
    >>> y = np.array(["cat", "dog", "cow"])
    >>> task = ClassTask(ClassTargets.of(y), CrossEntropy())
    >>> task.head((8,))
    [Dense(units=3)]
    >>> task.decode(np.array([[0.1, 0.2, 0.7]]))
    array(['dog'], dtype='<U3')
    """

    def __init__(
        self, targets: ClassTargets, loss: Loss, class_weight: Any = None
    ) -> None:
        super().__init__(loss.for_classes(len(targets.classes), targets.multilabel))
        self.targets = targets
        self.class_weight = class_weight

    @property
    def classes(self) -> Array:
        return self.targets.classes

    def encode(self, y: Array, dtype: DTypeLike) -> Array:
        return self.targets.encode(y, self.loss, dtype)

    def training_weight(
        self, y: Any, weight: Any, dtype: DTypeLike, incremental: bool
    ) -> Any:
        if self.class_weight is None:
            return weight
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                'class_weight="balanced" needs all of the data and cannot be used with '
                "partial_fit; pass a dict of weights, or sample_weight."
            )
        weight = self.targets.weights(self.class_weight, y, weight)
        return weight.astype(dtype, copy=False)

    def head(self, shape: Shape) -> list[Layer]:
        return flat_head(shape, self.loss.n_raw(len(self.classes)))

    def probabilities(self, prediction: Array) -> Array:
        """Return one column a class.

        Parameters
        ----------
        prediction : ndarray of shape (n, k)
            What the loss's inverse link gives.

        Returns
        -------
        p : ndarray of shape (n, n_classes)
            Probabilities.
        """
        return self.targets.probabilities(prediction)

    def decode(self, prediction: Array) -> Array:
        return self.targets.decode(prediction)

    def score(self, y: Array, predicted: Array, weight: Array | None = None) -> float:
        return self.targets.score(y, predicted, weight)

    def mixable(self, y: Array, dtype: DTypeLike) -> Array:
        if not self.loss.takes_shares:
            raise ValueError(
                "Mixed samples need a loss that takes shares of classes, such as "
                f"cross_entropy, got {type(self.loss).__name__}."
            )
        if y.dtype.kind == "f":
            return y
        return np.eye(len(self.classes), dtype=dtype)[y]

    def strata(self, y: Any) -> Any:
        return None if self.targets.multilabel else y
