"""The layers of a multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdl.activations import ActivationFunction
from skdl.layers import Activation, BatchNorm, Dense, Dropout, Layer


def mlp_layers(
    hidden_layer_sizes: int | Sequence[int] = (100,),
    activation: str | ActivationFunction | Sequence[str | ActivationFunction] = "relu",
    dropout: float | Sequence[float] = 0.0,
    batch_norm: bool = False,
) -> list[Layer]:
    """Return the hidden layers: dense, batch normalisation, activation, dropout.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; empty for none.
    activation : str, ActivationFunction or sequence of them, default="relu"
        One for all hidden layers or one for each.
    dropout : float or sequence of float, default=0.0
        Share of each hidden layer's outputs that is dropped while training.
    batch_norm : bool, default=False
        Whether to normalise before each activation.

    Returns
    -------
    layers : list of Layer
        The hidden layers, without the output layer.

    Raises
    ------
    ValueError
        If a sequence has not one entry for each hidden layer, or a size is not
        positive.
    """
    sizes = _as_list(hidden_layer_sizes)
    activations = _per_layer("activation", activation, len(sizes))
    rates = _per_layer("dropout", dropout, len(sizes))
    layers: list[Layer] = []
    for units, function, rate in zip(sizes, activations, rates, strict=True):
        if not isinstance(units, (int, np.integer)) or units < 1:
            raise ValueError(
                "hidden_layer_sizes must be positive integers, "
                f"got {hidden_layer_sizes!r}."
            )
        # A shift that batch normalisation takes out again is no use.
        layers.append(Dense(int(units), bias=not batch_norm))
        if batch_norm:
            layers.append(BatchNorm())
        layers.append(Activation(function))
        if rate:
            layers.append(Dropout(rate))
    return layers


def _as_list(value: Any) -> list[Any]:
    return list(value) if hasattr(value, "__iter__") else [value]


def _per_layer(name: str, value: Any, n_layers: int) -> list[Any]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return [value] * n_layers
    values = list(value)
    if len(values) != n_layers:
        raise ValueError(
            f"{name} has {len(values)} entries for {n_layers} hidden layers; give one "
            "for all or one for each."
        )
    return values
