"""Which layers of a chain learn, and at what pace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skdl._compat import Integral, Real
from skdl._registry import did_you_mean
from skdl._settings import NOT_NEGATIVE, checked
from skdl._typing import Shape
from skdl.layers import Inside, Layer, ParamSpec, inside_chain

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

    Examples
    --------
    >>> from skdl.layers import Dense, resolve_chain
    >>> from skdl.networks import Network, set_rates
    >>> layers = resolve_chain([Dense(3), "relu", Dense(3), "relu", Dense(3)])
    >>> set_rates(layers, (3,), freeze=0, rates={2: 0.1})
    >>> network = Network(layers, (3,))  # of its 36 numbers 12 do not learn
    >>> [(group.rate, group.stop - group.start) for group in network.params.groups]
    [(0.1, 12), (1.0, 12)]
    """
    chain = inside_chain(layers, input_shape)
    for item in chain:
        for inner in item.walk():  # they may come from another network
            inner.layer._rate, inner.layer._frozen = 1.0, False
    if isinstance(rates, Real):
        _decay(chain, float(rates))
        rates = None
    chain = chain[n_added:]
    if isinstance(rates, Mapping):
        for which, rate in rates.items():
            number = checked("layer_rates", {"rate": NOT_NEGATIVE}, {"rate": rate})
            for item in chosen(chain, which, "layer_rates"):
                _slow_down(item, number["rate"])
    if freeze is not None:
        for item in chosen(chain, freeze, "freeze"):
            _slow_down(item, 0.0)


def _slow_down(item: Inside, rate: float) -> None:
    item.layer._rate *= rate
    if rate == 0:
        for inner in item.walk():
            inner.layer._frozen = True


def _decay(chain: Sequence[Inside], factor: float) -> None:
    """Multiply the rates by depth; what follows a layer with weights has its pace."""
    paces, depth = [], 0
    for item in chain:
        depth += _has_weights(item.layer.build(item.input_shape)[1])
        paces.append(depth)
    for item, pace in zip(chain, paces, strict=True):
        _slow_down(item, factor ** (depth + 1 - max(pace, 1)))


def _has_weights(spec: Any) -> bool:
    if isinstance(spec, dict):
        return any(map(_has_weights, spec.values()))
    spec = ParamSpec(*spec)
    return spec.trainable and spec.penalised


def chosen(layers: Sequence[Inside], which: Any, owner: str) -> list[Inside]:
    """Return the layers that somebody means.

    Parameters
    ----------
    layers : sequence of Inside
        A chain.
    which : int, slice, str or sequence of them
        An index, a slice; the name of a class or of the registry, of layers in layers
        too; "features" is all.
    owner : str
        The parameter, for messages.

    Returns
    -------
    found : list of Inside
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
        parts = [item for part in which for item in chosen(layers, part, owner)]
        return list({item.key: item for item in parts}.values())
    raise TypeError(
        f"{owner} takes an index of the layers, a slice, the name of a class of layers "
        f'such as "Conv2D", "{FEATURES}" or a list of these, got {which!r}.'
    )


def _named(layers: Sequence[Inside], name: str, owner: str) -> list[Inside]:
    if name == FEATURES:
        return list(layers)
    wanted = name.replace("_", "").lower()
    inner = [found for item in layers for found in item.walk()]
    found = [item for item in inner if type(item.layer).__name__.lower() == wanted]
    if not found:
        known = sorted({type(item.layer).__name__ for item in inner})
        raise ValueError(
            f"{owner}: no layer is called {name!r}. There are "
            f'{", ".join(known) or "none"}; "{FEATURES}" means all but the output '
            f"layer.{did_you_mean(name, [*known, FEATURES])}"
        )
    return found
