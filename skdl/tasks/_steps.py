"""A class for each step of a sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._compat import check_sample_weight
from skdl._ragged import Ragged
from skdl._typing import Array, Shape
from skdl.layers import Dense, Layer
from skdl.metrics import span_scores
from skdl.tasks._classes import ClassTask


class StepClassTask(ClassTask):
    """The class of each step; targets and predictions are `Ragged`.

    Parameters
    ----------
    targets : ClassTargets
        The classes.
    loss : Loss
        A loss of classes; it takes the form for these.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in training.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import CrossEntropy
    >>> from skdl.targets import ClassTargets
    >>> from skdl.tasks import StepClassTask
    >>> labels = np.array(["DET", "NOUN", "VERB"])
    >>> task = StepClassTask(ClassTargets.of(labels), CrossEntropy())
    >>> task.head((7, 16))
    [Dense(units=3)]
    """

    @property
    def metrics(self) -> Mapping[str, Callable[[Any, Any, Any], float]]:
        return {"span_f1": _span_f1}

    def encode(self, y: Any, dtype: DTypeLike) -> Any:
        return Ragged(super().encode(y.values, dtype), y.offsets)

    def check_weight(self, weight: Any, X: Any, y: Any, dtype: DTypeLike) -> Any:
        """Return weights of sequences, or of their steps.

        Parameters
        ----------
        weight : array-like of shape (n,), (length,) or list of array-like
            Weights as the user gave them: of the sequences, of the steps of each, or
            of the steps where there is one sequence.
        X : Ragged
            Input.
        y : Ragged
            Targets.
        dtype : dtype
            Type of the network.

        Returns
        -------
        weight : ndarray of shape (n,) or Ragged
            Not negative.

        Raises
        ------
        ValueError
            If the weights are of another number, negative or not finite.
        """
        nested = isinstance(weight, (list, tuple)) and len(weight) > 0
        if nested and np.ndim(weight[0]):
            lengths = [len(part) for part in weight]
            if not np.array_equal(lengths, X.lengths):
                raise ValueError(
                    "sample_weight must have a weight for each sequence, or for each "
                    f"of its steps: X has sequences of lengths {X.lengths[:9]}, "
                    f"sample_weight of {lengths[:9]}."
                )
            weight = np.concatenate(weight)
        elif len(X) > 1 or len(np.asarray(weight)) != len(X.values):
            return super().check_weight(weight, X, y, dtype)
        values = check_sample_weight(
            weight, X.values, dtype=dtype, ensure_non_negative=True
        )
        return Ragged(values, X.offsets)

    def training_weight(
        self, y: Any, weight: Any, dtype: DTypeLike, incremental: bool
    ) -> Any:
        if self.class_weight is None:
            return weight
        each = weight_of_steps(weight, y)
        each = super().training_weight(y.values, each, dtype, incremental)
        return Ragged(each, y.offsets)

    def head(self, shape: Shape) -> list[Layer]:
        if len(shape) != 2:
            raise ValueError(
                f"The last of the layers gives samples of shape {shape}; a label for "
                "each step needs sequences, (n_steps, n_features): let recurrent "
                "layers return them."
            )
        return [Dense(self.loss.n_raw(len(self.classes)))]

    def probabilities(self, prediction: Array) -> Array:
        """Return one column a class.

        Parameters
        ----------
        prediction : ndarray of shape (n, n_steps, k)
            What the loss's inverse link gives.

        Returns
        -------
        p : ndarray of shape (n, n_steps, n_classes)
            Probabilities.
        """
        flat = super().probabilities(prediction.reshape(-1, prediction.shape[-1]))
        return flat.reshape(*prediction.shape[:-1], -1)

    def decode(self, prediction: Array) -> Array:
        flat = super().decode(prediction.reshape(-1, prediction.shape[-1]))
        return flat.reshape(prediction.shape[:-1])

    def score(self, y: Any, predicted: Any, weight: Any = None) -> float:
        return super().score(y.values, predicted.values, weight_of_steps(weight, y))

    def strata(self, y: Any) -> Any:
        return None


def _span_f1(y: Ragged, predicted: Ragged, weight: Any) -> float:
    """Count spans: they have no weights."""
    return span_scores(list(y), list(predicted)).f1


def weight_of_steps(weight: Any, y: Ragged) -> Array | None:
    """Return one weight for each step.

    Parameters
    ----------
    weight : ndarray of shape (n,), Ragged or None
        Weights of sequences, or of their steps.
    y : Ragged
        The sequences.

    Returns
    -------
    weight : ndarray of shape (n_steps,) or None
        Of all steps, one sequence after the other.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl._ragged import Ragged
    >>> from skdl.tasks import weight_of_steps
    >>> y = Ragged.of([np.array([0, 1, 1]), np.array([1])])
    >>> weight_of_steps([2.0, 5.0], y)
    array([2., 2., 2., 5.])
    """
    if weight is None:
        return None
    if isinstance(weight, Ragged):
        return weight.values
    return np.repeat(weight, y.lengths)
