"""One table of symbols for both ends of a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdl import initializers
from skdl._settings import COUNT
from skdl._typing import Array, Shape, Tree
from skdl.initializers import Initializer
from skdl.layers._branches import Chain
from skdl.layers._chain import (
    backward_chain,
    build_chain,
    forward_chain,
    inside_chain,
)
from skdl.layers._context import Context
from skdl.layers._layer import (
    Inside,
    Layer,
    ParamSpec,
    register,
    registry,
)
from skdl.layers._sequence import Embedding, table_start
from skdl.ops.linear import linear, linear_backward_input, linear_backward_weights


@register("tied_embedding")
class TiedEmbedding(Chain):
    """One table of symbols for what comes in and what comes next.

    y = F(E[x])·Eᵀ + b.

    Input and output embeddings are one array (Press & Wolf 2017; Inan et al. 2017):
    half the parameters where the vocabulary is large, and often a better model. It is
    the whole network of a language model: no output layer follows.

    Parameters
    ----------
    vocabulary : int, default=256
        Number of symbols; at least 1.
    units : int, default=32
        Numbers that stand for a symbol; at least 1.
    layers : sequence of Layer or str, default=()
        The chain F. It must lead from `units` features back to as many.
    initializer : str or Initializer, default="auto"
        Start of E, of shape (vocabulary, units). "auto" is normal of standard deviation
        0.5, between what suits the input, 1, and the output, 1/√units.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range or the layers do not fit;
        in training and prediction, if a symbol is out of range.

    Examples
    --------
    >>> from skdl.layers import LSTM, Dense, Embedding, TiedEmbedding
    >>> from skdl.networks import Network
    >>> tied = Network([TiedEmbedding(1000, 32, [LSTM(32)])], (20,))
    >>> untied = Network([Embedding(1000, 32), LSTM(32), Dense(1000)], (20,))
    >>> tied.output_shape, untied.output_shape
    ((20, 1000), (20, 1000))
    >>> untied.params.size - tied.params.size  # one table of 1000×32
    32000
    """

    accepts_integers = True
    _registries = {"layers": registry, "initializer": initializers.registry}
    _parameter_constraints: dict[str, Any] = {"vocabulary": COUNT, "units": COUNT}

    def __init__(
        self,
        vocabulary: int = 256,
        units: int = 32,
        layers: Sequence[Layer | str] = (),
        initializer: str | Initializer = "auto",
    ) -> None:
        super().__init__(layers)
        self.vocabulary = vocabulary
        self.units = units
        self.initializer = initializer

    _embedding: Embedding

    def settled(self) -> Self:
        layer = super().settled()
        start = table_start(self.initializer, 0.5)
        embedding = Embedding(self.vocabulary, self.units, start)
        layer._embedding = embedding.settled()
        return layer

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        inner_shape, own = self._embedding.build(input_shape)
        shapes, specs = build_chain(self.chain, inner_shape)
        if shapes[-1][-1:] != (self.units,):
            raise ValueError(
                f"the layers turn {inner_shape} into {shapes[-1]}; they must lead back "
                f"to {self.units} features, which are multiplied by the table."
            )
        own["b"] = ParamSpec((self.vocabulary,), "zeros")
        return (*shapes[-1][:-1], self.vocabulary), {**own, **specs}

    def mirror(self, input_shape: Shape) -> Layer | None:
        return None

    def inside(self, input_shape: Shape) -> list[list[Inside]]:
        return [inside_chain(self.chain, (*input_shape, self.units))]

    def multiply_adds(self, input_shape: Shape) -> int:
        return math.prod(self.build(input_shape)[0]) * self.units

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        E, chain = params["E"], self.chain
        ctx.as_rows = bool(chain) and chain[0].takes_rows
        h, symbols = self._embedding.forward(params, x, ctx)
        h, caches = forward_chain(chain, params, h, ctx)
        y = linear(h, E.T, params["b"], ctx.empty((*h.shape[:-1], self.vocabulary)))
        return y, (symbols, h, caches) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        symbols, h, caches = cache
        of_output = ctx.empty(grads["E"].shape)
        # Eᵀ is the matrix of the output layer; its gradient comes transposed.
        linear_backward_weights(h, dy, of_output)
        np.sum(dy, axis=tuple(range(dy.ndim - 1)), out=grads["b"])
        dh = linear_backward_input(dy, params["E"].T, ctx.empty(h.shape))
        want_dx, ctx.want_dx = ctx.want_dx, True
        dh = backward_chain(self.chain, params, grads, caches, dh, ctx)
        ctx.want_dx = want_dx
        self._embedding.backward(params, grads, symbols, dh, ctx)
        grads["E"][...] += of_output
