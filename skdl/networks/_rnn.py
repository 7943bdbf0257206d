"""The layers of a recurrent network."""

from __future__ import annotations

from collections.abc import Sequence

from skdl.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dropout,
    Layer,
    PoolSteps,
    SpatialDropout,
)
from skdl.networks._sizes import hidden_sizes, per_layer

_CELLS = {"gru": GRU, "lstm": LSTM, "rnn": RNN}


def rnn_layers(
    hidden_layer_sizes: int | Sequence[int] = (64,),
    cell: str = "lstm",
    bidirectional: bool = False,
    pooling: str | None = "last",
    dropout: float | Sequence[float] = 0.0,
) -> list[Layer]:
    """Return recurrent layers, dropout behind each, and what makes rows of sequences.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(64,)
        Units of each recurrent layer, at least one layer.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Their kind.
    bidirectional : bool, default=False
        Whether each goes through a sequence in both directions: it then has twice the
        outputs.
    pooling : {"last", "mean", "max"} or None, default="last"
        How a sequence becomes one row: by the state at its end (going backwards: at
        its start), or the mean or the largest of each unit over its steps. None: it
        stays a sequence.
    dropout : float or sequence of float, default=0.0
        Share of the outputs of each layer that is dropped while training: of a sequence
        the same units in all steps (Gal & Ghahramani 2016).

    Returns
    -------
    layers : list of Layer
        The layers, without the output layer.

    Raises
    ------
    ValueError
        If there is no layer, a size is not positive, a sequence has not one entry for
        each layer, or a name is unknown.

    Examples
    --------
    >>> from skdl.networks import rnn_layers
    >>> rnn_layers((64, 32), cell="gru")
    [GRU(), GRU(return_sequences=False, units=32)]
    >>> rnn_layers(64, bidirectional=True, pooling="mean", dropout=0.2)
    [Bidirectional(layer=LSTM()), PoolSteps(), Dropout(rate=0.2)]
    """
    sizes = hidden_sizes(hidden_layer_sizes)
    rates = per_layer("dropout", dropout, len(sizes))
    if not sizes:
        raise ValueError(
            "hidden_layer_sizes needs at least one recurrent layer, got ()."
        )
    if cell not in _CELLS:
        raise ValueError(f"cell must be one of {sorted(_CELLS)}, got {cell!r}.")
    if pooling not in ("last", "mean", "max", None):
        raise ValueError(
            f"pooling must be 'last', 'mean', 'max' or None, got {pooling!r}."
        )
    layers: list[Layer] = []
    for i, (units, rate) in enumerate(zip(sizes, rates, strict=True)):
        ends = i == len(sizes) - 1
        one = ends and pooling == "last"
        layer: Layer = _CELLS[cell](units, return_sequences=not one)
        layers.append(Bidirectional(layer) if bidirectional else layer)
        if ends and pooling in ("mean", "max"):
            layers.append(PoolSteps(pooling))
        if rate:
            row = ends and pooling is not None
            layers.append(Dropout(rate) if row else SpatialDropout(rate))
    return layers
