"""A network as a table: its layers, the shapes between them, the numbers in them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from skdl._typing import Shape
from skdl.layers import Layer, build_chain, resolve_chain
from skdl.networks._receptive_field import Spans, Visit, visit
from skdl.networks._specs import flatten

_HEADS = (
    "layer",
    "",
    "output",
    "field",
    "multiply-adds",
    "parameters",
    "statistics",
)
_WIDEST = 40  # characters of a layer's own words


class _Row(NamedTuple):
    """A layer, or an array of a layer that holds layers."""

    key: str
    depth: int
    words: str
    output: str
    field: str
    multiply_adds: int
    n_params: int
    n_statistics: int


def describe(
    layers: Sequence[Layer | str], input_shape: Shape, dtype: DTypeLike = np.float64
) -> str:
    """Return a table of layers; no arrays are made for it.

    Parameters
    ----------
    layers : sequence of Layer or str
        The layers.
    input_shape : tuple of int
        Shape of one sample.
    dtype : dtype, default=np.float64
        Type of the arrays.

    Returns
    -------
    table : str
        A line for each layer, and for those inside it: its key, settings that are not
        the default ones, shape of one sample of the output, receptive field in pixels
        ("all" where each position sees the whole input; "?" where the layer does not
        tell), multiplications of weights for a prediction, trainable numbers and, if
        there are any, running statistics. The last line adds them up. Sides that are
        for training only (`AuxiliaryHead`) count among the parameters, but not among
        the sums of multiplications.

    Raises
    ------
    ValueError
        If the layers do not fit together.

    Examples
    --------
    >>> from skdl.layers import Conv2D, Dense, Flatten, MaxPool2D
    >>> from skdl.networks import describe
    >>> layers = [Conv2D(8), "relu", MaxPool2D(), Flatten(), Dense(10)]
    >>> print(describe(layers, (28, 28, 1)))
    Network: input (28, 28, 1), float64, 108.9 kB
    layer                               output       field  multiply-adds  parameters
    ---------------------------------------------------------------------------------
    0      Conv2D(filters=8)            (26, 26, 8)    3×3         48,672          80
    1      Activation(function=ReLU())  (26, 26, 8)    3×3              0           0
    2      MaxPool2D()                  (13, 13, 8)    4×4              0           0
    3      Flatten()                    (1352,)        all              0           0
    4      Dense(units=10)              (10,)          all         13,520      13,530
    ---------------------------------------------------------------------------------
           total                                                   62,192      13,610
    """
    chain, dtype = resolve_chain(layers), np.dtype(dtype)
    specs = dict(flatten(build_chain(chain, input_shape)[1]))
    sizes = {name: math.prod(spec.shape) for name, spec in specs.items()}
    params = {name: n for name, n in sizes.items() if specs[name].trainable}
    statistics = {name: n for name, n in sizes.items() if not specs[name].trainable}
    visits = list(visit(chain, input_shape))
    rows = list(_rows(visits, params, statistics))
    products = sum(v.multiply_adds for v in visits if v.item.key.isdigit())
    sums = products, sum(params.values()), sum(statistics.values())
    total = ("", "total", "", "", *(f"{number:,}" for number in sums))
    shown = [
        i
        for i, head in enumerate(_HEADS)
        if (statistics or head != "statistics")
        and (head != "field" or any(row.field for row in rows))
    ]
    table = [[cells[i] for i in shown] for cells in (_HEADS, *map(_cells, rows), total)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    sides = ["<" if i < 3 else ">" for i in shown]
    lines = [_line(cells, sides, widths) for cells in table]
    rule = "-" * max(map(len, lines))
    kilobytes = sum(sizes.values()) * dtype.itemsize / 1000
    head = f"Network: input {input_shape}, {dtype}, {kilobytes:,.1f} kB"
    return "\n".join([head, lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _rows(
    visits: Sequence[Visit], params: Mapping[str, int], statistics: Mapping[str, int]
) -> Iterator[_Row]:
    keys = {v.item.key for v in visits}
    for item, output, products, spans in visits:
        key, layer = item.key, item.layer
        inner = [
            inside.key for chain in layer.inside(item.input_shape) for inside in chain
        ]
        words = type(layer).__name__ if inner else " ".join(repr(layer).split())
        if len(words) > _WIDEST:
            words = words[: _WIDEST - 1] + "…"
        numbers = _below(key, params), _below(key, statistics)
        depth = _depth(key, keys)
        yield _Row(key, depth, words, str(output), _seen(spans), products, *numbers)
        for name in layer.build(item.input_shape)[1] if inner else ():
            if not any(f"{k}.".startswith(f"{name}.") for k in inner):
                # what is the layer's own, such as a learned skip
                own, mine = f"{key}.{name}", layer.multiply_adds(item.input_shape)
                numbers = _below(own, params), _below(own, statistics)
                yield _Row(own, depth + 1, "", "", "", mine, *numbers)


def _depth(key: str, keys: set[str]) -> int:
    """Return how many layers a layer is inside of."""
    parts = key.split(".")
    return sum(".".join(parts[:i]) in keys for i in range(1, len(parts)))


def _seen(spans: Spans) -> str:
    """Return a receptive field in words."""
    if spans is None:
        return "?"
    if spans and all(
        s.offset + (s.out - 1) * s.jump <= 0 and s.offset + s.size >= s.n for s in spans
    ):
        return "all"
    return "×".join(str(span.size) for span in spans)


def _below(key: str, sizes: Mapping[str, int]) -> int:
    return sum(n for name, n in sizes.items() if f"{name}.".startswith(f"{key}."))


def _cells(row: _Row) -> tuple[str, ...]:
    indent = "  " * row.depth
    return (
        indent + row.key,
        indent + row.words,
        row.output,
        row.field,
        *(f"{n:,}" for n in (row.multiply_adds, row.n_params, row.n_statistics)),
    )


def _line(cells: Sequence[str], sides: Sequence[str], widths: Sequence[int]) -> str:
    texts = zip(cells, sides, widths, strict=True)
    return "  ".join(f"{text:{side}{width}}" for text, side, width in texts).rstrip()
