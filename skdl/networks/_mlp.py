"""The layers of a multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Sequence

from skdl.activations import ActivationFunction
from skdl.layers import Activation, BatchNorm, Dense, Dropout, Layer
from skdl.networks._sizes import hidden_sizes, per_layer


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

    Examples
    --------
    >>> from skdl.networks import mlp_layers
    >>> mlp_layers((64, 32), activation=("relu", "tanh"))
    [Dense(units=64), Activation(), Dense(units=32), Activation(function='tanh')]
    >>> mlp_layers(10, batch_norm=True, dropout=0.2)
    [Dense(bias=False, units=10), BatchNorm(), Activation(), Dropout(rate=0.2)]
    """
    sizes = hidden_sizes(hidden_layer_sizes)
    activations = per_layer("activation", activation, len(sizes))
    rates = per_layer("dropout", dropout, len(sizes))
    layers: list[Layer] = []
    for units, function, rate in zip(sizes, activations, rates, strict=True):
        # A shift that batch normalisation takes out again is no use.
        layers.append(Dense(units, bias=not batch_norm))
        if batch_norm:
            layers.append(BatchNorm())
        layers.append(Activation(function))
        if rate:
            layers.append(Dropout(rate))
    return layers
