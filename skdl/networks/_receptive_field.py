"""Which part of a picture, or of a sequence, a position of each layer sees.

A position p of an axis sees the pixels from offset + p·jump on, so many as the size.
A layer whose windows have k entries, with distance s of windows, d of entries and
b pixels of padding before, makes of them

    size + (k − 1)·d·jump,    jump·s,    offset − b·jump

(Araujo, Norris & Sim 2019, "Computing receptive fields of convolutional networks").
Layers that enlarge go the other way, see `skdl.ops.window.Spread`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from skdl._typing import Shape
from skdl.layers import Inside, Layer, inside_chain, resolve_chain
from skdl.ops.window import Axis, Spread


class Span(NamedTuple):
    """What the positions along an axis see."""

    n: int  # pixels of the picture
    out: int  # positions
    size: int = 1
    jump: int = 1
    offset: int = 0

    def through(self, axis: Axis | Spread) -> Span | None:
        """Return what positions see through one more layer, where whole numbers can."""
        seen = axis.seen(self.size, self.jump, self.offset)
        return None if seen is None else Span(self.n, axis.out, *seen)

    def joined(self, other: Span) -> Span:
        """Return the smallest span that holds both, at each position."""
        jump = max(self.jump, other.jump)
        ends = [
            (a.offset + p * (a.jump - jump), a.offset + p * (a.jump - jump) + a.size)
            for a in (self, other)
            for p in (0, self.out - 1)
        ]
        first, last = min(ends)[0], max(stop for _, stop in ends)
        return Span(self.n, self.out, last - first, jump, first)


# None: not known, as a layer does not say it.
Spans = tuple[Span, ...] | None


class Visit(NamedTuple):
    """A layer of a network, or a layer inside one."""

    item: Inside
    output_shape: Shape
    multiply_adds: int  # with those inside
    spans: Spans


def visit(layers: Sequence[Layer], input_shape: Shape) -> Iterator[Visit]:
    """Go through a network: each layer, and behind it those inside it.

    Parameters
    ----------
    layers : sequence of Layer
        The layers.
    input_shape : tuple of int
        Shape of one sample.

    Yields
    ------
    visit : Visit
        A layer.
    """
    yield from _chain(inside_chain(layers, input_shape), ())[0]


def _chain(chain: Sequence[Inside], spans: Spans) -> tuple[list[Visit], Spans]:
    visits: list[Visit] = []
    for item in chain:
        inner = _layer(item, spans)
        visits += inner
        spans = inner[0].spans
    return visits, spans


def _layer(item: Inside, spans: Spans) -> list[Visit]:
    """Return the visits of a layer and of those inside it."""
    layer, shape = item.layer, item.input_shape
    output_shape = layer.build(shape)[0]
    below: list[Visit] = []
    windows = layer.windows(shape)
    ways = [] if windows is None else [_looked(spans, windows, output_shape)]
    products = layer.multiply_adds(shape)
    for chain in layer.inside(shape):
        full = [inside._replace(key=f"{item.key}.{inside.key}") for inside in chain]
        visits, end = _chain(full, spans)
        below += visits
        if not layer.is_side:
            ways.append(end)
            outer = {inside.key for inside in full}
            products += sum(v.multiply_adds for v in visits if v.item.key in outer)
    seen = ways[0] if ways else spans
    for way in ways[1:]:
        seen = _joined(seen, way)
    return [Visit(item, output_shape, products, seen), *below]


def _looked(
    spans: Spans, windows: Sequence[Axis | Spread], output_shape: Shape
) -> Spans:
    if spans == () and windows:  # the first layer that has positions
        spans = tuple(Span(axis.n, axis.n) for axis in windows)
    if spans is None or math.prod(axis.out for axis in windows) != math.prod(
        output_shape[:-1]
    ):
        return None
    if not windows:  # flat samples keep what they have seen
        return spans
    if [axis.n for axis in windows] != [span.out for span in spans]:
        return None
    found = []
    for span, axis in zip(spans, windows, strict=True):
        through = span.through(axis)
        if through is None:
            return None
        found.append(through)
    return tuple(found)


def _joined(a: Spans, b: Spans) -> Spans:
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(one.joined(other) for one, other in zip(a, b, strict=True))


class ReceptiveField(NamedTuple):
    """Which pixels the positions of a layer's output see.

    Along each axis, position p sees the pixels from ``offset + p * jump`` on, ``size``
    of them. Those outside the picture are padding.

    Attributes
    ----------
    key : str
        The layer's key, such as "3", or "3.0" for the first layer inside it: what the
        names of its arrays begin with.
    layer : str
        Its class.
    size, jump, offset : tuple of int
        Down and across; of sequences one number each, of flat samples none.
    positions : tuple of int
        Number of positions along each axis.
    pixels : tuple of int
        Size of the picture.

    Examples
    --------
    >>> from skdl.layers import Conv2D, MaxPool2D
    >>> from skdl.networks import receptive_fields
    >>> field = receptive_fields([Conv2D(8, 5), MaxPool2D(2)], (28, 28, 1))[-1]
    >>> field.size, field.jump, field.positions
    ((6, 6), (2, 2), (12, 12))
    >>> field.of(0, 1)  # the pixels that the second position of the first row sees
    (slice(0, 6, None), slice(2, 8, None))
    """

    key: str
    layer: str
    size: tuple[int, ...]
    jump: tuple[int, ...]
    offset: tuple[int, ...]
    positions: tuple[int, ...]
    pixels: tuple[int, ...]

    def of(self, *position: int) -> tuple[slice, ...]:
        """Return the part of the picture that a position sees.

        Parameters
        ----------
        *position : int
            Row and column; negative ones count from the end.

        Returns
        -------
        part : tuple of slice
            Rows and columns of the picture, padding left out.

        Raises
        ------
        IndexError
            If there is no such position.
        """
        if len(position) != len(self.positions) or not all(
            -n <= p < n for p, n in zip(position, self.positions, strict=False)
        ):
            raise IndexError(
                f"The positions of layer {self.key} are {self.positions}, got "
                f"{position}."
            )
        parts = []
        for axis, p in enumerate(position):
            start = self.offset[axis] + p % self.positions[axis] * self.jump[axis]
            stop = min(self.pixels[axis], start + self.size[axis])
            parts.append(slice(max(0, start), max(0, stop)))
        return tuple(parts)


def receptive_fields(
    layers: Sequence[Layer | str], input_shape: Shape
) -> list[ReceptiveField]:
    """Return which pixels the positions of each layer see, in prediction.

    Of paths side by side (`Branches`, `Residual`) the layer around them sees what the
    largest one does. `Flatten` and `GlobalAvgPool` see everything, and so do the layers
    behind them.

    Parameters
    ----------
    layers : sequence of Layer or str
        The layers.
    input_shape : tuple of int
        Shape of one sample.

    Returns
    -------
    fields : list of ReceptiveField
        One a layer, those inside a layer behind it.

    Raises
    ------
    ValueError
        If the layers do not fit together, or one does not say what it looks at, see
        `skdl.layers.Layer.windows`; what enlarges pictures can say so where they have
        been shrunk as much before.

    Examples
    --------
    >>> from skdl.layers import Conv2D, MaxPool2D
    >>> from skdl.networks import receptive_fields
    >>> layers = [Conv2D(8, 3), Conv2D(8, 3), MaxPool2D(2), Conv2D(8, 3)]
    >>> for field in receptive_fields(layers, (28, 28, 1)):
    ...     print(field.layer, field.size, field.jump)
    Conv2D (3, 3) (1, 1)
    Conv2D (5, 5) (1, 1)
    MaxPool2D (6, 6) (2, 2)
    Conv2D (10, 10) (2, 2)
    """
    fields = []
    for item, _, _, spans in visit(resolve_chain(layers), tuple(input_shape)):
        if spans is None:
            raise ValueError(
                f"Layer {item.key} ({item.layer!r}) does not say which positions of "
                "its input it looks at; define its method windows."
            )
        n, out, size, jump, offset = zip(*spans, strict=True) if spans else ((),) * 5
        name = type(item.layer).__name__
        fields.append(ReceptiveField(item.key, name, size, jump, offset, out, n))
    return fields
