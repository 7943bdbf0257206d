"""What networks share whose targets are no table: label maps, boxes."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted

from skdl import augment
from skdl._typing import Array, Shape
from skdl.neural_network._cnn import BaseCNN
from skdl.neural_network._plan import Plan
from skdl.neural_network._rows import NO_TARGETS, are_given
from skdl.training import Batches


class StructuredCNN(BaseCNN):
    """Base of networks for pictures whose targets have a structure of their own.

    A subclass says how targets are read (`_clean_structured`).
    """

    _moves_with_pixels = "targets"  # what errors call the targets

    def _clean_structured(self, y: Any, shape: Shape) -> Array:
        """Return targets as an array, if they suit pictures of shape (n, h, w, c)."""
        raise TypeError(f"{type(self).__name__} must define _clean_structured.")

    def _read(self, X: Any, y: Any = NO_TARGETS, *, reset: bool = False) -> Any:
        """Check pictures and their targets.

        Parameters
        ----------
        X : array-like of shape (n, h, w, c), (n, h, w) or (n, n_features)
            Pictures.
        y : array-like, default="no_validation"
            Targets, if there are to be some.
        reset : bool, default=False
            Whether the shape of a picture is learned, and not compared.

        Returns
        -------
        X : ndarray of shape (n, h, w, c)
            Whole numbers as they came, others in the network's precision.
        y : ndarray of shape (n, ...)
            Cleaned targets, if there are some.
        """
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        X = super()._read(X, reset=reset)
        if not are_given(y):
            return X
        return X, self._clean_structured(y, X.shape[:3])

    def _batches(self, plan: Plan) -> Batches:
        for transform in augment.resolve(self.augment):
            if transform.moves or transform.mixes:
                raise ValueError(
                    f"augment={transform!r} changes where things are, and the "
                    f"{self._moves_with_pixels} in y would have to change with them; "
                    "use transforms of values alone, such as 'brightness'."
                )
        return super()._batches(plan)

    def _check_fitted(self) -> None:
        check_is_fitted(self, "network_")
