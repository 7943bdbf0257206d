"""Pictures whose sides the layers inside cannot halve: padded, and cropped again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdl._settings import COUNT
from skdl._typing import Array, Shape, Tree
from skdl.layers._branches import Chain
from skdl.layers._chain import (
    backward_chain,
    build_chain,
    forward_chain,
    inside_chain,
)
from skdl.layers._context import Context
from skdl.layers._image import image_shape
from skdl.layers._layer import (
    Inside,
    Layer,
    register,
)
from skdl.ops.window import Axis


class Framed(Layer):
    """Beginning or end of a `KeepSize`, as `skdl.networks.describe` shows it."""

    def __init__(self, name: str, sides: tuple[int, int]) -> None:
        self.name = name
        self.sides = sides

    def __repr__(self) -> str:
        return self.name

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        return (*self.sides, *input_shape[2:]), {}

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        pairs = zip(input_shape[:2], self.sides, strict=True)
        return tuple(Axis(n, out, 1) for n, out in pairs)


@register("keep_size")
class KeepSize(Chain):
    """Layers that halve and double, for pictures of any size.

    y = F(x) at the size of x.

    Where a side is no multiple of `multiple`, the last row or column is repeated below
    or to the right until it is, and what F makes of the additional pixels is cut off.
    So an encoder–decoder takes pictures of any size.

    Parameters
    ----------
    layers : sequence of Layer or str, default=()
        The chain F, which keeps the size of pictures whose sides are multiples.
    multiple : int, default=2
        What it divides sides by: 2 for each halving, so 4 for two of them.

    Raises
    ------
    ValueError
        When a network is built, if `multiple` is less than 1, or the layers do not keep
        the size of such pictures.
    TypeError
        When a network is built, if `layers` is not a sequence of layers.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import KeepSize, MaxPool2D, Upsample2D
    >>> from skdl.networks import Network
    >>> network = Network([KeepSize([MaxPool2D(2), Upsample2D(2)])], (3, 3, 1))
    >>> x = np.arange(9.0).reshape(1, 3, 3, 1)  # three pixels cannot be halved
    >>> network.predict(x)[0, ..., 0]
    array([[4., 4., 5.],
           [4., 4., 5.],
           [7., 7., 8.]])
    """

    _parameter_constraints: dict[str, Any] = {"multiple": COUNT}

    def __init__(self, layers: Sequence[Layer | str] = (), multiple: int = 2) -> None:
        super().__init__(layers)
        self.multiple = multiple

    def _sides(self, shape: Shape) -> tuple[int, int]:
        """Return height and width with the additional pixels."""
        h, w = (-(-n // self.multiple) * self.multiple for n in shape[:2])
        return h, w

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        h, w, c = image_shape(input_shape, "an encoder–decoder")
        padded = (*self._sides(input_shape), c)
        shapes, specs = build_chain(self.chain, padded)
        if len(shapes[-1]) != 3 or shapes[-1][:2] != padded[:2]:
            raise ValueError(
                f"the layers inside turn pictures of {padded} into {shapes[-1]}; they "
                f"must keep the size of pictures whose sides are multiples of "
                f"{self.multiple}."
            )
        return (h, w, shapes[-1][2]), specs

    def inside(self, input_shape: Shape) -> list[list[Inside]]:
        sides = self._sides(input_shape)
        if sides == tuple(input_shape[:2]):
            return super().inside(input_shape)
        padded = (*sides, input_shape[2])
        last = build_chain(self.chain, padded)[0][-1]
        h, w = input_shape[:2]
        begin = Inside("pad", Framed("Pad", sides), input_shape)
        end = Inside("crop", Framed("Crop", (h, w)), last)
        return [[begin, *inside_chain(self.chain, padded), end]]

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        n, h, w, c = x.shape
        sides = self._sides((h, w))
        if sides != (h, w):
            x = _padded(x, ctx.empty((n, *sides, c), x.dtype))
        y, caches = forward_chain(self.chain, params, x, ctx)
        if sides != (h, w):
            y = _copied(y[:, :h, :w], ctx)
        return y, (caches, (h, w)) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        caches, (h, w) = cache
        sides = self._sides((h, w))
        if sides != (h, w):
            framed = ctx.empty((len(dy), *sides, dy.shape[-1]))
            framed[:] = 0
            framed[:, :h, :w] = dy
            dy = framed
        dx = backward_chain(self.chain, params, grads, caches, dy, ctx)
        if dx is None or sides == (h, w):
            return dx
        # A repeated pixel gets the gradients of its copies, too.
        dx[:, h - 1, :] += dx[:, h:, :].sum(axis=1)
        dx[:, :h, w - 1] += dx[:, :h, w:].sum(axis=2)
        return _copied(dx[:, :h, :w], ctx)


def _padded(x: Array, out: Array) -> Array:
    h, w = x.shape[1:3]
    out[:, :h, :w] = x
    out[:, :h, w:] = x[:, :, -1:]
    out[:, h:] = out[:, h - 1 : h]
    return out


def _copied(part: Array, ctx: Context) -> Array:
    out = ctx.empty(part.shape, part.dtype)
    np.copyto(out, part)
    return out
