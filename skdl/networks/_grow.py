"""Weights of one network as the start of another, of more layers or of fewer."""

from __future__ import annotations

from itertools import zip_longest
from typing import NamedTuple

from skdl._typing import Shape
from skdl.layers import Activation, Dropout, Rescale, SpatialDropout
from skdl.networks._network import Network

# Layers that come and go without a change of what the others mean.
_FREE = (Activation, Dropout, SpatialDropout, Rescale)


class _Part(NamedTuple):
    """A layer that has arrays, or that changes the form of samples."""

    place: int
    kind: str
    arrays: tuple[tuple[str, Shape], ...]

    def fits(self, other: _Part) -> bool:
        return self[1:] == other[1:]

    def __str__(self) -> str:
        shapes = ", ".join(f"{name} {shape}" for name, shape in self.arrays)
        return f"{self.place} {self.kind} ({shapes})" if shapes else self.kind


def take_weights(target: Network, source: Network, n_body: int, head: bool) -> int:
    """Take over the weights of the layers that fit, in place.

    The layers of the source are found again in the target, in their order; what the
    target has in between is new and keeps its start. Or the target is the beginning of
    the source.

    Parameters
    ----------
    target : Network
        Its arrays are written to.
    source : Network
        A network whose last layer with arrays is its output layer.
    n_body : int
        Layers of the target in front of its output layer.
    head : bool
        Whether to take over the output layer too, if it fits.

    Returns
    -------
    n_taken : int
        Layers whose weights were taken.

    Raises
    ------
    ValueError
        If the layers do not fit; the message names both sides.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Dense
    >>> from skdl.networks import Network, take_weights
    >>> small = Network([Dense(5), "relu", Dense(3)], (4,))
    >>> small.initialize(np.random.default_rng(0))
    >>> deeper = Network([Dense(5), "relu", Dense(5), "relu", Dense(3)], (4,))
    >>> take_weights(deeper, small, n_body=4, head=True)  # the first layer and the last
    2
    >>> np.array_equal(deeper.params["4.W"], small.params["2.W"])
    True
    """
    ours, theirs = _parts(target), _parts(source)
    body = [part for part in ours if part.place < n_body]
    pairs = _aligned(body, theirs)
    if pairs is None:
        plain = [part for part in theirs if part.arrays]
        pairs = _aligned([part for part in body if part.arrays], plain)
    if pairs is None:
        raise ValueError(_misfit(body, theirs))
    if head:
        mine = [part for part in ours if part.place >= n_body and part.arrays]
        its = [part for part in theirs if part.arrays][-len(mine) :]
        used = {part.place for _, part in pairs if part.arrays}
        if (
            len(its) == len(mine)
            and all(a.fits(b) for a, b in zip(mine, its, strict=True))
            and not used & {part.place for part in its}
        ):
            pairs += zip(mine, its, strict=True)
    for mine_, its_ in pairs:
        _copy(target, source, mine_, its_)
    return sum(bool(part.arrays) for part, _ in pairs)


def _parts(network: Network) -> list[_Part]:
    arrays: dict[int, list[tuple[str, Shape]]] = {}
    for vector in (network.params, network.state):
        for name, shape in vector.shapes.items():
            index, _, rest = name.partition(".")
            arrays.setdefault(int(index), []).append((rest, shape))
    return [
        _Part(i, type(layer).__name__, tuple(arrays.get(i, ())))
        for i, layer in enumerate(network.layers)
        if not isinstance(layer, _FREE)
    ]


def _aligned(
    body: list[_Part], theirs: list[_Part]
) -> list[tuple[_Part, _Part]] | None:
    """Return which layers are the same ones; None if the networks do not fit."""
    if len(body) <= len(theirs) and any(part.arrays for part in body):
        pairs = list(zip(body, theirs, strict=False))
        if all(a.fits(b) for a, b in pairs):
            return pairs
    last = max((i for i, part in enumerate(theirs) if part.arrays), default=0)
    wanted, pairs = theirs[:last], []
    for part in body:  # those of the source, new ones in between
        if len(pairs) < len(wanted) and part.fits(wanted[len(pairs)]):
            pairs.append((part, wanted[len(pairs)]))
    grown = any(part.arrays for _, part in pairs)
    return pairs if grown and len(pairs) == len(wanted) else None


def _copy(target: Network, source: Network, mine: _Part, its: _Part) -> None:
    for new, old in ((target.params, source.params), (target.state, source.state)):
        for name, _ in mine.arrays:
            if f"{mine.place}.{name}" in new.shapes:
                new[f"{mine.place}.{name}"][...] = old[f"{its.place}.{name}"]


def _misfit(body: list[_Part], theirs: list[_Part]) -> str:
    ours = [part for part in body if part.arrays]
    other = [part for part in theirs if part.arrays]
    rows = [
        f"  {mine or '-'!s:<44}  {its or '-'!s}"
        for mine, its in zip_longest(ours, other)
    ]
    return (
        "The weights of init_from do not fit these layers. Each layer of the other "
        "network, its output layer aside, must come in the same order here, new "
        "layers may stand in between; or the layers here are its first ones.\n"
        f"  {'layers here, without the output layer':<44}  layers of init_from\n"
        + "\n".join(rows)
    )
