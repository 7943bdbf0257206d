"""What the two convolutional networks share."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator

from skdl import augment, networks
from skdl._picture_shape import flat_shape, given_shape
from skdl._settings import POSITIVE
from skdl._typing import Array, Shape
from skdl.layers import Layer, Rescale, resolve_chain
from skdl.networks import named_layers
from skdl.neural_network._base import BaseNetwork
from skdl.neural_network._pictures import divisor_of, read_pictures
from skdl.neural_network._plan import Plan
from skdl.neural_network._rows import NO_TARGETS, are_given
from skdl.neural_network._wording import OF_PICTURES, reword
from skdl.training import AugmentedBatches, Batches


class BaseCNN(BaseNetwork):
    """Base of convolutional networks: how pictures are read, and their layers."""

    _parameter_constraints: dict[str, Any] = {
        **BaseNetwork._parameter_constraints,
        "layers": [str, list, tuple],
        "width": POSITIVE,
        "input_shape": [list, tuple, None],
        "augment": [list, tuple, None],
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        reword(cls, OF_PICTURES)

    augment: Any
    width: float
    input_shape: Any

    input_shape_: Shape
    _divisor: float | None

    def check_together(self) -> None:
        given_shape(self.input_shape)
        augment.resolve(self.augment)
        if isinstance(self.layers, str):
            networks.get(self.layers)
            return
        resolve_chain(self.layers)
        if self.width != 1:
            raise ValueError(
                f"width={self.width} is for architectures by name: {networks.names()}; "
                "with a list of layers leave it at 1."
            )

    def _given_layers(self) -> list[Layer]:
        if isinstance(self.layers, str):
            return named_layers(self.layers, self.input_shape_, self.width)
        return resolve_chain(self.layers)

    def _body_layers(self) -> list[Layer]:
        chain = self._given_layers()
        takes_any = bool(chain) and chain[0].accepts_integers
        if self._divisor is None or takes_any:
            return chain
        return [*resolve_chain([Rescale(1.0 / self._divisor)]), *chain]

    def _n_added_layers(self) -> int:
        return len(self._body_layers()) - len(self._given_layers())

    def _read(self, X: Any, y: Any = NO_TARGETS, *, reset: bool = False) -> Any:
        """Check pictures and return them as (n, height, width, channels).

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
        X, y = read_pictures(self, X, y, reset)
        if X.ndim == 2:
            if reset:
                given = given_shape(self.input_shape)
                self.input_shape_ = flat_shape(given, X.shape[1])
            X = X.reshape(len(X), *self.input_shape_)
        elif reset:
            self.input_shape_ = X.shape[1:]
            self.n_features_in_ = int(np.prod(self.input_shape_))
            self.__dict__.pop("feature_names_in_", None)
        if reset:
            self._divisor = _divisor_like(getattr(self, "init_from", None), X)
        X = self._in_precision(X)
        if not are_given(y):
            return X
        return X, self._clean_target(y)

    def _batches(self, plan: Plan) -> Batches:
        batches = super()._batches(plan)
        transforms = augment.resolve(self.augment)
        if not transforms:
            return batches
        if not plan.optimizer.incremental:
            raise ValueError(
                f"{type(plan.optimizer).__name__} needs the same loss at every call, "
                "which augment= changes at random; use another optimizer."
            )

        def mixable(y: Array) -> Array:
            return plan.task.mixable(y, plan.dtype)

        if any(transform.mixes for transform in transforms):
            mixable(plan.train.y[:1])  # raises before any work is lost
        return AugmentedBatches(batches, transforms, mixable)

    def _dtype_for(self, X: Array) -> np.dtype[Any]:
        """Return the precision: of bytes float32, which has room for them."""
        if self.dtype is None and X.dtype.itemsize == 1:
            return np.dtype(np.float32)
        return super()._dtype_for(X)

    def _takes_sparse(self) -> bool:
        return False

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _divisor_like(source: Any, X: Array) -> float | None:
    """Return what whole-number pictures are divided by.

    As in the network that training starts from: its weights are for that scale.
    """
    divisor = divisor_of(X)
    if divisor is None:
        return None
    if isinstance(source, FrozenEstimator):
        source = source.estimator
    return getattr(source, "_divisor", None) or divisor
