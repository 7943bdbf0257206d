"""Batch normalisation that a convolution does by the way, in predictions."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

from skdl._typing import Tree
from skdl.layers._batch_norm import BatchNorm
from skdl.layers._conv import Conv2D, DepthwiseConv2D
from skdl.layers._layer import Layer
from skdl.layers._links import LayerList
from skdl.layers._residual import Residual

_CONVOLUTIONS = Conv2D, DepthwiseConv2D
_NOTHING: dict[str, Any] = {}


class _Kept(NamedTuple):
    """A layer that is left, and where its arrays come from.

    Attributes
    ----------
    key : str
        Its key in the chain as it was.
    norms : list of (str, BatchNorm)
        The norms behind it that it takes over, with their keys.
    inner, shortcut : FoldedChain or None
        Of a residual block: what becomes of its chains.
    """

    key: str
    norms: list[tuple[str, BatchNorm]]
    inner: FoldedChain | None
    shortcut: FoldedChain | None


class FoldedChain:
    """A chain for predictions in which no norm follows a convolution.

    γ(Wx + b − μ)/√(σ² + ε) + β is a convolution with other filters and biases, of the
    size of the first ones.

    Parameters
    ----------
    layers : LayerList
        The layers that are left.
    kept : list of _Kept
        The same with where their arrays come from.

    Attributes
    ----------
    changes : bool
        Whether arrays are other ones than before.
    sources : frozenset of str
        Keys, in the chain as it was, of what convolutions are made of.
    last : object
        What a network remembers here.
    """

    def __init__(self, layers: LayerList, kept: list[_Kept]) -> None:
        self.layers = layers
        self.kept = kept
        self.changes = any(k.norms or k.inner is not None for k in kept)
        self.sources = frozenset(
            key
            for layer, k in zip(layers, kept, strict=True)
            if k.inner is not None or type(layer) in _CONVOLUTIONS
            for key in (k.key, *(norm for norm, _ in k.norms))
        )
        self._rest = [
            (str(i), k.key) for i, k in enumerate(kept) if k.key not in self.sources
        ]
        self.last: Any = None

    def arrays(self, params: Tree) -> dict[str, Any]:
        """Return the arrays of the layers that are left, made of those of all.

        Parameters
        ----------
        params : mapping
            Arrays by layer key.

        Returns
        -------
        arrays : dict
            Arrays by the keys of the layers that are left.
        """
        return {str(i): _arrays(kept, params) for i, kept in enumerate(self.kept)}

    def rest(self, params: Tree) -> dict[str, Any]:
        """Return the arrays that are not of `sources`.

        Parameters
        ----------
        params : mapping
            Arrays by layer key.

        Returns
        -------
        arrays : dict
            Arrays by the keys of the layers that are left.
        """
        return {key: params[source] for key, source in self._rest if source in params}


def _arrays(kept: _Kept, params: Tree) -> Any:
    own = params.get(kept.key, _NOTHING)
    if kept.inner is not None:
        arrays = kept.inner.arrays(own)
        skip = own.get("skip")
        if kept.shortcut is not None:
            skip = kept.shortcut.arrays(skip or _NOTHING)
        return arrays if skip is None else {**arrays, "skip": skip}
    for key, norm in kept.norms:
        scale, shift = norm.affine(params[key])
        b = own.get("b")
        own = {"W": own["W"] * scale, "b": shift if b is None else shift + scale * b}
    return own


def fold_norms(layers: Sequence[Layer]) -> FoldedChain:
    """Return a chain for predictions in which no norm follows a convolution.

    Parameters
    ----------
    layers : sequence of Layer
        The chain; a `LayerList` remembers what becomes of its layers.

    Returns
    -------
    chain : FoldedChain
        The same map in prediction, of fewer layers.

    Examples
    --------
    >>> from skdl.layers import BatchNorm, Conv2D, fold_norms, resolve_chain
    >>> layers = resolve_chain([Conv2D(8, bias=False), BatchNorm(), "relu"])
    >>> [type(layer).__name__ for layer in fold_norms(layers).layers]
    ['Conv2D', 'Activation']
    """
    folded = layers.folded if isinstance(layers, LayerList) else None
    if folded is None:
        folded = _fold(layers)
        if isinstance(layers, LayerList):
            layers.folded = folded
    return folded


def _fold(layers: Sequence[Layer]) -> FoldedChain:
    left, kept = LayerList(), list[_Kept]()
    for i, layer in enumerate(layers):
        if isinstance(layer, BatchNorm) and i and type(layers[i - 1]) in _CONVOLUTIONS:
            kept[-1].norms.append((str(i), layer))
            continue
        inner = shortcut = None
        if isinstance(layer, Residual):
            layer, inner, shortcut = _fold_residual(layer)
        left.append(layer)
        kept.append(_Kept(str(i), [], inner, shortcut))
    return FoldedChain(left, kept)


def _fold_residual(layer: Residual) -> tuple[Residual, FoldedChain, FoldedChain | None]:
    layer, shortcut = copy.copy(layer), None
    inner = _fold(layer.layers)  # type: ignore[arg-type]  # settled
    layer.layers = inner.layers
    if layer.shortcut is not None:
        shortcut = _fold(layer.shortcut)  # type: ignore[arg-type]
        layer.shortcut = shortcut.layers
    return layer, inner, shortcut
