"""Layers that hold chains of layers: one, several side by side, one besides."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Self, cast

import numpy as np

from skdl._settings import NOT_NEGATIVE, checked
from skdl._typing import Array, Shape, Tree
from skdl.layers._chain import (
    backward_chain,
    build_chain,
    forward_chain,
    inside_chain,
    mirrored_chain,
    resolve_chain,
)
from skdl.layers._context import Context, SideOutput
from skdl.layers._layer import (
    Inside,
    Layer,
    register,
    registry,
)
from skdl.layers._links import LayerList
from skdl.ops.window import Axis, Spread


@register("chain")
class Chain(Layer):
    """Layers one after another, as one layer.

    Parameters
    ----------
    layers : sequence of Layer or str, default=()
        The layers; none is the identity.

    Raises
    ------
    ValueError
        When a network is built, if they do not fit.
    TypeError
        When a network is built, if it is not a sequence of layers.

    Examples
    --------
    >>> from skdl.layers import Chain, Dense
    >>> from skdl.networks import Network
    >>> block = Chain([Dense(8), "relu"])
    >>> network = Network([block, block], (4,))  # each time with arrays of its own
    >>> network.params.shapes
    {'0.0.W': (4, 8), '0.0.b': (8,), '1.0.W': (8, 8), '1.0.b': (8,)}
    """

    _registries = {"layers": registry}

    def __init__(self, layers: Sequence[Layer | str] = ()) -> None:
        self.layers = layers

    @property
    def chain(self) -> list[Layer]:
        """The layers as objects, of a copy that is `settled`."""
        return cast(list[Layer], self.layers)

    def settled(self) -> Self:
        layer = copy.copy(self)
        own = self.get_params(deep=False)
        layers = resolve_chain(own.pop("layers"))
        own = checked(type(self).__name__, self._parameter_constraints, own)
        for name, value in own.items():
            setattr(layer, name, value)
        layer.layers = layers
        return layer

    def with_head(self, head: Callable[[Shape], list[Layer]]) -> Layer:
        layer = copy.copy(self)
        layer.layers = LayerList(inner.with_head(head) for inner in self.chain)
        return layer

    def predicting(self) -> Layer:
        layer = copy.copy(self)
        layer.layers = LayerList(inner.predicting() for inner in self.chain)
        return layer

    def check_trainable(self) -> None:
        for layer in self.chain:
            layer.check_trainable()

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        shapes, specs = build_chain(self.chain, input_shape)
        return shapes[-1], specs

    def mirror(self, input_shape: Shape) -> Layer | None:
        return Chain(mirrored_chain(self.chain, input_shape))

    def inside(self, input_shape: Shape) -> list[list[Inside]]:
        return [inside_chain(self.chain, input_shape)]

    def windows(self, input_shape: Shape) -> tuple[Axis | Spread, ...] | None:
        return None

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        y, caches = forward_chain(self.chain, params, x, ctx)
        return y, caches if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        return backward_chain(self.chain, params, grads, cache, dy, ctx)


@register("branches")
class Branches(Layer):
    """Layers side by side on the same input, their outputs joined along the last axis.

    An inception block is one of convolutions of several sizes (Szegedy et al. 2015).

    Parameters
    ----------
    branches : sequence of Layer, str or sequence of them, default=()
        The branches: a layer, or a list of layers one after another.

    Raises
    ------
    ValueError
        When a network is built, if there are no branches, or their outputs differ in
        more than the last axis.
    TypeError
        When a network is built, if `branches` is not a sequence.

    Examples
    --------
    >>> from skdl.layers import Branches, Conv2D, MaxPool2D
    >>> from skdl.networks import Network
    >>> wide = [Conv2D(2, 1), "relu", Conv2D(8, 5, padding="same")]
    >>> block = Branches([Conv2D(4, 1), wide, MaxPool2D(3, stride=1, padding="same")])
    >>> Network([block], (16, 16, 3)).output_shape  # 4 + 8 + 3 channels
    (16, 16, 15)
    """

    _registries = {"branches": registry}

    def __init__(self, branches: Sequence[Any] = ()) -> None:
        self.branches = branches

    def settled(self) -> Self:
        if isinstance(self.branches, (str, Layer)):
            raise TypeError(
                "branches must be a list of layers or of lists of them, got "
                f"{self.branches!r}."
            )
        layer = copy.copy(self)
        layer.branches = resolve_chain(
            [Chain(b) if isinstance(b, (list, tuple)) else b for b in self.branches]
        )
        return layer

    def with_head(self, head: Callable[[Shape], list[Layer]]) -> Layer:
        layer = copy.copy(self)
        layer.branches = [branch.with_head(head) for branch in self.branches]
        return layer

    def predicting(self) -> Layer:
        layer = copy.copy(self)
        layer.branches = [branch.predicting() for branch in self.branches]
        return layer

    def check_trainable(self) -> None:
        for branch in self.branches:
            branch.check_trainable()

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        if not self.branches:
            raise ValueError("there must be at least one branch.")
        shapes, specs = [], {}
        for i, branch in enumerate(self.branches):
            built, spec = build_chain([branch], input_shape)
            shapes.append(built[-1])
            if spec:
                specs[str(i)] = spec["0"]
        if any(shape[:-1] != shapes[0][:-1] for shape in shapes):
            raise ValueError(
                f"the branches give samples of shapes {shapes}, which cannot be joined "
                "along the last axis."
            )
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes)), specs

    def inside(self, input_shape: Shape) -> list[list[Inside]]:
        return [[Inside(str(i), b, input_shape)] for i, b in enumerate(self.branches)]

    def windows(self, input_shape: Shape) -> tuple[Axis | Spread, ...] | None:
        return None

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        outputs, caches = [], []
        for i, branch in enumerate(self.branches):
            y, cache = branch.forward(params.get(str(i), {}), x, ctx)
            outputs.append(y)
            caches.append(cache)
        widths = [y.shape[-1] for y in outputs]
        out = ctx.empty((*outputs[0].shape[:-1], sum(widths)))
        np.concatenate(outputs, axis=-1, out=out)
        return out, (caches, widths) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        caches, widths = cache
        dx, start = None, 0
        for i, (branch, width) in enumerate(zip(self.branches, widths, strict=True)):
            part = ctx.empty((*dy.shape[:-1], width))
            part[...] = dy[..., start : start + width]
            start += width
            arrays, gradients = params.get(str(i), {}), grads.get(str(i), {})
            d = branch.backward(arrays, gradients, caches[i], part, ctx)
            if ctx.want_dx:
                dx = d if dx is None else np.add(dx, d, out=ctx.empty(d.shape))
        return dx


@register("auxiliary_head")
class AuxiliaryHead(Chain):
    """A second output in the middle of a network, in training only.

    Its loss on the same targets is added with a weight, so that the layers below get a
    gradient on a shorter way (Szegedy et al. 2015). The output layer is added to it as
    to the network. To the layers behind it, it is the identity.

    Parameters
    ----------
    layers : sequence of Layer or str, default=()
        From here to the flat samples that the output layer takes.
    weight : float, default=0.3
        What its loss is multiplied by; not negative.

    Raises
    ------
    ValueError
        When a network is built, if the layers do not fit or the weight is negative.
    TypeError
        When a network is built, if `layers` is not a sequence of layers.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import AuxiliaryHead, Context, Dense
    >>> from skdl.networks import Network
    >>> layers = [Dense(8), "relu", AuxiliaryHead([Dense(3)], weight=0.5), Dense(3)]
    >>> network = Network(layers, (4,))
    >>> ctx = Context(train=True)
    >>> raw, _ = network.forward(network.tree(network.params), np.ones((2, 4)), ctx)
    >>> raw.shape, [(side.raw.shape, side.weight) for side in ctx.sides]
    ((2, 3), [((2, 3), 0.5)])
    >>> network.predict(np.ones((2, 4))).shape  # as if it were not there
    (2, 3)
    """

    is_side = True
    _head: Callable[[Shape], list[Layer]] | None = None

    _parameter_constraints: dict[str, Any] = {"weight": NOT_NEGATIVE}

    def __init__(self, layers: Sequence[Layer | str] = (), weight: float = 0.3) -> None:
        super().__init__(layers)
        self.weight = weight

    def with_head(self, head: Callable[[Shape], list[Layer]]) -> Layer:
        layer = copy.copy(self)
        layer._head = head
        return layer

    def predicting(self) -> Layer:
        return Chain()

    def mirror(self, input_shape: Shape) -> Layer | None:
        return Layer.mirror(self, input_shape)

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        if self._head is not None:  # the layers up to here say what it gets
            shapes, _ = build_chain(self.chain, input_shape)
            self.layers = [*self.chain, *resolve_chain(self._head(shapes[-1]))]
            self._head = None
        return input_shape, super().build(input_shape)[1]

    def windows(self, input_shape: Shape) -> tuple[Axis | Spread, ...] | None:
        return Layer.windows(self, input_shape)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        if not ctx.train:
            return x, None
        raw, caches = super().forward(params, x, ctx)
        side = SideOutput(raw, self.weight)
        ctx.sides.append(side)
        return x, (caches, side)

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        caches, side = cache
        dx = super().backward(params, grads, caches, side.gradient, ctx)
        return None if dx is None else np.add(dx, dy, out=ctx.empty(dy.shape))
