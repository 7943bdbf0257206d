"""A network as a table: its layers, the shapes between them, the numbers in them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from skdl._typing import Shape
from skdl.layers import Layer

if TYPE_CHECKING:
    from skdl.networks._network import Network

_HEADS = ("layer", "", "output", "parameters", "statistics")
_WIDEST = 40  # characters of a layer's own words


class _Row(NamedTuple):
    """A layer, or an array of a layer that holds layers."""

    key: str
    words: str
    output: str
    n_params: int
    n_statistics: int


def describe(network: Network) -> str:
    """Return a table of a network's layers.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    table : str
        A line for each layer, and for those inside it: number, settings that are not
        the default ones, shape of one sample of the output, trainable numbers and, if
        there are any, running statistics. The last line adds them up.
    """
    params, statistics = (
        {name: math.prod(shape) for name, shape in vector.shapes.items()}
        for vector in (network.params, network.state)
    )
    rows = list(_rows(network.layers, network.input_shape, "", params, statistics))
    sums = sum(params.values()), sum(statistics.values())
    total = ("", "total", "", *(f"{number:,}" for number in sums))
    shown = 5 if statistics else 4
    table = [cells[:shown] for cells in (_HEADS, *map(_cells, rows), total)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [_line(cells, widths) for cells in table]
    rule = "-" * max(map(len, lines))
    kilobytes = sum(sums) * network.dtype.itemsize / 1000
    head = f"Network: input {network.input_shape}, {network.dtype}, {kilobytes:,.1f} kB"
    return "\n".join([head, lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _rows(
    layers: Sequence[Layer],
    shape: Shape,
    prefix: str,
    params: Mapping[str, int],
    statistics: Mapping[str, int],
) -> Iterator[_Row]:
    for i, layer in enumerate(layers):
        key = f"{prefix}{i}"
        inner = getattr(layer, "layers", None)
        words = " ".join(repr(layer).split())
        if inner is not None:
            words = type(layer).__name__
        elif len(words) > _WIDEST:
            words = words[: _WIDEST - 1] + "…"
        start, (shape, specs) = shape, layer.build(shape)
        yield _Row(key, words, str(shape), _below(key, params), _below(key, statistics))
        if inner is None:
            continue
        yield from _rows(inner, start, f"{key}.", params, statistics)
        for name in specs:  # what is the layer's own, such as a learned skip
            if not name.isdigit():
                own = f"{key}.{name}"
                yield _Row(own, "", "", _below(own, params), _below(own, statistics))


def _below(key: str, sizes: Mapping[str, int]) -> int:
    return sum(n for name, n in sizes.items() if f"{name}.".startswith(f"{key}."))


def _cells(row: _Row) -> tuple[str, ...]:
    depth = row.key.count(".")
    return (
        "  " * depth + row.key,
        "  " * depth + row.words,
        row.output,
        f"{row.n_params:,}",
        f"{row.n_statistics:,}",
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    texts = zip(cells, "<<>>>", widths, strict=False)
    return "  ".join(f"{text:{side}{width}}" for text, side, width in texts).rstrip()
