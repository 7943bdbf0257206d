"""Label maps: a class for each pixel."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from skdl._typing import Array, Shape
from skdl.losses import Loss
from skdl.metrics import mean_iou
from skdl.targets._classes import ClassTargets


class PixelTargets(ClassTargets):
    """Label maps of one size with the pictures.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The classes, sorted; the ignored label is none of them.
    ignored : object, default=None
        Label of pixels that do not count.
    hint : str, default=""
        What to do about labels that are none of the classes, for the error.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import CrossEntropy
    >>> from skdl.targets import PixelTargets
    >>> y = np.array([[[10, 20], [30, 255]]])  # one map of 2×2 pixels
    >>> targets = PixelTargets.of_maps(y, ignored=255)
    >>> targets.classes, targets.counts(y).tolist()
    (array([10, 20, 30]), [[[True, True], [True, False]]])
    >>> targets.encode(y, CrossEntropy(), float).tolist()
    [[[0, 1], [2, 0]]]
    >>> targets.weights({10: 3.0}, y).tolist()
    [[[3.0, 1.0], [1.0, 0.0]]]
    """

    def __init__(self, classes: Array, ignored: Any = None, hint: str = "") -> None:
        super().__init__(classes, False, hint)
        self.ignored = ignored

    @classmethod
    def of_maps(
        cls, y: Array, classes: Any = None, ignored: Any = None, hint: str = ""
    ) -> Self:
        """Find the classes.

        Parameters
        ----------
        y : ndarray of shape (n, h, w)
            Label maps.
        classes : array-like, default=None
            All classes, where `y` may lack some.
        ignored : object, default=None
            Label of pixels that do not count.
        hint : str, default=""
            What to do about labels that are none of them.

        Returns
        -------
        targets : PixelTargets
            How to encode them.

        Raises
        ------
        ValueError
            If there are less than two.
        """
        known = np.unique(y if classes is None else classes)
        if ignored is not None:
            known = known[known != ignored]
        if len(known) < 2:
            besides = "" if ignored is None else f" besides the ignored {ignored!r}"
            raise ValueError(
                f"The label maps have {len(known)} class{'es' * (len(known) != 1)}"
                f"{besides}, {known.tolist()}: there is nothing to tell apart. Two or "
                f"more are needed.{hint}"
            )
        return cls(known, ignored, hint)

    @staticmethod
    def clean_maps(y: ArrayLike, shape: Shape) -> Array:
        """Return label maps as an array, if there is one for each picture.

        Parameters
        ----------
        y : array-like of shape (n, h, w), (n, h, w, 1) or (n, h·w)
            Label maps; of bool they are masks.
        shape : tuple of (int, int, int)
            Pictures, their height and their width.

        Returns
        -------
        y : ndarray of shape (n, h, w)
            The maps.

        Raises
        ------
        ValueError
            If they are of another size than the pictures, or their numbers are no
            labels.
        """
        y = np.asarray(y)
        n, h, w = shape
        if y.ndim == 0 or len(y) != n:
            raise ValueError(
                f"X and y have inconsistent numbers of samples: {n} pictures, label "
                f"maps of shape {y.shape}."
            )
        if y.shape[1:] not in ((h, w), (h, w, 1), (h * w,)):
            raise ValueError(
                f"X has pictures of {h}×{w} pixels, so y must be label maps of shape "
                f"{(n, h, w)}, a class for each pixel, got {y.shape}."
            )
        y = y.reshape(n, h, w)
        if y.dtype.kind == "f" and not (np.isfinite(y).all() and (y % 1 == 0).all()):
            raise ValueError(
                "Unknown label type: continuous. Label maps hold classes (whole "
                "numbers, bools or strings), got real numbers or NaN; of "
                "probabilities take y > 0.5."
            )
        return y

    def counts(self, y: Array) -> Array | None:
        """Return which pixels count.

        Parameters
        ----------
        y : ndarray of shape (n, h, w)
            Label maps.

        Returns
        -------
        counts : ndarray of bool of shape (n, h, w) or None
            None means all of them.

        Raises
        ------
        ValueError
            If none does.
        """
        if self.ignored is None:
            return None
        counts = y != self.ignored
        if not counts.any():
            raise ValueError(
                f"All pixels have the ignored label {self.ignored!r}: none counts."
            )
        return None if counts.all() else counts

    def codes(self, y: Array) -> Array:
        """Return the position of each pixel's label among the classes.

        Parameters
        ----------
        y : ndarray of shape (n, h, w)
            Label maps.

        Returns
        -------
        codes : ndarray of int of shape (n, h, w)
            From 0 to ``len(classes) - 1``; 0 for pixels that do not count.

        Raises
        ------
        ValueError
            If there are unknown labels.
        """
        codes = np.searchsorted(self.classes, y)
        np.minimum(codes, len(self.classes) - 1, out=codes)
        wrong = self.classes[codes] != y
        if self.ignored is not None:
            ignored = y == self.ignored
            codes[ignored] = 0
            wrong &= ~ignored
        if wrong.any():
            raise ValueError(
                f"y has labels {np.unique(y[wrong])[:10].tolist()} that are not among "
                f"the classes {self.classes.tolist()} of the first fit.{self.hint}"
            )
        return codes.astype(np.min_scalar_type(len(self.classes) - 1))

    def encode(self, y: Array, loss: Loss, dtype: DTypeLike) -> Array:
        """Return label maps as the loss takes them.

        Parameters
        ----------
        y : ndarray of shape (n, h, w)
            Label maps.
        loss : Loss
            The loss.
        dtype : dtype
            Type of 0/1 targets.

        Returns
        -------
        encoded : ndarray of shape (n, h, w) or (n, h, w, 1)
            Class codes, or zeros and ones.

        Raises
        ------
        ValueError
            If there are unknown labels.
        """
        codes = self.codes(y)
        one = loss.n_raw(len(self.classes)) == 1
        return codes.astype(dtype)[..., None] if one else codes

    def weights(
        self, class_weight: Any, y: Array, sample_weight: Array | None = None
    ) -> Array:
        """Return the weight of each pixel, that of its class included.

        Parameters
        ----------
        class_weight : dict or "balanced"
            Weights of the classes, as scikit-learn takes them.
        y : ndarray of shape (n, h, w)
            Label maps.
        sample_weight : ndarray of shape (n,) or (n, h, w), default=None
            What they multiply.

        Returns
        -------
        weights : ndarray of shape (n, h, w)
            Not negative.

        Raises
        ------
        ValueError
            If there are weights of no class, negative ones, or none but zeros.
        """
        codes, counts = self.codes(y), self.counts(y)
        if class_weight == "balanced":
            seen = codes if counts is None else codes[counts]
            n_pixels = np.bincount(seen.ravel(), minlength=len(self.classes))
            each = seen.size / (len(self.classes) * np.maximum(n_pixels, 1))
        else:
            each = self._named_weights(class_weight)
        weights = each[codes]
        if sample_weight is not None:
            weights *= sample_weight.reshape(
                len(y), *(sample_weight.shape[1:] or (1, 1))
            )
        elif counts is not None:
            weights *= counts
        if (weights < 0).any() or not weights.any():
            raise ValueError(
                f"class_weight={class_weight!r} gives negative weights, or none but "
                "zeros."
            )
        return weights

    def _named_weights(self, class_weight: Any) -> Array:
        if not isinstance(class_weight, dict):
            raise ValueError(
                'class_weight of label maps is a dict, "balanced" or None, got '
                f"{class_weight!r}."
            )
        known = self.classes.tolist()
        unknown = [label for label in class_weight if label not in known]
        if unknown:
            raise ValueError(
                f"class_weight has the labels {unknown}, which are none of the classes "
                f"{known}."
            )
        return np.array([class_weight.get(label, 1.0) for label in known], float)

    def score(self, y: Array, predicted: Array, weight: Array | None = None) -> float:
        """Return the mean IoU.

        Parameters
        ----------
        y, predicted : ndarray of shape (n, h, w)
            Label maps, true and predicted.
        weight : ndarray of shape (n,) or (n, h, w), default=None
            Weights of the maps, or of each pixel.

        Returns
        -------
        iou : float
            Mean over the classes that occur in either.
        """
        return mean_iou(y, predicted, ignored_label=self.ignored, sample_weight=weight)

    def probabilities(self, prediction: Array) -> Array:
        """Return one number a class, from what the inverse link gives.

        Parameters
        ----------
        prediction : ndarray of shape (n, h, w, k)
            Probabilities of the network's outputs.

        Returns
        -------
        p : ndarray of shape (n, h, w, n_classes)
            Probabilities.
        """
        if prediction.shape[-1] > 1:
            return prediction
        return np.concatenate([1.0 - prediction, prediction], axis=-1)

    def decode(self, prediction: Array) -> Array:
        """Return the most probable class of each pixel.

        Parameters
        ----------
        prediction : ndarray of shape (n, h, w, k)
            Probabilities of the network's outputs.

        Returns
        -------
        y : ndarray of shape (n, h, w)
            Label maps.
        """
        if prediction.shape[-1] > 1:
            return self.classes[prediction.argmax(axis=-1)]
        return self.classes[(prediction[..., 0] > 0.5).astype(np.intp)]
