"""Batch normalisation that a convolution does by the way, in predictions."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, cast

from skdl._typing import Tree
from skdl.layers._batch_norm import BatchNorm
from skdl.layers._conv import Conv2D, DepthwiseConv2D
from skdl.layers._layer import Layer
from skdl.layers._residual import Residual

_CONVOLUTIONS = Conv2D, DepthwiseConv2D


def fold_norms(layers: Sequence[Layer], params: Tree) -> tuple[list[Layer], Tree]:
    """Return a chain for predictions in which no norm follows a convolution.

    γ(Wx + b − μ)/√(σ² + ε) + β is a convolution with other filters and biases, of the
    size of the first ones: they are made anew for each prediction.

    Parameters
    ----------
    layers : sequence of Layer
        The chain.
    params : mapping
        Arrays by layer key.

    Returns
    -------
    layers : list of Layer
        The same map in prediction, of fewer layers.
    params : mapping
        Their arrays.
    """
    if not any(isinstance(layer, BatchNorm | Residual) for layer in layers):
        return list(layers), params
    kept: list[Layer] = []
    arrays: dict[str, Any] = {}
    for i, layer in enumerate(layers):
        own, last = params.get(str(i), {}), str(len(kept) - 1)
        if isinstance(layer, BatchNorm) and i and type(layers[i - 1]) in _CONVOLUTIONS:
            scale, shift = layer.affine(own)
            W, b = arrays[last]["W"], arrays[last].get("b")
            arrays[last] = {
                "W": W * scale,
                "b": shift if b is None else shift + scale * b,
            }
            continue
        if isinstance(layer, Residual):
            layer, own = _fold_residual(layer, own)
        kept.append(layer)
        arrays[str(len(kept) - 1)] = own
    return kept, arrays


def _fold_residual(layer: Residual, params: Tree) -> tuple[Layer, Tree]:
    layer = copy.copy(layer)
    layer.layers, arrays = fold_norms(cast(list[Layer], layer.layers), params)
    skip = params.get("skip")
    if layer.shortcut is not None:
        shortcut = cast(list[Layer], layer.shortcut)
        layer.shortcut, skip = fold_norms(shortcut, skip or {})
    return layer, arrays if skip is None else {**arrays, "skip": skip}
