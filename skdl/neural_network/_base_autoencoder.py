"""What an autoencoder reads, which layers it has, and what it is trained for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl import layers, losses
from skdl._picture_shape import flat_shape, given_shape
from skdl._settings import COUNT
from skdl._typing import Array, Shape
from skdl.layers import (
    Dense,
    Flatten,
    GaussianNoise,
    Layer,
    Rescale,
    build_chain,
    mirrored_chain,
    resolve_chain,
)
from skdl.losses import BinaryCrossEntropy, Loss
from skdl.neural_network._base import BaseNetwork
from skdl.neural_network._pictures import divisor_of, read_pictures
from skdl.neural_network._rows import NO_TARGETS, are_given
from skdl.tasks import ReconstructionTask
from skdl.training import TrainingState


class BaseAutoencoder(BaseNetwork):
    """A network whose targets are its input."""

    _registries = {
        **BaseNetwork._registries,
        "decoder": layers.registry,
        "loss": losses.registry.only(
            lambda cls: cls.task in ("regression", "any") or cls is BinaryCrossEntropy,
            "reconstructions",
        ),
    }
    _parameter_constraints: dict[str, Any] = {
        **BaseNetwork._parameter_constraints,
        "n_components": [*COUNT, None],
        "decoder": [list, tuple, None],
        "denoising": "no_validation",
        "input_shape": [list, tuple, None],
    }

    n_components: int | None
    decoder: Any
    denoising: Any
    input_shape: Any

    input_shape_: Shape
    code_shape_: Shape
    n_encoder_layers_: int
    _divisor: float | None
    _sample_shape: Shape
    _task: ReconstructionTask

    def check_together(self) -> None:
        given_shape(self.input_shape)
        if self.layers is None and self.n_components is None:
            raise ValueError(
                "n_components=None takes the output of the last of `layers` as the "
                "code: give layers, or a number of components."
            )
        for chain in (self.layers, self.decoder):
            if chain is not None:
                resolve_chain(chain)
        self._noise()

    # ---- how samples are read

    def _read(self, X: Any, y: Any = NO_TARGETS, *, reset: bool = False) -> Any:
        """Check samples; they are their own targets.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, h, w) or (n, h, w, c)
            Flat samples or pictures.
        y : array-like, default="no_validation"
            Whether targets are wanted: the samples.
        reset : bool, default=False
            Whether the shape of a sample is learned, and not compared.

        Returns
        -------
        X : ndarray of shape (n, ...)
            Whole numbers as they came, others in the network's precision.
        y : ndarray of shape (n, ...)
            The same array, if targets are wanted.
        """
        if isinstance(X, (list, tuple)):
            X = np.asarray(X)
        given = getattr(X, "shape", ())[1:]
        if not reset and len(given) > 1 and len(self.input_shape_) == 1:
            raise ValueError(
                f"X has pictures of shape {given}, but flat rows of "
                f"{self.input_shape_[0]} features are expected, as in fit."
            )
        rows, _ = read_pictures(self, X, NO_TARGETS, reset)
        if rows.ndim == 2:
            if reset:
                shape = given_shape(self.input_shape)
                n = rows.shape[1]
                self.input_shape_ = (n,) if shape is None else flat_shape(shape, n)
            rows = rows.reshape(len(rows), *self.input_shape_)
        elif reset:
            self.input_shape_ = rows.shape[1:]
            self.n_features_in_ = math.prod(self.input_shape_)
            self.__dict__.pop("feature_names_in_", None)
        if rows.shape[1:] != self.input_shape_:
            raise ValueError(
                f"X has pictures of shape {rows.shape[1:]}, but {self.input_shape_} is "
                "expected, as in fit."
            )
        if reset:
            self._sample_shape = tuple(given)
            self._divisor = None if self._takes_whole_numbers() else divisor_of(rows)
        rows = self._in_precision(rows)
        return (rows, rows) if are_given(y) else rows

    def _dtype_for(self, X: Array) -> np.dtype[Any]:
        if self.dtype is None and X.dtype.itemsize == 1:  # bytes
            return np.dtype(np.float32)
        return super()._dtype_for(X)

    def _takes_sparse(self) -> bool:
        return False

    # ---- its layers

    def _takes_whole_numbers(self) -> bool:
        """Return whether the first layer that the user chose does."""
        chain = [] if self.layers is None else resolve_chain(self.layers)
        return bool(chain) and chain[0].accepts_integers

    def _noise(self) -> list[Layer]:
        spec = self.denoising
        if spec is None:
            return []
        if isinstance(spec, (str, Layer)):
            (layer,) = resolve_chain([spec])
            return [layer]
        if isinstance(spec, (int, float, np.number)) and not isinstance(spec, bool):
            return resolve_chain([GaussianNoise(float(spec))])
        raise TypeError(
            "denoising must be a standard deviation, or a layer that spoils its input "
            f"while training, such as Dropout(0.3); got {spec!r}."
        )

    def _added_layers(self) -> list[Layer]:
        """Return what comes before the layers that the user chose."""
        scaled = [] if self._divisor is None else [Rescale(1.0 / self._divisor)]
        return [*resolve_chain(scaled), *self._noise()]

    def _n_added_layers(self) -> int:
        return len(self._added_layers())

    def _encoder(self) -> list[Layer]:
        """Return the layers from the input to the code."""
        flat = len(self.input_shape_) == 1
        default: list[Layer | str] = [Dense(128), "relu"]
        if self.layers is None:
            chain = resolve_chain(default if flat else [Flatten(), *default])
        else:
            chain = resolve_chain(self.layers)
        if self.n_components is None:
            return chain
        shape = build_chain(chain, self.input_shape_)[0][-1]
        code = [*([Flatten()] if len(shape) > 1 else []), Dense(self.n_components)]
        return [*chain, *resolve_chain(code)]

    def _body_layers(self) -> list[Layer]:
        encoder = self._encoder()
        if self.decoder is not None:
            decoder: list[Layer] = resolve_chain(self.decoder)
        else:
            try:
                decoder = mirrored_chain(encoder, self.input_shape_)
            except ValueError as error:
                raise ValueError(
                    f"The decoder cannot be the mirror image of the encoder. {error} "
                    "Give decoder=, the layers from the code to the samples."
                ) from error
        return [*self._added_layers(), *encoder, *decoder]

    def _fitted_attributes(self, state: TrainingState) -> dict[str, Any]:
        n = self._n_added_layers() + len(self._encoder())
        more = {"n_encoder_layers_": n, "code_shape_": state.network.shapes[n]}
        return {**super()._fitted_attributes(state), **more}

    # ---- what it is trained for

    def _new_task(self, y: Any, classes: Any, dtype: DTypeLike) -> ReconstructionTask:
        return ReconstructionTask(
            self._loss_of_samples(),
            self.input_shape_,
            self._sample_shape,
            self._divisor,
            dtype,
        )

    def _same_task(self, classes: Any) -> ReconstructionTask:
        return self._new_task(None, None, self._task.dtype)

    def _loss_of_samples(self) -> Loss:
        loss = self._loss_as_set()
        if loss.n_raw_for_targets(1) != 1:
            raise ValueError(
                f"{type(self).__name__} rebuilds one number for each number, got "
                f"{loss!r}."
            )
        return loss
