"""Layers of a chain, with what the chain knows of their neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from skdl.layers._layer import Layer


class Link(NamedTuple):
    """A layer in a chain, with what the chain knows of its neighbours.

    Attributes
    ----------
    key : str
        Its key among the arrays.
    layer : Layer
        The layer.
    floor : float or None
        What its output is not to fall below, so that nothing is left to do for the
        activation that follows; None where that does its own work.
    undoes_floor : bool
        Whether its backward pass does that of the ReLU before it, too.
    is_undone : bool
        Whether the backward pass of the layer before it does its own, too.
    as_rows : bool or None
        Of a layer that `gives_rows`: whether the layer behind it takes them.
    moments : bool
        Whether it is to leave moments for the norm behind it.
    """

    key: str
    layer: Layer
    floor: float | None
    undoes_floor: bool
    is_undone: bool
    as_rows: bool | None
    moments: bool


class LayerList(list[Layer]):
    """Layers of a chain, ready for use; they are not exchanged any more.

    Parameters
    ----------
    iterable : iterable of Layer, default=()
        The layers.

    Attributes
    ----------
    folded : FoldedChain or None
        What `fold_norms` has found out about them.

    Examples
    --------
    >>> from skdl.layers import Conv2D, resolve_chain
    >>> chain = resolve_chain([Conv2D(8), "relu", "tanh"])
    >>> type(chain).__name__, len(chain)
    ('LayerList', 3)
    >>> [link.floor for link in chain.links]  # the first does the work of the ReLU
    [0.0, None, None]
    """

    folded: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return LayerList, (list(self),)  # what is worked out can be again

    @cached_property
    def known(self) -> dict[Any, Any]:
        """What a network has found out about the layers."""
        return {}

    @cached_property
    def fuses_sum(self) -> bool:
        """Whether the last layer's forward pass adds what it is told to."""
        return bool(self) and self[-1].heeds("fuses_sum")

    @cached_property
    def fuses_gradients(self) -> bool:
        """Whether the first layer's backward pass does."""
        return bool(self) and self[0].heeds("fuses_gradients", "backward")

    @cached_property
    def links(self) -> list[Link]:
        """The layers with what the chain knows of their neighbours."""
        return _links(self)


def links(layers: Sequence[Layer]) -> list[Link]:
    """Return the layers of a chain with what it knows of their neighbours.

    Parameters
    ----------
    layers : sequence of Layer
        The layers.

    Returns
    -------
    links : list of Link
        One a layer; a `LayerList` works them out once.
    """
    return layers.links if isinstance(layers, LayerList) else _links(layers)


def _links(layers: Sequence[Layer]) -> list[Link]:
    result: list[Link] = []
    for i, layer in enumerate(layers):
        before = layers[i - 1] if i else None
        after = layers[i + 1] if i + 1 < len(layers) else None
        result.append(
            Link(
                str(i),
                layer,
                after.floor if after and layer.heeds("fuses_floor") else None,
                _undoes(layer, before),
                _is_undone(layer, before),
                bool(after and after.takes_rows) if layer.gives_rows else None,
                _leaves_moments(layer, after),
            )
        )
    return result


def _undoes(layer: Layer, before: Layer | None) -> bool:
    is_relu = before is not None and before.floor == 0
    return is_relu and layer.heeds("undoes_floor", "backward")


def _is_undone(layer: Layer, before: Layer | None) -> bool:
    if before is None or layer.floor != 0:
        return False
    return before.heeds("fuses_floor") and before.heeds("unfuses_floor", "backward")


def _leaves_moments(layer: Layer, after: Layer | None) -> bool:
    if after is None or after._frozen:
        return False
    return layer.heeds("gives_moments") and after.heeds("takes_moments")
