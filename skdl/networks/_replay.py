"""Predictions of single samples that are made as the last one was."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array, Tree
from skdl.layers import Arena, Context, LayerList, Rescale, forward_chain, replays
from skdl.ops.tape import Tape


class Replay:
    """A chain that predicts one sample after the other in memory of its own.

    The first prediction makes what is kept of the weights, the second notes which
    compiled operations are called, and later ones copy the sample to where that was and
    call those again.

    Parameters
    ----------
    layers : LayerList
        The chain, of which `suits` holds.
    tree : dict
        Its arrays; they stay the same objects.
    dtype : dtype
        Type of the network's numbers.
    """

    def __init__(self, layers: LayerList, tree: Tree, dtype: Any) -> None:
        self._layers = layers
        self._tree = tree
        self._arena = Arena(dtype)
        self._ctx = Context(train=False, dtype=dtype, arena=self._arena)
        self._ctx.single = True
        self._runs = 0
        self._tape = Tape()
        self._raw: Array | None = None

    @staticmethod
    def suits(layers: LayerList, input_shape: tuple[int, ...]) -> bool:
        """Return whether a chain does nothing but call compiled code.

        Parameters
        ----------
        layers : LayerList
            The chain. `Rescale` at its beginning is called as it is.
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        suits : bool
            Whether its predictions may be made in this way.
        """
        return replays(layers[1:] if _rescales(layers) else layers, input_shape)

    def predict(self, x: Array) -> Array:
        """Return the output of one sample.

        Parameters
        ----------
        x : ndarray of shape (1,) + input_shape
            The sample, always of the same type.

        Returns
        -------
        raw : ndarray of shape (1, ...)
            Memory that the next prediction overwrites.
        """
        self._arena.reset()
        if self._raw is not None:
            self._put(x)
            self._tape.play()
            return self._raw
        if not _rescales(self._layers):
            x = self._put(x)
        if self._runs == 0:
            raw = forward_chain(self._layers, self._tree, x, self._ctx)[0]
        else:
            with self._tape.noted():
                raw = forward_chain(self._layers, self._tree, x, self._ctx)[0]
            self._raw = raw
        self._runs += 1
        return raw

    def _put(self, x: Array) -> Array:
        """Return what the first compiled layer takes, where it always is."""
        if _rescales(self._layers):
            return self._layers[0].forward({}, x, self._ctx)[0]
        place = self._arena.empty(x.shape)
        np.copyto(place, x)
        return place


def _rescales(layers: LayerList) -> bool:
    return bool(layers) and type(layers[0]) is Rescale
