"""Large pictures in tiles that overlap so far that no seam is seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from skdl._settings import COUNT, checked
from skdl._typing import Array, Shape
from skdl.losses import Loss
from skdl.networks import Network, Reach, reach_of

_LARGE = 2**26  # bytes of the largest activation of a picture that goes through whole
TILE = 512  # pixels along a side


class Tile(NamedTuple):
    """A part of a picture, and a frame around it that is looked at too.

    Attributes
    ----------
    part : tuple of (slice, slice)
        Rows and columns of the picture that are predicted.
    seen : tuple of (slice, slice)
        Rows and columns that go through the network.
    """

    part: tuple[slice, slice]
    seen: tuple[slice, slice]

    @property
    def inner(self) -> tuple[slice, slice]:
        """Where the part lies in what goes through the network."""
        rows, columns = (
            slice(part.start - seen.start, part.stop - seen.start)
            for part, seen in zip(self.part, self.seen, strict=True)
        )
        return rows, columns


def tiles(sides: tuple[int, int], size: int, reach: Reach) -> Iterator[Tile]:
    """Cut a picture.

    Parameters
    ----------
    sides : tuple of (int, int)
        Its height and width.
    size : int
        Pixels of a tile along a side, rounded up to a multiple of the network's step.
    reach : Reach
        How far the network looks.

    Yields
    ------
    tile : Tile
        Row by row.
    """
    rows, columns = (
        list(_along(n, size, reach.pixels[axis], reach.step[axis]))
        for axis, n in enumerate(sides)
    )
    for part_rows, seen_rows in rows:
        for part_columns, seen_columns in columns:
            yield Tile((part_rows, part_columns), (seen_rows, seen_columns))


def _along(n: int, size: int, reach: int, step: int) -> Iterator[tuple[slice, slice]]:
    size, frame = (-(-length // step) * step for length in (size, reach))
    for start in range(0, n, size):
        stop = min(start + size, n)
        yield slice(start, stop), slice(max(0, start - frame), min(n, stop + frame))


class TiledPredictions:
    """What networks from pictures to pictures of the same size share.

    Pictures whose activations would need much memory go through in tiles.
    """

    network_: Network
    loss_function_: Loss

    _rows_to_predict: Callable[[Any], Array]

    def _predicted(self, rows: Array, decode: Callable[[Array], Array]) -> Array:
        """Return what `decode` makes of all predictions."""
        network = self.network_.at(rows.shape[1:])
        widest = max(map(math.prod, network.shapes)) * network.dtype.itemsize
        if widest > _LARGE:
            reach = reach_of(self.network_)
            if reach is not None:
                return self._cut(rows, TILE, reach, decode, None)
        return decode(self._linked(rows))

    def _linked(self, rows: Array) -> Array:
        return self.loss_function_.inverse_link(self.network_.predict(rows))

    def _by_tiles(
        self,
        X: Any,
        size: int,
        decode: Callable[[Array], Array],
        out: Any,
        shape: Shape,
        dtype: DTypeLike,
    ) -> Any:
        """Return predictions of pictures that are read slice by slice."""
        checked("predict_tiles", {"tile_size": COUNT}, {"tile_size": size})
        reach = reach_of(self.network_)
        if reach is None:
            raise ValueError(
                "This network does not say how far it looks, or sees the whole picture "
                "at each place: its predictions cannot be put together from tiles. Use "
                "predict."
            )
        if out is not None and tuple(out.shape) != shape:
            raise ValueError(f"out must have shape {shape}, got {tuple(out.shape)}.")
        out = np.empty(shape, dtype) if out is None else out
        return self._cut(X, size, reach, decode, out)

    def _cut(
        self,
        X: Any,
        size: int,
        reach: Reach,
        decode: Callable[[Array], Array],
        out: Any,
    ) -> Any:
        for i in range(X.shape[0]):
            for tile in tiles(X.shape[1:3], size, reach):
                rows = self._rows_to_predict(
                    np.asarray(X[(slice(i, i + 1), *tile.seen)])
                )
                part = decode(self._linked(rows)[(slice(None), *tile.inner)])
                if out is None:
                    shape = (X.shape[0], *X.shape[1:3], *part.shape[3:])
                    out = np.empty(shape, part.dtype)
                out[(slice(i, i + 1), *tile.part)] = part
        return out
