"""Weights of a network to a file."""

from __future__ import annotations

import os
from typing import Any

from skdl._typing import Array
from skdl.io._safetensors import write_safetensors
from skdl.networks import Network


def network_of(model: Any) -> Network:
    """Return the network of what a user passes.

    Parameters
    ----------
    model : Network or estimator
        A network, or a fitted estimator that has one.

    Returns
    -------
    network : Network
        The network.

    Raises
    ------
    TypeError
        If there is none.
    """
    network = getattr(model, "network_", model)
    if not isinstance(network, Network):
        raise TypeError(
            "Weights are those of a skdl.networks.Network or of a fitted network "
            f"estimator, got {model!r:.200}."
        )
    return network


def arrays_of(network: Network) -> dict[str, Array]:
    """Return all arrays by name.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    arrays : dict of str to ndarray
        Views of the parameters, and of the running statistics behind them.
    """
    vectors = network.params, network.state
    return {name: vector[name] for vector in vectors for name in vector}


def save_weights(model: Any, path: str | os.PathLike[str]) -> None:
    """Write the arrays of a network to a safetensors file.

    The file holds numbers alone: reading it executes nothing. `load_weights` puts them
    into a network of the same layers.

    Parameters
    ----------
    model : Network or estimator
        A network, or a fitted network estimator.
    path : str or path
        The file; it is written beside and renamed.

    Raises
    ------
    TypeError
        If there is no network.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skdl import MLPRegressor
    >>> from skdl.io import read_weights, save_weights
    >>> X, y = np.zeros((4, 2)), np.zeros(4)
    >>> net = MLPRegressor((3,), random_state=0).initialize(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "net.safetensors")
    ...     save_weights(net, path)
    ...     print({name: array.shape for name, array in read_weights(path).items()})
    {'0.W': (2, 3), '0.b': (3,), '2.W': (3, 1), '2.b': (1,)}
    """
    network = network_of(model)
    words = {
        "format": "skdl",
        "input_shape": str(network.input_shape),
        "layers": str([repr(layer) for layer in network.layers]),
    }
    write_safetensors(path, arrays_of(network), words)
