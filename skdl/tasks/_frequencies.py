"""Output layers over symbols begin with how often each occurs."""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.networks import Network

_NEVER = float(np.log(np.finfo(np.float64).eps))


def begin_with(network: Network, counts: Array) -> None:
    """Set the biases of the last layer to the logarithms of frequencies.

    Parameters
    ----------
    network : Network
        Changed in place.
    counts : ndarray of shape (n_symbols,)
        How often each symbol occurs. Those that do not get a probability of about
        2·10⁻¹⁶.
    """
    _biases(network)[:] = _logarithms(counts)


def begin_new(network: Network, counts: Array) -> None:
    """Do so for the symbols that occur for the first time.

    With their biases as they are they would have to climb from −36 by steps of the
    learning rate.

    Parameters
    ----------
    network : Network
        Changed in place.
    counts : ndarray of shape (n_symbols,)
        How often each symbol occurs in what comes.
    """
    biases = _biases(network)
    new = (counts > 0) & (biases < 0.97 * _NEVER)
    biases[new] = _logarithms(counts)[new]


def _biases(network: Network) -> Array:
    return network.params[f"{len(network.layers) - 1}.b"]


def _logarithms(counts: Array) -> Array:
    return np.maximum(np.log(np.maximum(counts, 1e-300) / counts.sum()), _NEVER)
