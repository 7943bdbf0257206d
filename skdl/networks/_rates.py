"""Which layers of a chain learn, and at what pace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skdl._compat import Integral
from skdl._registry import did_you_mean
from skdl._settings import NOT_NEGATIVE, checked
from skdl._typing import Shape
from skdl.layers import Layer, build_chain

FEATURES = "features"


def set_rates(
    layers: Sequence[Layer],
    input_shape: Shape,
    freeze: Any,
    rates: Any,
    n_added: int = 0,
) -> None:
    """Say of layers how fast they learn, in place.

    Parameters
    ----------
    layers : sequence of Layer
        Copies of a network's own, without the output layer.
    input_shape : tuple of int
        Shape of one sample in front of the first.
    freeze : int, slice, str, sequence of them or None
        Layers that stay as they are, see `chosen`.
    rates : float, mapping or None
        A number is the share of the learning rate that a layer with weights has of
        that of the next one; a mapping has layers as keys, factors as values.
    n_added : int, default=0
        So many layers at the beginning do not count.

    Raises
    ------
    TypeError, ValueError
        If there are no such layers, or a factor is negative.
    """
    for _, layer in walk(layers):
        layer._rate, layer._frozen = 1.0, False  # of a network they were taken from
    if isinstance(rates, (int, float)):
        _decay(layers, input_shape, rates)
        rates = None
    layers = layers[n_added:]
    if isinstance(rates, Mapping):
        for which, rate in rates.items():
            number = checked("layer_rates", {"rate": NOT_NEGATIVE}, {"rate": rate})
            for layer in chosen(layers, which, "layer_rates"):
                layer.set_rate(number["rate"])
    if freeze is not None:
        for layer in chosen(layers, freeze, "freeze"):
            layer.set_rate(0.0)


def _decay(layers: Sequence[Layer], input_shape: Shape, factor: float) -> None:
    """Multiply the rates by depth; what follows a layer with weights has its pace."""
    _, specs = build_chain(layers, input_shape)
    paces, depth = [], 0
    for i, _ in enumerate(layers):
        depth += _has_weights(specs.get(str(i), {}))
        paces.append(depth)
    for layer, pace in zip(layers, paces, strict=True):
        layer.set_rate(factor ** (depth + 1 - max(pace, 1)))


def _has_weights(spec: Any) -> bool:
    if isinstance(spec, dict):
        return any(map(_has_weights, spec.values()))
    return bool(spec.trainable and spec.penalised)


def chosen(layers: Sequence[Layer], which: Any, owner: str) -> list[Layer]:
    """Return the layers that somebody means.

    Parameters
    ----------
    layers : sequence of Layer
        The layers.
    which : int, slice, str or sequence of them
        An index, a slice; the name of a class or of the registry, of layers in layers
        too; "features" is all.
    owner : str
        The parameter, for messages.

    Returns
    -------
    found : list of Layer
        Each once.

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If there is no such layer.
    """
    if isinstance(which, str):
        return _named(layers, which, owner)
    if isinstance(which, slice):
        found = list(layers[which])
        if not found:
            raise ValueError(
                f"{owner}: {which} holds none of the {len(layers)} layers."
            )
        return found
    if isinstance(which, Integral) and not isinstance(which, bool):
        index = int(which)
        if not -len(layers) <= index < len(layers):
            raise ValueError(
                f"{owner}: there are {len(layers)} layers, numbered from 0 and without "
                f"the output layer, got {which}."
            )
        return [layers[index]]
    if isinstance(which, Sequence):
        parts = [layer for part in which for layer in chosen(layers, part, owner)]
        return list({id(layer): layer for layer in parts}.values())
    raise TypeError(
        f"{owner} takes an index of the layers, a slice, the name of a class of layers "
        f'such as "Conv2D", "{FEATURES}" or a list of these, got {which!r}.'
    )


def _named(layers: Sequence[Layer], name: str, owner: str) -> list[Layer]:
    if name == FEATURES:
        return list(layers)
    wanted = name.replace("_", "").lower()
    inner = [layer for _, layer in walk(layers)]
    found = [layer for layer in inner if type(layer).__name__.lower() == wanted]
    if not found:
        known = sorted({type(layer).__name__ for layer in inner})
        raise ValueError(
            f"{owner}: no layer is called {name!r}. There are "
            f'{", ".join(known) or "none"}; "{FEATURES}" means all but the output '
            f"layer.{did_you_mean(name, [*known, FEATURES])}"
        )
    return found


def walk(layers: Sequence[Layer], prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """Yield layers and those in them, with the names of their arrays.

    Parameters
    ----------
    layers : sequence of Layer
        A chain.
    prefix : str, default=""
        What the names begin with.

    Yields
    ------
    name : str
        Such as "3.skip.0".
    layer : Layer
        The layer; before those that it holds.
    """
    for i, layer in enumerate(layers):
        yield from _walk_in(layer, f"{prefix}{i}")


def _walk_in(layer: Layer, name: str) -> Iterator[tuple[str, Layer]]:
    yield name, layer
    for chain in layer.inner_chains():
        for key, inner in chain:
            yield from _walk_in(inner, f"{name}.{key}")
