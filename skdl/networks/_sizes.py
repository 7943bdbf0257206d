"""Settings that hold one entry for each hidden layer, or one for all."""

from __future__ import annotations

from typing import Any

import numpy as np


def hidden_sizes(value: Any) -> list[int]:
    """Return the units of each hidden layer.

    Parameters
    ----------
    value : int or sequence of int
        What the user passed as `hidden_layer_sizes`.

    Returns
    -------
    sizes : list of int
        One entry a layer.

    Raises
    ------
    ValueError
        If one is no positive integer.
    """
    sizes = list(value) if hasattr(value, "__iter__") else [value]
    kinds = int, np.integer  # True is an int, too
    if not all(isinstance(n, kinds) and n >= 1 and n is not True for n in sizes):
        raise ValueError(
            f"hidden_layer_sizes must be positive integers, got {value!r}."
        )
    return [int(n) for n in sizes]


def per_layer(name: str, value: Any, n_layers: int) -> list[Any]:
    """Return one entry for each hidden layer.

    Parameters
    ----------
    name : str
        What errors call the setting.
    value : object
        One for all, or a sequence.
    n_layers : int
        Number of hidden layers.

    Returns
    -------
    values : list
        One entry a layer.

    Raises
    ------
    ValueError
        If a sequence has another number of entries.
    """
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return [value] * n_layers
    values = list(value)
    if len(values) != n_layers:
        raise ValueError(
            f"{name} has {len(values)} entries for {n_layers} hidden layers; give one "
            "for all or one for each."
        )
    return values
